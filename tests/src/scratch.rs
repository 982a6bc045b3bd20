//! A folder of a test's own, removed at its end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A private folder. It is kept, and its path printed, when the test fails or `TYMPAN_KEEP` is set.
#[derive(Debug)]
pub struct Scratch {
    // Only empty while it is dropped.
    folder: Option<TempDir>,
}

impl Scratch {
    /// Makes a folder that only this user can enter.
    ///
    /// # Panics
    /// When that is impossible.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix(&format!("tympan-{name}-"))
            .tempdir()
            .expect("a folder for temporary files");
        Self { folder: Some(folder) }
    }

    /// Makes a folder through which other users may reach what they are given in it: for peers that drop root.
    ///
    /// # Panics
    /// When that is impossible.
    #[must_use]
    pub fn shared(name: &str) -> Self {
        let scratch = Self::new(name);
        set_mode(scratch.path(), 0o755);
        scratch
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.as_ref().expect("only empty while it is dropped").path()
    }

    /// The path of a file in it.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, with the folders above it, and returns its path.
    ///
    /// # Panics
    /// When that is impossible.
    pub fn write(&self, name: impl AsRef<Path>, octets: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).unwrap_or_else(|cause| panic!("cannot make {}: {cause}", parent.display()));
        }
        fs::write(&path, octets).unwrap_or_else(|cause| panic!("cannot write {}: {cause}", path.display()));
        path
    }

    /// Makes a folder in it and returns its path.
    ///
    /// # Panics
    /// When that is impossible.
    pub fn folder(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).unwrap_or_else(|cause| panic!("cannot make {}: {cause}", path.display()));
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let keep = std::thread::panicking() || std::env::var_os("TYMPAN_KEEP").is_some();
        if let Some(folder) = self.folder.take_if(|_| keep) {
            eprintln!("kept: {}", folder.keep().display());
        }
    }
}

/// Sets the permissions of a file or folder.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .unwrap_or_else(|cause| panic!("cannot change who may use {}: {cause}", path.display()));
}
