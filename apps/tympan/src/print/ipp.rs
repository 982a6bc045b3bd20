//! `tympan print` to an IPP printer: one Print-Job for each file (RFC 8011 section 4.2.1).

use super::kind_of;
use crate::cli::{Print, Tls};
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tympan_engine::{ColorMode, JobOptions, Orientation, Scaling};
use tympan_http::{Body, Client, ClientOptions, ClientRequest, StatusCode, Target, Verify};
use tympan_ipp::{Collection, GroupTag, Limits, Message, Operation, Resolution, Value, decode};

/// Octets at the start of a file that say what it is.
const START_OCTETS: u64 = 64 * 1024;
/// How long a printer may take to answer once it has everything.
const ANSWER_TIME_OUT: Duration = Duration::from_secs(300);

/// Whether a destination is an IPP printer.
pub(super) fn is_printer(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["ipp://", "ipps://", "http://", "https://"].iter().any(|scheme| lower.starts_with(scheme))
}

/// Sends each file to a printer.
pub(super) async fn send(args: &Print, options: &JobOptions, printer: &str, files: &[&Path]) -> Result<()> {
    let target = Target::parse(printer).with_context(|| {
        format!("`{printer}` is no printer; write it like ipp://print.example:8631/ipp/print/office")
    })?;
    if matches!(args.tls, Tls::Required | Tls::Implicit) && !target.is_tls() {
        bail!("TLS is wanted, but `{printer}` does without; write it with ipps://");
    }
    let here = matches!(target.host(), "localhost" | "127.0.0.1" | "[::1]" | "::1");
    if args.user.is_some() && !target.is_tls() && !here && args.tls != Tls::None {
        bail!(
            "a password goes over TLS only\n\nhint: Write ipps:// in place of ipp://, or add --tls none if nobody listens"
        );
    }
    let verify = if args.insecure { Verify::AcceptAny } else { Verify::WebPki };
    let client = Client::new(ClientOptions { verify, answer_time_out: ANSWER_TIME_OUT, ..ClientOptions::default() });
    for file in files {
        let said = send_one(args, options, printer, &target, &client, file)
            .await
            .with_context(|| format!("{} was not taken by {printer}", file.display()))?;
        println!("{}: {said}", file.display());
    }
    Ok(())
}

async fn send_one(
    args: &Print,
    options: &JobOptions,
    printer: &str,
    target: &Target,
    client: &Client,
    file: &Path,
) -> Result<String> {
    let mut start = Vec::new();
    let opened = std::fs::File::open(file)?;
    if opened.metadata()?.is_dir() {
        bail!("it is a folder; name the files in it");
    }
    (&opened).take(START_OCTETS).read_to_end(&mut start)?;
    if start.is_empty() {
        bail!("it is empty");
    }
    let octets = opened.metadata()?.len();
    let name = file.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned());
    let user = args.from.clone().or_else(|| args.user.clone()).unwrap_or_else(super::default_user);
    let request = Message::request(Operation::PrintJob, 1, printer)
        .operation("requesting-user-name", Value::name(user))
        .operation("job-name", Value::name(args.subject.as_deref().unwrap_or(&name)))
        .operation("document-name", Value::name(&name))
        .operation("document-format", Value::mime_media_type(kind_of(&start)));
    let header = with_options(request, options).encode();
    let bar = super::bar(args, header.len() as u64 + octets, printer)?;
    let document = tokio::fs::File::open(file).await?;
    let body = Body::from_reader(
        AsyncReadExt::chain(Cursor::new(header.clone()), document),
        Some(header.len() as u64 + octets),
    );
    let shown: ProgressBar = bar.clone();
    let mut request =
        ClientRequest::post(target, "application/ipp", body).progress(move |octets| shown.set_position(octets));
    if let Some((name, password)) = super::credentials(args)? {
        request = request.basic(&name, &password);
    }
    let answer = client.request(request).await;
    bar.finish_and_clear();
    let answer = answer.context("could not reach it")?;
    match answer.status {
        status if status.is_success() => {}
        StatusCode::UNAUTHORIZED => {
            bail!(
                "it asks who you are\n\nhint: Sign in with --user and --password-file, or print from a listed network"
            )
        }
        status => {
            let text = answer.body.collect().await.unwrap_or_default();
            bail!("it answered {status}: {}", String::from_utf8_lossy(&text).trim());
        }
    }
    let octets = answer.body.collect().await?;
    let message = decode(&octets, &Limits::RESPONSE).context("the answer is no IPP")?.message;
    let text = |group, name| message.get(group, name).and_then(|found| found.text().map(str::to_owned));
    if !message.status_code().is_successful() {
        match text(GroupTag::Operation, "status-message") {
            Some(said) => bail!("{said} ({})", message.status_code()),
            None => bail!("it refused: {}", message.status_code()),
        }
    }
    let id = message.get(GroupTag::Job, "job-id").and_then(|found| found.integer()).unwrap_or_default();
    let ignored: Vec<&str> = message
        .group(GroupTag::Unsupported)
        .map_or_else(Vec::new, |group| group.attributes.iter().map(|attribute| attribute.name.as_str()).collect());
    Ok(match ignored[..] {
        [] => format!("job {id} accepted"),
        _ => format!("job {id} accepted; not done as asked: {}", ignored.join(", ")),
    })
}

