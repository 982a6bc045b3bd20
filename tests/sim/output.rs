//! The way to scripted printers: [`Output`] as the real one over IPP, with the line in between.
//!
//! It says no more than a printer could. What an answer means is decided by the real delivery.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tympan_deliver::output::{
    Answer, Answered, Canceling, Created, Document, Found, JobStatus, Later, Output, Sent, Status, Ticket,
};
use tympan_engine::{DeviceRef, Printer, ShortId};
use tympan_ipp::JobState;

use super::device::{Device, NewJob};
use super::dice::Dice;
use super::life::Life;
use super::model::Model;
use super::mutants::Mutant;

/// Time-out of requests other than the question for the printer's state, as in the real output.
const ANSWER: Duration = Duration::from_secs(30);
/// Octets that cross the line at once.
const PIECE: usize = 700;

pub(super) struct Line {
    pub(super) number: usize,
    pub(super) device: Arc<Mutex<Device>>,
    pub(super) life: Arc<Life>,
    pub(super) model: Arc<Mutex<Model>>,
    pub(super) dice: Mutex<Dice>,
    pub(super) mutant: Option<Mutant>,
}

/// The document's way: when it is dropped before its end, the line is broken.
struct Sending<'a> {
    line: &'a Line,
    id: i32,
    ended: bool,
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let now = self.line.life.now_ms();
            self.line.device(|device| device.line_broke(self.id, now));
        }
    }
}

impl Line {
    fn device<T>(&self, look: impl FnOnce(&mut Device) -> T) -> T {
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        device.advance(self.life.now_ms());
        look(&mut device)
    }

