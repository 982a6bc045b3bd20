//! What each command does (RFC 5321 sections 3 and 4.1).

use std::time::Duration;

use super::command::{self, Command, CommandError};
use super::event::{BodyStart, CloseReason, Event, Greeting, MailFrom, RcptTo};
use super::session::{Barrier, NotAsked, Question, Session, State, Transaction};
use super::texts;
use crate::{Recipient, Reply};

impl Session {
    pub(super) fn run_command(&mut self, line: &[u8], more: bool, now: Duration) {
        self.clock.turn(now);
        let command = command::parse(line);
        if !matches!(command, Ok(Command::Rcpt(_)) | Ok(Command::Bdat { octets: 1.., .. })) {
            self.counts.commands += 1;
        }
        if self.counts.commands > self.config.limits.commands_max {
            return self.close_with(&texts::too_many_commands(), CloseReason::TooManyCommands);
        }
        match command {
            Ok(Command::Ehlo { domain }) => self.greet(Greeting { domain, extended: true }, more),
            Ok(Command::Helo { domain }) => self.greet(Greeting { domain, extended: false }, more),
            Ok(Command::StartTls) => self.start_tls(),
            Ok(Command::Auth { mechanism, initial }) => self.auth(mechanism, initial, more, now),
            Ok(Command::Mail(mail)) => self.mail(mail, now),
            Ok(Command::Rcpt(recipient)) => self.rcpt(recipient, now),
            Ok(Command::Data) => self.data(more, now),
            Ok(Command::Bdat { octets, last }) => self.bdat(octets, last, now),
            Ok(Command::Rset) => {
                self.reset();
                self.say(&Reply::new(250, (2, 0, 0), "Everything is forgotten; go on with MAIL."));
            }
            Ok(Command::Noop) => self.say(&Reply::new(250, (2, 0, 0), "OK")),
            Ok(Command::Help) => self.say(&texts::help(&self.config.clone())),
            // RFC 5321 section 7.3: nothing is told about who exists here.
            Ok(Command::Vrfy) => {
                self.say(&Reply::new(252, (2, 5, 0), "Addresses are not checked this way; just send the mail."))
            }
            Ok(Command::Expn) => {
                self.refuse(&Reply::new(502, (5, 5, 1), "Lists are not shown here; just send the mail."))
            }
            Ok(Command::Quit) => {
                let reply = texts::service_closing(&self.config);
                self.close_with(&reply, CloseReason::Quit);
            }
            Err(error) => self.refuse_command(&error),
        }
    }

    /// The TLS handshake is done. What was said before it is forgotten (RFC 3207 section 4.2).
    pub fn tls_started(&mut self, now: Duration) -> Result<(), NotAsked> {
        if !matches!(self.state, State::Handshake) {
            return if self.is_closed() { Ok(()) } else { Err(NotAsked) };
        }
        self.tls = true;
        self.greeting = None;
        self.identity = None;
        self.await_command(now);
        Ok(())
    }

