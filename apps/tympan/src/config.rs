//! The configuration file. An unknown key or a bad value is refused at start, with its line and what is allowed.

use crate::values::{
    Address, Check, Checked, Count, Device, Domain, Interval, LocalPart, Network, Octets, PrinterName, Retention,
    Secret, Short, Span, Url, Whole, Window, Words, Zone,
};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tympan_engine::time::SECOND;
use tympan_engine::{Access, DoubtPolicy, Language, PrinterPolicy, StoredForm};
use tympan_http::TlsMaterial;
use tympan_receive::ImapOptions;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Folder of all data. Default `tympan-data` beside the file.
    pub(crate) data: PathBuf,
    /// Mail domain of the printers' addresses. Default `localhost`.
    pub(crate) domain: Domain,
    /// More domains whose addresses are ours.
    pub(crate) more_domains: Vec<Domain>,
    /// What people type to reach the console. Default: by the listener and the domain, `http://localhost:8631`.
    pub(crate) url: Option<Url>,
    /// Language of pages and notices where nobody chose one: `en` or `ja`.
    pub(crate) language: Language,
    /// Time zone in which times are written (IANA name). Default: the machine's.
    pub(crate) time_zone: Option<Zone>,
    /// The mail door.
    pub(crate) smtp: Smtp,
    /// Mailboxes that are read.
    pub(crate) intake: Intake,
    /// The web and IPP door.
    pub(crate) http: Http,
    /// The certificate.
    pub(crate) tls: Checked<Tls>,
    /// Who is known without proof.
    pub(crate) trust: Trust,
    /// Look-ups.
    pub(crate) dns: Dns,
    /// Mail that leaves.
    pub(crate) mail: Mail,
    /// The queue.
    pub(crate) queue: Queue,
    /// Printers kept by this file.
    #[serde(rename = "printer")]
    pub(crate) printers: Vec<PrinterEntry>,
    /// Registrations kept by this file.
    #[serde(rename = "registration")]
    pub(crate) registrations: Vec<RegistrationEntry>,
    /// Accounts kept by this file.
    #[serde(rename = "account")]
    pub(crate) accounts: Vec<AccountEntry>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("tympan-data"),
            domain: Domain("localhost".into()),
            more_domains: Vec::new(),
            url: None,
            language: Language::En,
            time_zone: None,
            smtp: Smtp::default(),
            intake: Intake::default(),
            http: Http::default(),
            tls: Checked::default(),
            trust: Trust::default(),
            dns: Dns::default(),
            mail: Mail::default(),
            queue: Queue::default(),
            printers: Vec::new(),
            registrations: Vec::new(),
            accounts: Vec::new(),
        }
    }
}

/// The mail door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Smtp {
    /// Where mail comes in. Default `127.0.0.1:2525`.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where mail programs submit after signing in. Default none.
    pub(crate) submission: Vec<SocketAddr>,
    /// The same with TLS from the first byte. Default none.
    pub(crate) submissions: Vec<SocketAddr>,
    /// Largest mail, in octets, 64 KiB to 4 GiB. Default 25 MiB.
    pub(crate) size_max: Octets,
    /// One address for all printers; its sender chooses.
    pub(crate) constant_address: Option<LocalPart>,
    /// Whom to write to instead of `postmaster` here; said in its refusal.
    pub(crate) postmaster: Option<Address>,
    /// Networks whose old devices send bare LF: normalised after strict framing.
    pub(crate) bare_lf_networks: Vec<Network>,
    /// Most connections, 1 to 1,000,000. Default 10,000.
    pub(crate) connections_max: Count<1_000_000>,
    /// Most connections from one address of a trusted network. Default 50.
    pub(crate) connections_per_address_max: Count<1_000_000>,
    /// Most mails over one connection. Default 50.
    pub(crate) messages_per_connection_max: Option<Count<1_000_000_000>>,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 2525))],
            submission: Vec::new(),
            submissions: Vec::new(),
            size_max: Whole(25 << 20),
            constant_address: None,
            postmaster: None,
            bare_lf_networks: Vec::new(),
            connections_max: Whole(10_000),
            connections_per_address_max: Whole(50),
            messages_per_connection_max: None,
        }
    }
}

