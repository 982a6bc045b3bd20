//! The commands that look at a server's queue and change it.

use crate::cli::{
    Admin, AdminAction, JobAction, JobCommand, Jobs, Printers, PrintersAction, Registrations, RegistrationsAction, Why,
};
use crate::remote::Remote;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};

fn print_json(value: &Value) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

/// Makes a segment safe within a path.
fn segment(text: &str) -> Result<&str> {
    let good = !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'));
    if good { Ok(text) } else { Err(anyhow!("`{text}` is no name of a printer or job")) }
}

/// Prints columns as wide as they need to be.
fn table(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}

/// Jobs in one answer.
const PAGE: usize = 1000;

/// `tympan jobs`.
pub(crate) async fn jobs(args: Jobs) -> Result<()> {
    let remote = Remote::find(&args.server)?;
    let printer = args.printer.as_deref().map(segment).transpose()?.unwrap_or("");
    let all = if args.all { "1" } else { "" };
    let mut jobs: Vec<Value> = Vec::new();
    loop {
        let before = jobs.last().map_or("", |job| text(job, "uuid"));
        let page = remote.get(&format!("/jobs?printer={printer}&all={all}&limit={PAGE}&before={before}")).await?;
        let page = page.as_array().cloned().unwrap_or_default();
        let is_last = page.len() < PAGE;
        jobs.extend(page);
        if is_last {
            break;
        }
    }
    if args.server.json {
        return print_json(&Value::Array(jobs));
    }
    if jobs.is_empty() {
        println!("No jobs{}.", if args.all { "" } else { " wait" });
        return Ok(());
    }
    let rows: Vec<Vec<String>> = jobs
        .iter()
        .map(|job| {
            vec![
                text(job, "id").into(),
                text(job, "printer").into(),
                text(job, "state").into(),
                job["pages"].to_string(),
                text(job, "originator").into(),
                text(job, "name").into(),
            ]
        })
        .collect();
    table(&["JOB", "PRINTER", "STATE", "PAGES", "FROM", "NAME"], &rows);
    Ok(())
}

/// `tympan why`.
pub(crate) async fn why(args: Why) -> Result<()> {
    let remote = Remote::find(&args.server)?;
    let lang = match args.lang.as_deref() {
        None => {
            if std::env::var("LANG").is_ok_and(|lang| lang.starts_with("ja")) {
                "ja"
            } else {
                "en"
            }
        }
        Some("en") => "en",
        Some("ja") => "ja",
        Some(other) => bail!("`{other}` is no language of this program; it has `en` and `ja`"),
    };
    let why = remote.get(&format!("/jobs/{}/why?lang={lang}", job_segment(&args.job)?)).await?;
    if args.server.json {
        return print_json(&why);
    }
    println!("{}", text(&why, "text"));
    Ok(())
}

/// A job as it stands in a path; `printer/7` becomes `printer-7`.
fn job_segment(job: &str) -> Result<String> {
    let job = job.replace('/', "-");
    segment(&job)?;
    Ok(job)
}

/// `tympan job …`.
pub(crate) async fn job(args: JobCommand) -> Result<()> {
    let remote = Remote::find(&args.server)?;
    let (job, path, body, done) = match &args.action {
        JobAction::Cancel { job } => (job, "cancel", json!({}), "Cancelled"),
        JobAction::Hold { job } => (job, "hold", json!({}), "Held"),
        JobAction::Release { job } => (job, "release", json!({}), "Released"),
        JobAction::Reprint { job, at } => (job, "reprint", json!({ "at": at }), "Printing again as"),
        JobAction::Decide { job, decision } => (job, "decide", decision_body(decision)?, "Decided"),
        JobAction::Keep { job, span } => (job, "keep", json!({ "span": span.join(" ") }), "Kept"),
    };
    let answer = remote.post(&format!("/jobs/{}/{path}", job_segment(job)?), &body).await?;
    if args.server.json {
        return print_json(&answer);
    }
    println!("{done} {}: {}", text(&answer, "id"), text(&answer["why"], "now"));
    Ok(())
}

