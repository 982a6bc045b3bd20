//! Job state machine (RFC 8011 section 5.3.7 and 5.3.8, PWG 5100.18 section 8).
//!
//! A job moves only in [`Job::apply`]. Why a job waits is a set of reasons ([`HoldReason`]), never an
//! extra state; a printer that is off does not hold a job. In doubt is `processing-stopped` with a
//! [`Doubt`]; the device is free for other jobs meanwhile.

use crate::{
    AttemptNumber, DocumentId, DoubtPolicy, Effect, Evidence, Fence, JobId, JobOptions, JobUuid, Millis, NoticeKind,
    OwnerId, PrinterUuid, Private, Refusal, ShortId, Timestamp,
};
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tympan_ipp::JobState;

pub use crate::job_event::JobEvent;
pub use crate::parts::{
    AttemptEnd, Doubt, DoubtDecision, HoldReason, Incoming, JobDocument, JobSource, Originator, Outcome, Pin, PutBack,
    Rendition,
};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Whose printer it is at.
    pub owner: OwnerId,
    /// The key.
    pub uuid: JobUuid,
    /// "job-id" at its printer; also the order of acceptance.
    pub id: JobId,
    /// The printer.
    pub printer: PrinterUuid,
    /// "job-name".
    pub name: Private<String>,
    /// Whose job it is.
    pub originator: Originator,
    /// Where it came from.
    pub source: JobSource,
    /// "job-priority", 1 to 100. Default 50.
    pub priority: u8,
    /// How it is to be printed.
    pub options: JobOptions,
    /// "job-state".
    #[serde(with = "state_number")]
    pub state: JobState,
    /// Why it is held; held while not empty.
    pub holds: BTreeSet<HoldReason>,
    /// Whether its documents were found and counted; until then later jobs pass.
    pub ready: bool,
    /// What was received, kept until the documents in it are stored by themselves.
    #[serde(default, deserialize_with = "one_or_more")]
    pub received: Vec<JobDocument>,
    /// Documents are still to come.
    #[serde(default)]
    pub incoming: Option<Incoming>,
    /// When it is let go by itself; held by [`HoldReason::Time`] until then.
    #[serde(default)]
    pub release_at: Option<Timestamp>,
    /// What somebody has to know to let it go; held by [`HoldReason::PinRelease`] until then.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// Its documents.
    pub documents: Vec<JobDocument>,
    /// Print data, where it is stored.
    pub rendition: Option<Rendition>,
    /// Things to tell its sender about its parts, in words (English); told once.
    pub remarks: Vec<String>,
    /// First page to print, from 1; more than 1 after a partial reprint was decided.
    pub first_page: u32,
    /// Print a mark that this is a reprint and what may exist already.
    pub mark: Option<String>,
    /// Grows with each assignment.
    pub fence: Fence,
    /// How many attempts there were.
    pub attempts: u32,
    /// The attempt under way.
    pub attempt: Option<AttemptNumber>,
    /// Whether the attempt under way was handed to the device.
    pub handed: bool,
    /// "job-impressions-completed".
    pub impressions_completed: u32,
    /// Clean failures at the device in a row.
    pub failures: u32,
    /// The device would not take it, the last time it was tried.
    #[serde(default)]
    pub put_back: Option<PutBack>,
    /// What nobody knows.
    pub doubt: Option<Doubt>,
    /// Who asked to cancel while it prints; nobody (empty) where its time is over and it stands still.
    pub canceling: Option<Private<String>>,
    /// Retention ended while it was handed over; decided when the attempt ends.
    pub expired: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// "time-at-creation".
    pub created_at: Timestamp,
    /// When it first could be printed.
    pub ready_at: Option<Timestamp>,
    /// "time-at-processing".
    pub processing_at: Option<Timestamp>,
    /// "time-at-completed".
    pub completed_at: Option<Timestamp>,
    /// Kept until then, if it is not printed before.
    pub keep_until: Timestamp,
    /// How often it is tried again, in milliseconds.
    pub retry_interval_ms: Millis,
    /// Its data is gone.
    pub content_deleted: bool,
}

/// Reads what earlier versions stored, which had at most one.
fn one_or_more<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<JobDocument>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        More(Vec<JobDocument>),
        One(Option<JobDocument>),
    }
    Ok(match Stored::deserialize(d)? {
        Stored::More(more) => more,
        Stored::One(one) => one.into_iter().collect(),
    })
}

