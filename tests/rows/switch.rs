//! The service is switched off and on: E02, E04, E06 to E08.

use tympan_tests::peers;
use tympan_tests::{Process, TestMail, samples, wait_until};

use super::office::{ANNA, OFFICE, Office};

fn mail(number: u32) -> Vec<u8> {
    TestMail::new(ANNA, OFFICE)
        .subject(&format!("Picture {number}"))
        .attach("picture.png", "image/png", samples::png(number, 600, 800))
        .build()
}

/// The status with which an upload is answered.
fn upload(office: &Office) -> String {
    let file = office.scratch.write("page.png", samples::png(9, 600, 800));
    let url = format!("http://{}/print/office?from={ANNA}", office.http);
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--write-out", "%{http_code}", "--upload-file"]).arg(&file).arg(&url);
    Process::run("curl", &mut curl).expect_success()
}

#[test]
fn e07_jobs_wait_while_the_service_is_off_and_print_when_it_is_on() {
    let office = Office::open();
    office.tympan(&["printers", "pause", "office"]);
    assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"));
    office.wait_for_why("paused");
    office.tympan(&["printers", "resume", "office"]);
    office.printer.wait_for_pages(1);
    assert_eq!(office.printer.numbers(), [Some(1)]);
}

#[test]
fn e06_e04_switched_off_it_takes_nothing_says_why_and_makes_no_job() {
    let office = Office::open();
    office.tympan(&["printers", "pause", "office", "--refuse"]);
    let said = office.send(ANNA, &[OFFICE], &mail(1));
    assert!(!said.starts_with("250"), "{said}");
    if peers::need("curl") {
        let said = upload(&office);
        assert!(said.ends_with("409") || said.ends_with("503"), "{said}");
    }
    assert_eq!(office.jobs().len(), 0, "no job is made");
    let printers = office.json(&["printers"]);
    assert_eq!(printers[0]["accepting"], false, "{printers}");
    office.tympan(&["printers", "resume", "office"]);
    assert!(office.send(ANNA, &[OFFICE], &mail(2)).starts_with("250"));
    office.printer.wait_for_pages(1);
    assert_eq!(office.printer.numbers(), [Some(2)]);
}

#[test]
fn e08_switched_off_it_takes_jobs_for_a_while_only() {
    let office = Office::open();
    office.tympan(&["printers", "pause", "office", "--refuse-after", "3 s"]);
    assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"), "it is kept");
    wait_until("the printer to refuse", || {
        let printers = office.json(&["printers"]);
        printers[0]["accepting"] == false
    });
    let said = office.send(ANNA, &[OFFICE], &mail(2));
    assert!(!said.starts_with("250"), "{said}");
    office.tympan(&["printers", "resume", "office"]);
    office.printer.wait_for_pages(1);
    assert_eq!(office.printer.numbers(), [Some(1)], "what was kept is printed");
}
