//! What the door writes by mail, in English and Japanese: answers to commands, and who of several did not get a job.
//!
//! Only ever to a sender who is proven, and never with a part of what was received (RFC 3834 section 4).

use tympan_engine::admit::Denied;
use tympan_engine::{Language, Millis, Printer, ShortId, words};

/// A mail that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Where a printer is reached, for the links and addresses in a letter.
pub(crate) struct Place<'a> {
    pub(crate) printer: &'a Printer,
    pub(crate) domain: &'a str,
    pub(crate) base_url: &'a str,
    /// The address of the mailbox that is read for the printer, where its own domain receives no mail.
    pub(crate) mailbox: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// The place of a printer that was written to at an address.
    pub(crate) fn of(printer: &'a Printer, written: &'a str, options: &'a super::SmtpOptions) -> Self {
        let domain = written.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let ours = options.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain));
        Place { printer, domain, base_url: &options.base_url, mailbox: (!ours).then_some(written) }
    }

    fn address(&self) -> String {
        let Some(mailbox) = self.mailbox else { return format!("{}@{}", self.printer.name, self.domain) };
        let commands = ["+register@", "+keep@", "+cancel@"];
        match commands.iter().find_map(|command| mailbox.split_once(command)) {
            Some((name, domain)) => format!("{name}@{domain}"),
            None => mailbox.to_owned(),
        }
    }

    fn command(&self, command: &str) -> String {
        let address = self.address();
        let (name, domain) = address.rsplit_once('@').unwrap_or((&address, self.domain));
        // Behind the plus a mailbox's address may have a printer.
        format!("{}+{command}@{domain}", name.split('+').next().unwrap_or(name))
    }
}

/// The sender may print now.
pub(crate) fn registered(place: &Place<'_>, kept: Millis, settings: &str, language: Language) -> Letter {
    let (info, address, kept) = (&place.printer.info, place.address(), words::span(kept, language));
    let (keep, cancel) = (place.command("keep"), place.command("cancel"));
    match language {
        Language::En => Letter {
            subject: format!("{info}: you can print now"),
            text: format!(
                "You can print at {info}: send a mail with your document to {address}.\n\n\
                 If the printer cannot print, your mail waits for {kept} and you are told. To change that, write for \
                 example \"3 days\" in the subject of a mail to {keep}. To cancel a job, write its number in the \
                 subject of a mail to {cancel}.\n\nWhat you can set, and how to leave:\n{settings}\n\n\
                 Printers and jobs: {}/\n",
                place.base_url
            ),
        },
        Language::Ja => Letter {
            subject: format!("{info}: 印刷できるようになりました"),
            text: format!(
                "{info} で印刷できます。文書を添付したメールを {address} に送ってください。\n\n\
                 プリンターが印刷できないときは、メールを {kept} 保管し、お知らせします。保管期間を変えるには、件名に\
                 「3日」などと書いて {keep} に送ってください。ジョブを取り消すには、件名に番号を書いて {cancel} に\
                 送ってください。\n\n設定の変更・登録の解除:\n{settings}\n\nプリンターとジョブ: {}/\n",
                place.base_url
            ),
        },
    }
}

/// The printer's owner has to approve.
pub(crate) fn requested(place: &Place<'_>, language: Language) -> Letter {
    let (info, address) = (&place.printer.info, place.address());
    match language {
        Language::En => Letter {
            subject: format!("{info}: your request was received"),
            text: format!(
                "You asked to print at {info} ({address}). The printer's owner has to approve first; until then mails \
                 from you are refused. Nothing was printed.\n"
            ),
        },
        Language::Ja => Letter {
            subject: format!("{info}: 登録の申し込みを受け付けました"),
            text: format!(
                "{info}（{address}）での印刷の申し込みを受け付けました。プリンターの所有者が承認するまで、あなたからの\
                 メールは受け付けられません。何も印刷していません。\n"
            ),
        },
    }
}

/// Retention was changed.
pub(crate) fn kept(place: &Place<'_>, kept: Millis, follows: bool, language: Language) -> Letter {
    let (info, kept) = (&place.printer.info, words::span(kept, language));
    match language {
        Language::En => Letter {
            subject: format!("{info}: your waiting jobs are kept {kept}"),
            text: format!(
                "Your jobs that wait at {info} are kept for {kept} from now on, then deleted and you are told. {}\n",
                if follows {
                    "Jobs that wait already follow the new time."
                } else {
                    "Jobs that wait already keep the time they had."
                }
            ),
        },
        Language::Ja => Letter {
            subject: format!("{info}: 待機中のジョブの保管期間は {kept} です"),
            text: format!(
                "{info} で待機するジョブを今後 {kept} 保管し、過ぎたら削除してお知らせします。{}\n",
                if follows {
                    "すでに待機しているジョブも新しい期間に従います。"
                } else {
                    "すでに待機しているジョブの期間は変わりません。"
                }
            ),
        },
    }
}

