//! What people do with a job and a printer, whether by page, by link or by API.

use crate::ask::Ask;
use crate::failure::Failure;
use crate::policy::{Identity, Who, texts};
use crate::routes::Console;
use crate::texts::Texts;
use tympan_engine::registration::{RETENTION_MAX, RETENTION_MIN, parse_span};
use tympan_engine::service::{KEEP_FOR, KEEP_FOR_MAX};
use tympan_engine::time::SECOND;
use tympan_engine::{
    Condition, DoubtDecision, HoldReason, Job, JobEvent, JobUuid, Language, Millis, Originator, Printer, PrinterEvent,
    Registration, RegistrationEvent, RegistrationState, Right, TokenScope, WhileOff,
};
use tympan_spooler::{NewPrinter, SpoolerError};
use tympan_store::Whose;

/// Moves a job by an event, under the name of whoever asks.
async fn move_job(console: &Console, id: &Identity, event: JobEvent) -> Result<Job, Failure> {
    let job = id.job()?;
    Ok(console.spooler().job_event(id.whose(), job.uuid, event, Some(&id.name())).await?)
}

pub(crate) async fn cancel(console: &Console, id: &Identity) -> Result<Job, Failure> {
    move_job(console, id, JobEvent::Cancel(id.name().into())).await
}

/// What whoever asks may do with a job: a link speaks for its sender.
fn right_over(id: &Identity, job: &Job) -> Right {
    id.right_at(job.printer).unwrap_or(Right::Print)
}

pub(crate) async fn hold(console: &Console, id: &Identity) -> Result<Job, Failure> {
    let reason = HoldReason::by_hand(right_over(id, id.job()?));
    move_job(console, id, JobEvent::Hold(reason)).await
}

/// Whether whoever asks may let a job go.
pub(crate) fn may_release(id: &Identity, job: &Job) -> bool {
    job.holds.iter().all(|hold| hold.is_lifted_by(right_over(id, job)))
}

/// Takes away all holds, if whoever asks may do so.
pub(crate) async fn release(console: &Console, id: &Identity) -> Result<Job, Failure> {
    let mut job = id.job()?.clone();
    if job.holds.is_empty() {
        return Err(Failure::Conflict(id.texts().r_not_possible.into()));
    }
    if !may_release(id, &job) {
        let by_operator = job.holds.contains(&HoldReason::Operator);
        let t = id.texts();
        return Err(Failure::Conflict(if by_operator { t.operator_holds } else { t.r_not_possible }.into()));
    }
    for reason in job.holds.clone() {
        job = move_job(console, id, JobEvent::Unhold(reason)).await?;
    }
    Ok(job)
}

pub(crate) async fn decide(console: &Console, id: &Identity, decision: DoubtDecision) -> Result<Job, Failure> {
    move_job(console, id, JobEvent::Decide(decision)).await
}

/// Reads a decision: `print-from` with a page, `print-all`, `fine`, `throw-away`.
pub(crate) fn decision(word: &str, page: Option<u32>) -> Option<DoubtDecision> {
    match (word, page) {
        ("print-from", Some(page)) => Some(DoubtDecision::PrintFrom(page)),
        ("print-all", _) => Some(DoubtDecision::PrintAll),
        ("fine", _) => Some(DoubtDecision::ItIsFine),
        ("throw-away", _) => Some(DoubtDecision::ThrowAway),
        _ => None,
    }
}

/// Keeps a job from now on for so long.
pub(crate) async fn keep(console: &Console, id: &Identity, span: &str) -> Result<Job, Failure> {
    let t = id.texts();
    let span = span_between(t, t.keep_for, span, RETENTION_MIN, RETENTION_MAX)?;
    move_job(console, id, JobEvent::KeepUntil(console.spooler().now() + span)).await
}

/// Prints a job again, or, while it waits, at another printer in place of the first.
pub(crate) async fn reprint(console: &Console, id: &Identity, at: Option<&Printer>) -> Result<Job, Failure> {
    let job = id.job()?;
    let spooler = console.spooler();
    match (job.is_over(), at) {
        (false, None) => Err(Failure::Conflict(id.texts().still_waits.into())),
        (false, Some(at)) => {
            Ok(spooler.print_elsewhere(id.whose(), job.uuid, at.uuid, right_over(id, job), &id.name()).await?)
        }
        (true, at) => Ok(spooler.reprint(id.whose(), job.uuid, at.map(|at| at.uuid), None, &id.name()).await?),
    }
}

