//! Conversations with a server session: lines from the client, patterns for the server's lines.
//!
//! `C` sends a line with CRLF; `G` sends several lines in one piece; `B` sends octets as they are; `S` expects one
//! line of reply (`*` stands for anything); `E` expects an event by the start of its debug form; `N` expects that no
//! output is left.

#![allow(dead_code, unreachable_pub)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tympan_smtp::Reply;
use tympan_smtp::server::{CloseReason, Config, Event, Peer, Session};

/// A caller that answers at once and keeps what it is given.
pub struct Shell {
    pub session: Session,
    pub now: Duration,
    /// How many octets the session gets at a time.
    pub piece: usize,
    pub events: Vec<String>,
    pub seen: VecDeque<String>,
    pub messages: Vec<Vec<u8>>,
    pub envelopes: Vec<String>,
    pub closed: Option<CloseReason>,
    pub output: String,
    body: Vec<u8>,
    unread: VecDeque<String>,
    /// Replies to be given instead of the usual ones, by question.
    pub mail_reply: Option<Reply>,
    pub body_start: Option<Reply>,
    pub body_end: Option<Reply>,
    /// Refuse a body once it has so many octets.
    pub refuse_body_at: Option<usize>,
    pub outputs_polled: bool,
}

impl Shell {
    pub fn new() -> Self {
        Self::with(Config::default(), Peer::default())
    }

    pub fn with(config: Config, peer: Peer) -> Self {
        let mut shell = Self::unpolled(config, peer);
        shell.flush();
        shell
    }

    pub fn unpolled(mut config: Config, peer: Peer) -> Self {
        config.hostname = "print.example".into();
        Self {
            session: Session::new(Arc::new(config), peer, Duration::ZERO),
            now: Duration::ZERO,
            piece: usize::MAX,
            events: Vec::new(),
            seen: VecDeque::new(),
            messages: Vec::new(),
            envelopes: Vec::new(),
            closed: None,
            output: String::new(),
            body: Vec::new(),
            unread: VecDeque::new(),
            mail_reply: None,
            body_start: None,
            body_end: None,
            refuse_body_at: None,
            outputs_polled: true,
        }
    }

