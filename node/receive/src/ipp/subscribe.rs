//! Subscriptions, and their events fetched with Get-Notifications (RFC 3995, RFC 3996).
//!
//! They live in memory: after a restart a client is told that its subscription is not known, and subscribes anew, as
//! RFC 3995 section 5.3 has it for a printer that was switched off. The rows stay the truth; events are made by looking
//! at what a hint of the queue is about.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tympan_engine::{Job, JobUuid, Millis, Printer, PrinterUuid, Right, Timestamp};
use tympan_ipp::{Attribute, Group, GroupTag, JobState, Message, RequestedAttributes, StatusCode, Value};
use tympan_spooler::{Changed, Spooler};
use tympan_store::{JobFilter, JobStates, Whose};

use super::Arrived;
use super::job::{date_time, reasons};
use super::printer::condition;
use super::refused::Refused;
use super::scene::{Answer, Asker, Scene, ok};

/// "notify-events-supported".
pub(super) const EVENTS: [&str; 11] = [
    "job-completed",
    "job-config-changed",
    "job-created",
    "job-progress",
    "job-state-changed",
    "job-stopped",
    "printer-config-changed",
    "printer-queue-order-changed",
    "printer-state-changed",
    "printer-stopped",
    "none",
];
/// "notify-events-default".
pub(super) const EVENTS_DEFAULT: [&str; 1] = ["job-completed"];
/// "notify-max-events-supported".
pub(super) const EVENTS_MAX: usize = 10;
/// "notify-lease-duration-supported": up to so many seconds.
pub(super) const LEASE_SECS_MAX: i32 = 86_400;
/// "notify-lease-duration-default", in seconds.
pub(super) const LEASE_SECS: i32 = 3_600;
/// "ippget-event-life", in seconds.
pub(super) const EVENT_LIFE_SECS: i32 = 300;
/// "notify-get-interval", in seconds.
const GET_INTERVAL_SECS: i32 = 60;
/// How long a Get-Notifications waits for an event.
const WAIT: Duration = Duration::from_secs(30);
/// Subscriptions in all, of one subscriber, and events kept of each.
const SUBSCRIPTIONS_MAX: usize = 10_000;
const SUBSCRIPTIONS_EACH_MAX: usize = 100;
const QUEUE_MAX: usize = 200;
/// Jobs that are looked at when events were missed.
const JOBS_MAX: usize = 1_000;

/// What somebody wants to be told.
struct Subscription {
    printer: PrinterUuid,
    printer_uri: String,
    job: Option<(JobUuid, i32)>,
    subscriber: String,
    events: Vec<&'static str>,
    user_data: Vec<u8>,
    lease_secs: i32,
    /// When it ends; one for a job ends with the job.
    until: Option<Timestamp>,
    ended: bool,
    sequence: i32,
    queue: VecDeque<Event>,
}

struct Event {
    sequence: i32,
    at: Timestamp,
    group: Group,
}

/// What was seen last of a job.
#[derive(Clone, PartialEq)]
struct Seen {
    state: JobState,
    impressions: u32,
    priority: u8,
    options: tympan_engine::JobOptions,
}

impl Seen {
    fn of(job: &Job) -> Self {
        Self {
            state: job.state,
            impressions: job.impressions_completed,
            priority: job.priority,
            options: job.options.clone(),
        }
    }
}

/// What was seen last of a printer.
#[derive(Clone, PartialEq)]
struct SeenPrinter {
    state: (tympan_ipp::PrinterState, Vec<String>, bool),
    off: Option<tympan_engine::Off>,
    config: (String, String, Option<u32>),
}

impl SeenPrinter {
    fn of(printer: &Printer) -> Self {
        let (state, reasons, _) = condition(printer);
        Self {
            state: (state, reasons, printer.accepting),
            off: printer.off,
            config: (
                printer.info.clone(),
                printer.location.clone(),
                printer.profile.as_ref().map(|profile| profile.version),
            ),
        }
    }
}

