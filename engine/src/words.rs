//! The words people read about a job and its printer: the same in mail, page and command line.
//!
//! Times are shown by the caller, who knows the zone. `docs/glossary.md` has the words side by side.

mod en;
mod ja;

use crate::hold::Hindrance;
use crate::job::{Job, Outcome};
use crate::{Language, Millis, Printer, Timestamp, Trouble};
use alloc::string::String;
use alloc::vec::Vec;

/// How an absolute instant is shown in the reader's zone: `Fri 18:00`.
pub type ShowTime<'a> = &'a dyn Fn(Timestamp) -> String;

/// What a person can do with a job now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Print it at another printer.
    PrintElsewhere,
    /// Cancel it.
    Cancel,
    /// Hold it.
    Hold,
    /// Let a held job go.
    Release,
    /// Try now.
    PrintNow,
    /// Decide a doubt.
    Decide,
    /// Print it again.
    Reprint,
}

/// All that `why` needs.
pub struct Facts<'a> {
    /// The job.
    pub job: &'a Job,
    /// Its printer.
    pub printer: &'a Printer,
    /// What hinders it.
    pub hindrance: &'a Hindrance,
    /// When it is tried again.
    pub next_try_at: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
    /// How instants are shown.
    pub time: ShowTime<'a>,
}

/// Why a job is where it is: one sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Which job: `Job 7K3M22QD, invoice.pdf, 3 pages, for Office.`
    pub job: String,
    /// Where it stands and why: `Waiting: Office answered 2 min ago that tray 1 has no A4.`
    pub now: String,
    /// What happens next; empty when nothing will.
    pub next: String,
    /// When and how it ends; empty when it has ended.
    pub ends: String,
    /// What the reader can do, as words.
    pub can: String,
}

impl Why {
    /// All of it as one paragraph.
    pub fn text(&self) -> String {
        let parts = [&self.job, &self.now, &self.next, &self.ends, &self.can];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        parts.join(" ")
    }
}

/// What a person can do with a job now.
pub fn actions(job: &Job, hindrance: &Hindrance) -> Vec<Action> {
    match hindrance {
        Hindrance::Over if job.content_deleted => Vec::new(),
        Hindrance::Over => alloc::vec![Action::Reprint],
        Hindrance::InDoubt => alloc::vec![Action::Decide],
        Hindrance::Printing => alloc::vec![Action::Cancel],
        Hindrance::Held(_) => alloc::vec![Action::Release, Action::Cancel],
        Hindrance::Trouble(_) if job.handed => alloc::vec![Action::Cancel],
        Hindrance::Trouble(_) => {
            alloc::vec![Action::PrintElsewhere, Action::PrintNow, Action::Cancel]
        }
        Hindrance::PutBack => {
            alloc::vec![Action::PrintElsewhere, Action::PrintNow, Action::Cancel]
        }
        Hindrance::Preparing | Hindrance::Behind | Hindrance::Next => {
            alloc::vec![Action::Hold, Action::Cancel]
        }
    }
}

/// Says why a job is where it is.
pub fn why(facts: &Facts<'_>, language: Language) -> Why {
    match language {
        Language::En => en::why(facts),
        Language::Ja => ja::why(facts),
    }
}

/// What is wrong with a printer: `tray 1 has no A4`.
pub fn trouble(trouble: &Trouble, language: Language) -> String {
    match language {
        Language::En => en::trouble(trouble),
        Language::Ja => ja::trouble(trouble),
    }
}

/// What makes it right: `put A4 into tray 1`.
pub fn remedy(trouble: &Trouble, language: Language) -> String {
    match language {
        Language::En => en::remedy(trouble),
        Language::Ja => ja::remedy(trouble),
    }
}

/// How a job ended: `printed`.
pub fn outcome(outcome: &Outcome, language: Language) -> String {
    match language {
        Language::En => en::outcome(outcome),
        Language::Ja => ja::outcome(outcome),
    }
}

/// A span as people say it: `3 days`, `5 minutes`.
pub fn span(span: Millis, language: Language) -> String {
    match language {
        Language::En => en::span(span),
        Language::Ja => ja::span(span),
    }
}

