//! A server: which doors and outputs are open, over one queue in one data folder.

use crate::announce::{self, Place};
use crate::config::{Config, MailOut as MailOutConfig, MailTls, PrinterEntry};
use crate::hands::{Hands, Identifying};
use crate::remote::Local;
use crate::values::Whole;
use anyhow::{Context, Result};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tympan_console::{Console, ConsoleOptions};
use tympan_deliver::{Delivery, DeliveryOptions, MailOut, ReportOptions, Smarthost, SmtpTls, Timings};
use tympan_engine::{
    JobOptions, OwnerId, Printer, PrinterEvent, PrinterPolicy, RegistrationEvent, Timestamp, TokenScope,
};
use tympan_http::{Body, Hosts, Incoming, Limits, Peer, Request, Response, ServeOptions, Server, Service, TlsMaterial};
use tympan_receive::{
    Dns, Identities, ImapDoor, IppDoor, IppOptions, Listen, Network, Role, SmtpDoor, SmtpOptions, UploadDoor,
    UploadOptions,
};
use tympan_render::Renderer;
use tympan_smtp::client::Credentials;
use tympan_spooler::{Clock, CrashPoint, NewPrinter, Randomness, Spooler, SpoolerError, SpoolerOptions};
use tympan_store::{DocumentOptions, Documents, Records, SqliteOptions, SqliteStore, Whose};

/// The one owner of a small place.
pub(crate) const OWNER: OwnerId = OwnerId::FIRST;

/// A server that runs.
pub(crate) struct Node {
    /// Its queue.
    pub(crate) spooler: Spooler,
    /// Where mail comes in.
    pub(crate) smtp: Vec<SocketAddr>,
    /// What people type to reach it.
    pub(crate) url: String,
    /// The one-time code of the set-up page, until there is an account.
    pub(crate) set_up_code: Option<String>,
    /// The address of that page with its code.
    pub(crate) set_up_url: Option<String>,
    /// Its certificate's fingerprint.
    pub(crate) fingerprint: String,
    data: std::path::PathBuf,
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<()>>,
}

impl Node {
    /// Opens the data folder, the queue and the doors. When this returns, the sockets take connections.
    pub(crate) async fn start(config: Config, renderer: Renderer) -> Result<Self> {
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("could not make the data folder {}", config.data.display()))?;
        private(&config.data)?;
        raise_file_limit();
        let store = SqliteStore::open(&config.data, SqliteOptions::default())
            .with_context(|| format!("could not open the data folder {}", config.data.display()))?;
        let records: Arc<dyn Records> = Arc::new(store);
        let document_options = DocumentOptions { reserve_octets: config.queue.reserve, ..DocumentOptions::default() };
        let documents = Documents::open_with(&config.data, Arc::clone(&records), document_options)?;
        let crash = match std::env::var("TYMPAN_CRASH_AT") {
            Ok(spec) => CrashPoint::abort_at(&spec),
            Err(_) => CrashPoint::none(),
        };
        let spooler_options = SpoolerOptions {
            notice_after_ms: config.queue.notice_after.0,
            effect_retry_ms: config.queue.effect_retry.0,
            inspect_workers: config.queue.workers.size(),
            jobs_per_sender_max: config.queue.jobs_per_sender.0,
            ..SpoolerOptions::default()
        };
        let spooler = Spooler::new(records, documents, Clock::System, Randomness::System, spooler_options, crash);