    /// Answers [`Event::MailFrom`]: a positive reply (250 2.1.0) opens the transaction.
    pub fn answer_mail(&mut self, reply: Reply, now: Duration) -> Result<(), NotAsked> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Asking(Question::Mail(transaction)) => {
                self.clock.go_on(now);
                if reply.is_positive() {
                    self.transaction = Some(transaction);
                    self.say(&reply);
                } else {
                    self.refuse_with(reply);
                }
                self.await_command(now);
                Ok(())
            }
            other => self.not_asked(other),
        }
    }

    /// Answers [`Event::RcptTo`]: a positive reply (250 2.1.5) adds the recipient.
    pub fn answer_rcpt(&mut self, reply: Reply, now: Duration) -> Result<(), NotAsked> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Asking(Question::Rcpt(recipient)) => {
                self.clock.go_on(now);
                if let (true, Some(transaction)) = (reply.is_positive(), &mut self.transaction) {
                    transaction.envelope.recipients.push(recipient);
                    self.say(&reply);
                } else {
                    self.refuse_with(reply);
                }
                self.await_command(now);
                Ok(())
            }
            other => self.not_asked(other),
        }
    }

    /// A refusal by the caller; only 5xx counts as an error of the peer.
    fn refuse_with(&mut self, reply: Reply) {
        let reply = self.checked(reply);
        if reply.code() == 421 {
            self.close_with(&reply, CloseReason::Refused);
        } else if reply.is_permanent() {
            self.refuse(&reply);
        } else {
            self.say(&reply);
        }
    }

    /// A reply that is to refuse something, or the one that says we made a mistake.
    pub(super) fn checked(&self, reply: Reply) -> Reply {
        if reply.is_temporary() || reply.is_permanent() { reply } else { texts::wrong_answer() }
    }

    pub(super) fn not_asked(&mut self, state: State) -> Result<(), NotAsked> {
        self.state = state;
        // A time-out or a broken connection may have ended the session while the caller thought.
        if self.is_closed() { Ok(()) } else { Err(NotAsked) }
    }

    fn greet(&mut self, greeting: Greeting, more: bool) {
        if more {
            return self.close_early_talker(Barrier::After("EHLO"));
        }
        self.reset();
        let mut reply = Reply::bare(250, &self.config.hostname);
        if greeting.extended {
            for keyword in self.keywords() {
                reply = reply.line(keyword);
            }
        }
        self.say_and_wait(&reply, "EHLO");
        self.greeted_once = true;
        self.greeting = Some(greeting.clone());
        self.tell(Event::Greeted(greeting));
    }

    fn keywords(&self) -> Vec<String> {
        let config = &self.config;
        let mut keywords = vec!["PIPELINING".to_owned(), format!("SIZE {}", config.limits.message_octets_max)];
        if config.starttls && !self.tls {
            keywords.push("STARTTLS".into());
        }
        if config.auth && self.tls {
            keywords.push("AUTH PLAIN LOGIN".into());
        }
        keywords.extend(["8BITMIME", "ENHANCEDSTATUSCODES"].map(String::from));
        if config.smtputf8 {
            keywords.push("SMTPUTF8".into());
        }
        if config.chunking {
            keywords.push("CHUNKING".into());
        }
        keywords.push("HELP".into());
        keywords
    }

    fn start_tls(&mut self) {
        if self.greeting.is_none() {
            self.refuse(&texts::greet_first());
        } else if self.tls {
            self.refuse(&texts::sequence("TLS is on already."));
        } else if !self.config.starttls {
            self.refuse(&Reply::new(502, (5, 5, 1), "STARTTLS is not offered here."));
        } else {
            self.reset();
            self.say(&Reply::new(220, (2, 0, 0), "Ready to start TLS."));
            self.state = State::Handshake;
            self.tell(Event::StartTls);
        }
    }

    fn mail(&mut self, mail: MailFrom, now: Duration) {
        let limits = &self.config.limits;
        if self.greeting.is_none() {
            return self.refuse(&texts::greet_first());
        }
        if self.config.tls_required && !self.tls {
            return self.refuse(&texts::tls_first());
        }
        if self.config.auth_required && self.identity.is_none() {
            return self.refuse(&if self.tls { texts::auth_first() } else { texts::tls_first() });
        }
        if self.transaction.is_some() {
            return self.refuse(&texts::sequence("A mail has begun already; finish it or say RSET."));
        }
        if self.counts.messages >= limits.messages_max {
            return self.close_with(&texts::too_many_messages(), CloseReason::TooManyMessages);
        }
        if mail.size.is_some_and(|size| size > limits.message_octets_max) {
            let reply = texts::too_big(limits.message_octets_max);
            return self.refuse(&reply);
        }
        if mail.smtputf8 && !self.config.smtputf8 {
            return self.refuse(&texts::command_error(&CommandError::UnknownParameter("SMTPUTF8".into())));
        }
        if !mail.smtputf8 && mail.reverse_path.address().is_some_and(|address| !address.is_ascii()) {
            return self.refuse(&texts::needs_smtputf8());
        }
        let transaction = Transaction::new(mail.reverse_path.clone(), mail.size, mail.smtputf8);
        self.ask(Question::Mail(Box::new(transaction)), Event::MailFrom(mail), now);
    }

    fn rcpt(&mut self, recipient: Recipient, now: Duration) {
        let Some(transaction) = &self.transaction else {
            return self.refuse(&texts::sequence("Please say MAIL first."));
        };
        if transaction.chunking {
            return self.refuse(&texts::sequence("The message has begun; recipients come before it."));
        }
        if !transaction.smtputf8 && recipient.address().is_some_and(|address| !address.is_ascii()) {
            return self.refuse(&texts::needs_smtputf8());
        }
        let most = self.config.limits.recipients_max;
        if transaction.envelope.recipients.len() >= most {
            // No error of the peer: RFC 5321 section 4.5.3.1.10 has it send the rest in another mail.
            return self.say(&texts::too_many_recipients(most));
        }
        self.ask(Question::Rcpt(recipient.clone()), Event::RcptTo(RcptTo { recipient }), now);
    }

    fn data(&mut self, more: bool, now: Duration) {
        // Whatever follows was sent without waiting for 354 and is neither message nor command.
        if more {
            return self.close_early_talker(Barrier::After("DATA"));
        }
        let Some(transaction) = &self.transaction else {
            return self.refuse(&texts::sequence("Please say MAIL and RCPT first."));
        };
        if transaction.chunking {
            return self.refuse(&texts::sequence("The message comes by BDAT; finish it with BDAT 0 LAST or say RSET."));
        }
        if transaction.envelope.recipients.is_empty() {
            return self.refuse(&texts::sequence("No recipient was accepted; give one with RCPT first."));
        }
        let start = BodyStart { chunked: false, size: transaction.size };
        self.ask(Question::DataStart, Event::BodyStarted(start), now);
    }

    pub(super) fn reset(&mut self) {
        if self.transaction.take().is_some() {
            self.tell(Event::Reset);
        }
    }

    fn refuse_command(&mut self, error: &CommandError) {
        let reply = texts::command_error(error);
        match error {
            CommandError::OtherProtocol => self.close_with(&reply, CloseReason::OtherProtocol),
            CommandError::Bdat => self.close_with(&reply, CloseReason::LostFraming),
            CommandError::Unknown
            | CommandError::NotImplemented
            | CommandError::NotUtf8
            | CommandError::Syntax(_)
            | CommandError::TakesNoArgument(_)
            | CommandError::ReversePath(_)
            | CommandError::ForwardPath(_)
            | CommandError::UnknownParameter(_)
            | CommandError::BadParameter(_)
            | CommandError::UnknownMechanism => self.refuse(&reply),
        }
    }
}
