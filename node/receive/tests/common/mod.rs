//! A server over a real store in a scratch folder, and a client that speaks line by line.

#![allow(dead_code, unreachable_pub)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tympan_engine::{
    Access, Account, AccountId, Effect, Job, JobOptions, Language, OwnerId, Printer, PrinterPolicy, Registration, Right,
};
use tympan_http::TlsMaterial;
use tympan_receive::{Listen, Role, SmtpDoor, SmtpOptions};
use tympan_spooler::{Clock, CrashPoint, NewPrinter, Randomness, Spooler, SpoolerOptions};
use tympan_store::{DocumentOptions, Documents, JobFilter, Records, SqliteOptions, SqliteStore, Whose};

/// Longest that anything may take.
pub const CEILING: Duration = Duration::from_secs(60);

/// A server with its doors open.
pub struct World {
    pub spooler: Spooler,
    pub addr: SocketAddr,
    pub addrs: Vec<SocketAddr>,
    pub dir: tempfile::TempDir,
    pub tls: TlsMaterial,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// Settings that tests begin with: this machine is a listed network.
pub fn options() -> SmtpOptions {
    SmtpOptions {
        hostname: "mx.print.example".into(),
        domains: vec!["print.example".into()],
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        base_url: "https://print.example".into(),
        greeting_delay: Duration::ZERO,
        ..SmtpOptions::default()
    }
}

/// What a world is made of.
pub struct Setup {
    pub options: SmtpOptions,
    pub roles: Vec<Role>,
    pub documents: DocumentOptions,
    pub crash: CrashPoint,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: options(),
            roles: vec![Role::Mail],
            documents: DocumentOptions::default(),
            crash: CrashPoint::none(),
        }
    }
}

impl World {
    /// One listener, as on port 25.
    pub async fn new(options: SmtpOptions) -> Self {
        Self::with(Setup { options, ..Setup::default() }).await
    }

    pub async fn with(setup: Setup) -> Self {
        let Setup { mut options, roles, documents, crash } = setup;
        let addr = "127.0.0.1:0".parse().unwrap();
        options.listeners = roles.iter().map(|role| Listen { addr, role: *role }).collect();
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Records> = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap());
        let documents = Documents::open_with(dir.path(), store.clone(), documents).unwrap();
        let spooler =
            Spooler::new(store, documents, Clock::System, Randomness::System, SpoolerOptions::default(), crash);
        let tls = TlsMaterial::ephemeral(&["mx.print.example".into()]).unwrap();
        let door = SmtpDoor::bind(spooler.clone(), Some(&tls), options).unwrap();
        let addrs = door.local_addrs();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(door.serve(async move {
            let _ = stopped.await;
        }));
        Self { spooler, addr: addrs[0], addrs, dir, tls, stop: Some(stop), task: Some(task) }
    }

    /// Begins the way down; the task ends when it is done.
    pub fn stop(&mut self) -> tokio::task::JoinHandle<()> {
        let _ = self.stop.take().unwrap().send(());
        self.task.take().unwrap()
    }

    pub async fn printer(&self, name: &str, access: Access) -> Printer {
        let mut info = name.to_owned();
        info[..1].make_ascii_uppercase();
        let new = NewPrinter {
            name: name.into(),
            info,
            device: "folder:/nowhere".into(),
            policy: PrinterPolicy { access, ..PrinterPolicy::default() },
            ..NewPrinter::default()
        };
        self.spooler.add_printer(OwnerId::FIRST, new).await.unwrap()
    }

    pub async fn register(&self, printer: &Printer, sender: &str) -> Registration {
        self.spooler.register(printer, sender, Language::En, JobOptions::default()).await.unwrap()
    }

    pub async fn account(&self, name: &str, password: &str, addresses: &[&str]) -> Account {
        use argon2::PasswordHasher as _;
        let hash: argon2::PasswordHash =
            argon2::Argon2::default().hash_password_with_salt(password.as_bytes(), b"salt for a test!").unwrap();
        let account = Account {
            owner: OwnerId::FIRST,
            id: AccountId::from_parts(self.spooler.now(), self.spooler.random()),
            name: name.into(),
            addresses: addresses.iter().map(|address| (*address).to_owned().into()).collect(),
            password_hash: Some(hash.to_string().into()),
            right: Right::Print,
            printer_rights: Vec::new(),
            language: Language::En,
            created_at: self.spooler.now(),
        };
        self.spooler.save_account(account.clone(), 0).await.unwrap();
        account
    }

    /// All jobs, oldest first.
    pub async fn jobs(&self) -> Vec<Job> {
        let filter = JobFilter { limit: 1000, ..JobFilter::default() };
        let mut jobs = self.spooler.records().jobs(Whose::Everyones, &filter).await.unwrap();
        jobs.reverse();
        jobs
    }

    /// What a job holds.
    pub async fn stored(&self, job: &Job) -> Vec<u8> {
        let id = job.received[0].id;
        self.spooler.documents().read_all(id, 1 << 30).await.unwrap()
    }

    /// The mails that the door wrote: to whom, subject, text, what they answer.
    pub async fn mails(&self) -> Vec<(String, String, String, Option<String>)> {
        let claimed = self.spooler.records().claim_effects(&["mail"], self.spooler.now(), 1_000, 100).await.unwrap();
        let mail = |effect| match effect {
            Effect::Mail { to, subject, text, in_reply_to } => (to, subject, text, in_reply_to),
            other => panic!("{other:?}"),
        };
        claimed.into_iter().map(|claimed| mail(claimed.effect)).collect()
    }

    /// Nothing came of what was sent: no job, no mail, no file.
    #[track_caller]
    pub fn assert_nothing_stored(&self) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let jobs = self.jobs().await;
            assert!(jobs.is_empty(), "{place}: {jobs:?}");
            let mails = self.mails().await;
            assert!(mails.is_empty(), "{place}: {mails:?}");
            assert_eq!(self.open_files(), 0, "{place}");
            let sealed = self.dir.path().join("documents");
            let shards = std::fs::read_dir(sealed)
                .unwrap()
                .map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count());
            assert_eq!(shards.sum::<usize>(), 0, "{place}");
        }
    }

    pub async fn assert_no_mail(&self) {
        let mails = self.mails().await;
        assert!(mails.is_empty(), "{mails:?}");
    }

    /// Files of documents that are being written.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("tmp")).unwrap().count()
    }

    pub async fn client(&self) -> Client<TcpStream> {
        let mut client = Client::connect(self.addr).await;
        client.expect("220 mx.print.example*").await;
        client
    }

    /// A client that has said EHLO.
    pub async fn greeted(&self) -> Client<TcpStream> {
        let mut client = self.client().await;
        client.ehlo().await;
        client
    }

    /// Sends one mail over a connection of its own; the last reply.
    pub async fn send(&self, from: &str, to: &[&str], mail: &str) -> String {
        let mut client = self.greeted().await;
        client.mail(from, to, mail.as_bytes()).await
    }
}

