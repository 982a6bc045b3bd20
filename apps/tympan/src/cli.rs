//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Internet printing that anyone can run.
#[derive(Debug, Parser)]
#[command(name = "tympan", version, about, long_about = None, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  tympan demo                                        a server and a virtual printer, to try it all
  tympan serve --config tympan.toml                  the real thing
  tympan printers add office ipp://192.0.2.20/ipp/print
  tympan print report.pdf --to office@print.example --server mail.example:25
  tympan why 7K3M22QD                                why a job waits, and what comes next";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a server and a virtual printer, print a welcome mail, and show where to look.
    Demo(Demo),
    /// Run the server.
    Serve(Serve),
    /// Run a virtual printer: IPP Everywhere and raw port 9100, with faults one can switch on.
    Printer(VirtualPrinter),
    /// Send a file to a printer's mail address.
    Print(Print),
    /// List jobs.
    Jobs(Jobs),
    /// List printers, or add, change and remove them.
    Printers(Printers),
    /// Say why a job is where it is, what comes next and what one can do.
    Why(Why),
    /// Do something with one job.
    Job(JobCommand),
    /// List registrations, or make, approve and end them.
    Registrations(Registrations),
    /// Look after the server.
    Admin(Admin),
    /// Report a printer's state to the server, for devices that cannot do it themselves.
    Report(Report),
    /// Render a document; started by the server for each document.
    #[command(hide = true)]
    Worker,
}

/// Which server a command talks to.
#[derive(Clone, Debug, Args)]
pub(crate) struct Server {
    /// Data folder of a server on this machine.
    #[arg(long, value_name = "FOLDER", env = "TYMPAN_DATA", default_value = "tympan-data", global = true)]
    pub(crate) data: PathBuf,
    /// Address of a server elsewhere, `https://print.example`; needs `--token`.
    #[arg(long, value_name = "URL", env = "TYMPAN_SERVER", global = true)]
    pub(crate) server: Option<String>,
    /// Token for that server (`tympan admin token` makes one).
    #[arg(long, value_name = "TOKEN", env = "TYMPAN_TOKEN", hide_env_values = true, global = true)]
    pub(crate) token: Option<String>,
    /// SHA-256 of the server's certificate, where it is self-signed.
    #[arg(long, value_name = "HEX", global = true)]
    pub(crate) fingerprint: Option<String>,
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan demo
  tympan demo --open
  tympan demo --folder /tmp/pages --http 127.0.0.1:8631 --smtp 127.0.0.1:2525

Ctrl-C ends it cleanly; the temporary folder goes with it unless --folder names one.")]
pub(crate) struct Demo {
    /// Open the console in a browser.
    #[arg(long)]
    pub(crate) open: bool,
    /// Folder for data and pages. Default: a temporary one, removed at the end.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Address of the console and IPP. Default: port 8631 if it is free, else any.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<SocketAddr>,
    /// Address of the mail door. Default: port 2525 if it is free, else any.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) smtp: Option<SocketAddr>,
    /// End after the welcome page is printed.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "An example of tympan.toml:

  data = \"/var/lib/tympan\"
  domain = \"print.example\"
  url = \"https://print.example\"

