//! Who may print: A03, A04, A16.

use tympan_tests::zone::DnsFailure;
use tympan_tests::{MailDomain, TestMail, ZoneServer, samples, wait_until};

use super::office::{ANNA, OFFICE, Office, Wishes};

fn mail_from(from: &str) -> Vec<u8> {
    TestMail::new(from, OFFICE).subject("Invoice").attach("i.png", "image/png", samples::png(1, 400, 500)).build()
}

#[test]
fn a03_only_a_proven_from_counts() {
    let zone = ZoneServer::start();
    let domain = MailDomain::publish(&zone, "sender.example");
    let office = Office::open_with(&Wishes { dns: Some(zone.address()), ..Wishes::default() });
    let mail = mail_from(ANNA);

    let forged = office.send(ANNA, &[OFFICE], &mail);
    assert!(forged.starts_with("550-5.7.1") || forged.starts_with("550 5.7.1"), "{forged}");
    let signed = office.send("bounce@elsewhere.example", &[OFFICE], &domain.sign(&mail));
    assert!(signed.starts_with("250 2.0.0"), "{signed}");
    office.wait_for_job("completed");

    let stranger = MailDomain::publish(&zone, "stranger.example");
    let other = mail_from(&stranger.address("eve"));
    let refused = office.send("eve@stranger.example", &[OFFICE], &stranger.sign(&other));
    assert!(refused.contains("5.7.1") && refused.contains("/register"), "{refused}");

    let fresh = MailDomain::publish(&zone, "fresh.example");
    office.tympan(&["registrations", "add", "office", "a@fresh.example"]);
    zone.fail_all(Some(DnsFailure::ServerFailure));
    let later = office.send("a@fresh.example", &[OFFICE], &fresh.sign(&mail_from("a@fresh.example")));
    assert!(later.starts_with("451 4.4.3") || later.starts_with("451-4.4.3"), "{later}");
    assert_eq!(office.jobs().len(), 1);
    assert!(office.notices().is_empty(), "nothing is mailed to unproven senders");
}

#[test]
fn a04_unknown_addresses_and_unregistered_senders_are_told_in_the_dialogue() {
    let office = Office::open();
    let mail = mail_from(ANNA);
    let unknown = office.send(ANNA, &["nobody@print.example"], &mail);
    assert!(unknown.contains("5.1.1"), "{unknown}");
    let relay = office.send(ANNA, &["somebody@elsewhere.example"], &mail);
    assert!(relay.contains("5.7.1"), "{relay}");
    let stranger = office.send("eve@stranger.example", &[OFFICE], &mail_from("eve@stranger.example"));
    assert!(stranger.contains("5.7.1") && stranger.contains("/register"), "{stranger}");
    assert!(office.jobs().is_empty());
    assert!(office.notices().is_empty());
}

#[test]
fn a16_people_register_by_mail() {
    for (access, printed) in [("open", true), ("approve", false)] {
        let printer = format!("access = \"{access}\"");
        let office = Office::open_with(&Wishes { printer: &printer, nobody: true, ..Wishes::default() });
        let request = TestMail::new(ANNA, "office+register@print.example").subject("please").text("\n").build();
        let reply = office.send(ANNA, &["office+register@print.example"], &request);
        assert!(reply.starts_with("250"), "{reply}");
        office.wait_for_notice(OFFICE);
        let reply = office.send(ANNA, &[OFFICE], &mail_from(ANNA));
        assert_eq!(reply.starts_with("250"), printed, "{access}: {reply}");
        if !printed {
            office.tympan(&["registrations", "approve", "office", ANNA]);
            office.wait_for_notice("you can print now");
            assert!(office.send(ANNA, &[OFFICE], &mail_from(ANNA)).starts_with("250"));
        }
        office.wait_for_job("completed");
    }
}

#[test]
fn a_file_is_uploaded_with_curl_and_with_tympan_print() {
    let office = Office::open();
    let file = office.scratch.write("two.pdf", samples::pdf(2));
    let mut curl = std::process::Command::new("curl");
    let url = format!("http://{}/print/office?copies=1", office.http);
    curl.args(["--silent", "--show-error", "--fail", "--upload-file"]).arg(&file).arg(&url);
    if tympan_tests::peers::need("curl") {
        tympan_tests::Process::run("curl", &mut curl).expect_success();
        office.printer.wait_for_pages(2);
    }
    let before = office.printer.pages().len();
    let mut print = std::process::Command::new(tympan_tests::program::tympan());
    print.arg("print").arg(&file).args(["--to", OFFICE, "--from", ANNA, "--server", &office.smtp.to_string()]);
    let said = tympan_tests::Process::run("tympan print", &mut print).expect_success();
    assert!(said.contains(OFFICE), "{said}");
    office.printer.wait_for_pages(before + 2);
    wait_until("all jobs are completed", || office.jobs().iter().all(|job| job["state"] == "completed"));
}

#[test]
fn a_sender_of_whom_too_many_jobs_wait_is_told_in_the_dialogue_until_one_is_gone() {
    let office = Office::open_with(&Wishes { queue: "jobs-per-sender = 2", ..Wishes::default() });
    office.printer.fault("off");
    let send = || office.send(ANNA, &[OFFICE], &TestMail::new(ANNA, OFFICE).subject("Page").text("Hello\n").build());
    assert!(send().starts_with("250"));
    assert!(send().starts_with("250"));
    let refused = send();
    assert!(refused.starts_with("452") && refused.contains("Cancel some"), "{refused}");
    assert_eq!(office.jobs().len(), 2);
    let file = office.scratch.write("note.txt", "Hello\n");
    let url = format!("http://{}/print/office", office.http);
    if tympan_tests::peers::need("curl") {
        let mut curl = std::process::Command::new("curl");
        curl.args(["--silent", "--write-out", "%{http_code}", "--upload-file"])
            .arg(&file)
            .arg(format!("{url}?from={ANNA}"));
        let said = tympan_tests::Process::run("curl", &mut curl).expect_success();
        assert!(said.contains("cancel some") && said.ends_with("429"), "{said}");
    }
    office.printer.fault("clear");
    office.wait_for_job("completed");
    office.printer.fault("off");
    wait_until("there is room again", || send().starts_with("250"));
}
