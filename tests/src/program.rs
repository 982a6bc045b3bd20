//! Where the program under test lies.

use std::path::PathBuf;

/// The `tympan` program that was built together with this test: beside its folder in `target/<profile>/`.
///
/// `TYMPAN_PROGRAM` names another one.
///
/// # Panics
/// When it is not there. Cargo does not build another package's program for a test: the message says what does.
#[must_use]
#[track_caller]
pub fn tympan() -> PathBuf {
    if let Some(path) = std::env::var_os("TYMPAN_PROGRAM") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the path of this test");
    // target/<profile>/deps/all-0123, or target/<profile>/bench for the benches
    let path = test.ancestors().skip(1).take(2).map(|folder| folder.join("tympan")).find(|path| path.is_file());
    path.unwrap_or_else(|| {
        panic!(
            "the program `tympan` is not beside {}: run `cargo build -p tympan` first (`cargo xtask test` does)",
            test.display()
        )
    })
}
