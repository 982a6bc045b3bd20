//! One try to print a job: how paper meets the queue.
//!
//! Paper is not transactional. An attempt is repeated by itself only where it is *proven* that no sheet
//! came out; otherwise it ends in doubt and a person, or the printer's policy, decides
//! (`assigned -> handed -> printing -> printed | in doubt | failed clean`; staged and committed come with
//! the link between server and agent).

use crate::job::AttemptEnd;
use crate::{AttemptNumber, Fence, JobEvent, JobUuid, OwnerId, PrinterUuid, Refusal, Timestamp, Trouble};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What is known about paper, from nothing to a person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Evidence {
    /// Nothing was sent.
    E0,
    /// The printer took all bytes and cannot say more (raw port 9100).
    E1,
    /// The printer says "completed".
    E2,
    /// It says so and counts as many impressions as expected.
    E3,
    /// A life counter moved by the expected number.
    E4,
    /// A person confirmed it.
    E5,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptState {
    /// It has the device and a lease; the device was told nothing yet.
    Assigned,
    /// Written down before the device is told anything: from here on paper may exist.
    Handed,
    /// The device works on it.
    Printing,
    /// The device has stopped with it and will go on by itself; it is never sent again.
    Stopped,
    /// Out of the machine, by the evidence noted.
    Printed,
    /// Not known whether, or how far, it printed.
    InDoubt,
    /// Over; proven that no sheet came out.
    FailedClean,
    /// Cancelled at the device.
    Canceled,
}

impl AttemptState {
    /// All states, for tables.
    pub const ALL: [Self; 8] = [
        Self::Assigned,
        Self::Handed,
        Self::Printing,
        Self::Stopped,
        Self::Printed,
        Self::InDoubt,
        Self::FailedClean,
        Self::Canceled,
    ];

    /// Whether the attempt is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Printed | Self::InDoubt | Self::FailedClean | Self::Canceled)
    }

    /// The name in tables and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Handed => "handed",
            Self::Printing => "printing",
            Self::Stopped => "stopped",
            Self::Printed => "printed",
            Self::InDoubt => "in-doubt",
            Self::FailedClean => "failed-clean",
            Self::Canceled => "canceled",
        }
    }
}

/// What names the job at the device ("job-id" alone is not safe: printers reuse it).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRef {
    /// The device's "job-id".
    pub job_id: i32,
    /// The device's "job-uri".
    pub job_uri: String,
    /// The device's "job-uuid", where it has one.
    pub job_uuid: String,
    /// The device's "printer-up-time" then, in seconds: a smaller one later means it was restarted.
    pub printer_up_time: i32,
}

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Whose job it is.
    pub owner: OwnerId,
    /// The job.
    pub job: JobUuid,
    /// Its number within the job, from 1.
    pub number: AttemptNumber,
    /// Grows with each assignment of the job.
    pub fence: Fence,
    /// The printer.
    pub printer: PrinterUuid,
    /// Where it stands.
    pub state: AttemptState,
    /// Whoever performs it must renew by then; checked in `assigned` only.
    pub lease_expires_at: Timestamp,
    /// What names the job at the device.
    pub device: Option<DeviceRef>,
    /// Document octets written to the device.
    pub octets_sent: u64,
    /// Whether the whole document was written and the device acknowledged it.
    pub sent_all: bool,
    /// First page of the job this attempt prints, from 1.
    pub first_page: u32,
    /// Sides expected, over all copies.
    pub impressions: u32,
    /// "job-impressions-completed" as the device last said; `None`: it does not say.
    pub impressions_completed: Option<u32>,
    /// The best evidence.
    pub evidence: Evidence,
    /// When it was assigned.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

/// What may happen to an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptEvent {
    /// The device is in a trouble that stops this job; nothing was sent.
    Blocked(Trouble),
    /// About to tell the device: written down first.
    HandOver,
    /// The device made a job.
    DeviceJob(DeviceRef),
    /// The device refused the job before it took any data, for now (busy, not accepting).
    RefusedForNow(String),
    /// The device, or we, cannot print this document at all.
    Rejected(String),
    /// So many document octets were written.
    Sent(u64),
    /// All was written and the device acknowledged it.
    SentAll,
    /// The device counts so many sides.
    Progress(u32),
    /// The device stopped with the job and will go on by itself.
    Stopped,
    /// It goes on.
    Resumed,
    /// The device says completed, with its count of sides.
    Completed(Option<u32>),
    /// A device that cannot say more took all octets and closed properly.
    Taken,
    /// The device aborted the job after so many sides.
    Aborted(Option<u32>),
    /// The job was cancelled at the device after so many sides.
    Canceled(Option<u32>),
    /// The line broke, or we died, and the device cannot be asked what became of it.
    Lost,
    /// The device was asked and proves that the job never reached it.
    NeverArrived,
    /// The device knows nothing of a job it had.
    Forgotten,
    /// The lease ran out.
    LeaseEnded,
}

