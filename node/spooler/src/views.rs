//! What people are shown: a job or a printer with all that explains it.

use crate::{Spooler, SpoolerError};
use tympan_engine::hold::{self, Hindrance};
use tympan_engine::{Attempt, History, Job, JobUuid, Printer, Registration, ShortId, Timestamp, assign};
use tympan_store::{JobFilter, JobStates, Key, Record, Waiting, Whose};

/// A job with all that explains it.
#[derive(Clone, Debug)]
pub struct JobView {
    /// The job.
    pub job: Job,
    /// Its printer.
    pub printer: Printer,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// What happened, oldest first.
    pub history: Vec<History>,
    /// What hinders it.
    pub hindrance: Hindrance,
    /// When it is tried again, where that is known.
    pub next_try_at: Option<Timestamp>,
    /// The registration that let it in.
    pub registration: Option<Registration>,
}

/// A printer with what waits at it.
#[derive(Clone, Debug)]
pub struct PrinterView {
    /// The printer.
    pub printer: Printer,
    /// What waits.
    pub waiting: Waiting,
}

impl Spooler {
    /// Finds a job by what people type: short id, job-uuid, or `printer/job-id`.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`], or the store's failure.
    pub async fn find_job(&self, whose: Whose, text: &str) -> Result<Job, SpoolerError> {
        let text = text.trim();
        if let Some(short) = ShortId::parse(text) {
            let found = self.inner.records.jobs_by_short_id(whose, short).await?;
            if let Some(row) = found.into_iter().next() {
                return Ok(row.record);
            }
        }
        if let Some(uuid) = JobUuid::parse(text) {
            return self.job(whose, uuid).await;
        }
        if let Some((printer, id)) = text.rsplit_once(['/', '-'])
            && let (Ok(printer), Ok(id)) = (self.printer_named(whose, printer).await, id.parse())
        {
            let found = self.inner.records.job_by_id(whose, printer.uuid, tympan_engine::JobId(id)).await?;
            if let Some(row) = found {
                return Ok(row.record);
            }
        }
        Err(SpoolerError::NotFound("job"))
    }

    /// A job with all that explains it.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`], or the store's failure.
    pub async fn job_view(&self, whose: Whose, uuid: JobUuid) -> Result<JobView, SpoolerError> {
        let job = self.job(whose, uuid).await?;
        let whose = Whose::Owner(job.owner);
        let records = &self.inner.records;
        let printer = self.printer(whose, job.printer).await?;
        let registration = match job.originator.registration {
            Some(id) => {
                match records.read(whose, &[Key::Registration(id)]).await?.pop().flatten().map(|row| row.record) {
                    Some(Record::Registration(registration)) => Some(registration),
                    _ => None,
                }
            }
            None => None,
        };
        let hindrance = hold::hindrance(&job, &printer);
        let next_try_at = match &hindrance {
            Hindrance::Trouble(_) | Hindrance::PutBack if job.is_waiting() && !printer.paused => {
                Some(assign::due_at(&printer, &job))
            }
            _ => None,
        };
        Ok(JobView {
            attempts: records.attempts_of(whose, uuid).await?,
            history: records.history_of_job(whose, uuid).await?,
            hindrance,
            next_try_at,
            registration,
            printer,
            job,
        })
    }

    /// All printers with what waits at each.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn printer_views(&self, whose: Whose) -> Result<Vec<PrinterView>, SpoolerError> {
        let mut views = Vec::new();
        for row in self.inner.records.printers(whose).await? {
            let waiting = self.inner.records.waiting(whose, row.record.uuid).await?;
            views.push(PrinterView { printer: row.record, waiting });
        }
        Ok(views)
    }

    /// The jobs of one sender that wait at one printer, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn waiting_of(&self, printer: &Printer, address: &str, limit: usize) -> Result<Vec<Job>, SpoolerError> {
        let filter = JobFilter {
            printer: Some(printer.uuid),
            originator: Some(address.to_owned()),
            states: JobStates::NotCompleted,
            before: None,
            limit,
        };
        let mut jobs = self.inner.records.jobs(Whose::Owner(printer.owner), &filter).await?;
        jobs.reverse();
        Ok(jobs)
    }
}