  [smtp]
  listen = [\"0.0.0.0:25\"]
  submission = [\"0.0.0.0:587\"]

  [intake.imap]
  host = \"imap.example.org\"
  user = \"print@example.org\"
  password-file = \"/etc/tympan/mailbox-password\"
  printer = \"office\"
  authserv-id = \"mx.example.org\"

  [http]
  listen = [\"0.0.0.0:8631\"]

  [trust]
  networks = [\"192.0.2.0/24\"]

  [mail.out]
  smarthost = \"mail.example.org:587\"
  user = \"tympan\"
  password-file = \"/etc/tympan/mail-password\"

  [[printer]]
  name = \"office\"
  device = \"ipp://192.0.2.20/ipp/print\"
  access = \"approve\"
  retention = \"3 days\"
  retry-interval = \"5 minutes\"

  [[registration]]
  printer = \"office\"
  sender = \"anna@example.org\"

An unknown key or a bad value is refused at start, with its line and what is allowed.")]
pub(crate) struct Serve {
    /// The configuration file. Without one: everything on this machine only, data in ./tympan-data.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check the file and end.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan printer
  tympan printer --folder pages --ipp 127.0.0.1:8632 --raw 127.0.0.1:9100
  tympan printer fault no-paper            tympan printer fault no-ink cyan
  tympan printer fault jam 3               tympan printer fault clear

Its faults, also as buttons on its page: off, on, no-paper [TRAY], no-ink COLOUR, jam PAGE, cover, slow MILLISECONDS,
busy, drop OCTET, forget, lie completed-unprinted|never-completed, answer half|endless|nonsense|never, clear.")]
pub(crate) struct VirtualPrinter {
    #[command(subcommand)]
    pub(crate) action: Option<PrinterAction>,
    /// Address of IPP.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8632")]
    pub(crate) ipp: SocketAddr,
    /// Address of the page with the fault buttons.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8633")]
    pub(crate) page: SocketAddr,
    /// Address of the raw port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9100")]
    pub(crate) raw: SocketAddr,
    /// Folder for the pages, as PNG and PDF.
    #[arg(long, value_name = "FOLDER", default_value = "tympan-pages")]
    pub(crate) folder: PathBuf,
    /// The printer's name.
    #[arg(long, default_value = "Virtual Printer")]
    pub(crate) name: String,
    /// Prints in black only.
    #[arg(long)]
    pub(crate) mono: bool,
    /// Pages a minute; 0: at once.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) speed: u32,
    /// Report the state to this printer of a server: `ipp://host:8631/ipp/print/office`.
    #[arg(long, value_name = "URI", requires = "report_token")]
    pub(crate) report: Option<String>,
    /// Token for reporting.
    #[arg(long, value_name = "TOKEN", env = "TYMPAN_REPORT_TOKEN", hide_env_values = true)]
    pub(crate) report_token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrinterAction {
    /// Switch a fault of a running virtual printer on, or all off.
    Fault {
        /// A fault as its page names it, such as `off`, `no-paper`, `no-ink cyan`, `jam 3`; or `clear`.
        #[arg(required = true)]
        fault: Vec<String>,
        /// The virtual printer's page.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8633")]
        at: String,
    },
    /// Show the state of a running virtual printer as JSON.
    State {
        /// The virtual printer's page.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8633")]
        at: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan print report.pdf --to office@print.example
  tympan print photo.jpg notes.txt --to office@print.example --options \"duplex 2 copies\"
  tympan print report.pdf --to office@localhost --server 127.0.0.1:2525 --from me@localhost
  tympan print ipp://print.example:8631/ipp/print/office report.pdf --options \"duplex\"
  tympan print report.pdf --to ipps://print.example/ipp/print/office --user anna --password-file secret")]
pub(crate) struct Print {
    /// Files to print (PDF, JPEG, PNG, text), and where: `ipp://…` or `ipps://…` is a printer.
    #[arg(required = true, value_name = "FILE|PRINTER")]
    pub(crate) files: Vec<PathBuf>,
    /// The printer's mail address, or `ipp://…`; may be given more than once.
    #[arg(long, value_name = "ADDRESS|URI")]
    pub(crate) to: Vec<String>,
    /// The sender's address. Default: user@host.
    #[arg(long, value_name = "ADDRESS", env = "TYMPAN_FROM")]
    pub(crate) from: Option<String>,
    /// The mail server to hand it to, `host:port`. Default: the printer's domain, port 25.
    #[arg(long, value_name = "HOST:PORT", env = "TYMPAN_SMTP")]
    pub(crate) server: Option<String>,
    /// Name to sign in with.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// TLS: `auto` if it is offered, `required`, `implicit`, or `none`.
    #[arg(long, value_enum, default_value_t = Tls::Auto)]
    pub(crate) tls: Tls,
    /// Take any certificate (a server with a self-signed one).
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Option words: `duplex mono 2 copies A5 pages 1-3`.
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub(crate) options: String,
    /// The job's name. Default: the first file's name.
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// No progress bar.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// TLS of `tympan print`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tls {
    /// If it is offered.
    Auto,
    /// STARTTLS or nothing.
    Required,
    /// From the first byte.
    Implicit,
    /// Never.
    None,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan jobs
  tympan jobs --printer office --all --json
  tympan jobs --server https://print.example --token …")]
pub(crate) struct Jobs {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Only at this printer.
    #[arg(long)]
    pub(crate) printer: Option<String>,
    /// Also those that have ended.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan printers
  tympan printers add office ipp://192.0.2.20/ipp/print
  tympan printers add lobby socket://192.0.2.21:9100 --access open
  tympan printers pause office                          jobs are taken and wait
  tympan printers pause office --refuse                 new jobs are refused
  tympan printers pause office --refuse-after \"1 hour\"   … if it stays off longer
  tympan printers token office        the token with which the device reports its state")]
pub(crate) struct Printers {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) action: Option<PrintersAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrintersAction {
    /// Add a printer: it is asked what it can do, and prints a test page.
    Add {
        /// The local part of its mail address.
        name: String,
        /// `ipp://…`, `ipps://…`, `socket://host:9100` or `folder:/path`.
        device: String,
        /// What people read.
        #[arg(long)]
        info: Option<String>,
        /// Who may register: `open`, `approve` or `invite`.
        #[arg(long, default_value = "approve")]
        access: String,
        /// No test page.
        #[arg(long)]
        no_test_page: bool,
    },
    /// Remove a printer at which nothing waits; its history stays.
    Remove {
        /// Its name.
        name: String,
    },
    /// Stop printing; jobs wait.
    Pause {
        /// Its name.
        name: String,
        /// Take no new jobs meanwhile.
        #[arg(long, conflicts_with = "refuse_after")]
        refuse: bool,
        /// Take new jobs for so long, and refuse them then.
        #[arg(long, value_name = "SPAN")]
        refuse_after: Option<String>,
    },
    /// Go on printing.
    Resume {
        /// Its name.
        name: String,
    },
    /// Ask it now and print what waits.
    Try {
        /// Its name.
        name: String,
    },
    /// Print a test page.
    Test {
        /// Its name.
        name: String,
    },
    /// Make the token with which the device reports its state.
    Token {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan why 7K3M22QD
  tympan why 7k3m-22qd --lang ja")]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) server: Server,
    /// The job: its short id, its UUID, or printer/number.
    pub(crate) job: String,
    /// Language: `en` or `ja`.
    #[arg(long)]
    pub(crate) lang: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan job cancel 7K3M22QD
  tympan job release 7K3M22QD
  tympan job reprint 7K3M22QD --at lobby
  tympan job decide 7K3M22QD print-from 7")]
pub(crate) struct JobCommand {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) action: JobAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobAction {
    /// Cancel it.
    Cancel {
        /// The job.
        job: String,
    },
    /// Hold it until it is released.
    Hold {
        /// The job.
        job: String,
    },
    /// Let a held job go.
    Release {
        /// The job.
        job: String,
    },
    /// Print it again, or elsewhere.
    Reprint {
        /// The job.
        job: String,
        /// At this printer.
        #[arg(long)]
        at: Option<String>,
    },
    /// Decide a doubt: `print-from PAGE`, `print-all`, `fine` or `throw-away`.
    Decide {
        /// The job.
        job: String,
        /// The decision.
        #[arg(required = true)]
        decision: Vec<String>,
    },
    /// Keep it longer or shorter: `3 days` from when it came.
    Keep {
        /// The job.
        job: String,
        /// The span.
        #[arg(required = true)]
        span: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan registrations office
  tympan registrations add office anna@example.org
  tympan registrations approve office anna@example.org")]
pub(crate) struct Registrations {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Those at this printer.
    pub(crate) printer: Option<String>,
    #[command(subcommand)]
    pub(crate) action: Option<RegistrationsAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegistrationsAction {
    /// Register a sender.
    Add {
        /// The printer.
        printer: String,
        /// The sender's address.
        sender: String,
    },
    /// Approve a request.
    Approve {
        /// The printer.
        printer: String,
        /// The sender's address.
        sender: String,
    },
    /// End a registration.
    Revoke {
        /// The printer.
        printer: String,
        /// The sender's address.
        sender: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan admin reset-password             asks for a new password of the first account
  tympan admin token                      a token for --server … --token …
  tympan admin token 30 days              one that ends by itself
  tympan admin token --for anna           a password for one program of Anna's: it may do what she may
  tympan admin tokens                     which there are
  tympan admin revoke 3f9c01aa            ends one of them")]
pub(crate) struct Admin {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) action: AdminAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminAction {
    /// Set a new password for an account; it is read from the terminal or the first line of standard input.
    ResetPassword {
        /// The account. Default: the first.
        #[arg(default_value = "")]
        account: String,
    },
    /// Make a token for this command line on another machine. It is shown once.
    Token {
        /// For how long it is good. Default: until it is revoked.
        #[arg(value_name = "SPAN", num_args = 0..)]
        good_for: Vec<String>,
        /// The account whose rights it has. It is typed in place of the account's password, in print dialogues too.
        #[arg(long = "for", value_name = "ACCOUNT")]
        account: Option<String>,
    },
    /// List tokens: what they are good for, never the tokens themselves.
    Tokens,
    /// End a token.
    Revoke {
        /// Its number, as `tympan admin tokens` shows it.
        token: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tympan report --to ipp://print.example:8631/ipp/print/office --report-token … --state idle
  tympan report --to … --report-token … --state stopped --reasons media-empty-error")]
pub(crate) struct Report {
    /// The printer at the server.
    #[arg(long, value_name = "URI")]
    pub(crate) to: String,
    /// Its report token.
    #[arg(long, value_name = "TOKEN", env = "TYMPAN_REPORT_TOKEN", hide_env_values = true)]
    pub(crate) report_token: String,
    /// "printer-state": `idle`, `processing` or `stopped`.
    #[arg(long, default_value = "idle")]
    pub(crate) state: String,
    /// "printer-state-reasons", separated by commas.
    #[arg(long, default_value = "none")]
    pub(crate) reasons: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_is_sound() {
        Cli::command().debug_assert();
    }
}