        let tls = tls(&config)?;
        let servers = config
            .http
            .listen
            .iter()
            .map(|addr| Server::bind(*addr).with_context(|| format!("could not listen on {addr}")))
            .collect::<Result<Vec<_>>>()?;
        let http: Vec<SocketAddr> = servers.iter().map(Server::local_addr).collect();
        let url = match &config.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", shown(http.first().copied(), &config.domain)),
        };
        apply(&spooler, &config).await?;

        let renderer = renderer.with_workers(config.queue.workers.size());
        let delivery = Delivery::new(delivery_options(&config, renderer, &url)?)?;
        let door = SmtpDoor::bind(spooler.clone(), Some(&tls), smtp_options(&config, &url)?)?;
        let smtp = door.local_addrs();
        let mailbox = config.intake.imap.as_deref().map(crate::config::Imap::options).transpose()?;
        let mailbox = mailbox.map(|options| ImapDoor::new(&door, options));

        let hands = Arc::new(Hands::new(spooler.clone(), delivery.clone(), config.domain.0.clone(), url.clone()));
        let mut unknown = spooler.records().printers(Whose::Owner(OWNER)).await?;
        unknown.retain(|row| row.record.profile.is_none() && !row.record.removed);
        let (asking, language) = (Arc::clone(&hands), config.language);
        // Print dialogues show what a printer can do: who was never asked is asked before the first job.
        tokio::spawn(async move {
            for row in unknown {
                let _ = tympan_console::Hands::ask_printer(&*asking, &row.record, language).await;
            }
        });
        let console = Console::new(ConsoleOptions {
            constant_address: config.smtp.constant_address.as_ref().map(|address| address.0.clone()),
            time_zone: config.time_zone.as_ref().map(|zone| zone.0.clone()),
            default_language: config.language,
            mail_leaves: config.mail.out.is_some(),
            upload_path: Some("/print/{printer}".into()),
            ..ConsoleOptions::new(spooler.clone(), hands, &url, &config.domain)
        })
        .await?;
        let (set_up_code, set_up_url) = (console.set_up_code(), console.set_up_url());
        let upload = UploadDoor::new(
            spooler.clone(),
            UploadOptions {
                octets_max: config.http.upload_max.0,
                networks: networks(&config.trust.networks),
                base_url: url.clone(),
                ..UploadOptions::default()
            },
            identities(&spooler),
        );
        let zone = match &config.time_zone {
            Some(zone) => jiff::tz::TimeZone::get(&zone.0).unwrap_or(jiff::tz::TimeZone::UTC),
            None => jiff::tz::TimeZone::system(),
        };
        let ipp = IppDoor::new(
            upload.clone(),
            IppOptions {
                identify: Arc::new(Identifying(delivery.clone())),
                offset_secs: Arc::new(move |at: Timestamp| {
                    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
                    let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
                    zone.to_offset(instant).seconds()
                }),
            },
        );
        let web = Arc::new(Web { console: console.router(), upload, ipp });

        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let runner = spooler.clone();
        let mut ended = stopped.clone();
        tasks.spawn(async move {
            tokio::select! {
                result = runner.run(Arc::new(delivery)) => result.context("the queue stopped"),
                _ = ended.wait_for(|stop| *stop) => Ok(()),
            }
        });
        let ended = stopped.clone();
        tasks.spawn(async move {
            door.serve(wait(ended)).await;
            Ok(())
        });
        if let Some(mailbox) = mailbox {
            let mut ended = stopped.clone();
            tasks.spawn(async move {
                mailbox.serve(async move { drop(ended.wait_for(|stop| *stop).await) }).await;
                Ok(())
            });
        }
        let mut hosts = hosts(&config, &url);
        let beyond = http.iter().find(|addr| !addr.ip().is_loopback()).or(http.first());
        if let Some(addr) = beyond.filter(|addr| config.http.announce.unwrap_or(!addr.ip().is_loopback())) {
            let host = Place::host_name();
            if let Hosts::Listed(names) = &mut hosts {
                names.push(host.trim_end_matches('.').to_owned());
            }
            let place = Place { host, port: addr.port(), url: url.clone(), asks_who: config.trust.networks.is_empty() };
            let (announcing, mut ended) = (spooler.clone(), stopped.clone());
            tasks.spawn(async move {
                tokio::select! {
                    // Printing goes on where nobody can be told of it.
                    result = announce::run(announcing, place) => if let Err(error) = result {
                        tracing::warn!(error = &*error as &dyn std::error::Error, "Printers do not show on the local network");
                    },
                    _ = ended.wait_for(|stop| *stop) => return Ok(()),
                }
                let _ = ended.wait_for(|stop| *stop).await;
                Ok(())
            });
        }
        for server in servers {
            let (web, ended) = (Arc::clone(&web), stopped.clone());
            let options = ServeOptions {
                tls: Some(tls.clone()),
                limits: Limits::default(),
                hosts: hosts.clone(),
                grace: Duration::from_secs(2),
            };
            tasks.spawn(async move {
                let service = move |request: Request<Incoming>, peer: Peer| {
                    let web = Arc::clone(&web);
                    async move { web.call(request, peer).await }
                };
                server.serve(service, options, wait(ended)).await;
                Ok(())
            });
        }
        let token = Local::token(&config.data, || spooler.new_secret())?;
        spooler.save_token(OWNER, &token, TokenScope::Admin, None).await?;
        let local = http.first().map_or_else(|| url.clone(), |addr| format!("http://{}", reachable(*addr)));
        Local { url: local, token }.write(&config.data)?;
        Ok(Self {
            spooler,
            smtp,
            url,
            set_up_code,
            set_up_url,
            fingerprint: tls.fingerprint().to_string(),
            data: config.data,
            stop,
            tasks,
        })
    }

    /// Runs until `stop` is ready, then ends cleanly; an error means that the process must restart.
    pub(crate) async fn run_until(mut self, stop: impl Future<Output = Result<()>>) -> Result<()> {
        let failed = tokio::select! {
            asked = stop => asked.err(),
            ended = self.tasks.join_next() => match ended {
                Some(Ok(Ok(()))) | None => None,
                Some(Ok(Err(error))) => Some(error),
                Some(Err(error)) => Some(error.into()),
            },
        };
        let _ = self.stop.send(true);
        let _ =
            tokio::time::timeout(Duration::from_secs(15), async { while self.tasks.join_next().await.is_some() {} })
                .await;
        Local::remove(&self.data);
        match failed {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Console, uploads and IPP behind one address.
struct Web<C> {
    console: C,
    upload: UploadDoor,
    ipp: IppDoor,
}

impl<C: Service> Service for Web<C> {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let path = request.uri().path();
        if path.starts_with(tympan_receive::IPP_PATH) || path.trim_end_matches('/') == tympan_receive::IPP_SYSTEM_PATH {
            self.ipp.call(request, peer).await
        } else if path.starts_with(tympan_receive::UPLOAD_PATH) {
            self.upload.call(request, peer).await
        } else {
            self.console.call(request, peer).await
        }
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// A connection is an open file, and many systems begin with 1,024 of them.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::debug!(%error, "Could not raise the limit of open files");
    }
}

/// Only the user who runs the server reads its data.
fn private(folder: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("could not make {} private", folder.display()))?;
    }
    Ok(())
}

