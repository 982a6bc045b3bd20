//! What may happen to a job.

use crate::job::{AttemptEnd, Rendition};
use crate::{AttemptNumber, DoubtDecision, Fence, HoldReason, JobDocument, JobOptions, Millis, Private, Timestamp};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What may happen to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobEvent {
    /// A document is on its way: the time in which it has to come starts anew.
    Expecting,
    /// A document came; more may come.
    Received(JobDocument),
    /// All documents have come.
    Closed,
    /// Its documents were found and counted.
    Inspected {
        /// The documents to print, in order.
        documents: Vec<JobDocument>,
        /// Things to tell the sender.
        remarks: Vec<String>,
        /// More pages than the printer lets through without a click.
        review: bool,
    },
    /// Nothing in it can be printed.
    Unprintable {
        /// Why, for each part, in words.
        remarks: Vec<String>,
    },
    /// Print data was stored; `drop_source`: what it was made from is not needed any more.
    Stored {
        /// The print data.
        rendition: Rendition,
        /// Whether the source is given back.
        drop_source: bool,
    },
    /// Held for a reason.
    Hold(HoldReason),
    /// A reason is gone.
    Unhold(HoldReason),
    /// Held until then.
    HoldUntil(Timestamp),
    /// Somebody tried a wrong PIN.
    WrongPin,
    /// It is to be printed in another way, and in another turn (Set-Job-Attributes).
    Changed {
        /// How.
        options: JobOptions,
        /// "job-name".
        name: Private<String>,
        /// "job-priority".
        priority: u8,
    },
    /// One of its documents, by its place from 0, is not to be printed (Cancel-Document).
    DocumentCanceled(usize),
    /// An attempt was assigned.
    Assigned(AttemptNumber, Fence),
    /// The attempt was handed to the device.
    Handed(AttemptNumber),
    /// The device counts so many sides.
    Progress(AttemptNumber, u32),
    /// The device stopped with it.
    Stopped(AttemptNumber),
    /// The device goes on.
    Resumed(AttemptNumber),
    /// The attempt is over.
    Ended(AttemptNumber, AttemptEnd),
    /// A person cancels it.
    Cancel(Private<String>),
    /// Retention ended.
    Expire,
    /// A person decides the doubt.
    Decide(DoubtDecision),
    /// Retention was changed.
    KeepUntil(Timestamp),
    /// How often it is tried was changed, in milliseconds.
    RetryEvery(Millis),
    /// A person wants it tried now, although the device would not take it a moment ago.
    TryNow,
    /// Its data is to go: the reprint window has passed.
    DropContent,
}

impl JobEvent {
    /// The event's name in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Expecting => "expecting",
            Self::Received(_) => "received",
            Self::Closed => "closed",
            Self::Inspected { .. } => "inspected",
            Self::Unprintable { .. } => "unprintable",
            Self::Stored { .. } => "stored",
            Self::Hold(_) => "hold",
            Self::Unhold(_) => "unhold",
            Self::HoldUntil(_) => "hold-until",
            Self::WrongPin => "wrong-pin",
            Self::Changed { .. } => "changed",
            Self::DocumentCanceled(_) => "document-canceled",
            Self::Assigned(..) => "assigned",
            Self::Handed(_) => "handed",
            Self::Progress(..) => "progress",
            Self::Stopped(_) => "stopped",
            Self::Resumed(_) => "resumed",
            Self::Ended(..) => "ended",
            Self::Cancel(_) => "cancel",
            Self::Expire => "expire",
            Self::Decide(_) => "decide",
            Self::KeepUntil(_) => "keep-until",
            Self::RetryEvery(_) => "retry-every",
            Self::TryNow => "try-now",
            Self::DropContent => "drop-content",
        }
    }
}
