//! The parts of a job: where it came from, what it holds, what nobody knows, how it ended.

use crate::{
    AttemptNumber, DocumentId, Evidence, JobUuid, Language, Millis, Private, RegistrationId, Right, Timestamp, Trouble,
};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Why a job is `pending-held`. A new kind of waiting is a new reason, never a new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// Its document is still coming in.
    DocumentIncoming,
    /// Somebody must look first: more pages than the printer lets through.
    Review,
    /// An operator holds it ("job-hold-until-specified").
    Operator,
    /// Its printer held each new job when it came (Hold-New-Jobs, RFC 3998 section 3.3).
    OnCreate,
    /// Whoever sent it holds it ("job-hold-until-specified").
    Sender,
    /// It is to be released at the device with a PIN.
    PinRelease,
    /// It is not paid for.
    Payment,
    /// It is to wait until a time.
    Time,
    /// What it needs is not there yet.
    ResourcesNotReady,
}

impl HoldReason {
    /// The "job-state-reasons" keyword.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::DocumentIncoming => "job-incoming",
            Self::Review | Self::Operator | Self::OnCreate | Self::Sender | Self::Time => "job-hold-until-specified",
            Self::PinRelease => "job-password-wait",
            Self::Payment => "account-info-needed",
            Self::ResourcesNotReady => "resources-are-not-ready",
        }
    }

    /// The reason for which somebody with this right at the printer holds a job by hand.
    pub const fn by_hand(right: Right) -> Self {
        match right {
            Right::Print => Self::Sender,
            Right::Operate | Right::Own => Self::Operator,
        }
    }

    /// Whether somebody with this right at the printer may let the job go. A sender lets his own jobs go, but not
    /// one that an operator holds.
    pub const fn is_lifted_by(self, right: Right) -> bool {
        match self {
            Self::Review | Self::Sender | Self::Time => true,
            Self::Operator | Self::OnCreate => matches!(right, Right::Operate | Right::Own),
            Self::DocumentIncoming | Self::PinRelease | Self::Payment | Self::ResourcesNotReady => false,
        }
    }
}

/// Where a job came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "door", rename_all = "kebab-case")]
pub enum JobSource {
    /// A mail.
    Mail {
        /// "Message-ID", for In-Reply-To of notices.
        message_id: Option<Private<String>>,
        /// The address it was sent to, as it was written.
        recipient: Private<String>,
    },
    /// An upload by web form or `curl`.
    Upload,
    /// An IPP client.
    Ipp,
    /// The test page that is printed when a printer is added.
    TestPage,
    /// Printed again from another job.
    Reprint {
        /// That job.
        of: JobUuid,
    },
}

/// Whose job it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Originator {
    /// "job-originating-user-name": the proven sender's address, or an account's name.
    pub address: Private<String>,
    /// The registration that let it in.
    pub registration: Option<RegistrationId>,
    /// The language of notices.
    pub language: Language,
    /// Whether the address may be mailed (proven, and not an automatic mail).
    pub may_be_mailed: bool,
}

/// One document of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDocument {
    /// The stored bytes.
    pub id: DocumentId,
    /// "document-name".
    pub name: Private<String>,
    /// MIME type, as sniffed.
    pub format: String,
    /// Size in octets.
    pub octets: u64,
    /// Sides that will come out for one copy; 0 until inspected.
    pub pages: u32,
}

/// Its documents are still coming (RFC 8011 section 4.2.4: Create-Job).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Not waited for any longer: what came is printed then.
    pub until: Timestamp,
    /// How long the next document may take, in milliseconds ("multiple-operation-time-out").
    pub time_out_ms: Millis,
}

/// What somebody has to know to let the job go (PWG 5100.11, "job-password").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Argon2id of what the client sent, in the PHC form.
    pub hash: String,
    /// "job-password-encryption": how the client hashes before it sends.
    pub encryption: String,
    /// How often it was wrong.
    pub wrong: u8,
}

impl Pin {
    /// After so many wrong ones it opens nothing any more (`reliability.md` T9).
    pub const WRONG_MAX: u8 = 10;

    /// Whether it opens nothing any more.
    pub const fn is_dead(&self) -> bool {
        self.wrong >= Self::WRONG_MAX
    }
}

impl core::fmt::Debug for Pin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pin").field("encryption", &self.encryption).field("wrong", &self.wrong).finish_non_exhaustive()
    }
}

/// The prepared form of a whole job, ready for one device profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The stored bytes.
    pub id: DocumentId,
    /// MIME type: what the printer takes.
    pub format: String,
    /// Size in octets.
    pub octets: u64,
    /// Sides in it.
    pub pages: u32,
    /// The device profile's version it was made for.
    pub profile: u32,
    /// First page in it, from 1.
    pub first_page: u32,
}

/// The device would not take the job: nothing was printed, and it is tried again after a pause that doubles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// How often in a row.
    pub times: u32,
    /// When it was put back last.
    pub at: Timestamp,
    /// What the device said, in words; empty when it said nothing.
    pub why: String,
}

/// It is not known whether these pages came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The attempt it arose in.
    pub attempt: AttemptNumber,
    /// Pages up to here came out for certain (in the job's numbering).
    pub certain: u32,
    /// Pages up to here may have come out.
    pub possible: u32,
    /// What happened, in words (English).
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a person decides in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtDecision {
    /// Print again from this page on, from 1.
    PrintFrom(u32),
    /// Print all again.
    PrintAll,
    /// It all came out.
    ItIsFine,
    /// Throw it away.
    ThrowAway,
}

/// How an attempt ended, as far as the job is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// The device is in a trouble; nothing was sent.
    Blocked(Trouble),
    /// The device did not take it now.
    RefusedForNow(String),
    /// It never got going (lease ended, process died, job never arrived): no sheet.
    NeverStarted,
    /// The device aborted it and proves that no sheet came out.
    AbortedClean,
    /// It cannot be printed there at all.
    Rejected(String),
    /// Out of the machine.
    Printed(Evidence),
    /// Cancelled at the device after so many sides.
    Canceled(u32),
    /// Nobody knows.
    InDoubt {
        /// Sides that came out for certain.
        certain: u32,
        /// Sides that may have come out.
        possible: u32,
        /// What happened.
        why: String,
    },
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Printed, by this evidence.
    Printed {
        /// The evidence.
        evidence: Evidence,
    },
    /// A person cancelled it.
    Canceled {
        /// Who.
        by: Private<String>,
    },
    /// Cancelled at the device.
    CanceledAtDevice,
    /// It cannot be printed.
    Unprintable {
        /// Why, in words (English).
        why: String,
    },
    /// Retention ended.
    Expired,
    /// In doubt for too long; it may or may not have printed.
    DoubtClosed,
}