fn decision_body(words: &[String]) -> Result<Value> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words.as_slice() {
        ["print-from", page] => {
            let page: u32 = page.parse().map_err(|_| anyhow!("`{page}` is no page; write `print-from 7`"))?;
            json!({ "decision": "print-from", "page": page })
        }
        [one @ ("print-all" | "fine" | "throw-away")] => json!({ "decision": one }),
        _ => bail!("decide with one of: `print-from PAGE`, `print-all`, `fine`, `throw-away`"),
    })
}

/// `tympan printers …`.
pub(crate) async fn printers(args: Printers) -> Result<()> {
    let remote = Remote::find(&args.server)?;
    let json = args.server.json;
    let answer = match &args.action {
        None => {
            let printers = remote.get("/printers").await?;
            if json {
                return print_json(&printers);
            }
            return list_printers(&printers);
        }
        Some(PrintersAction::Add { name, device, info, access, no_test_page }) => {
            let body = json!({
                "name": name, "device": device, "info": info, "access": access, "test_page": !no_test_page,
            });
            let answer = remote.post("/printers", &body).await?;
            if !json {
                println!("Added {}: {}", text(&answer["printer"], "name"), text(&answer, "answer"));
                println!("Its mail address is {}.", text(&answer["printer"], "address"));
                if let Some(job) = answer["test_job"].as_str() {
                    println!("A test page is on its way: job {job}.");
                }
                return Ok(());
            }
            answer
        }
        Some(PrintersAction::Remove { name }) => remote.delete(&format!("/printers/{}", segment(name)?)).await?,
        Some(PrintersAction::Pause { name, refuse, refuse_after }) => {
            let jobs = match (refuse, refuse_after) {
                (true, _) => "refuse",
                (false, Some(_)) => "keep-for",
                (false, None) => "keep",
            };
            let body = json!({ "jobs": jobs, "span": refuse_after });
            remote.post(&format!("/printers/{}/pause", segment(name)?), &body).await?
        }
        Some(PrintersAction::Resume { name }) => post(&remote, name, "resume").await?,
        Some(PrintersAction::Try { name }) => post(&remote, name, "try").await?,
        Some(PrintersAction::Test { name }) => post(&remote, name, "test").await?,
        Some(PrintersAction::Token { name }) => {
            let answer = post(&remote, name, "token").await?;
            if !json {
                println!("Token: {}", text(&answer, "token"));
                println!("Report to: {}", text(&answer, "report_uri"));
                println!("It is shown only now.");
                return Ok(());
            }
            answer
        }
    };
    if json {
        return print_json(&answer);
    }
    println!("Done.");
    Ok(())
}

async fn post(remote: &Remote, name: &str, verb: &str) -> Result<Value> {
    remote.post(&format!("/printers/{}/{verb}", segment(name)?), &json!({})).await
}

