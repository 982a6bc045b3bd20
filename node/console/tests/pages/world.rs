//! A console over a queue in memory, printers that a test scripts, and a browser that knows cookies and tokens.
#![allow(dead_code, unreachable_pub, reason = "the example uses a part of this")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tympan_console::{Console, ConsoleOptions, Found, Hands, Later};
use tympan_engine::{
    Account, AccountId, AttemptEvent, Condition, DeviceProfile, DocumentId, Effect, JobDocument, JobEvent, JobOptions,
    JobSource, JobUuid, Language, Marker, Notice, NoticeKind, Originator, OwnerId, Printer, PrinterEvent,
    PrinterPolicy, PrinterUuid, Reachability, Right, TokenScope, Tray, Trouble,
};
use tympan_http::{
    Client, ClientOptions, ClientRequest, HeaderMap, HeaderName, HeaderValue, Method, ServeOptions, Server, StatusCode,
    Target, header,
};
use tympan_spooler::{
    Clock, CrashPoint, NewPrinter, Perform, Performed, Randomness, Spooler, SpoolerOptions, Submission, Submitted,
    Target as Goal,
};
use tympan_store::{Change, Documents, MemoryStore, NewDocument, Record, Records, Whose};

/// No test waits longer for an event.
const CEILING: Duration = Duration::from_secs(60);

/// How printers are, by name; others do not answer.
#[derive(Default)]
pub struct Devices {
    pub conditions: Mutex<HashMap<String, Condition>>,
    /// What the next device says that is asked before it is added.
    pub found: Mutex<Option<Result<Found, String>>>,
}

/// Carries effects out as the names of jobs say: `… lost …` gets lost on the way, `… slow …` keeps printing.
struct Work(Arc<Devices>);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Perform for Work {
    fn perform<'a>(&'a self, spooler: &'a Spooler, effect: &'a Effect, _tries: u32) -> Boxed<'a, Performed> {
        Box::pin(async move {
            match effect {
                Effect::Inspect { job } => {
                    let row = spooler.job(Whose::Everyones, *job).await.unwrap();
                    let pages = if row.name.contains("long") { 120 } else { 3 };
                    let documents = vec![JobDocument { pages, ..row.received[0].clone() }];
                    let remarks = if row.name.contains("remark") {
                        vec!["photo.heic: this format cannot be printed yet.".into()]
                    } else {
                        Vec::new()
                    };
                    let review = pages > 50;
                    let _ = spooler
                        .job_event(Whose::Everyones, *job, JobEvent::Inspected { documents, remarks, review }, None)
                        .await;
                }
                Effect::Deliver { job, attempt } => {
                    let row = spooler.job(Whose::Everyones, *job).await.unwrap();
                    let printer = spooler.printer(Whose::Everyones, row.printer).await.unwrap();
                    let condition = self.0.conditions.lock().unwrap().get(&printer.name).cloned();
                    let event = condition.map_or(PrinterEvent::Silent, PrinterEvent::Answered);
                    let printer = spooler.printer_event(Whose::Everyones, row.printer, event, None).await.unwrap();
                    if let Some(trouble) = printer.trouble_for(&row.options) {
                        let _ = spooler.attempt_event(*job, *attempt, AttemptEvent::Blocked(trouble)).await;
                        return Performed::Done;
                    }
                    let events = if row.name.contains("lost") {
                        vec![
                            AttemptEvent::HandOver,
                            AttemptEvent::Sent(1),
                            AttemptEvent::Progress(1),
                            AttemptEvent::Lost,
                        ]
                    } else if row.name.contains("slow") {
                        vec![AttemptEvent::HandOver, AttemptEvent::SentAll, AttemptEvent::Progress(1)]
                    } else {
                        vec![AttemptEvent::HandOver, AttemptEvent::SentAll, AttemptEvent::Completed(Some(3))]
                    };
                    for event in events {
                        let _ = spooler.attempt_event(*job, *attempt, event).await;
                    }
                }
                Effect::Notify { job, kind } => {
                    let row = spooler.job(Whose::Everyones, *job).await.unwrap();
                    let notice = Notice {
                        owner: row.owner,
                        key: format!("{}:{job}", kind.word()),
                        recipient: row.originator.address.clone(),
                        language: row.originator.language,
                        printer: row.printer,
                        job: Some(*job),
                        kind: kind.clone(),
                        created_at: spooler.now(),
                        told_at: None,
                        subject: format!("{}: {}", kind.word(), *row.name),
                        text: format!("Your job {} – {}\n\nLook here: /j/…", row.short(), *row.name),
                    };
                    let _ = spooler.told(notice, "console").await;
                }
                _ => {}
            }
            Performed::Done
        })
    }
}

