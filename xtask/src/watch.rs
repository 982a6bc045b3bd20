//! Runs a package's tests whenever one of its files changes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use crate::tasks::test_package;

/// How often the files are looked at: unnoticed by a person and by the processor.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Folders that may hold a package of that name.
const PARENTS: [&str; 4] = ["", "wire/", "node/", "apps/"];

pub(crate) fn watch(name: &str) -> Result<ExitCode, String> {
    let short = name.strip_prefix("tympan-").unwrap_or(name);
    let folder = PARENTS
        .iter()
        .map(|parent| PathBuf::from(format!("{parent}{short}")))
        .find(|folder| folder.join("Cargo.toml").is_file())
        .ok_or_else(|| format!("there is no package `{name}`"))?;
    let package = if matches!(short, "tympan" | "xtask") { short.to_owned() } else { format!("tympan-{short}") };
    loop {
        let seen = newest(&folder);
        test_package(&package);
        println!("-- waiting for a change below {}", folder.display());
        while newest(&folder) == seen {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// The youngest change below a folder.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            if path.is_dir() { newest(&path) } else { entry.metadata().ok()?.modified().ok() }
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_the_youngest_file_of_a_folder() {
        let source = newest(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        assert!(source.is_some_and(|time| time > SystemTime::UNIX_EPOCH));
    }
}