/// Puts option words into job attributes.
fn with_options(mut request: Message, options: &JobOptions) -> Message {
    let mut tell = |name: &str, value: Value| {
        let so_far = std::mem::replace(&mut request, Message::request(Operation::PrintJob, 1, ""));
        request = so_far.job(name, value);
    };
    if let Some(copies) = options.copies {
        tell("copies", Value::Integer(i32::from(copies)));
    }
    if let Some(sides) = options.sides {
        tell("sides", Value::keyword(sides.as_str()));
    }
    if let Some(color) = options.color {
        let keyword = match color {
            ColorMode::Auto => "auto",
            ColorMode::Color => "color",
            ColorMode::Monochrome => "monochrome",
        };
        tell("print-color-mode", Value::keyword(keyword));
    }
    if options.media_source.is_none() && options.media_type.is_none() {
        if let Some(media) = &options.media {
            tell("media", Value::keyword(media));
        }
    } else {
        let mut paper = Collection::new();
        if let Some(size) = options.media.as_deref().and_then(tympan_ipp::media::size_of) {
            paper = paper.with("media-size", size.to_media_size());
        }
        for (name, keyword) in [("media-source", &options.media_source), ("media-type", &options.media_type)] {
            if let Some(keyword) = keyword {
                paper = paper.with(name, Value::keyword(keyword));
            }
        }
        tell("media-col", paper.into());
    }
    if let Some(orientation) = options.orientation {
        let number = match orientation {
            Orientation::Portrait => 3,
            Orientation::Landscape => 4,
            Orientation::ReverseLandscape => 5,
            Orientation::ReversePortrait => 6,
        };
        tell("orientation-requested", Value::Enum(number));
    }
    if let Some(scaling) = options.scaling {
        let keyword = match scaling {
            Scaling::Auto => "auto",
            Scaling::AutoFit => "auto-fit",
            Scaling::Fill => "fill",
            Scaling::Fit => "fit",
            Scaling::None => "none",
        };
        tell("print-scaling", Value::keyword(keyword));
    }
    if let Some(quality) = options.quality {
        tell("print-quality", Value::Enum(quality.number()));
    }
    if let Some(dpi) = options.resolution {
        tell("printer-resolution", Value::Resolution(Resolution::dpi(i32::try_from(dpi).unwrap_or(i32::MAX))));
    }
    if let Some(pages) = options.number_up {
        tell("number-up", Value::Integer(i32::from(pages)));
    }
    let bound = |page: u32| i32::try_from(page).unwrap_or(i32::MAX);
    let ranges: Vec<Value> =
        options.pages.iter().map(|range| Value::range(bound(range.first), bound(range.last))).collect();
    if ranges.is_empty() { request } else { request.job("page-ranges", ranges) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_words_become_job_attributes() {
        let (options, _, _) = tympan_engine::options::parse_words("2 copies duplex mono A5 pages 1-3 4-up landscape");
        let message = with_options(Message::request(Operation::PrintJob, 1, "ipp://h/"), &options);
        let job = message.group(GroupTag::Job).expect("a job group");
        let names: Vec<&str> = job.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        assert_eq!(
            names,
            ["copies", "sides", "print-color-mode", "media", "orientation-requested", "number-up", "page-ranges"]
        );
        assert!(message.to_string().contains("iso_a5_148x210mm"), "{message}");
    }

    #[test]
    fn printers_and_mail_addresses_are_told_apart() {
        for text in ["ipp://h/ipp/print/office", "IPPS://h", "https://h/ipp/print"] {
            assert!(is_printer(text), "{text}");
        }
        for text in ["office@print.example", "report.pdf", "ipp.pdf"] {
            assert!(!is_printer(text), "{text}");
        }
    }
}
