//! `tympan serve`: the real thing.

use crate::cli::Serve;
use crate::config::Config;
use crate::node::Node;
use anyhow::{Context, Result};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Reads the configuration and runs the server until it is asked to stop.
pub(crate) async fn run(args: Serve) -> Result<()> {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    if args.check {
        config.check_files()?;
        println!("The configuration is good.");
        return Ok(());
    }
    log();
    let beyond = config.url.is_none() && config.http.listen.iter().any(|addr| !addr.ip().is_loopback());
    let node = Node::start(config, crate::printer::renderer()?).await?;
    for addr in &node.smtp {
        println!("mail:    {addr}");
    }
    println!("console: {}/", node.url);
    if beyond {
        println!(
            "hint:    links in mails begin with that; set `url` in the configuration if people reach it elsewhere"
        );
    }
    if let Some(url) = &node.set_up_url {
        println!("set-up:  {url}");
    }
    println!("certificate SHA-256: {}", node.fingerprint);
    println!("ready");
    node.run_until(stop_asked()).await
}

/// Waits for Ctrl-C or a polite kill.
pub(crate) async fn stop_asked() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for signals")?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("could not listen for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Logs to standard error; `TYMPAN_LOG` chooses what (`info`, `tympan_deliver=debug`), JSON where it is no terminal.
pub(crate) fn log() {
    let filter = EnvFilter::try_from_env("TYMPAN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        let _ = builder.with_target(false).try_init();
    } else {
        let _ = builder.json().try_init();
    }
}