/// Mailboxes that are read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Intake {
    /// A mailbox at a provider, for those who cannot receive mail themselves.
    pub(crate) imap: Option<Checked<Imap>>,
}

/// A mailbox at a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Imap {
    /// `imap.example.org` or `imap.example.org:993`.
    pub(crate) host: String,
    /// `implicit` (from the first byte, port 993), `starttls` (port 143) or `none`. Default `implicit`.
    #[serde(default)]
    pub(crate) tls: ImapTls,
    /// PEM file with the authority of the server's certificate. Default: the public ones.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Name to sign in with.
    pub(crate) user: String,
    /// File whose first line is the password.
    pub(crate) password_file: PathBuf,
    /// The mailbox's address. Default: the user.
    #[serde(default)]
    pub(crate) address: Option<Address>,
    /// The printer that mails to this address go to. Default: where their sender is registered.
    #[serde(default)]
    pub(crate) printer: Option<PrinterName>,
    /// The folder that is read. Default `INBOX`.
    #[serde(default)]
    pub(crate) folder: Option<String>,
    /// Where mails go that were taken. Default `Printed`.
    #[serde(default)]
    pub(crate) done_folder: Option<String>,
    /// Where mails go that were refused. Default `Not printed`.
    #[serde(default)]
    pub(crate) refused_folder: Option<String>,
    /// The provider's name in Authentication-Results, whose word is believed. Default: nobody's, DKIM is looked up.
    #[serde(default)]
    pub(crate) authserv_id: Option<Domain>,
    /// Whether mails are printed that were there before the mailbox was first read. Default false.
    #[serde(default)]
    pub(crate) take_older: bool,
    /// How often it is looked where the server does not tell, up to 10 minutes. Default 1 minute.
    #[serde(default)]
    pub(crate) poll: Option<Short>,
}

/// TLS towards a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImapTls {
    /// From the first byte.
    #[default]
    Implicit,
    /// STARTTLS or nothing.
    Starttls,
    /// Never.
    None,
}

/// The web and IPP door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Http {
    /// Where it listens. Default `127.0.0.1:8631`.
    pub(crate) listen: Vec<SocketAddr>,
    /// Names under which it may be asked ("Host"); empty: the url's, the machine's addresses and localhost.
    pub(crate) hosts: Vec<String>,
    /// Largest upload, in octets, 64 KiB to 4 GiB. Default 200 MiB.
    pub(crate) upload_max: Octets,
    /// Whether printers show themselves on the local network (DNS-SD). Default: where it listens beyond this machine.
    pub(crate) announce: Option<bool>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8631))],
            hosts: Vec::new(),
            upload_max: Whole(200 << 20),
            announce: None,
        }
    }
}

/// The certificate; without one, a self-signed one is made at first start and kept in the data folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Tls {
    /// PEM file with the certificate chain.
    pub(crate) cert: Option<PathBuf>,
    /// PEM file with the key.
    pub(crate) key: Option<PathBuf>,
}

/// Who is known without proof.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Trust {
    /// Networks whose reverse-paths are believed. Default none.
    pub(crate) networks: Vec<Network>,
}

/// Look-ups.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Dns {
    /// Servers to ask; empty: the machine's.
    pub(crate) servers: Vec<SocketAddr>,
    /// `false`: nothing is ever looked up; senders are known by sign-in or network alone.
    pub(crate) enabled: bool,
    /// How long an answer may take, up to 10 minutes. Default 5 s.
    pub(crate) time_out: Short,
}

impl Default for Dns {
    fn default() -> Self {
        Self { servers: Vec::new(), enabled: true, time_out: Span(5 * SECOND) }
    }
}

