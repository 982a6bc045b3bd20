//! History: what happened to a record, kept beside it and shown to people.

use crate::{AttemptNumber, JobUuid, OwnerId, PrinterUuid, Timestamp};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// One line of history. Rows are the truth; history is shown, and IPP notifications derive from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Whose it is.
    pub owner: OwnerId,
    /// The printer concerned.
    pub printer: Option<PrinterUuid>,
    /// The job concerned.
    pub job: Option<JobUuid>,
    /// The attempt concerned.
    pub attempt: Option<AttemptNumber>,
    /// What happened.
    pub kind: HistoryKind,
    /// When.
    pub at: Timestamp,
}

/// What happened. Unknown kinds of a later version are kept and shown as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HistoryKind {
    /// The job came in.
    Received {
        /// Which door: `smtp`, `web`, `test-page`.
        door: String,
    },
    /// The job moved to a state ("job-state" keyword).
    JobState {
        /// The new state's keyword.
        state: String,
        /// Why, in words for people (English).
        why: String,
    },
    /// An attempt moved.
    AttemptState {
        /// The new state's name.
        state: String,
        /// More, in words.
        why: String,
    },
    /// Pages came out.
    Progress {
        /// Sides completed so far.
        impressions: u32,
    },
    /// The printer's condition changed.
    Condition {
        /// "printer-state" keyword.
        state: String,
        /// "printer-state-reasons", joined by a comma.
        reasons: String,
        /// Whether the printer said so by itself (a report) or when asked (an answer).
        reported: bool,
    },
    /// A person or a command changed something.
    Changed {
        /// What.
        what: String,
        /// Who.
        by: String,
    },
    /// The sender was told.
    Told {
        /// About what.
        about: String,
        /// How: `mail`, `folder`, `console`.
        how: String,
    },
    /// The same mail came again and was recognised.
    Duplicate,
    /// Anything a later version wrote.
    #[serde(other)]
    Unknown,
}
