//! The message itself: DATA (RFC 5321 section 4.1.1.4) and BDAT (RFC 3030).

use std::time::Duration;

use super::data::{Decoder, Outcome};
use super::event::{BodyEnd, BodyFault, BodyStart, CloseReason, Event};
use super::session::{NotAsked, Question, Session, State};
use super::texts;
use crate::Reply;

/// A message by DATA.
#[derive(Debug)]
pub(super) struct Data {
    decoder: Decoder,
}

/// Octets announced by one BDAT.
#[derive(Debug)]
pub(super) struct Chunk {
    octets: u64,
    left: u64,
    last: bool,
    /// The octets are thrown away and answered with this.
    refused: Option<Reply>,
}

/// What came of a message so far.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Octets handed out or thrown away.
    octets: u64,
    header_octets: u64,
    header_lines: u64,
    header_ended: bool,
    /// Octets of the current line, without its end.
    line_octets: u64,
}

impl Received {
    /// Counts octets; returns the length of the longest line that ends or stands in them.
    fn count(&mut self, octets: &[u8]) -> u64 {
        self.octets += octets.len() as u64;
        let mut longest = 0;
        for line in octets.split_inclusive(|&octet| octet == b'\n') {
            let ends = line.ends_with(b"\n");
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            self.line_octets += text.len() as u64;
            longest = longest.max(self.line_octets);
            if !self.header_ended {
                self.header_octets += line.len() as u64;
                if ends {
                    self.header_ended = self.line_octets == 0;
                    self.header_lines += u64::from(!self.header_ended);
                }
            }
            if ends {
                self.line_octets = 0;
            }
        }
        longest
    }
}

impl Session {
    /// Answers [`Event::BodyStarted`]: `Ok` lets the message come; `Err` refuses it (452 4.3.1, 554 5.5.1 …), and
    /// what comes nevertheless is thrown away.
    pub fn answer_body_start(&mut self, answer: Result<(), Reply>, now: Duration) -> Result<(), NotAsked> {
        let refusal = answer.err().map(|reply| self.checked(reply));
        match std::mem::replace(&mut self.state, State::Command) {
            State::Asking(Question::DataStart) => {
                self.clock.go_on(now);
                match refusal {
                    None => self.begin_data(now),
                    Some(reply) => self.end_refused(&reply, now),
                }
                Ok(())
            }
            State::Asking(Question::ChunkStart(chunk)) => {
                self.clock.go_on(now);
                self.clock.body_started(now);
                if let (Some(reply), Some(transaction)) = (refusal, &mut self.transaction) {
                    transaction.refused = Some(reply);
                }
                self.begin_chunk(chunk, now);
                Ok(())
            }
            other => self.not_asked(other),
        }
    }

    /// Gives up the message that is coming in: its rest is thrown away, then the peer gets `reply`, such as
    /// 452 4.3.1 for a full disk. No [`Event::BodyEnd`] follows.
    pub fn refuse_body(&mut self, reply: Reply) -> Result<(), NotAsked> {
        let reply = self.checked(reply);
        match &self.state {
            State::Closed => Ok(()),
            State::Data(_) | State::Chunk(_) => {
                self.refuse_rest(reply);
                Ok(())
            }
            // Between two chunks a message is open as well.
            State::Command if self.transaction.as_ref().is_some_and(|transaction| transaction.chunking) => {
                self.refuse_rest(reply);
                Ok(())
            }
            State::Command | State::LongLine { .. } | State::Auth(_) | State::Asking(_) | State::Handshake => {
                Err(NotAsked)
            }
        }
    }

