//! Asks a device what becomes of a job until it has ended there, whatever happens in between.
//!
//! A job that is stopped at the printer is waited for and never sent again. What ends the waiting is the
//! printer's word, its forgetting, a silence of minutes, or a day without any change; the last three leave
//! a doubt, which people decide.

use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;
use tympan_engine::{
    AttemptEvent, AttemptNumber, AttemptState, DeviceRef, JobUuid, OutageId, Printer, PrinterEvent, Trouble,
};
use tympan_ipp::{JobState, PrinterState};
use tympan_spooler::Spooler;
use tympan_store::Whose;

use crate::deliver::Way;
use crate::delivery::{Delivery, Stop, differs, note};
use crate::output::{Answer, Found, JobStatus, Output, Status};
use crate::prepare::Layout;

/// What is known of the document when following begins.
#[derive(Clone, Debug)]
pub(crate) struct Ahead {
    /// The device has all of it.
    pub(crate) sent_all: bool,
    /// The device refused it.
    pub(crate) refused: Option<Refused>,
}

/// The device refused the document.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) for_now: bool,
    pub(crate) why: String,
}

/// A printer that forgot a job says so twice before it is believed: it may just have been starting.
const UNKNOWN_TIMES: u32 = 2;

impl Delivery {
    /// After a restart: finds out what became of an attempt that was handed over.
    pub(crate) async fn follow_up(&self, spooler: &Spooler, job: JobUuid, number: AttemptNumber) -> Result<(), Stop> {
        let Some(_busy) = self.busy_with(job, number) else {
            return Ok(());
        };
        let (job, attempt, printer) = self.current(spooler, job, number).await?;
        if attempt.state.is_over() || attempt.state == AttemptState::Assigned {
            return Ok(());
        }
        let way = Way { delivery: self, spooler, job: job.uuid, number };
        let Ok(output) = self.options().outputs.of(&printer) else {
            return way.tell(AttemptEvent::Lost).await;
        };
        let layout = self.layout_again(spooler, &job, &printer).await;
        match &attempt.device {
            Some(device) => {
                let ahead = Ahead { sent_all: attempt.sent_all, refused: None };
                // An earlier life may have withdrawn what was not sent whole, and died before it wrote that down.
                let resumed = !attempt.sent_all;
                way.follow_on(&*output, &printer, device, &layout, ahead, resumed).await
            }
            None => way.track(&*output, &printer, &layout, attempt.sent_all).await,
        }
    }
}

impl Way<'_> {
    /// Looks for a job whose name at the device is not known.
    pub(crate) async fn track(
        &self,
        output: &dyn Output,
        printer: &Printer,
        layout: &Layout,
        sent_all: bool,
    ) -> Result<(), Stop> {
        let attempt = self.delivery.attempt(self.spooler, self.job, self.number).await?;
        let untouched = attempt.octets_sent == 0 && !attempt.sent_all;
        if !output.can_confirm() {
            return self.tell(AttemptEvent::Lost).await;
        }
        let silent_since = Instant::now();
        loop {
            match output.find(printer, self.job.short()).await {
                Found::Job(device) if untouched => {
                    // It never got its document: an empty job, which prints nothing.
                    output.cancel(printer, &device).await;
                    return self.tell(AttemptEvent::NeverArrived).await;
                }
                Found::Job(device) => {
                    self.tell(AttemptEvent::DeviceJob(device.clone())).await?;
                    return self.follow(output, printer, &device, layout, Ahead { sent_all, refused: None }).await;
                }
                Found::NeverArrived => return self.tell(AttemptEvent::NeverArrived).await,
                Found::CannotTell => return self.tell(AttemptEvent::Lost).await,
                Found::Silent(why) => {
                    debug!(job = %self.job.short(), why, "The printer does not say whether it has the job");
                    if untouched || silent_since.elapsed() >= self.delivery.timings().silence_max {
                        return self.tell(AttemptEvent::Lost).await;
                    }
                    if silent_since.elapsed() < Duration::from_secs(1) {
                        note(self.spooler, printer, Answer::Silent).await?;
                    }
                }
            }
            tokio::time::sleep(self.delivery.timings().poll_max).await;
            self.job().await?;
        }
    }

    /// Follows a job at the device to its end.
    pub(crate) async fn follow(
        &self,
        output: &dyn Output,
        printer: &Printer,
        device: &DeviceRef,
        layout: &Layout,
        ahead: Ahead,
    ) -> Result<(), Stop> {
        self.follow_on(output, printer, device, layout, ahead, false).await
    }

    /// As [`Way::follow`]; `resumed`: an earlier life of this server may have withdrawn the job.
    async fn follow_on(
        &self,
        output: &dyn Output,
        printer: &Printer,
        device: &DeviceRef,
        layout: &Layout,
        ahead: Ahead,
        resumed: bool,
    ) -> Result<(), Stop> {
        let attempt = self.delivery.attempt(self.spooler, self.job, self.number).await?;
        let copies = self.job().await?.copies();
        let following = Following {
            way: *self,
            output,
            printer: printer.clone(),
            device,
            layout,
            ahead,
            copies,
            expected: attempt.impressions,
            last: None,
            told: attempt.impressions_completed.unwrap_or(0),
            changed_at: Instant::now(),
            silent_since: None,
            unknown: 0,
            stopped: attempt.state == AttemptState::Stopped,
            asked_at: Instant::now(),
            saw_printing: attempt.impressions_completed.unwrap_or(0) > 0,
            withdrawn: false,
            resumed,
        };
        following.run().await
    }
}

