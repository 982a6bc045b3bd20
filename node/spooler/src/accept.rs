//! A job comes in: rows and document in one commit, and only then is it acknowledged.

use crate::change::Gathered;
use crate::{Spooler, SpoolerError};
use std::collections::BTreeSet;
use tympan_engine::admit;
use tympan_engine::retain;
use tympan_engine::{
    DeviceProfile, DocumentId, Effect, Fence, HistoryKind, HoldReason, Incoming, Job, JobDocument, JobEvent, JobId,
    JobOptions, JobSource, JobUuid, Originator, Outcome, OwnerId, Pin, Printer, PrinterUuid, Private, Refusal,
    Registration, Right, ShortId, Timestamp,
};
use tympan_ipp::JobState;
use tympan_store::{Key, NewDocument, Received, Record, StoreError, Whose};

/// One printer that gets a job out of what was received.
#[derive(Clone, Debug)]
pub struct Target {
    /// The printer.
    pub printer: Printer,
    /// The registration that lets it in.
    pub registration: Option<Registration>,
    /// Where it came from.
    pub source: JobSource,
    /// What recognises a repetition: SHA-256 over recipient, Message-ID and body.
    pub duplicate_key: Option<[u8; 32]>,
}

/// What was received.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who gets a job.
    pub targets: Vec<Target>,
    /// "job-name".
    pub name: Private<String>,
    /// Whose job it is; its registration is filled in per target.
    pub originator: Originator,
    /// What the sender asked for.
    pub options: JobOptions,
    /// "job-priority", 1 to 100; usually 50.
    pub priority: u8,
    /// What arrived; without it the job's documents are still to come (Create-Job).
    pub document: Option<Submitted>,
    /// Things to tell the sender (unknown words in the subject).
    pub remarks: Vec<String>,
    /// Held from the start.
    pub holds: BTreeSet<HoldReason>,
    /// When it is let go by itself, with [`HoldReason::Time`] among the holds.
    pub release_at: Option<Timestamp>,
    /// What somebody has to know to let it go, with [`HoldReason::PinRelease`] among the holds.
    pub pin: Option<Pin>,
}

/// A document that arrived.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Where it is stored, sealed or inline; its `refs` are filled in when the job is accepted.
    pub document: NewDocument,
    /// Its MIME type: `message/rfc822` or the document's own.
    pub format: String,
    /// Its name.
    pub name: Private<String>,
}

impl Submitted {
    /// The document of a job, before anybody has looked into it.
    pub fn as_job_document(&self) -> JobDocument {
        JobDocument {
            id: self.document.id,
            name: self.name.clone(),
            format: self.format.clone(),
            octets: self.document.octets,
            pages: 0,
        }
    }
}

/// A job that is safe on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The job.
    pub job: JobUuid,
    /// What people see for it.
    pub short: ShortId,
    /// Its "job-id" at the printer.
    pub id: JobId,
    /// The printer.
    pub printer: PrinterUuid,
    /// It had been accepted before; nothing new is printed.
    pub duplicate: bool,
}

impl Spooler {
    /// Takes what was received: one job a target, all in one commit. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`SpoolerError::Full`] when there is no room, [`Refusal::QueueFull`] when too many jobs of its sender wait, or
    /// the store's failure; nothing is stored then.
    pub async fn accept(&self, submission: Submission) -> Result<Vec<Accepted>, SpoolerError> {
        self.crash_point("C2").await;
        loop {
            match self.try_accept(&submission).await {
                Err(SpoolerError::Store(StoreError::Conflict(_))) => tokio::task::yield_now().await,
                Ok(accepted) => {
                    self.crash_point("C3").await;
                    return Ok(accepted);
                }
                Err(other) => return Err(other),
            }
        }
    }

