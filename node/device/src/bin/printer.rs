//! The virtual printer as a program of its own, for trying clients on it:
//! `cargo run -p tympan-device -- FOLDER [IPP-PORT [RAW-PORT [PAGE-PORT]]]`.
//! Trays: A4, US Letter and 4x6 inch. Called with `worker` it is its own render worker.

use std::net::SocketAddr;
use std::process::ExitCode;

use tympan_device::model::{Media, Tray};
use tympan_device::{DeviceEvent, DeviceOptions, VirtualPrinter};
use tympan_render::Renderer;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "worker") {
        return tympan_render::worker::run_worker();
    }
    let Some(folder) = args.first() else {
        eprintln!("usage: printer FOLDER [IPP-PORT [RAW-PORT [PAGE-PORT]]]");
        return ExitCode::from(2);
    };
    let port = |index: usize| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(0);
    let addr = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let mut options = DeviceOptions::new(folder);
    options.ipp_addr = addr(port(1));
    options.raw_addr = Some(addr(port(2)));
    options.page_addr = addr(port(3));
    options.trays =
        [("tray-1", "iso_a4_210x297mm"), ("tray-2", "na_letter_8.5x11in"), ("by-pass-tray", "na_index-4x6_4x6in")]
            .into_iter()
            .filter_map(|(tray, media)| Some(Tray::full(tray, Media::from_name(media)?, 250)))
            .collect();
    options.renderer = Renderer::of_this_program().ok();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let printer = match VirtualPrinter::start(options).await {
            Ok(printer) => printer,
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        };
        println!("ipp    {}", printer.ipp_uri());
        if let Some(raw) = printer.raw_address() {
            println!("raw    {raw}");
        }
        println!("faults {}", printer.page_url());
        println!("pages  {}", printer.folder().display());
        let mut events = printer.events();
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => break,
                event = events.recv() => match event {
                    Ok(DeviceEvent::Page(page)) => println!("{}", page.file),
                    Ok(other) => println!("{other:?}"),
                    Err(_) => {}
                },
            }
        }
        printer.shutdown().await;
        ExitCode::SUCCESS
    })
}
