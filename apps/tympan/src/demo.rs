//! `tympan demo`: a server and a virtual printer in one process, and a welcome mail that becomes a page.

use crate::cli::Demo;
use crate::config::Config;
use crate::node::{Node, reachable};
use anyhow::{Context, Result, bail};
use std::fs::DirBuilder;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tympan_device::{DeviceEvent, DeviceOptions, ReportOptions, VirtualPrinter};

/// The sender of the welcome mail; registered at the printer.
const SENDER: &str = "demo@localhost";
/// The printer's address.
const ADDRESS: &str = "office@localhost";
/// How long the welcome page may take.
const WELCOME_MAX: Duration = Duration::from_secs(60);

/// A folder that goes with the demo, unless the person named it.
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn new(named: Option<PathBuf>) -> Result<Self> {
        let made = |path: &Path| format!("could not make {}", path.display());
        let Some(path) = named else {
            // Nobody else can guess it, or have put it there.
            let path = std::env::temp_dir().join(format!("tympan-demo-{:032x}", u128::from_be_bytes(random())));
            DirBuilder::new().mode(0o700).create(&path).with_context(|| made(&path))?;
            return Ok(Self { path: path.canonicalize()?, temporary: true });
        };
        std::fs::create_dir_all(&path).with_context(|| made(&path))?;
        Ok(Self { path: path.canonicalize()?, temporary: false })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs the demo until it is asked to stop.
pub(crate) async fn run(args: Demo) -> Result<()> {
    if std::env::var_os("TYMPAN_LOG").is_some() {
        crate::serve::log();
    }
    let started = Instant::now();
    let folder = Folder::new(args.folder)?;
    let http = choose(args.http, 8631)?;
    let smtp = choose(args.smtp, 2525)?;
    let token = format!("demo-{:032x}", u128::from_be_bytes(random()));
    let renderer = crate::printer::renderer()?;

    let pages = folder.path.join("pages");
    let mut options = DeviceOptions::new(&pages).with_renderer(renderer.clone());
    options.name = "Virtual Printer".into();
    options.report = Some(ReportOptions {
        printer_uri: format!("ipp://{http}/ipp/print/office"),
        output_device_uuid: format!("urn:uuid:{}", tympan_engine::PrinterUuid(random())),
        token: token.clone(),
    });
    let printer = VirtualPrinter::start(options).await.context("could not start the virtual printer")?;
    let mut events = printer.events();

    let config = Config::parse(&configuration(&folder.path, http, smtp, &printer.ipp_uri(), &token))?;
    let node = Node::start(config, renderer).await?;
    let url = node.url.clone();
    let first = node.set_up_url.clone().unwrap_or_else(|| format!("{url}/"));
    let set_up = match &node.set_up_code {
        Some(code) => format!("one-time set-up code {code}: open {first}"),
        None => "sign in with your account".into(),
    };
    let smtp = node.smtp.first().copied().map_or(smtp, reachable);

    println!("Tympan demo: a server and a virtual printer, in one process.\n");
    println!("  console: {url}/  ({set_up})");
    println!("  mail:    {smtp}, the printer is {ADDRESS}");
    println!("  ipp:     ipp://{http}/ipp/print/office, for print dialogues and programs");
    println!("  faults:  {} (take its paper, empty its cyan, switch it off)", printer.page_url());
    println!("  pages:   {}", pages.display());
    println!("\nTo print a file of your own, copy one of these lines:\n");
    let program = std::env::current_exe().map_or_else(|_| "tympan".into(), |path| path.display().to_string());
    println!("  {program} print FILE --to {ADDRESS} --from {SENDER} --server {smtp}");
    println!("  {program} print FILE --to ipp://{http}/ipp/print/office");
    println!("  curl -T FILE http://{http}/print/office\n");
    if args.open {
        open(&first);
    }

    let serve = async move {
        let welcome = crate::hands::welcome_mail(&node, SENDER, ADDRESS)?;
        let printed = async {
            crate::print::send_welcome(smtp, SENDER, ADDRESS, welcome)
                .await
                .context("the welcome mail was not taken")?;
            println!("Sent a welcome mail with a PDF to {ADDRESS}.");
            match tokio::time::timeout(WELCOME_MAX, first_page(&mut events)).await {
                Ok(Some(file)) => Ok(pages.join(file)),
                Ok(None) | Err(_) => {
                    let secs = WELCOME_MAX.as_secs();
                    bail!("the welcome page did not come out in {secs} s; TYMPAN_LOG=debug shows more")
                }
            }
        };
        tokio::select! {
            file = printed => {
                let secs = started.elapsed().as_secs_f64();
                println!("It is printed: {} ({secs:.1} s after the start).", file?.display());
            }
            stop = crate::serve::stop_asked() => return node.run_until(std::future::ready(stop)).await,
        }
        if args.once {
            return node.run_until(std::future::ready(Ok(()))).await;
        }
        println!("\nCtrl-C ends the demo.");
        let show = async {
            loop {
                match events.recv().await {
                    Ok(DeviceEvent::Page(page)) => {
                        println!("page: {}", pages.join(&page.file).display())
                    }
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending::<()>().await,
                }
            }
        };
        tokio::select! {
            result = node.run_until(crate::serve::stop_asked()) => result,
            () = show => Ok(()),
        }
    };
    let result = serve.await;
    printer.shutdown().await;
    println!("\nThe demo has ended{}.", if folder.temporary { "; its folder is removed" } else { "" });
    result
}

async fn first_page(events: &mut tokio::sync::broadcast::Receiver<DeviceEvent>) -> Option<String> {
    loop {
        match events.recv().await {
            Ok(DeviceEvent::Page(page)) => return Some(page.file.clone()),
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
        }
    }
}

fn configuration(folder: &Path, http: SocketAddr, smtp: SocketAddr, device: &str, token: &str) -> String {
    let data = serde_json::Value::from(folder.join("data").display().to_string());
    format!(
        "data = {data}
domain = \"localhost\"
[smtp]
listen = [\"{smtp}\"]
[http]
listen = [\"{http}\"]
[trust]
networks = [\"127.0.0.0/8\", \"::1/128\"]
[dns]
enabled = false
[queue]
follow-every = \"50 ms\"
reserve = 0
[[printer]]
name = \"office\"
info = \"Office\"
device = \"{device}\"
access = \"open\"
report-token = \"{token}\"
[[registration]]
printer = \"office\"
sender = \"{SENDER}\"
"
    )
}

/// The address that was asked for, else the usual port if it is free, else any.
fn choose(asked: Option<SocketAddr>, port: u16) -> Result<SocketAddr> {
    if let Some(addr) = asked {
        return Ok(addr);
    }
    let free = TcpListener::bind(("127.0.0.1", port)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)));
    Ok(free.context("no port is free on 127.0.0.1")?.local_addr()?)
}

fn random() -> [u8; 16] {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).expect("the operating system gives random octets");
    octets
}

/// Opens a browser, if there is a program for that.
fn open(url: &str) {
    for program in ["xdg-open", "open"] {
        let quiet = std::process::Stdio::null;
        let started =
            std::process::Command::new(program).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
        if started.is_ok() {
            return;
        }
    }
    println!("No program was found that opens a browser; open {url} yourself.");
}