fn list_printers(printers: &Value) -> Result<()> {
    let printers = printers.as_array().cloned().unwrap_or_default();
    if printers.is_empty() {
        println!("No printers yet. Add one: tympan printers add office ipp://192.0.2.20/ipp/print");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = printers
        .iter()
        .map(|printer| {
            let troubles: Vec<&str> =
                printer["troubles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let state = if printer["paused"] == true { "paused" } else { text(printer, "state") };
            vec![
                text(printer, "name").into(),
                state.into(),
                printer["queued"].to_string(),
                text(printer, "address").into(),
                troubles.join("; "),
            ]
        })
        .collect();
    table(&["PRINTER", "STATE", "JOBS", "ADDRESS", "TROUBLE"], &rows);
    Ok(())
}

/// `tympan registrations …`.
pub(crate) async fn registrations(args: Registrations) -> Result<()> {
    let remote = Remote::find(&args.server)?;
    let json = args.server.json;
    let answer = match &args.action {
        None => {
            let printer = args.printer.as_deref().map(segment).transpose()?.unwrap_or("");
            let found = remote.get(&format!("/registrations?printer={printer}")).await?;
            if json {
                return print_json(&found);
            }
            let rows: Vec<Vec<String>> = found
                .as_array()
                .into_iter()
                .flatten()
                .map(|row| vec![text(row, "sender").into(), text(row, "printer").into(), text(row, "state").into()])
                .collect();
            if rows.is_empty() {
                println!("No registrations.");
            } else {
                table(&["SENDER", "PRINTER", "STATE"], &rows);
            }
            return Ok(());
        }
        Some(RegistrationsAction::Add { printer, sender }) => {
            remote.post("/registrations", &json!({ "printer": printer, "sender": sender })).await?
        }
        Some(RegistrationsAction::Approve { printer, sender }) => change(&remote, printer, sender, "approve").await?,
        Some(RegistrationsAction::Revoke { printer, sender }) => change(&remote, printer, sender, "revoke").await?,
    };
    if json {
        return print_json(&answer);
    }
    println!("Done.");
    Ok(())
}

async fn change(remote: &Remote, printer: &str, sender: &str, verb: &str) -> Result<Value> {
    let found = remote.get(&format!("/registrations?printer={}", segment(printer)?)).await?;
    let sender = sender.to_lowercase();
    let id = found
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| text(row, "sender") == sender)
        .map(|row| text(row, "id").to_owned())
        .with_context(|| format!("{sender} is not registered at {printer}"))?;
    remote.post(&format!("/registrations/{id}/{verb}"), &json!({})).await
}

/// `tympan admin …`.
pub(crate) async fn admin(args: Admin) -> Result<()> {
    let remote = Remote::find(&args.server)?;
    match &args.action {
        AdminAction::ResetPassword { account } => {
            let password = read_password()?;
            let body = json!({ "account": account, "password": password });
            let answer = remote.post("/admin/reset-password", &body).await?;
            if args.server.json {
                return print_json(&answer);
            }
            let programs = match answer["tokens_ended"].as_u64().unwrap_or(0) {
                0 => String::new(),
                count => format!(" {count} tokens of its programs ended; `tympan admin token --for` makes new ones."),
            };
            println!("{} has a new password; all its sessions are closed.{programs}", text(&answer, "account"));
        }
        AdminAction::Token { good_for, account } => {
            let good_for = Some(good_for.join(" ")).filter(|span| !span.is_empty());
            let body = json!({ "good_for": good_for, "account": account });
            let answer = remote.post("/admin/token", &body).await?;
            if args.server.json {
                return print_json(&answer);
            }
            println!("{}", text(&answer, "token"));
        }
        AdminAction::Tokens => {
            let tokens = remote.get("/admin/tokens").await?;
            if args.server.json {
                return print_json(&tokens);
            }
            let good_for = |token: &Value| {
                let of = ["machine", "printer", "account"].map(|name| text(token, name));
                let of = of.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
                format!("{} {of}", text(token, "scope")).trim_end().to_owned()
            };
            let end = |token: &Value| match text(token, "expires_at") {
                "" => "never".to_owned(),
                at => at.to_owned(),
            };
            let rows = tokens.as_array().into_iter().flatten();
            let rows: Vec<Vec<String>> = rows
                .map(|token| {
                    vec![text(token, "id").into(), good_for(token), text(token, "created_at").into(), end(token)]
                })
                .collect();
            table(&["TOKEN", "GOOD FOR", "MADE", "ENDS"], &rows);
        }
        AdminAction::Revoke { token } => {
            let answer = remote.post(&format!("/admin/tokens/{}/revoke", segment(token)?), &json!({})).await?;
            if args.server.json {
                return print_json(&answer);
            }
            println!("Revoked {token}; whoever used it is refused from now on.");
        }
    }
    Ok(())
}

/// Reads a password from the terminal (unseen) or the first line of standard input.
fn read_password() -> Result<String> {
    let stdin = std::io::stdin();
    let hidden = stdin.is_terminal();
    if hidden {
        print!("New password: ");
        std::io::stdout().flush()?;
    }
    let restore = if hidden { hide_typing() } else { None };
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    if let Some(before) = restore {
        let _ = rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &before);
        println!();
    }
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.chars().count() < 10 {
        bail!("a password has at least 10 characters");
    }
    Ok(password)
}

fn hide_typing() -> Option<rustix::termios::Termios> {
    let stdin = std::io::stdin();
    let before = rustix::termios::tcgetattr(&stdin).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(rustix::termios::LocalModes::ECHO);
    rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &quiet).ok()?;
    Some(before)
}
