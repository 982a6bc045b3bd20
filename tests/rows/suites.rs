//! The test files of ipptool that are no suites, and all suites side by side with printers that we did not write.

use std::path::Path;
use std::time::Duration;

use tympan_tests::peers::{self, Cups, IppEvePrinter, IpptoolSuite};
use tympan_tests::{Process, samples, wait_for, wait_until};

use super::office::{Office, Wishes};

fn uri(office: &Office) -> String {
    format!("ipp://{}/ipp/print/office", office.http)
}

fn open() -> Office {
    let office = Office::open_with(&Wishes { printer: "review-pages = 100000", ..Wishes::default() });
    wait_until("the server knows what its printer can do", || {
        office.json(&["printers"])[0]["make_and_model"].is_string()
    });
    office
}

/// Runs one of ipptool's files to its end; what it shows.
fn run(suite: &IpptoolSuite, uri: &str, file: &str, document: &Path, more: &[&str]) -> String {
    let mut ipptool = peers::command("ipptool");
    ipptool.current_dir(suite.folder()).arg("-tv").args(more).arg("-f").arg(document).args([uri, file]);
    let said = Process::run("ipptool", &mut ipptool).expect_success();
    assert!(said.contains("[PASS]") && !said.contains("[FAIL]"), "{file}: {said}");
    said
}

#[test]
fn compressed_documents_held_jobs_and_questions_of_ipptool_pass() {
    if !peers::need("ipptool") {
        return;
    }
    let (office, suite) = (open(), IpptoolSuite::prepare());
    let two = office.scratch.write("two.pdf", samples::pdf(2));
    let uri = uri(&office);
    let mut pages = 0;
    for file in [
        "print-job.test",
        "print-job-gzip.test",
        "print-job-deflate.test",
        "print-job-and-wait.test",
        "print-job-hold.test",
    ] {
        run(&suite, &uri, file, &two, &[]);
        pages += 2;
        office.printer.wait_for_pages(pages);
    }
    assert_eq!(office.printer.numbers(), [Some(1), Some(2)].repeat(5));
    for file in
        ["validate-job.test", "get-jobs.test", "get-completed-jobs.test", "get-printer-description-attributes.test"]
    {
        run(&suite, &uri, file, &two, &[]);
    }
    for file in ["identify-printer.test", "identify-printer-display.test", "identify-printer-multiple.test"] {
        run(&suite, &uri, file, &two, &[]);
    }
}

#[test]
fn a_password_of_ipptool_holds_the_job_and_events_are_heard() {
    if !peers::need("ipptool") {
        return;
    }
    let (office, suite) = (open(), IpptoolSuite::prepare());
    let two = office.scratch.write("two.pdf", samples::pdf(2));
    let uri = uri(&office);
    run(&suite, &uri, "print-job-password.test", &two, &[]);
    office.wait_for_why("PIN");
    assert!(office.printer.pages().is_empty());
    let said = run(&suite, &uri, "create-printer-subscription.test", &two, &[]);
    let id = said.lines().find_map(|line| line.trim().strip_prefix("notify-subscription-id (integer) = "));
    let id = format!("id={}", id.unwrap_or_else(|| panic!("{said}")));
    office.printer.fault("no-paper");
    let heard = wait_for("the printer's new state as an event", || {
        let mut ipptool = peers::command("ipptool");
        ipptool.current_dir(suite.folder()).args(["-tv", "-d", &id, &uri, "get-notifications.test"]);
        let said = Process::run("ipptool", &mut ipptool).output;
        said.contains("printer-state-changed").then_some(said)
    });
    // The file looks for "notify-event", which no standard has: RFC 3995 section 9.1 calls it so.
    assert!(heard.contains("notify-subscribed-event (keyword) = printer-state-changed"), "{heard}");
    assert!(heard.contains("successful-ok"), "{heard}");
}

/// As long as a suite may take: those of others wait for jobs that never end.
const LIMIT: Duration = Duration::from_secs(240);

#[test]
#[ignore = "waits for the peers' suites for up to half an hour; `cargo xtask test --all` runs it"]
fn the_suites_side_by_side_with_printers_that_we_did_not_write() {
    if !peers::need("ipptool") || !IppEvePrinter::need() || !Cups::need() {
        return;
    }
    let suite = IpptoolSuite::prepare();
    let files = [
        ("ipp-1.1.test", "1.1"),
        ("ipp-2.0.test", "2.0"),
        ("ipp-everywhere.test", "2.0"),
        ("ipp-2.1.test", "2.1"),
        ("ipp-2.2.test", "2.2"),
    ];
    println!("| suite | the server | ippeveprinter | cupsd |\n|---|---|---|---|");
    for (file, version) in files {
        let cell = |uri: &str| {
            let report = suite.run_version(uri, file, "document-a4.pdf", version, LIMIT);
            let cut = if report.complete { "" } else { " (cut)" };
            format!("{}/{}/{}{cut}", report.passed.len(), report.failed.len(), report.skipped.len())
        };
        // A fresh one of each: what a suite leaves behind is not held against the next.
        let office = open();
        let ours = cell(&uri(&office));
        drop(office);
        let eve = IppEvePrinter::start();
        let eves = cell(&eve.uri());
        drop(eve);
        let cups = Cups::start();
        let office = open();
        cups.add("office", &uri(&office));
        let theirs = cell(&format!("ipp://{}/printers/office", cups.address()));
        println!("| {file} | {ours} | {eves} | {theirs} |");
    }
}
