//! The client session: replies in, commands out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::config::{Config, TlsPolicy};
use super::outcome::{Cause, CloseReason, Event, Failure, Outcome, Stage};
use super::reply_reader::ReplyReader;
use super::server_info::ServerInfo;
use super::transaction::Transaction;
use crate::{Envelope, Recipient, Reply, ReversePath};

/// No more of the message is taken while so many octets wait to be written.
const OUTPUT_OCTETS_HIGH: usize = 64 * 1024;

/// A mail to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Sender and recipients.
    pub envelope: Envelope,
    /// Octets of the message, if known: announced to the server, and the whole of a progress bar.
    pub size: Option<u64>,
    /// The message holds octets above 127.
    pub eight_bit: bool,
}

/// How far the message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Octets of the message that were handed out to be written.
    pub octets: u64,
    /// Octets in all, if known.
    pub octets_total: Option<u64>,
}

/// The call does not fit what the session is doing. A mistake of the caller; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session is not ready for this")]
pub struct NotReady;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Banner,
    Ehlo,
    Helo,
    StartTls,
    Handshake,
    AuthPlain,
    AuthLogin { lines_sent: u8 },
    Idle,
    Rset,
    Envelope,
    DataStart,
    Body,
    BodyEnd,
    Quit,
    Closed,
}

/// One connection to a server.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    tls: bool,
    phase: Phase,
    server: ServerInfo,
    replies: ReplyReader,
    output: Vec<u8>,
    events: VecDeque<Event>,
    deadline: Option<Duration>,
    transaction: Option<Box<Transaction>>,
    /// The server still holds a transaction that failed.
    rset_first: bool,
}

impl Session {
    /// Begins a session on a new connection; `tls` if it is TLS already (port 465, RFC 8314).
    pub fn new(config: Arc<Config>, tls: bool, now: Duration) -> Self {
        let deadline = Some(now + config.time_outs.banner);
        Self {
            config,
            tls,
            phase: Phase::Banner,
            server: ServerInfo::default(),
            replies: ReplyReader::default(),
            output: Vec::new(),
            events: VecDeque::new(),
            deadline,
            transaction: None,
            rset_first: false,
        }
    }

    /// Takes octets from the server; it always takes all.
    pub fn handle_input(&mut self, input: &[u8], now: Duration) -> usize {
        let mut rest = input;
        while !rest.is_empty() && self.phase != Phase::Closed {
            if self.phase == Phase::Handshake {
                // They came in the clear, before the handshake: somebody put them there (CVE-2021-38371 and its kind).
                self.fail(Cause::Protocol("it spoke between STARTTLS and the handshake"));
                break;
            }
            match self.replies.read(rest) {
                Err(what) => self.fail(Cause::Protocol(what)),
                Ok((taken, reply)) => {
                    rest = &rest[taken..];
                    if let Some(reply) = reply {
                        self.take_reply(reply, now);
                    }
                }
            }
        }
        input.len()
    }

    /// The server closed the connection, or it broke.
    pub fn handle_end(&mut self) {
        if self.phase == Phase::Quit { self.close(CloseReason::Quit) } else { self.fail(Cause::Lost) }
    }