    fn model<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        look(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn chance<T>(&self, throw: impl FnOnce(&mut Dice) -> T) -> T {
        throw(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request goes out: after the time that takes, whether the printer gets it.
    async fn reach(&self, time_out: Duration) -> Result<(), String> {
        self.life.still_alive().await;
        if !self.device(|device| device.on) {
            tokio::time::sleep(time_out).await;
            return Err("it does not answer".into());
        }
        let ms = self.chance(|dice| dice.range(1, 30));
        tokio::time::sleep(Duration::from_millis(ms)).await;
        self.life.still_alive().await;
        if self.device(|device| device.on) { Ok(()) } else { Err("it was switched off".into()) }
    }

    /// The answer goes back, if it does.
    async fn answered(&self, time_out: Duration) -> Result<(), String> {
        let lost = self.device(|device| {
            let lost = device.armed.lost_replies > 0;
            device.armed.lost_replies = device.armed.lost_replies.saturating_sub(1);
            lost
        });
        if lost {
            tokio::time::sleep(time_out).await;
            return Err("the answer was lost".into());
        }
        Ok(())
    }

    fn new_job(ticket: &Ticket) -> NewJob {
        NewJob {
            short: ticket.short,
            copies: ticket.copies.unwrap_or(1),
            duplex: ticket.sides.is_some_and(tympan_engine::Sides::is_duplex),
            ranges: ticket.page_ranges.clone(),
            color: ticket.color,
            media: ticket.media.clone(),
        }
    }

    fn make(&self, ticket: &Ticket) -> (i32, DeviceRef) {
        let now = self.life.now_ms();
        let (id, device) = self.device(|device| {
            let id = device.create(Self::new_job(ticket), now);
            let job_uuid = device.jobs.get(&id).map_or_else(String::new, |job| job.uuid.clone());
            let printer_up_time = ticket.up_time_secs.unwrap_or(0);
            (id, DeviceRef { job_id: id, job_uri: format!("ipp://sim/{id}"), job_uuid, printer_up_time })
        });
        let serial = self.device(|device| device.jobs.get(&id).map_or(0, |job| job.serial));
        self.model(|model| model.device_job_made(self.number, serial, ticket.short, now));
        (id, device)
    }

    fn status_of(&self, id: i32, short: ShortId, uuid: &str) -> Status {
        self.device(|device| {
            let counts = device.traits.counts;
            let Some(job) = device.jobs.get(&id) else {
                return Status::Unknown;
            };
            // As the real output: numbers are used again.
            if job.short != short || (!uuid.is_empty() && job.uuid != uuid) {
                return Status::Unknown;
            }
            let reason = match job.state {
                _ if job.is_incoming() => "job-incoming",
                JobState::Processing if job.done > 0 => "job-printing",
                JobState::ProcessingStopped => "printer-stopped",
                _ => "none",
            };
            let reasons = if reason == "none" { Vec::new() } else { vec![reason.to_owned()] };
            Status::Job(JobStatus { state: job.state, reasons, impressions: counts.then_some(job.done), sheets: None })
        })
    }

    async fn ask_it(&self, printer: &Printer) -> Answer {
        if self.reach(Duration::from_millis(printer.policy.time_out_ms)).await.is_err() {
            return Answer::Silent;
        }
        self.device(|device| {
            if device.armed.nonsense > 0 {
                device.armed.nonsense -= 1;
                return Answer::Faulty("its answer has an attribute twice".into());
            }
            Answer::Answered(Box::new(Answered {
                condition: device.condition(),
                profile: Some(device.profile()),
                up_time_secs: Some(device.up_time_secs(self.life.now_ms())),
                fingerprint: None,
            }))
        })
    }

    async fn create_it(&self, ticket: &Ticket) -> Created {
        if !self.device(|device| device.traits.creates) {
            return Created::NotNeeded;
        }
        if let Err(why) = self.reach(ANSWER).await {
            return Created::Unclear(why);
        }
        let now = self.life.now_ms();
        let refusal = self.device(|device| {
            if device.busy_until_ms > now || !device.accepting {
                return Some(Created::Refused { for_now: true, why: "it is busy".into() });
            }
            if device.armed.refuses > 0 {
                device.armed.refuses -= 1;
                return Some(Created::Refused { for_now: false, why: "it does not take this format".into() });
            }
            None
        });
        if let Some(refusal) = refusal {
            if matches!(refusal, Created::Refused { for_now: false, .. }) {
                self.model(|model| model.refused(ticket.short));
            }
            return refusal;
        }
        let (_, device) = self.make(ticket);
        match self.answered(ANSWER).await {
            Ok(()) => Created::Job(device),
            Err(why) => Created::Unclear(why),
        }
    }

    async fn send_it(&self, named: Option<&DeviceRef>, ticket: &Ticket, mut document: Document) -> Sent {
        if let Err(why) = self.reach(ANSWER).await {
            return Sent::Broken { octets: 0, why };
        }
        let now = self.life.now_ms();
        let (id, made) = match named {
            Some(device) => (device.job_id, None),
            None => {
                if self.device(|device| device.busy_until_ms > now || !device.accepting) {
                    return Sent::Refused { for_now: true, why: "it is busy".into(), octets: 0 };
                }
                let (id, device) = self.make(ticket);
                (id, Some(device))
            }
        };
        let serial =
            self.device(|device| device.jobs.get(&id).filter(|job| job.short == ticket.short).map(|job| job.serial));
        let Some(serial) = serial else {
            return Sent::Refused { for_now: true, why: "there is no such job".into(), octets: 0 };
        };
        self.model(|model| model.document_begins(serial, ticket.short, named));
        let mut sending = Sending { line: self, id, ended: false };
        let drop_at = self.device(|device| device.armed.drop_at.take());
        let mut sent = 0;
        let mut piece = [0; PIECE];
        loop {
            let most = drop_at.map_or(PIECE as u64, |at| at.saturating_sub(sent).min(PIECE as u64)) as usize;
            if most == 0 {
                return Sent::Broken { octets: sent, why: "the line broke".into() };
            }
            let read = match document.reader.read(&mut piece[..most]).await {
                Ok(read) => read,
                Err(error) => {
                    return Sent::Broken { octets: sent, why: error.to_string() };
                }
            };
            if read == 0 {
                break;
            }
            self.life.still_alive().await;
            let pause = self.chance(|dice| if dice.percent(20) { dice.range(1, 400) } else { 0 });
            if pause > 0 {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            self.life.still_alive().await;
            // What was read was given to the network, whatever came of it.
            sent += read as u64;
            let now = self.life.now_ms();
            if !self.device(|device| device.on && device.take(id, &piece[..read], now)) {
                return Sent::Broken { octets: sent, why: "the printer closed the line".into() };
            }
        }
        if sent != document.octets {
            self.model(|model| model.broken(format!("a document of {} octets had {sent}", document.octets)));
        }
        let now = self.life.now_ms();
        let refused = self.device(|device| {
            let refused = device.armed.refuses_data > 0;
            device.armed.refuses_data = device.armed.refuses_data.saturating_sub(1);
            if refused {
                device.cancel(id, now);
            }
            refused
        });
        if refused {
            sending.ended = true;
            self.model(|model| model.refused(ticket.short));
            return Sent::Refused { for_now: false, why: "it cannot read the document".into(), octets: sent };
        }
        sending.ended = self.device(|device| device.taken(id, now));
        if !sending.ended {
            return Sent::Broken { octets: sent, why: "the printer closed the line".into() };
        }
        match self.answered(ANSWER).await {
            Ok(()) => Sent::Accepted(made),
            Err(why) => Sent::Broken { octets: sent, why },
        }
    }

    async fn find_it(&self, short: ShortId) -> Found {
        if let Err(why) = self.reach(ANSWER).await {
            return Found::Silent(why);
        }
        if let Err(why) = self.answered(ANSWER).await {
            return Found::Silent(why);
        }
        let now = self.life.now_ms();
        self.device(|device| {
            let up_time = device.up_time_secs(now);
            // Unfinished jobs are listed first; of the others the newest comes first.
            let mut ours = device.jobs.iter().filter(|(_, job)| job.short == short);
            let ours = ours.clone().find(|(_, job)| !job.is_over()).or(ours.next_back());
            if let Some((id, job)) = ours {
                return Found::Job(DeviceRef {
                    job_id: *id,
                    job_uri: format!("ipp://sim/{id}"),
                    job_uuid: job.uuid.clone(),
                    printer_up_time: up_time,
                });
            }
            // As the real output: no list proves that it never had the job.
            Found::CannotTell
        })
    }

    async fn cancel_it(&self, named: &DeviceRef) -> Canceling {
        if let Err(why) = self.reach(ANSWER).await {
            return Canceling::Silent(why);
        }
        let now = self.life.now_ms();
        let done = self.device(|device| {
            let ours = device.jobs.get(&named.job_id).is_some_and(|job| job.uuid == named.job_uuid);
            ours && device.cancel(named.job_id, now)
        });
        if let Err(why) = self.answered(ANSWER).await {
            return Canceling::Silent(why);
        }
        if done { Canceling::Accepted } else { Canceling::NotPossible("it is over".into()) }
    }
}

impl Output for Line {
    fn ask<'a>(&'a self, printer: &'a Printer) -> Later<'a, Answer> {
        Box::pin(self.ask_it(printer))
    }

    fn create_job<'a>(&'a self, _: &'a Printer, ticket: &'a Ticket) -> Later<'a, Created> {
        Box::pin(self.create_it(ticket))
    }

    fn send_document<'a>(
        &'a self,
        _: &'a Printer,
        device: Option<&'a DeviceRef>,
        ticket: &'a Ticket,
        document: Document,
    ) -> Later<'a, Sent> {
        Box::pin(async move {
            match self.send_it(device, ticket, document).await {
                // Wrong: all of it may be there.
                Sent::Broken { why, .. } if self.mutant == Some(Mutant::RepeatsAfterLoss) => {
                    Sent::Broken { octets: 0, why }
                }
                sent => sent,
            }
        })
    }

    fn status<'a>(&'a self, _: &'a Printer, device: &'a DeviceRef, short: ShortId) -> Later<'a, Status> {
        Box::pin(async move {
            if let Err(why) = self.reach(ANSWER).await {
                return Status::Silent(why);
            }
            if let Err(why) = self.answered(ANSWER).await {
                return Status::Silent(why);
            }
            match self.status_of(device.job_id, short, &device.job_uuid) {
                // Wrong: it proves what nobody knows.
                Status::Unknown if self.mutant == Some(Mutant::TakesForgottenForAborted) => Status::Job(JobStatus {
                    state: JobState::Aborted,
                    reasons: Vec::new(),
                    impressions: Some(0),
                    sheets: None,
                }),
                status => status,
            }
        })
    }

    fn find<'a>(&'a self, _: &'a Printer, short: ShortId) -> Later<'a, Found> {
        Box::pin(self.find_it(short))
    }

    fn cancel<'a>(&'a self, _: &'a Printer, device: &'a DeviceRef) -> Later<'a, Canceling> {
        Box::pin(self.cancel_it(device))
    }

    fn can_confirm(&self) -> bool {
        true
    }
}
