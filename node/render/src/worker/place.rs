//! Where a page comes to lie on the paper. Pure arithmetic: no pixels here.

use hayro::kurbo::Affine;

use crate::{BackSide, Margins, Orientation, PageSetup, Scaling};

/// The paper in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Dots per inch, across and along.
    pub(crate) resolution: (f64, f64),
    pub(crate) margins: Margins,
}

/// The size of the paper in pixels at a resolution.
pub(crate) fn raster_size(setup: &PageSetup, resolution: (u32, u32)) -> (u32, u32) {
    let pixels = |hundredths: u32, dpi: u32| (f64::from(hundredths) / 2540.0 * f64::from(dpi)).round() as u32;
    (pixels(setup.width, resolution.0), pixels(setup.height, resolution.1))
}

/// From a page (points, y down, origin at its top left corner) to pixels of the sheet.
pub(crate) fn place(page: (f64, f64), sheet: &Sheet, scaling: Scaling, orientation: Option<Orientation>) -> Affine {
    let orientation = orientation.unwrap_or_else(|| better_orientation(page, sheet));
    let (turned, turn) = turn(page, orientation);
    let inches = |pixels: f64, dpi: f64| pixels / dpi;
    let (paper_width, paper_height) =
        (inches(sheet.width, sheet.resolution.0) * 72.0, inches(sheet.height, sheet.resolution.1) * 72.0);
    let points = |hundredths: u32| f64::from(hundredths) / 2540.0 * 72.0;
    let margins = &sheet.margins;
    let whole = (0.0, 0.0, paper_width, paper_height);
    let printable = (
        points(margins.left),
        points(margins.top),
        (paper_width - points(margins.left) - points(margins.right)).max(1.0),
        (paper_height - points(margins.top) - points(margins.bottom)).max(1.0),
    );
    let ratios = |area: (f64, f64, f64, f64)| (area.2 / turned.0, area.3 / turned.1);
    let (scale, area) = match scaling {
        Scaling::None => (1.0, whole),
        Scaling::Fill => {
            let (x, y) = ratios(whole);
            (x.max(y), whole)
        }
        Scaling::Fit => {
            let (x, y) = ratios(printable);
            (x.min(y), printable)
        }
        Scaling::SameSize if is_size(turned, (paper_width, paper_height)) => (1.0, whole),
        Scaling::Auto | Scaling::SameSize => {
            let (x, y) = ratios(printable);
            // What fits as it is stays where its maker put it, if that is in the printable area.
            if x.min(y) >= 1.0 { (1.0, printable) } else { (x.min(y), printable) }
        }
    };
    let x = area.0 + (area.2 - turned.0 * scale) / 2.0;
    let y = area.1 + (area.3 - turned.1 * scale) / 2.0;
    let to_pixels = Affine::scale_non_uniform(sheet.resolution.0 / 72.0, sheet.resolution.1 / 72.0);
    to_pixels * Affine::translate((x, y)) * Affine::scale(scale) * turn
}

/// Whether a page has the size of the paper, to the point.
fn is_size(page: (f64, f64), paper: (f64, f64)) -> bool {
    (page.0 - paper.0).abs() < 2.0 && (page.1 - paper.1).abs() < 2.0
}

/// The places of several pages on one side ("number-up"), left to right, then top to bottom as they are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cells {
    columns: u32,
    rows: u32,
    /// How the whole is turned on the sheet.
    orientation: Orientation,
    sheet: Sheet,
}

impl Cells {
    /// The grid in which pages of this size (points) come out largest.
    pub(crate) fn of(number_up: u32, page: (f64, f64), sheet: &Sheet, orientation: Option<Orientation>) -> Self {
        let number_up = number_up.clamp(1, 16);
        let grids = (1..=number_up).filter(|columns| number_up.is_multiple_of(*columns));
        let turns = match orientation {
            Some(Orientation::Landscape | Orientation::ReverseLandscape) => vec![orientation],
            Some(Orientation::Portrait | Orientation::ReversePortrait) => vec![orientation],
            None => vec![Some(Orientation::Portrait), Some(Orientation::Landscape)],
        };
        let mut best: Option<(f64, Self)> = None;
        for columns in grids {
            for turn in turns.iter().copied().flatten() {
                let cells = Self { columns, rows: number_up / columns, orientation: turn, sheet: *sheet };
                let (_, _, width, height) = cells.cell(0);
                let scale = (width / page.0).min(height / page.1);
                if best.is_none_or(|(before, _)| scale > before * 1.001) {
                    best = Some((scale, cells));
                }
            }
        }
        best.map_or(Self { columns: 1, rows: 1, orientation: Orientation::Portrait, sheet: *sheet }, |(_, cells)| cells)
    }

