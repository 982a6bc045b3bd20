//! Notices as files, where no mail leaves.

use std::io;
use std::path::Path;

use tokio::io::AsyncWriteExt;

use super::{Mail, SendError};

/// Writes `<date>-<id>.eml`, whole or not at all; the same notice again replaces its file.
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
