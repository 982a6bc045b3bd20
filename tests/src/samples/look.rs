//! Reads the number of a page from its picture: what came out, told by its ink and not by what the program says.

use image::{DynamicImage, GrayImage};

use super::segments;

/// Darker than this is ink, on a scale of 255.
const INK_MAX: u8 = 160;

/// The largest number that is looked for.
const NUMBER_MAX: u32 = 999;

/// The number that a page shows, `None` when it shows none.
///
/// The page may have been scaled and moved, as printers' margins ask for it; if there is anything else on it than the
/// number, it must stand where it was made.
#[must_use]
pub fn number_on(page: &DynamicImage) -> Option<u32> {
    let page = page.to_luma8();
    let whole = Frame { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
    let numbers = || (0..=NUMBER_MAX).rev();
    let found = numbers().find(|number| shows(&page, *number, whole, whole));
    found.or_else(|| {
        let ink = ink(&page)?;
        numbers().find(|number| shows(&page, *number, frame_of(*number), ink))
    })
}

/// A part of a page, whose sides are 1.
#[derive(Clone, Copy)]
struct Frame {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

/// Whether the number, in its own frame `from`, is what stands in the frame `to` of the page.
fn shows(page: &GrayImage, number: u32, from: Frame, to: Frame) -> bool {
    let (width, height) = page.dimensions();
    let is_ink = |(x, y): (f32, f32)| {
        let x = to.left + (x - from.left) / (from.right - from.left) * (to.right - to.left);
        let y = to.top + (y - from.top) / (from.bottom - from.top) * (to.bottom - to.top);
        let (x, y) = (x * width as f32, y * height as f32);
        (0.0..width as f32).contains(&x)
            && (0.0..height as f32).contains(&y)
            && page.get_pixel(x as u32, y as u32).0[0] <= INK_MAX
    };
    let middle = |bar: &segments::Bar| (bar.x + bar.width / 2.0, bar.y + bar.height / 2.0);
    let bars = segments::number(number);
    // All seven bars of as many figures: those that this number has not must be white.
    let eights = number.to_string().replace(|_| true, "8").parse().map_or_else(|_| Vec::new(), segments::number);
    bars.iter().all(|bar| is_ink(middle(bar)))
        && !eights.iter().any(|bar| !bars.contains(bar) && is_ink(middle(bar)))
        && !segments::holes(number).into_iter().any(is_ink)
}

fn frame_of(number: u32) -> Frame {
    let bars = segments::number(number);
    let least = |value: fn(&segments::Bar) -> f32| bars.iter().map(value).fold(f32::INFINITY, f32::min);
    let most = |value: fn(&segments::Bar) -> f32| bars.iter().map(value).fold(f32::NEG_INFINITY, f32::max);
    Frame {
        left: least(|bar| bar.x),
        top: least(|bar| bar.y),
        right: most(|bar| bar.x + bar.width),
        bottom: most(|bar| bar.y + bar.height),
    }
}

/// The frame around all ink.
fn ink(page: &GrayImage) -> Option<Frame> {
    let (width, height) = page.dimensions();
    let mut frame: Option<[u32; 4]> = None;
    for (x, y, pixel) in page.enumerate_pixels() {
        if pixel.0[0] <= INK_MAX {
            let [left, top, right, bottom] = frame.unwrap_or([x, y, x, y]);
            frame = Some([left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]);
        }
    }
    let [left, top, right, bottom] = frame?;
    Some(Frame {
        left: left as f32 / width as f32,
        top: top as f32 / height as f32,
        right: right as f32 / width as f32,
        bottom: bottom as f32 / height as f32,
    })
}