/// Asks devices that a test scripts.
pub struct FakeHands {
    pub spooler: Spooler,
    pub devices: Arc<Devices>,
}

impl Hands for FakeHands {
    fn ask_device<'a>(&'a self, device: &'a str, _: Language) -> Later<'a, Result<Found, String>> {
        Box::pin(async move {
            let scripted = self.devices.found.lock().unwrap().clone();
            scripted.unwrap_or_else(|| Err(format!("{device} did not answer within 5 seconds. Is it switched on?")))
        })
    }

    fn ask_printer<'a>(&'a self, printer: &'a Printer, language: Language) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let condition = self.devices.conditions.lock().unwrap().get(&printer.name).cloned();
            let event = condition.map_or(PrinterEvent::Silent, PrinterEvent::Answered);
            let whose = Whose::Owner(printer.owner);
            let after =
                self.spooler.printer_event(whose, printer.uuid, event, None).await.map_err(|e| e.to_string())?;
            match after.condition.trouble_for_all() {
                None => Ok(()),
                Some(trouble) => Err(tympan_engine::words::trouble(&trouble, language)),
            }
        })
    }

    fn test_page<'a>(&'a self, printer: &'a Printer, originator: Originator) -> Later<'a, Result<JobUuid, String>> {
        Box::pin(async move {
            let job =
                submit(&self.spooler, printer, "Test page", originator, JobSource::TestPage, JobOptions::default());
            Ok(job.await)
        })
    }
}

/// Hands a document in.
pub async fn submit(
    spooler: &Spooler,
    printer: &Printer,
    name: &str,
    originator: Originator,
    source: JobSource,
    options: JobOptions,
) -> JobUuid {
    let registration = spooler.registration_at(printer.uuid, &originator.address).await.unwrap();
    let octets = format!("document {name}").into_bytes();
    let id = DocumentId::from_parts(spooler.now(), spooler.random());
    let document =
        NewDocument { id, octets: octets.len() as u64, sha256: [0; 32], inline: Some(octets.into()), refs: 0 };
    let submission = Submission {
        targets: vec![Goal { printer: printer.clone(), registration, source, duplicate_key: None }],
        name: name.into(),
        originator,
        options,
        priority: 50,
        document: Some(Submitted { document, format: "application/pdf".into(), name: name.into() }),
        remarks: Vec::new(),
        holds: BTreeSet::new(),
        release_at: None,
        pin: None,
    };
    spooler.accept(submission).await.unwrap()[0].job
}

pub struct World {
    pub spooler: Spooler,
    pub devices: Arc<Devices>,
    pub console: Arc<Console>,
    pub addr: SocketAddr,
    run: tokio::task::JoinHandle<()>,
    serve: tokio::task::JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.run.abort();
        self.serve.abort();
    }
}

