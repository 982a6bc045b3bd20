//! The one task that gives jobs to printers and watches the clock: no job that waits has a task of its own.

use crate::change::{Gathered, surroundings, take};
use crate::{Spooler, SpoolerError};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tympan_engine::assign::{self, Pick};
use tympan_engine::{
    Attempt, AttemptNumber, AttemptState, Evidence, Fence, HistoryKind, Job, JobEvent, Millis, Printer, PrinterEvent,
    PrinterUuid, Refusal, Timestamp, retain,
};
use tympan_store::{Key, StoreError, Whose};

/// How many waiting jobs are looked at in one read.
const PAGE: usize = 64;
/// How many due jobs are handled before printers get their turn again.
const DUE_PAGE: usize = 200;
/// How often old history is forgotten, in milliseconds.
const FORGET_EVERY_MS: Millis = 3_600_000;

impl Spooler {
    /// Gives jobs to printers, ends retention, forgets history; never returns but with an error.
    pub(crate) async fn schedule(&self) -> Result<(), SpoolerError> {
        let mut timers: BTreeMap<PrinterUuid, Timestamp> = BTreeMap::new();
        let mut forget_at = self.now();
        self.refresh_next_due().await?;
        for printer in self.inner.records.printers(Whose::Everyones).await? {
            self.inner.nudge.printer(printer.record.uuid);
        }
        loop {
            while let Some(printer) = self.inner.nudge.take() {
                timers.remove(&printer);
                if let Some(again) = self.serve(printer).await? {
                    timers.insert(printer, again);
                }
            }
            let now = self.now();
            for (printer, at) in &timers {
                if *at <= now {
                    self.inner.nudge.printer(*printer);
                }
            }
            timers.retain(|_, at| *at > now);
            if self.inner.next_due.load(Ordering::SeqCst) <= now.0 {
                self.end_retention().await?;
            }
            if forget_at <= now {
                self.inner.records.forget(now, self.inner.options.history_ms).await?;
                forget_at = now + FORGET_EVERY_MS;
            }
            let next = timers
                .values()
                .copied()
                .chain([forget_at, Timestamp(self.inner.next_due.load(Ordering::SeqCst))])
                .min()
                .unwrap_or(forget_at);
            // Woken at the latest each minute, so that a clock that is set forward is noticed.
            let span = next.since(self.now()).clamp(1, 60_000);
            let _ = tokio::time::timeout(Duration::from_millis(span), self.inner.nudge.scheduled()).await;
        }
    }

    /// Gives a printer its next job, if it can take one; says when to look again.
    async fn serve(&self, uuid: PrinterUuid) -> Result<Option<Timestamp>, SpoolerError> {
        loop {
            let printer = match self.printer(Whose::Everyones, uuid).await {
                Ok(printer) => printer,
                Err(SpoolerError::NotFound(_)) => return Ok(None),
                Err(other) => return Err(other),
            };
            match self.choose(&printer).await? {
                Choice::Nothing => return self.tell_behind(&printer).await,
                Choice::Later(at) => {
                    self.tell_waiting_once(&printer).await?;
                    return Ok(Some(at));
                }
                Choice::Job(job) => match self.assign(&printer, &job).await {
                    Ok(()) => {
                        let printer = self.printer(Whose::Everyones, uuid).await?;
                        return self.tell_behind(&printer).await;
                    }
                    Err(SpoolerError::Store(StoreError::Conflict(_)) | SpoolerError::Refused(_)) => {
                        tokio::task::yield_now().await;
                    }
                    Err(other) => return Err(other),
                },
            }
        }
    }

