//! PostScript files.

use std::fmt::Write as _;

use super::segments;

/// A PostScript document (DSC 3.0) of pages that show 1, 2, 3 and so on; width and height in points.
#[must_use]
pub fn postscript(pages: u32, size_pt: (f32, f32)) -> Vec<u8> {
    let (width, height) = size_pt;
    let mut file = format!(
        "%!PS-Adobe-3.0\n%%BoundingBox: 0 0 {width:.0} {height:.0}\n%%Pages: {pages}\n%%LanguageLevel: 2\n%%EndComments\n\
         << /PageSize [{width} {height}] >> setpagedevice\n"
    );
    for page in 1..=pages {
        let _ = writeln!(file, "%%Page: {page} {page}");
        for bar in segments::number(page) {
            let (x, y) = (bar.x * width, (1.0 - bar.y - bar.height) * height);
            let _ = writeln!(file, "{x:.2} {y:.2} {:.2} {:.2} rectfill", bar.width * width, bar.height * height);
        }
        file.push_str("showpage\n");
    }
    file.push_str("%%EOF\n");
    file.into_bytes()
}
