//! The configuration file. An unknown key or a bad value is refused at start, with its line and what is allowed.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tympan_engine::registration::parse_span;
use tympan_engine::{Access, DoubtPolicy, JobOptions, Language, Millis, PrinterPolicy, StoredForm};

/// A span of time as people write it: `3 days`, `90 s`, `200 ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Millis);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read_span(&text).map(Span).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is no span of time; write it like \"3 days\", \"12 hours\", \"90 s\" or \"200 ms\""
            ))
        })
    }
}

fn read_span(text: &str) -> Option<Millis> {
    match text.trim().strip_suffix("ms") {
        Some(number) => number.trim().parse().ok(),
        None => parse_span(text),
    }
}

/// Option words as in a mail's subject: `duplex mono 2 copies`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) JobOptions);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (options, unknown, _) = tympan_engine::options::parse_words(&text);
        if unknown.is_empty() {
            return Ok(Self(options));
        }
        Err(serde::de::Error::custom(format!(
            "`{}` is no option; allowed are: attachments, body, both, duplex, duplex-short, simplex, mono, color, receipt, `2 copies`, `pages 1-3`, and paper such as A4, A5, Letter",
            unknown.join(" ")
        )))
    }
}

/// An address of a network, `192.0.2.0/24`; checked where it is used.
pub(crate) type Network = String;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Folder of all data. Default `tympan-data` beside the file.
    pub(crate) data: PathBuf,
    /// Mail domain of the printers' addresses. Default `localhost`.
    pub(crate) domain: String,
    /// More domains whose addresses are ours.
    pub(crate) more_domains: Vec<String>,
    /// What people type to reach the console. Default `http://localhost:8631`.
    pub(crate) url: Option<String>,
    /// Language of pages and notices where nobody chose one: `en` or `ja`.
    pub(crate) language: Language,
    /// Time zone in which times are written (IANA name). Default: the machine's.
    pub(crate) time_zone: Option<String>,
    /// The mail door.
    pub(crate) smtp: Smtp,
    /// The web and IPP door.
    pub(crate) http: Http,
    /// The certificate.
    pub(crate) tls: Tls,
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
            domain: "localhost".into(),
            more_domains: Vec::new(),
            url: None,
            language: Language::En,
            time_zone: None,
            smtp: Smtp::default(),
            http: Http::default(),
            tls: Tls::default(),
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
    /// Largest mail, in octets. Default 25 MiB.
    pub(crate) size_max: u64,
    /// One address for all printers; its sender chooses.
    pub(crate) constant_address: Option<String>,
    /// Networks whose old devices send bare LF: normalised after strict framing.
    pub(crate) bare_lf_networks: Vec<Network>,
    /// Most connections. Default 10,000.
    pub(crate) connections_max: usize,
    /// Most connections from one address of a trusted network. Default 50.
    pub(crate) connections_per_address_max: usize,
    /// Most mails over one connection. Default 50.
    pub(crate) messages_per_connection_max: Option<u32>,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 2525))],
            submission: Vec::new(),
            submissions: Vec::new(),
            size_max: 25 * 1024 * 1024,
            constant_address: None,
            bare_lf_networks: Vec::new(),
            connections_max: 10_000,
            connections_per_address_max: 50,
            messages_per_connection_max: None,
        }
    }
}

/// The web and IPP door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Http {
    /// Where it listens. Default `127.0.0.1:8631`.
    pub(crate) listen: Vec<SocketAddr>,
    /// Names under which it may be asked ("Host"); empty: the url's, the machine's addresses and localhost.
    pub(crate) hosts: Vec<String>,
    /// Largest upload, in octets. Default 200 MiB.
    pub(crate) upload_max: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8631))],
            hosts: Vec::new(),
            upload_max: 200 * 1024 * 1024,
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
    /// How long an answer may take. Default 5 s.
    pub(crate) time_out: Span,
}

impl Default for Dns {
    fn default() -> Self {
        Self { servers: Vec::new(), enabled: true, time_out: Span(5_000) }
    }
}

