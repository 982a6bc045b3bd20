//! Python's smtplib, the SMTP client of a thousand scripts and devices.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::command;
use crate::process::Process;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The script that does what [`Smtplib::send`] is told.
const SCRIPT: &str = include_str!("../../peers/smtplib_send.py");

/// One mail sent by smtplib. Needs `python3`.
#[derive(Clone, Debug)]
pub struct Smtplib {
    request: Value,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SmtplibResult {
    /// Whether the mail was taken for at least one recipient.
    pub accepted: bool,
    /// The reply that refused everything, if one did.
    pub code: Option<u64>,
    /// Its text.
    pub text: String,
    /// Recipients that were refused while others were not, each with its code.
    pub refused: Vec<(String, u64)>,
    /// The keywords of the reply to EHLO, lower case.
    pub extensions: Vec<String>,
}

impl Smtplib {
    /// A mail for a server.
    #[must_use]
    pub fn new(server: SocketAddr, from: &str, to: &[&str], mail: &[u8]) -> Self {
        Self {
            request: json!({
                "host": server.ip().to_string(),
                "port": server.port(),
                "from": from,
                "to": to,
                "mail": BASE64.encode(mail),
            }),
        }
    }

    /// STARTTLS first, whatever the certificate.
    #[must_use]
    pub fn starttls(mut self) -> Self {
        self.request["starttls"] = Value::Bool(true);
        self
    }

    /// AUTH with the mechanism that smtplib prefers among those offered.
    #[must_use]
    pub fn auth(mut self, user: &str, password: &str) -> Self {
        self.request["user"] = user.into();
        self.request["password"] = password.into();
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// When Python cannot be run, hangs, or fails otherwise than by a reply of the server.
    #[track_caller]
    pub fn send(&self) -> SmtplibResult {
        let mut python = command("python3");
        python.args(["-I", "-c", SCRIPT]);
        let output = Process::run_with_input("smtplib", &mut python, self.request.to_string()).expect_success();
        let line = output.lines().last().unwrap_or_default();
        let result: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("smtplib said:\n{output}"));
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        SmtplibResult {
            accepted: result["accepted"].as_bool().unwrap_or(false),
            code: result["code"].as_u64(),
            text: result["text"].as_str().unwrap_or_default().to_owned(),
            refused: result["refused"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(address, code)| (address.clone(), code.as_u64().unwrap_or(0)))
                .collect(),
            extensions: texts(&result["extensions"]),
        }
    }
}