/// Waits until something holds.
pub async fn until(holds: impl AsyncFn() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(CEILING, wait).await.expect("it holds in time");
}

/// A mail with its header fields.
pub fn mail(from: &str, subject: &str, more: &str, body: &str) -> String {
    format!("From: {from}\r\nSubject: {subject}\r\n{more}\r\n{body}\r\n")
}

/// A client that expects what it gets.
pub struct Client<S> {
    pub stream: S,
    buffer: Vec<u8>,
}

impl Client<TcpStream> {
    pub async fn connect(addr: SocketAddr) -> Self {
        Self::new(TcpStream::connect(addr).await.unwrap())
    }

    /// STARTTLS, then EHLO again.
    pub async fn start_tls(mut self) -> Client<tokio_rustls::client::TlsStream<TcpStream>> {
        self.send("STARTTLS").await;
        self.expect("220 *").await;
        assert!(self.buffer.is_empty());
        Client::new(tls(self.stream).await)
    }
}

/// A TLS client that trusts everybody.
pub async fn tls(stream: TcpStream) -> tokio_rustls::client::TlsStream<TcpStream> {
    let connector = tokio_rustls::TlsConnector::from(Arc::new(anyone::config()));
    let name = rustls::pki_types::ServerName::try_from("mx.print.example").unwrap();
    connector.connect(name, stream).await.unwrap()
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub async fn send(&mut self, line: &str) {
        self.raw(format!("{line}\r\n").as_bytes()).await;
    }

    pub async fn raw(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next whole reply, its lines joined by LF; empty at the end.
    pub async fn reply(&mut self) -> String {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if last {
                return lines.join("\n");
            }
        }
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
                self.buffer.drain(..end + 2);
                return line;
            }
            let mut piece = [0; 4096];
            let read = tokio::time::timeout(CEILING, self.stream.read(&mut piece)).await.expect("a reply in time");
            match read {
                Ok(1..) => self.buffer.extend_from_slice(&piece[..read.unwrap()]),
                Ok(0) | Err(_) => {
                    return String::from_utf8(std::mem::take(&mut self.buffer)).unwrap();
                }
            }
        }
    }

    /// The next reply, which must fit a pattern that may end in `*`.
    #[track_caller]
    pub fn expect(&mut self, pattern: &str) -> impl Future<Output = String> {
        let place = std::panic::Location::caller();
        async move {
            let reply = self.reply().await;
            assert!(fits(&reply, pattern), "{place}: wanted {pattern:?}, got {reply:?}");
            reply
        }
    }

    pub async fn ehlo(&mut self) -> String {
        self.send("EHLO client.example").await;
        self.expect("250-mx.print.example*").await
    }

    /// A whole transaction; the last reply, or that to the first command that was refused.
    pub async fn mail(&mut self, from: &str, to: &[&str], mail: &[u8]) -> String {
        self.send(&format!("MAIL FROM:<{from}>")).await;
        let reply = self.reply().await;
        if !reply.starts_with('2') {
            return reply;
        }
        for to in to {
            self.send(&format!("RCPT TO:<{to}>")).await;
            let reply = self.reply().await;
            if !reply.starts_with('2') {
                return reply;
            }
        }
        self.send("DATA").await;
        let reply = self.reply().await;
        if !reply.starts_with('3') {
            return reply;
        }
        let text: Vec<u8> = mail.split_inclusive(|octet| *octet == b'\n').fold(Vec::new(), |mut out, line| {
            if line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            out
        });
        self.raw(&text).await;
        self.raw(b".\r\n").await;
        self.reply().await
    }
}

/// Whether a reply fits: `*` at the end stands for anything.
pub fn fits(reply: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => reply.starts_with(start),
        None => reply == pattern,
    }
}

mod anyone {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
    use std::sync::Arc;

    #[derive(Debug)]
    struct Anyone(Arc<CryptoProvider>);

    impl ServerCertVerifier for Anyone {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            rustls::crypto::verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            rustls::crypto::verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }

    pub fn config() -> ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            .with_no_client_auth()
    }
}
