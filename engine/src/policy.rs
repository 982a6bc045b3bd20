//! How a printer behaves towards its jobs.

use crate::time::{HOUR, SECOND};
use crate::{JobOptions, Millis};
use serde::{Deserialize, Serialize};

/// Who may register at a printer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everybody: a registration is in force at once.
    Open,
    /// Everybody may ask; the owner approves. The default.
    #[default]
    Approve,
    /// Only the owner makes registrations.
    Invite,
}

/// What happens when it is not known whether a job printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtPolicy {
    /// A person is asked. The default.
    #[default]
    Ask,
    /// Printed again, with a mark on the paper.
    Reprint,
    /// Dropped, and said so.
    Drop,
}

/// In which form a waiting job is stored (A09).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredForm {
    /// As it was received. The default.
    #[default]
    Mail,
    /// As the data the printer takes.
    PrintData,
    /// Whichever is smaller, compressed.
    Smallest,
}

/// How a printer behaves towards its jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrinterPolicy {
    /// Who may register.
    pub access: Access,
    /// What happens in doubt.
    pub doubt: DoubtPolicy,
    /// The stored form of a waiting job.
    pub stored_form: StoredForm,
    /// How jobs are printed where they do not say.
    pub options: JobOptions,
    /// How long a waiting job is kept, in milliseconds. Default three days.
    pub retention_ms: Millis,
    /// How often a waiting job is tried again, in milliseconds. Default five minutes.
    pub retry_interval_ms: Millis,
    /// Whether a changed retention reaches jobs that already wait. Default yes.
    pub retention_follows: bool,
    /// How long the device may take to answer before it counts as off, in milliseconds. Default 5 s.
    pub time_out_ms: Millis,
    /// Jobs of more pages wait for a click in the receipt. Default 50.
    pub review_pages: u32,
    /// How long the data of a printed job is kept for a reprint, in milliseconds. Default 0: deleted at once.
    pub reprint_window_ms: Millis,
    /// How long a doubt waits for a decision before it is closed, in milliseconds. Default 24 h.
    pub doubt_ms: Millis,
}

impl Default for PrinterPolicy {
    fn default() -> Self {
        Self {
            access: Access::default(),
            doubt: DoubtPolicy::default(),
            stored_form: StoredForm::default(),
            options: JobOptions::default(),
            retention_ms: crate::registration::RETENTION_DEFAULT,
            retry_interval_ms: crate::registration::RETRY_INTERVAL_DEFAULT,
            retention_follows: true,
            time_out_ms: 5 * SECOND,
            review_pages: 50,
            reprint_window_ms: 0,
            doubt_ms: 24 * HOUR,
        }
    }
}