/// Mail that leaves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Mail {
    /// How notices leave; without it they stand in the console and in a folder.
    pub(crate) out: Option<Checked<MailOut>>,
}

/// How notices leave.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MailOut {
    /// `mail.example.org:587`; without it, each domain's own servers (MX) get them.
    #[serde(default)]
    pub(crate) smarthost: Option<String>,
    /// `none`, `starttls` (if offered), `required` or `implicit`. Default `starttls`.
    #[serde(default)]
    pub(crate) tls: MailTls,
    /// Name to sign in with.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// File whose first line is the password.
    #[serde(default)]
    pub(crate) password_file: Option<PathBuf>,
    /// Name given in EHLO. Default: the domain.
    #[serde(default)]
    pub(crate) helo: Option<String>,
}

/// TLS of mail that leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MailTls {
    /// Never.
    None,
    /// If it is offered.
    #[default]
    Starttls,
    /// STARTTLS or nothing.
    Required,
    /// From the first byte.
    Implicit,
}

/// The queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Queue {
    /// How long a sender waits for the first word about an outage. Default 5 s.
    pub(crate) notice_after: Short,
    /// First span before a failed effect is tried again. Default 5 s.
    pub(crate) effect_retry: Short,
    /// How many documents are prepared at once, 1 to 256. Default 2.
    pub(crate) workers: Count<256>,
    /// How often a printing job's state is asked, at the fastest. Default 250 ms.
    pub(crate) follow_every: Short,
    /// Most jobs of one sender that wait, 0 to 1,000,000; 0: no limit. Default 500.
    pub(crate) jobs_per_sender: Whole<0, 1_000_000>,
    /// Disk that is always left free, in octets; `None`: the larger of 5 % and 1 GiB.
    pub(crate) reserve: Option<u64>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            notice_after: Span(5 * SECOND),
            effect_retry: Span(5 * SECOND),
            workers: Whole(2),
            follow_every: Span(250),
            jobs_per_sender: Whole(tympan_engine::admit::JOBS_PER_SENDER_MAX),
            reserve: None,
        }
    }
}

/// A printer kept by the file: added at start, and brought to what stands here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PrinterEntry {
    /// The local part of its mail address.
    pub(crate) name: PrinterName,
    /// Where the device is.
    pub(crate) device: Device,
    /// What people read.
    #[serde(default)]
    pub(crate) info: String,
    /// Who may register: `open`, `approve` or `invite`.
    #[serde(default)]
    pub(crate) access: Option<Access>,
    /// In doubt: `ask`, `reprint` or `drop`.
    #[serde(default)]
    pub(crate) doubt: Option<DoubtPolicy>,
    /// Waiting jobs are stored as `mail`, `print-data` or `smallest`.
    #[serde(default)]
    pub(crate) stored_form: Option<StoredForm>,
    /// How jobs are printed where they do not say.
    #[serde(default)]
    pub(crate) options: Option<Words>,
    /// How long waiting jobs are kept, 1 second to 30 days.
    #[serde(default)]
    pub(crate) retention: Option<Retention>,
    /// How often waiting jobs are tried again, 1 second to 1 day.
    #[serde(default)]
    pub(crate) retry_interval: Option<Interval>,
    /// Whether a changed retention reaches jobs that wait.
    #[serde(default)]
    pub(crate) retention_follows: Option<bool>,
    /// How long the device may take to answer, up to 10 minutes.
    #[serde(default)]
    pub(crate) time_out: Option<Short>,
    /// More pages than this wait for a click.
    #[serde(default)]
    pub(crate) review_pages: Option<Count<{ u32::MAX as u64 }>>,
    /// How long data of a printed job is kept for a reprint.
    #[serde(default)]
    pub(crate) reprint_window: Option<Window>,
    /// How long a doubt waits for a decision.
    #[serde(default)]
    pub(crate) doubt_time: Option<Retention>,
    /// Token with which the device reports its state; at least 16 characters.
    #[serde(default)]
    pub(crate) report_token: Option<Secret>,
}