impl AttemptEvent {
    /// The event's name in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "blocked",
            Self::HandOver => "hand-over",
            Self::DeviceJob(_) => "device-job",
            Self::RefusedForNow(_) => "refused-for-now",
            Self::Rejected(_) => "rejected",
            Self::Sent(_) => "sent",
            Self::SentAll => "sent-all",
            Self::Progress(_) => "progress",
            Self::Stopped => "stopped",
            Self::Resumed => "resumed",
            Self::Completed(_) => "completed",
            Self::Taken => "taken",
            Self::Aborted(_) => "aborted",
            Self::Canceled(_) => "canceled",
            Self::Lost => "lost",
            Self::NeverArrived => "never-arrived",
            Self::Forgotten => "forgotten",
            Self::LeaseEnded => "lease-ended",
        }
    }
}

impl Attempt {
    /// Moves the attempt; what it means for the job comes back, to be applied in the same change.
    ///
    /// # Errors
    /// [`Refusal::Stale`] once it is over; [`Refusal::NotPossible`] where the event cannot come.
    pub fn apply(&mut self, event: AttemptEvent, now: Timestamp) -> Result<Vec<JobEvent>, Refusal> {
        match self.state {
            AttemptState::Assigned => self.assigned(event, now),
            AttemptState::Handed | AttemptState::Printing | AttemptState::Stopped => self.handed(event, now),
            AttemptState::Printed | AttemptState::InDoubt | AttemptState::FailedClean | AttemptState::Canceled => {
                Err(Refusal::Stale)
            }
        }
    }

    fn assigned(&mut self, event: AttemptEvent, now: Timestamp) -> Result<Vec<JobEvent>, Refusal> {
        use AttemptEvent as E;
        match event {
            E::Blocked(trouble) => Ok(self.end(AttemptState::FailedClean, AttemptEnd::Blocked(trouble), now)),
            E::RefusedForNow(why) => Ok(self.end(AttemptState::FailedClean, AttemptEnd::RefusedForNow(why), now)),
            E::Rejected(why) => Ok(self.end(AttemptState::FailedClean, AttemptEnd::Rejected(why), now)),
            E::LeaseEnded | E::Lost | E::NeverArrived => {
                Ok(self.end(AttemptState::FailedClean, AttemptEnd::NeverStarted, now))
            }
            E::HandOver => {
                self.state = AttemptState::Handed;
                Ok(vec![JobEvent::Handed(self.number)])
            }
            E::DeviceJob(_)
            | E::Sent(_)
            | E::SentAll
            | E::Progress(_)
            | E::Stopped
            | E::Resumed
            | E::Completed(_)
            | E::Taken
            | E::Aborted(_)
            | E::Canceled(_)
            | E::Forgotten => Err(Refusal::NotPossible),
        }
    }