    /// The sheet as it is read: turned where the whole is turned.
    fn read_size(&self) -> (f64, f64) {
        let (width, height) =
            (self.sheet.width / self.sheet.resolution.0 * 72.0, self.sheet.height / self.sheet.resolution.1 * 72.0);
        match self.orientation {
            Orientation::Portrait | Orientation::ReversePortrait => (width, height),
            Orientation::Landscape | Orientation::ReverseLandscape => (height, width),
        }
    }

    /// Left, top, width and height of a cell, in points of the sheet as it is read.
    fn cell(&self, number: u32) -> (f64, f64, f64, f64) {
        let (width, height) = self.read_size();
        let edges =
            [&self.sheet.margins.left, &self.sheet.margins.right, &self.sheet.margins.top, &self.sheet.margins.bottom];
        // The widest edge all around: it fits whichever way the sheet is turned.
        let edge = edges.into_iter().copied().max().map_or(0.0, |edge| f64::from(edge) / 2540.0 * 72.0);
        let (cell_width, cell_height) =
            ((width - 2.0 * edge) / f64::from(self.columns), (height - 2.0 * edge) / f64::from(self.rows));
        let (column, row) = (number % self.columns, number / self.columns);
        let gap = GAP_POINTS.min(cell_width / 10.0).min(cell_height / 10.0);
        (
            edge + f64::from(column) * cell_width + gap / 2.0,
            edge + f64::from(row) * cell_height + gap / 2.0,
            (cell_width - gap).max(1.0),
            (cell_height - gap).max(1.0),
        )
    }

    /// From a page (points) to pixels of the sheet, for the cell of this number from 0.
    pub(crate) fn place(&self, page: (f64, f64), number: u32) -> Affine {
        let (left, top, width, height) = self.cell(number);
        // A page that lies the other way than its cell is turned in it.
        let is_wide = |(width, height): (f64, f64)| width > height * 1.01;
        let other_way = is_wide(page) != is_wide((width, height)) && (page.0 - page.1).abs() > 1.0;
        let (turned, within) = if other_way { turn(page, Orientation::Landscape) } else { (page, Affine::IDENTITY) };
        let scale = (width / turned.0).min(height / turned.1);
        let at = (left + (width - turned.0 * scale) / 2.0, top + (height - turned.1 * scale) / 2.0);
        let (_, whole) = turn(self.read_size(), self.orientation);
        let to_pixels = Affine::scale_non_uniform(self.sheet.resolution.0 / 72.0, self.sheet.resolution.1 / 72.0);
        to_pixels * whole * Affine::translate(at) * Affine::scale(scale) * within
    }
}

/// Between two pages on one side, in points.
const GAP_POINTS: f64 = 9.0;

/// Mirrors a placed page for the back of a sheet.
pub(crate) fn flip(back: BackSide, sheet: &Sheet) -> Affine {
    let x = if back.cross_feed_flipped { [-1.0, sheet.width] } else { [1.0, 0.0] };
    let y = if back.feed_flipped { [-1.0, sheet.height] } else { [1.0, 0.0] };
    Affine::new([x[0], 0.0, 0.0, y[0], x[1], y[1]])
}

fn better_orientation(page: (f64, f64), sheet: &Sheet) -> Orientation {
    let page_is_wide = page.0 > page.1 * 1.01;
    let page_is_high = page.1 > page.0 * 1.01;
    let paper = (sheet.width / sheet.resolution.0, sheet.height / sheet.resolution.1);
    let paper_is_wide = paper.0 > paper.1 * 1.01;
    let paper_is_high = paper.1 > paper.0 * 1.01;
    if (page_is_wide && paper_is_high) || (page_is_high && paper_is_wide) {
        Orientation::Landscape
    } else {
        Orientation::Portrait
    }
}

