//! People who sign in, their rights, their sessions, and tokens for programs.

use crate::{AccountId, Language, OwnerId, PrinterUuid, Private, Timestamp};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What somebody may do with a printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Print, and see and control one's own jobs.
    Print,
    /// See and control everybody's jobs, pause, decide doubts.
    Operate,
    /// Change the printer, its registrations and its policy.
    Own,
}

/// A person or a service that signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose place this is.
    pub owner: OwnerId,
    /// The key.
    pub id: AccountId,
    /// The name typed at sign-in, in canonical form (lower case), unique.
    pub name: String,
    /// Mail addresses proven to be this person's, in canonical form.
    pub addresses: Vec<Private<String>>,
    /// PHC string of the password (argon2id); `None`: cannot sign in by password.
    pub password_hash: Option<Private<String>>,
    /// The right at every printer of the owner.
    pub right: Right,
    /// More rights at single printers.
    pub printer_rights: Vec<(PrinterUuid, Right)>,
    /// The language of pages.
    pub language: Language,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// The right at one printer.
    pub fn right_at(&self, printer: PrinterUuid) -> Right {
        self.printer_rights
            .iter()
            .filter(|(at, _)| *at == printer)
            .map(|(_, right)| *right)
            .fold(self.right, core::cmp::max)
    }
}

/// A signed-in browser. The key is the SHA-256 of an opaque token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose place this is.
    pub owner: OwnerId,
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Who signed in.
    pub account: AccountId,
    /// Value that unsafe requests must repeat.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "scope")]
pub enum TokenScope {
    /// Report the state of one printer (Update-Output-Device-Attributes).
    Report {
        /// The printer.
        printer: PrinterUuid,
    },
    /// Everything the console can do; for the command line.
    Admin,
    /// What an account may do: a password for one program (an "app password"), or the only one of an account for
    /// programs.
    Account {
        /// The account.
        account: AccountId,
    },
    /// Bring printers here, and print on them: a machine that was paired ([`crate::pairing`]).
    Agent {
        /// What it is called.
        name: String,
        /// Who paired it.
        account: AccountId,
    },
    /// See and change one registration without signing in: the link in a notice.
    Registration {
        /// The registration.
        registration: crate::RegistrationId,
    },
    /// See and decide one job without signing in: the link in a notice.
    Job {
        /// The job.
        job: crate::JobUuid,
    },
}

impl TokenScope {
    /// The path of the page that a link with this token opens: for the scopes of notices a page of its own.
    pub fn path(&self, token: &str) -> String {
        match self {
            Self::Job { .. } => alloc::format!("/j/{token}"),
            Self::Registration { .. } => alloc::format!("/r/{token}"),
            Self::Report { .. } | Self::Admin | Self::Account { .. } | Self::Agent { .. } => "/".into(),
        }
    }
}

/// A bearer token. Only its SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Whose place this is.
    pub owner: OwnerId,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// What it is good for.
    pub scope: TokenScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

impl Token {
    /// What people call it: the first eight digits of its hash, which give nothing of the token away.
    pub fn id(&self) -> String {
        self.token_hash[..4].iter().fold(String::new(), |id, octet| alloc::format!("{id}{octet:02x}"))
    }

    /// Whether somebody asked for it, rather than a letter that holds a link.
    pub const fn is_made_by_hand(&self) -> bool {
        matches!(
            self.scope,
            TokenScope::Admin | TokenScope::Report { .. } | TokenScope::Account { .. } | TokenScope::Agent { .. }
        )
    }
}