    async fn choose(&self, printer: &Printer) -> Result<Choice, SpoolerError> {
        let now = self.now();
        if printer.removed || printer.paused || printer.current.is_some() {
            return Ok(Choice::Nothing);
        }
        let records = &self.inner.records;
        let for_all = printer.condition.trouble_for_all().is_some();
        if for_all {
            let soonest = printer.condition.asked_at.map(|at| at + assign::ASK_AGAIN_MIN);
            if let Some(at) = soonest.filter(|at| *at > now) {
                return Ok(Choice::Later(at));
            }
            let waiting = records.waiting(Whose::Everyones, printer.uuid).await?;
            if waiting.ready == 0 {
                return Ok(Choice::Nothing);
            }
            if let Some(at) = assign::ask_again_at(printer, waiting.ready_at_max, waiting.retry_interval_min)
                && at > now
            {
                return Ok(Choice::Later(at));
            }
        }
        let mut after = None;
        let mut later = None::<Timestamp>;
        loop {
            let page = records.waiting_jobs(Whose::Everyones, printer.uuid, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(later.map_or(Choice::Nothing, Choice::Later));
            };
            after = Some((last.record.priority, last.record.id));
            if for_all {
                // Whichever is first asks for all of them.
                return Ok(Choice::Job(Box::new(page[0].record.clone())));
            }
            match assign::pick(printer, page.iter().map(|row| &row.record), now) {
                Pick::Job(place) => return Ok(Choice::Job(Box::new(page[place].record.clone()))),
                Pick::Later(at) => later = Some(later.map_or(at, |later| later.min(at))),
                Pick::Nothing => {}
            }
        }
    }

    /// Writes an attempt: job, attempt and printer in one commit, so that only one gets the device.
    async fn assign(&self, printer: &Printer, job: &Job) -> Result<(), SpoolerError> {
        let number = AttemptNumber(job.attempts + 1);
        let keys = [Key::Job(job.uuid), Key::Printer(printer.uuid), Key::Attempt(job.uuid, number)];
        let mut rows = self.inner.records.read(Whose::Everyones, &keys).await?;
        let mut gathered = Gathered::new(self.now());
        let now = gathered.now;
        let (before, job_version) = take::<Job>(&mut rows, 0, "job")?;
        let (mut printer, printer_version) = take::<Printer>(&mut rows, 1, "printer")?;
        let mut job = before.clone();
        if rows[2].is_some() {
            return Err(Refusal::Stale.into());
        }
        let fence = Fence(job.fence.0 + 1);
        let effects = job.apply(JobEvent::Assigned(number, fence), surroundings(&printer), now)?;
        printer.apply(PrinterEvent::Assigned(job.uuid, number), now)?;
        gathered.effects(effects, 0);
        let pages = job.pages().saturating_sub(job.first_page - 1);
        let attempt = Attempt {
            owner: job.owner,
            job: job.uuid,
            number,
            fence,
            printer: printer.uuid,
            state: AttemptState::Assigned,
            lease_expires_at: now + self.inner.options.lease_ms,
            device: None,
            octets_sent: 0,
            sent_all: false,
            first_page: job.first_page,
            impressions: pages.saturating_mul(u32::from(job.copies())),
            impressions_completed: None,
            evidence: Evidence::E0,
            started_at: now,
            ended_at: None,
        };
        let kind = HistoryKind::AttemptState { state: attempt.state.as_str().into(), why: String::new() };
        gathered.history(job.owner, Some(printer.uuid), Some(job.uuid), Some(number), kind);
        gathered.change.put.push((attempt.into(), 0));
        gathered.put_job(Some(&before), job, job_version, "assigned".into());
        gathered.put_printer(printer, printer_version);
        self.commit(gathered).await?;
        Ok(())
    }

    /// Ends what is kept too long (A12), a page at a time.
    async fn end_retention(&self) -> Result<(), SpoolerError> {
        let now = self.now();
        let due = self.inner.records.jobs_due(Whose::Everyones, now, DUE_PAGE).await?;
        let full = due.len() == DUE_PAGE;
        for row in due {
            let Some(event) = retain::due(&row.record, now) else {
                continue;
            };
            match self.job_event(Whose::Everyones, row.record.uuid, event, None).await {
                Ok(_) | Err(SpoolerError::Refused(_)) => {}
                Err(other) => return Err(other),
            }
        }
        if full {
            self.inner.nudge.timers();
            return Ok(());
        }
        self.refresh_next_due().await
    }

    async fn refresh_next_due(&self) -> Result<(), SpoolerError> {
        // First "nothing", then the store's answer: a job that comes in between lowers it again.
        self.inner.next_due.store(u64::MAX, Ordering::SeqCst);
        if let Some(due) = self.inner.records.next_job_due(Whose::Everyones).await? {
            self.inner.next_due.fetch_min(due.0, Ordering::SeqCst);
        }
        Ok(())
    }
}

enum Choice {
    Job(Box<Job>),
    Later(Timestamp),
    Nothing,
}