#[derive(Default)]
struct State {
    last_id: i32,
    all: BTreeMap<i32, Subscription>,
    jobs: HashMap<PrinterUuid, HashMap<JobUuid, Seen>>,
    printers: HashMap<PrinterUuid, SeenPrinter>,
    watching: bool,
}

/// All subscriptions.
#[derive(Default)]
pub(super) struct Hub {
    state: Mutex<State>,
    came: Notify,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what the queue hints at, as long as the hub lives.
    fn watch(self: &Arc<Self>, spooler: &Spooler, started: Timestamp) {
        if std::mem::replace(&mut self.state().watching, true) {
            return;
        }
        let (hub, spooler, mut changes) = (Arc::downgrade(self), spooler.clone(), spooler.watch());
        tokio::spawn(async move {
            loop {
                let change = match changes.recv().await {
                    Ok(change) => Some(change),
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return,
                };
                let Some(hub) = Weak::upgrade(&hub) else {
                    return;
                };
                hub.observe(&spooler, change, started).await;
            }
        });
    }

    /// Looks at what a change is about; without one, at all that anybody wants to know.
    async fn observe(&self, spooler: &Spooler, change: Option<Changed>, started: Timestamp) {
        let wanted = self.printers_wanted(spooler.now());
        let printers: Vec<PrinterUuid> = match change {
            Some(Changed { printer: Some(printer), .. }) if wanted.contains(&printer) => vec![printer],
            Some(_) => return,
            None => wanted,
        };
        for uuid in printers {
            let Ok(printer) = spooler.printer(Whose::Everyones, uuid).await else {
                continue;
            };
            self.see_printer(&printer, spooler.now(), started);
            let jobs = match change.and_then(|change| change.job) {
                Some(job) => spooler.job(Whose::Everyones, job).await.into_iter().collect(),
                None if change.is_some() => Vec::new(),
                None => {
                    let filter = JobFilter { printer: Some(uuid), limit: JOBS_MAX, ..JobFilter::default() };
                    spooler.records().jobs(Whose::Everyones, &filter).await.unwrap_or_default()
                }
            };
            for job in jobs {
                self.see_job(&printer, &job, spooler.now(), started);
            }
        }
        self.came.notify_waiters();
    }

    fn printers_wanted(&self, now: Timestamp) -> Vec<PrinterUuid> {
        let mut state = self.state();
        let life = Millis::from(EVENT_LIFE_SECS.unsigned_abs()) * 1000;
        // What has ended is known as long as its last events are.
        state.all.retain(|_, one| {
            one.queue.retain(|event| now.since(event.at) < life);
            one.until.is_none_or(|until| until > now) && !(one.ended && one.queue.is_empty())
        });
        let mut printers: Vec<PrinterUuid> = state.all.values().map(|one| one.printer).collect();
        printers.sort_unstable();
        printers.dedup();
        state.jobs.retain(|printer, _| printers.contains(printer));
        state.printers.retain(|printer, _| printers.contains(printer));
        printers
    }

    fn see_printer(&self, printer: &Printer, now: Timestamp, started: Timestamp) {
        let mut state = self.state();
        let seen = SeenPrinter::of(printer);
        let Some(before) = state.printers.insert(printer.uuid, seen.clone()) else {
            return;
        };
        if before.state != seen.state {
            let stopped = seen.state.0 == tympan_ipp::PrinterState::Stopped && before.state.0 != seen.state.0;
            let event = if stopped { "printer-stopped" } else { "printer-state-changed" };
            state.tell(event, printer, None, now, started);
        }
        if before.config != seen.config {
            state.tell("printer-config-changed", printer, None, now, started);
        }
    }

