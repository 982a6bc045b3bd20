//! Dovecot keeps the mailbox that is read (A01): whatever happens between taking a mail and moving it, it is taken once.

use tympan_tests::peers::Dovecot;
use tympan_tests::zone::DnsFailure;
use tympan_tests::{MailDomain, TestMail, ZoneServer, wait_until};

use super::office::{ANNA, Office, Wishes};

fn section(dovecot: &Dovecot, lines: &str) -> String {
    format!(
        "[intake.imap]\nhost = \"localhost:{}\"\nca-file = \"{}\"\nuser = \"{}\"\npassword-file = \"{}\"\n{lines}\n",
        dovecot.tls().port(),
        dovecot.certificate().display(),
        dovecot.user(),
        dovecot.password_file().display(),
    )
}

fn mail(subject: &str) -> TestMail {
    TestMail::new(ANNA, "print@mail.example").subject(subject).text("Hello\n")
}

/// As a provider passes it on that has found DMARC in order.
fn vouched(mail: &[u8]) -> Vec<u8> {
    let line = "Authentication-Results: mx.mail.example;\r\n dkim=pass header.d=sender.example;\r\n dmarc=pass \
                (p=REJECT) header.from=sender.example\r\n";
    [line.as_bytes(), mail].concat()
}

const NAMED: &str = "authserv-id = \"mx.mail.example\"\nprinter = \"office\"";

/// A DNS server in which nothing stands.
fn no_zone() -> ZoneServer {
    ZoneServer::start()
}

fn open(dovecot: &Dovecot, zone: &ZoneServer, lines: &str) -> Office {
    let more = section(dovecot, lines);
    Office::open_with(&Wishes { more: &more, dns: Some(zone.address()), ..Wishes::default() })
}

fn wait_until_read(office: &Office) {
    wait_until("the mailbox is read", || office.log().contains("Reads a mailbox"));
}

#[test]
fn a01_mails_in_a_mailbox_are_printed_or_refused_and_moved() {
    if !Dovecot::need() {
        return;
    }
    let (dovecot, zone) = (Dovecot::start(), no_zone());
    dovecot.deliver(&vouched(&mail("Older").build()));
    let office = open(&dovecot, &zone, NAMED);
    wait_until_read(&office);
    dovecot.deliver(&vouched(&mail("Invoice").build()));
    office.printer.wait_for_pages(1);
    dovecot.wait_for_mails("Printed", 1);
    // Forged: no word of the provider, and no signature.
    dovecot.deliver(&mail("Forged").build());
    dovecot.wait_for_mails("Not printed", 1);
    // Proven, but a stranger here: told by a letter.
    let stranger = TestMail::new("bob@sender.example", "print@mail.example").subject("Leaflet").text("x\n").build();
    dovecot.deliver(&vouched(&stranger));
    dovecot.wait_for_mails("Not printed", 2);
    let letter = office.wait_for_notice("Not printed: Leaflet");
    assert!(letter.contains("bob@sender.example") && letter.contains("/register/office"), "{letter}");
    assert_eq!(office.notices().len(), 1, "nobody is written to who is not proven");
    // What was there before the mailbox was first read stays.
    dovecot.wait_for_mails("INBOX", 1);
    assert_eq!(office.jobs().len(), 1);
    assert_eq!(office.jobs()[0]["name"], "Invoice");
}

#[test]
fn a01_a_signature_proves_where_no_provider_is_named_and_a_plus_names_the_printer() {
    if !Dovecot::need() {
        return;
    }
    let (dovecot, zone) = (Dovecot::start(), ZoneServer::start());
    let domain = MailDomain::publish(&zone, "sender.example");
    let office = open(&dovecot, &zone, "");
    wait_until_read(&office);
    let mail = TestMail::new(ANNA, "print+office@mail.example").subject("Signed").text("Hello\n").build();
    dovecot.deliver(&domain.sign(&mail));
    office.printer.wait_for_pages(1);
    dovecot.wait_for_mails("Printed", 1);
    // A word of a provider that nobody named proves nothing.
    dovecot.deliver(&vouched(&self::mail("Forged").build()));
    dovecot.wait_for_mails("Not printed", 1);
    // A command, and a sender's registrations that choose the printer.
    let command = TestMail::new(ANNA, "print+keep@mail.example").subject("3 days").text("\n").build();
    dovecot.deliver(&domain.sign(&command));
    let letter = office.wait_for_notice("3 days");
    assert!(letter.contains("are kept 3 days"), "{letter}");
    dovecot.deliver(&domain.sign(&self::mail("[2 copies]").build()));
    office.printer.wait_for_pages(3);
    assert_eq!(office.jobs().len(), 2);
}