impl World {
    /// A place without accounts and printers.
    pub async fn empty() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), |_| {}).await
    }

    pub async fn at(addr: SocketAddr, change: impl FnOnce(&mut ConsoleOptions)) -> Self {
        let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
        let documents = Documents::in_memory(Arc::clone(&records));
        let options = SpoolerOptions { notice_after_ms: 0, ..SpoolerOptions::default() };
        let spooler = Spooler::new(records, documents, Clock::System, Randomness::System, options, CrashPoint::none());
        let devices = Arc::new(Devices::default());
        let runner = spooler.clone();
        let work = Arc::new(Work(Arc::clone(&devices)));
        let run = tokio::spawn(async move { runner.run(work).await.unwrap() });
        let server = Server::bind(addr).unwrap();
        let addr = server.local_addr();
        let hands = Arc::new(FakeHands { spooler: spooler.clone(), devices: Arc::clone(&devices) });
        let mut options = ConsoleOptions {
            time_zone: Some("Asia/Tokyo".into()),
            upload_path: Some("/print/{printer}".into()),
            pair_interval_ms: 0,
            ..ConsoleOptions::new(spooler.clone(), hands, &format!("http://{addr}"), "print.example")
        };
        change(&mut options);
        let console = Console::new(options).await.unwrap();
        let router = Arc::new(console.router());
        let (stop, stopped) = oneshot::channel::<()>();
        let mut serving = ServeOptions::default();
        serving.limits.connections_per_source_max = 10_000;
        let serve = tokio::spawn(server.serve(router, serving, async {
            let _ = stopped.await;
        }));
        Self { spooler, devices, console, addr, run, serve, _stop: stop }
    }

    /// A place with an account that owns it and a printer that is well.
    pub async fn small() -> Self {
        let world = Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), |options| options.set_up = false).await;
        world.printer("office", "Office").await;
        world
    }

    /// Adds a printer that is well.
    pub async fn printer(&self, name: &str, info: &str) -> Printer {
        self.devices.conditions.lock().unwrap().insert(name.into(), well());
        let new = NewPrinter {
            name: name.into(),
            info: info.into(),
            device: format!("ipp://{name}.example/ipp/print"),
            policy: PrinterPolicy { reprint_window_ms: 3_600_000, ..PrinterPolicy::default() },
            device_fingerprint: None,
        };
        self.spooler.add_printer(OwnerId::FIRST, new).await.unwrap()
    }

    pub async fn printer_named(&self, name: &str) -> Printer {
        self.spooler.printer_named(Whose::Everyones, name).await.unwrap()
    }

    /// Makes an account without a password; `signed_in` opens sessions of it.
    pub async fn account(&self, owner: OwnerId, name: &str, right: Right, addresses: &[&str]) -> Account {
        let account = Account {
            owner,
            id: AccountId::from_parts(self.spooler.now(), self.spooler.random()),
            name: name.into(),
            addresses: addresses.iter().map(|address| (*address).into()).collect(),
            password_hash: None,
            right,
            printer_rights: Vec::new(),
            language: Language::En,
            created_at: self.spooler.now(),
        };
        self.spooler.save_account(account.clone(), 0).await.unwrap();
        account
    }

    /// A browser in which this account is signed in.
    pub async fn signed_in(&self, account: &Account) -> Browser {
        let (token, session) = self.spooler.open_session(account, 14 * 86_400_000).await.unwrap();
        let mut browser = self.browser();
        browser.cookies.insert("tympan".into(), token);
        browser.csrf = session.csrf;
        browser
    }

    /// The browser of somebody who owns the place.
    pub async fn owner(&self) -> Browser {
        let account = self.account(OwnerId::FIRST, "olga", Right::Own, &["olga@example.org"]).await;
        self.signed_in(&account).await
    }

    pub fn browser(&self) -> Browser {
        Browser { addr: self.addr, cookies: BTreeMap::new(), csrf: String::new(), headers: HeaderMap::new() }
    }

    pub async fn admin_token(&self) -> String {
        self.spooler.new_token(OwnerId::FIRST, TokenScope::Admin, None).await.unwrap()
    }

    /// Hands in a job of this sender.
    pub async fn submit(&self, printer: &str, name: &str, sender: &str) -> JobUuid {
        let printer = self.printer_named(printer).await;
        let originator =
            Originator { address: sender.into(), registration: None, language: Language::En, may_be_mailed: true };
        let source = JobSource::Mail { message_id: None, recipient: "office@print.example".into() };
        submit(&self.spooler, &printer, name, originator, source, JobOptions::default()).await
    }

    /// Waits until a job is as wanted.
    pub async fn until(&self, job: JobUuid, wanted: impl Fn(&tympan_engine::Job) -> bool) -> tympan_engine::Job {
        let mut changes = self.spooler.watch();
        let found = tokio::time::timeout(CEILING, async {
            loop {
                let row = self.spooler.job(Whose::Everyones, job).await.unwrap();
                if wanted(&row) {
                    return row;
                }
                let _ = changes.recv().await;
            }
        });
        found.await.expect("the job is as wanted in time")
    }

    /// A job that waits because its printer is out of A4.
    pub async fn waiting_job(&self, name: &str, sender: &str) -> JobUuid {
        self.devices.conditions.lock().unwrap().insert("office".into(), no_paper());
        let job = self.submit("office", name, sender).await;
        let mut changes = self.spooler.watch();
        let blocked = tokio::time::timeout(CEILING, async {
            while self.printer_named("office").await.outage.is_none() {
                let _ = changes.recv().await;
            }
        });
        blocked.await.expect("the printer was asked in time");
        self.until(job, |job| job.is_waiting()).await;
        job
    }

    /// A job in doubt.
    pub async fn doubtful_job(&self, sender: &str) -> JobUuid {
        let job = self.submit("office", "lost.pdf", sender).await;
        self.until(job, |job| job.doubt.is_some()).await;
        job
    }

    /// The secret link of a notice.
    pub async fn job_link(&self, job: JobUuid) -> String {
        let token = self.spooler.new_token(OwnerId::FIRST, TokenScope::Job { job }, None).await.unwrap();
        format!("/j/{token}")
    }

    /// Tells a notice.
    pub async fn notice(&self, printer: PrinterUuid, subject: &str, text: &str) {
        let notice = Notice {
            owner: OwnerId::FIRST,
            key: format!("remarks:{subject}"),
            recipient: "anna@example.org".into(),
            language: Language::En,
            printer,
            job: None,
            kind: NoticeKind::Remarks,
            created_at: self.spooler.now(),
            told_at: Some(self.spooler.now()),
            subject: subject.into(),
            text: text.into(),
        };
        let change = Change { put: vec![(Record::Notice(notice), 0)], ..Change::default() };
        self.spooler.records().commit(change).await.unwrap();
    }
}