    fn handed(&mut self, event: AttemptEvent, now: Timestamp) -> Result<Vec<JobEvent>, Refusal> {
        use AttemptEvent as E;
        match event {
            E::DeviceJob(device) => {
                self.device = Some(device);
                Ok(Vec::new())
            }
            E::Sent(octets) => {
                self.octets_sent = self.octets_sent.max(octets);
                Ok(Vec::new())
            }
            E::SentAll => {
                self.sent_all = true;
                Ok(self.printing())
            }
            E::Progress(impressions) => {
                let mut events = self.printing();
                events.extend(self.counted(Some(impressions)));
                Ok(events)
            }
            E::Stopped => {
                if self.state == AttemptState::Stopped {
                    return Ok(Vec::new());
                }
                self.state = AttemptState::Stopped;
                Ok(vec![JobEvent::Stopped(self.number)])
            }
            E::Resumed => Ok(self.printing()),
            E::Completed(count) => {
                let mut events = self.counted(count);
                self.evidence = match self.impressions_completed {
                    Some(count) if count >= self.impressions && self.impressions > 0 => Evidence::E3,
                    _ => Evidence::E2,
                };
                events.extend(self.end(AttemptState::Printed, AttemptEnd::Printed(self.evidence), now));
                Ok(events)
            }
            E::Taken => {
                self.evidence = Evidence::E1;
                Ok(self.end(AttemptState::Printed, AttemptEnd::Printed(Evidence::E1), now))
            }
            E::Aborted(count) => {
                let mut events = self.counted(count);
                // Only a device that counts can prove that no sheet came out.
                if self.impressions_completed == Some(0) {
                    events.extend(self.end(AttemptState::FailedClean, AttemptEnd::AbortedClean, now));
                    return Ok(events);
                }
                let certain = self.impressions_completed.unwrap_or(0);
                let possible = self.impressions_completed.unwrap_or(self.impressions);
                events.extend(self.doubt(certain, possible, "the printer aborted it", now));
                Ok(events)
            }
            E::Canceled(count) => {
                let mut events = self.counted(count);
                let printed = self.impressions_completed.unwrap_or(0);
                events.extend(self.end(AttemptState::Canceled, AttemptEnd::Canceled(printed), now));
                Ok(events)
            }
            E::RefusedForNow(why) if self.octets_sent == 0 => {
                Ok(self.end(AttemptState::FailedClean, AttemptEnd::RefusedForNow(why), now))
            }
            E::Rejected(why) if self.impressions_completed.unwrap_or(0) == 0 => {
                Ok(self.end(AttemptState::FailedClean, AttemptEnd::Rejected(why), now))
            }
            E::NeverArrived => Ok(self.end(AttemptState::FailedClean, AttemptEnd::NeverStarted, now)),
            E::Lost if self.device.is_none() && self.octets_sent == 0 && !self.sent_all => {
                // Not one octet was written: nothing can have been printed.
                Ok(self.end(AttemptState::FailedClean, AttemptEnd::NeverStarted, now))
            }
            E::Lost => Ok(self.doubt_from_progress("the line to the printer broke", now)),
            E::Forgotten => Ok(self.doubt_from_progress("the printer no longer knows the job", now)),
            E::RefusedForNow(_) | E::Rejected(_) => {
                Ok(self.doubt_from_progress("the printer refused it after it had taken data", now))
            }
            E::Blocked(_) | E::HandOver | E::LeaseEnded => Err(Refusal::NotPossible),
        }
    }

    /// Keeps the highest count of sides; the job is told when it grew.
    fn counted(&mut self, count: Option<u32>) -> Vec<JobEvent> {
        let before = self.impressions_completed;
        self.impressions_completed = before.max(count);
        match self.impressions_completed {
            Some(impressions) if impressions > before.unwrap_or(0) => {
                vec![JobEvent::Progress(self.number, impressions)]
            }
            _ => Vec::new(),
        }
    }

    fn printing(&mut self) -> Vec<JobEvent> {
        let stopped = self.state == AttemptState::Stopped;
        self.state = AttemptState::Printing;
        if stopped { vec![JobEvent::Resumed(self.number)] } else { Vec::new() }
    }

    fn doubt_from_progress(&mut self, why: &str, now: Timestamp) -> Vec<JobEvent> {
        let certain = self.impressions_completed.unwrap_or(0);
        self.doubt(certain, self.impressions.max(certain), why, now)
    }

    fn doubt(&mut self, certain: u32, possible: u32, why: &str, now: Timestamp) -> Vec<JobEvent> {
        let end = AttemptEnd::InDoubt { certain, possible, why: why.into() };
        self.end(AttemptState::InDoubt, end, now)
    }