    pub fn flush(&mut self) {
        while let Some(output) = self.session.poll_output() {
            let text = String::from_utf8(output).expect("replies are ASCII");
            assert!(text.ends_with("\r\n"), "{text:?}");
            for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
                assert!(line.len() <= 510, "{line}");
                self.unread.push_back(line.to_owned());
            }
            self.output.push_str(&text);
        }
    }

    /// Hands octets to the session as a socket would, `piece` octets at a time.
    pub fn send(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.piece.min(octets.len()).max(1)) {
            let mut rest = piece;
            loop {
                let handled = self.session.handle_input(rest, self.now);
                let (consumed, body) = (handled.consumed, handled.body.to_vec());
                assert!(consumed > 0 || body.is_empty());
                self.body.extend_from_slice(&body);
                if self.refuse_body_at.is_some_and(|at| self.body.len() >= at) && self.closed.is_none() {
                    self.refuse_body_at = None;
                    self.session.refuse_body(Reply::new(452, (4, 3, 1), "Disk full.")).unwrap();
                }
                rest = &rest[consumed..];
                let moved = self.answer() || consumed > 0;
                if self.session.is_closed() && rest.is_empty() {
                    break;
                }
                if !moved {
                    // Unread replies may be what holds it up.
                    let before = self.output.len();
                    self.flush();
                    if self.output.len() > before && !rest.is_empty() {
                        continue;
                    }
                    assert!(rest.is_empty(), "stuck before {} octets", rest.len());
                    break;
                }
            }
        }
        self.flush();
    }

    fn answer(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.session.poll_event() {
            any = true;
            let text = format!("{event:?}");
            self.events.push(text.clone());
            self.seen.push_back(text);
            let now = self.now;
            match event {
                Event::Greeted(_) => {}
                Event::Reset => self.body.clear(),
                Event::BodyAborted(_) => self.body.clear(),
                Event::StartTls => {
                    self.flush();
                    self.session.tls_started(now).unwrap();
                }
                Event::AuthAttempt(who) => {
                    let reply = if who.identity == "anna" && who.password == "secret" {
                        Reply::new(235, (2, 7, 0), "Welcome.")
                    } else {
                        Reply::new(535, (5, 7, 8), "Wrong user name or password.")
                    };
                    self.session.answer_auth(reply, now).unwrap();
                }
                Event::MailFrom(_) => {
                    let reply = self.mail_reply.clone().unwrap_or(Reply::new(250, (2, 1, 0), "Sender OK."));
                    self.session.answer_mail(reply, now).unwrap();
                }
                Event::RcptTo(rcpt) => {
                    let local =
                        rcpt.recipient.address().map_or("postmaster", |address| address.local_part()).to_owned();
                    let reply = match local.as_str() {
                        "unknown" => Reply::new(550, (5, 1, 1), "No such printer."),
                        "full" => Reply::new(452, (4, 2, 2), "Queue full."),
                        _ => Reply::new(250, (2, 1, 5), "Recipient OK."),
                    };
                    self.session.answer_rcpt(reply, now).unwrap();
                }
                Event::BodyStarted(_) => {
                    self.body.clear();
                    let answer = self.body_start.clone().map_or(Ok(()), Err);
                    self.session.answer_body_start(answer, now).unwrap();
                }
                Event::BodyEnd(end) => {
                    assert_eq!(end.octets, self.body.len() as u64);
                    let reply = self.body_end.clone().unwrap_or(Reply::new(250, (2, 0, 0), "Stored."));
                    let envelope = self.session.envelope().unwrap();
                    let to: Vec<String> = envelope.recipients.iter().map(ToString::to_string).collect();
                    self.envelopes.push(format!("<{}> {}", envelope.reverse_path, to.join(" ")));
                    self.session.answer_body_end(reply, now).unwrap();
                    self.messages.push(std::mem::take(&mut self.body));
                }
                Event::Close(reason) => self.closed = Some(reason),
            }
        }
        any
    }

    pub fn c(&mut self, line: &str) -> &mut Self {
        self.send(format!("{line}\r\n").as_bytes());
        self
    }

    pub fn s(&mut self, pattern: &str) -> &mut Self {
        let line = self.unread.pop_front().unwrap_or_else(|| panic!("no reply, expected {pattern}"));
        assert!(matches(pattern, &line), "got {line:?}, expected {pattern:?}");
        self
    }

    pub fn n(&mut self) -> &mut Self {
        assert_eq!(self.unread, VecDeque::<String>::new());
        self
    }

    pub fn e(&mut self, start: &str) -> &mut Self {
        let event = self.seen.pop_front().unwrap_or_else(|| panic!("no event, expected {start}"));
        assert!(event.starts_with(start), "got {event}, expected {start}");
        self
    }

    /// Drops replies that do not matter.
    pub fn skip(&mut self) -> &mut Self {
        self.unread.clear();
        self.seen.clear();
        self
    }

    /// Says EHLO.
    pub fn greeted(&mut self) -> &mut Self {
        self.c("EHLO client.example").skip()
    }

    /// Says EHLO, STARTTLS and EHLO again.
    pub fn secured(&mut self) -> &mut Self {
        self.greeted().c("STARTTLS").c("EHLO client.example").skip()
    }

    /// Says all before the message.
    pub fn envelope(&mut self) -> &mut Self {
        self.greeted().c("MAIL FROM:<anna@client.example>").c("RCPT TO:<office@print.example>").skip()
    }

    pub fn at(&mut self, millis: u64) -> &mut Self {
        self.now = Duration::from_millis(millis);
        self.session.handle_timeout(self.now);
        self.answer();
        self.flush();
        self
    }
}

/// Whether `line` is as `pattern` says, where `*` stands for any text.
pub fn matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == line,
        Some((head, rest)) => line
            .strip_prefix(head)
            .is_some_and(|tail| (0..=tail.len()).any(|at| tail.is_char_boundary(at) && matches(rest, &tail[at..]))),
    }
}

/// Plays a conversation.
#[macro_export]
macro_rules! smtp {
    ($shell:expr; $($tag:ident $text:expr)*) => {{
        let shell = &mut $shell;
        $( $crate::smtp!(@ shell $tag $text); )*
    }};
    (@ $shell:ident C $text:expr) => { $shell.c($text); };
    (@ $shell:ident S $text:expr) => { $shell.s($text); };
    (@ $shell:ident E $text:expr) => { $shell.e($text); };
    (@ $shell:ident B $text:expr) => { $shell.send($text); };
    (@ $shell:ident G $text:expr) => { $shell.send($text.join("\r\n").as_bytes()); };
}
