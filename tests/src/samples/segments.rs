//! Figures made of seven bars.

/// A black bar in a page whose width and height are both 1; the origin is the top left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Where the figures stand: the margins of any printer leave this part of the page alone.
const LEFT: f32 = 0.15;
const RIGHT: f32 = 0.85;
const TOP: f32 = 0.2;
const BOTTOM: f32 = 0.8;

/// A figure is not wider than this, so that a single one looks like one.
const FIGURE_WIDTH_MAX: f32 = 0.4;

/// How thick a bar is, in widths of its figure.
const THICK: f32 = 0.22;

/// Which bars each figure has: top, upper right, lower right, bottom, lower left, upper left, middle.
const FIGURES: [[bool; 7]; 10] = {
    const fn bars(bits: u8) -> [bool; 7] {
        let mut on = [false; 7];
        let mut at = 0;
        while at < 7 {
            on[at] = bits & (1 << at) != 0;
            at += 1;
        }
        on
    }
    [
        bars(0b011_1111),
        bars(0b000_0110),
        bars(0b101_1011),
        bars(0b100_1111),
        bars(0b110_0110),
        bars(0b110_1101),
        bars(0b111_1101),
        bars(0b000_0111),
        bars(0b111_1111),
        bars(0b110_1111),
    ]
};

/// The bars of a number, centred on the page.
#[must_use]
pub fn number(number: u32) -> Vec<Bar> {
    cells(number).flat_map(|(figure, left, width)| figure_bars(figure, left, width)).collect()
}

/// Points of the page that are white whatever the figures of a number are: inside each, and between two.
#[must_use]
pub fn holes(number: u32) -> Vec<(f32, f32)> {
    let quarter = (BOTTOM - TOP) / 4.0;
    let cells: Vec<_> = cells(number).collect();
    let inside = cells.iter().flat_map(|(_, left, width)| {
        let middle = left + width / 2.0;
        [(middle, TOP + quarter), (middle, BOTTOM - quarter)]
    });
    let between = cells.iter().skip(1).flat_map(|(_, left, width)| {
        let (gap, inset) = (left - width / 8.0, width * THICK / 2.0);
        [(gap, TOP + inset), (gap, (TOP + BOTTOM) / 2.0), (gap, BOTTOM - inset)]
    });
    inside.chain(between).collect()
}

/// Each figure of a number with its left edge and width.
fn cells(number: u32) -> impl Iterator<Item = (usize, f32, f32)> {
    let figures: Vec<u32> = number.to_string().chars().filter_map(|figure| figure.to_digit(10)).collect();
    let count = figures.len() as f32;
    let cell = ((RIGHT - LEFT) / count).min(FIGURE_WIDTH_MAX);
    let start = (LEFT + RIGHT - cell * count) / 2.0;
    figures
        .into_iter()
        .enumerate()
        .map(move |(at, figure)| (figure as usize, start + cell * (at as f32 + 0.1), cell * 0.8))
}

fn figure_bars(figure: usize, left: f32, width: f32) -> impl Iterator<Item = Bar> {
    let thick = width * THICK;
    let height = BOTTOM - TOP;
    let (right, middle) = (left + width - thick, TOP + (height - thick) / 2.0);
    let half = height / 2.0;
    let across = |y| Bar { x: left, y, width, height: thick };
    let down = |x, y| Bar { x, y, width: thick, height: half };
    let all = [
        across(TOP),
        down(right, TOP),
        down(right, TOP + half),
        across(BOTTOM - thick),
        down(left, TOP + half),
        down(left, TOP),
        across(middle),
    ];
    all.into_iter().zip(FIGURES[figure]).filter_map(|(bar, on)| on.then_some(bar))
}
