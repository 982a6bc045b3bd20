//! What may happen in a simulated world: people, printers, and the server's own end.

use super::device::{COLORS, TRAYS};
use super::dice::Dice;
use super::life::CRASH_POINTS;

/// One thing that happens. Numbers name printers, trays, inks; jobs are chosen when it comes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Somebody sends a mail, or uploads a file, to one to three printers.
    Submit,
    /// A mail comes again that had come before.
    Repeat,
    /// Somebody switches a printer off.
    Off(usize),
    /// Somebody switches it on.
    On(usize),
    /// The power fails for a moment.
    Restart(usize),
    /// A tray is empty.
    NoPaper(usize, usize),
    /// A tray holds only so many sheets more.
    LittlePaper(usize, usize, u32),
    /// A tray is filled.
    Paper(usize, usize),
    /// A colour is used up.
    NoInk(usize, usize),
    /// All inks are full.
    Ink(usize),
    /// Paper jams before this side of the next job.
    JamAt(usize, u32),
    /// Somebody clears the jam, closes the cover.
    Clear(usize),
    /// Somebody opens the cover.
    CoverOpen(usize),
    /// The line breaks at this octet of the next document.
    DropLineAt(usize, u64),
    /// Answers are lost.
    LoseReplies(usize, u32),
    /// The next job is forgotten once it has printed.
    Forget(usize),
    /// The next job is called completed and does not print.
    LieCompleted(usize),
    /// The next job prints and never completes.
    NeverComplete(usize),
    /// Busy for so many seconds.
    Busy(usize, u64),
    /// Takes no jobs, until it takes them again.
    Accepting(usize, bool),
    /// The next job's format is refused.
    RefuseFormat(usize),
    /// The next document is refused after it came.
    RefuseData(usize),
    /// The next job is aborted without a sheet.
    AbortClean(usize),
    /// It answers nonsense, so many times.
    Nonsense(usize, u32),
    /// Somebody cancels a job at the printer's panel.
    CancelAtPanel(usize),
    /// It reports its state by itself.
    Report(usize),
    /// The server dies now.
    Crash,
    /// The server dies at a crash point, when it passes it for the nth time.
    CrashAt(&'static str, u32),
    /// The wall clock is set forward, by so many seconds.
    ClockJump(u64),
    /// A job is cancelled.
    Cancel,
    /// A job is held.
    Hold,
    /// A held job is let go.
    Release,
    /// A doubt is decided.
    Decide,
    /// A sender keeps jobs for so many seconds.
    Keep(u64),
    /// A sender has jobs tried again every so many seconds.
    Retry(u64),
    /// A job is printed again.
    Reprint,
    /// A waiting job is printed at another printer.
    Elsewhere,
    /// The operator stops a printer on our side.
    Pause(usize),
    /// The operator lets it go on.
    Resume(usize),
    /// The next mails cannot be sent, so many.
    MailFails(u32),
    /// The disk is full, or is not any more.
    DiskFull(bool),
    /// Nothing.
    Wait,
}

impl Step {
    /// The step's name, for counting.
    pub(super) fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split('(').next().unwrap_or_default().to_owned()
    }

    /// Draws a step for a world of so many printers.
    pub(super) fn draw(dice: &mut Dice, printers: usize) -> Self {
        let p = dice.below(printers as u64) as usize;
        let tray = dice.below(TRAYS.len() as u64) as usize;
        match dice.below(1000) {
            0..300 => Self::Submit,
            300..325 => Self::Repeat,
            325..345 => Self::Off(p),
            345..385 => Self::On(p),
            385..397 => Self::Restart(p),
            397..409 => Self::NoPaper(p, tray),
            409..425 => Self::LittlePaper(p, tray, dice.range(1, 6) as u32),
            425..465 => Self::Paper(p, tray),
            465..477 => Self::NoInk(p, dice.below(COLORS.len() as u64) as usize),
            477..502 => Self::Ink(p),
            502..517 => Self::JamAt(p, dice.below(5) as u32),
            517..547 => Self::Clear(p),
            547..555 => Self::CoverOpen(p),
            555..575 => Self::DropLineAt(p, dice.below(4000)),
            575..590 => Self::LoseReplies(p, dice.range(1, 3) as u32),
            590..602 => Self::Forget(p),
            602..608 => Self::LieCompleted(p),
            608..611 => Self::NeverComplete(p),
            611..621 => Self::Busy(p, dice.range(1, 90)),
            621..626 => Self::Accepting(p, false),
            626..641 => Self::Accepting(p, true),
            641..646 => Self::RefuseFormat(p),
            646..650 => Self::RefuseData(p),
            650..660 => Self::AbortClean(p),
            660..668 => Self::Nonsense(p, dice.range(1, 3) as u32),
            668..676 => Self::CancelAtPanel(p),
            676..690 => Self::Report(p),
            690..708 => Self::Crash,
            708..752 => {
                let point = dice.pick(&CRASH_POINTS).copied().unwrap_or("C3");
                Self::CrashAt(point, dice.range(1, 3) as u32)
            }
            752..757 => Self::ClockJump(dice.range(1, 7200)),
            757..777 => Self::Cancel,
            777..792 => Self::Hold,
            792..822 => Self::Release,
            822..872 => Self::Decide,
            872..882 => Self::Keep(if dice.percent(30) { dice.range(1, 120) } else { dice.range(120, 90_000) }),
            882..892 => Self::Retry(if dice.percent(20) { dice.range(3, 30) } else { dice.range(30, 1800) }),
            892..907 => Self::Reprint,
            907..917 => Self::Elsewhere,
            917..923 => Self::Pause(p),
            923..943 => Self::Resume(p),
            943..951 => Self::MailFails(dice.range(1, 3) as u32),
            951..954 => Self::DiskFull(true),
            954..964 => Self::DiskFull(false),
            _ => Self::Wait,
        }
    }

    /// How long it is quiet after a step, in milliseconds.
    pub(super) fn pause_ms(dice: &mut Dice) -> u64 {
        match dice.below(100) {
            0..35 => 0,
            35..60 => dice.range(1, 60),
            60..82 => dice.range(60, 4_000),
            82..94 => dice.range(4_000, 90_000),
            94..99 => dice.range(90_000, 900_000),
            _ => dice.range(900_000, 4 * 3_600_000),
        }
    }
}
