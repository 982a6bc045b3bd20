//! A folder: each job becomes one file in it, whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tympan_engine::{Condition, DeviceProfile, DeviceRef, Printer, Reachability, ShortId};
use tympan_ipp::JobState;

use super::{
    Answer, Answered, Canceling, Created, Document, Found, JobStatus, Later, Output, Sent, Status, Ticket, formats_of,
};

/// The longest file name made here, in octets, without its ending.
const NAME_OCTETS_MAX: usize = 120;

/// The output into folders.
#[derive(Clone, Copy, Debug, Default)]
pub struct FolderOutput;

/// The folder of `folder:/path[?format=..]`.
fn path_of(device: &str) -> Option<PathBuf> {
    let path = device.strip_prefix("folder:")?.split('?').next()?;
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// `7K3M22QD-invoice.pdf`: what a document calls itself never leaves the folder or hides in it.
fn file_name(ticket: &Ticket) -> String {
    let mut name = String::new();
    for c in ticket.name.trim_end_matches(".pdf").chars() {
        let c = if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') { c } else { '_' };
        if name.len() + c.len_utf8() > NAME_OCTETS_MAX {
            break;
        }
        name.push(c);
    }
    let ending = match ticket.format.as_str() {
        "application/pdf" => "pdf",
        "image/pwg-raster" => "pwg",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        _ => "bin",
    };
    match name.trim_matches(['.', ' ']) {
        "" => format!("{}.{ending}", ticket.short),
        name => format!("{}-{name}.{ending}", ticket.short),
    }
}

async fn write(folder: &Path, ticket: &Ticket, mut document: Document) -> io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let part = folder.join(format!(".{}.part", ticket.short));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&part).await?;
    let octets = tokio::io::copy(&mut document.reader, &mut file).await?;
    if octets != document.octets {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the document is shorter than it should be"));
    }
    file.flush().await?;
    file.sync_all().await?;
    tokio::fs::rename(&part, folder.join(file_name(ticket))).await?;
    // The name is durable only when the folder is.
    File::open(folder).await?.sync_all().await
}

/// The job's file: a file under its name is whole, because it got its name last.
async fn find(printer: &Printer, short: ShortId) -> io::Result<Option<String>> {
    let Some(folder) = path_of(&printer.device) else {
        return Ok(None);
    };
    let short = short.to_string();
    let mut entries = match tokio::fs::read_dir(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    while let Some(entry) = entries.next_entry().await? {
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with(&short) => return Ok(Some(name)),
            _ => {}
        }
    }
    Ok(None)
}

impl Output for FolderOutput {
    fn ask<'a>(&'a self, printer: &'a Printer) -> Later<'a, Answer> {
        Box::pin(async move {
            let Some(folder) = path_of(&printer.device) else {
                return Answer::Faulty(format!("`{}` is not folder:/absolute/path", printer.device));
            };
            if let Err(error) = tokio::fs::create_dir_all(&folder).await {
                return Answer::Faulty(format!("The folder cannot be used: {error}."));
            }
            let formats = formats_of(&printer.device);
            let profile = match formats.is_empty() {
                true => DeviceProfile::assumed(&["application/pdf", "image/jpeg"]),
                false => DeviceProfile::assumed(&formats),
            };
            Answer::Answered(Box::new(Answered {
                condition: Condition { reachability: Reachability::Answering, ..Condition::default() },
                profile: Some(profile),
                up_time_secs: None,
                fingerprint: None,
            }))
        })
    }

    fn create_job<'a>(&'a self, _: &'a Printer, _: &'a Ticket) -> Later<'a, Created> {
        Box::pin(async { Created::NotNeeded })
    }

    fn send_document<'a>(
        &'a self,
        printer: &'a Printer,
        _: Option<&'a DeviceRef>,
        ticket: &'a Ticket,
        document: Document,
    ) -> Later<'a, Sent> {
        Box::pin(async move {
            let Some(folder) = path_of(&printer.device) else {
                return Sent::Refused { for_now: false, why: "no folder".into(), octets: 0 };
            };
            match write(&folder, ticket, document).await {
                Ok(()) => Sent::Finished,
                // The file has its name only when it is whole, so nothing came out.
                Err(error) => Sent::Broken { octets: 0, why: format!("the file could not be written: {error}") },
            }
        })
    }

    fn status<'a>(&'a self, printer: &'a Printer, _: &'a DeviceRef, short: ShortId) -> Later<'a, Status> {
        Box::pin(async move {
            match find(printer, short).await {
                Ok(Some(_)) => Status::Job(JobStatus {
                    state: JobState::Completed,
                    reasons: Vec::new(),
                    impressions: None,
                    sheets: None,
                }),
                Ok(None) => Status::Unknown,
                Err(error) => Status::Silent(error.to_string()),
            }
        })
    }

    fn find<'a>(&'a self, printer: &'a Printer, short: ShortId) -> Later<'a, Found> {
        Box::pin(async move {
            match find(printer, short).await {
                Ok(Some(name)) => Found::Job(DeviceRef { job_uri: name, ..DeviceRef::default() }),
                Ok(None) => Found::NeverArrived,
                Err(error) => Found::Silent(error.to_string()),
            }
        })
    }

    fn cancel<'a>(&'a self, _: &'a Printer, _: &'a DeviceRef) -> Later<'a, Canceling> {
        Box::pin(async { Canceling::NotPossible("a file is written at once".into()) })
    }

    fn can_confirm(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(name: &str, format: &str) -> Ticket {
        Ticket {
            short: ShortId(*b"7K3M22QD"),
            name: name.into(),
            format: format.into(),
            octets: 5,
            copies: None,
            sides: None,
            color: None,
            media: None,
            extras: Default::default(),
            page_ranges: Vec::new(),
            up_time_secs: None,
        }
    }

    #[test]
    fn a_files_name_stays_in_its_folder() {
        let name = |name: &str| file_name(&ticket(name, "application/pdf"));
        assert_eq!(name("invoice.pdf"), "7K3M22QD-invoice.pdf");
        assert_eq!(name("../../etc/passwd"), "7K3M22QD-_.._etc_passwd.pdf");
        assert_eq!(name(".."), "7K3M22QD.pdf");
        assert_eq!(name("a\0b\n\u{202e}c"), "7K3M22QD-a_b__c.pdf");
        assert_eq!(name("請求書"), "7K3M22QD-請求書.pdf");
        assert!(name(&"語".repeat(400)).len() < 140);
        assert_eq!(file_name(&ticket("x", "image/pwg-raster")), "7K3M22QD-x.pwg");
    }

    #[tokio::test]
    async fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let device = format!("folder:{}", folder.path().display());
        let printer = Printer::new(
            tympan_engine::OwnerId::FIRST,
            tympan_engine::PrinterUuid([1; 16]),
            "f",
            &device,
            Default::default(),
        );
        let ticket = ticket("x", "application/pdf");
        let short = Document { octets: 5, reader: Box::new(&b"%PD"[..]) };
        let sent = FolderOutput.send_document(&printer, None, &ticket, short).await;
        assert!(matches!(sent, Sent::Broken { octets: 0, .. }), "{sent:?}");
        assert_eq!(FolderOutput.find(&printer, ticket.short).await, Found::NeverArrived);
        let whole = Document { octets: 5, reader: Box::new(&b"%PDF-"[..]) };
        assert_eq!(FolderOutput.send_document(&printer, None, &ticket, whole).await, Sent::Finished);
        assert_eq!(std::fs::read(folder.path().join("7K3M22QD-x.pdf")).unwrap(), b"%PDF-");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