/// The printers at which a job may be printed instead, by whoever asks.
pub(crate) async fn elsewhere(console: &Console, id: &Identity, job: &Job) -> Result<Vec<Printer>, Failure> {
    let spooler = console.spooler();
    let mut found = Vec::new();
    for row in spooler.records().printers(id.whose()).await? {
        let printer = row.record;
        if printer.uuid == job.printer || !printer.accepts(spooler.now()) {
            continue;
        }
        let may = match &id.who {
            // A link speaks for the job's sender, who may print where he is registered.
            Who::Holder => {
                let at = spooler.records().registration(id.whose(), printer.uuid, &job.originator.address).await?;
                at.is_some_and(|row| row.record.state == RegistrationState::Active)
            }
            Who::Person(_) | Who::Program => id.may(printer.uuid, Right::Print),
            Who::Nobody => false,
        };
        if may {
            found.push(printer);
        }
    }
    Ok(found)
}

/// The printer named, if a job may be printed there instead.
pub(crate) async fn elsewhere_at(console: &Console, id: &Identity, name: &str) -> Result<Printer, Failure> {
    let name = name.to_ascii_lowercase();
    let all = elsewhere(console, id, id.job()?).await?;
    all.into_iter().find(|printer| printer.name == name).ok_or_else(|| Failure::Invalid(id.texts().not_there.into()))
}

/// Reads a span within bounds; the refusal names the field.
pub(crate) fn span_between(t: &Texts, field: &str, text: &str, min: Millis, max: Millis) -> Result<Millis, Failure> {
    parse_span(text)
        .filter(|span| (min..=max).contains(span))
        .ok_or_else(|| Failure::Invalid(t.fill(t.bad_span, &[field])))
}

/// What becomes of new jobs while the service is off, as a form or a program says it (E07, E08): `keep`, `refuse`, or
/// `keep-for` a span.
pub(crate) fn while_off(t: &Texts, jobs: &str, span: &str) -> Result<WhileOff, Failure> {
    match jobs {
        "" | "keep" => Ok(WhileOff::Keep),
        "refuse" => Ok(WhileOff::Refuse),
        "keep-for" if span.trim().is_empty() => Ok(WhileOff::KeepFor(KEEP_FOR)),
        "keep-for" => span_between(t, "span", span, SECOND, KEEP_FOR_MAX).map(WhileOff::KeepFor),
        _ => Err(Failure::Invalid("`jobs` is `keep`, `refuse` or `keep-for` (with `span`)".into())),
    }
}

/// Moves a printer by an event, under the name of whoever asks.
pub(crate) async fn move_printer(console: &Console, id: &Identity, event: PrinterEvent) -> Result<Printer, Failure> {
    let printer = id.printer()?;
    Ok(console.spooler().printer_event(id.whose(), printer.uuid, event, Some(&id.name())).await?)
}

/// Asks a printer's device now: what waits there is printed if it can be.
pub(crate) async fn try_now(console: &Console, id: &Identity, printer: &Printer) -> Result<(), Failure> {
    let asked = console.options.hands.ask_printer(printer, id.language).await;
    asked.map_err(|why| Failure::Conflict(format!("{}: {why}", printer.info)))
}

/// Tries a job now that its printer would not take a moment ago.
pub(crate) async fn try_job(console: &Console, id: &Identity) -> Result<(), Failure> {
    move_job(console, id, JobEvent::TryNow).await.map(|_| ())
}

/// Lets a sender print; one who asked by mail is told.
pub(crate) async fn approve(console: &Console, id: &Identity) -> Result<Registration, Failure> {
    let before = id.registration()?;
    let spooler = console.spooler();
    let now = spooler.registration_event(id.whose(), before.id, RegistrationEvent::Approve).await?;
    if now.proven && before.state == RegistrationState::Requested {
        let printer = spooler.printer(id.whose(), now.printer).await?;
        let t = texts(now.language);
        let subject = t.fill(t.approved_subject, &[&printer.info]);
        let link = spooler.settings_link(&console.options.base_url, &now).await?;
        let text = t.fill(t.approved_text, &[&printer.info, &console.options.address_of(&printer.name), &link]);
        spooler.send_mail(now.owner, &now.sender, &subject, &text, None).await?;
    }
    Ok(now)
}

/// Prints a test page.
pub(crate) async fn test_page(console: &Console, id: &Identity, printer: &Printer) -> Result<JobUuid, Failure> {
    let originator =
        Originator { address: id.name().into(), registration: None, language: id.language, may_be_mailed: false };
    console.options.hands.test_page(printer, originator).await.map_err(Failure::Conflict)
}

/// Makes a token with which a printer's state is reported.
pub(crate) async fn report_token(console: &Console, id: &Identity) -> Result<String, Failure> {
    let printer = id.printer()?.uuid;
    Ok(console.spooler().new_token(id.owner, TokenScope::Report { printer }, None).await?)
}

/// Removes a printer at which nothing waits.
pub(crate) async fn remove_printer(console: &Console, id: &Identity) -> Result<Printer, Failure> {
    let printer = id.printer()?;
    let waiting = console.spooler().records().waiting(Whose::Owner(id.owner), printer.uuid).await?;
    if waiting.queued > 0 {
        let t = id.texts();
        return Err(Failure::Conflict(t.fill(t.jobs_still_wait, &[&waiting.queued.to_string()])));
    }
    move_printer(console, id, PrinterEvent::Remove).await
}

