//! Printers are added, described and removed.

use crate::{Spooler, SpoolerError};
use tympan_engine::{OwnerId, Printer, PrinterPolicy, PrinterUuid};
use tympan_store::{Change, Whose};

/// A printer to be added.
#[derive(Clone, Debug, Default)]
pub struct NewPrinter {
    /// "printer-name": the local part of its mail address.
    pub name: String,
    /// What people read; empty: the name.
    pub info: String,
    /// Where the device is: `ipp://…`, `ipps://…`, `socket://host[:9100]`, `folder:/path`.
    pub device: String,
    /// How it behaves.
    pub policy: PrinterPolicy,
    /// SHA-256 of the device's certificate, where it is to be pinned.
    pub device_fingerprint: Option<[u8; 32]>,
}

/// Checks a printer's name.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_name(name: &str) -> Result<String, SpoolerError> {
    let name = name.to_ascii_lowercase();
    let good = !name.is_empty()
        && name.len() <= 63
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && !name.ends_with('.');
    if !good {
        return Err(SpoolerError::Invalid(format!(
            "`{name}` cannot be a printer's name: use 1 to 63 letters, digits, `-`, `_` or `.`, starting with a letter or digit"
        )));
    }
    if matches!(name.as_str(), "postmaster" | "mailer-daemon" | "abuse" | "tympan" | "register") {
        return Err(SpoolerError::Invalid(format!(
            "`{name}` is an address with a meaning of its own; choose another name"
        )));
    }
    Ok(name)
}

/// Checks a device URI.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_device(device: &str) -> Result<(), SpoolerError> {
    let known = ["ipp://", "ipps://", "socket://"]
        .iter()
        .any(|scheme| device.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')));
    let folder = device.strip_prefix("folder:").is_some_and(|path| path.starts_with('/'));
    if known || folder {
        return Ok(());
    }
    Err(SpoolerError::Invalid(format!(
        "`{device}` is no device: use ipp://host[:port]/path, ipps://host[:port]/path, socket://host[:port] or folder:/absolute/path"
    )))
}

impl Spooler {
    /// Adds a printer. It is asked what it can do before its first job, or by whoever adds it.
    ///
    /// # Errors
    /// [`SpoolerError::Exists`] for a name that is taken, [`SpoolerError::Invalid`] with a sentence.
    pub async fn add_printer(&self, owner: OwnerId, new: NewPrinter) -> Result<Printer, SpoolerError> {
        let name = check_name(&new.name)?;
        check_device(&new.device)?;
        let now = self.now();
        let uuid = PrinterUuid::from_parts(now, self.random());
        let mut printer = Printer::new(owner, uuid, &name, &new.device, now);
        if !new.info.is_empty() {
            printer.info = new.info;
        }
        printer.policy = new.policy;
        printer.device_fingerprint = new.device_fingerprint;
        let change = Change { put: vec![(printer.clone().into(), 0)], ..Change::default() };
        self.inner.records.commit(change).await?;
        let _ = self.inner.changed.send(crate::Changed { owner, printer: Some(uuid), job: None });
        Ok(printer)
    }

    /// Finds a printer by name, short of its domain.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`], or the store's failure.
    pub async fn printer_named(&self, whose: Whose, name: &str) -> Result<Printer, SpoolerError> {
        let name = name.to_ascii_lowercase();
        let found = self.inner.records.printer_by_name(whose, &name).await?;
        found.map(|row| row.record).ok_or(SpoolerError::NotFound("printer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printers_name_is_the_local_part_of_an_address() {
        for good in ["office", "Office-2", "a", "lobby_3.north"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "a@b", "a+register", "a..b", "a.", "büro", "postmaster", &"a".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_device_says_how_it_is_reached() {
        for good in ["ipp://192.0.2.1/ipp/print", "ipps://h/x", "socket://h:9100", "folder:/srv/out"] {
            assert!(check_device(good).is_ok(), "{good}");
        }
        for bad in ["", "192.0.2.1", "http://h/", "folder:out", "ipp://", "ipp:///x"] {
            assert!(check_device(bad).is_err(), "{bad}");
        }
    }
}
