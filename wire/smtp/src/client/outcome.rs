//! What a client session tells its caller, and the fate of a mail.

use std::fmt;

use super::server_info::ServerInfo;
use crate::{Recipient, Reply};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Do the TLS handshake, then call `tls_started` or `tls_failed`. Drop octets received before it.
    StartTls,
    /// The server is ready for a mail: call `send` or `quit`. Comes once; after that each
    /// [`Event::Done`] that is not followed by [`Event::Close`] means the same.
    Ready(ServerInfo),
    /// Hand over the message with `write_body`, then `finish_body`.
    BodyWanted,
    /// The mail's fate is known.
    Done(Outcome),
    /// The session is over: write the output, then close the connection.
    Close(CloseReason),
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// We said QUIT.
    Quit,
    /// Something went wrong; a mail on its way was told so before.
    Failed(Failure),
}

/// What was going on when something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for the server's greeting.
    Banner,
    /// EHLO or HELO.
    Greeting,
    /// STARTTLS and the handshake.
    Tls,
    /// AUTH.
    Auth,
    /// Between two mails.
    Idle,
    /// MAIL, or before it.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, before the message.
    DataStart,
    /// Within the message.
    Body,
    /// After the final dot: the server may have taken the mail.
    BodyEnd,
    /// QUIT.
    Quit,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banner => "connect",
            Self::Greeting => "EHLO",
            Self::Tls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Idle => "between two mails",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::DataStart => "DATA",
            Self::Body => "the message",
            Self::BodyEnd => "the end of the message",
            Self::Quit => "QUIT",
        })
    }
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The server said no.
    #[error("the server answered {0}")]
    Reply(Reply),
    /// The server said nothing in time.
    #[error("the server did not answer in time")]
    TimeOut,
    /// The connection ended.
    #[error("the server closed the connection")]
    Lost,
    /// The server does not speak SMTP as it should.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
    /// TLS is required and the server does not offer it.
    #[error("the server does not offer TLS, which is required")]
    TlsNotOffered,
    /// The handshake failed.
    #[error("the TLS handshake failed")]
    TlsFailed,
    /// We are to log in and the server does not offer a way that we know.
    #[error("the server offers neither AUTH PLAIN nor AUTH LOGIN")]
    AuthNotOffered,
    /// We are to log in, and the connection is not encrypted.
    #[error("the password is not sent without TLS")]
    AuthNeedsTls,
    /// The message is larger than the server takes.
    #[error("the mail is larger than the {octets_max} octets that the server takes")]
    TooBig {
        /// The server's limit.
        octets_max: u64,
    },
    /// The message holds 8-bit octets and the server does not take them; send it in 7-bit form.
    #[error("the server does not take 8-bit mail")]
    NeedsEightBitMime,
    /// An address is not ASCII.
    #[error("the address is not ASCII")]
    NeedsSmtputf8,
    /// The server refused each recipient; see their replies.
    #[error("the server refused every recipient")]
    NoRecipientAccepted,
    /// The envelope had no recipient.
    #[error("the mail has no recipient")]
    NoRecipients,
}

/// What failed, and when.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause} (at {stage})")]
pub struct Failure {
    /// When.
    pub stage: Stage,
    /// What.
    pub cause: Cause,
}

impl Failure {
    /// Whether another try of the same mail may help.
    ///
    /// A refusal before [`Stage::Mail`] speaks about the server or about us, not about the mail: another server may
    /// still take it.
    pub fn is_temporary(&self) -> bool {
        match &self.cause {
            Cause::Reply(reply) => reply.is_temporary(),
            Cause::TimeOut | Cause::Lost | Cause::Protocol(_) | Cause::TlsFailed => true,
            Cause::TlsNotOffered
            | Cause::AuthNotOffered
            | Cause::AuthNeedsTls
            | Cause::TooBig { .. }
            | Cause::NeedsEightBitMime
            | Cause::NeedsSmtputf8
            | Cause::NoRecipientAccepted
            | Cause::NoRecipients => false,
        }
    }

    /// Whether the server may have taken the mail all the same, so that another try may make a double.
    pub fn is_in_doubt(&self) -> bool {
        self.stage == Stage::BodyEnd && matches!(self.cause, Cause::TimeOut | Cause::Lost | Cause::Protocol(_))
    }
}

/// The fate of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The server's reply to the message (2xx), or what failed.
    pub result: Result<Reply, Failure>,
    /// Each recipient in the order of the envelope.
    pub recipients: Vec<RecipientOutcome>,
}

/// What the server said about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// Who.
    pub recipient: Recipient,
    /// The reply to RCPT, if it came.
    pub reply: Option<Reply>,
}

/// The fate of one recipient's copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// The server has taken it.
    Accepted(&'a Reply),
    /// The server refused this recipient.
    Refused(&'a Reply),
    /// The mail failed as a whole.
    Failed(&'a Failure),
}

impl Fate<'_> {
    /// Whether another try for this recipient may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Accepted(_) => false,
            Self::Refused(reply) => reply.is_temporary(),
            Self::Failed(failure) => failure.is_temporary(),
        }
    }
}

impl Outcome {
    /// Each recipient with its fate.
    pub fn fates(&self) -> impl Iterator<Item = (&Recipient, Fate<'_>)> {
        self.recipients.iter().map(|outcome| {
            let refusal = outcome.reply.as_ref().filter(|reply| !reply.is_positive());
            let fate = match (refusal, &self.result) {
                (Some(reply), _) => Fate::Refused(reply),
                (None, Ok(reply)) => Fate::Accepted(reply),
                (None, Err(failure)) => Fate::Failed(failure),
            };
            (&outcome.recipient, fate)
        })
    }
}