struct Following<'a> {
    way: Way<'a>,
    output: &'a dyn Output,
    printer: Printer,
    device: &'a DeviceRef,
    layout: &'a Layout,
    ahead: Ahead,
    copies: u16,
    expected: u32,
    last: Option<JobStatus>,
    told: u32,
    changed_at: Instant,
    silent_since: Option<Instant>,
    unknown: u32,
    stopped: bool,
    asked_at: Instant,
    saw_printing: bool,
    withdrawn: bool,
    resumed: bool,
}

/// Begins the outage of a printer that has a job already, or says what it is about now.
pub(crate) async fn begin_outage(spooler: &Spooler, printer: &Printer, trouble: Trouble) -> Result<(), Stop> {
    if printer.outage.as_ref().map(|outage| &outage.trouble) == Some(&trouble) {
        return Ok(());
    }
    let outage = OutageId::from_parts(spooler.now(), spooler.random());
    let blocked = PrinterEvent::Blocked { trouble, outage };
    spooler.printer_event(Whose::Everyones, printer.uuid, blocked, None).await?;
    Ok(())
}

impl Following<'_> {
    async fn run(mut self) -> Result<(), Stop> {
        let timings = self.way.delivery.timings().clone();
        let mut wait = timings.poll_first;
        loop {
            match self.output.status(&self.printer, self.device, self.way.job.short()).await {
                Status::Job(status) => {
                    self.unknown = 0;
                    let was_silent = self.silent_since.take().is_some();
                    if self.last.as_ref() != Some(&status) {
                        self.changed_at = Instant::now();
                        wait = timings.poll_first;
                    }
                    if status.state.is_terminal() {
                        self.right_printer().await?;
                        return self.ended(&status).await;
                    }
                    self.goes_on(&status, was_silent).await?;
                    self.last = Some(status);
                }
                Status::Unknown => {
                    self.unknown += 1;
                    self.silent_since = None;
                    if self.unknown >= UNKNOWN_TIMES {
                        self.right_printer().await?;
                        return self.way.tell(AttemptEvent::Forgotten).await;
                    }
                }
                Status::Silent(why) => self.is_silent(&why).await?,
            }
            if self.is_over_time() {
                return self.way.tell(AttemptEvent::Lost).await;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(timings.poll_max);
        }
    }

    fn is_over_time(&self) -> bool {
        let timings = self.way.delivery.timings();
        if let Some(since) = self.silent_since {
            return since.elapsed() >= timings.silence_max;
        }
        let is_done = self.last.as_ref().and_then(|status| self.raw(status)).is_some_and(|raw| raw >= self.sides());
        let still = self.changed_at.elapsed();
        still >= timings.stuck_max || (is_done && !self.stopped && still >= timings.linger_max)
    }

    /// Sides in all copies.
    fn sides(&self) -> u32 {
        (self.layout.sides.len() as u32).max(1).saturating_mul(u32::from(self.copies))
    }

    /// Sides that the printer counts, as far as it counts.
    fn raw(&self, status: &JobStatus) -> Option<u32> {
        match (status.impressions, status.sheets) {
            // Some count sheets only.
            (None | Some(0), Some(sheets)) if sheets > 0 => Some(sheets),
            (impressions, _) => impressions,
        }
    }

    /// Pages that came out, as far as the printer counts.
    fn pages(&self, status: &JobStatus) -> Option<u32> {
        let raw = self.raw(status)?;
        Some(if raw >= self.sides() { self.expected.max(1) } else { self.layout.pages_done(raw, self.copies) })
    }

    async fn goes_on(&mut self, status: &JobStatus, was_silent: bool) -> Result<(), Stop> {
        self.saw_printing |= status.reasons.iter().any(|reason| reason == "job-printing");
        if let Some(pages) = self.pages(status).filter(|pages| *pages > self.told) {
            self.told = pages;
            self.saw_printing = true;
            self.way.tell(AttemptEvent::Progress(pages)).await?;
        }
        let never_comes = status.is_incoming() || self.ahead.refused.is_some();
        if never_comes && !self.ahead.sent_all && !self.withdrawn {
            // The rest of the document will never come.
            self.withdrawn = true;
            self.output.cancel(&self.printer, self.device).await;
        }
        let says_stopped = status.state == JobState::ProcessingStopped
            || status.reasons.iter().any(|reason| reason == "printer-stopped");
        let poll_max = self.way.delivery.timings().poll_max;
        let is_quiet = self.changed_at.elapsed() >= poll_max;
        let due = self.asked_at.elapsed() >= poll_max;
        let mut stands = says_stopped;
        if says_stopped != self.stopped || was_silent || ((says_stopped || is_quiet) && due) {
            stands |= self.ask().await?;
        } else if is_quiet {
            stands = self.stopped;
        }
        if stands != self.stopped {
            self.stopped = stands;
            self.changed_at = Instant::now();
            let event = if stands { AttemptEvent::Stopped } else { AttemptEvent::Resumed };
            self.way.tell(event).await?;
        }
        Ok(())
    }

    /// Asks how the printer is; true when it stands still and somebody must help.
    async fn ask(&mut self) -> Result<bool, Stop> {
        self.asked_at = Instant::now();
        let answer = self.output.ask(&self.printer).await;
        let known = self.way.spooler.printer(Whose::Everyones, self.printer.uuid).await?;
        let Answer::Answered(answered) = &answer else {
            return Ok(self.stopped);
        };
        let stands = answered.condition.state == PrinterState::Stopped;
        if differs(&known.condition, &answered.condition) {
            note(self.way.spooler, &known, answer).await?;
        }
        let job = self.way.job().await?;
        let now = self.way.spooler.printer(Whose::Everyones, self.printer.uuid).await?;
        if let Some(trouble) = now.trouble_for(&job.options).filter(|trouble| stands && *trouble != Trouble::Paused) {
            begin_outage(self.way.spooler, &now, trouble).await?;
        }
        Ok(stands)
    }

    async fn is_silent(&mut self, why: &str) -> Result<(), Stop> {
        if self.silent_since.is_none() {
            debug!(job = %self.way.job.short(), why, "The printer says nothing about the job");
            self.silent_since = Some(Instant::now());
            note(self.way.spooler, &self.printer, Answer::Silent).await?;
        }
        // The attempt may have been ended by somebody else meanwhile.
        self.way.job().await?;
        Ok(())
    }

    /// What was written down about a printer that stood still or was silent is put right before it is free: the
    /// next job is not to wait for a trouble that is over.
    async fn right_printer(&mut self) -> Result<(), Stop> {
        let known = self.way.spooler.printer(Whose::Everyones, self.printer.uuid).await?;
        if self.stopped || known.outage.is_some() || known.condition.trouble_for_all().is_some() {
            self.ask().await?;
        }
        Ok(())
    }

    async fn ended(&mut self, status: &JobStatus) -> Result<(), Stop> {
        let pages = self.pages(status);
        // Whoever cancelled it: it was not whole at the printer, and is not printed yet.
        let withdrawn = self.withdrawn || self.resumed;
        // A printer that printed and yet counts nothing proves nothing by its 0.
        let proven = match pages {
            Some(0) if self.saw_printing => None,
            pages => pages,
        };
        let is_clean = proven == Some(0) || (pages.is_none() && !self.saw_printing && self.never_ran());
        match status.state {
            JobState::Completed => {
                let is_whole = pages.is_some_and(|pages| pages >= self.expected.max(1));
                let event = match self.ahead.sent_all || is_whole {
                    true => AttemptEvent::Completed(pages),
                    // It made the best of a part of the document.
                    false => AttemptEvent::Aborted(pages.filter(|pages| *pages > 0)),
                };
                self.way.tell(event).await
            }
            JobState::Canceled | JobState::Aborted => match self.ahead.refused.take() {
                Some(Refused { for_now: false, why }) if is_clean => self.way.tell(AttemptEvent::Rejected(why)).await,
                Some(Refused { for_now: true, why }) if is_clean => {
                    debug!(job = %self.way.job.short(), why, "The printer did not take the document now");
                    self.never_arrived().await
                }
                _ if withdrawn && is_clean => self.never_arrived().await,
                _ if withdrawn || status.state == JobState::Aborted => {
                    self.way.tell(AttemptEvent::Aborted(proven)).await
                }
                _ => self.way.tell(AttemptEvent::Canceled(pages)).await,
            },
            JobState::Pending | JobState::PendingHeld | JobState::Processing | JobState::ProcessingStopped => Ok(()),
        }
    }

    /// Whether the job was never seen at work here.
    fn never_ran(&self) -> bool {
        self.last.as_ref().is_none_or(|last| matches!(last.state, JobState::Pending | JobState::PendingHeld))
            && (self.withdrawn || self.ahead.refused.is_some())
    }

    async fn never_arrived(&self) -> Result<(), Stop> {
        tokio::time::sleep(self.way.delivery.timings().pause).await;
        self.way.tell(AttemptEvent::NeverArrived).await
    }
}