mod state_number {
    use serde::{Deserialize, Deserializer, Serializer};
    use tympan_ipp::JobState;

    pub(super) fn serialize<S: Serializer>(state: &JobState, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i32(state.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<JobState, D::Error> {
        JobState::from_number(i32::deserialize(d)?).ok_or_else(|| serde::de::Error::custom("no such job-state"))
    }
}

/// How many clean failures at the device end a job.
pub const FAILURES_MAX: u32 = 3;

/// How long a job waits after the device would not take it for the second time, in milliseconds.
pub const PUT_BACK_PAUSE: Millis = 4_000;

/// Documents of one job (`reliability.md` section 6).
pub const DOCUMENTS_MAX: usize = 20;

/// What the job must know of its printer when it moves.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// What happens in doubt.
    pub doubt: DoubtPolicy,
    /// How long a doubt waits for a decision.
    pub doubt_ms: Millis,
    /// How long data of a printed job is kept.
    pub reprint_window_ms: Millis,
    /// When the printer's last outage ended, to tell whether the job had to wait.
    pub outage_ended_at: Option<Timestamp>,
}

impl Job {
    /// What people see for it.
    pub fn short(&self) -> ShortId {
        self.uuid.short()
    }

    /// Whether it has ended.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, JobState::Canceled | JobState::Aborted | JobState::Completed)
    }

    /// Sides of one copy, as far as known.
    pub fn pages(&self) -> u32 {
        self.documents.iter().map(|document| document.pages).fold(0, u32::saturating_add)
    }

    /// Copies to print.
    pub fn copies(&self) -> u16 {
        self.options.copies.unwrap_or(1)
    }

    /// Whether an attempt may be assigned now.
    pub fn is_waiting(&self) -> bool {
        self.state == JobState::Pending && self.ready
    }

    /// Until when it is not tried again because the device would not take it; a report of the printer's own ends
    /// this. The first time costs nothing, then the pause doubles up to the retry interval.
    pub fn put_back_until(&self, reported_at: Option<Timestamp>) -> Option<Timestamp> {
        let put_back = self.put_back.as_ref().filter(|put_back| put_back.times > 1)?;
        if reported_at.is_some_and(|at| at > put_back.at) {
            return None;
        }
        let pause = PUT_BACK_PAUSE << (put_back.times - 2).min(20);
        Some(put_back.at + pause.min(self.retry_interval_ms.max(1)))
    }

    /// When something is due for it; see [`crate::retain::due`].
    pub fn due_at(&self) -> Timestamp {
        let soonest = [self.incoming.map(|incoming| incoming.until), self.release_at].into_iter().flatten().min();
        soonest.map_or(self.keep_until, |at| at.min(self.keep_until))
    }