/// Mail that leaves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Mail {
    /// How notices leave; without it they stand in the console and in a folder.
    pub(crate) out: Option<MailOut>,
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
    pub(crate) notice_after: Span,
    /// First span before a failed effect is tried again. Default 5 s.
    pub(crate) effect_retry: Span,
    /// How many documents are prepared at once. Default 2.
    pub(crate) workers: usize,
    /// How often a printing job's state is asked, at the fastest. Default 250 ms.
    pub(crate) follow_every: Span,
    /// Disk that is always left free, in octets; `None`: the larger of 5 % and 1 GiB.
    pub(crate) reserve: Option<u64>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            notice_after: Span(5_000),
            effect_retry: Span(5_000),
            workers: 2,
            follow_every: Span(250),
            reserve: None,
        }
    }
}

/// A printer kept by the file: added at start, and brought to what stands here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PrinterEntry {
    /// The local part of its mail address.
    pub(crate) name: String,
    /// Where the device is.
    pub(crate) device: String,
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
    /// How long waiting jobs are kept.
    #[serde(default)]
    pub(crate) retention: Option<Span>,
    /// How often waiting jobs are tried again.
    #[serde(default)]
    pub(crate) retry_interval: Option<Span>,
    /// Whether a changed retention reaches jobs that wait.
    #[serde(default)]
    pub(crate) retention_follows: Option<bool>,
    /// How long the device may take to answer.
    #[serde(default)]
    pub(crate) time_out: Option<Span>,
    /// More pages than this wait for a click.
    #[serde(default)]
    pub(crate) review_pages: Option<u32>,
    /// How long data of a printed job is kept for a reprint.
    #[serde(default)]
    pub(crate) reprint_window: Option<Span>,
    /// How long a doubt waits for a decision.
    #[serde(default)]
    pub(crate) doubt_time: Option<Span>,
    /// Token with which the device reports its state; at least 16 characters.
    #[serde(default)]
    pub(crate) report_token: Option<String>,
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
            review_pages: self.review_pages.unwrap_or(base.review_pages),
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
    pub(crate) printer: String,
    /// The sender's address.
    pub(crate) sender: String,
    /// Language of notices.
    #[serde(default)]
    pub(crate) language: Option<Language>,
    /// How long this sender's waiting jobs are kept.
    #[serde(default)]
    pub(crate) retention: Option<Span>,
    /// How often they are tried again.
    #[serde(default)]
    pub(crate) retry_interval: Option<Span>,
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
    pub(crate) addresses: Vec<String>,
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
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// Checks what the types cannot.
    fn check(&self) -> Result<()> {
        if self.tls.cert.is_some() != self.tls.key.is_some() {
            bail!("[tls] needs both `cert` and `key`, or neither");
        }
        for printer in &self.printers {
            tympan_spooler::printers::check_name(&printer.name)?;
            tympan_spooler::printers::check_device(&printer.device)?;
            if printer.report_token.as_ref().is_some_and(|token| token.len() < 16) {
                bail!("[[printer]] {}: `report-token` needs at least 16 characters", printer.name);
            }
        }
        for registration in &self.registrations {
            tympan_spooler::registrations::canonical_address(&registration.sender)?;
        }
        if self.domain.is_empty() || self.domain.contains(['@', ' ']) {
            bail!("`domain` is the part after the @ of the printers' addresses, such as \"print.example\"");
        }
        if let Some(url) = &self.url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            bail!("`url` starts with http:// or https://");
        }
        if self.queue.workers == 0 {
            bail!("[queue] `workers` is at least 1");
        }
        Ok(())
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
    fn a_bad_value_says_what_is_allowed() {
        let text = "[[printer]]\nname = \"office\"\ndevice = \"ipp://h/\"\nretention = \"3\"\n";
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains("line 4") && error.contains("3 days"), "{error}");
        let text = "[[printer]]\nname = \"office\"\ndevice = \"ipp://h/\"\noptions = \"shiny\"\n";
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains("shiny") && error.contains("duplex"), "{error}");
        let text = "[[printer]]\nname = \"of fice\"\ndevice = \"ipp://h/\"\n";
        assert!(Config::parse(text).is_err());
        assert!(Config::parse("[tls]\ncert = \"a\"\n").is_err());
        assert!(Config::parse("url = \"print.example\"\n").is_err());
    }

    #[test]
    fn an_empty_file_is_a_good_one() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.smtp.size_max, 26_214_400);
        assert!(config.trust.networks.is_empty());
    }
}
