//! AUTH PLAIN and LOGIN (RFC 4954, RFC 4616), only over TLS.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::event::{CloseReason, Credentials, Event, Mechanism};
use super::session::{Barrier, NotAsked, Question, Session, State};
use super::texts;
use crate::Reply;

/// Which line of the exchange is next.
#[derive(Debug)]
pub(super) enum AuthStage {
    Plain,
    LoginName,
    LoginPassword { identity: String },
}

impl Session {
    pub(super) fn auth(&mut self, mechanism: Mechanism, initial: Option<String>, more: bool, now: Duration) {
        if let Some(reply) = self.auth_is_out_of_place() {
            return self.refuse(&reply);
        }
        // AUTH ends a pipelined group: RFC 4954 section 4.
        if more {
            return self.close_early_talker(Barrier::After("AUTH"));
        }
        let stage = match mechanism {
            Mechanism::Plain => AuthStage::Plain,
            Mechanism::Login => AuthStage::LoginName,
        };
        match initial.as_deref() {
            None => self.challenge(stage, now),
            // A single "=" is an initial response of no octets.
            Some("=") => self.run_auth_line(stage, b"", more, now),
            Some(response) => self.run_auth_line(stage, response.as_bytes(), more, now),
        }
    }

    pub(super) fn run_auth_line(&mut self, stage: AuthStage, line: &[u8], more: bool, now: Duration) {
        if more {
            return self.close_early_talker(Barrier::After("AUTH"));
        }
        self.clock.turn(now);
        if line == b"*" {
            return self.refuse(&texts::auth_cancelled());
        }
        let text = STANDARD.decode(line).ok().and_then(|octets| String::from_utf8(octets).ok());
        let credentials = match (stage, text) {
            (_, None) => None,
            (AuthStage::Plain, Some(text)) => plain(&text),
            (AuthStage::LoginName, Some(identity)) if !identity.is_empty() => {
                return self.challenge(AuthStage::LoginPassword { identity }, now);
            }
            (AuthStage::LoginName, Some(_)) => None,
            (AuthStage::LoginPassword { identity }, Some(password)) => {
                Some(Credentials { mechanism: Mechanism::Login, authorization_identity: None, identity, password })
            }
        };
        match credentials {
            None => self.refuse(&texts::auth_malformed()),
            Some(credentials) => {
                let identity = credentials.identity.clone();
                self.ask(Question::Auth { identity }, Event::AuthAttempt(credentials), now);
            }
        }
    }

    /// Answers [`Event::AuthAttempt`]: 235 2.7.0 lets the peer in, 535 5.7.8 or 454 4.7.0 does not.
    pub fn answer_auth(&mut self, reply: Reply, now: Duration) -> Result<(), NotAsked> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Asking(Question::Auth { identity }) => {
                self.clock.go_on(now);
                self.after_auth(identity, reply);
                self.await_command(now);
                Ok(())
            }
            other => self.not_asked(other),
        }
    }

    fn after_auth(&mut self, identity: String, reply: Reply) {
        if reply.is_positive() {
            self.identity = Some(identity);
            return self.say(&reply);
        }
        let reply = self.checked(reply);
        if reply.code() == 421 {
            return self.close_with(&reply, CloseReason::Refused);
        }
        self.counts.auth_failures += 1;
        if self.counts.auth_failures > self.config.limits.auth_failures_max {
            self.close_with(&texts::too_many_auth_failures(), CloseReason::TooManyAuthFailures);
        } else {
            self.refuse(&reply);
        }
    }

    fn auth_is_out_of_place(&self) -> Option<Reply> {
        if !self.config.auth {
            return Some(Reply::new(502, (5, 5, 1), "Log-in is not offered here; please send without it."));
        }
        if !self.greeting.as_ref().is_some_and(|greeting| greeting.extended) {
            return Some(texts::greet_first());
        }
        if !self.tls {
            return Some(texts::auth_needs_tls());
        }
        if self.identity.is_some() {
            return Some(texts::sequence("You are logged in already; go on with MAIL."));
        }
        if self.transaction.is_some() {
            return Some(texts::sequence("A mail has begun; log in before MAIL, or say RSET first."));
        }
        None
    }

    fn challenge(&mut self, stage: AuthStage, now: Duration) {
        let prompt = match stage {
            AuthStage::Plain => "",
            AuthStage::LoginName => "VXNlcm5hbWU6",
            AuthStage::LoginPassword { .. } => "UGFzc3dvcmQ6",
        };
        self.clock.turn(now);
        self.say_and_wait(&Reply::bare(334, prompt), "AUTH");
        self.state = State::Auth(stage);
    }
}

/// `[authzid] NUL authcid NUL passwd`.
fn plain(text: &str) -> Option<Credentials> {
    let mut parts = text.split('\0');
    let (authorization, identity, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || identity.is_empty() {
        return None;
    }
    Some(Credentials {
        mechanism: Mechanism::Plain,
        authorization_identity: (!authorization.is_empty() && authorization != identity)
            .then(|| authorization.to_owned()),
        identity: identity.to_owned(),
        password: password.to_owned(),
    })
}