    /// "job-state-reasons" that follow from the job alone.
    pub fn reasons(&self) -> Vec<&'static str> {
        let mut reasons: Vec<&'static str> = self.holds.iter().map(|hold| hold.keyword()).collect();
        match self.state {
            JobState::Pending | JobState::PendingHeld if !self.ready && self.incoming.is_none() => {
                reasons.push("job-transforming");
            }
            JobState::Processing => {
                reasons.push(if self.impressions_completed > 0 { "job-printing" } else { "job-outgoing" });
            }
            JobState::ProcessingStopped => {
                reasons.push(if self.doubt.is_some() { "tympan-in-doubt" } else { "printer-stopped" });
            }
            JobState::Completed => reasons.push("job-completed-successfully"),
            JobState::Canceled => reasons.push(match self.outcome {
                Some(Outcome::CanceledAtDevice) => "job-canceled-at-device",
                _ => "job-canceled-by-user",
            }),
            JobState::Aborted => reasons.push("aborted-by-system"),
            JobState::Pending | JobState::PendingHeld => {}
        }
        if self.canceling.is_some() && !self.is_over() {
            reasons.push("processing-to-stop-point");
        }
        reasons.dedup();
        reasons
    }

    /// Every stored document the job holds on to.
    pub fn stored(&self) -> Vec<DocumentId> {
        let mut ids: Vec<DocumentId> = Vec::new();
        if !self.content_deleted {
            ids.extend(self.received.iter().map(|document| document.id));
            ids.extend(self.documents.iter().map(|document| document.id));
            ids.extend(self.rendition.iter().map(|rendition| rendition.id));
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Moves the job.
    ///
    /// # Errors
    /// A [`Refusal`]; the job is unchanged then.
    pub fn apply(&mut self, event: JobEvent, with: Surroundings, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        match self.state {
            JobState::Pending | JobState::PendingHeld => self.pending(event, with, now),
            JobState::Processing => self.processing(event, with, now),
            JobState::ProcessingStopped if self.doubt.is_some() => self.in_doubt(event, with, now),
            JobState::ProcessingStopped => self.processing(event, with, now),
            JobState::Canceled | JobState::Aborted | JobState::Completed => self.over(event, now),
        }
    }

    fn pending(&mut self, event: JobEvent, with: Surroundings, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        use JobEvent as E;
        match event {
            E::Expecting => {
                let incoming = self.incoming.as_mut().ok_or(Refusal::NotPossible)?;
                incoming.until = now + incoming.time_out_ms;
                Ok(Vec::new())
            }
            E::Received(document) => {
                let incoming = self.incoming.as_mut().ok_or(Refusal::NotPossible)?;
                if self.received.len() >= DOCUMENTS_MAX {
                    return Err(Refusal::TooManyDocuments);
                }
                incoming.until = now + incoming.time_out_ms;
                self.received.push(document);
                Ok(Vec::new())
            }
            E::Closed => {
                self.incoming.take().ok_or(Refusal::NotPossible)?;
                self.holds.remove(&HoldReason::DocumentIncoming);
                self.settle();
                if self.received.is_empty() {
                    let why = "no document came".to_string();
                    self.remarks = vec![why.clone()];
                    return Ok(self.end(JobState::Aborted, Outcome::Unprintable { why }, with, now));
                }
                Ok(vec![Effect::Inspect { job: self.uuid }])
            }
            E::Inspected { .. } | E::Unprintable { .. } if self.incoming.is_some() => Err(Refusal::NotReady),
            E::Inspected { documents, remarks, review } => {
                let before = self.stored();
                self.received = Vec::new();
                self.documents = documents;
                self.ready = true;
                self.ready_at = Some(now);
                let mut effects = self.released_since(&before);
                if !remarks.is_empty() {
                    self.remarks = remarks;
                    effects.push(self.notify(NoticeKind::Remarks));
                }
                if review {
                    self.holds.insert(HoldReason::Review);
                    effects.push(self.notify(NoticeKind::Review));
                }
                self.settle();
                effects.push(self.wake());
                Ok(effects)
            }
            E::Unprintable { remarks } => {
                let why = remarks.join(" ");
                self.remarks = remarks;
                Ok(self.end(JobState::Aborted, Outcome::Unprintable { why }, with, now))
            }
            E::Stored { rendition, drop_source } => {
                let before = self.stored();
                self.rendition = Some(rendition);
                if drop_source {
                    // The list of documents stays for people; the bytes are the rendition's now.
                    let id = self.rendition.as_ref().map(|rendition| rendition.id);
                    for document in &mut self.documents {
                        document.id = id.unwrap_or(document.id);
                    }
                    self.received = Vec::new();
                }
                Ok(self.released_since(&before))
            }
            E::Hold(reason) => {
                self.holds.insert(reason);
                self.settle();
                Ok(Vec::new())
            }
            E::HoldUntil(until) => {
                self.release_at = Some(until);
                self.holds.insert(HoldReason::Time);
                self.settle();
                Ok(Vec::new())
            }
            E::WrongPin => {
                let pin = self.pin.as_mut().ok_or(Refusal::NotPossible)?;
                pin.wrong = pin.wrong.saturating_add(1);
                Ok(Vec::new())
            }
            E::Changed { options, name, priority } => {
                self.priority = priority;
                self.name = name;
                if options == self.options {
                    return Ok(vec![self.wake()]);
                }
                // What was drawn for the old way is of no use.
                let before = self.stored();
                self.options = options;
                self.rendition = None;
                let mut effects = self.released_since(&before);
                effects.push(self.wake());
                Ok(effects)
            }
            E::DocumentCanceled(place) => self.document_canceled(place, with, now),
            E::Unhold(reason) => {
                self.holds.remove(&reason);
                match reason {
                    HoldReason::Time => self.release_at = None,
                    HoldReason::PinRelease => self.pin = None,
                    _ => {}
                }
                self.settle();
                if self.state == JobState::Pending {
                    self.ready_at = self.ready_at.map(|_| now);
                }
                Ok(vec![self.wake()])
            }
            E::Assigned(attempt, fence) => {
                if !self.is_waiting() {
                    return Err(Refusal::NotReady);
                }
                if fence <= self.fence {
                    return Err(Refusal::Stale);
                }
                self.state = JobState::Processing;
                self.attempt = Some(attempt);
                self.attempts = self.attempts.max(attempt.0);
                self.fence = fence;
                self.handed = false;
                Ok(vec![Effect::Deliver { job: self.uuid, attempt }])
            }
            E::Cancel(by) => Ok(self.end(JobState::Canceled, Outcome::Canceled { by }, with, now)),
            E::Expire => Ok(self.end(JobState::Aborted, Outcome::Expired, with, now)),
            E::KeepUntil(until) => self.keep(until),
            E::RetryEvery(span) => self.retry_every(span),
            E::TryNow => {
                self.put_back = None;
                Ok(vec![self.wake()])
            }
            E::Handed(_) | E::Progress(..) | E::Stopped(_) | E::Resumed(_) | E::Ended(..) => Err(Refusal::Stale),
            E::Decide(_) => Err(Refusal::NoDoubt),
            E::DropContent => Err(Refusal::NotPossible),
        }
    }

    fn processing(&mut self, event: JobEvent, with: Surroundings, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        use JobEvent as E;
        match event {
            E::Handed(attempt) => {
                self.current(attempt)?;
                self.handed = true;
                self.processing_at = self.processing_at.or(Some(now));
                Ok(Vec::new())
            }
            E::Progress(attempt, impressions) => {
                self.current(attempt)?;
                self.impressions_completed = impressions;
                Ok(Vec::new())
            }
            E::Stopped(attempt) => {
                self.current(attempt)?;
                self.state = JobState::ProcessingStopped;
                // Its sender, and whoever waits behind it, is to be told.
                let mut effects = vec![self.wake()];
                effects.extend(self.withdrawn());
                Ok(effects)
            }
            E::Resumed(attempt) => {
                self.current(attempt)?;
                self.state = JobState::Processing;
                Ok(Vec::new())
            }
            E::Ended(attempt, end) => {
                self.current(attempt)?;
                self.attempt = None;
                self.handed = false;
                Ok(self.ended(attempt, end, with, now))
            }
            E::Cancel(by) => {
                if self.canceling.is_some() {
                    return Err(Refusal::AlreadyCanceling);
                }
                if !self.handed {
                    // Before hand-over a cancel always wins: the attempt is stale from here on.
                    self.fence = Fence(self.fence.0 + 1);
                    self.attempt = None;
                    let mut effects = self.end(JobState::Canceled, Outcome::Canceled { by }, with, now);
                    effects.push(self.wake());
                    return Ok(effects);
                }
                self.canceling = Some(by);
                Ok(self.attempt.map(|attempt| Effect::CancelAtDevice { job: self.uuid, attempt }).into_iter().collect())
            }
            E::Expire => {
                if self.handed {
                    // What is coming out comes out; what stands still is taken back.
                    self.expired = true;
                    return Ok(self.withdrawn());
                }
                self.fence = Fence(self.fence.0 + 1);
                self.attempt = None;
                Ok(self.end(JobState::Aborted, Outcome::Expired, with, now))
            }
            E::Stored { rendition, drop_source: _ } => {
                let before = self.stored();
                self.rendition = Some(rendition);
                Ok(self.released_since(&before))
            }
            E::KeepUntil(_) if self.is_withdrawn() => Err(Refusal::AlreadyCanceling),
            E::KeepUntil(until) => self.keep(until),
            E::RetryEvery(span) => self.retry_every(span),
            E::Hold(_) | E::HoldUntil(_) | E::Changed { .. } | E::DocumentCanceled(_) => Err(Refusal::Printing),
            E::Unhold(_) | E::TryNow => Ok(Vec::new()),
            E::Assigned(..)
            | E::Inspected { .. }
            | E::Unprintable { .. }
            | E::DropContent
            | E::Expecting
            | E::Received(_)
            | E::Closed
            | E::WrongPin => Err(Refusal::NotPossible),
            E::Decide(_) => Err(Refusal::NoDoubt),
        }
    }

    fn ended(&mut self, attempt: AttemptNumber, end: AttemptEnd, with: Surroundings, now: Timestamp) -> Vec<Effect> {
        let withdrawn = self.is_withdrawn();
        if let (Some(by), false) = (self.canceling.take(), matches!(end, AttemptEnd::Printed(_))) {
            // Whether its sheets came out is asked as ever; what is certain is told with the end.
            return match (withdrawn, end) {
                (false, _) => self.end(JobState::Canceled, Outcome::Canceled { by }, with, now),
                (true, AttemptEnd::InDoubt { certain, possible, why }) => {
                    self.in_doubt_about(attempt, (certain, possible), why, with, now)
                }
                (true, AttemptEnd::Canceled(sides)) => {
                    self.impressions_completed = self.impressions_completed.max(sides);
                    self.end(JobState::Aborted, Outcome::Expired, with, now)
                }
                (true, _) => self.end(JobState::Aborted, Outcome::Expired, with, now),
            };
        }
        match end {
            AttemptEnd::Printed(evidence) => {
                let waited = self.ready_at.is_some_and(|at| with.outage_ended_at.is_some_and(|end| end > at));
                let mut effects = self.end(JobState::Completed, Outcome::Printed { evidence }, with, now);
                if waited || self.options.receipt {
                    effects.push(self.notify(NoticeKind::Printed));
                }
                effects
            }
            AttemptEnd::Canceled(_) => self.end(JobState::Canceled, Outcome::CanceledAtDevice, with, now),
            AttemptEnd::Rejected(why) => {
                self.remarks = vec![why.clone()];
                self.end(JobState::Aborted, Outcome::Unprintable { why }, with, now)
            }
            AttemptEnd::InDoubt { certain, possible, why } => {
                self.in_doubt_about(attempt, (certain, possible), why, with, now)
            }
            AttemptEnd::AbortedClean => {
                self.failures += 1;
                if self.failures >= FAILURES_MAX {
                    let why = "the printer aborted it each time".to_string();
                    self.remarks = vec![why.clone()];
                    return self.end(JobState::Aborted, Outcome::Unprintable { why }, with, now);
                }
                self.again(with, now)
            }
            AttemptEnd::Blocked(_) => {
                // Its trouble has a name and a time of its own.
                self.put_back = None;
                self.again(with, now)
            }
            AttemptEnd::RefusedForNow(why) => self.put_back(why, with, now),
            AttemptEnd::NeverStarted => self.put_back(String::new(), with, now),
        }
    }

    /// The device counts what it was sent: pages from first_page on, all copies one after the other.
    fn in_doubt_about(
        &mut self,
        attempt: AttemptNumber,
        (certain, possible): (u32, u32),
        why: String,
        with: Surroundings,
        now: Timestamp,
    ) -> Vec<Effect> {
        let before = self.first_page - 1;
        let pages = self.pages();
        let (certain, possible) = match self.copies() {
            1 => ((before + certain).min(pages), (before + possible).min(pages)),
            _ => (0, pages),
        };
        self.doubted(Doubt { attempt, certain, possible, why, since: now }, with, now)
    }

    /// Takes a job back that stands still at the printer although its time is over.
    fn withdrawn(&mut self) -> Vec<Effect> {
        let stands = self.expired && self.state == JobState::ProcessingStopped && self.canceling.is_none();
        let (true, Some(attempt)) = (stands, self.attempt) else {
            return Vec::new();
        };
        self.canceling = Some(String::new().into());
        vec![Effect::CancelAtDevice { job: self.uuid, attempt }]
    }

    /// Whether its time was over when a part of it had come out.
    pub fn is_partly_printed(&self) -> bool {
        self.outcome == Some(Outcome::Expired) && self.impressions_completed > 0
    }

    /// Whether it is being taken back from the printer because its time is over.
    pub fn is_withdrawn(&self) -> bool {
        self.expired && self.canceling.as_ref().is_some_and(|by| by.is_empty())
    }

    fn put_back(&mut self, why: String, with: Surroundings, now: Timestamp) -> Vec<Effect> {
        let times = self.put_back.as_ref().map_or(0, |before| before.times).saturating_add(1);
        self.put_back = Some(PutBack { times, at: now, why });
        self.again(with, now)
    }

    fn again(&mut self, with: Surroundings, now: Timestamp) -> Vec<Effect> {
        if self.expired {
            return self.end(JobState::Aborted, Outcome::Expired, with, now);
        }
        self.state = JobState::Pending;
        self.impressions_completed = 0;
        self.settle();
        vec![self.wake()]
    }

    fn doubted(&mut self, doubt: Doubt, with: Surroundings, now: Timestamp) -> Vec<Effect> {
        match with.doubt {
            // Pages may exist: it was not simply kept too long.
            DoubtPolicy::Reprint if self.expired => self.end(JobState::Aborted, Outcome::DoubtClosed, with, now),
            // A reprint that is in doubt again would never end.
            DoubtPolicy::Reprint if self.mark.is_none() => {
                self.mark = Some(self.reprint_mark(&doubt));
                self.first_page = if self.copies() == 1 { self.resume_page(doubt.certain) } else { 1 };
                self.again(with, now)
            }
            DoubtPolicy::Ask | DoubtPolicy::Reprint => {
                self.keep_until = self.keep_until.max(now + with.doubt_ms);
                // The doubt has a time of its own, at whose end it is closed.
                self.expired = false;
                self.state = JobState::ProcessingStopped;
                self.doubt = Some(doubt);
                vec![self.notify(NoticeKind::InDoubt), self.wake()]
            }
            DoubtPolicy::Drop => self.end(JobState::Aborted, Outcome::DoubtClosed, with, now),
        }
    }

    /// The page to go on from, one sheet earlier than certain so that nothing is missing.
    fn resume_page(&self, certain: u32) -> u32 {
        let overlap = if self.options.sides.is_some_and(crate::Sides::is_duplex) { 2 } else { 1 };
        (certain + 1).saturating_sub(overlap).max(1)
    }

    fn reprint_mark(&self, doubt: &Doubt) -> String {
        match doubt.possible {
            0 => alloc::format!("REPRINT of {}", self.short()),
            1 => alloc::format!("REPRINT of {}, page 1 may exist already", self.short()),
            last => alloc::format!("REPRINT of {}, pages 1-{last} may exist already", self.short()),
        }
    }

    fn in_doubt(&mut self, event: JobEvent, with: Surroundings, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        use JobEvent as E;
        match event {
            E::Decide(decision) => {
                let Some(doubt) = self.doubt.clone() else {
                    return Err(Refusal::NoDoubt);
                };
                match decision {
                    DoubtDecision::PrintFrom(page) => {
                        if page < 1 || page > self.pages().max(1) {
                            return Err(Refusal::NoSuchPage);
                        }
                        self.mark = Some(self.reprint_mark(&doubt));
                        self.first_page = page;
                    }
                    DoubtDecision::PrintAll => {
                        self.mark = Some(self.reprint_mark(&doubt));
                        self.first_page = 1;
                    }
                    DoubtDecision::ItIsFine => {
                        let printed = Outcome::Printed { evidence: Evidence::E5 };
                        return Ok(self.end(JobState::Completed, printed, with, now));
                    }
                    DoubtDecision::ThrowAway => {
                        let by = self.originator.address.clone();
                        return Ok(self.end(JobState::Canceled, Outcome::Canceled { by }, with, now));
                    }
                }
                self.doubt = None;
                self.expired = false;
                Ok(self.again(with, now))
            }
            E::Cancel(by) => Ok(self.end(JobState::Canceled, Outcome::Canceled { by }, with, now)),
            E::Expire => Ok(self.end(JobState::Aborted, Outcome::DoubtClosed, with, now)),
            E::KeepUntil(until) => self.keep(until),
            E::RetryEvery(span) => self.retry_every(span),
            E::Unhold(_) => Ok(Vec::new()),
            E::Hold(_) | E::HoldUntil(_) | E::Changed { .. } | E::DocumentCanceled(_) | E::TryNow => {
                Err(Refusal::InDoubt)
            }
            E::Handed(_) | E::Progress(..) | E::Stopped(_) | E::Resumed(_) | E::Ended(..) => Err(Refusal::Stale),
            E::Assigned(..) => Err(Refusal::InDoubt),
            E::Inspected { .. }
            | E::Unprintable { .. }
            | E::Stored { .. }
            | E::DropContent
            | E::Expecting
            | E::Received(_)
            | E::Closed
            | E::WrongPin => Err(Refusal::NotPossible),
        }
    }

    fn over(&mut self, event: JobEvent, _now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        use JobEvent as E;
        match event {
            E::DropContent => Ok(self.drop_content()),
            E::Handed(_) | E::Progress(..) | E::Stopped(_) | E::Resumed(_) | E::Ended(..) | E::Assigned(..) => {
                Err(Refusal::Stale)
            }
            E::Expecting
            | E::Received(_)
            | E::Closed
            | E::HoldUntil(_)
            | E::WrongPin
            | E::Changed { .. }
            | E::DocumentCanceled(_)
            | E::Inspected { .. }
            | E::Unprintable { .. }
            | E::Stored { .. }
            | E::Hold(_)
            | E::Unhold(_)
            | E::Cancel(_)
            | E::Expire
            | E::Decide(_)
            | E::KeepUntil(_)
            | E::RetryEvery(_)
            | E::TryNow => Err(Refusal::JobEnded),
        }
    }

    fn end(&mut self, state: JobState, outcome: Outcome, with: Surroundings, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match &outcome {
            Outcome::Expired => effects.push(self.notify(NoticeKind::Expired)),
            Outcome::DoubtClosed | Outcome::Unprintable { .. } => effects.push(self.notify(NoticeKind::Aborted)),
            Outcome::Printed { .. } | Outcome::Canceled { .. } | Outcome::CanceledAtDevice => {}
        }
        let printed = matches!(outcome, Outcome::Printed { .. });
        self.state = state;
        self.outcome = Some(outcome);
        self.completed_at = Some(now);
        self.canceling = None;
        self.doubt = None;
        self.holds.clear();
        self.incoming = None;
        self.release_at = None;
        self.pin = None;
        self.attempt = None;
        self.handed = false;
        if !printed || with.reprint_window_ms == 0 {
            effects.extend(self.drop_content());
        } else {
            self.keep_until = now + with.reprint_window_ms;
        }
        effects
    }

    fn drop_content(&mut self) -> Vec<Effect> {
        let documents = self.stored();
        self.content_deleted = true;
        self.received = Vec::new();
        self.rendition = None;
        if documents.is_empty() { Vec::new() } else { vec![Effect::Release { documents }] }
    }

    fn document_canceled(&mut self, place: usize, with: Surroundings, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        let before = self.stored();
        let list = if self.ready { &mut self.documents } else { &mut self.received };
        if place >= list.len() {
            return Err(Refusal::NoSuchDocument);
        }
        list.remove(place);
        self.rendition = None;
        if self.documents.is_empty() && self.received.is_empty() && self.incoming.is_none() {
            // Its content goes with the job.
            let mut effects = self.released_since(&before);
            let by = self.originator.address.clone();
            effects.extend(self.end(JobState::Canceled, Outcome::Canceled { by }, with, now));
            return Ok(effects);
        }
        Ok(self.released_since(&before))
    }

    fn released_since(&self, before: &[DocumentId]) -> Vec<Effect> {
        let after = self.stored();
        let documents: Vec<_> = before.iter().copied().filter(|id| !after.contains(id)).collect();
        if documents.is_empty() { Vec::new() } else { vec![Effect::Release { documents }] }
    }

    fn keep(&mut self, until: Timestamp) -> Result<Vec<Effect>, Refusal> {
        self.keep_until = until;
        // Whether that is over already is found out anew.
        self.expired = false;
        Ok(Vec::new())
    }

    fn retry_every(&mut self, span: Millis) -> Result<Vec<Effect>, Refusal> {
        self.retry_interval_ms = span;
        Ok(vec![self.wake()])
    }

    fn settle(&mut self) {
        self.state = if self.holds.is_empty() { JobState::Pending } else { JobState::PendingHeld };
    }

    fn current(&self, attempt: AttemptNumber) -> Result<(), Refusal> {
        if self.attempt == Some(attempt) { Ok(()) } else { Err(Refusal::Stale) }
    }

    fn notify(&self, kind: NoticeKind) -> Effect {
        Effect::Notify { job: self.uuid, kind }
    }

    fn wake(&self) -> Effect {
        Effect::Wake { printer: self.printer }
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
pub(crate) mod tests;