    fn see_job(&self, printer: &Printer, job: &Job, now: Timestamp, started: Timestamp) {
        let mut state = self.state();
        let seen = Seen::of(job);
        let before = state.jobs.entry(printer.uuid).or_default().insert(job.uuid, seen.clone());
        match before {
            // An old one, of which a hint came late.
            None if job.is_over() && now.since(job.created_at) > 60_000 => {}
            None => {
                state.tell("job-created", printer, Some(job), now, started);
                if let Some(event) = event_of(job.state).filter(|_| job.state != JobState::Pending) {
                    state.tell(event, printer, Some(job), now, started);
                }
            }
            Some(before) if before.state != seen.state => {
                let event = event_of(seen.state).unwrap_or("job-state-changed");
                state.tell(event, printer, Some(job), now, started);
            }
            Some(before) if before.impressions != seen.impressions => {
                state.tell("job-progress", printer, Some(job), now, started);
            }
            Some(before) if before.priority != seen.priority => {
                state.tell("printer-queue-order-changed", printer, None, now, started);
                state.tell("job-config-changed", printer, Some(job), now, started);
            }
            Some(before) if before.options != seen.options => {
                state.tell("job-config-changed", printer, Some(job), now, started);
            }
            Some(_) => {}
        }
        if job.is_over() {
            if let Some(jobs) = state.jobs.get_mut(&printer.uuid) {
                jobs.retain(|uuid, seen| *uuid == job.uuid || !is_over(seen.state));
            }
            for one in state.all.values_mut().filter(|one| one.job.is_some_and(|(uuid, _)| uuid == job.uuid)) {
                one.ended = true;
            }
        }
    }
}

fn is_over(state: JobState) -> bool {
    matches!(state, JobState::Completed | JobState::Canceled | JobState::Aborted)
}

fn event_of(state: JobState) -> Option<&'static str> {
    match state {
        JobState::Completed | JobState::Canceled | JobState::Aborted => Some("job-completed"),
        JobState::ProcessingStopped => Some("job-stopped"),
        JobState::Pending | JobState::PendingHeld | JobState::Processing => Some("job-state-changed"),
    }
}

/// The event of which this one is a special case (RFC 3995 section 5.3.3.4).
fn general(event: &str) -> &str {
    match event {
        "job-created" | "job-completed" | "job-stopped" => "job-state-changed",
        "printer-stopped" => "printer-state-changed",
        other => other,
    }
}

impl State {
    fn tell(&mut self, event: &str, printer: &Printer, job: Option<&Job>, now: Timestamp, started: Timestamp) {
        for (id, one) in &mut self.all {
            let about = one.job.is_none_or(|(uuid, _)| job.is_some_and(|job| job.uuid == uuid));
            if one.printer != printer.uuid || !about || one.ended {
                continue;
            }
            let wanted = |name: &str| one.events.iter().copied().find(|wanted| *wanted == name);
            let Some(subscribed) = wanted(event).or_else(|| wanted(general(event))) else {
                continue;
            };
            one.sequence = one.sequence.saturating_add(1);
            let group = event_group(*id, one, subscribed, printer, job, (now, started));
            one.queue.push_back(Event { sequence: one.sequence, at: now, group });
            if one.queue.len() > QUEUE_MAX {
                one.queue.pop_front();
            }
        }
    }
}