    fn end(&mut self, state: AttemptState, end: AttemptEnd, now: Timestamp) -> Vec<JobEvent> {
        self.state = state;
        self.ended_at = Some(now);
        vec![JobEvent::Ended(self.number, end)]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::string::ToString;

    pub(crate) fn attempt() -> Attempt {
        Attempt {
            owner: OwnerId::FIRST,
            job: JobUuid([1; 16]),
            number: AttemptNumber(1),
            fence: Fence(1),
            printer: PrinterUuid([2; 16]),
            state: AttemptState::Assigned,
            lease_expires_at: Timestamp(60_000),
            device: None,
            octets_sent: 0,
            sent_all: false,
            first_page: 1,
            impressions: 12,
            impressions_completed: None,
            evidence: Evidence::E0,
            started_at: Timestamp(0),
            ended_at: None,
        }
    }

    fn events() -> Vec<AttemptEvent> {
        use AttemptEvent as E;
        vec![
            E::Blocked(Trouble::Jam),
            E::HandOver,
            E::DeviceJob(DeviceRef::default()),
            E::RefusedForNow("busy".into()),
            E::Rejected("format".into()),
            E::Sent(10),
            E::SentAll,
            E::Progress(3),
            E::Stopped,
            E::Resumed,
            E::Completed(Some(12)),
            E::Taken,
            E::Aborted(Some(0)),
            E::Canceled(None),
            E::Lost,
            E::NeverArrived,
            E::Forgotten,
            E::LeaseEnded,
        ]
    }

    /// The table of every state and event; `docs/states.md` holds it, and a test compares them.
    pub(crate) fn table() -> String {
        let mut out = "| event | ".to_string();
        for state in AttemptState::ALL {
            out += state.as_str();
            out += " | ";
        }
        out += "\n|---|";
        out += &"---|".repeat(AttemptState::ALL.len());
        for event in events() {
            out += "\n| ";
            out += event.name();
            out += " | ";
            for state in AttemptState::ALL {
                let mut attempt = Attempt { state, ..attempt() };
                out += &match attempt.apply(event.clone(), Timestamp(1)) {
                    Ok(_) if attempt.state == state => "stays".to_string(),
                    Ok(_) => attempt.state.as_str().to_string(),
                    Err(_) => "-".to_string(),
                };
                out += " | ";
            }
        }
        out + "\n"
    }

    fn handed() -> Attempt {
        let mut attempt = attempt();
        attempt.apply(AttemptEvent::HandOver, Timestamp(1)).unwrap();
        attempt
    }

    #[test]
    fn repeats_by_itself_only_when_no_sheet_is_proven() {
        let mut lost = handed();
        lost.apply(AttemptEvent::Lost, Timestamp(2)).unwrap();
        assert_eq!(lost.state, AttemptState::FailedClean);

        let mut lost = handed();
        lost.apply(AttemptEvent::Sent(1), Timestamp(2)).unwrap();
        lost.apply(AttemptEvent::Lost, Timestamp(2)).unwrap();
        assert_eq!(lost.state, AttemptState::InDoubt);

        let mut aborted = handed();
        aborted.apply(AttemptEvent::Aborted(None), Timestamp(2)).unwrap();
        assert_eq!(aborted.state, AttemptState::InDoubt, "a device that does not count proves nothing");
    }

    #[test]
    fn doubt_names_the_pages_that_may_exist() {
        let mut attempt = handed();
        attempt.apply(AttemptEvent::SentAll, Timestamp(2)).unwrap();
        attempt.apply(AttemptEvent::Progress(7), Timestamp(3)).unwrap();
        let events = attempt.apply(AttemptEvent::Forgotten, Timestamp(4)).unwrap();
        let why = "the printer no longer knows the job".to_string();
        let end = AttemptEnd::InDoubt { certain: 7, possible: 12, why };
        assert_eq!(events, [JobEvent::Ended(AttemptNumber(1), end)]);
    }

    #[test]
    fn completed_is_stronger_evidence_when_the_count_agrees() {
        for (count, evidence) in [(Some(12), Evidence::E3), (Some(11), Evidence::E2), (None, Evidence::E2)] {
            let mut attempt = handed();
            attempt.apply(AttemptEvent::Completed(count), Timestamp(2)).unwrap();
            assert_eq!(attempt.evidence, evidence);
        }
    }

    #[test]
    fn the_last_count_reaches_the_job_before_the_end_does() {
        for last in [AttemptEvent::Completed(Some(12)), AttemptEvent::Canceled(Some(12))] {
            let mut attempt = handed();
            attempt.apply(AttemptEvent::Progress(11), Timestamp(2)).unwrap();
            let events = attempt.apply(last, Timestamp(3)).unwrap();
            assert_eq!(events[0], JobEvent::Progress(AttemptNumber(1), 12));
            assert!(matches!(events[1..], [JobEvent::Ended(..)]));
        }
    }

    #[test]
    fn nothing_moves_an_attempt_that_is_over() {
        for state in AttemptState::ALL.into_iter().filter(|state| state.is_over()) {
            for event in events() {
                let mut attempt = Attempt { state, ..attempt() };
                assert_eq!(attempt.apply(event, Timestamp(1)), Err(Refusal::Stale));
            }
        }
    }

    #[test]
    fn every_state_and_event_is_in_the_table() {
        let table = table();
        assert_eq!(table.lines().count(), 2 + events().len());
        assert!(table.contains("| lease-ended | failed-clean | - | - | - |"), "{table}");
    }
}
