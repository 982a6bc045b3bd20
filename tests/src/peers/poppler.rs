//! poppler's pdftoppm, a PDF reader that we did not write.

use std::path::Path;

use image::DynamicImage;

use super::command;
use crate::process::Process;
use crate::scratch::Scratch;

/// The pages of a PDF as pictures. Needs `pdftoppm`.
///
/// # Panics
/// When it cannot read the file.
#[must_use]
#[track_caller]
pub fn pages(pdf: &[u8], resolution_dpi: u32) -> Vec<DynamicImage> {
    let scratch = Scratch::new("pages");
    let file = scratch.write("file.pdf", pdf);
    let pictures = scratch.folder("pictures");
    let mut pdftoppm = command("pdftoppm");
    pdftoppm.args(["-r", &resolution_dpi.to_string(), "-png"]).arg(file).arg(pictures.join("page"));
    Process::run("pdftoppm", &mut pdftoppm).expect_success();
    // It pads the numbers in the names, so that names sort as pages do.
    pictures_in(&pictures)
}

/// The PNG pictures of a folder, by their names.
///
/// # Panics
/// When the folder or a picture cannot be read.
#[must_use]
#[track_caller]
pub fn pictures_in(folder: &Path) -> Vec<DynamicImage> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    paths.sort();
    let open = |path| image::open(path).unwrap_or_else(|cause| panic!("a picture that cannot be read: {cause}"));
    paths.into_iter().map(open).collect()
}
