//! Documents by HTTP: who may, what is taken, what is said.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::common::{Client, Setup, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;
use tympan_engine::{Access, Account, JobSource, OwnerId, TokenScope};
use tympan_http::{Limits, ServeOptions, Server};
use tympan_receive::{Identities, UploadDoor, UploadOptions};
use tympan_store::DocumentOptions;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n";

struct Web {
    world: World,
    addr: SocketAddr,
}

/// An answer: status, header fields in lower case, body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn location(&self) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default()
    }
}

fn listed() -> UploadOptions {
    UploadOptions {
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        base_url: "https://print.example".into(),
        octets_max: 1 << 20,
        ..UploadOptions::default()
    }
}

impl Web {
    async fn new(options: UploadOptions) -> Self {
        Self::with(options, None, DocumentOptions::default()).await
    }

    async fn with(options: UploadOptions, identities: Option<Identities>, documents: DocumentOptions) -> Self {
        let world = World::with(Setup { options: crate::common::options(), documents, ..Setup::default() }).await;
        world.printer("office", Access::Approve).await;
        let door = UploadDoor::new(world.spooler.clone(), options, identities);
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = server.local_addr();
        let serve = ServeOptions { limits: Limits::default(), ..ServeOptions::default() };
        tokio::spawn(server.serve(door, serve, std::future::pending()));
        Self { world, addr }
    }

    /// One request with its body; more header fields, each with CRLF.
    async fn send(&self, method: &str, path: &str, fields: &str, body: &[u8]) -> Answer {
        let mut client = Client::new(TcpStream::connect(self.addr).await.unwrap());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n",
            body.len()
        );
        client.raw(&[head.as_bytes(), body].concat()).await;
        let mut text = Vec::new();
        tokio::time::timeout(
            crate::common::CEILING,
            tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut text),
        )
        .await
        .unwrap()
        .unwrap();
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let head = head.lines().map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            format!("{}:{value}\n", name.to_lowercase())
        });
        Answer { status: text[9..12].parse().unwrap(), head: head.collect(), body: body.to_owned() }
    }

    async fn put(&self, path: &str, body: &[u8]) -> Answer {
        self.send("PUT", path, "", body).await
    }
}

#[tokio::test]
async fn a_file_from_a_listed_network_is_a_job_on_disk_before_201() {
    let web = Web::new(listed()).await;
    let answer = web.put("/print/Office/invoice%20%E5%8D%B0.pdf?copies=2&sides=two-sided-long-edge&shiny", PDF).await;
    let jobs = web.world.jobs().await;
    let [job] = &jobs[..] else { panic!("{answer:?}") };
    let short = job.short();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.location(), format!("/jobs/{short}"));
    let first = format!("{short} accepted for Office: https://print.example/jobs/{short}\n");
    assert_eq!(answer.body, first + "These words are not known and changed nothing: \"shiny\".\n");
    assert_eq!(web.world.stored(job).await, PDF);
    assert_eq!((job.name.0.as_str(), &job.source), ("invoice 印.pdf", &JobSource::Upload));
    assert_eq!(job.options.words(), "2 copies duplex");
    assert_eq!(job.received[0].format, "application/pdf");
    assert!(!job.originator.may_be_mailed && job.originator.registration.is_none());
}

#[tokio::test]
async fn who_is_nobody_is_asked_and_a_wrong_password_stays_out() {
    let web = Web::new(UploadOptions { networks: Vec::new(), ..listed() }).await;
    web.world.account("anna", "correct horse", &["anna@sender.example"]).await;
    let answer = web.put("/print/office", PDF).await;
    assert_eq!(answer.status, 401);
    assert!(answer.head.contains("www-authenticate: Basic") && answer.body.starts_with("Who are you?"), "{answer:?}");
    let basic = |text: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(text));
    assert_eq!(web.send("PUT", "/print/office", &basic("anna:wrong"), PDF).await.status, 401);
    assert_eq!(web.send("PUT", "/print/nowhere", &basic("anna:correct horse"), PDF).await.status, 404);
    let taken = web.send("PUT", "/print/office", &basic("anna:correct horse"), PDF).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    let jobs = web.world.jobs().await;
    assert_eq!((jobs.len(), jobs[0].originator.address.0.as_str()), (1, "anna@sender.example"));
    for _ in 0..5 {
        web.send("PUT", "/print/office", &basic("anna:wrong"), PDF).await;
    }
    assert_eq!(web.send("PUT", "/print/office", &basic("anna:correct horse"), PDF).await.status, 429);
}