/// An event as it is told (RFC 3996 section 5.2.2).
fn event_group(
    id: i32,
    one: &Subscription,
    event: &str,
    printer: &Printer,
    job: Option<&Job>,
    (now, started): (Timestamp, Timestamp),
) -> Group {
    let up_time = i32::try_from(now.since(started) / 1000 + 1).unwrap_or(i32::MAX);
    let (state, printer_reasons, _) = condition(printer);
    let mut group = Group::new(GroupTag::EventNotification);
    group.push("notify-charset", Value::charset("utf-8"));
    group.push("notify-natural-language", Value::natural_language("en"));
    group.push("notify-subscription-id", id);
    group.push("notify-printer-uri", Value::uri(one.printer_uri.as_str()));
    group.push("notify-subscribed-event", Value::keyword(event));
    group.push("notify-sequence-number", one.sequence);
    group.push("notify-user-data", Value::octet_string(one.user_data.as_slice()));
    group.push("printer-up-time", up_time);
    group.push("printer-current-time", date_time(now));
    match job {
        Some(job) => {
            let what = format!("Job {} ({}): {}.", job.id.0, job.short(), job.state.as_str());
            group.push("notify-text", Value::text(what));
            group.push("notify-job-id", i32::try_from(job.id.0).unwrap_or(i32::MAX));
            group.push("job-id", i32::try_from(job.id.0).unwrap_or(i32::MAX));
            group.push("job-uuid", Value::uri(format!("urn:uuid:{}", job.uuid)));
            group.push("job-state", job.state);
            group.push("job-state-reasons", reasons(job));
            group.push("job-impressions-completed", i32::try_from(job.impressions_completed).unwrap_or(i32::MAX));
        }
        None => {
            group.push("notify-text", Value::text(format!("{}: {}.", printer.info, state.as_str())));
            group.push("printer-state", state);
            group.push("printer-state-reasons", Value::keywords(printer_reasons));
            group.push("printer-is-accepting-jobs", printer.accepts(now));
        }
    }
    group
}

// ---------------------------------------------------------------------- operations

/// Create-Printer-Subscriptions, Create-Job-Subscriptions.
pub(super) async fn create(scene: &Scene<'_>, arrived: &Arrived, for_job: bool) -> Answer {
    let (asker, job) = match for_job {
        false => (scene.asker(arrived).await?, None),
        true => {
            let name =
                if arrived.message.operation_attribute("notify-job-id").is_some() { "notify-job-id" } else { "job-id" };
            let id = arrived.message.operation_attribute(name).and_then(Attribute::integer);
            let id = id
                .and_then(|id| u32::try_from(id).ok())
                .ok_or_else(|| Refused::bad("\"notify-job-id\" is missing."))?;
            let asker = scene.asker(arrived).await?;
            let job = scene.job_by_id(id).await?.ok_or_else(Refused::not_found)?;
            if !asker.may(&job) {
                return Err(Refused::new(StatusCode::ClientErrorNotAuthorized, "This is somebody else's job.").into());
            }
            (asker, Some(job))
        }
    };
    if arrived.message.group(GroupTag::Subscription).is_none() {
        return Err(Refused::bad("There is no subscription in it.").into());
    }
    let (groups, failed) = subscribe(scene, &asker, &arrived.message, job.as_ref()).await?;
    let status = match (failed, groups.len()) {
        (0, _) => StatusCode::SuccessfulOk,
        (failed, all) if failed == all => StatusCode::ClientErrorIgnoredAllSubscriptions,
        _ => StatusCode::SuccessfulOkIgnoredSubscriptions,
    };
    Ok(groups.into_iter().fold(Message::response(status, &arrived.message), Message::with_group))
}

/// Makes the subscriptions that a request holds; gives a group for each, and how many failed.
pub(super) async fn subscribe(
    scene: &Scene<'_>,
    asker: &Asker,
    message: &Message,
    job: Option<&Job>,
) -> Result<(Vec<Group>, usize), Refused> {
    let asked: Vec<&Group> = message.groups(GroupTag::Subscription).collect();
    if asked.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let hub = &scene.door.hub;
    hub.watch(scene.spooler(), scene.door.started);
    seed(scene, hub).await?;
    let (mut groups, mut failed) = (Vec::new(), 0);
    for group in asked {
        let mut answer = Group::new(GroupTag::Subscription);
        match template(scene, asker, group, job) {
            Ok(subscription) => {
                let lease = subscription.lease_secs;
                let mut state = hub.state();
                let mine = state.all.values().filter(|one| one.subscriber == subscription.subscriber).count();
                if state.all.len() >= SUBSCRIPTIONS_MAX || mine >= SUBSCRIPTIONS_EACH_MAX {
                    answer.push("notify-status-code", i32::from(StatusCode::ClientErrorTooManySubscriptions.0));
                    failed += 1;
                } else {
                    state.last_id = state.last_id.checked_add(1).unwrap_or(1);
                    let id = state.last_id;
                    state.all.insert(id, subscription);
                    answer.push("notify-subscription-id", id);
                    if job.is_none() {
                        answer.push("notify-lease-duration", lease);
                    }
                }
            }
            Err((status, attribute)) => {
                failed += 1;
                answer.push("notify-status-code", Value::Enum(i32::from(status.0)));
                if let Some(attribute) = attribute {
                    answer.push(attribute.name, attribute.values);
                }
            }
        }
        groups.push(answer);
    }
    Ok((groups, failed))
}