/// The size after turning anticlockwise, and the transform.
fn turn((width, height): (f64, f64), orientation: Orientation) -> ((f64, f64), Affine) {
    match orientation {
        Orientation::Portrait => ((width, height), Affine::IDENTITY),
        Orientation::Landscape => ((height, width), Affine::new([0.0, -1.0, 1.0, 0.0, 0.0, width])),
        Orientation::ReversePortrait => ((width, height), Affine::new([-1.0, 0.0, 0.0, -1.0, width, height])),
        Orientation::ReverseLandscape => ((height, width), Affine::new([0.0, 1.0, -1.0, 0.0, height, 0.0])),
    }
}

#[cfg(test)]
mod tests {
    use hayro::kurbo::Point;

    use super::*;

    const A4: (f64, f64) = (595.276, 841.89);

    fn sheet(margin: u32) -> Sheet {
        Sheet { width: 2480.0, height: 3508.0, resolution: (300.0, 300.0), margins: Margins::all(margin) }
    }

    fn near(a: Point, b: (f64, f64)) {
        assert!((a.x - b.0).abs() < 1.5 && (a.y - b.1).abs() < 1.5, "{a:?} is not near {b:?}");
    }

    #[test]
    fn a_page_of_the_papers_size_fills_it_when_not_scaled() {
        let to = place(A4, &sheet(423), Scaling::None, None);
        near(to * Point::new(0.0, 0.0), (0.0, 0.0));
        near(to * Point::new(A4.0, A4.1), (2480.0, 3508.0));
    }

    #[test]
    fn what_was_laid_out_for_this_paper_is_printed_as_it_is() {
        let to = place(A4, &sheet(423), Scaling::SameSize, None);
        near(to * Point::new(A4.0, A4.1), (2480.0, 3508.0));
        let other = (612.0, 792.0);
        assert_eq!(place(other, &sheet(423), Scaling::SameSize, None), place(other, &sheet(423), Scaling::Auto, None));
    }

    #[test]
    fn auto_keeps_every_corner_inside_the_margins() {
        let to = place(A4, &sheet(423), Scaling::Auto, None);
        let edge = 4.23 / 25.4 * 300.0;
        for corner in [(0.0, 0.0), (A4.0, A4.1)] {
            let at = to * Point::new(corner.0, corner.1);
            assert!(at.x >= edge - 0.6 && at.x <= 2480.0 - edge + 0.6, "{at:?}");
            assert!(at.y >= edge - 0.6 && at.y <= 3508.0 - edge + 0.6, "{at:?}");
        }
        let small = place((100.0, 100.0), &sheet(423), Scaling::Auto, None);
        let at = small * Point::new(100.0, 100.0) - small * Point::new(0.0, 0.0);
        assert!((at.x - 100.0 / 72.0 * 300.0).abs() < 0.01, "a small page is not made larger");
    }

    #[test]
    fn a_landscape_page_is_turned_anticlockwise_on_portrait_paper() {
        let to = place((A4.1, A4.0), &sheet(0), Scaling::Auto, None);
        near(to * Point::new(A4.1, 0.0), (0.0, 0.0));
        near(to * Point::new(0.0, 0.0), (0.0, 3508.0));
        near(to * Point::new(0.0, A4.0), (2480.0, 3508.0));
    }

    #[test]
    fn fit_enlarges_and_fill_cuts() {
        let half = (A4.0 / 2.0, A4.1 / 2.0);
        near(place(half, &sheet(0), Scaling::Fit, None) * Point::new(half.0, half.1), (2480.0, 3508.0));
        let square = place((100.0, 100.0), &sheet(0), Scaling::Fill, None);
        near(square * Point::new(50.0, 50.0), (1240.0, 1754.0));
        near(square * Point::new(0.0, 0.0), (1240.0 - 1754.0, 0.0));
    }