/// What came of adding a printer.
pub(crate) struct Added {
    pub(crate) printer: Printer,
    /// What the device said, in words; `Err`: that it did not answer.
    pub(crate) answer: Result<String, String>,
    /// The test page; `Err`: why there is none.
    pub(crate) test: Option<Result<JobUuid, String>>,
}

/// Adds a printer: its device is asked, and a test page is printed if that is wanted. A device that does not answer
/// is added all the same, its jobs wait.
pub(crate) async fn add_printer(
    console: &Console,
    id: &Identity,
    new: NewPrinter,
    test_page_wanted: bool,
) -> Result<Added, Failure> {
    let t = id.texts();
    tympan_spooler::printers::check_name(&new.name).map_err(|_| Failure::Invalid(t.bad_printer_name.into()))?;
    tympan_spooler::printers::check_device(&new.device).map_err(|_| Failure::Invalid(t.bad_device.into()))?;
    let device = new.device.clone();
    let printer = console.spooler().add_printer(id.owner, new).await.map_err(|error| match error {
        SpoolerError::Exists(_) => Failure::Conflict(t.name_taken.into()),
        other => other.into(),
    })?;
    let whose = id.whose();
    let answer = match console.options.hands.ask_device(&device, id.language).await {
        Ok(found) => {
            let words = describe(&found, id.language).join(" ");
            if let Some(profile) = found.profile {
                console
                    .spooler()
                    .printer_event(whose, printer.uuid, PrinterEvent::Learned(profile.into()), None)
                    .await?;
            }
            let answered = PrinterEvent::Answered(found.condition);
            console.spooler().printer_event(whose, printer.uuid, answered, None).await?;
            Ok(words)
        }
        Err(why) => {
            console.spooler().printer_event(whose, printer.uuid, PrinterEvent::Silent, None).await?;
            Err(why)
        }
    };
    let printer = console.spooler().printer(whose, printer.uuid).await?;
    let test = match test_page_wanted {
        true => Some(test_page(console, id, &printer).await.map_err(|failure| failure.say(id.language).0)),
        false => None,
    };
    Ok(Added { printer, answer, test })
}

/// What a device said, in words.
pub(crate) fn describe(found: &crate::Found, language: Language) -> Vec<String> {
    let t = crate::policy::texts(language);
    let Some(profile) = &found.profile else {
        return vec![t.only_reachable.into()];
    };
    let title = match profile.make_and_model.as_str() {
        "" => t.found_unnamed.to_owned(),
        model => t.fill(t.found_it, &[model]),
    };
    let mut can = vec![if profile.color { t.can_color.to_owned() } else { t.can_mono.to_owned() }];
    if profile.duplex {
        can.push(t.can_duplex.into());
    }
    if let Some(media) = &profile.media_default {
        can.push(t.fill(t.can_media, &[tympan_engine::options::media_label(media)]));
    }
    let formats: Vec<&str> = profile.formats.iter().filter_map(|format| format_word(format)).collect();
    if !formats.is_empty() {
        can.push(t.fill(t.can_takes, &[&formats.join(", ")]));
    }
    let end = if language == Language::En { "." } else { "。" };
    let join = if language == Language::En { ", " } else { "、" };
    let mut capabilities = can.join(join);
    if let (Language::En, Some(first)) = (language, capabilities.get(..1)) {
        capabilities = format!("{}{}", first.to_uppercase(), &capabilities[1..]);
    }
    vec![format!("{title}{end}"), format!("{capabilities}{end}")]
}

/// What people call a format.
pub(crate) fn format_word(format: &str) -> Option<&'static str> {
    Some(match format {
        "application/pdf" | "application/pdf; laid-out=yes" => "PDF",
        "image/jpeg" => "JPEG",
        "image/png" => "PNG",
        "image/pwg-raster" => "PWG Raster",
        "image/urf" => "Apple Raster",
        "application/postscript" => "PostScript",
        "application/vnd.hp-pcl" => "PCL",
        "text/plain" => "text",
        _ => return None,
    })
}

/// The state of a printer that was only looked at, for its levels on the page.
pub(crate) fn looked_at(name: &str, device: &str, condition: Condition, now: tympan_engine::Timestamp) -> Printer {
    let uuid = tympan_engine::PrinterUuid([0; 16]);
    let mut printer = Printer::new(tympan_engine::OwnerId(0), uuid, name, device, now);
    printer.condition = condition;
    printer
}

/// The page number typed in a form.
pub(crate) fn page_of(ask: &Ask) -> Option<u32> {
    ask.field("page").parse().ok()
}
