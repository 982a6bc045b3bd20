//! What the worker makes of some files: facts, notices, times and memory, a line each.
//!
//! `cargo run -p tympan-render --example look_at_pages -- [--dpi 300] [--colour] [--png FOLDER] FILE...`; a mail is a file ending in `.eml`.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tympan_render::{
    Colour, Inspect, Output, PageSetup, Preview, Raster, RenderError, Renderer, Request, Scaling, SplitMail,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut dpi, mut colour, mut pictures, mut files) = (300, Colour::Sgray8, None, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--dpi" => dpi = args.next().ok_or("--dpi needs a number")?.parse()?,
            "--colour" => colour = Colour::Srgb8,
            "--png" => pictures = Some(PathBuf::from(args.next().ok_or("--png needs a folder")?)),
            _ => files.push(PathBuf::from(arg)),
        }
    }
    let worker = std::env::current_exe()?.with_file_name("../tympan-render-worker");
    let renderer = Renderer::new(worker, [""; 0]);
    for file in files {
        let told = if file.extension().is_some_and(|e| e == "eml") {
            look(&renderer, SplitMail::default(), &file).await
        } else {
            let setup = PageSetup::A4;
            let inspect = Inspect { format: None, charset: None, setup, colour: true };
            let raster = Raster {
                format: None,
                charset: None,
                first_page: 1,
                last_page: None,
                setup,
                resolution: (dpi, dpi),
                size: None,
                colour,
                scaling: Scaling::Auto,
                orientation: None,
                several: None,
                back: None,
            };
            let inspected = look(&renderer, inspect, &file).await;
            match inspected {
                Ok(inspected) => {
                    look(&renderer, raster, &file).await.map(|rastered| format!("{inspected}; raster {rastered}"))
                }
                refused => refused,
            }
        };
        println!(
            "{}: {}",
            file.display(),
            told.unwrap_or_else(|error| format!("{error} {:?}", error.refusal().map(|r| r.kind)))
        );
        if let Some(folder) = &pictures {
            let preview = Preview { format: None, charset: None, setup: PageSetup::A4, page: 1, side: 1200 };
            if let Ok(png) = renderer.preview(preview, File::open(&file)?).await {
                let name = format!("{}.png", file.file_stem().unwrap_or_default().to_string_lossy());
                fs::write(folder.join(name), png)?;
            }
        }
    }
    Ok(())
}

async fn look(renderer: &Renderer, request: impl Into<Request>, file: &Path) -> Result<String, RenderError> {
    let began = Instant::now();
    let mut run = renderer.run(request, File::open(file).map_err(RenderError::Talk)?).await?;
    let (mut told, mut octets, mut memory) = (Vec::new(), 0, String::new());
    while let Some(output) = run.next().await? {
        match &output {
            Output::Document(facts) => {
                told.push(format!("{} pages, colour {:?}", facts.pages.len(), facts.has_colour()))
            }
            Output::Mail(facts) => told.push(format!("{:?} automatic {}", facts.subject, facts.is_automatic())),
            Output::PartStart(part) => {
                told.push(format!("[{:?} {:?} {:?} {}]", part.role, part.name, part.format, part.octets))
            }
            Output::Notice(notice) => told.push(format!("{notice:?}")),
            Output::Band { data, .. } | Output::Data(data) => octets += data.len(),
            _ => {}
        }
        if let Some(status) = run.worker_pid().and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok()) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            memory = peak.map_or(memory, |peak| peak.trim().to_owned());
        }
    }
    Ok(format!("{} {octets} octets, {:.3} s, {memory}", told.join(", "), began.elapsed().as_secs_f64()))
}