fn tls(config: &Config) -> Result<TlsMaterial> {
    match config.tls.material()? {
        Some(material) => Ok(material),
        None => TlsMaterial::load_or_self_signed(&config.data, &[config.domain.0.clone(), "localhost".into()])
            .context("could not make a certificate"),
    }
}

/// An address at which this machine reaches a listener.
pub(crate) fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// What people most likely type to reach a listener: beyond this machine, the domain rather than "any address".
fn shown(addr: Option<SocketAddr>, domain: &str) -> String {
    match addr {
        Some(addr) if addr.ip().is_unspecified() && domain != "localhost" => format!("{domain}:{}", addr.port()),
        Some(addr) if addr.ip().is_loopback() || addr.ip().is_unspecified() => format!("localhost:{}", addr.port()),
        Some(addr) => addr.to_string(),
        None => "localhost".into(),
    }
}

fn hosts(config: &Config, url: &str) -> Hosts {
    let mut names = config.http.hosts.clone();
    let host = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    names.push(host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned());
    names.push(config.domain.0.clone());
    Hosts::Listed(names)
}

fn networks(listed: &[crate::values::Network]) -> Vec<Network> {
    listed.iter().map(|network| network.0).collect()
}

fn smtp_options(config: &Config, url: &str) -> Result<SmtpOptions> {
    let listen =
        |addrs: &[SocketAddr], role| addrs.iter().map(move |addr| Listen { addr: *addr, role }).collect::<Vec<_>>();
    let mut listeners = listen(&config.smtp.listen, Role::Mail);
    listeners.extend(listen(&config.smtp.submission, Role::Submission));
    listeners.extend(listen(&config.smtp.submissions, Role::Submissions));
    let mut domains: Vec<String> = vec![config.domain.to_lowercase()];
    domains.extend(config.more_domains.iter().map(|domain| domain.to_lowercase()));
    let mut options = SmtpOptions {
        hostname: config.domain.0.clone(),
        domains,
        listeners,
        networks: networks(&config.trust.networks),
        bare_lf_networks: networks(&config.smtp.bare_lf_networks),
        base_url: url.to_owned(),
        constant_address: config.smtp.constant_address.as_ref().map(|address| address.0.clone()),
        postmaster: config.smtp.postmaster.as_ref().map(|address| address.0.clone()),
        dns: match (config.dns.enabled, config.dns.servers.is_empty()) {
            (false, _) => Dns::Off,
            (true, true) => Dns::System,
            (true, false) => Dns::Servers(config.dns.servers.clone()),
        },
        dns_time_out: Duration::from_millis(config.dns.time_out.0),
        connections_max: config.smtp.connections_max.size(),
        connections_per_listed_max: config.smtp.connections_per_address_max.size(),
        ..SmtpOptions::default()
    };
    options.limits.message_octets_max = config.smtp.size_max.0;
    if let Some(most) = config.smtp.messages_per_connection_max.map(Whole::small) {
        options.limits.messages_max = most;
        options.limits.commands_max = options.limits.commands_max.max(most.saturating_mul(8));
    }
    Ok(options)
}