/// What is there already is nothing new.
async fn seed(scene: &Scene<'_>, hub: &Hub) -> Result<(), Refused> {
    if hub.state().printers.contains_key(&scene.printer.uuid) {
        return Ok(());
    }
    let filter = JobFilter {
        printer: Some(scene.printer.uuid),
        states: JobStates::NotCompleted,
        limit: 10_000,
        ..JobFilter::default()
    };
    let jobs = scene.spooler().records().jobs(scene.whose(), &filter).await;
    let jobs = jobs.map_err(|error| Refused::store(&error.into(), "list jobs"))?;
    let mut state = hub.state();
    state.printers.insert(scene.printer.uuid, SeenPrinter::of(&scene.printer));
    let seen = state.jobs.entry(scene.printer.uuid).or_default();
    for job in jobs {
        seen.entry(job.uuid).or_insert_with(|| Seen::of(&job));
    }
    Ok(())
}

/// Reads a subscription template (RFC 3995 section 5.3).
fn template(
    scene: &Scene<'_>,
    asker: &Asker,
    group: &Group,
    job: Option<&Job>,
) -> Result<Subscription, (StatusCode, Option<Attribute>)> {
    let unsupported =
        |attribute: &Attribute| (StatusCode::ClientErrorAttributesOrValuesNotSupported, Some(attribute.clone()));
    if let Some(push) = group.get("notify-recipient-uri") {
        return Err((StatusCode::ClientErrorUriSchemeNotSupported, Some(push.clone())));
    }
    match group.get("notify-pull-method") {
        Some(method) if method.string() != Some("ippget") => return Err(unsupported(method)),
        Some(_) => {}
        None => return Err((StatusCode::ClientErrorBadRequest, None)),
    }
    let mut events = Vec::new();
    match group.get("notify-events") {
        None => events.extend(EVENTS_DEFAULT),
        Some(asked) => {
            for word in asked.strings() {
                match EVENTS.iter().find(|known| **known == word) {
                    Some(known) if !events.contains(known) => events.push(*known),
                    Some(_) => {}
                    None => return Err(unsupported(asked)),
                }
            }
            if events.len() > EVENTS_MAX {
                return Err((StatusCode::ClientErrorTooManySubscriptions, None));
            }
        }
    }
    let user_data = group.get("notify-user-data").and_then(Attribute::octet_string).unwrap_or_default();
    if user_data.len() > 63 {
        return Err((StatusCode::ClientErrorRequestValueTooLong, None));
    }
    let lease = match group.get("notify-lease-duration") {
        None => LEASE_SECS,
        Some(asked) => match asked.integer() {
            // None is without an end: nobody could tell those that are still wanted.
            Some(0) => LEASE_SECS_MAX,
            Some(secs @ 1..) => secs.min(LEASE_SECS_MAX),
            _ => return Err(unsupported(asked)),
        },
    };
    Ok(Subscription {
        printer: scene.printer.uuid,
        printer_uri: scene.printer_uri.clone(),
        job: job.map(|job| (job.uuid, i32::try_from(job.id.0).unwrap_or(i32::MAX))),
        subscriber: asker.name(),
        events,
        user_data: user_data.to_vec(),
        lease_secs: lease,
        until: job.is_none().then(|| scene.now + Millis::from(lease.unsigned_abs()) * 1000),
        ended: job.is_some_and(Job::is_over),
        sequence: 0,
        queue: VecDeque::new(),
    })
}