/// A device that has all it needs.
pub fn well() -> Condition {
    let tank = |name: &str, color: &str, level| Marker {
        name: name.into(),
        color: color.into(),
        kind: "toner".into(),
        level: Some(level),
        low: Some(10),
    };
    Condition {
        reachability: Reachability::Answering,
        trays: vec![
            Tray {
                name: "Tray 1".into(),
                media: Some("iso_a4_210x297mm".into()),
                level: Some(240),
                capacity: Some(250),
                empty: false,
            },
            Tray {
                name: "Tray 2".into(),
                media: Some("iso_a3_297x420mm".into()),
                level: None,
                capacity: None,
                empty: false,
            },
        ],
        markers: vec![
            tank("Cyan", "#00FFFF", 71),
            tank("Magenta", "#FF00FF", 42),
            tank("Yellow", "#FFFF00", 8),
            tank("Black", "#000000", 90),
        ],
        ..Condition::default()
    }
}

/// A device whose only tray with A4 is empty.
pub fn no_paper() -> Condition {
    let mut condition = well();
    condition.trays.truncate(1);
    condition.trays[0].empty = true;
    condition.trays[0].level = Some(0);
    condition.reasons = vec!["media-empty-error".into()];
    condition
}

/// What a colour printer says that it can do.
pub fn profile() -> DeviceProfile {
    DeviceProfile {
        make_and_model: "Example ColorPrint 9000".into(),
        formats: vec!["application/pdf".into(), "image/jpeg".into(), "image/pwg-raster".into()],
        media: vec!["iso_a4_210x297mm".into(), "iso_a3_297x420mm".into(), "na_letter_8.5x11in".into()],
        media_default: Some("iso_a4_210x297mm".into()),
        color: true,
        duplex: true,
        ..DeviceProfile::default()
    }
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// Where it sends the browser.
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Passes if the text stands there.
    #[track_caller]
    pub fn has(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is missing in {} {}", self.status, self.text);
        self
    }

    #[track_caller]
    pub fn has_not(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} stands in {}", self.text);
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{} {}", self.location(), self.text);
        self
    }
}

/// A browser: keeps cookies, and the token of the last form it saw.
#[derive(Clone)]
pub struct Browser {
    pub addr: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    pub csrf: String,
    /// Sent with every request.
    pub headers: HeaderMap,
}

impl Browser {
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    pub async fn send(&mut self, method: Method, path: &str, headers: &[(&'static str, &str)], body: Vec<u8>) -> Page {
        let kept = method.clone();
        let target = Target::parse(&format!("http://{}{path}", self.addr)).unwrap();
        let mut request = ClientRequest::new(method, &target);
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, HeaderValue::from_str(&cookies.join("; ")).unwrap());
        }
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value.clone());
        }
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let sent = serde_json::from_slice(&body).ok();
        if !body.is_empty() {
            request = request.body(body);
        }
        let answer = Client::new(ClientOptions::default()).request(request).await.unwrap();
        let (status, headers) = (answer.status, answer.headers.clone());
        let octets = answer.body.collect().await.unwrap();
        for set in headers.get_all(header::SET_COOKIE) {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let text = String::from_utf8_lossy(&octets).into_owned();
        if path.starts_with("/api/") {
            let kind = headers.get(header::CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
            crate::openapi::check(&kept, path, sent.as_ref(), status, kind, &text);
        }
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            self.csrf = rest.split('"').next().unwrap().into();
        }
        Page { status, headers, text }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Sends a form as a page of ours does.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.post_raw(path, &fields, Some("same-origin")).await
    }

    pub async fn post_raw(&mut self, path: &str, fields: &[(&str, &str)], site: Option<&str>) -> Page {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(site.map(|site| ("sec-fetch-site", site)));
        self.send(Method::POST, path, &headers, body.join("&").into_bytes()).await
    }

    /// Uses the API below `/api/v1`.
    pub async fn api(&mut self, method: Method, path: &str, body: Option<serde_json::Value>) -> Page {
        let csrf = self.csrf.clone();
        let mut headers = vec![("sec-fetch-site", "same-origin"), ("x-csrf", csrf.as_str())];
        let body = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.send(method, &format!("/api/v1{path}"), &headers, body).await
    }
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, octet| {
        if octet.is_ascii_alphanumeric() {
            out.push(char::from(octet))
        } else {
            out += &format!("%{octet:02X}")
        }
        out
    })
}

/// A colour is empty, and nothing else is wrong.
pub fn no_cyan() -> Condition {
    let mut condition = well();
    condition.markers[0].level = Some(0);
    condition
}

/// The trouble of a printer that is off, for tests that block by hand.
pub const OFF: Trouble = Trouble::Off;
