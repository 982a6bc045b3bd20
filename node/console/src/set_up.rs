//! The first account: whoever reads the code in the server's terminal makes it. Afterwards there is no such page.

use crate::policy::same;
use std::sync::{Mutex, PoisonError};
use tympan_engine::{JobUuid, ShortId};
use tympan_spooler::Spooler;

/// The one-time code; `None` once there is an account.
#[derive(Debug)]
pub(crate) struct SetUp {
    code: Mutex<Option<ShortId>>,
    /// Two who type the code at the same time make one account.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl SetUp {
    pub(crate) fn new(spooler: &Spooler, needed: bool) -> Self {
        // Eight Crockford characters: 40 random bits, good for one process and a handful of tries a minute.
        let code = needed.then(|| JobUuid(spooler.random::<16>()).short());
        Self { code: Mutex::new(code), turn: tokio::sync::Mutex::default() }
    }

    fn code(&self) -> Option<ShortId> {
        *self.code.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is an account.
    pub(crate) fn is_done(&self) -> bool {
        self.code().is_none()
    }

    /// The code as it is shown, `7K3M-22QD`.
    pub(crate) fn shown(&self) -> Option<String> {
        let code = self.code()?.to_string();
        Some(format!("{}-{}", &code[..4], &code[4..]))
    }

    /// Whether this is the code.
    pub(crate) fn fits(&self, typed: &str) -> bool {
        match (self.code(), ShortId::parse(typed.trim())) {
            (Some(code), Some(typed)) => same(&code.to_string(), &typed.to_string()),
            _ => false,
        }
    }

    /// The first account was made.
    pub(crate) fn finish(&self) {
        *self.code.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
