//! Why not: what a door answers when the engine says no.

use serde::{Deserialize, Serialize};

/// Why an event was refused. The record is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The job has ended; nothing moves it any more (RFC 8011 section 5.3.7).
    #[error("the job has already ended")]
    JobEnded,
    /// The job is being printed and can no longer be held.
    #[error("the job is already being printed")]
    Printing,
    /// The event belongs to an attempt that is not the current one.
    #[error("that belongs to an older attempt")]
    Stale,
    /// There is no doubt to decide.
    #[error("there is nothing to decide about this job")]
    NoDoubt,
    /// The doubt must be decided first.
    #[error("decide first whether it printed")]
    InDoubt,
    /// A page was named that the job does not have.
    #[error("the job has no such page")]
    NoSuchPage,
    /// The data was deleted: the job cannot be printed again.
    #[error("its data has been deleted")]
    ContentDeleted,
    /// Only the print data of another printer is left, and this one cannot take it.
    #[error("only the data made for its own printer is left, which that printer does not take")]
    MadeForAnother,
    /// A document was named that the job does not have.
    #[error("the job has no such document")]
    NoSuchDocument,
    /// More documents than a job may have.
    #[error("a job has at most 20 documents; please send the others as another job")]
    TooManyDocuments,
    /// The job is not complete enough for that.
    #[error("the job is still being prepared")]
    NotReady,
    /// A cancel is already under way.
    #[error("it is already being cancelled")]
    AlreadyCanceling,
    /// As many jobs of this sender wait as may (`reliability.md` section 6: queue).
    #[error("as many of your jobs wait as may; cancel some, or send again when they have printed")]
    QueueFull,
    /// The record is not in a state in which that can happen.
    #[error("that cannot happen now")]
    NotPossible,
}
