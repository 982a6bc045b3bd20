//! `tympan printer`: a virtual printer, and its faults from the command line.

use crate::cli::{PrinterAction, VirtualPrinter as Args};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tympan_device::{DeviceEvent, DeviceOptions, ReportOptions, VirtualPrinter};
use tympan_http::{Client, ClientOptions, ClientRequest, Target};
use tympan_render::Renderer;

/// Runs it, or changes one that runs.
pub(crate) async fn run(args: Args) -> Result<()> {
    match &args.action {
        Some(PrinterAction::Fault { fault, at }) => {
            let state = send(at, Some(&change(fault)?)).await?;
            println!("{}", summary(&state));
            Ok(())
        }
        Some(PrinterAction::State { at }) => {
            println!("{}", serde_json::to_string_pretty(&send(at, None).await?)?);
            Ok(())
        }
        None => serve(args).await,
    }
}

async fn serve(args: Args) -> Result<()> {
    let mut options = DeviceOptions::new(&args.folder).with_renderer(renderer()?);
    options.name.clone_from(&args.name);
    options.ipp_addr = args.ipp;
    options.raw_addr = Some(args.raw);
    options.page_addr = args.page;
    options.pages_per_minute = args.speed;
    if args.mono {
        options = options.monochrome();
    }
    if let (Some(printer_uri), Some(token)) = (args.report, args.report_token) {
        let output_device_uuid = tympan_engine::PrinterUuid(random()).to_string();
        options.report =
            Some(ReportOptions { printer_uri, output_device_uuid: format!("urn:uuid:{output_device_uuid}"), token });
    }
    let printer = VirtualPrinter::start(options).await?;
    println!("ipp:    {}", printer.ipp_uri());
    if let Some(raw) = printer.raw_address() {
        println!("raw:    socket://{raw}");
    }
    println!("faults: {}", printer.page_url());
    println!("pages:  {}", printer.folder().display());
    println!("Ctrl-C switches it off.");
    let mut events = printer.events();
    loop {
        tokio::select! {
            result = crate::serve::stop_asked() => {
                result?;
                break;
            }
            event = events.recv() => match event {
                Ok(DeviceEvent::Page(page)) => println!("page {}", page.file),
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
            },
        }
    }
    printer.shutdown().await;
    Ok(())
}

fn random() -> [u8; 16] {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).expect("the operating system gives random octets");
    octets
}

/// The worker: this program again.
pub(crate) fn renderer() -> Result<Renderer> {
    Renderer::of_this_program().context("could not find this program's own file, to start it as a worker")
}

/// A fault in words as the JSON that the virtual printer takes.
fn change(words: &[String]) -> Result<Value> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().with_context(|| format!("`{text}` is no number"));
    Ok(match words.as_slice() {
        ["off"] => json!({ "power": "off" }),
        ["on"] => json!({ "power": "on" }),
        ["clear" | "mend"] => json!({ "mend": true }),
        ["no-paper"] => {
            json!({ "trays": { "tray-1": { "sheets": 0 }, "tray-2": { "sheets": 0 } } })
        }
        ["no-paper", tray] => json!({ "trays": { *tray: { "sheets": 0 } } }),
        ["no-ink"] => json!({ "markers": { "cyan": 0 } }),
        ["no-ink", color] => json!({ "markers": { *color: 0 } }),
        ["jam"] => json!({ "jammed": true }),
        ["jam", page] => json!({ "jam_at_page": number(page)? }),
        ["cover"] => json!({ "cover_open": true }),
        ["slow", millis] => json!({ "slow_page_millis": number(millis)? }),
        ["busy"] => json!({ "busy": true }),
        ["drop", octet] => json!({ "drop_line": { "at_octet": number(octet)?, "times": 1 } }),
        ["forget"] => json!({ "forget_after_print": true }),
        ["lie", lie] => json!({ "lie": lie }),
        ["answer", kind] => json!({ "answer": { "kind": kind } }),
        _ => bail!(
            "`{}` is no fault\n\nhint: One of: off, on, no-paper [TRAY], no-ink COLOUR, jam [PAGE], cover, slow MILLISECONDS, busy, drop OCTET, forget, lie completed-unprinted|never-completed, answer half|endless|nonsense|never, clear",
            words.join(" ")
        ),
    })
}

async fn send(at: &str, change: Option<&Value>) -> Result<Value> {
    let base = Target::parse(at).with_context(|| format!("`{at}` is no address of a virtual printer's page"))?;
    let request = match change {
        Some(change) => {
            ClientRequest::post(&base.with_path("/faults"), "application/json", serde_json::to_vec(change)?)
        }
        None => ClientRequest::get(&base.with_path("/state")),
    };
    let answer = Client::new(ClientOptions::default())
        .request(request)
        .await
        .with_context(|| format!("could not reach a virtual printer at {at}; is `tympan printer` running?"))?;
    let status = answer.status;
    let octets = answer.body.collect().await?;
    if !status.is_success() {
        bail!("{}", String::from_utf8_lossy(&octets).trim().to_owned());
    }
    Ok(serde_json::from_slice(&octets)?)
}

fn summary(state: &Value) -> String {
    let reasons: Vec<&str> = state["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let power = state["power"].as_str().unwrap_or("");
    format!("{power}, {}: {}", state["state"].as_str().unwrap_or(""), reasons.join(", "))
}
