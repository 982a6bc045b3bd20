//! Read, apply, commit; on a conflict again. The only place where a record changes.

use crate::{Changed, Spooler};
use std::sync::atomic::Ordering;
use tympan_engine::job::Surroundings;
use tympan_engine::{
    Attempt, AttemptEvent, AttemptNumber, Effect, History, HistoryKind, Job, JobEvent, JobUuid, OutageId, OwnerId,
    Printer, PrinterEvent, PrinterUuid, Refusal, Timestamp,
};
use tympan_store::{Change, Key, NewDocument, NewEffect, Record, StoreError, Version, Versioned, Whose};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum SpoolerError {
    /// The engine said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such record, or it is somebody else's.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// It exists already.
    #[error("{0} exists already")]
    Exists(String),
    /// A value is not allowed; the text says what is.
    #[error("{0}")]
    Invalid(String),
    /// The disk is full.
    #[error("the disk is full; nothing new is taken until there is room")]
    Full,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl SpoolerError {
    /// Whether it will be possible once there is room on the disk.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full | Self::Store(StoreError::Full))
    }
}

impl From<StoreError> for SpoolerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists(what) => Self::Exists(what),
            StoreError::Full => Self::Full,
            other => Self::Store(other),
        }
    }
}

/// How often a conflict is met before it counts as a failure of the store.
const CONFLICTS_MAX: u32 = 1_000;

/// What a change gathers while rows are applied to.
pub(crate) struct Gathered {
    pub(crate) now: Timestamp,
    pub(crate) change: Change,
    pub(crate) wake: Vec<PrinterUuid>,
    pub(crate) changed: Vec<Changed>,
    pub(crate) released: bool,
    pub(crate) due: Option<Timestamp>,
}

impl Gathered {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, change: Change::default(), wake: Vec::new(), changed: Vec::new(), released: false, due: None }
    }

    /// Sorts effects into what is stored and what is only a hint.
    pub(crate) fn effects(&mut self, effects: Vec<Effect>, notice_after_ms: u64) {
        for effect in effects {
            match effect {
                Effect::Wake { printer } => self.wake.push(printer),
                Effect::Release { documents } => {
                    self.released = true;
                    self.change.refs.extend(documents.into_iter().map(|document| (document, -1)));
                }
                effect => {
                    let waiting =
                        matches!(effect, Effect::Notify { kind: tympan_engine::NoticeKind::Waiting { .. }, .. });
                    let due_at = if waiting { self.now + notice_after_ms } else { self.now };
                    self.change.effects.push(NewEffect { effect, due_at });
                }
            }
        }
    }

    /// Saves a job with its history.
    pub(crate) fn put_job(&mut self, before: Option<&Job>, job: Job, version: Version, why: String) {
        if before.is_none_or(|before| before.state != job.state) {
            let kind = HistoryKind::JobState { state: job.state.as_str().into(), why };
            self.history(job.owner, Some(job.printer), Some(job.uuid), None, kind);
        }
        if !job.content_deleted {
            self.due = Some(self.due.map_or(job.due_at(), |due| due.min(job.due_at())));
        }
        self.changed.push(Changed { owner: job.owner, printer: Some(job.printer), job: Some(job.uuid) });
        self.change.put.push((job.into(), version));
    }

    pub(crate) fn put_printer(&mut self, printer: Printer, version: Version) {
        self.changed.push(Changed { owner: printer.owner, printer: Some(printer.uuid), job: None });
        self.change.put.push((printer.into(), version));
    }

    pub(crate) fn history(
        &mut self,
        owner: OwnerId,
        printer: Option<PrinterUuid>,
        job: Option<JobUuid>,
        attempt: Option<AttemptNumber>,
        kind: HistoryKind,
    ) {
        self.change.history.push(History { owner, printer, job, attempt, kind, at: self.now });
    }
}

/// What a printer lends to its jobs' rules.
pub(crate) fn surroundings(printer: &Printer) -> Surroundings {
    Surroundings {
        doubt: printer.policy.doubt,
        doubt_ms: printer.policy.doubt_ms,
        reprint_window_ms: printer.policy.reprint_window_ms,
        outage_ended_at: printer.outage_ended_at,
    }
}

