//! The place of the render workers for a program that has none: a simulated world.

use tympan_engine::{DocumentId, Job, JobDocument};
use tympan_render::RefusalKind;
use tympan_spooler::Spooler;
use tympan_store::NewDocument;

use crate::output::Later;
use crate::prepare::Plan;

/// What was found in what was received.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// The documents to print, in order.
    pub documents: Vec<JobDocument>,
    /// Those among them that are not stored yet.
    pub new: Vec<NewDocument>,
    /// Things to tell the sender.
    pub remarks: Vec<String>,
}

/// Why nothing was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The document is to blame.
    Refused(RefusalKind),
    /// Another try may help; a sentence.
    Temporary(String),
}

/// Does what render workers do.
pub trait Workshop: std::fmt::Debug + Send + Sync + 'static {
    /// Finds the documents in what was received, and counts their pages.
    fn inspect<'a>(
        &'a self,
        spooler: &'a Spooler,
        job: &'a Job,
        received: &'a JobDocument,
    ) -> Later<'a, Result<Looked, Failed>>;

    /// Makes the data of a plan under a new id. It is not committed yet.
    fn draw<'a>(
        &'a self,
        spooler: &'a Spooler,
        job: &'a Job,
        plan: &'a Plan,
        id: DocumentId,
    ) -> Later<'a, Result<NewDocument, Failed>>;
}
