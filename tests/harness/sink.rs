//! The mail sink, fed by a client that we did not write.

use tympan_tests::peers::{self, Smtplib};
use tympan_tests::sink::Stage;
use tympan_tests::{MailSink, TestMail};

#[test]
fn keeps_a_mail_as_it_was_sent() {
    if !peers::need("python3") {
        return;
    }
    let sink = MailSink::start();
    let mail =
        TestMail::new("anna@sender.example", "office@print.example").subject("Hello").text("one\n.two\n").build();
    let recipients = ["office@print.example", "lobby@print.example"];
    let result = Smtplib::new(sink.address(), "anna@sender.example", &recipients, &mail).send();
    assert!(result.accepted, "{result:?}");
    let caught = &sink.wait_for(1)[0];
    assert_eq!(caught.reverse_path, "anna@sender.example");
    assert_eq!(caught.recipients, recipients);
    assert!(caught.octets.starts_with(&mail), "{}", caught.text());
}

#[test]
fn answers_as_it_was_told_and_only_once() {
    if !peers::need("python3") {
        return;
    }
    let sink = MailSink::start();
    sink.answer_next(Stage::Rcpt, "450 4.2.0 later");
    let send = || Smtplib::new(sink.address(), "a@b.example", &["c@d.example"], b"Subject: x\r\n\r\ny\r\n").send();
    let first = send();
    assert_eq!((first.accepted, first.code), (false, Some(450)));
    assert!(sink.mails().is_empty());
    assert!(send().accepted);
    assert_eq!((sink.wait_for(1).len(), sink.connections()), (1, 2));
}