impl PrinterEntry {
    /// The policy: what stands here, else `base`.
    pub(crate) fn policy(&self, base: &PrinterPolicy) -> PrinterPolicy {
        let base = base.clone();
        PrinterPolicy {
            access: self.access.unwrap_or(base.access),
            doubt: self.doubt.unwrap_or(base.doubt),
            stored_form: self.stored_form.unwrap_or(base.stored_form),
            options: self.options.clone().map_or(base.options, |words| words.0),
            retention_ms: self.retention.map_or(base.retention_ms, |span| span.0),
            retry_interval_ms: self.retry_interval.map_or(base.retry_interval_ms, |span| span.0),
            retention_follows: self.retention_follows.unwrap_or(base.retention_follows),
            time_out_ms: self.time_out.map_or(base.time_out_ms, |span| span.0),
            review_pages: self.review_pages.map_or(base.review_pages, Whole::small),
            reprint_window_ms: self.reprint_window.map_or(base.reprint_window_ms, |span| span.0),
            doubt_ms: self.doubt_time.map_or(base.doubt_ms, |span| span.0),
        }
    }
}

/// A registration kept by the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RegistrationEntry {
    /// The printer's name.
    pub(crate) printer: PrinterName,
    /// The sender's address.
    pub(crate) sender: Address,
    /// Language of notices.
    #[serde(default)]
    pub(crate) language: Option<Language>,
    /// How long this sender's waiting jobs are kept, 1 second to 30 days.
    #[serde(default)]
    pub(crate) retention: Option<Retention>,
    /// How often they are tried again, 1 second to 1 day.
    #[serde(default)]
    pub(crate) retry_interval: Option<Interval>,
    /// How this sender's jobs are printed where they do not say.
    #[serde(default)]
    pub(crate) options: Option<Words>,
}

/// An account kept by the file, for mail programs that sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AccountEntry {
    /// The name typed at sign-in.
    pub(crate) name: String,
    /// Mail addresses that are this person's.
    #[serde(default)]
    pub(crate) addresses: Vec<Address>,
    /// File whose first line is the password.
    pub(crate) password_file: PathBuf,
}

/// Where a value came from, for messages.
struct At<'a>(&'a Path);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was not accepted", self.0.display())
    }
}

impl Config {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read {}; `tympan serve --help` shows an example", path.display()))?;
        let mut config = Self::parse(&text).with_context(|| At(path).to_string())?;
        if config.data.is_relative() {
            let folder = path.parent().unwrap_or_else(|| Path::new("."));
            config.data = folder.join(&config.data);
        }
        Ok(config)
    }

    /// Reads the text of a file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// Checks what lies outside of the file and needs no door to be open: certificate and passwords.
    pub(crate) fn check_files(&self) -> Result<()> {
        self.tls.material()?;
        if let Some(out) = &self.mail.out {
            out.password()?;
        }
        if let Some(imap) = &self.intake.imap {
            imap.options()?;
        }
        self.accounts.iter().try_for_each(|account| account.password().map(drop))
    }
}

/// The first line of a file.
fn password_in(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read the password file {}", path.display()))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => anyhow::bail!("the password file {} is empty; its first line is the password", path.display()),
    }
}

impl Check for Tls {
    fn check(&self) -> Result<(), String> {
        match self.cert.is_some() == self.key.is_some() {
            true => Ok(()),
            false => Err("[tls] needs both `cert` and `key`, or neither".into()),
        }
    }
}

impl Tls {
    /// What the files hold; `None` where there are none.
    pub(crate) fn material(&self) -> Result<Option<TlsMaterial>> {
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                TlsMaterial::from_pem_files(cert, key).map(Some).context("[tls] was not accepted")
            }
            _ => Ok(None),
        }
    }
}

