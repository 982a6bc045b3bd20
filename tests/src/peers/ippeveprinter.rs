//! ippeveprinter (CUPS), a printer that we did not write.

use std::path::PathBuf;

use super::namespace::Namespace;
use super::need;
use crate::process::Process;
use crate::scratch::set_mode;
use crate::wait::wait_for;

/// The port on which it listens in its namespace: the one of IPP.
const PORT: u16 = 631;

/// How the printer is to be.
#[derive(Clone, Debug)]
pub struct IppEvePrinterOptions {
    /// Its name.
    pub name: String,
    /// The formats it takes.
    pub formats: Vec<String>,
    /// What it runs for each document, a shell script; `$1` is the file. The job is "processing" until it ends, and
    /// aborted when it fails. A line `STATE: +media-empty-error` on its standard error sets a reason of the printer,
    /// one with `-` takes it away (man ippeveprinter).
    pub script: String,
    /// Whether it prints on both sides.
    pub duplex: bool,
    /// Whether it has a photo tray and coloured inks.
    pub colour: bool,
}

impl Default for IppEvePrinterOptions {
    /// Takes PDF, JPEG, PWG Raster and Apple Raster; at once; duplex, in colour.
    fn default() -> Self {
        let formats = ["application/pdf", "image/jpeg", "image/pwg-raster", "image/urf"];
        Self {
            name: "Peer".to_owned(),
            formats: formats.map(str::to_owned).to_vec(),
            script: "exit 0".to_owned(),
            duplex: true,
            colour: true,
        }
    }
}

/// A running ippeveprinter in a network namespace of its own. It takes one job at a time.
#[derive(Debug)]
pub struct IppEvePrinter {
    // Ends before the namespace does.
    process: Option<Process>,
    namespace: Namespace,
    spool: PathBuf,
    options: IppEvePrinterOptions,
}

impl IppEvePrinter {
    /// Whether it can run here; if not, the calling test must return.
    #[must_use]
    #[track_caller]
    pub fn need() -> bool {
        need("ippeveprinter") && Namespace::need()
    }

    /// Starts one that takes every format it knows.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(IppEvePrinterOptions::default())
    }

    /// Starts one as told.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_with(options: IppEvePrinterOptions) -> Self {
        let namespace = Namespace::with_dns_sd();
        let spool = namespace.folder().join("spool");
        for folder in [&spool, &namespace.folder().join("output")] {
            std::fs::create_dir(folder).expect("a folder for its jobs");
        }
        let mut printer = Self { process: None, namespace, spool, options };
        printer.switch_on();
        printer
    }

    /// Starts it again after [`IppEvePrinter::switch_off`], at the same address. It remembers nothing.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn switch_on(&mut self) {
        let mut command = self.namespace.command("ippeveprinter");
        // Without a command it would pretend to print, for five seconds at least.
        let script = self.namespace.folder().join("script");
        std::fs::write(&script, format!("#!/bin/sh\n{}\n", self.options.script)).expect("its script");
        set_mode(&script, 0o755);
        command
            .args(["-v", "-k", "-p", &PORT.to_string(), "-c"])
            .arg(script)
            .args(["-s", if self.options.colour { "60,60" } else { "60" }])
            // What the script writes to its standard output goes there, and not among the documents.
            .arg("-D")
            .arg(format!("file://{}", self.namespace.folder().join("output").display()))
            .args(["-f", &self.options.formats.join(","), "-d"])
            .arg(&self.spool);
        if self.options.duplex {
            command.arg("-2");
        }
        let mut process = Process::start("ippeveprinter", command.arg(&self.options.name));
        let address = (self.namespace.address(), PORT);
        process.wait_until_ready("its port", || std::net::TcpStream::connect(address).is_ok());
        self.process = Some(process);
    }

    /// Ends it at once, as its switch would.
    pub fn switch_off(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill();
        }
        self.process = None;
    }

    /// Its address as IPP writes it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("ipp://{}:{PORT}/ipp/print", self.namespace.address())
    }

    /// The namespace it runs in; its network can be cut there.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The documents it has received whole or in part, in the order of their jobs: `1-invoice.pdf`.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn documents(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.spool)
            .expect("the folder of its jobs")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_file())
            .collect();
        files.sort_by_key(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let job: u32 = name.split('-').next().and_then(|job| job.parse().ok()).unwrap_or(u32::MAX);
            (job, name)
        });
        files
    }

    /// Waits until it says that it has completed so many jobs since it was switched on, and returns the documents.
    ///
    /// # Panics
    /// When [`CEILING`](crate::CEILING) passes before.
    #[track_caller]
    pub fn wait_for_completed(&self, jobs: usize) -> Vec<PathBuf> {
        wait_for(&format!("{jobs} completed jobs at ippeveprinter"), || {
            let completed = self.output().matches("completed successfully").count();
            (completed >= jobs).then(|| self.documents())
        })
    }

    /// What it said so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }
}
