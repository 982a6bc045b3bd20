//! Notices as files, where no mail leaves.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::{Mail, SendError};

/// How long notices are kept as files: as long as history.
const KEPT: Duration = Duration::from_millis(tympan_engine::retain::HISTORY_MS);

/// Removes notices that have been there for longer than history is kept. What cannot be removed is tried another time.
pub(super) async fn sweep(folder: &Path) {
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else {
        return;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let written = entry.metadata().await.ok().and_then(|data| data.modified().ok());
        let is_notice = entry.path().extension().is_some_and(|extension| extension == "eml");
        if is_notice && written.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > KEPT) {
            let _ = tokio::fs::remove_file(entry.path()).await;
        }
    }
}

/// Writes `<id>.eml`, whole or not at all; the same notice again replaces its file.
pub(super) async fn write(folder: &Path, mail: &Mail, octets: &[u8]) -> Result<(), SendError> {
    let name = format!("{}.eml", mail.id);
    let part = folder.join(format!(".{name}.part"));
    let written = async {
        tokio::fs::create_dir_all(folder).await?;
        let mut file =
            tokio::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).await?;
        file.write_all(octets).await?;
        file.flush().await?;
        file.sync_all().await?;
        tokio::fs::rename(&part, folder.join(name)).await
    };
    written.await.map_err(|error: io::Error| SendError {
        is_temporary: true,
        why: format!("it could not be written to {}: {error}", folder.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[tokio::test]
    async fn old_notices_go_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age: Duration| {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        make("old.eml", KEPT + Duration::from_secs(60));
        make("old.txt", KEPT + Duration::from_secs(60));
        make("new.eml", KEPT - Duration::from_secs(60));
        sweep(folder.path()).await;
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["new.eml", "old.txt"]);
        sweep(&folder.path().join("none")).await;
    }
}
