//! A mail server that keeps what it is given, and can be told what to answer: a sender's mailbox, a smarthost.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::wait::CEILING;

/// How long a client may be silent.
const CLIENT_TIME_OUT: Duration = Duration::from_secs(30);

/// A mail that the sink took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaughtMail {
    /// MAIL FROM, without angle brackets; empty for `<>`.
    pub reverse_path: String,
    /// RCPT TO, each without angle brackets.
    pub recipients: Vec<String>,
    /// What came after DATA, dots undone, lines with CRLF.
    pub octets: Vec<u8>,
}

impl CaughtMail {
    /// The mail as text, for a look at its words.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }
}

/// Where a sink can be told to answer otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The greeting.
    Connect,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// The end of the mail's data.
    Data,
}

/// The server; dropping it ends it.
#[derive(Debug)]
pub struct MailSink {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    kept: Mutex<Kept>,
    changed: Condvar,
    ended: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<CaughtMail>,
    answers: VecDeque<(Stage, String)>,
    connections: usize,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next answer that was ordered for this stage, else the usual one.
    fn answer(&self, stage: Stage, usual: &str) -> String {
        let answers = &mut self.lock().answers;
        let ordered = answers.iter().position(|(at, _)| *at == stage).and_then(|place| answers.remove(place));
        ordered.map_or_else(|| usual.to_owned(), |(_, answer)| answer)
    }
}

impl MailSink {
    /// Starts a sink on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port for the mail sink");
        let address = listener.local_addr().expect("the port just bound");
        let state = Arc::new(State::default());
        let thread = std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming() {
                    if state.ended.load(Ordering::SeqCst) {
                        return;
                    }
                    if let Ok(stream) = stream {
                        state.lock().connections += 1;
                        let state = Arc::clone(&state);
                        std::thread::spawn(move || converse(&stream, &state));
                    }
                }
            }
        });
        Self { address, state, thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers so the next time it comes to `stage`: `(Stage::Rcpt, "450 4.2.0 later")`. Several are used in order.
    pub fn answer_next(&self, stage: Stage, answer: &str) -> &Self {
        self.state.lock().answers.push_back((stage, answer.to_owned()));
        self
    }

    /// The mails it took so far.
    #[must_use]
    pub fn mails(&self) -> Vec<CaughtMail> {
        self.state.lock().mails.clone()
    }

    /// How many connections it has seen.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.lock().connections
    }

    /// Waits until it has at least `count` mails and returns them.
    ///
    /// # Panics
    /// When [`CEILING`] passes before.
    #[must_use]
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<CaughtMail> {
        let deadline = Instant::now() + CEILING;
        let mut kept = self.state.lock();
        while kept.mails.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {count} mails came", kept.mails.len());
            kept = self.state.changed.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        kept.mails.clone()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn converse(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(CLIENT_TIME_OUT))?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    let mut say = |answer: &str| writer.write_all(format!("{answer}\r\n").as_bytes());
    say(&state.answer(Stage::Connect, "220 sink.example ESMTP"))?;
    let mut mail = CaughtMail { reverse_path: String::new(), recipients: Vec::new(), octets: Vec::new() };
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let upper = line.to_ascii_uppercase();
        match upper.get(..4).unwrap_or_default() {
            "EHLO" => say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE")?,
            "HELO" | "NOOP" => say("250 2.0.0 ok")?,
            "MAIL" => {
                mail = CaughtMail { reverse_path: path(&line), recipients: Vec::new(), octets: Vec::new() };
                say(&state.answer(Stage::Mail, "250 2.1.0 ok"))?;
            }
            "RCPT" => {
                let answer = state.answer(Stage::Rcpt, "250 2.1.5 ok");
                if answer.starts_with('2') {
                    mail.recipients.push(path(&line));
                }
                say(&answer)?;
            }
            "DATA" if mail.recipients.is_empty() => say("554 5.5.1 no valid recipients")?,
            "DATA" => {
                say("354 go on")?;
                mail.octets = read_data(&mut reader)?;
                let answer = state.answer(Stage::Data, "250 2.0.0 kept");
                if answer.starts_with('2') {
                    state.lock().mails.push(mail.clone());
                    state.changed.notify_all();
                }
                mail.recipients.clear();
                say(&answer)?;
            }
            "RSET" => {
                mail.recipients.clear();
                say("250 2.0.0 ok")?;
            }
            "QUIT" => return say("221 2.0.0 bye"),
            _ => say("502 5.5.1 not here")?,
        }
    }
}

fn read_data(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(octets);
        }
        octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn path(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path).to_owned()
}
