//! A QR code as a picture that may stand in a page.

use base64::Engine as _;
use fast_qr::qr::QRBuilder;
use std::fmt::Write;

/// The text as a QR code, an SVG in a `data:` address; `None` if it is too long.
pub(crate) fn data_uri(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    let size = code.size;
    let side = size + 8;
    let mut path = String::new();
    for row in 0..size {
        for column in (0..size).filter(|column| code[row][*column].value()) {
            let _ = write!(path, "M{} {}h1v1h-1z", column + 4, row + 4);
        }
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    );
    Some(format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(svg)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_a_picture_and_a_text_that_is_too_long_is_none() {
        assert!(super::data_uri("mailto:office@print.example").unwrap().starts_with("data:image/svg+xml;base64,"));
        assert_eq!(super::data_uri(&"a".repeat(5_000)), None);
    }
}