impl Check for MailOut {
    fn check(&self) -> Result<(), String> {
        if self.user.is_some() != self.password_file.is_some() {
            return Err("[mail.out] needs both `user` and `password-file`, or neither".into());
        }
        match self.smarthost.as_deref().map(|named| (named, named.rsplit_once(':'))) {
            Some((named, Some((host, port)))) if host.is_empty() || port.parse::<u16>().is_err() => {
                Err(format!("`{named}` is no server; write it like mail.example.org:587"))
            }
            _ => Ok(()),
        }
    }
}

impl MailOut {
    /// The password, if there is a file of it.
    pub(crate) fn password(&self) -> Result<Option<String>> {
        self.password_file.as_deref().map(password_in).transpose()
    }
}

impl Check for Imap {
    fn check(&self) -> Result<(), String> {
        let Self { host, folder, done_folder, refused_folder, .. } = self;
        let (name, port) = host.rsplit_once(':').map_or((host.as_str(), None), |(name, port)| (name, Some(port)));
        if name.is_empty() || name.contains([' ', '/', '@']) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(format!("`{host}` is no server; write it like imap.example.org or imap.example.org:993"));
        }
        let folders = [folder.as_deref(), done_folder.as_deref(), refused_folder.as_deref()];
        let named: Vec<&str> = folders.into_iter().flatten().collect();
        if let Some(bad) = named.iter().find(|name| name.is_empty() || name.contains(['*', '%', '\r', '\n'])) {
            return Err(format!("`{bad}` is no folder; a name without * and % is"));
        }
        let defaults = ImapOptions::new("", "", "");
        let inbox = folder.as_deref().unwrap_or(&defaults.folder);
        let done = done_folder.as_deref().unwrap_or(&defaults.done_folder);
        let refused = refused_folder.as_deref().unwrap_or(&defaults.refused_folder);
        match [done, refused].into_iter().any(|other| other.eq_ignore_ascii_case(inbox)) {
            true => Err("[intake.imap] has to move mails out of the folder that it reads".into()),
            false => Ok(()),
        }
    }
}

impl Imap {
    /// As the door takes it.
    pub(crate) fn options(&self) -> Result<ImapOptions> {
        let tls = match self.tls {
            ImapTls::Implicit => tympan_receive::ImapTls::Implicit,
            ImapTls::Starttls => tympan_receive::ImapTls::StartTls,
            ImapTls::None => tympan_receive::ImapTls::Off,
        };
        let (host, port) = match self.host.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().unwrap_or(tls.port())),
            None => (self.host.as_str(), tls.port()),
        };
        let mut options = ImapOptions::new(host, &self.user, password_in(&self.password_file)?);
        (options.tls, options.port) = (tls, port);
        if let Some(file) = &self.ca_file {
            options.authority =
                tympan_http::certificates_in(file).with_context(|| format!("could not read {}", file.display()))?;
        }
        options.address = self.address.as_ref().map(|address| address.0.clone());
        options.printer = self.printer.as_ref().map(|printer| printer.0.clone());
        options.authserv_id = self.authserv_id.as_ref().map(|id| id.0.clone());
        options.take_older = self.take_older;
        let folders = [
            (&mut options.folder, &self.folder),
            (&mut options.done_folder, &self.done_folder),
            (&mut options.refused_folder, &self.refused_folder),
        ];
        for (folder, named) in folders {
            if let Some(named) = named {
                folder.clone_from(named);
            }
        }
        if let Some(poll) = self.poll {
            options.poll = std::time::Duration::from_millis(poll.0);
        }
        Ok(options)
    }
}