    async fn try_accept(&self, submission: &Submission) -> Result<Vec<Accepted>, SpoolerError> {
        let now = self.now();
        self.has_room_for(submission).await?;
        let mut gathered = Gathered::new(now);
        let mut accepted = Vec::with_capacity(submission.targets.len());
        let mut new_jobs = 0;
        for target in &submission.targets {
            if let Some(key) = target.duplicate_key
                && let Some(before) = self.received(key).await?
            {
                let kind = HistoryKind::Duplicate;
                let printer = target.printer.uuid;
                gathered.history(target.printer.owner, Some(printer), Some(before.uuid), None, kind);
                accepted.push(Accepted {
                    job: before.uuid,
                    short: before.short(),
                    id: before.id,
                    printer,
                    duplicate: true,
                });
                continue;
            }
            let job = self.new_job(submission, target).await?;
            let door = match &target.source {
                JobSource::Mail { .. } => "smtp",
                JobSource::Upload => "web",
                JobSource::Ipp => "ipp",
                JobSource::TestPage => "test-page",
                JobSource::Reprint { .. } => "reprint",
            };
            gathered.history(
                job.owner,
                Some(job.printer),
                Some(job.uuid),
                None,
                HistoryKind::Received { door: door.into() },
            );
            if let Some(key) = target.duplicate_key {
                let received =
                    Received { owner: job.owner, key, job: job.uuid, expires_at: now + self.inner.options.received_ms };
                gathered.change.put.push((Record::Received(received), 0));
            }
            if submission.document.is_some() {
                gathered.effects(vec![Effect::Inspect { job: job.uuid }], 0);
            }
            accepted.push(Accepted {
                job: job.uuid,
                short: job.short(),
                id: job.id,
                printer: job.printer,
                duplicate: false,
            });
            gathered.put_job(None, job, 0, String::new());
            new_jobs += 1;
        }
        if let (true, Some(submitted)) = (new_jobs > 0, &submission.document) {
            gathered.change.documents.push(NewDocument { refs: new_jobs, ..submitted.document.clone() });
        }
        self.inner.rush.came(new_jobs, now);
        self.commit(gathered).await?;
        Ok(accepted)
    }

    async fn has_room_for(&self, submission: &Submission) -> Result<(), SpoolerError> {
        let most = self.inner.options.jobs_per_sender_max;
        let (false, Some(target)) = (most == 0, submission.targets.first()) else {
            return Ok(());
        };
        let whose = Whose::Owner(target.printer.owner);
        let waiting = self.inner.records.open_jobs_of(whose, &submission.originator.address, most).await?;
        Ok(admit::has_room(waiting, submission.targets.len() as u64, most)?)
    }

