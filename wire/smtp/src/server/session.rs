//! The server session: octets in, events and replies out.
//!
//! This file frames lines and keeps the turn-taking; what the commands do is in `commands.rs`, the
//! message itself in `body.rs`, AUTH in `auth.rs`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::auth::AuthStage;
use super::body::{Chunk, Data};
use super::clock::{Clock, TimeoutReason, Waiting};
use super::command::CommandError;
use super::config::{Config, Peer};
use super::event::{CloseReason, Event, Greeting};
use super::texts;
use crate::{Envelope, Recipient, Reply, ReversePath};

/// No more input is taken while the peer leaves so many octets of replies unread.
const OUTPUT_OCTETS_HIGH: usize = 16 * 1024;
/// A command line that goes on for so long is none.
const ENDLESS_LINE_OCTETS: usize = 64 * 1024;

/// What [`Session::handle_input`] did.
#[derive(Debug, PartialEq, Eq)]
pub struct Handled<'i> {
    /// Octets of the input that are done with; hand in the others again.
    pub consumed: usize,
    /// The next octets of the message, dots removed; may be empty.
    pub body: &'i [u8],
}

/// An answer was given to a question that was not asked. A mistake of the caller; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session did not ask this question")]
pub struct NotAsked;

#[derive(Debug)]
pub(super) enum State {
    /// A command line is next.
    Command,
    /// A command line that is too long is being thrown away.
    LongLine {
        octets: usize,
        fatal: bool,
    },
    /// A line of an AUTH exchange is next.
    Auth(AuthStage),
    /// The caller owes an answer.
    Asking(Question),
    /// The caller does the TLS handshake.
    Handshake,
    /// A message by DATA.
    Data(Data),
    /// Octets announced by BDAT.
    Chunk(Chunk),
    Closed,
}

#[derive(Debug)]
pub(super) enum Question {
    Auth { identity: String },
    Mail(Box<Transaction>),
    Rcpt(Recipient),
    DataStart,
    ChunkStart(Chunk),
    BodyEnd,
}

/// From MAIL to the end of the message.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) envelope: Envelope,
    pub(super) size: Option<u64>,
    pub(super) smtputf8: bool,
    /// A BDAT command has come.
    pub(super) chunking: bool,
    /// The message is refused with this; the rest of it is thrown away.
    pub(super) refused: Option<Reply>,
    pub(super) received: super::body::Received,
}

/// A reply in the output that the peer must have seen before it may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barrier {
    Banner,
    After(&'static str),
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) errors: u32,
    pub(super) auth_failures: u32,
    pub(super) commands: u32,
    pub(super) messages: u32,
}

/// One connection of a peer, from our greeting to the end.
#[derive(Debug)]
pub struct Session {
    pub(super) config: Arc<Config>,
    pub(super) bare_lf_tolerated: bool,
    pub(super) tls: bool,
    pub(super) state: State,
    pub(super) greeting: Option<Greeting>,
    pub(super) greeted_once: bool,
    pub(super) identity: Option<String>,
    pub(super) transaction: Option<Box<Transaction>>,
    pub(super) counts: Counts,
    pub(super) clock: Clock,
    /// The beginning of a command line.
    line: Vec<u8>,
    output: Vec<u8>,
    barrier: Option<Barrier>,
    events: VecDeque<Event>,
    shutting_down: bool,
}

impl Session {
    /// Begins a session; its greeting is the first output.
    ///
    /// Who wants to catch peers that do not wait reads from the socket for a moment before it polls the output.
    pub fn new(config: Arc<Config>, peer: Peer, now: Duration) -> Self {
        let mut session = Self {
            bare_lf_tolerated: peer.bare_lf_tolerated,
            tls: peer.tls,
            state: State::Command,
            greeting: None,
            greeted_once: false,
            identity: None,
            transaction: None,
            counts: Counts::default(),
            clock: Clock::new(now),
            line: Vec::new(),
            output: Vec::new(),
            barrier: None,
            events: VecDeque::new(),
            shutting_down: false,
            config,
        };
        let banner = texts::banner(&session.config);
        session.say(&banner);
        session.barrier = Some(Barrier::Banner);
        session
    }