    /// Answers [`Event::BodyEnd`]: 250 2.0.0 only when the message is safe on disk; 550, 451 … refuse it for all
    /// recipients.
    pub fn answer_body_end(&mut self, reply: Reply, now: Duration) -> Result<(), NotAsked> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Asking(Question::BodyEnd) => {
                let reply = if reply.is_positive() { reply } else { self.checked(reply) };
                self.clock.go_on(now);
                self.end_transaction(&reply, now);
                Ok(())
            }
            other => self.not_asked(other),
        }
    }

    /// Octets of the header so far, for a limit that the caller may keep; `None` without a message.
    pub fn header_octets(&self) -> Option<u64> {
        self.transaction.as_deref().map(|transaction| transaction.received.header_octets)
    }

    pub(super) fn body_octets_seen(&self) -> u64 {
        match (&self.state, &self.transaction) {
            (State::Chunk(chunk), _) if chunk.refused.is_some() => chunk.octets - chunk.left,
            (_, Some(transaction)) => transaction.received.octets,
            (_, None) => 0,
        }
    }

    pub(super) fn bdat(&mut self, octets: u64, last: bool, now: Duration) {
        let most = self.config.limits.message_octets_max;
        if octets > most.saturating_mul(2) {
            return self.close_with(&texts::too_big(most), CloseReason::TooBig);
        }
        let chunk = Chunk { octets, left: octets, last, refused: self.bdat_is_out_of_place() };
        if chunk.refused.is_some() || !self.transaction.as_ref().is_some_and(|transaction| transaction.chunking) {
            self.clock.body_started(now);
        }
        let Some(transaction) = self.transaction.as_mut().filter(|_| chunk.refused.is_none()) else {
            return self.begin_chunk(chunk, now);
        };
        if transaction.received.octets.saturating_add(octets) > most && transaction.refused.is_none() {
            let started = std::mem::replace(&mut transaction.chunking, true);
            transaction.refused = Some(texts::too_big(most));
            if started {
                self.tell(Event::BodyAborted(BodyFault::TooBig));
            }
            return self.begin_chunk(chunk, now);
        }
        if std::mem::replace(&mut transaction.chunking, true) {
            return self.begin_chunk(chunk, now);
        }
        let size = transaction.size.max(Some(octets));
        self.ask(Question::ChunkStart(chunk), Event::BodyStarted(BodyStart { chunked: true, size }), now);
    }

    fn bdat_is_out_of_place(&self) -> Option<Reply> {
        if !self.config.chunking {
            return Some(Reply::new(502, (5, 5, 1), "BDAT is not offered here; please use DATA."));
        }
        match &self.transaction {
            None => Some(texts::sequence("Please say MAIL and RCPT first.")),
            Some(transaction) if transaction.envelope.recipients.is_empty() => {
                Some(texts::sequence("No recipient was accepted; give one with RCPT first."))
            }
            Some(_) => None,
        }
    }

    fn begin_data(&mut self, now: Duration) {
        let decoder = Decoder::new(self.bare_lf_tolerated);
        self.clock.body_started(now);
        self.say_and_wait(&Reply::bare(354, "Send the message; end it with a dot on a line of its own."), "DATA");
        self.state = State::Data(Data { decoder });
    }

    pub(super) fn take_data<'i>(&mut self, input: &'i [u8], now: Duration) -> (usize, &'i [u8]) {
        let State::Data(data) = &mut self.state else {
            return (0, &[]);
        };
        let step = data.decoder.step(input);
        self.clock.turn(now);
        let body = self.count_body(step.body);
        match step.outcome {
            Outcome::More => {}
            Outcome::End => self.end_body(now),
            Outcome::BareLineBreak => {
                self.close_with(&texts::bare_line_break(), CloseReason::BareLineBreak);
                return (input.len(), &[]);
            }
        }
        (step.consumed, body)
    }

    fn begin_chunk(&mut self, chunk: Chunk, now: Duration) {
        if chunk.left == 0 { self.end_chunk(chunk, now) } else { self.state = State::Chunk(chunk) }
    }

    pub(super) fn take_chunk<'i>(&mut self, input: &'i [u8], now: Duration) -> (usize, &'i [u8]) {
        let State::Chunk(chunk) = &mut self.state else {
            return (0, &[]);
        };
        let taken = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(input.len());
        chunk.left -= taken as u64;
        let (ends, swallow) = (chunk.left == 0, chunk.refused.is_some());
        self.clock.turn(now);
        let body = if swallow { &[] } else { self.count_body(&input[..taken]) };
        if ends
            && !self.is_closed()
            && let State::Chunk(chunk) = std::mem::replace(&mut self.state, State::Command)
        {
            self.end_chunk(chunk, now);
        }
        (taken, body)
    }

    fn end_chunk(&mut self, chunk: Chunk, now: Duration) {
        if let Some(reply) = chunk.refused {
            self.refuse(&reply);
            return self.await_command(now);
        }
        let refused = self.transaction.as_ref().and_then(|transaction| transaction.refused.clone());
        match (chunk.last, refused) {
            (true, _) => self.end_body(now),
            (false, None) => {
                self.say(&Reply::new(250, (2, 0, 0), format!("{} octets received.", chunk.octets)));
                self.await_command(now);
            }
            // Chunks that were pipelined behind it get the same answer until LAST or RSET.
            (false, Some(reply)) => {
                self.say(&reply);
                self.await_command(now);
            }
        }
    }

    /// Counts octets of the message and keeps its limits; returns those to be handed out.
    fn count_body<'i>(&mut self, body: &'i [u8]) -> &'i [u8] {
        let limits = &self.config.limits;
        let (most, line_most) = (limits.message_octets_max, limits.body_line_octets_max as u64);
        let Some(transaction) = &mut self.transaction else {
            return &[];
        };
        // Whichever limit is reached first is told, however the network cuts the octets.
        let room = most.saturating_sub(transaction.received.octets);
        let (within, beyond) = body.split_at(usize::try_from(room).unwrap_or(usize::MAX).min(body.len()));
        let longest = transaction.received.count(within);
        transaction.received.count(beyond);
        let octets = transaction.received.octets;
        if transaction.refused.is_some() {
            if octets > most.saturating_mul(2) {
                self.close_with(&texts::too_big(most), CloseReason::TooBig);
            }
            return &[];
        }
        if longest > line_most {
            self.abort_body(BodyFault::LineTooLong);
            return &[];
        }
        if octets > most {
            self.abort_body(BodyFault::TooBig);
            return &[];
        }
        body
    }

    fn abort_body(&mut self, fault: BodyFault) {
        let limits = &self.config.limits;
        let reply = match fault {
            BodyFault::TooBig => texts::too_big(limits.message_octets_max),
            BodyFault::LineTooLong => texts::body_line_too_long(limits.body_line_octets_max),
        };
        if self.transaction.as_ref().is_some_and(|transaction| transaction.refused.is_none()) {
            self.refuse_rest(reply);
            self.tell(Event::BodyAborted(fault));
        }
    }

    fn refuse_rest(&mut self, reply: Reply) {
        if let Some(transaction) = &mut self.transaction {
            transaction.refused = Some(reply);
        }
    }

    /// The last octet of the message is here.
    fn end_body(&mut self, now: Duration) {
        if self.is_closed() {
            return;
        }
        let Some(transaction) = &self.transaction else {
            return self.await_command(now);
        };
        if let Some(reply) = transaction.refused.clone() {
            return self.end_refused(&reply, now);
        }
        let Received { octets, header_octets, header_lines, .. } = transaction.received;
        self.ask(Question::BodyEnd, Event::BodyEnd(BodyEnd { octets, header_octets, header_lines }), now);
    }

    fn end_refused(&mut self, reply: &Reply, now: Duration) {
        self.tell(Event::Reset);
        self.end_transaction(reply, now);
    }

    fn end_transaction(&mut self, reply: &Reply, now: Duration) {
        self.transaction = None;
        self.counts.messages += 1;
        if reply.code() == 421 {
            return self.close_with(reply, CloseReason::Refused);
        }
        self.say(reply);
        self.await_command(now);
    }
}
