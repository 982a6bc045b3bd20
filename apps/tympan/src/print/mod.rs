//! `tympan print`: sends files to a printer, by its mail address or by IPP, with a progress bar.

mod ipp;

use crate::cli::{Print, Tls};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use mail_builder::MessageBuilder;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tympan_deliver::{Smarthost, SmtpTls};
use tympan_smtp::client::{Credentials, Fate, Outcome};
use tympan_smtp::{Address, Envelope, Recipient, ReversePath};

/// Largest file that is sent, in octets.
const FILE_MAX: u64 = 512 * 1024 * 1024;

/// Sends files.
pub(crate) async fn run(args: Print) -> Result<()> {
    let (options, unknown, _) = tympan_engine::options::parse_words(&args.options);
    if !unknown.is_empty() {
        bail!(
            "`{}` is no option\n\nhint: Options are words such as `duplex mono 2 copies A5 pages 1-3`",
            unknown.join(" ")
        );
    }
    let is_printer = |path: &&PathBuf| path.to_str().is_some_and(ipp::is_printer);
    let files: Vec<&Path> = args.files.iter().filter(|path| !is_printer(path)).map(PathBuf::as_path).collect();
    let named = args.files.iter().filter(is_printer).filter_map(|path| path.to_str());
    let (printers, addresses): (Vec<&str>, Vec<&str>) =
        named.chain(args.to.iter().map(String::as_str)).partition(|to| ipp::is_printer(to));
    if printers.is_empty() && addresses.is_empty() {
        bail!(
            "no printer is named\n\nhint: Name it: --to office@print.example, or ipp://print.example:8631/ipp/print/office"
        );
    }
    if files.is_empty() {
        bail!("no file is named\n\nhint: tympan print {} report.pdf", printers.first().unwrap_or(&"--to …"));
    }
    for printer in printers {
        ipp::send(&args, &options, printer, &files).await?;
    }
    if addresses.is_empty() {
        return Ok(());
    }
    by_mail(&args, &files, &addresses).await
}

async fn by_mail(args: &Print, files: &[&Path], to: &[&str]) -> Result<()> {
    let from = match &args.from {
        Some(from) => from.clone(),
        None => default_sender(),
    };
    let reverse_path = ReversePath::Address(address(&from)?);
    let recipients = to.iter().map(|to| Ok(Recipient::from(address(to)?))).collect::<Result<Vec<_>>>()?;
    let servers = servers(args, to).await?;
    let octets = mail(args, files, to, &from)?;

    let bar = bar(args, octets.len() as u64, &to.join(", "))?;
    let shown = bar.clone();
    let envelope = Envelope { reverse_path, recipients };
    let hostname = hostname();
    let mut servers = servers.into_iter().peekable();
    while let Some(server) = servers.next() {
        let progress = &mut |octets| shown.set_position(octets);
        match server.hand_over(&hostname, envelope.clone(), &octets, progress).await {
            Ok(outcome) => {
                bar.finish_and_clear();
                return tell(&outcome);
            }
            // The next server of the same domain may be there.
            Err(error) if error.is_temporary && servers.peek().is_some() => {}
            Err(error) => {
                let server = format!("{}:{} did not take it", server.host, server.port);
                return Err(anyhow::Error::from(error).context(server));
            }
        }
    }
    bail!("there is no server to send to; name one with --server")
}

fn bar(args: &Print, octets: u64, to: &str) -> Result<ProgressBar> {
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new(octets) };
    bar.set_style(
        ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}")
            .context("the progress bar's template is good")?
            .progress_chars("=> "),
    );
    bar.set_message(format!("to {to}"));
    Ok(bar)
}

/// Says what became of each recipient; an error if any was refused.
fn tell(outcome: &Outcome) -> Result<()> {
    let mut refused = Vec::new();
    for (recipient, fate) in outcome.fates() {
        match fate {
            Fate::Accepted(reply) => println!("{recipient}: {}", reply.text()),
            Fate::Refused(reply) => refused.push(format!("{recipient}: {reply}")),
            Fate::Failed(failure) => refused.push(format!("{recipient}: {failure}")),
        }
    }
    if refused.is_empty() { Ok(()) } else { bail!("not taken\n{}", refused.join("\n")) }
}

/// Sends the demo's welcome mail.
pub(crate) async fn send_welcome(server: SocketAddr, from: &str, to: &str, octets: Vec<u8>) -> Result<()> {
    let smarthost = Smarthost {
        host: server.ip().to_string(),
        port: server.port(),
        tls: SmtpTls::Off,
        verify: false,
        credentials: None,
    };
    let envelope = Envelope {
        reverse_path: ReversePath::Address(address(from)?),
        recipients: vec![Recipient::from(address(to)?)],
    };
    let outcome = smarthost.hand_over("localhost", envelope, &octets, &mut |_| {}).await?;
    for (recipient, fate) in outcome.fates() {
        match fate {
            Fate::Accepted(_) => {}
            Fate::Refused(reply) => bail!("{recipient}: {reply}"),
            Fate::Failed(failure) => bail!("{recipient}: {failure}"),
        }
    }
    Ok(())
}

