//! "job-password": the job waits until somebody says it (PWG 5100.11 section 5.5).

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;
use tympan_ipp::{Attribute, Message, StatusCode, Value};

use super::refused::Refused;
use crate::network::source_of;
use crate::rates::Rates;

/// "job-password-encryption-supported": how a client may hash before it sends, and how many octets come then.
pub(super) const ENCRYPTIONS: [(&str, Option<usize>); 4] =
    [("none", None), ("sha2-256", Some(32)), ("sha2-384", Some(48)), ("sha2-512", Some(64))];

/// "job-password-supported": octets of a password that is not hashed.
pub(super) const OCTETS_MAX: usize = 255;
/// "job-password-length-supported": characters, from.
pub(super) const CHARS_MIN: usize = 4;

/// "job-release-action-supported".
pub(super) const RELEASE_ACTIONS: [&str; 2] = ["none", "job-password"];

/// A PIN as it came.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) octets: Vec<u8>,
    pub(super) encryption: String,
}

/// Wrong PINs of a source in an hour (`reliability.md` T9).
const WRONG_AN_HOUR: u32 = 20;

/// Counts wrong PINs by source.
pub(super) struct Tries(Rates<IpAddr>);

impl Default for Tries {
    fn default() -> Self {
        Self(Rates::new(WRONG_AN_HOUR, Duration::from_secs(3600)))
    }
}

impl Tries {
    pub(super) fn has_room(&self, from: IpAddr) -> bool {
        self.0.has_room(&source_of(from), Instant::now())
    }

    pub(super) fn take(&self, from: IpAddr) {
        self.0.take(source_of(from), Instant::now());
    }
}

/// Reads the PIN of a request, if there is one. `is_safe`: nobody listens on the line.
pub(super) fn asked(message: &Message, is_safe: bool) -> Result<Option<Asked>, Refused> {
    let password = message.operation_attribute("job-password");
    let encryption = message.operation_attribute("job-password-encryption");
    let action = message.operation_attribute("job-release-action");
    let action = match action {
        None => None,
        Some(action) => match action.string() {
            Some(word) if RELEASE_ACTIONS.contains(&word) => Some(word),
            _ => return Err(Refused::value(action.clone())),
        },
    };
    let (password, encryption) = match (password, encryption) {
        (None, None) if action == Some("job-password") => {
            return Err(Refused::bad("A job that is released with a password needs \"job-password\"."));
        }
        (None, None) => return Ok(None),
        (Some(_), _) if action == Some("none") => {
            return Err(Refused::bad("\"job-password\" and \"job-release-action\" contradict each other."));
        }
        (Some(password), Some(encryption)) => (password, encryption),
        _ => return Err(Refused::bad("\"job-password\" and \"job-password-encryption\" come together.")),
    };
    let said = encryption.string().unwrap_or_default();
    let Some((keyword, octets)) = ENCRYPTIONS.iter().find(|(keyword, _)| *keyword == said) else {
        let text = format!("PINs come as {}.", ENCRYPTIONS.map(|(keyword, _)| keyword).join(", "));
        return Err(Refused::new(StatusCode::ClientErrorBadRequest, text).with_unsupported(vec![encryption.clone()]));
    };
    if *keyword == "none" && !is_safe {
        return Err(Refused::bad("A PIN goes through ipps only; please use the ipps address."));
    }
    // Its value is never told again, not even to say that it is wrong.
    let wrong = |text: &str| {
        let unsupported = vec![Attribute::new("job-password", Value::Unsupported)];
        Refused::new(StatusCode::ClientErrorBadRequest, text).with_unsupported(unsupported)
    };
    let given = password.octet_string().ok_or_else(|| wrong("\"job-password\" is no octetString."))?;
    match octets {
        Some(octets) if given.len() != *octets => return Err(wrong("The hashed PIN has another length.")),
        None if given.len() > OCTETS_MAX || given.len() < CHARS_MIN => {
            return Err(wrong("A PIN has at least 4 characters, and at most 255 octets."));
        }
        _ => {}
    }
    Ok(Some(Asked { octets: given.to_vec(), encryption: (*keyword).to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_ipp::Operation;

    fn request(password: Option<&[u8]>, encryption: Option<&str>, action: Option<&str>) -> Message {
        let mut request = Message::request(Operation::PrintJob, 1, "ipp://h/ipp/print/office");
        if let Some(password) = password {
            request = request.operation("job-password", Value::octet_string(password));
        }
        if let Some(encryption) = encryption {
            request = request.operation("job-password-encryption", Value::keyword(encryption));
        }
        if let Some(action) = action {
            request = request.operation("job-release-action", Value::keyword(action));
        }
        request
    }

    #[test]
    fn a_pin_comes_with_how_it_was_hashed_and_over_a_safe_line() {
        let taken = |password, encryption, action, safe| asked(&request(password, encryption, action), safe);
        assert!(taken(None, None, None, false).unwrap().is_none());
        let pin = taken(Some(b"1234"), Some("none"), None, true).unwrap().unwrap();
        assert_eq!((pin.octets.as_slice(), pin.encryption.as_str()), (&b"1234"[..], "none"));
        assert!(taken(Some(&[7; 32]), Some("sha2-256"), Some("job-password"), false).unwrap().is_some());
        for (password, encryption, action, safe) in [
            (Some(&b"1234"[..]), Some("none"), None, false),
            (Some(b"1234"), None, None, true),
            (None, Some("none"), None, true),
            (None, None, Some("job-password"), true),
            (Some(b"1234"), Some("none"), Some("none"), true),
            (Some(b"123"), Some("none"), None, true),
            (Some(b"1234"), Some("md5"), None, true),
            (Some(b"1234"), Some("sha2-256"), None, true),
        ] {
            let refused = taken(password, encryption, action, safe).unwrap_err();
            assert_eq!(refused.status, StatusCode::ClientErrorBadRequest, "{encryption:?} {action:?}");
        }
        let refused = taken(None, None, Some("button-press"), true).unwrap_err();
        assert_eq!(refused.status, StatusCode::ClientErrorAttributesOrValuesNotSupported);
    }
}
