//! Brings an assigned attempt to its device: one flow for all outputs.
//!
//! Ask, prepare, write down the hand-over, make the job, write down its name there, send, follow. What may
//! be repeated by itself is decided by what is written down *before* the device could have acted on it
//! (`reliability` rules R2 and R6): the attempt is `handed` before Create-Job, and its device job is known
//! before the first octet of the document.

use std::time::Duration;

use tracing::{debug, info};
use tympan_engine::{Attempt, AttemptEvent, AttemptNumber, AttemptState, DeviceRef, Job, JobUuid, Printer};
use tympan_spooler::Spooler;
use tympan_store::{Key, Record, Whose};

use crate::delivery::{Delivery, Stop};
use crate::follow::{Ahead, Refused, begin_outage};
use crate::output::{Canceling, Created, Document, Found, Output, Sent, Ticket};
use crate::prepare::{PrepareError, Prepared};
use crate::sending::Watched;

impl Delivery {
    pub(crate) async fn deliver(&self, spooler: &Spooler, job: JobUuid, number: AttemptNumber) -> Result<(), Stop> {
        let Some(busy) = self.busy_with(job, number) else {
            return Ok(());
        };
        let (job, attempt, printer) = self.current(spooler, job, number).await?;
        if attempt.state != AttemptState::Assigned {
            // It was handed over, and then something could not be written down.
            drop(busy);
            return self.follow_up(spooler, job.uuid, number).await;
        }
        let way = Way { delivery: self, spooler, job: job.uuid, number };
        let output = match self.options().outputs.of(&printer) {
            Ok(output) => output,
            Err(why) => return way.tell(AttemptEvent::Rejected(why)).await,
        };
        let began = tokio::time::Instant::now();
        let mut asked = self.ask_output(spooler, &*output, &printer).await?;
        if let Some(trouble) = asked.trouble_for(&job) {
            return way.tell(AttemptEvent::Blocked(trouble)).await;
        }
        let prepared = match self.prepare(spooler, &job, &asked.printer).await {
            Ok(prepared) => prepared,
            Err(PrepareError::Refused(why)) => return way.tell(AttemptEvent::Rejected(why)).await,
            Err(PrepareError::Temporary(why)) => {
                tokio::time::sleep(self.timings().pause).await;
                return way.tell(AttemptEvent::RefusedForNow(why)).await;
            }
            Err(PrepareError::Stop(stop)) => return Err(stop),
        };
        if began.elapsed() > self.timings().answer_good_for {
            asked = self.ask_output(spooler, &*output, &printer).await?;
            if let Some(trouble) = asked.trouble_for(&job) {
                return way.tell(AttemptEvent::Blocked(trouble)).await;
            }
        }
        let ticket = prepared.ticket(&job, asked.up_time_secs);
        way.tell(AttemptEvent::HandOver).await?;
        spooler.crash_point("C11").await;
        way.hand_over(&*output, &asked.printer, &prepared, &ticket).await
    }

    /// The job, the attempt if it is still the job's, and the printer.
    pub(crate) async fn current(
        &self,
        spooler: &Spooler,
        job: JobUuid,
        number: AttemptNumber,
    ) -> Result<(Job, Attempt, Printer), Stop> {
        let job = spooler.job(Whose::Everyones, job).await?;
        if job.attempt != Some(number) {
            return Err(Stop::Stale);
        }
        let attempt = self.attempt(spooler, job.uuid, number).await?;
        let printer = spooler.printer(Whose::Everyones, job.printer).await?;
        Ok((job, attempt, printer))
    }

    pub(crate) async fn attempt(
        &self,
        spooler: &Spooler,
        job: JobUuid,
        number: AttemptNumber,
    ) -> Result<Attempt, Stop> {
        let keys = [Key::Attempt(job, number)];
        let rows = spooler.records().read(Whose::Everyones, &keys).await;
        let rows = rows.map_err(|error| Stop::Store(error.into()))?;
        match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Attempt(attempt)) => Ok(attempt),
            _ => Err(Stop::Stale),
        }
    }
}