fn may(asker: &Asker, scene: &Scene<'_>, one: &Subscription) -> bool {
    one.printer == scene.printer.uuid
        && (one.subscriber == asker.name() || asker.right_at(&scene.printer) >= Right::Operate)
}

fn unknown() -> Refused {
    Refused::new(StatusCode::ClientErrorNotFound, "There is no such subscription; please subscribe again.")
}

/// The subscription that a request is about.
fn named(arrived: &Arrived) -> Result<i32, Refused> {
    let id = arrived.message.operation_attribute("notify-subscription-id").and_then(Attribute::integer);
    id.ok_or_else(|| Refused::bad("\"notify-subscription-id\" is missing."))
}

fn described(id: i32, one: &Subscription, scene: &Scene<'_>) -> Group {
    let mut group = Group::new(GroupTag::Subscription);
    group.push("notify-subscription-id", id);
    group.push("notify-subscription-uuid", Value::NoValue);
    group.push("notify-sequence-number", one.sequence);
    group.push("notify-printer-uri", Value::uri(one.printer_uri.as_str()));
    group.push("notify-printer-up-time", scene.view().up_time(scene.now));
    group.push("notify-subscriber-user-name", Value::name(one.subscriber.as_str()));
    group.push("notify-events", Value::keywords(one.events.iter().copied()));
    group.push("notify-pull-method", Value::keyword("ippget"));
    group.push("notify-charset", Value::charset("utf-8"));
    group.push("notify-natural-language", Value::natural_language("en"));
    group.push("notify-user-data", Value::octet_string(one.user_data.as_slice()));
    match one.job {
        Some((_, id)) => group.push("notify-job-id", id),
        None => {
            let until = one.until.unwrap_or(scene.now);
            group.push("notify-lease-duration", one.lease_secs);
            group.push("notify-lease-expiration-time", scene.view().up_time(until));
        }
    }
    group
}

pub(super) async fn list(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let message = &arrived.message;
    let job = message.operation_attribute("notify-job-id").or_else(|| message.operation_attribute("job-id"));
    let job = job.and_then(Attribute::integer);
    let limit = message.operation_attribute("limit").and_then(Attribute::integer).unwrap_or(i32::MAX);
    let mine = message.operation_attribute("my-subscriptions").and_then(Attribute::boolean) == Some(true);
    let requested = RequestedAttributes::of(message, &["notify-subscription-id"]);
    scene.door.hub.printers_wanted(scene.now);
    let state = scene.door.hub.state();
    let listed = state.all.iter().filter(|(_, one)| {
        let about = match job {
            Some(job) => one.job.is_some_and(|(_, id)| id == job),
            None => one.job.is_none(),
        };
        about && may(&asker, scene, one) && (!mine || one.subscriber == asker.name())
    });
    let mut answer = ok(arrived);
    for (id, one) in listed.take(usize::try_from(limit).unwrap_or(0)) {
        answer = answer.with_group(requested.filter(described(*id, one, scene)));
    }
    Ok(answer)
}

pub(super) async fn attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let id = named(arrived)?;
    scene.door.hub.printers_wanted(scene.now);
    let state = scene.door.hub.state();
    let one = state.all.get(&id).filter(|one| may(&asker, scene, one)).ok_or_else(unknown)?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    Ok(ok(arrived).with_group(requested.filter(described(id, one, scene))))
}