fn address(text: &str) -> Result<Address> {
    Address::parse(text).with_context(|| format!("`{text}` is no mail address; write it like office@print.example"))
}

/// The servers to try: the one that was named, else those that take mail for the recipient's domain.
async fn servers(args: &Print, to: &[&str]) -> Result<Vec<Smarthost>> {
    if let Some(named) = &args.server {
        return Ok(vec![smarthost(args, named)?]);
    }
    let domain = to.first().and_then(|to| to.rsplit_once('@')).map_or("localhost", |(_, domain)| domain);
    // This machine's own name is in no DNS.
    let found = match domain {
        "localhost" => vec![domain.to_owned()],
        domain => tympan_deliver::mail_servers(domain).await.with_context(|| {
            format!("could not find the mail server of {domain}\n\nhint: Name it: --server mail.example.org:25")
        })?,
    };
    found.iter().map(|host| smarthost(args, host.trim_end_matches('.'))).collect()
}

fn smarthost(args: &Print, named: &str) -> Result<Smarthost> {
    let implicit = args.tls == Tls::Implicit;
    let (host, port) = match named.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
            let port = port.parse().with_context(|| format!("`{port}` is no port; write --server host:25"))?;
            (host.trim_matches(['[', ']']).to_owned(), port)
        }
        _ => (
            named.to_owned(),
            if implicit {
                465
            } else if args.user.is_some() {
                587
            } else {
                25
            },
        ),
    };
    let credentials = credentials(args)?.map(|(identity, password)| Credentials { identity, password });
    Ok(Smarthost {
        host,
        port,
        tls: match args.tls {
            Tls::Auto => SmtpTls::IfOffered,
            Tls::Required => SmtpTls::Required,
            Tls::Implicit => SmtpTls::Implicit,
            Tls::None => SmtpTls::Off,
        },
        // As between mail servers, STARTTLS protects against listening; who asks for TLS gets the name checked.
        verify: !args.insecure && matches!(args.tls, Tls::Required | Tls::Implicit),
        credentials,
    })
}

/// Name and password.
fn credentials(args: &Print) -> Result<Option<(String, String)>> {
    match (&args.user, &args.password_file) {
        (None, None) => Ok(None),
        (Some(user), Some(file)) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
            Ok(Some((user.clone(), text.lines().next().unwrap_or_default().to_owned())))
        }
        _ => bail!("--user and --password-file go together"),
    }
}

fn mail(args: &Print, files: &[&Path], to: &[&str], from: &str) -> Result<Vec<u8>> {
    let first = files
        .first()
        .and_then(|file| file.file_name())
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = args.subject.clone().unwrap_or(first);
    let subject = if args.options.trim().is_empty() { name } else { format!("{name} [{}]", args.options.trim()) };
    let mut message = MessageBuilder::new().from(from.to_owned()).to(to.to_vec()).subject(subject).text_body("");
    for file in files {
        let (name, kind, octets) = read(file)?;
        message = message.attachment(kind, name, octets);
    }
    message.write_to_vec().context("could not write the mail")
}

fn read(file: &Path) -> Result<(String, &'static str, Vec<u8>)> {
    let shown = file.display();
    let facts = std::fs::metadata(file).with_context(|| format!("could not read {shown}"))?;
    if facts.is_dir() {
        bail!("{shown} is a folder; name the files in it");
    }
    if facts.len() == 0 {
        bail!("{shown} is empty");
    }
    if facts.len() > FILE_MAX {
        bail!("{shown} has more than 512 MiB");
    }
    let octets = std::fs::read(file).with_context(|| format!("could not read {shown}"))?;
    let name = file.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned());
    let kind = kind_of(&octets);
    Ok((name, kind, octets))
}

/// The type of a document by its first octets.
fn kind_of(octets: &[u8]) -> &'static str {
    match octets {
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'R', b'a', b'S', b'2', ..] => "image/pwg-raster",
        [b'U', b'N', b'I', b'R', b'A', b'S', b'T', ..] => "image/urf",
        // A piece may end within a character.
        _ => match std::str::from_utf8(octets) {
            Ok(_) => "text/plain",
            Err(error) if error.error_len().is_none() => "text/plain",
            Err(_) => "application/octet-stream",
        },
    }
}

fn hostname() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() || !name.is_ascii() { "localhost".into() } else { name }
}

fn default_user() -> String {
    std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "user".into())
}

fn default_sender() -> String {
    format!("{}@{}", default_user(), hostname())
}