impl AccountEntry {
    /// The password.
    pub(crate) fn password(&self) -> Result<String> {
        password_in(&self.password_file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_what_is_allowed() {
        let error = Config::parse("domain = \"x\"\n[smtp]\nlistn = \"1\"\n").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("listn") && error.contains("listen"), "{error}");
    }

    #[test]
    fn a_bad_value_is_refused_with_its_line_and_what_is_allowed() {
        let printer = |line: &str| format!("[[printer]]\nname = \"office\"\ndevice = \"ipp://h/\"\n{line}\n");
        for (text, line, words) in [
            (printer("retention = \"3\""), 4, "3 days"),
            (printer("retention = \"0 s\""), 4, "30 days"),
            (printer("retention = \"31 days\""), 4, "30 days"),
            (printer("retry-interval = \"1 ms\""), 4, "1 second"),
            (printer("time-out = \"0 s\""), 4, "1 ms"),
            (printer("options = \"shiny\""), 4, "duplex"),
            (printer("report-token = \"short\""), 4, "16"),
            (printer("review-pages = 0"), 4, "from 1"),
            (printer("access = \"all\""), 4, "invite"),
            ("[[printer]]\nname = \"of fice\"\ndevice = \"ipp://h/\"\n".into(), 2, "letters"),
            ("[[printer]]\nname = \"office\"\ndevice = \"gopher://h/\"\n".into(), 3, "ipp"),
            ("[[registration]]\nprinter = \"office\"\nsender = \"anna\"\n".into(), 3, "anna"),
            ("domain = \"a@b\"\n".into(), 1, "print.example"),
            ("url = \"print.example\"\n".into(), 1, "http://"),
            ("time-zone = \"Mars/Olympus\"\n".into(), 1, "Asia/Tokyo"),
            ("[trust]\nnetworks = [\"10.0.0.0/99\"]\n".into(), 2, "192.0.2.0/24"),
            ("[smtp]\nlisten = [\"25\"]\n".into(), 2, "socket address"),
            ("[smtp]\nsize-max = -1\n".into(), 2, "65536"),
            ("[smtp]\nconnections-max = 0\n".into(), 2, "from 1"),
            ("[queue]\nworkers = 0\n".into(), 2, "from 1"),
            ("[queue]\nworkers = \"two\"\n".into(), 2, "from 1"),
            ("\n[tls]\ncert = \"a\"\n".into(), 2, "both"),
            ("\n[intake.imap]\nhost = \"imap:x\"\nuser = \"a\"\npassword-file = \"p\"\n".into(), 2, "imap.example.org"),
            (
                "\n[intake.imap]\nhost = \"imap\"\nuser = \"a\"\npassword-file = \"p\"\ndone-folder = \"inbox\"\n"
                    .into(),
                2,
                "move mails out",
            ),
            (
                "\n[intake.imap]\nhost = \"imap\"\nuser = \"a\"\npassword-file = \"p\"\nfolder = \"Printed\"\n".into(),
                2,
                "move mails out",
            ),
            ("[intake.imap]\nhost = \"imap\"\n".into(), 1, "user"),
            ("[intake.imap]\nhost = \"imap\"\nidle = true\n".into(), 3, "poll"),
            ("\n[mail.out]\nuser = \"a\"\n".into(), 2, "both"),
            ("\n[mail.out]\nsmarthost = \"mail:smtp\"\n".into(), 2, "587"),
        ] {
            let error = Config::parse(&text).map(drop).expect_err(&text).to_string();
            assert!(error.contains(&format!("line {line}")) && error.contains(words), "{text}{error}");
        }
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        let account = "[[account]]\nname = \"anna\"\npassword-file = \"/no/such/file\"\n";
        let error = Config::parse(account).unwrap().check_files().unwrap_err().to_string();
        assert!(error.contains("/no/such/file"), "{error}");
        let tls = "[tls]\ncert = \"/no/cert\"\nkey = \"/no/key\"\n";
        assert!(Config::parse(tls).unwrap().check_files().is_err());
    }

    #[test]
    fn an_empty_file_is_a_good_one() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.smtp.size_max.0, 26_214_400);
        assert!(config.trust.networks.is_empty());
    }
}