impl Spooler {
    /// Commits what was gathered, then passes the hints on.
    pub(crate) async fn commit(&self, gathered: Gathered) -> Result<(), StoreError> {
        let Gathered { change, wake, changed, released, due, .. } = gathered;
        let classes: Vec<usize> = change.effects.iter().map(|new| crate::workers::class_of(&new.effect)).collect();
        if !change.is_empty() || !change.expect.is_empty() {
            self.inner.records.commit(change).await?;
        }
        for class in classes {
            self.inner.nudge.effects(class);
        }
        for printer in wake {
            self.inner.nudge.printer(printer);
        }
        if let Some(due) = due
            && due.0 < self.inner.next_due.fetch_min(due.0, Ordering::SeqCst)
        {
            self.inner.nudge.timers();
        }
        for changed in changed {
            let _ = self.inner.changed.send(changed);
        }
        if released {
            self.crash_point("C16").await;
            // The change is made, whatever comes of this: the next one to come by removes what is left.
            if let Err(error) = self.inner.documents.collect().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "Could not remove documents, will try again");
            }
        }
        Ok(())
    }

    /// Reads rows, lets `apply` gather a change, commits it; on a conflict all of it again.
    pub(crate) async fn change<T>(
        &self,
        whose: Whose,
        keys: &[Key],
        mut apply: impl FnMut(&mut Vec<Option<Versioned<Record>>>, &mut Gathered) -> Result<T, SpoolerError>,
    ) -> Result<T, SpoolerError> {
        for _ in 0..CONFLICTS_MAX {
            let mut rows = self.inner.records.read(whose, keys).await?;
            let mut gathered = Gathered::new(self.now());
            let value = apply(&mut rows, &mut gathered)?;
            match self.commit(gathered).await {
                Ok(()) => return Ok(value),
                Err(StoreError::Conflict(_)) => tokio::task::yield_now().await,
                Err(other) => return Err(other.into()),
            }
        }
        Err(SpoolerError::Store(StoreError::Conflict(keys[0].clone())))
    }

    /// The job, wherever it stands.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`] if there is none, or it is somebody else's.
    pub async fn job(&self, whose: Whose, job: JobUuid) -> Result<Job, SpoolerError> {
        let row = self.inner.records.read(whose, &[Key::Job(job)]).await?.pop().flatten();
        take::<Job>(&mut [row], 0, "job").map(|(job, _)| job)
    }

    /// The printer.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`] if there is none, or it is somebody else's.
    pub async fn printer(&self, whose: Whose, printer: PrinterUuid) -> Result<Printer, SpoolerError> {
        let row = self.inner.records.read(whose, &[Key::Printer(printer)]).await?.pop().flatten();
        take::<Printer>(&mut [row], 0, "printer").map(|(printer, _)| printer)
    }

    /// Moves a job by an event.
    ///
    /// # Errors
    /// The engine's refusal, or the store's failure.
    pub async fn job_event(
        &self,
        whose: Whose,
        job: JobUuid,
        event: JobEvent,
        by: Option<&str>,
    ) -> Result<Job, SpoolerError> {
        self.job_event_with(whose, job, event, Vec::new(), by).await
    }

    /// Moves a job by an event that brings new documents along, in one commit.
    ///
    /// # Errors
    /// The engine's refusal, or the store's failure; the documents are not stored then.
    pub async fn job_event_with(
        &self,
        whose: Whose,
        job: JobUuid,
        event: JobEvent,
        documents: Vec<NewDocument>,
        by: Option<&str>,
    ) -> Result<Job, SpoolerError> {
        self.change_job(whose, job, |rows, gathered, attempt| {
            gathered.change.documents.clone_from(&documents);
            self.move_job(rows, gathered, attempt, &event, by)
        })
        .await
    }

    /// As [`Spooler::change`] with the rows of a job, its printer, and the attempt it has, if any.
    pub(crate) async fn change_job<T>(
        &self,
        whose: Whose,
        job: JobUuid,
        mut apply: impl FnMut(
            &mut Vec<Option<Versioned<Record>>>,
            &mut Gathered,
            Option<AttemptNumber>,
        ) -> Result<T, SpoolerError>,
    ) -> Result<T, SpoolerError> {
        for _ in 0..CONFLICTS_MAX {
            let known = self.job(whose, job).await?;
            let attempt = known.attempt;
            let mut keys = vec![Key::Job(job), Key::Printer(known.printer)];
            keys.extend(attempt.map(|attempt| Key::Attempt(job, attempt)));
            let changed = self.change(whose, &keys, |rows, gathered| apply(rows, gathered, attempt));
            match changed.await {
                // It got an attempt since it was looked at.
                Err(SpoolerError::Store(StoreError::Conflict(_))) => tokio::task::yield_now().await,
                other => return other,
            }
        }
        Err(SpoolerError::Store(StoreError::Conflict(Key::Job(job))))
    }

    /// Applies an event to a job out of [`Spooler::change_job`].
    pub(crate) fn move_job(
        &self,
        rows: &mut [Option<Versioned<Record>>],
        gathered: &mut Gathered,
        attempt: Option<AttemptNumber>,
        event: &JobEvent,
        by: Option<&str>,
    ) -> Result<Job, SpoolerError> {
        let (before, version) = take::<Job>(rows, 0, "job")?;
        let (mut printer, printer_version) = take::<Printer>(rows, 1, "printer")?;
        let now = gathered.now;
        let mut job = before.clone();
        let effects = job.apply(event.clone(), surroundings(&printer), now)?;
        gathered.effects(effects, self.inner.options.notice_after_ms);
        if matches!(event, JobEvent::Inspected { .. }) && printer.outage.is_some() {
            gathered.effects(crate::tell::store_effect(&printer, &job), 0);
        }
        // A job that leaves `processing` before hand-over takes its attempt along and frees the device.
        if let (Some(number), None, false) = (before.attempt, job.attempt, before.handed) {
            if attempt != Some(number) {
                return Err(StoreError::Conflict(Key::Job(job.uuid)).into());
            }
            let (mut attempt, attempt_version) = take::<Attempt>(rows, 2, "attempt")?;
            if attempt.apply(AttemptEvent::LeaseEnded, now).is_ok() {
                gathered.change.put.push((attempt.into(), attempt_version));
            }
            if let Ok(effects) = printer.apply(PrinterEvent::Freed(job.uuid, number), now) {
                gathered.effects(effects, 0);
                gathered.put_printer(printer, printer_version);
            }
        }
        if let Some(by) = by {
            let kind = HistoryKind::Changed { what: event.name().into(), by: by.into() };
            gathered.history(job.owner, Some(job.printer), Some(job.uuid), None, kind);
        }
        gathered.put_job(Some(&before), job.clone(), version, describe(event));
        Ok(job)
    }

    /// Moves an attempt by an event, and with it its job and its printer, in one commit.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when the attempt is over or no longer the job's: whoever performs it stops.
    pub async fn attempt_event(
        &self,
        job: JobUuid,
        number: AttemptNumber,
        event: AttemptEvent,
    ) -> Result<Attempt, SpoolerError> {
        let printer = self.job(Whose::Everyones, job).await?.printer;
        let keys = [Key::Attempt(job, number), Key::Job(job), Key::Printer(printer)];
        self.change(Whose::Everyones, &keys, |rows, gathered| {
            let (before, attempt_version) = take::<Attempt>(rows, 0, "attempt")?;
            let (job_before, job_version) = take::<Job>(rows, 1, "job")?;
            let (printer_before, printer_version) = take::<Printer>(rows, 2, "printer")?;
            let (mut attempt, mut job, mut printer) = (before.clone(), job_before.clone(), printer_before.clone());
            let now = gathered.now;
            if job.attempt != Some(number) {
                return Err(Refusal::Stale.into());
            }
            let job_events = attempt.apply(event.clone(), now)?;
            match &event {
                AttemptEvent::Blocked(trouble) => {
                    let outage = OutageId::from_parts(now, self.random());
                    printer.apply(PrinterEvent::Blocked { trouble: trouble.clone(), outage }, now)?;
                }
                AttemptEvent::HandOver => {
                    printer.apply(PrinterEvent::Handed, now)?;
                }
                _ => {}
            }
            for job_event in job_events {
                let effects = job.apply(job_event, surroundings(&printer), now)?;
                gathered.effects(effects, self.inner.options.notice_after_ms);
            }
            if attempt.state.is_over()
                && let Ok(effects) = printer.apply(PrinterEvent::Freed(job.uuid, number), now)
            {
                gathered.effects(effects, 0);
            }
            if before.state != attempt.state {
                let kind =
                    HistoryKind::AttemptState { state: attempt.state.as_str().into(), why: describe_attempt(&event) };
                gathered.history(job.owner, Some(job.printer), Some(job.uuid), Some(number), kind);
            } else if let AttemptEvent::Progress(impressions) = event
                && before.impressions_completed != attempt.impressions_completed
            {
                let kind = HistoryKind::Progress { impressions };
                gathered.history(job.owner, Some(job.printer), Some(job.uuid), Some(number), kind);
            }
            if attempt != before {
                gathered.change.put.push((attempt.clone().into(), attempt_version));
            } else {
                gathered.change.expect.push((Key::Attempt(attempt.job, number), attempt_version));
            }
            if job != job_before {
                gathered.put_job(Some(&job_before), job, job_version, describe_attempt(&event));
            }
            if printer != printer_before {
                gathered.put_printer(printer, printer_version);
            }
            Ok(attempt)
        })
        .await
    }

    /// Moves a printer by an event.
    ///
    /// # Errors
    /// The engine's refusal, or the store's failure.
    pub async fn printer_event(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        event: PrinterEvent,
        by: Option<&str>,
    ) -> Result<Printer, SpoolerError> {
        self.change(whose, &[Key::Printer(printer)], |rows, gathered| {
            let (before, version) = take::<Printer>(rows, 0, "printer")?;
            let mut printer = before.clone();
            let effects = printer.apply(event.clone(), gathered.now)?;
            gathered.effects(effects, 0);
            let reported = matches!(event, PrinterEvent::Reported(_));
            let same = before.condition.state == printer.condition.state
                && before.condition.reasons == printer.condition.reasons
                && before.condition.reachability == printer.condition.reachability;
            if !same || reported {
                let kind = HistoryKind::Condition {
                    state: printer.condition.state.as_str().into(),
                    reasons: printer.condition.reasons.join(","),
                    reported,
                };
                gathered.history(printer.owner, Some(printer.uuid), None, None, kind);
            }
            if let Some(by) = by {
                let kind = HistoryKind::Changed { what: event_name(&event).into(), by: by.into() };
                gathered.history(printer.owner, Some(printer.uuid), None, None, kind);
            }
            gathered.put_printer(printer.clone(), version);
            Ok(printer)
        })
        .await
    }

    /// Writes into a printer's history what somebody did that changes nothing of it.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`], or the store's failure.
    pub async fn note_printer(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        what: &str,
        by: &str,
    ) -> Result<(), SpoolerError> {
        self.change(whose, &[Key::Printer(printer)], |rows, gathered| {
            let (printer, version) = take::<Printer>(rows, 0, "printer")?;
            let kind = HistoryKind::Changed { what: what.into(), by: by.into() };
            gathered.history(printer.owner, Some(printer.uuid), None, None, kind);
            gathered.change.expect.push((Key::Printer(printer.uuid), version));
            gathered.changed.push(Changed { owner: printer.owner, printer: Some(printer.uuid), job: None });
            Ok(())
        })
        .await
    }
}

