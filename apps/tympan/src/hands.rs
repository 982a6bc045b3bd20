//! What the console cannot do itself: asking devices, making test pages. And accounts kept by the file.

use crate::config::AccountEntry;
use crate::node::{Node, OWNER};
use anyhow::Result;
use mail_builder::MessageBuilder;
use std::collections::BTreeSet;
use tympan_console::{Found, Later, Passwords};
use tympan_deliver::{Answer, Delivery, TestPage};
use tympan_engine::{
    Account, DocumentId, JobOptions, JobSource, JobUuid, Language, Originator, Printer, PrinterEvent, PrinterUuid,
    Private, Right,
};
use tympan_spooler::registrations::canonical_address;
use tympan_spooler::{Spooler, Submission, Submitted, Target};
use tympan_store::Whose;

/// The console's hands.
pub(crate) struct Hands {
    spooler: Spooler,
    delivery: Delivery,
    domain: String,
    url: String,
}

impl Hands {
    /// Hands over a queue and its outputs.
    pub(crate) const fn new(spooler: Spooler, delivery: Delivery, domain: String, url: String) -> Self {
        Self { spooler, delivery, domain, url }
    }

    fn test_page_of(&self, printer: &Printer) -> Vec<u8> {
        let zone = jiff::tz::TimeZone::system();
        TestPage::of(printer, &self.domain, Some(&self.url), self.spooler.now(), &zone).pdf()
    }
}

impl tympan_console::Hands for Hands {
    fn ask_device<'a>(&'a self, device: &'a str, language: Language) -> Later<'a, Result<Found, String>> {
        Box::pin(async move {
            let now = self.spooler.now();
            let printer = Printer::new(OWNER, PrinterUuid::from_parts(now, self.spooler.random()), "new", device, now);
            match self.delivery.ask(&printer).await {
                Answer::Answered(answered) => Ok(Found { profile: answered.profile, condition: answered.condition }),
                Answer::Silent => Err(match language {
                    Language::En => format!(
                        "{device} did not answer. Is the printer switched on, and is the address right? Many printers take ipp://ADDRESS/ipp/print."
                    ),
                    Language::Ja => format!(
                        "{device} から応答がありません。プリンターの電源とアドレスを確認してください。多くのプリンターは ipp://アドレス/ipp/print で使えます。"
                    ),
                }),
                Answer::Faulty(why) => Err(why),
            }
        })
    }

    fn ask_printer<'a>(&'a self, printer: &'a Printer, language: Language) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let event = match self.delivery.ask(printer).await {
                Answer::Answered(answered) => {
                    if let Some(profile) = answered.profile {
                        let learned = PrinterEvent::Learned(profile.into());
                        let _ =
                            self.spooler.printer_event(Whose::Owner(printer.owner), printer.uuid, learned, None).await;
                    }
                    PrinterEvent::Answered(answered.condition)
                }
                Answer::Silent => PrinterEvent::Silent,
                Answer::Faulty(why) => PrinterEvent::Faulty(why),
            };
            let whose = Whose::Owner(printer.owner);
            let after = self
                .spooler
                .printer_event(whose, printer.uuid, event, None)
                .await
                .map_err(|error| error.to_string())?;
            match after.condition.trouble_for_all() {
                None => Ok(()),
                Some(trouble) => Err(tympan_engine::words::trouble(&trouble, language)),
            }
        })
    }

    fn test_page<'a>(&'a self, printer: &'a Printer, originator: Originator) -> Later<'a, Result<JobUuid, String>> {
        Box::pin(async move {
            let pdf = self.test_page_of(printer);
            let id = DocumentId::from_parts(self.spooler.now(), self.spooler.random());
            let document = self.spooler.documents().store(id, &pdf).await.map_err(|error| error.to_string())?;
            let submission = Submission {
                targets: vec![Target {
                    printer: printer.clone(),
                    registration: None,
                    source: JobSource::TestPage,
                    duplicate_key: None,
                }],
                name: "Test page".into(),
                originator,
                options: JobOptions::default(),
                priority: 50,
                document: Some(Submitted { document, format: "application/pdf".into(), name: "test-page.pdf".into() }),
                remarks: Vec::new(),
                holds: BTreeSet::new(),
                release_at: None,
                pin: None,
            };
            let accepted = self.spooler.accept(submission).await.map_err(|error| error.to_string())?;
            accepted.first().map(|accepted| accepted.job).ok_or_else(|| "nothing was accepted".into())
        })
    }
}

/// Brings an account to what stands in the file.
pub(crate) async fn apply_account(spooler: &Spooler, entry: &AccountEntry, password: &str) -> Result<()> {
    let passwords = Passwords::default();
    let name = entry.name.to_lowercase();
    let addresses = entry.addresses.iter().map(|address| canonical_address(address)).collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<Private<String>> = addresses.into_iter().map(Into::into).collect();
    let found = spooler.records().account_by_name(Whose::Owner(OWNER), &name).await?;
    match found {
        Some(row) => {
            let mut account = row.record;
            account.addresses = addresses;
            spooler.save_account(account, row.version).await?;
            tympan_console::reset_password(spooler, &passwords, OWNER, &entry.name, password).await?;
        }
        None => {
            let language = Language::En;
            tympan_console::new_account(spooler, &passwords, OWNER, &entry.name, password, Right::Print, language)
                .await?;
            if let Some(row) = spooler.records().account_by_name(Whose::Owner(OWNER), &name).await? {
                let account = Account { addresses, ..row.record };
                spooler.save_account(account, row.version).await?;
            }
        }
    }
    Ok(())
}

/// The demo's welcome mail: a text and a PDF.
pub(crate) fn welcome_mail(node: &Node, from: &str, to: &str) -> Result<Vec<u8>> {
    let now = node.spooler.now();
    let mut printer = Printer::new(OWNER, PrinterUuid([0; 16]), "office", "ipp://localhost/", now);
    printer.info = "Welcome to Tympan".into();
    let zone = jiff::tz::TimeZone::system();
    let pdf = TestPage::of(&printer, "localhost", Some(&node.url), now, &zone).pdf();
    Ok(MessageBuilder::new()
        .from(from.to_owned())
        .to(to.to_owned())
        .subject("Welcome to Tympan")
        .text_body("This mail came in through the mail door; the PDF in it comes out as a page.\r\n")
        .attachment("application/pdf", "welcome.pdf", pdf)
        .write_to_vec()?)
}

/// Makes devices make themselves known.
pub(crate) struct Identifying(pub(crate) Delivery);

impl tympan_receive::Identify for Identifying {
    fn identify<'a>(
        &'a self,
        printer: &'a Printer,
        actions: &'a [String],
        message: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.0.identify(printer, actions, message))
    }
}