pub(super) async fn renew(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let id = named(arrived)?;
    scene.door.hub.printers_wanted(scene.now);
    let mut state = scene.door.hub.state();
    let one = state.all.get_mut(&id).filter(|one| may(&asker, scene, one)).ok_or_else(unknown)?;
    if one.job.is_some() {
        let text = "A subscription for a job ends with the job; it has no lease.";
        return Err(Refused::new(StatusCode::ClientErrorNotPossible, text).into());
    }
    let asked = arrived.message.operation_attribute("notify-lease-duration");
    let asked = asked.or_else(|| arrived.message.get(GroupTag::Subscription, "notify-lease-duration"));
    one.lease_secs = match asked.and_then(Attribute::integer) {
        None => LEASE_SECS,
        Some(secs) if secs <= 0 => LEASE_SECS_MAX,
        Some(secs) => secs.min(LEASE_SECS_MAX),
    };
    one.until = Some(scene.now + Millis::from(one.lease_secs.unsigned_abs()) * 1000);
    let mut group = Group::new(GroupTag::Subscription);
    group.push("notify-lease-duration", one.lease_secs);
    Ok(ok(arrived).with_group(group))
}

pub(super) async fn cancel(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let id = named(arrived)?;
    let mut state = scene.door.hub.state();
    state.all.get(&id).filter(|one| may(&asker, scene, one)).ok_or_else(unknown)?;
    state.all.remove(&id);
    Ok(ok(arrived))
}

/// Get-Notifications: at once, or with "notify-wait" when the first event comes.
pub(super) async fn notifications(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let message = &arrived.message;
    let ids = message
        .operation_attribute("notify-subscription-ids")
        .ok_or_else(|| Refused::bad("\"notify-subscription-ids\" is missing."))?;
    let ids: Vec<i32> = ids.integers().take(SUBSCRIPTIONS_EACH_MAX).collect();
    let lowest: Vec<i32> = message
        .operation_attribute("notify-sequence-numbers")
        .map(|numbers| numbers.integers().collect())
        .unwrap_or_default();
    let waits = message.operation_attribute("notify-wait").and_then(Attribute::boolean) == Some(true);
    let hub = &scene.door.hub;
    let deadline = tokio::time::Instant::now() + if waits { WAIT } else { Duration::ZERO };
    loop {
        let came = hub.came.notified();
        tokio::pin!(came);
        // From here on none is missed.
        came.as_mut().enable();
        let now = scene.spooler().now();
        hub.printers_wanted(now);
        let (groups, all_ended) = fetch(scene, &asker, &ids, &lowest)?;
        let over = !groups.is_empty() || all_ended || tokio::time::timeout_at(deadline, came).await.is_err();
        if !over {
            continue;
        }
        let status = if all_ended { StatusCode::SuccessfulOkEventsComplete } else { StatusCode::SuccessfulOk };
        let up_time = scene.view().up_time(now);
        let mut answer = Message::response(status, message).operation("printer-up-time", up_time);
        if !all_ended {
            answer = answer.operation("notify-get-interval", GET_INTERVAL_SECS);
        }
        return Ok(groups.into_iter().fold(answer, Message::with_group));
    }
}

/// The events that wait, and whether none can come any more.
fn fetch(scene: &Scene<'_>, asker: &Asker, ids: &[i32], lowest: &[i32]) -> Result<(Vec<Group>, bool), Refused> {
    let state = scene.door.hub.state();
    let mut groups = Vec::new();
    let mut all_ended = !ids.is_empty();
    for (place, id) in ids.iter().enumerate() {
        let one = state.all.get(id).filter(|one| may(asker, scene, one)).ok_or_else(unknown)?;
        let lowest = lowest.get(place).copied().unwrap_or(1);
        let wanted = one.queue.iter().filter(|event| event.sequence >= lowest);
        groups.extend(wanted.map(|event| event.group.clone()));
        all_ended &= one.ended;
    }
    Ok((groups, all_ended))
}
