//! What a server session asks of its caller and tells it.

use std::fmt;

use super::clock::TimeoutReason;
use crate::{Recipient, ReversePath};

/// Something that happened. Those that are questions name the call that answers them; until it is made the
/// session takes no input and no time-out runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The peer said EHLO or HELO. A transaction that was open is gone (an [`Event::Reset`] came before).
    Greeted(Greeting),
    /// STARTTLS was accepted. Write the output, drop every octet received so far, do the handshake, then call
    /// [`Session::tls_started`](super::Session::tls_started); if it fails, close the connection.
    StartTls,
    /// May this be the peer's identity? Answer with `answer_auth`.
    AuthAttempt(Credentials),
    /// May this sender begin a message? Answer with `answer_mail`.
    MailFrom(MailFrom),
    /// May this recipient be added? Answer with `answer_rcpt`.
    RcptTo(RcptTo),
    /// The peer is about to send the message. Answer with `answer_body_start`.
    BodyStarted(BodyStart),
    /// The message is whole: store it, then answer with `answer_body_end`. A positive answer makes us responsible
    /// for it (RFC 5321 section 6.1), so it must be on disk by then.
    BodyEnd(BodyEnd),
    /// The rest of the message is thrown away and the peer is told why; drop what was stored of it.
    BodyAborted(BodyFault),
    /// The transaction is over without a message: RSET, a new EHLO, a refused body. Drop what belongs to it. Each
    /// transaction ends with this, with an answered [`Event::BodyEnd`] or with [`Event::Close`].
    Reset,
    /// The session is over. Drop an open message, write the output, then close; with
    /// [`CloseReason::peer_may_still_send`], close the sending half and read on for a few seconds, so that the peer
    /// sees our last reply.
    Close(CloseReason),
}

impl Event {
    /// Whether the session waits for an answer to it.
    pub fn is_question(&self) -> bool {
        match self {
            Self::AuthAttempt(_) | Self::MailFrom(_) | Self::RcptTo(_) | Self::BodyStarted(_) | Self::BodyEnd(_) => {
                true
            }
            Self::Greeted(_) | Self::StartTls | Self::BodyAborted(_) | Self::Reset | Self::Close(_) => false,
        }
    }
}

/// How the peer introduced itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The domain or address literal it gave, as given.
    pub domain: String,
    /// EHLO rather than HELO.
    pub extended: bool,
}

/// A SASL mechanism we know. RFC 4616 and draft-murchison-sasl-login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// PLAIN.
    Plain,
    /// LOGIN.
    Login,
}

/// Who the peer says it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How it was said.
    pub mechanism: Mechanism,
    /// On whose behalf, if another than `identity` (PLAIN only).
    pub authorization_identity: Option<String>,
    /// The account's name.
    pub identity: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// What octets the message may hold. RFC 6152.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyKind {
    /// `BODY=7BIT` or nothing said. Many senders then still send 8-bit octets.
    #[default]
    SevenBit,
    /// `BODY=8BITMIME`.
    EightBitMime,
}

/// The command MAIL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFrom {
    /// The sender.
    pub reverse_path: ReversePath,
    /// Octets announced by `SIZE=`; never more than the limit.
    pub size: Option<u64>,
    /// What was announced by `BODY=`.
    pub body: BodyKind,
    /// `SMTPUTF8` was given.
    pub smtputf8: bool,
}

/// The command RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcptTo {
    /// The recipient.
    pub recipient: Recipient,
}

/// How the message will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyStart {
    /// By BDAT rather than DATA.
    pub chunked: bool,
    /// Octets announced by `SIZE=` or by the first chunk, whichever is more.
    pub size: Option<u64>,
}

/// The message as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyEnd {
    /// Octets handed out.
    pub octets: u64,
    /// Those of them that belong to the header, with the empty line after it.
    pub header_octets: u64,
    /// Lines of the header, folded ones counted singly.
    pub header_lines: u64,
}

/// Why a message is refused while it comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// More octets than the limit.
    TooBig,
    /// A line longer than the limit.
    LineTooLong,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer said QUIT.
    Quit,
    /// The peer closed the connection.
    PeerClosed,
    /// The peer spoke before it was its turn.
    EarlyTalker,
    /// A bare CR, a bare LF or NUL where RFC 5321 section 2.3.8 forbids it.
    BareLineBreak,
    /// A line without an end.
    EndlessLine,
    /// A BDAT command whose octets cannot be told from commands.
    LostFraming,
    /// A request of another protocol, such as HTTP.
    OtherProtocol,
    /// Much more than the announced limit was sent.
    TooBig,
    /// Too many refused commands or recipients.
    TooManyErrors,
    /// Too many refused AUTH attempts.
    TooManyAuthFailures,
    /// Too many commands.
    TooManyCommands,
    /// Too many messages.
    TooManyMessages,
    /// The peer was too slow.
    TimeOut(TimeoutReason),
    /// The caller answered 421.
    Refused,
    /// The caller called `shut_down`.
    ShutDown,
}

impl CloseReason {
    /// Whether octets of the peer may still be on their way, so that closing at once would destroy our reply.
    pub fn peer_may_still_send(self) -> bool {
        match self {
            Self::Quit | Self::PeerClosed => false,
            Self::EarlyTalker
            | Self::BareLineBreak
            | Self::EndlessLine
            | Self::LostFraming
            | Self::OtherProtocol
            | Self::TooBig
            | Self::TooManyErrors
            | Self::TooManyAuthFailures
            | Self::TooManyCommands
            | Self::TooManyMessages
            | Self::TimeOut(_)
            | Self::Refused
            | Self::ShutDown => true,
        }
    }
}