#[tokio::test]
async fn a_token_for_administration_prints_and_others_do_not() {
    let web = Web::new(UploadOptions { networks: Vec::new(), ..listed() }).await;
    let spooler = &web.world.spooler;
    let office = spooler.printer_named(tympan_store::Whose::Everyones, "office").await.unwrap();
    let admin = spooler.new_token(OwnerId::FIRST, TokenScope::Admin, None).await.unwrap();
    let report = spooler.new_token(OwnerId::FIRST, TokenScope::Report { printer: office.uuid }, None).await.unwrap();
    let foreign = spooler.new_token(OwnerId(7), TokenScope::Admin, None).await.unwrap();
    for (token, status) in [(&admin, 201), (&report, 403), (&foreign, 404), (&"0".repeat(64), 401)] {
        let answer = web.send("PUT", "/print/office", &format!("Authorization: Bearer {token}\r\n"), PDF).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_for_an_account_prints_as_bearer_and_in_place_of_the_password() {
    let web = Web::new(UploadOptions { networks: Vec::new(), ..listed() }).await;
    let spooler = &web.world.spooler;
    let account = web.world.account("anna", "correct horse", &["anna@sender.example"]).await;
    let token = spooler.new_token(OwnerId::FIRST, TokenScope::Account { account: account.id }, None).await.unwrap();
    let basic = |pair: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(pair));
    for (credentials, status) in [
        (format!("Authorization: Bearer {token}\r\n"), 201),
        (basic(&format!("Anna:{token}")), 201),
        (basic(&format!("bob:{token}")), 401),
    ] {
        let answer = web.send("PUT", "/print/office", &credentials, PDF).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let jobs = web.world.jobs().await;
    assert!(jobs.len() == 2 && jobs.iter().all(|job| job.originator.address.0 == "anna@sender.example"), "{jobs:?}");
}

#[tokio::test]
async fn who_says_a_sender_must_name_one_who_is_registered() {
    let web = Web::new(listed()).await;
    let refused = web.put("/print/office?from=anna@sender.example", PDF).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("https://print.example/register/office"), "{refused:?}");
    let office = web.world.spooler.printer_named(tympan_store::Whose::Everyones, "office").await.unwrap();
    let registration = web.world.register(&office, "anna@sender.example").await;
    assert_eq!(web.put("/print/office?from=Anna@Sender.example", PDF).await.status, 201);
    let job = web.world.jobs().await.remove(0);
    assert_eq!(job.originator.address.0, "anna@sender.example");
    assert!(job.originator.may_be_mailed && job.originator.registration == Some(registration.id));
    assert_eq!(web.put("/print/office?from=nobody", PDF).await.status, 400);
}

#[tokio::test]
async fn what_cannot_be_printed_is_refused_and_nothing_is_left() {
    let web = Web::new(listed()).await;
    for (body, status, said) in [
        (&b"PK\x03\x04docx"[..], 415, "This is an office document or ZIP archive. PDF, JPEG"),
        (b"\0\x01\x02", 415, "This is a file of an unknown type"),
        (b"", 400, "The document is empty"),
        (&vec![b'x'; (1 << 20) + 1], 413, "The document is larger than 1 MiB"),
    ] {
        let answer = web.put("/print/office", body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.starts_with(said), "{answer:?}");
    }
    assert_eq!(web.put("/print/lobby", PDF).await.status, 404);
    assert_eq!(web.send("GET", "/print/office", "", b"").await.status, 405);
    let json = web.send("PUT", "/print/lobby", "Accept: application/json\r\n", PDF).await;
    assert_eq!(json.body, r#"{"error":"There is no printer `lobby` here; please check its name."}"#);
    web.world.assert_nothing_stored().await;
    assert_eq!(web.put("/print/office", &vec![b'x'; 1 << 20]).await.status, 201);
}

#[tokio::test]
async fn a_full_disk_is_507() {
    let documents = DocumentOptions { reserve_octets: Some(1 << 60), ..DocumentOptions::default() };
    let web = Web::with(listed(), None, documents).await;
    let answer = web.put("/print/office", PDF).await;
    assert_eq!((answer.status, answer.body.as_str()), (507, "The disk is full here; please try again later.\n"));
}

#[tokio::test]
async fn a_form_with_several_files_makes_several_jobs() {
    let web = Web::new(listed()).await;
    let part = |disposition: &str, more: &str, body: &str| {
        format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n{body}\r\n")
    };
    let form = [
        part("name=\"csrf\"", "", "0123"),
        part("name=\"copies\"", "", "3"),
        part("name=\"file\"; filename=\"a.pdf\"", "Content-Type: application/pdf\r\n", "%PDF-1.4 a"),
        part("name=\"file\"; filename=\"b.txt\"", "Content-Type: text/plain\r\n", "hello"),
        part("name=\"file\"; filename=\"\"", "", ""),
        part("name=\"media\"", "", "A5"),
        "--X--\r\n".to_owned(),
    ]
    .concat();
    let fields = "Content-Type: multipart/form-data; boundary=X\r\nAccept: application/json\r\n";
    let answer = web.send("POST", "/print/office", fields, form.as_bytes()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let jobs = web.world.jobs().await;
    assert_eq!(jobs.len(), 2);
    for (job, said) in jobs.iter().zip(json["jobs"].as_array().unwrap()) {
        assert_eq!(said["id"], job.short().to_string());
        assert_eq!((said["name"].as_str(), job.options.copies), (Some(job.name.0.as_str()), Some(3)));
    }
    assert!(json["remarks"][0].as_str().unwrap().contains("media"), "{json}");
    let page = web
        .send(
            "POST",
            "/print/office",
            "Content-Type: multipart/form-data; boundary=X\r\nAccept: text/html\r\n",
            form.as_bytes(),
        )
        .await;
    assert_eq!((page.status, page.location()), (303, "/jobs"));
    let none = [part("name=\"file\"; filename=\"\"", "", ""), "--X--\r\n".into()].concat();
    assert_eq!(web.send("POST", "/print/office", fields, none.as_bytes()).await.status, 400);
}

#[tokio::test]
async fn a_form_sent_again_prints_nothing_twice_and_two_alike_files_in_it_are_two_jobs() {
    let web = Web::new(listed()).await;
    let part = |name: &str| {
        format!("--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\nhello\r\n")
    };
    let form = [part("a.txt"), part("b.txt"), "--X--\r\n".to_owned()].concat();
    let fields = "Content-Type: multipart/form-data; boundary=X\r\nAccept: application/json\r\nIdempotency-Key: k1\r\n";
    for again in [false, true] {
        let answer = web.send("POST", "/print/office", fields, form.as_bytes()).await;
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let duplicates: Vec<_> = json["jobs"].as_array().unwrap().iter().map(|job| job["duplicate"].clone()).collect();
        assert_eq!(duplicates, [again, again], "{answer:?}");
    }
    assert_eq!(web.world.jobs().await.len(), 2);
}

#[tokio::test]
async fn another_site_cannot_print_through_a_browser() {
    let account: Arc<std::sync::OnceLock<Account>> = Arc::default();
    let known = account.clone();
    let identities: Identities = Arc::new(move |parts, _| {
        let signed_in = parts.headers.contains_key("cookie");
        let account = known.get().cloned().filter(|_| signed_in);
        Box::pin(std::future::ready(account))
    });
    let web = Web::with(listed(), Some(identities), DocumentOptions::default()).await;
    account.set(web.world.account("anna", "correct horse", &[]).await).unwrap();
    for (fields, status) in [
        ("Origin: https://evil.example\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Cookie: session=1\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Cookie: session=1\r\n", 403),
        ("Cookie: session=1\r\nSec-Fetch-Site: same-origin\r\n", 201),
        ("Cookie: session=1\r\nOrigin: http://localhost\r\n", 201),
        ("", 201),
    ] {
        let answer = web.send("PUT", "/print/office", fields, PDF).await;
        assert_eq!(answer.status, status, "{fields} {answer:?}");
    }
    let jobs = web.world.jobs().await;
    let mut who: Vec<&str> = jobs.iter().map(|job| job.originator.address.0.as_str()).collect();
    // Those of one millisecond come in any order.
    who.sort_unstable();
    assert_eq!(who, ["127.0.0.1", "anna", "anna"]);
}

#[tokio::test]
async fn the_same_upload_with_the_same_key_prints_once() {
    let web = Web::new(listed()).await;
    let send = async |key: &str, body: &[u8]| {
        web.send("PUT", "/print/office", &format!("Idempotency-Key: {key}\r\n"), body).await
    };
    let first = send("k1", PDF).await;
    let again = send("k1", PDF).await;
    assert_eq!(first.location(), again.location());
    assert!(again.body.contains("(it had come before)"), "{again:?}");
    send("k1", b"%PDF-1.7 other").await;
    send("k2", PDF).await;
    assert_eq!(web.world.jobs().await.len(), 3);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let web = Web::new(UploadOptions { octets_max: 1 << 30, ..listed() }).await;
    let mut client = Client::new(TcpStream::connect(web.addr).await.unwrap());
    client.raw(b"PUT /print/office HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n%PDF-1.7 ").await;
    client.raw(&vec![b'x'; 1 << 20]).await;
    crate::common::until(async || web.world.open_files() == 1).await;
    drop(client);
    crate::common::until(async || web.world.open_files() == 0).await;
    web.world.assert_nothing_stored().await;
}