fn delivery_options(config: &Config, renderer: Renderer, url: &str) -> Result<DeliveryOptions> {
    let follow = Duration::from_millis(config.queue.follow_every.0);
    let timings = Timings {
        poll_first: follow.min(Timings::default().poll_first),
        poll_max: follow.max(Timings::default().poll_first) * 20,
        ..Timings::default()
    };
    let mail_out = config.mail.out.as_deref().map(|out| mail_out(out, out.password()?, &config.dns.servers));
    let mut report = ReportOptions::new(&config.domain, config.data.join("notices"));
    report.hostname =
        config.mail.out.as_ref().and_then(|out| out.helo.clone()).unwrap_or_else(|| config.domain.0.clone());
    report.base_url = Some(url.to_owned());
    report.mail_out = mail_out.transpose()?;
    if let Some(zone) = &config.time_zone {
        report.time_zone = jiff::tz::TimeZone::get(zone)
            .with_context(|| format!("`{}` is no time zone; use an IANA name such as Asia/Tokyo", **zone))?;
    }
    Ok(DeliveryOptions { timings, temp_folder: config.data.join("tmp"), ..DeliveryOptions::new(renderer, report) })
}

fn mail_out(out: &MailOutConfig, password: Option<String>, dns: &[SocketAddr]) -> Result<MailOut> {
    let Some(named) = &out.smarthost else {
        return Ok(MailOut::Direct { dns: dns.to_vec(), port: 25 });
    };
    let tls = match out.tls {
        MailTls::None => SmtpTls::Off,
        MailTls::Starttls => SmtpTls::IfOffered,
        MailTls::Required => SmtpTls::Required,
        MailTls::Implicit => SmtpTls::Implicit,
    };
    let (host, port) = match named.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(587)),
        None => (named.clone(), if tls == SmtpTls::Implicit { 465 } else { 587 }),
    };
    let credentials = match (&out.user, password) {
        (Some(user), Some(password)) => Some(Credentials { identity: user.clone(), password }),
        _ => None,
    };
    let verify = matches!(tls, SmtpTls::Required | SmtpTls::Implicit);
    Ok(MailOut::Smarthost(Smarthost { host, port, tls, verify, credentials }))
}

