//! Postfix passes a mail on, keeps it while nobody takes it, and leaves nothing behind.

use std::path::Path;

use tympan_tests::peers::{self, Postfix, SmtpSink, Smtplib, Swaks};
use tympan_tests::sink::Stage;
use tympan_tests::{MailSink, Process, Scratch, wait_until};

#[test]
fn postfix_relays_a_mail_from_swaks_to_smtp_sink() {
    if !Postfix::need() || !peers::need("swaks") || !peers::need("smtp-sink") {
        return;
    }
    let sink = SmtpSink::start();
    let postfix = Postfix::relay_to(sink.address());
    let result = Swaks::new(postfix.address(), "anna@sender.example", "office@print.example").send();
    assert_eq!(result.exit_code, 0, "{}", result.output);
    wait_until("the mail in the sink", || {
        sink.files().iter().any(|file| std::fs::read_to_string(file).is_ok_and(|mail| mail.contains("X-Mailer: swaks")))
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
    Swaks::new(postfix.address(), "anna@sender.example", "office@print.example").send();
    let mails = sink.wait_for(1);
    assert!(mails[0].text().contains("Received: from client.example"), "{}", mails[0].text());
    wait_until("both in its log", || postfix.log().contains("4.3.0 not now") && postfix.log().contains("status=sent"));
    let master = postfix.master_pid().unwrap();
    drop(postfix);
    assert!(!Path::new("/proc").join(master.to_string()).exists());
}

#[test]
fn swaks_and_smtplib_speak_tls_to_postfix() {
    if !Postfix::need() || !["swaks", "python3", "openssl"].into_iter().all(peers::need) {
        return;
    }
    let scratch = Scratch::new("tls");
    let (key, certificate) = (scratch.join("key.pem"), scratch.join("certificate.pem"));
    let mut openssl = peers::command("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-subj", "/CN=relay.example", "-days", "2", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    Process::run("openssl", &mut openssl).expect_success();
    let sink = MailSink::start();
    let tls = format!(
        "smtpd_tls_security_level = encrypt\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}",
        certificate.display(),
        key.display()
    );
    let postfix = Postfix::relay_with(sink.address(), &tls);
    let swaks = Swaks::new(postfix.address(), "anna@sender.example", "office@print.example");
    assert!(swaks.send().says("530 5.7.0"), "refused in the clear");
    let result = swaks.starttls().send();
    assert_eq!(result.exit_code, 0, "{}", result.output);
    let mail = b"Subject: x\r\n\r\ny\r\n";
    let to = ["office@print.example"];
    let result = Smtplib::new(postfix.address(), "anna@sender.example", &to, mail).starttls().send();
    assert!(result.accepted, "{result:?}");
    assert!(sink.wait_for(2).iter().all(|mail| mail.text().contains("with ESMTPS")));
}
