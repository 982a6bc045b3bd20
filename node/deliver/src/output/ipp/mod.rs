//! IPP printers: Create-Job, Send-Document, and asking until the end (RFC 8011, PWG 5100.14).
//!
//! *Invariant:* what a printer sends is bounded (256 KiB, 1,000 attributes, the printer's time-out) and
//! never trusted: nonsense is the printer's fault and becomes a sentence.

mod call;
mod job;
mod profile;

use tympan_engine::{DeviceRef, Printer, ShortId};
use tympan_ipp::{GroupTag, Operation, Value};
use tympan_spooler::condition;

use super::{Answer, Answered, Canceling, Created, Document, Found, Later, Output, OutputTimes, Sent, Status, Ticket};
use call::{CallError, Caller};

/// The output to IPP printers.
#[derive(Debug)]
pub struct IppOutput {
    caller: Caller,
}

impl IppOutput {
    /// Makes it.
    pub fn new(times: OutputTimes) -> Self {
        Self { caller: Caller::new(times) }
    }

    async fn ask_printer(&self, printer: &Printer) -> Answer {
        let names = condition::ATTRIBUTES.iter().chain(profile::ATTRIBUTES).copied();
        let request =
            |request: tympan_ipp::Message| request.operation("requested-attributes", Value::keywords(names.clone()));
        let heard = match self.caller.ask(printer, request).await {
            Ok(heard) => heard,
            Err(CallError::NoAnswer { .. }) => return Answer::Silent,
            Err(CallError::Nonsense { why, .. }) => return Answer::Faulty(why),
        };
        let status = heard.message.status_code();
        if !status.is_successful() {
            return Answer::Faulty(format!("It refused to say how it is: {status}."));
        }
        let Some(group) = heard.message.group(GroupTag::Printer) else {
            return Answer::Faulty("Its answer says nothing about a printer.".into());
        };
        match condition::read(group) {
            Ok(condition) => Answer::Answered(Box::new(Answered {
                condition,
                profile: Some(profile::read(group)),
                up_time_secs: group.get("printer-up-time").and_then(tympan_ipp::Attribute::integer),
                fingerprint: heard.fingerprint,
            })),
            Err(why) => Answer::Faulty(why),
        }
    }
}

impl Output for IppOutput {
    fn ask<'a>(&'a self, printer: &'a Printer) -> Later<'a, Answer> {
        Box::pin(self.ask_printer(printer))
    }

    fn create_job<'a>(&'a self, printer: &'a Printer, ticket: &'a Ticket) -> Later<'a, Created> {
        Box::pin(job::create(&self.caller, printer, ticket))
    }

    fn send_document<'a>(
        &'a self,
        printer: &'a Printer,
        device: Option<&'a DeviceRef>,
        ticket: &'a Ticket,
        document: Document,
    ) -> Later<'a, Sent> {
        Box::pin(job::send(&self.caller, printer, device, ticket, document))
    }

    fn status<'a>(&'a self, printer: &'a Printer, device: &'a DeviceRef, short: ShortId) -> Later<'a, Status> {
        Box::pin(job::status(&self.caller, printer, device, short))
    }

    fn find<'a>(&'a self, printer: &'a Printer, short: ShortId) -> Later<'a, Found> {
        Box::pin(job::find(&self.caller, printer, short))
    }

    fn cancel<'a>(&'a self, printer: &'a Printer, device: &'a DeviceRef) -> Later<'a, Canceling> {
        Box::pin(job::cancel(&self.caller, printer, device))
    }

    fn identify<'a>(
        &'a self,
        printer: &'a Printer,
        actions: &'a [String],
        message: &'a str,
    ) -> Later<'a, Result<(), String>> {
        Box::pin(job::identify(&self.caller, printer, actions, message))
    }

    fn can_confirm(&self) -> bool {
        true
    }
}

/// Whether a printer said that it can do an operation; one that said nothing is taken to.
fn can(printer: &Printer, operation: Operation) -> bool {
    let operations = printer.profile.as_ref().map(|profile| profile.operations.as_slice()).unwrap_or_default();
    operations.is_empty() || operations.contains(&operation.0)
}