/// Who is signed in on the console, for the upload door.
fn identities(spooler: &Spooler) -> Identities {
    let spooler = spooler.clone();
    Arc::new(move |parts, peer| {
        let spooler = spooler.clone();
        Box::pin(async move { tympan_console::signed_in(&spooler, parts, peer).await })
    })
}

/// Brings printers, registrations and accounts to what stands in the file.
async fn apply(spooler: &Spooler, config: &Config) -> Result<()> {
    for entry in &config.printers {
        let printer = apply_printer(spooler, entry)
            .await
            .with_context(|| format!("[[printer]] {} was not accepted", *entry.name))?;
        if let Some(token) = &entry.report_token {
            spooler.save_token(OWNER, token, TokenScope::Report { printer: printer.uuid }, None).await?;
        }
    }
    for entry in &config.registrations {
        let printer = spooler
            .printer_named(Whose::Owner(OWNER), &entry.printer)
            .await
            .with_context(|| format!("[[registration]] names the printer {}, which there is not", *entry.printer))?;
        let language = entry.language.unwrap_or(config.language);
        let options = entry.options.clone().map_or_else(JobOptions::default, |words| words.0);
        let registration = spooler.register(&printer, &entry.sender, language, options).await?;
        let whose = Whose::Owner(OWNER);
        if let Some(retention) = entry.retention {
            spooler.registration_event(whose, registration.id, RegistrationEvent::Keep(Some(retention.0))).await?;
        }
        if let Some(interval) = entry.retry_interval {
            spooler.registration_event(whose, registration.id, RegistrationEvent::Retry(Some(interval.0))).await?;
        }
    }
    for entry in &config.accounts {
        let password = entry.password()?;
        crate::hands::apply_account(spooler, entry, &password).await?;
    }
    Ok(())
}

async fn apply_printer(spooler: &Spooler, entry: &PrinterEntry) -> Result<Printer> {
    let whose = Whose::Owner(OWNER);
    let found = match spooler.printer_named(whose, &entry.name).await {
        Ok(printer) => Some(printer),
        Err(SpoolerError::NotFound(_)) => None,
        Err(other) => return Err(other.into()),
    };
    let Some(printer) = found else {
        let new = NewPrinter {
            name: entry.name.0.clone(),
            info: entry.info.clone(),
            device: entry.device.0.clone(),
            policy: entry.policy(&PrinterPolicy::default()),
            device_fingerprint: None,
        };
        return Ok(spooler.add_printer(OWNER, new).await?);
    };
    let policy = entry.policy(&printer.policy);
    let mut printer = printer;
    if policy != printer.policy {
        printer =
            spooler.printer_event(whose, printer.uuid, PrinterEvent::Policy(policy), Some("configuration")).await?;
    }
    if entry.device.0 != printer.device {
        let event = PrinterEvent::Device(entry.device.0.clone());
        printer = spooler.printer_event(whose, printer.uuid, event, Some("configuration")).await?;
    }
    if !entry.info.is_empty() && entry.info != printer.info {
        let event = PrinterEvent::Describe { info: entry.info.clone(), location: printer.location.clone() };
        printer = spooler.printer_event(whose, printer.uuid, event, Some("configuration")).await?;
    }
    Ok(printer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_where_others_reach_us() {
        for (addr, domain, url) in [
            ("127.0.0.1:8631", "print.example", "localhost:8631"),
            ("0.0.0.0:80", "print.example", "print.example:80"),
            ("[::]:8631", "print.example", "print.example:8631"),
            ("0.0.0.0:8631", "localhost", "localhost:8631"),
            ("192.0.2.7:8631", "print.example", "192.0.2.7:8631"),
        ] {
            assert_eq!(shown(addr.parse().ok(), domain), url);
        }
        assert_eq!(shown(None, "print.example"), "localhost");
    }
}
