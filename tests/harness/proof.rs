//! Mails that a domain signed verify against its zone, and no others do.

use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};
use tympan_tests::zone::DnsFailure;
use tympan_tests::{MailDomain, TestMail, ZoneServer, peers, samples};

use super::zone::resolver_config;

/// The result of the mail's one signature.
async fn verify(zone: &ZoneServer, mail: &[u8]) -> DkimResult {
    let (config, options) = resolver_config(zone);
    let authenticator = MessageAuthenticator::new(config, options).unwrap();
    let message = AuthenticatedMessage::parse(mail).unwrap();
    let results = authenticator.verify_dkim(&message).await;
    assert_eq!(results.len(), 1, "one signature");
    results[0].result().clone()
}

fn mail(domain: &MailDomain) -> Vec<u8> {
    TestMail::new(&domain.address("anna"), "office@print.example")
        .subject("請求書")
        .text_iso_2022_jp("日本語の本文です。\n")
        .attach("invoice.pdf", "application/pdf", samples::pdf(2))
        .build()
}

#[tokio::test]
async fn a_signed_mail_verifies_and_a_changed_one_does_not() {
    let zone = ZoneServer::start();
    let domain = MailDomain::publish(&zone, "sender.example");
    let signed = domain.sign(&mail(&domain));
    assert_eq!(verify(&zone, &signed).await, DkimResult::Pass);
    let changed = String::from_utf8(signed).unwrap().replace("invoice.pdf", "invoice.exe").into_bytes();
    let result = verify(&zone, &changed).await;
    assert!(!matches!(result, DkimResult::Pass | DkimResult::TempError(_)), "{result:?}");
}

#[tokio::test]
async fn an_rsa_key_works_as_well() {
    if !peers::need("openssl") {
        return;
    }
    let zone = ZoneServer::start();
    let domain = MailDomain::publish_rsa(&zone, "sender.example");
    assert_eq!(verify(&zone, &domain.sign(&mail(&domain))).await, DkimResult::Pass);
}

#[tokio::test]
async fn the_proof_hangs_on_the_zone() {
    let zone = ZoneServer::start();
    let domain = MailDomain::publish(&zone, "sender.example");
    let signed = domain.sign(&mail(&domain));
    zone.fail_all(Some(DnsFailure::ServerFailure));
    assert!(matches!(verify(&zone, &signed).await, DkimResult::TempError(_)));
    zone.fail_all(None);
    domain.withdraw_key(&zone);
    assert!(!matches!(verify(&zone, &signed).await, DkimResult::Pass | DkimResult::TempError(_)));
}

#[test]
fn a_mail_has_the_structure_that_programs_give_it() {
    let mail = TestMail::new("anna@sender.example", "office@print.example")
        .to("lobby@print.example")
        .subject("A4 duplex")
        .header("Auto-Submitted", "no")
        .text("plain")
        .html("<p>rich <img src=\"cid:logo\"></p>")
        .inline_picture("logo", "image/png", samples::png(1, 100, 50))
        .attach("scan.jpg", "image/jpeg", samples::jpeg(2, 300, 400))
        .build();
    let text = String::from_utf8_lossy(&mail);
    let order = [
        "lobby@print.example",
        "Auto-Submitted: no",
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "Content-ID: <logo>",
        "image/jpeg",
        "scan.jpg",
    ];
    let mut from = 0;
    for word in order {
        let found = text[from..].find(word).unwrap_or_else(|| panic!("{word} in its place:\n{text}"));
        from += found;
    }
    assert!(text.lines().count() > 20 && !text.replace("\r\n", "").contains('\n'), "every line ends in CRLF");
}