impl crate::delivery::Asked {
    pub(crate) fn trouble_for(&self, job: &Job) -> Option<tympan_engine::Trouble> {
        self.unreachable.clone().or_else(|| self.printer.trouble_for(&job.options))
    }
}

/// One attempt on its way.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) delivery: &'a Delivery,
    pub(crate) spooler: &'a Spooler,
    pub(crate) job: JobUuid,
    pub(crate) number: AttemptNumber,
}

impl Way<'_> {
    /// Writes down what happened to the attempt.
    pub(crate) async fn tell(&self, event: AttemptEvent) -> Result<(), Stop> {
        debug!(job = %self.job.short(), attempt = self.number.0, event = event.name(), "Attempt moved");
        self.spooler.attempt_event(self.job, self.number, event).await?;
        Ok(())
    }

    pub(crate) async fn job(&self) -> Result<Job, Stop> {
        let job = self.spooler.job(Whose::Everyones, self.job).await?;
        if job.attempt == Some(self.number) { Ok(job) } else { Err(Stop::Stale) }
    }

    async fn pause(&self) {
        tokio::time::sleep(self.delivery.timings().pause).await;
    }

    async fn hand_over(
        &self,
        output: &dyn Output,
        printer: &Printer,
        prepared: &Prepared,
        ticket: &Ticket,
    ) -> Result<(), Stop> {
        let mut wait = self.delivery.timings().busy_first;
        let device = loop {
            match output.create_job(printer, ticket).await {
                Created::Job(device) => {
                    self.spooler.crash_point("C12").await;
                    self.tell(AttemptEvent::DeviceJob(device.clone())).await?;
                    break Some(device);
                }
                Created::NotNeeded => break None,
                Created::Refused { for_now: false, why } => return self.tell(AttemptEvent::Rejected(why)).await,
                Created::Refused { for_now: true, why } => {
                    if !self.wait_while_busy(output, printer, &mut wait).await? {
                        return self.tell(AttemptEvent::RefusedForNow(why)).await;
                    }
                }
                Created::Unclear(why) => {
                    debug!(job = %self.job.short(), why, "No answer to Create-Job");
                    return self.withdraw_unnamed(output, printer, ticket).await;
                }
            }
        };
        if self.job().await?.canceling.is_some() {
            if let Some(device) = &device {
                output.cancel(printer, device).await;
                let ahead = Ahead { sent_all: false, refused: None };
                return self.follow(output, printer, device, &prepared.plan.layout, ahead).await;
            }
            return self.tell(AttemptEvent::Canceled(Some(0))).await;
        }
        self.send(output, printer, prepared, ticket, device).await
    }

    async fn send(
        &self,
        output: &dyn Output,
        printer: &Printer,
        prepared: &Prepared,
        ticket: &Ticket,
        device: Option<DeviceRef>,
    ) -> Result<(), Stop> {
        if device.is_none() {
            // There is no job to ask after: from here on it is not proven that nothing was sent.
            self.tell(AttemptEvent::Sent(1)).await?;
        }
        let reader = match prepared.open(self.spooler).await {
            Ok(reader) => reader,
            Err(why) => return self.withdraw(output, printer, device.as_ref(), &why).await,
        };
        let every = self.delivery.timings().sent_every;
        let watched = Watched::new(reader, ticket.octets, self.spooler, self.job, self.number, every);
        let document = Document { octets: ticket.octets, reader: Box::new(watched) };
        let sent = output.send_document(printer, device.as_ref(), ticket, document).await;
        debug!(job = %self.job.short(), ?sent, "Sent document");
        let layout = &prepared.plan.layout;
        match (sent, device) {
            (Sent::Accepted(named), device) => {
                if let (Some(named), None) = (&named, &device) {
                    self.tell(AttemptEvent::DeviceJob(named.clone())).await?;
                }
                self.tell(AttemptEvent::SentAll).await?;
                self.spooler.crash_point("C14").await;
                info!(job = %self.job.short(), printer = %printer.name, octets = ticket.octets, "Handed job to the printer");
                match device.or(named) {
                    Some(device) => {
                        let ahead = Ahead { sent_all: true, refused: None };
                        self.follow(output, printer, &device, layout, ahead).await
                    }
                    None => self.track(output, printer, layout, true).await,
                }
            }
            (Sent::Taken, _) => {
                self.tell(AttemptEvent::SentAll).await?;
                self.spooler.crash_point("C14").await;
                self.tell(AttemptEvent::Taken).await
            }
            (Sent::Finished, _) => {
                self.tell(AttemptEvent::SentAll).await?;
                self.spooler.crash_point("C14").await;
                self.tell(AttemptEvent::Completed(None)).await
            }
            (Sent::Broken { octets: 0, why }, device) => self.withdraw(output, printer, device.as_ref(), &why).await,
            (Sent::Broken { octets, .. }, Some(device)) => {
                self.tell(AttemptEvent::Sent(octets)).await?;
                let ahead = Ahead { sent_all: false, refused: None };
                self.follow(output, printer, &device, layout, ahead).await
            }
            (Sent::Broken { octets, .. }, None) => {
                self.tell(AttemptEvent::Sent(octets)).await?;
                self.track(output, printer, layout, false).await
            }
            (Sent::Refused { for_now, why, .. }, Some(device)) => {
                let ahead = Ahead { sent_all: false, refused: Some(Refused { for_now, why }) };
                self.follow(output, printer, &device, layout, ahead).await
            }
            (Sent::Refused { for_now: false, why, .. }, None) => self.tell(AttemptEvent::Rejected(why)).await,
            (Sent::Refused { for_now: true, .. }, None) => {
                self.pause().await;
                self.tell(AttemptEvent::NeverArrived).await
            }
        }
    }

    /// Not one octet of the document went out: the empty job is taken back, and the attempt is clean.
    async fn withdraw(
        &self,
        output: &dyn Output,
        printer: &Printer,
        device: Option<&DeviceRef>,
        why: &str,
    ) -> Result<(), Stop> {
        debug!(job = %self.job.short(), why, "Nothing was sent");
        if let Some(device) = device {
            output.cancel(printer, device).await;
        }
        self.pause().await;
        self.tell(AttemptEvent::NeverArrived).await
    }

    /// Create-Job was not answered. A job without a document prints nothing; it is taken back if it is there.
    async fn withdraw_unnamed(&self, output: &dyn Output, printer: &Printer, ticket: &Ticket) -> Result<(), Stop> {
        if let Found::Job(device) = output.find(printer, ticket.short).await {
            output.cancel(printer, &device).await;
        }
        self.pause().await;
        self.tell(AttemptEvent::NeverArrived).await
    }

    /// Waits for a printer that takes no job now; false when it is no use to wait any longer.
    async fn wait_while_busy(&self, output: &dyn Output, printer: &Printer, wait: &mut Duration) -> Result<bool, Stop> {
        tokio::time::sleep(*wait).await;
        *wait = (*wait * 2).min(self.delivery.timings().busy_max);
        let job = self.job().await?;
        if job.canceling.is_some() || job.expired {
            return Ok(false);
        }
        let asked = self.delivery.ask_output(self.spooler, output, printer).await?;
        match asked.trouble_for(&job) {
            None => Ok(true),
            Some(trouble) => {
                begin_outage(self.spooler, &asked.printer, trouble).await?;
                Ok(false)
            }
        }
    }
}

impl Delivery {
    pub(crate) async fn cancel_at_device(
        &self,
        spooler: &Spooler,
        job: JobUuid,
        number: AttemptNumber,
    ) -> Result<(), Stop> {
        let (_, attempt, printer) = self.current(spooler, job, number).await?;
        if attempt.state.is_over() {
            return Ok(());
        }
        let Ok(output) = self.options().outputs.of(&printer) else {
            return Ok(());
        };
        // Whoever is just making the job there looks for a cancel before the document is sent.
        let Some(device) = attempt.device else {
            return Ok(());
        };
        match output.cancel(&printer, &device).await {
            Canceling::Accepted => Ok(()),
            Canceling::NotPossible(why) => {
                debug!(job = %job.short(), why, "The printer does not cancel the job");
                Ok(())
            }
            Canceling::Silent(why) => Err(Stop::Again(format!("the printer did not answer the cancel: {why}"))),
        }
    }
}