    /// Takes octets from the peer.
    ///
    /// Takes nothing while an event waits to be polled, an answer is owed, or the output is too full. Otherwise it
    /// stops early to hand out a part of a message, so call it again until it consumes nothing.
    pub fn handle_input<'i>(&mut self, input: &'i [u8], now: Duration) -> Handled<'i> {
        let mut consumed = 0;
        while consumed < input.len() && self.events.is_empty() && self.output.len() < OUTPUT_OCTETS_HIGH {
            let rest = &input[consumed..];
            if self.is_early() {
                continue;
            }
            consumed += match self.state {
                State::Closed | State::Handshake => rest.len(),
                State::Asking(_) => break,
                State::Command | State::Auth(_) => self.take_line(rest, now),
                State::LongLine { .. } => self.skip_long_line(rest, now),
                State::Data(_) => {
                    let (taken, body) = self.take_data(rest, now);
                    if !body.is_empty() {
                        return Handled { consumed: consumed + taken, body };
                    }
                    taken
                }
                State::Chunk(_) => {
                    let (taken, body) = self.take_chunk(rest, now);
                    if !body.is_empty() {
                        return Handled { consumed: consumed + taken, body };
                    }
                    taken
                }
            };
        }
        if matches!(self.state, State::Closed | State::Handshake) {
            // Octets behind STARTTLS came in the clear and must never run as commands (CVE-2011-0411).
            consumed = input.len();
        }
        Handled { consumed, body: &[] }
    }

    /// The peer closed its sending half or the connection broke.
    pub fn handle_end(&mut self) {
        self.end(CloseReason::PeerClosed);
    }

    /// Everything to be written to the peer now, or `None`.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        if self.output.is_empty() {
            return None;
        }
        self.barrier = None;
        Some(std::mem::take(&mut self.output))
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
        event
    }

    /// When [`Session::handle_timeout`] is to be called next, and what will be missing then.
    pub fn poll_timeout(&self) -> Option<(Duration, TimeoutReason)> {
        let waiting = match &self.state {
            State::Closed | State::Asking(_) => Waiting::Nothing,
            State::Handshake => Waiting::Handshake,
            State::Data(_) | State::Chunk(_) => Waiting::Body { octets: self.body_octets_seen() },
            State::Command | State::Auth(_) | State::LongLine { .. } => {
                if self.greeted_once {
                    Waiting::Command
                } else {
                    Waiting::Greeting
                }
            }
        };
        self.clock.next(waiting, &self.config.time_outs)
    }

    /// Ends the session if a time-out has come; otherwise does nothing.
    pub fn handle_timeout(&mut self, now: Duration) {
        if let Some((when, reason)) = self.poll_timeout()
            && when <= now
        {
            self.close_with(&texts::time_out(reason), CloseReason::TimeOut(reason));
        }
    }

    /// The caller takes no input for a while (a slow disk): the peer's time-outs stand still until
    /// [`Session::resume`].
    pub fn pause(&mut self, now: Duration) {
        self.clock.stop(now);
    }

    /// Ends a [`Session::pause`].
    pub fn resume(&mut self, now: Duration) {
        if !matches!(self.state, State::Asking(_)) {
            self.clock.go_on(now);
        }
    }

    /// Ends the session with 421 4.3.2 at the next point where nothing is lost: at once between commands, after its
    /// answer if a message is on its way.
    pub fn shut_down(&mut self) {
        self.shutting_down = true;
        if matches!(self.state, State::Command | State::LongLine { .. } | State::Auth(_)) {
            self.shut_down_now();
        }
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether the peer speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// How the peer introduced itself, if it did.
    pub fn greeting(&self) -> Option<&Greeting> {
        self.greeting.as_ref()
    }

    /// Who logged in by AUTH, if anybody did.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Sender and accepted recipients of the open transaction.
    pub fn envelope(&self) -> Option<&Envelope> {
        self.transaction.as_deref().map(|transaction| &transaction.envelope)
    }

    /// Octets that the session holds on the heap, roughly; for limits on memory.
    pub fn heap_octets(&self) -> usize {
        let recipients = self.envelope().map_or(0, |envelope| envelope.recipients.capacity() * size_of::<Recipient>());
        let transaction = if self.transaction.is_some() { size_of::<Transaction>() } else { 0 };
        self.line.capacity()
            + self.output.capacity()
            + self.events.capacity() * size_of::<Event>()
            + recipients
            + transaction
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        reply.encode(&mut self.output);
    }

    /// Says something after which the peer must wait.
    pub(super) fn say_and_wait(&mut self, reply: &Reply, command: &'static str) {
        self.say(reply);
        self.barrier = Some(Barrier::After(command));
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn ask(&mut self, question: Question, event: Event, now: Duration) {
        self.state = State::Asking(question);
        self.clock.stop(now);
        self.tell(event);
    }

    /// A command is next, unless the session is over.
    pub(super) fn await_command(&mut self, now: Duration) {
        if self.is_closed() {
            return;
        }
        self.state = State::Command;
        self.clock.turn(now);
        if self.shutting_down {
            self.shut_down_now();
        }
    }

    /// Refuses a command, and the session if that happens too often.
    pub(super) fn refuse(&mut self, reply: &Reply) {
        self.counts.errors += 1;
        if self.counts.errors > self.config.limits.errors_max {
            self.close_with(&texts::too_many_errors(), CloseReason::TooManyErrors);
        } else {
            self.say(reply);
        }
    }

    pub(super) fn close_with(&mut self, reply: &Reply, reason: CloseReason) {
        if !self.is_closed() {
            self.say(reply);
            self.end(reason);
        }
    }

    /// Octets came although the peer has to wait for a reply.
    pub(super) fn close_early_talker(&mut self, barrier: Barrier) {
        let reply = match barrier {
            // It takes the place of the greeting, which the peer did not wait for.
            Barrier::Banner => {
                self.output.clear();
                texts::early_talker()
            }
            Barrier::After(command) => texts::early_after(command),
        };
        self.close_with(&reply, CloseReason::EarlyTalker);
    }

    fn end(&mut self, reason: CloseReason) {
        if !self.is_closed() {
            self.state = State::Closed;
            self.transaction = None;
            self.line = Vec::new();
            // Nobody waits for an answer any more.
            self.events.retain(|event| !event.is_question());
            self.tell(Event::Close(reason));
        }
    }

    fn shut_down_now(&mut self) {
        self.close_with(&texts::shutting_down(), CloseReason::ShutDown);
    }

    fn is_early(&mut self) -> bool {
        let barrier = match (&self.state, self.barrier) {
            (State::Closed | State::Handshake, _) => return false,
            (State::Asking(Question::DataStart), _) => Barrier::After("DATA"),
            (State::Asking(Question::Auth { .. }), _) => Barrier::After("AUTH"),
            (_, Some(barrier)) => barrier,
            (_, None) => return false,
        };
        self.close_early_talker(barrier);
        true
    }

    fn line_octets_max(&self) -> usize {
        let limits = &self.config.limits;
        if self.greeting.as_ref().is_some_and(|greeting| greeting.extended) {
            limits.command_extended_octets_max
        } else {
            limits.command_octets_max
        }
    }

    /// Takes up to one whole line; returns how many octets it took.
    fn take_line(&mut self, input: &[u8], now: Duration) -> usize {
        let end = input.iter().position(|&octet| octet == b'\n');
        let taken = end.map_or(input.len(), |at| at + 1);
        let octets = self.line.len() + taken;
        if octets > self.line_octets_max() {
            // After a BDAT that cannot be read, octets of a message would be taken for commands.
            let head: Vec<u8> = self.line.iter().chain(input).take(4).copied().collect();
            let fatal = head.eq_ignore_ascii_case(b"BDAT");
            self.line = Vec::new();
            self.state = State::LongLine { octets: 0, fatal };
            return 0;
        }
        if end.is_none() {
            self.line.extend_from_slice(&input[..taken]);
        } else {
            let more = taken < input.len();
            if self.line.is_empty() {
                self.take_whole_line(&input[..taken], more, now);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&input[..taken]);
                self.take_whole_line(&line, more, now);
            }
        }
        taken
    }

    fn take_whole_line(&mut self, line: &[u8], more: bool, now: Duration) {
        let text = match line {
            [text @ .., b'\r', b'\n'] => Some(text),
            [text @ .., b'\n'] if self.bare_lf_tolerated => Some(text),
            _ => None,
        };
        match text.filter(|text| !text.iter().any(|octet| matches!(octet, b'\r' | 0))) {
            None => self.close_with(&texts::bare_line_break(), CloseReason::BareLineBreak),
            Some(text) => match std::mem::replace(&mut self.state, State::Command) {
                State::Auth(stage) => self.run_auth_line(stage, text, more, now),
                _ => self.run_command(text, more, now),
            },
        }
    }

    fn skip_long_line(&mut self, input: &[u8], now: Duration) -> usize {
        let State::LongLine { octets, fatal } = &mut self.state else {
            return 0;
        };
        let end = input.iter().position(|&octet| octet == b'\n');
        let taken = end.map_or(input.len(), |at| at + 1);
        *octets += taken;
        if *fatal {
            self.close_with(&texts::command_error(&CommandError::Bdat), CloseReason::LostFraming);
        } else if *octets > ENDLESS_LINE_OCTETS {
            self.close_with(&texts::endless_line(), CloseReason::EndlessLine);
        } else if end.is_some() {
            let reply = texts::command_too_long(self.line_octets_max());
            self.refuse(&reply);
            self.await_command(now);
        }
        taken
    }
}

impl Transaction {
    pub(super) fn new(reverse_path: ReversePath, size: Option<u64>, smtputf8: bool) -> Self {
        Self {
            envelope: Envelope { reverse_path, recipients: Vec::new() },
            size,
            smtputf8,
            chunking: false,
            refused: None,
            received: super::body::Received::default(),
        }
    }
}
