//! One mail on its way: who was named, who was accepted, how far the message is.

use super::outcome::{Failure, Outcome, RecipientOutcome};
use super::session::Outgoing;
use super::stuff::Stuffer;
use crate::Reply;

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) mail: Outgoing,
    /// The command MAIL, with its parameters.
    pub(super) mail_line: String,
    /// Commands sent: MAIL is the first, then each RCPT.
    pub(super) sent: usize,
    /// Those answered.
    pub(super) answered: usize,
    /// MAIL was refused with this.
    pub(super) mail_refused: Option<Reply>,
    replies: Vec<Option<Reply>>,
    pub(super) stuffer: Stuffer,
    /// Octets of the message taken from the caller.
    pub(super) body_octets: u64,
    /// Those of them that are still in the output.
    pub(super) body_octets_unpolled: u64,
}

impl Transaction {
    pub(super) fn new(mail: Outgoing, mail_line: String) -> Self {
        let replies = vec![None; mail.envelope.recipients.len()];
        Self {
            mail,
            mail_line,
            sent: 0,
            answered: 0,
            mail_refused: None,
            replies,
            stuffer: Stuffer::new(),
            body_octets: 0,
            body_octets_unpolled: 0,
        }
    }

    /// The next command of the envelope, if it may be sent now.
    pub(super) fn next_command(&mut self, window: usize) -> Option<String> {
        if self.mail_refused.is_some() || self.sent - self.answered >= window {
            return None;
        }
        let line = match self.sent {
            0 => self.mail_line.clone(),
            n => format!("RCPT TO:<{}>\r\n", self.mail.envelope.recipients.get(n - 1)?),
        };
        self.sent += 1;
        Some(line)
    }

    /// Takes the reply to the oldest unanswered command of the envelope.
    pub(super) fn take_reply(&mut self, reply: Reply) {
        match self.answered {
            0 if !reply.is_positive() => self.mail_refused = Some(reply),
            0 => {}
            n => {
                if let Some(slot) = self.replies.get_mut(n - 1) {
                    *slot = Some(reply);
                }
            }
        }
        self.answered += 1;
    }

    pub(super) fn has_accepted_recipient(&self) -> bool {
        self.replies.iter().flatten().any(Reply::is_positive)
    }

    pub(super) fn into_outcome(self, result: Result<Reply, Failure>) -> Outcome {
        // What the server says about recipients after it refused the sender tells nothing about them.
        let forget = self.mail_refused.is_some();
        let recipients = self.mail.envelope.recipients.into_iter().zip(self.replies);
        let recipients = recipients
            .map(|(recipient, reply)| RecipientOutcome { recipient, reply: reply.filter(|_| !forget) })
            .collect();
        Outcome { result, recipients }
    }
}