/// The largest unit that shows a span in whole numbers, rounded: value and unit (0 s, 1 min, 2 h, 3 d).
fn rounded(span: Millis) -> (u64, usize) {
    use crate::time::{DAY, HOUR, MINUTE, SECOND};
    let round = |unit: Millis| (span + unit / 2) / unit;
    match span {
        0..60_000 => (round(SECOND), 0),
        60_000..3_600_000 => (round(MINUTE), 1),
        3_600_000..172_800_000 => (round(HOUR), 2),
        _ => (round(DAY), 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::{job, with};
    use crate::{Condition, HoldReason, JobEvent, PrinterEvent, PrinterUuid, Reachability, Tray};
    use alloc::string::ToString;

    fn office() -> Printer {
        let mut printer = Printer::new(crate::OwnerId::FIRST, PrinterUuid([2; 16]), "office", "ipp://x/", Timestamp(0));
        printer.info = "Office".into();
        printer
    }

    fn text(job: &Job, printer: &Printer, language: Language) -> String {
        let hindrance = crate::hold::hindrance(job, printer);
        let facts = Facts {
            job,
            printer,
            hindrance: &hindrance,
            next_try_at: Some(Timestamp(300_000)),
            now: Timestamp(120_000),
            time: &|at| alloc::format!("T{}", at.0 / 1000),
        };
        why(&facts, language).text()
    }

    #[test]
    fn why_says_what_is_wrong_what_comes_next_how_it_ends_and_what_one_can_do() {
        let mut printer = office();
        let tray = Tray {
            name: "tray 1".into(),
            media: Some("iso_a4_210x297mm".into()),
            level: None,
            capacity: None,
            empty: true,
        };
        let condition =
            Condition { reachability: Reachability::Answering, trays: alloc::vec![tray], ..Condition::default() };
        printer.apply(PrinterEvent::Answered(condition), Timestamp(0)).unwrap();
        let mut job = job();
        job.documents[0].pages = 3;
        assert_eq!(
            text(&job, &printer, Language::En),
            alloc::format!(
                "Job {}, invoice.pdf, 3 pages, for Office. Waiting: Office answered 2 minutes ago that tray 1 has no A4. \
                 Next: prints when the printer reports paper; else tried at T300. \
                 Ends: T100, then deleted and you are told. You can: print elsewhere, print now, cancel.",
                job.short()
            )
        );
        let ja = text(&job, &printer, Language::Ja);
        assert!(ja.contains("A4") && ja.contains("用紙") && ja.contains("T300"), "{ja}");
    }

    #[test]
    fn every_trouble_and_outcome_has_words_in_both_languages() {
        let troubles = [
            Trouble::Off,
            Trouble::Faulty { what: "x".into() },
            Trouble::NoPaper { tray: None, media: None },
            Trouble::NoInk { color: Some("cyan".into()) },
            Trouble::Jam,
            Trouble::CoverOpen,
            Trouble::MemoryFull,
            Trouble::NotAccepting,
            Trouble::Stopped { reason: String::new() },
            Trouble::Paused,
        ];
        for language in [Language::En, Language::Ja] {
            for case in &troubles {
                assert!(!trouble(case, language).is_empty() && !remedy(case, language).is_empty());
            }
        }
        assert_eq!(span(3 * crate::time::DAY, Language::En), "3 days");
        assert_eq!(span(1_000, Language::En), "1 second");
        assert_eq!(span(300_000, Language::Ja), "5分");
    }

    #[test]
    fn a_job_that_its_printer_will_not_take_says_so_and_when_it_is_tried_again() {
        let mut job = job();
        let at = Timestamp(100_000);
        job.put_back = Some(crate::job::PutBack { times: 3, at, why: "it is busy".into() });
        let en = text(&job, &office(), Language::En);
        assert!(en.contains("Office did not take it (it is busy). Next: tried again at T300."), "{en}");
        assert!(en.contains("print now"), "{en}");
        let ja = text(&job, &office(), Language::Ja);
        assert!(ja.contains("受け取りませんでした") && ja.contains("T300"), "{ja}");
    }

    #[test]
    fn held_printing_doubtful_and_ended_jobs_have_their_own_words() {
        let printer = office();
        let mut held = job();
        held.apply(JobEvent::Hold(HoldReason::Review), with(), Timestamp(1)).unwrap();
        assert!(text(&held, &printer, Language::En).contains("waits for a click"));
        let mut done = job();
        done.apply(JobEvent::Cancel("anna".into()), with(), Timestamp(1)).unwrap();
        assert!(text(&done, &printer, Language::En).contains("Cancelled"));
        assert!(
            text(&job(), &printer, Language::En).contains("next"),
            "{}",
            text(&job(), &printer, Language::En).to_string()
        );
    }
}