    /// The job that a repeated mail became before, if any.
    async fn received(&self, key: [u8; 32]) -> Result<Option<Job>, SpoolerError> {
        let rows = self.inner.records.read(Whose::Everyones, &[Key::Received(key)]).await?;
        let Some(Record::Received(received)) = rows.into_iter().flatten().next().map(|row| row.record) else {
            return Ok(None);
        };
        match self.job(Whose::Everyones, received.job).await {
            Ok(job) => Ok(Some(job)),
            Err(SpoolerError::NotFound(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn new_job(&self, submission: &Submission, target: &Target) -> Result<Job, SpoolerError> {
        let now = self.now();
        let printer = &target.printer;
        let registration = target.registration.as_ref();
        let defaults = printer.policy.options.clone();
        let options = match registration {
            Some(registration) => submission.options.clone().or(&registration.options).or(&defaults),
            None => submission.options.clone().or(&defaults),
        };
        let incoming = match submission.document {
            Some(_) => None,
            None => {
                let time_out_ms = self.inner.options.documents_time_out_ms;
                Some(Incoming { until: now + time_out_ms, time_out_ms })
            }
        };
        let mut holds = submission.holds.clone();
        if incoming.is_some() {
            holds.insert(HoldReason::DocumentIncoming);
        }
        if printer.holds_new {
            holds.insert(HoldReason::OnCreate);
        }
        let originator = Originator {
            registration: registration.map(|registration| registration.id),
            language: registration.map_or(submission.originator.language, |registration| registration.language),
            ..submission.originator.clone()
        };
        Ok(Job {
            owner: printer.owner,
            uuid: JobUuid::from_parts(now, self.random()),
            id: self.next_job_id(printer.owner, printer.uuid).await?,
            printer: printer.uuid,
            name: submission.name.clone(),
            originator,
            source: target.source.clone(),
            priority: submission.priority,
            options,
            state: if holds.is_empty() { JobState::Pending } else { JobState::PendingHeld },
            holds,
            ready: false,
            received: submission.document.iter().map(Submitted::as_job_document).collect(),
            incoming,
            release_at: submission.release_at,
            pin: submission.pin.clone(),
            documents: Vec::new(),
            rendition: None,
            remarks: submission.remarks.clone(),
            first_page: 1,
            mark: None,
            fence: Fence(0),
            attempts: 0,
            attempt: None,
            handed: false,
            impressions_completed: 0,
            failures: 0,
            put_back: None,
            doubt: None,
            canceling: None,
            expired: false,
            outcome: None,
            created_at: now,
            ready_at: None,
            processing_at: None,
            completed_at: None,
            keep_until: now + retain::retention(printer, registration),
            retry_interval_ms: retain::retry_interval(printer, registration),
            content_deleted: false,
        })
    }

    /// The next "job-id" of a printer, out of a block taken from its durable counter.
    async fn next_job_id(&self, owner: OwnerId, printer: PrinterUuid) -> Result<JobId, SpoolerError> {
        const BLOCK: u32 = 64;
        let from_block = || {
            let mut blocks = self.inner.job_ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            blocks.get_mut(&printer).and_then(Iterator::next)
        };
        if let Some(id) = from_block() {
            return Ok(JobId(id));
        }
        let first = self.inner.records.allocate_job_ids(owner, printer, BLOCK).await?.0;
        let mut blocks = self.inner.job_ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        blocks.insert(printer, first + 1..first + BLOCK);
        Ok(JobId(first))
    }

    /// Prints a job again, as a new job at the same or another printer; `options`: in another way.
    ///
    /// # Errors
    /// [`Refusal::ContentDeleted`] when its data is gone, [`Refusal::NotReady`] while it is prepared.
    pub async fn reprint(
        &self,
        whose: Whose,
        job: JobUuid,
        at: Option<PrinterUuid>,
        options: Option<JobOptions>,
        by: &str,
    ) -> Result<Job, SpoolerError> {
        let of = self.job(whose, job).await?;
        let copy = Copy { options, ..self.copy_for(whose, &of, at).await? };
        self.change(whose, &[Key::Job(job)], |rows, gathered| {
            let (of, version) = crate::change::take::<Job>(rows, 0, "job")?;
            gathered.change.expect.push((Key::Job(of.uuid), version));
            copy.gather(&of, BTreeSet::new(), gathered, by)
        })
        .await
    }

    /// Prints a waiting job at another printer: a new job there and the old one cancelled, in one commit. Holds that
    /// somebody with this right may not lift go along.
    ///
    /// # Errors
    /// As [`Spooler::reprint`]; a job that is being printed is refused.
    pub async fn print_elsewhere(
        &self,
        whose: Whose,
        job: JobUuid,
        at: PrinterUuid,
        right: Right,
        by: &str,
    ) -> Result<Job, SpoolerError> {
        let old = self.job(whose, job).await?;
        if old.is_over() {
            return match old.outcome {
                Some(Outcome::Printed { .. }) => self.reprint(whose, job, Some(at), None, by).await,
                _ => Err(Refusal::JobEnded.into()),
            };
        }
        let copy = self.copy_for(whose, &old, Some(at)).await?;
        self.change_job(whose, job, |rows, gathered, attempt| {
            let row = rows.first().cloned();
            let (old, _) = crate::change::take::<Job>(&mut [row.flatten()], 0, "job")?;
            if old.is_over() {
                return Err(Refusal::JobEnded.into());
            }
            if old.handed {
                return Err(Refusal::Printing.into());
            }
            // The copy takes hold of the documents before the old job gives them back.
            let kept = old.holds.iter().copied().filter(|hold| !hold.is_lifted_by(right)).collect();
            let new = copy.gather(&old, kept, gathered, by)?;
            let cancel = JobEvent::Cancel(by.into());
            self.move_job(rows, gathered, attempt, &cancel, Some(by))?;
            Ok(new)
        })
        .await
    }

    async fn copy_for(&self, whose: Whose, of: &Job, at: Option<PrinterUuid>) -> Result<Copy, SpoolerError> {
        if of.content_deleted {
            return Err(Refusal::ContentDeleted.into());
        }
        let unknown = |document: &JobDocument| document.id == DocumentId([0; 16]);
        if of.documents.is_empty() || of.documents.iter().any(unknown) {
            return Err(Refusal::NotReady.into());
        }
        let printer = self.printer(whose, at.unwrap_or(of.printer)).await?;
        // What it was made from was given back when print data was stored (A09).
        let is_data = |document: &JobDocument| of.rendition.as_ref().is_some_and(|data| data.id == document.id);
        let takes = |profile: &DeviceProfile| of.rendition.as_ref().is_some_and(|data| profile.takes(&data.format));
        let is_taken = printer.uuid == of.printer || printer.profile.as_ref().is_none_or(takes);
        if of.documents.iter().any(is_data) && !is_taken {
            return Err(Refusal::MadeForAnother.into());
        }
        let id = self.next_job_id(printer.owner, printer.uuid).await?;
        let uuid = JobUuid::from_parts(self.now(), self.random());
        Ok(Copy { printer, id, uuid, options: None })
    }
}

/// A job that is to be made from another one.
struct Copy {
    printer: Printer,
    id: JobId,
    uuid: JobUuid,
    /// How it is printed, if not as the other one.
    options: Option<JobOptions>,
}

impl Copy {
    fn gather(
        &self,
        of: &Job,
        holds: BTreeSet<HoldReason>,
        gathered: &mut Gathered,
        by: &str,
    ) -> Result<Job, SpoolerError> {
        if of.content_deleted {
            return Err(Refusal::ContentDeleted.into());
        }
        let printer = &self.printer;
        let mut again = Job {
            owner: printer.owner,
            uuid: self.uuid,
            id: self.id,
            printer: printer.uuid,
            source: JobSource::Reprint { of: of.uuid },
            state: if holds.is_empty() { JobState::Pending } else { JobState::PendingHeld },
            // A PIN goes along with what it holds.
            pin: of.pin.clone().filter(|_| holds.contains(&HoldReason::PinRelease)),
            holds,
            ready: true,
            received: Vec::new(),
            incoming: None,
            release_at: None,
            rendition: of.rendition.clone().filter(|_| printer.uuid == of.printer),
            remarks: Vec::new(),
            first_page: 1,
            // Of a job that no printer ever had, no sheet exists.
            mark: of.processing_at.map(|_| format!("REPRINT of {}", of.short())),
            fence: Fence(0),
            attempts: 0,
            attempt: None,
            handed: false,
            impressions_completed: 0,
            failures: 0,
            put_back: None,
            doubt: None,
            canceling: None,
            expired: false,
            outcome: None,
            created_at: gathered.now,
            ready_at: Some(gathered.now),
            processing_at: None,
            completed_at: None,
            keep_until: gathered.now + printer.policy.retention_ms,
            content_deleted: false,
            ..of.clone()
        };
        if let Some(options) = self.options.clone().filter(|options| *options != again.options) {
            // What was drawn for the old way is of no use, unless it is all that is left.
            let is_all =
                again.rendition.as_ref().is_some_and(|data| again.documents.iter().any(|one| one.id == data.id));
            if is_all {
                return Err(Refusal::MadeForAnother.into());
            }
            // Pages were counted for the ranges that were asked for then.
            again.options = JobOptions { pages: again.options.pages.clone(), ..options };
            again.rendition = None;
        }
        again.documents.retain(|document| document.pages > 0 || document.octets > 0);
        gathered.change.refs.extend(again.stored().into_iter().map(|document| (document, 1)));
        let kind = HistoryKind::Changed { what: format!("reprint as {}", again.short()), by: by.into() };
        gathered.history(of.owner, Some(of.printer), Some(of.uuid), None, kind);
        gathered.wake.push(printer.uuid);
        gathered.put_job(None, again.clone(), 0, format!("reprint of {}", of.short()));
        Ok(again)
    }
}