/// A job was cancelled, or is being.
pub(crate) fn canceled(jobs: &[(ShortId, bool)], language: Language) -> Letter {
    let list = |over: bool| {
        let numbers: Vec<String> = jobs.iter().filter(|job| job.1 == over).map(|job| job.0.to_string()).collect();
        numbers.join(", ")
    };
    let (done, going) = (list(true), list(false));
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    match language {
        Language::En => {
            if !done.is_empty() {
                say(format!("Cancelled and deleted: {done}. Nothing of it is printed."));
            }
            if !going.is_empty() {
                say(format!("Being cancelled at the printer: {going}. Some pages may already have come out."));
            }
            Letter { subject: format!("Cancelled: {}", if done.is_empty() { &going } else { &done }), text }
        }
        Language::Ja => {
            if !done.is_empty() {
                say(format!("取り消して削除しました: {done}。印刷されません。"));
            }
            if !going.is_empty() {
                say(format!("プリンターで取り消しています: {going}。すでに出たページがあるかもしれません。"));
            }
            Letter { subject: format!("取り消しました: {}", if done.is_empty() { &going } else { &done }), text }
        }
    }
}

/// Of several printers some did not take the mail.
pub(crate) fn some_refused(refused: &[(Place<'_>, Denied)], language: Language) -> Letter {
    let mut text = match language {
        Language::En => "Your mail was taken for some of its recipients, but not for these:\n\n".to_owned(),
        Language::Ja => "メールは一部の宛先で受け付けましたが、次の宛先では受け付けませんでした。\n\n".to_owned(),
    };
    for (place, why) in refused {
        let page = super::texts::register_page(place.base_url, &place.printer.name);
        let why = match (why, language) {
            (Denied::NotRegistered, Language::En) => {
                format!("you are not registered there. Register at {page}")
            }
            (Denied::NotRegistered, Language::Ja) => {
                format!("登録されていません。登録はこちら: {page}")
            }
            (Denied::NotApproved, Language::En) => "its owner has not approved you yet.".to_owned(),
            (Denied::NotApproved, Language::Ja) => "所有者がまだ承認していません。".to_owned(),
            (Denied::NotAccepting, Language::En) => "it takes no jobs at present.".to_owned(),
            (Denied::NotAccepting, Language::Ja) => "現在ジョブを受け付けていません。".to_owned(),
        };
        text.push_str(&format!("- {} ({}): {why}\n", place.printer.info, place.address()));
    }
    let names: Vec<&str> = refused.iter().map(|(place, _)| place.printer.info.as_str()).collect();
    let subject = match language {
        Language::En => format!("Not taken for {}", names.join(", ")),
        Language::Ja => format!("{} では受け付けませんでした", names.join("、")),
    };
    Letter { subject, text }
}

/// A mail that came by a mailbox was not taken: what a dialogue would have said.
pub(crate) fn refused(subject: &str, why: &str, language: Language) -> Letter {
    let named = if subject.is_empty() { "-" } else { subject };
    match language {
        Language::En => Letter {
            subject: format!("Not printed: {named}"),
            text: format!("Your mail \"{named}\" was not printed:\n\n{why}\n"),
        },
        Language::Ja => Letter {
            subject: format!("印刷されませんでした: {named}"),
            text: format!("メール「{named}」は印刷されませんでした。\n\n{why}\n"),
        },
    }
}

/// Words in a subject that are not known, as a remark on the job.
pub(crate) fn unknown_words(unknown: &[String], language: Language) -> String {
    let list = unknown.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    match language {
        Language::En => {
            format!("These words in the subject are not known and changed nothing: {list}.")
        }
        Language::Ja => format!("件名の次の語は分からないため、無視しました: {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::{OwnerId, PrinterUuid, Timestamp};

    #[test]
    fn every_letter_has_words_in_both_languages_and_the_addresses_one_needs() {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([2; 16]), "office", "x", Timestamp(0));
        printer.info = "Office".into();
        let options = crate::SmtpOptions {
            domains: vec!["print.example".into()],
            base_url: "https://print.example".into(),
            ..crate::SmtpOptions::default()
        };
        let place = || Place::of(&printer, "office@print.example", &options);
        let mailbox = Place::of(&printer, "me+register@mail.example", &options);
        assert_eq!(
            (mailbox.address(), mailbox.command("keep")),
            ("me@mail.example".into(), "me+keep@mail.example".into())
        );
        let short = ShortId(*b"7K3M22QD");
        for language in [Language::En, Language::Ja] {
            let letters = [
                registered(&place(), 86_400_000, "http://print.example/r/secret", language),
                requested(&place(), language),
                kept(&place(), 86_400_000, true, language),
                canceled(&[(short, true), (short, false)], language),
                refused("Invoice", "No printer takes mail from you.", language),
                some_refused(&[(place(), Denied::NotRegistered), (place(), Denied::NotApproved)], language),
            ];
            for letter in &letters {
                assert!(!letter.subject.is_empty() && !letter.subject.contains('\n'), "{letter:?}");
                assert!(letter.text.ends_with('\n'), "{letter:?}");
            }
            assert!(
                letters[0].text.contains("office@print.example")
                    && letters[0].text.contains("office+keep@print.example")
            );
            assert!(letters[5].text.contains("https://print.example/register/office"));
        }
    }
}
