//! Postfix passes a mail on, keeps it while nobody takes it, and leaves nothing behind.

use std::path::Path;

use tympan_tests::peers::{self, Postfix, SmtpSink, Swaks};
use tympan_tests::sink::Stage;
use tympan_tests::{MailSink, wait_until};

#[test]
fn postfix_relays_a_mail_from_swaks_to_smtp_sink() {
    if !Postfix::need() || !peers::need("swaks") || !peers::need("smtp-sink") {
        return;
    }
    let sink = SmtpSink::start();
    let postfix = Postfix::relay_to(sink.address());
    let result = Swaks::new(
        postfix.address(),
        "anna@sender.example",
        "office@print.example",
    )
    .send();
    assert_eq!(result.exit_code, 0, "{}", result.output);
    wait_until("the mail in the sink", || {
        sink.files().iter().any(|file| {
            std::fs::read_to_string(file).is_ok_and(|mail| mail.contains("X-Mailer: swaks"))
        })
    });
}

#[test]
fn postfix_tries_again_and_ends_cleanly() {
    if !Postfix::need() || !peers::need("swaks") {
        return;
    }
    let sink = MailSink::start();
    sink.answer_next(Stage::Data, "451 4.3.0 not now");
    let postfix = Postfix::relay_to(sink.address());
    Swaks::new(
        postfix.address(),
        "anna@sender.example",
        "office@print.example",
    )
    .send();
    let mails = sink.wait_for(1);
    assert!(
        mails[0].text().contains("Received: from client.example"),
        "{}",
        mails[0].text()
    );
    wait_until("both in its log", || {
        postfix.log().contains("4.3.0 not now") && postfix.log().contains("status=sent")
    });
    let master = postfix.master_pid().unwrap();
    drop(postfix);
    assert!(!Path::new("/proc").join(master.to_string()).exists());
}
