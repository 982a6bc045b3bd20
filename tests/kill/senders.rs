//! Those who send mail, and the ledger of what was acknowledged to them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tympan_tests::{CEILING, TestMail, samples};

pub(super) const ADDRESSES: [&str; 3] = ["anna@sender.example", "ben@sender.example", "chika@sender.example"];
const OFFICE: &str = "office@print.example";

/// Every mail of so many is not sent again when the reply to it is lost.
const ONCE_OF: u32 = 4;

/// Every mail of so many holds a PDF; the others are plain text.
const PDF_OF: u32 = 3;

/// Before the next look for work, or for a server that is away.
const BREATH: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(super) struct Ledger {
    /// Each mail by its subject, with the short id that was acknowledged.
    pub(super) sent: BTreeMap<String, Option<String>>,
    /// How often a mail was sent again because the reply to it was lost.
    pub(super) repeated: u32,
    /// Replies other than 250 to a mail; none is expected.
    pub(super) refused: Vec<String>,
}

#[derive(Default)]
struct Work {
    allowed: AtomicU32,
    taken: AtomicU32,
    stop: AtomicBool,
    ledger: Mutex<Ledger>,
}

pub(super) struct Senders {
    work: Arc<Work>,
    threads: Vec<JoinHandle<()>>,
}

impl Senders {
    pub(super) fn start(server: SocketAddr) -> Self {
        let work = Arc::new(Work::default());
        let threads = ADDRESSES.map(|from| {
            let work = Arc::clone(&work);
            std::thread::spawn(move || work.run(server, from))
        });
        Self { work, threads: threads.into() }
    }

    /// Lets them send so many mails more.
    pub(super) fn allow(&self, more: u32) {
        self.work.allowed.fetch_add(more, Ordering::Relaxed);
    }

    /// Waits until every mail is sent; the server must run.
    pub(super) fn finish(self) -> Ledger {
        self.work.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a sender");
        }
        std::mem::take(&mut *self.work.ledger.lock().expect("the ledger"))
    }
}

impl Work {
    fn next(&self) -> Option<u32> {
        let allowed = self.allowed.load(Ordering::Relaxed);
        let take = |taken| (taken < allowed).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()
    }

    fn run(&self, server: SocketAddr, from: &str) {
        loop {
            let Some(number) = self.next() else {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(BREATH);
                continue;
            };
            let subject = format!("kill {number:05}");
            let mail = mail(from, &subject, number);
            let mut acknowledged = None;
            let (mut repeated, mut refused) = (0, None);
            loop {
                match send(server, from, &mail) {
                    Sent::NotWhole => std::thread::sleep(BREATH),
                    Sent::Unanswered if number % ONCE_OF == 0 => break,
                    Sent::Unanswered => repeated += 1,
                    Sent::Taken(short) => {
                        acknowledged = Some(short);
                        break;
                    }
                    Sent::Refused(reply) => {
                        refused = Some(reply);
                        break;
                    }
                }
            }
            let mut ledger = self.ledger.lock().expect("the ledger");
            ledger.sent.insert(subject, acknowledged);
            ledger.repeated += repeated;
            ledger.refused.extend(refused);
        }
    }
}

fn mail(from: &str, subject: &str, number: u32) -> Vec<u8> {
    let mail = TestMail::new(from, OFFICE).subject(subject).text(&format!("This is mail {number}.\r\n"));
    if number.is_multiple_of(PDF_OF) {
        mail.attach(&format!("{subject}.pdf"), "application/pdf", samples::pdf(1))
    } else {
        mail
    }
    .build()
}

enum Sent {
    /// The conversation broke before the final dot: it cannot have been taken.
    NotWhole,
    /// It broke after the final dot: it may have been taken.
    Unanswered,
    Taken(String),
    Refused(String),
}

fn send(server: SocketAddr, from: &str, mail: &[u8]) -> Sent {
    let Ok(stream) = TcpStream::connect(server) else {
        return Sent::NotWhole;
    };
    let Some(mut talk) = Talk::new(stream) else {
        return Sent::NotWhole;
    };
    for (line, expected) in [
        (String::new(), '2'),
        ("EHLO client.example\r\n".to_owned(), '2'),
        (format!("MAIL FROM:<{from}>\r\n"), '2'),
        (format!("RCPT TO:<{OFFICE}>\r\n"), '2'),
        ("DATA\r\n".to_owned(), '3'),
    ] {
        match talk.say(line.as_bytes()) {
            None => return Sent::NotWhole,
            Some(reply) if reply.starts_with(expected) => {}
            // It may say that it ends (421) when it is told to.
            Some(reply) => return Sent::Refused(reply),
        }
    }
    // No line of these mails begins with a dot.
    let end: &[u8] = if mail.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" };
    if talk.writer.write_all(mail).is_err() {
        return Sent::NotWhole;
    }
    match talk.say(end) {
        None => Sent::Unanswered,
        Some(reply) => match reply.strip_prefix("250 2.0.0 ").and_then(|rest| rest.split(' ').next()) {
            Some(short) => Sent::Taken(short.to_owned()),
            None => Sent::Refused(reply),
        },
    }
}

struct Talk {
    writer: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Talk {
    fn new(stream: TcpStream) -> Option<Self> {
        stream.set_read_timeout(Some(CEILING)).ok()?;
        Some(Self { writer: stream.try_clone().ok()?, reader: BufReader::new(stream) })
    }

    /// The last line of the reply; nothing when the connection ended before it was whole.
    fn say(&mut self, octets: &[u8]) -> Option<String> {
        self.writer.write_all(octets).ok()?;
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).ok()?;
            if !line.ends_with('\n') {
                return None;
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Some(line.trim_end().to_owned());
            }
        }
    }
}