/// Takes a row out of what was read.
pub(crate) fn take<T: TryFrom<Record>>(
    rows: &mut [Option<Versioned<Record>>],
    place: usize,
    what: &'static str,
) -> Result<(T, Version), SpoolerError> {
    let row = rows.get_mut(place).and_then(Option::take).ok_or(SpoolerError::NotFound(what))?;
    let record = T::try_from(row.record).map_err(|_| SpoolerError::NotFound(what))?;
    Ok((record, row.version))
}

fn describe(event: &JobEvent) -> String {
    match event {
        JobEvent::Unprintable { remarks } => remarks.join(" "),
        JobEvent::Hold(reason) | JobEvent::Unhold(reason) => reason.keyword().into(),
        JobEvent::Expire => "retention has passed".into(),
        other => other.name().into(),
    }
}

fn describe_attempt(event: &AttemptEvent) -> String {
    match event {
        AttemptEvent::Blocked(trouble) => trouble.word().into(),
        AttemptEvent::RefusedForNow(why) | AttemptEvent::Rejected(why) => why.clone(),
        AttemptEvent::DeviceJob(device) => format!("the printer's job {}", device.job_id),
        other => other.name().into(),
    }
}

fn event_name(event: &PrinterEvent) -> &'static str {
    match event {
        PrinterEvent::Answered(_) => "answered",
        PrinterEvent::Reported(_) => "reported",
        PrinterEvent::Silent => "silent",
        PrinterEvent::Faulty(_) => "faulty",
        PrinterEvent::Learned(_) => "learned",
        PrinterEvent::Blocked { .. } => "blocked",
        PrinterEvent::Handed => "handed",
        PrinterEvent::Assigned(..) => "assigned",
        PrinterEvent::Freed(..) => "freed",
        PrinterEvent::Pause => "pause",
        PrinterEvent::SwitchOff(_) => "switch-off",
        PrinterEvent::Resume => "resume",
        PrinterEvent::Accept(_) => "accept",
        PrinterEvent::HoldNew(_) => "hold-new",
        PrinterEvent::Policy(_) => "policy",
        PrinterEvent::Describe { .. } => "describe",
        PrinterEvent::Device(_) => "device",
        PrinterEvent::Remove => "remove",
    }
}