#[test]
fn a01_a_mail_is_taken_once_whenever_the_server_dies() {
    if !Dovecot::need() {
        return;
    }
    let (dovecot, zone) = (Dovecot::start(), no_zone());
    let mut office = open(&dovecot, &zone, NAMED);
    wait_until_read(&office);
    let nameless: Vec<u8> = {
        let mail = String::from_utf8(mail("Nameless").build()).expect("a mail in ASCII");
        let kept: Vec<&str> = mail.split_inclusive("\r\n").filter(|line| !line.starts_with("Message-ID:")).collect();
        kept.concat().into_bytes()
    };
    for (number, point) in ["C2", "C3", "C17", "C18"].into_iter().enumerate() {
        for (at, mail) in [mail(&format!("Number {point}")).build(), nameless.clone()].iter().enumerate() {
            office.kill();
            office.start_dying_at(point);
            dovecot.deliver(&vouched(mail));
            office.wait_for_death();
            office.start();
            dovecot.wait_for_mails("Printed", number * 2 + at + 1);
        }
    }
    dovecot.wait_for_mails("INBOX", 0);
    wait_until("all is printed", || office.jobs().iter().all(|job| job["state"] == "completed"));
    assert_eq!(office.jobs().len(), 8, "{:?}", office.jobs());
}

#[test]
fn a01_a_mailbox_that_was_away_is_read_again_and_an_old_server_is_polled() {
    if !Dovecot::need() {
        return;
    }
    // Neither IDLE nor MOVE nor UIDPLUS.
    let (dovecot, zone) = (Dovecot::start_with("imap_capability = IMAP4rev1"), no_zone());
    let lines = format!("{NAMED}\npoll = \"50 ms\"\ndone-folder = \"印刷済み\"\nrefused-folder = \"R&D\"");
    let more = section(&dovecot, &lines).replace(
        &format!(":{}\"", dovecot.tls().port()),
        &format!(":{}\"\ntls = \"starttls\"", dovecot.plain().port()),
    );
    let office = Office::open_with(&Wishes { more: &more, dns: Some(zone.address()), ..Wishes::default() });
    wait_until_read(&office);
    dovecot.deliver(&vouched(&mail("Invoice").build()));
    office.printer.wait_for_pages(1);
    dovecot.wait_for_mails("&U3BSN24IMH8-", 1);
    dovecot.deliver(&mail("Forged").build());
    dovecot.wait_for_mails("R&-D", 1);
    // Copied, then deleted.
    dovecot.wait_for_mails("INBOX", 0);
}

#[test]
fn a01_one_mail_that_makes_trouble_does_not_stop_the_others() {
    if !Dovecot::need() {
        return;
    }
    let (dovecot, zone) = (Dovecot::start(), ZoneServer::start());
    let domain = MailDomain::publish(&zone, "sender.example");
    let office = open(&dovecot, &zone, "printer = \"office\"");
    wait_until_read(&office);
    // Whose name servers do not answer is late; whose do goes on.
    let late = TestMail::new("eve@slow.example", "print+register@mail.example").subject("x").text("x\n").build();
    let slow = MailDomain::publish(&zone, "slow.example");
    let late = slow.sign(&late);
    zone.fail("_dmarc.slow.example", Some(DnsFailure::ServerFailure));
    dovecot.deliver(&late);
    wait_until("it could not be taken", || office.log().contains("Could not take a mail now"));
    for number in ["One", "Two"] {
        dovecot.deliver(&domain.sign(&mail(number).build()));
    }
    office.printer.wait_for_pages(2);
    dovecot.wait_for_mails("Printed", 2);
    dovecot.wait_for_mails("INBOX", 1);
    // A printer that is misspelt is told, and the mail does not come out at another.
    let lost = TestMail::new(ANNA, "print+ofice@mail.example").subject("Misspelt").text("x\n").build();
    dovecot.deliver(&domain.sign(&lost));
    let letter = office.wait_for_notice("Not printed: Misspelt");
    assert!(letter.contains("print+ofice@mail.example"), "{letter}");
    dovecot.wait_for_mails("Not printed", 1);
    assert_eq!(office.jobs().len(), 2);
}

#[test]
fn a01_a_wrong_password_or_certificate_is_said_and_nothing_else_stops() {
    if !Dovecot::need() {
        return;
    }
    let dovecot = Dovecot::start();
    let wrong = |replace: (&str, &str)| {
        let more = section(&dovecot, "").replace(replace.0, replace.1);
        Office::open_with(&Wishes { more: &more, ..Wishes::default() })
    };
    let office = wrong((dovecot.user(), "nobody@mail.example"));
    wait_until("it says that nobody is let in", || office.log().contains("did not take user and password"));
    assert!(office.send(ANNA, &["office@print.example"], &mail("By SMTP").build()).starts_with("250"));
    let office = wrong(("\"localhost", "\"127.0.0.1"));
    wait_until("it says that the certificate is of another", || office.log().contains("could not speak TLS"));
}
