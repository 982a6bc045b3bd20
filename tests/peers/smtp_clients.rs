//! swaks, smtplib and smtp-source deliver what they are given.

use std::time::Duration;

use tympan_tests::peers::{self, SmtpSink, SmtpSource, Smtplib, Swaks};
use tympan_tests::sink::Stage;
use tympan_tests::{MailSink, TestMail, samples, wait_until};

fn mail() -> Vec<u8> {
    TestMail::new("anna@sender.example", "office@print.example")
        .subject("Invoice")
        .text("hello\n.a line with a dot\n")
        .attach("invoice.pdf", "application/pdf", samples::pdf(1))
        .build()
}

#[test]
fn swaks_delivers_a_mail_octet_for_octet() {
    if !peers::need("swaks") {
        return;
    }
    let sink = MailSink::start();
    let mail = mail();
    let result = Swaks::new(sink.address(), "anna@sender.example", "office@print.example").mail(mail.clone()).send();
    assert_eq!(result.exit_code, 0, "{}", result.output);
    assert!(result.says("354 "), "{:?}", result.replies);
    let caught = &sink.wait_for(1)[0];
    assert_eq!(caught.reverse_path, "anna@sender.example");
    assert!(caught.octets.starts_with(&mail), "{}", caught.text());
}

#[test]
fn swaks_shows_a_refusal() {
    if !peers::need("swaks") {
        return;
    }
    let sink = MailSink::start();
    sink.answer_next(Stage::Data, "550 5.7.1 not you");
    let result = Swaks::new(sink.address(), "", "office@print.example").mail(mail()).send();
    assert_ne!(result.exit_code, 0);
    assert!(result.says("550 5.7.1"), "{}", result.output);
    assert!(result.output.contains("MAIL FROM:<>"), "{}", result.output);
}

#[test]
fn smtplib_tells_which_recipients_were_refused() {
    if !peers::need("python3") {
        return;
    }
    let sink = MailSink::start();
    sink.answer_next(Stage::Rcpt, "550 5.1.1 nobody here");
    let to = ["nobody@print.example", "office@print.example"];
    let result = Smtplib::new(sink.address(), "anna@sender.example", &to, &mail()).send();
    assert!(result.accepted);
    assert_eq!(result.refused, [("nobody@print.example".to_owned(), 550)]);
    assert!(result.extensions.contains(&"pipelining".to_owned()), "{:?}", result.extensions);
    assert_eq!(sink.wait_for(1)[0].recipients, ["office@print.example"]);
}

#[test]
fn smtp_source_fills_smtp_sink() {
    if !peers::need("smtp-source") || !peers::need("smtp-sink") {
        return;
    }
    let sink = SmtpSink::start();
    let mut source = SmtpSource::new(sink.address(), "load@sender.example", "office@print.example");
    source.mails = 20;
    source.sessions = 4;
    source.octets = 10_000;
    source.run(Duration::from_secs(60)).expect_success();
    wait_until("20 files", || sink.files().len() == 20);
    let file = std::fs::read_to_string(&sink.files()[0]).unwrap();
    assert!(file.contains("office@print.example") && file.len() > 10_000, "{file}");
}