    /// Everything to be written to the server now, or `None`.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        if self.output.is_empty() {
            return None;
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.body_octets_unpolled = 0;
        }
        Some(std::mem::take(&mut self.output))
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Session::handle_timeout`] is to be called next, and what will have failed then.
    pub fn poll_timeout(&self) -> Option<(Duration, Stage)> {
        self.deadline.map(|deadline| (deadline, self.stage()))
    }

    /// Ends the session if its time-out has come; otherwise does nothing.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            if self.phase == Phase::Quit { self.close(CloseReason::Quit) } else { self.fail(Cause::TimeOut) }
        }
    }

    /// The TLS handshake is done.
    pub fn tls_started(&mut self, now: Duration) -> Result<(), NotReady> {
        if self.phase != Phase::Handshake {
            return self.not_ready();
        }
        self.tls = true;
        self.replies = ReplyReader::default();
        self.say_ehlo(now);
        Ok(())
    }

    /// The TLS handshake failed; the session is over. A caller whose policy allows it may connect again without TLS.
    pub fn tls_failed(&mut self) -> Result<(), NotReady> {
        if self.phase != Phase::Handshake {
            return self.not_ready();
        }
        self.fail(Cause::TlsFailed);
        Ok(())
    }

    /// Sends a mail: after [`Event::Ready`], or after [`Event::Done`] of the one before. Ends with [`Event::Done`].
    /// On an error the mail was not touched: the session is busy or over.
    pub fn send(&mut self, mail: Outgoing, now: Duration) -> Result<(), NotReady> {
        if self.phase != Phase::Idle {
            return Err(NotReady);
        }
        let line = self.mail_line(&mail);
        let mut transaction = Box::new(Transaction::new(mail, String::new()));
        match line {
            Ok(line) => transaction.mail_line = line,
            Err(cause) => {
                let failure = Failure { stage: Stage::Mail, cause };
                self.events.push_back(Event::Done(transaction.into_outcome(Err(failure))));
                return Ok(());
            }
        }
        self.transaction = Some(transaction);
        if std::mem::take(&mut self.rset_first) {
            self.say("RSET\r\n");
            self.wait(Phase::Rset, now);
        } else {
            self.phase = Phase::Envelope;
            self.go_on_with_envelope(now);
        }
        Ok(())
    }

    /// Takes octets of the message, line ends of any kind; returns how many. Write the output and come again with
    /// the rest. Takes all and does nothing when the server gave up the mail meanwhile.
    pub fn write_body(&mut self, octets: &[u8], now: Duration) -> usize {
        let (Phase::Body, Some(transaction)) = (self.phase, &mut self.transaction) else {
            return octets.len();
        };
        let taken = transaction.stuffer.push(octets, &mut self.output, OUTPUT_OCTETS_HIGH);
        transaction.body_octets += taken as u64;
        transaction.body_octets_unpolled += taken as u64;
        if taken > 0 {
            self.deadline = Some(now + self.config.time_outs.data_block);
        }
        taken
    }

    /// The message is whole.
    pub fn finish_body(&mut self, now: Duration) {
        if let (Phase::Body, Some(transaction)) = (self.phase, &mut self.transaction) {
            transaction.stuffer.finish(&mut self.output);
            self.wait(Phase::BodyEnd, now);
        }
    }

    /// Ends the session politely; ends with [`Event::Close`].
    pub fn quit(&mut self, now: Duration) -> Result<(), NotReady> {
        if self.phase != Phase::Idle {
            return self.not_ready();
        }
        self.say("QUIT\r\n");
        self.wait(Phase::Quit, now);
        Ok(())
    }

    /// How far the message is; read it after the output was written.
    pub fn progress(&self) -> Progress {
        self.transaction.as_ref().map_or_else(Progress::default, |transaction| Progress {
            octets: transaction.body_octets - transaction.body_octets_unpolled,
            octets_total: transaction.mail.size,
        })
    }

    /// What the server offers.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    fn take_reply(&mut self, reply: Reply, now: Duration) {
        if reply.code() == 421 && self.phase != Phase::Quit {
            return self.fail(Cause::Reply(reply));
        }
        match self.phase {
            Phase::Banner if reply.is_positive() => self.say_ehlo(now),
            Phase::Ehlo if reply.is_positive() => {
                self.server = ServerInfo::from_ehlo(&reply);
                self.after_greeting(now);
            }
            Phase::Ehlo if reply.is_permanent() && !self.tls => {
                // RFC 5321 section 3.2: an old server knows HELO only.
                self.say_hello("HELO");
                self.wait(Phase::Helo, now);
            }
            Phase::Helo if reply.is_positive() => {
                self.server = ServerInfo::from_helo(&reply);
                self.after_greeting(now);
            }
            Phase::StartTls if reply.is_positive() => {
                self.wait(Phase::Handshake, now);
                self.events.push_back(Event::StartTls);
            }
            Phase::StartTls if self.config.tls != TlsPolicy::Required => self.after_tls(now),
            Phase::AuthPlain | Phase::AuthLogin { .. } if reply.is_positive() => self.ready(),
            Phase::AuthPlain if reply.is_intermediate() => {
                // A server that did not take the initial response asks for it.
                let response = self.plain_response();
                self.say(&format!("{response}\r\n"));
                self.wait(Phase::AuthPlain, now);
            }
            Phase::AuthLogin { lines_sent } if reply.is_intermediate() && lines_sent < 2 => {
                self.say_login_line(lines_sent);
                self.wait(Phase::AuthLogin { lines_sent: lines_sent + 1 }, now);
            }
            Phase::Rset if reply.is_positive() => {
                self.phase = Phase::Envelope;
                self.go_on_with_envelope(now);
            }
            Phase::Envelope => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.take_reply(reply);
                }
                self.go_on_with_envelope(now);
            }
            Phase::DataStart if reply.code() == 354 => {
                self.wait(Phase::Body, now);
                self.events.push_back(Event::BodyWanted);
            }
            Phase::DataStart if !reply.is_positive() && !reply.is_intermediate() => {
                self.rset_first = true;
                self.done(Err(Cause::Reply(reply)));
            }
            Phase::BodyEnd if reply.is_positive() => self.done(Ok(reply)),
            Phase::BodyEnd if !reply.is_intermediate() => self.done(Err(Cause::Reply(reply))),
            Phase::Quit => self.close(CloseReason::Quit),
            // Whatever it is about, a message cannot be broken off in any other way than with the connection: the
            // final dot would deliver half of it.
            Phase::Body => self.fail(Cause::Reply(reply)),
            Phase::Idle => self.fail(Cause::Protocol("it spoke without being asked")),
            Phase::Banner
            | Phase::Ehlo
            | Phase::Helo
            | Phase::StartTls
            | Phase::AuthPlain
            | Phase::AuthLogin { .. }
            | Phase::Rset
            | Phase::DataStart
            | Phase::BodyEnd => {
                let refused = reply.is_temporary() || reply.is_permanent();
                self.fail(if refused { Cause::Reply(reply) } else { Cause::Protocol("a reply of the wrong kind") });
            }
            Phase::Handshake | Phase::Closed => {}
        }
    }

    fn after_greeting(&mut self, now: Duration) {
        match self.config.tls {
            TlsPolicy::Off => self.after_tls(now),
            TlsPolicy::Opportunistic | TlsPolicy::Required if self.tls => self.after_tls(now),
            TlsPolicy::Opportunistic | TlsPolicy::Required if self.server.starttls => {
                self.say("STARTTLS\r\n");
                self.wait(Phase::StartTls, now);
            }
            TlsPolicy::Opportunistic => self.after_tls(now),
            TlsPolicy::Required => self.fail_at(Stage::Tls, Cause::TlsNotOffered),
        }
    }

    fn after_tls(&mut self, now: Duration) {
        if self.config.credentials.is_none() {
            self.ready();
        } else if !self.tls && !self.config.auth_without_tls {
            self.fail_at(Stage::Auth, Cause::AuthNeedsTls);
        } else if self.server.auth_plain {
            let response = self.plain_response();
            self.say(&format!("AUTH PLAIN {response}\r\n"));
            self.wait(Phase::AuthPlain, now);
        } else if self.server.auth_login {
            self.say("AUTH LOGIN\r\n");
            self.wait(Phase::AuthLogin { lines_sent: 0 }, now);
        } else {
            self.fail_at(Stage::Auth, Cause::AuthNotOffered);
        }
    }

    fn ready(&mut self) {
        self.idle();
        self.events.push_back(Event::Ready(self.server.clone()));
    }

    fn idle(&mut self) {
        self.phase = Phase::Idle;
        self.deadline = None;
    }

    /// Sends what may be sent of the envelope, and what follows it once all is answered.
    fn go_on_with_envelope(&mut self, now: Duration) {
        let window = if self.server.pipelining { self.config.pipelined_max.max(1) } else { 1 };
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        while let Some(line) = transaction.next_command(window) {
            self.output.extend_from_slice(line.as_bytes());
        }
        if transaction.answered < transaction.sent {
            return self.wait(Phase::Envelope, now);
        }
        if let Some(reply) = transaction.mail_refused.clone() {
            let refused = reply.is_temporary() || reply.is_permanent();
            let cause = if refused { Cause::Reply(reply) } else { Cause::Protocol("a reply of the wrong kind") };
            return self.done_at(Stage::Mail, Err(cause));
        }
        if transaction.has_accepted_recipient() {
            self.say("DATA\r\n");
            self.wait(Phase::DataStart, now);
        } else {
            self.rset_first = true;
            self.done_at(Stage::Rcpt, Err(Cause::NoRecipientAccepted));
        }
    }

    /// The command MAIL with the parameters that the server understands, or why it takes no such mail.
    fn mail_line(&self, mail: &Outgoing) -> Result<String, Cause> {
        let is_ascii = |recipient: &Recipient| recipient.address().is_none_or(|address| address.is_ascii());
        let sender = mail.envelope.reverse_path.address();
        if sender.is_some_and(|address| !address.is_ascii()) || !mail.envelope.recipients.iter().all(is_ascii) {
            return Err(Cause::NeedsSmtputf8);
        }
        if mail.envelope.recipients.is_empty() {
            return Err(Cause::NoRecipients);
        }
        if let (Some(size), Some(octets_max)) = (mail.size, self.server.size_max)
            && size > octets_max
        {
            return Err(Cause::TooBig { octets_max });
        }
        let mut line = match &mail.envelope.reverse_path {
            ReversePath::Null => "MAIL FROM:<>".to_owned(),
            ReversePath::Address(address) => format!("MAIL FROM:<{address}>"),
        };
        if let Some(size) = mail.size.filter(|_| self.server.size) {
            line.push_str(&format!(" SIZE={size}"));
        }
        if mail.eight_bit {
            if !self.server.eight_bit_mime {
                return Err(Cause::NeedsEightBitMime);
            }
            line.push_str(" BODY=8BITMIME");
        }
        line.push_str("\r\n");
        Ok(line)
    }

    fn say_ehlo(&mut self, now: Duration) {
        self.say_hello("EHLO");
        self.wait(Phase::Ehlo, now);
    }

    fn say_hello(&mut self, verb: &str) {
        // A setting must not become a second command.
        let name: String = self.config.hostname.chars().filter(char::is_ascii_graphic).collect();
        let name = if name.is_empty() { "localhost" } else { &name };
        self.output.extend_from_slice(format!("{verb} {name}\r\n").as_bytes());
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
    }

    fn plain_response(&self) -> String {
        let who = self.config.credentials.as_ref();
        STANDARD.encode(who.map(|who| format!("\0{}\0{}", who.identity, who.password)).unwrap_or_default())
    }

    fn say_login_line(&mut self, lines_sent: u8) {
        let who = self.config.credentials.as_ref();
        let text = who.map(|who| if lines_sent == 0 { &who.identity } else { &who.password });
        let line = STANDARD.encode(text.cloned().unwrap_or_default());
        self.say(&format!("{line}\r\n"));
    }

    /// Waits for the reply that belongs to `phase`.
    fn wait(&mut self, phase: Phase, now: Duration) {
        self.phase = phase;
        let time_outs = &self.config.time_outs;
        let time = match phase {
            Phase::Banner => time_outs.banner,
            Phase::Handshake => time_outs.handshake,
            Phase::Envelope => match &self.transaction {
                Some(transaction) if transaction.answered > 0 => time_outs.rcpt,
                _ => time_outs.mail,
            },
            Phase::DataStart => time_outs.data_start,
            Phase::Body => time_outs.data_block,
            Phase::BodyEnd => time_outs.data_end,
            Phase::Quit => time_outs.quit,
            Phase::Ehlo
            | Phase::Helo
            | Phase::StartTls
            | Phase::AuthPlain
            | Phase::AuthLogin { .. }
            | Phase::Rset
            | Phase::Idle
            | Phase::Closed => time_outs.command,
        };
        self.deadline = Some(now + time);
    }

    fn stage(&self) -> Stage {
        match self.phase {
            Phase::Banner => Stage::Banner,
            Phase::Ehlo | Phase::Helo => Stage::Greeting,
            Phase::StartTls | Phase::Handshake => Stage::Tls,
            Phase::AuthPlain | Phase::AuthLogin { .. } => Stage::Auth,
            Phase::Idle | Phase::Closed => Stage::Idle,
            Phase::Rset => Stage::Mail,
            Phase::Envelope => match &self.transaction {
                Some(transaction) if transaction.answered > 0 => Stage::Rcpt,
                _ => Stage::Mail,
            },
            Phase::DataStart => Stage::DataStart,
            Phase::Body => Stage::Body,
            Phase::BodyEnd => Stage::BodyEnd,
            Phase::Quit => Stage::Quit,
        }
    }

    /// The mail's fate is known; the connection can take another.
    fn done(&mut self, result: Result<Reply, Cause>) {
        self.done_at(self.stage(), result);
    }

    fn done_at(&mut self, stage: Stage, result: Result<Reply, Cause>) {
        self.idle();
        if let Some(transaction) = self.transaction.take() {
            let outcome: Outcome = transaction.into_outcome(result.map_err(|cause| Failure { stage, cause }));
            self.events.push_back(Event::Done(outcome));
        }
    }

    fn fail(&mut self, cause: Cause) {
        self.fail_at(self.stage(), cause);
    }

    /// The session is over, and with it a mail on its way.
    fn fail_at(&mut self, stage: Stage, cause: Cause) {
        if self.phase == Phase::Closed {
            return;
        }
        if self.phase != Phase::Body {
            self.say_quit_if_polite(&cause);
        }
        self.done_at(stage, Err(cause.clone()));
        self.close(CloseReason::Failed(Failure { stage, cause }));
    }

    fn say_quit_if_polite(&mut self, cause: &Cause) {
        let listens = match cause {
            Cause::Reply(reply) => reply.code() != 421,
            Cause::TlsNotOffered | Cause::AuthNotOffered | Cause::AuthNeedsTls => true,
            Cause::TimeOut
            | Cause::Lost
            | Cause::Protocol(_)
            | Cause::TlsFailed
            | Cause::TooBig { .. }
            | Cause::NeedsEightBitMime
            | Cause::NeedsSmtputf8
            | Cause::NoRecipientAccepted
            | Cause::NoRecipients => false,
        };
        if listens {
            self.say("QUIT\r\n");
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.deadline = None;
            if matches!(reason, CloseReason::Failed(Failure { stage: Stage::Body, .. })) {
                // Not one more octet of a message that was given up.
                self.output.clear();
            }
            self.events.push_back(Event::Close(reason));
        }
    }

    fn not_ready(&self) -> Result<(), NotReady> {
        // The connection may have ended while the caller prepared its call.
        if self.is_closed() { Ok(()) } else { Err(NotReady) }
    }
}
