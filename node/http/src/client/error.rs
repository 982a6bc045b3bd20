//! What can go wrong with a request, told apart by what the caller must do about it.

use std::{io, net::SocketAddr, time::Duration};

use crate::Fingerprint;

/// Why there is no (whole) answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The name has no address.
    #[error("could not find an address for {host}")]
    Resolve {
        /// The host.
        host: String,
        /// Why, if the system said.
        #[source]
        cause: Option<io::Error>,
    },
    /// Somebody is there, but nothing listens on the port.
    #[error("{addr} refused the connection")]
    Refused {
        /// The address.
        addr: SocketAddr,
    },
    /// Nobody took the connection in time: most likely switched off.
    #[error("no connection within {after:?}")]
    ConnectTimeOut {
        /// The time given.
        after: Duration,
    },
    /// The network could not bring us there.
    #[error("could not reach {addr}")]
    Connect {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// TLS could not be agreed on, or the certificate is not believed.
    #[error("could not agree on TLS with {addr}")]
    Tls {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The certificate is not the one that was pinned.
    #[error("the certificate has changed: its fingerprint is {found}, not {expected}")]
    OtherCertificate {
        /// The one that was pinned.
        expected: Fingerprint,
        /// The one that was shown.
        found: Fingerprint,
    },
    /// Our own body could not be read or was not as long as announced.
    #[error("could not read what was to be sent")]
    RequestBody {
        /// Octets of the body given to the network before.
        body_octets_sent: u64,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The request was given to the network, or the printer stopped taking it, and nothing came
    /// back in time.
    #[error("no answer within {after:?}, with {body_octets_sent} octets sent")]
    NoAnswer {
        /// The time given.
        after: Duration,
        /// Octets of the body given to the network before.
        body_octets_sent: u64,
    },
    /// The connection ended before the answer did.
    #[error("the connection was closed before the answer was whole, with {body_octets_sent} octets sent")]
    Closed {
        /// Octets of the body given to the network before.
        body_octets_sent: u64,
        /// Why; `None` if it was closed in order.
        #[source]
        cause: Option<io::Error>,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than {limit} octets")]
    AnswerTooLarge {
        /// The limit.
        limit: u64,
        /// Octets of the request's body given to the network before.
        body_octets_sent: u64,
    },
    /// What came back is not HTTP.
    #[error("the answer is not valid HTTP: {what}")]
    Protocol {
        /// What is wrong with it.
        what: String,
        /// Octets of the request's body given to the network before.
        body_octets_sent: u64,
    },
}

impl ClientError {
    /// How many octets of the request's body were given to the network, and so may have been taken.
    ///
    /// 0 proves that no octet of the document arrived. A larger number proves nothing.
    #[must_use]
    pub const fn body_octets_sent(&self) -> u64 {
        match self {
            Self::Resolve { .. }
            | Self::Refused { .. }
            | Self::ConnectTimeOut { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::OtherCertificate { .. } => 0,
            Self::RequestBody { body_octets_sent, .. }
            | Self::NoAnswer { body_octets_sent, .. }
            | Self::Closed { body_octets_sent, .. }
            | Self::AnswerTooLarge { body_octets_sent, .. }
            | Self::Protocol { body_octets_sent, .. } => *body_octets_sent,
        }
    }

    /// Whether no connection came about: nobody has seen any of the request.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::Refused { .. } | Self::ConnectTimeOut { .. } | Self::Connect { .. })
    }

    /// Whether the other side is there but speaks nonsense, or too much of it.
    #[must_use]
    pub const fn is_nonsense(&self) -> bool {
        matches!(self, Self::AnswerTooLarge { .. } | Self::Protocol { .. })
    }
}