    #[test]
    fn unequal_resolutions_keep_the_shape() {
        let sheet = Sheet { width: 4960.0, height: 3508.0, resolution: (600.0, 300.0), margins: Margins::default() };
        near(place(A4, &sheet, Scaling::Auto, None) * Point::new(A4.0, A4.1), (4960.0, 3508.0));
    }

    #[test]
    fn backs_are_mirrored_as_the_printer_wants() {
        let rotated = flip(BackSide { cross_feed_flipped: true, feed_flipped: true }, &sheet(0));
        near(rotated * Point::new(0.0, 0.0), (2480.0, 3508.0));
        let flipped = flip(BackSide { cross_feed_flipped: false, feed_flipped: true }, &sheet(0));
        near(flipped * Point::new(10.0, 0.0), (10.0, 3508.0));
        near(flip(BackSide::default(), &sheet(0)) * Point::new(3.0, 4.0), (3.0, 4.0));
    }

    #[test]
    fn orientations_turn_the_same_way_round() {
        for (orientation, corner) in [
            (Orientation::Portrait, (0.0, 0.0)),
            (Orientation::Landscape, (0.0, 3508.0)),
            (Orientation::ReversePortrait, (2480.0, 3508.0)),
            (Orientation::ReverseLandscape, (2480.0, 0.0)),
        ] {
            let page = if matches!(orientation, Orientation::Landscape | Orientation::ReverseLandscape) {
                (A4.1, A4.0)
            } else {
                A4
            };
            near(place(page, &sheet(0), Scaling::Auto, Some(orientation)) * Point::new(0.0, 0.0), corner);
        }
    }

    #[test]
    fn two_pages_lie_side_by_side_on_a_turned_sheet_and_four_as_they_are_read() {
        let sheet = sheet(423);
        let middle = |to: Affine| to * Point::new(A4.0 / 2.0, A4.1 / 2.0);
        let two = Cells::of(2, A4, &sheet, None);
        assert_eq!((two.columns, two.rows, two.orientation), (2, 1, Orientation::Landscape));
        // The sheet is turned anticlockwise: what is read first lies at the bottom of the paper.
        let (first, second) = (middle(two.place(A4, 0)), middle(two.place(A4, 1)));
        assert!((first.x - second.x).abs() < 2.0 && first.y > second.y, "{first:?} {second:?}");
        let four = Cells::of(4, A4, &sheet, None);
        let places: Vec<Point> = (0..4).map(|number| middle(four.place(A4, number))).collect();
        assert!(places[0].x < places[1].x && (places[0].y - places[1].y).abs() < 2.0);
        assert!(places[0].y < places[2].y && (places[0].x - places[2].x).abs() < 2.0);
        for (number_up, grid) in [(6, 6), (9, 9), (16, 16)] {
            let cells = Cells::of(number_up, A4, &sheet, None);
            assert_eq!(cells.columns * cells.rows, grid);
        }
    }

    #[test]
    fn pages_on_one_side_stay_on_the_paper_and_apart() {
        let sheet = sheet(423);
        for number_up in [2, 4, 6, 9, 16] {
            for page in [A4, (A4.1, A4.0), (300.0, 300.0)] {
                let cells = Cells::of(number_up, page, &sheet, None);
                let mut boxes: Vec<(f64, f64, f64, f64)> = Vec::new();
                for number in 0..number_up {
                    let to = cells.place(page, number);
                    let (a, b) = (to * Point::new(0.0, 0.0), to * Point::new(page.0, page.1));
                    let this = (a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y));
                    assert!(this.0 >= 0.0 && this.1 >= 0.0 && this.2 <= 2480.5 && this.3 <= 3508.5, "{this:?}");
                    let apart = |other: &(f64, f64, f64, f64)| {
                        this.2 < other.0 || other.2 < this.0 || this.3 < other.1 || other.3 < this.1
                    };
                    assert!(boxes.iter().all(apart), "{number_up}: {this:?} {boxes:?}");
                    boxes.push(this);
                }
            }
        }
    }

    #[test]
    fn a4_at_300_dpi_has_the_usual_size() {
        assert_eq!(raster_size(&PageSetup::A4, (300, 300)), (2480, 3508));
        assert_eq!(raster_size(&PageSetup::A4, (600, 600)), (4961, 7016));
    }
}
