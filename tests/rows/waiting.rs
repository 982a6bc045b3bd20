//! The printer cannot print now: A07, A09 to A12.

use tympan_tests::peers;
use tympan_tests::{Process, TestMail, samples, wait_until};

use super::office::{ANNA, OFFICE, Office, Wishes};

fn mail(number: u32) -> Vec<u8> {
    let name = format!("picture-{number}.png");
    TestMail::new(ANNA, OFFICE)
        .subject(&format!("Picture {number}"))
        .attach(&name, "image/png", samples::png(number, 600, 800))
        .build()
}

#[test]
fn a07_why_a_job_waits_is_said_for_each_trouble() {
    for (fault, words) in [
        ("off", "switched off"),
        ("no-paper", "A4"),
        ("no-ink cyan", "cyan"),
        ("cover", "cover is open"),
        ("jam", "jammed"),
    ] {
        let office = Office::open();
        office.printer.fault(fault);
        assert!(office.send(ANNA, &[OFFICE], &mail(7)).starts_with("250"));
        let why = office.wait_for_why(words);
        assert!(why.contains("Waiting: Office") && why.contains("You can:"), "{fault}: {why}");
        office.wait_for_notice(words);
        office.printer.fault("clear");
        office.printer.wait_for_pages(1);
        assert_eq!(office.printer.numbers(), [Some(7)], "{fault}");
    }
}

#[test]
fn a07_ink_and_paper_are_looked_at_per_colour_and_per_tray() {
    let office = Office::open();
    office.printer.fault("no-ink cyan");
    let send = |subject: &str, number: u32| {
        let picture = samples::png(number, 600, 800);
        let mail = TestMail::new(ANNA, OFFICE).subject(subject).attach("picture.png", "image/png", picture).build();
        assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    };
    send("In colour", 1);
    office.wait_for_why("cyan");
    send("In black [mono]", 2);
    office.printer.wait_for_pages(1);
    assert_eq!(office.printer.numbers(), [Some(2)], "black does not wait for cyan");
    office.printer.fault("clear");
    office.printer.wait_for_pages(2);
    // Tray 1 has A4. Another tray that is empty is nobody's trouble here.
    office.printer.fault("no-paper tray-2");
    send("On A4", 3);
    office.printer.wait_for_pages(3);
    assert_eq!(office.printer.numbers(), [Some(2), Some(1), Some(3)]);
}

#[test]
fn a09_a_waiting_job_survives_kill_9() {
    let mut office = Office::open();
    office.printer.fault("off");
    for number in 1..=3 {
        assert!(office.send(ANNA, &[OFFICE], &mail(number)).starts_with("250"));
    }
    // A job whose pages are not counted yet lets later ones pass.
    wait_until("the jobs to wait for their printer", || {
        let mut jobs = office.jobs();
        jobs.retain(|job| job["pages"].as_u64().is_some_and(|pages| pages > 0));
        jobs.len() == 3
    });
    office.kill();
    office.start();
    assert_eq!(office.jobs().len(), 3);
    office.printer.fault("clear");
    office.printer.wait_for_pages(3);
    assert_eq!(office.printer.numbers(), [Some(1), Some(2), Some(3)]);
}

#[test]
fn a09_a_waiting_job_is_stored_as_print_data_where_the_printer_says_so() {
    for form in ["print-data", "smallest"] {
        let printer = format!("stored-form = \"{form}\"");
        let office = Office::open_with(&Wishes { printer: &printer, ..Wishes::default() });
        // The printer is asked once while it is on, so that it is known what it takes.
        assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"));
        office.wait_for_job("completed");
        office.printer.fault("off");
        assert!(office.send(ANNA, &[OFFICE], &mail(2)).starts_with("250"));
        office.wait_for_why("switched off");
        office.printer.fault("clear");
        office.printer.wait_for_pages(2);
        assert_eq!(office.printer.numbers(), [Some(1), Some(2)]);
    }
}

#[test]
fn a10_a_printer_that_comes_back_reports_and_everything_prints_in_order() {
    let office = Office::open();
    office.printer.fault("no-paper");
    for number in 1..=4 {
        assert!(office.send(ANNA, &[OFFICE], &mail(number)).starts_with("250"));
    }
    office.wait_for_why("A4");
    office.wait_for_notice("A4");
    let told = office.notices().len();
    office.printer.fault("clear");
    office.printer.wait_for_pages(4);
    assert_eq!(office.printer.numbers(), [Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(told, 1, "one notice for each sender and outage");
    wait_until("the sender is told that all four are printed", || {
        office.notices().iter().filter(|notice| notice.contains("rinted")).count() >= 4
    });
    assert!(office.jobs().iter().all(|job| job["state"] == "completed"));
}

#[test]
fn a11_a_printer_that_does_not_report_is_tried_again() {
    let office = Office::open_with(&Wishes { silent: true, printer: "retry-interval = \"1 s\"", ..Wishes::default() });
    office.printer.fault("off");
    assert!(office.send(ANNA, &[OFFICE], &mail(9)).starts_with("250"));
    office.wait_for_why("switched off");
    office.printer.fault("on");
    office.printer.wait_for_pages(1);
    assert_eq!(office.printer.numbers(), [Some(9)]);
}

#[test]
fn a12_a_stored_job_goes_on_time_data_and_all() {
    let office = Office::open_with(&Wishes { printer: "retention = \"3 s\"", ..Wishes::default() });
    office.printer.fault("off");
    let canary = "canary-7b1f0c9e5d3a4428ec545c43d";
    let mail = TestMail::new(ANNA, OFFICE).subject("Secret").text(&format!("{canary}\n")).build();
    assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    let job = office.wait_for_job("aborted");
    assert!(job["outcome"].as_str().is_some_and(|outcome| outcome.contains("deleted")), "{job}");
    office.wait_for_notice("deleted");
    wait_until("the canary is nowhere in the data folder", || !holds(&office.data(), canary.as_bytes()));
}

#[test]
fn a12_retention_is_changed_by_mail_and_waiting_jobs_follow() {
    let office = Office::open();
    office.printer.fault("off");
    assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"));
    office.wait_for_why("switched off");
    let keep = TestMail::new(ANNA, "office+keep@print.example").subject("2 s").text("\n").build();
    assert!(office.send(ANNA, &["office+keep@print.example"], &keep).starts_with("250"));
    office.wait_for_job("aborted");
    let odd = TestMail::new(ANNA, "office+keep@print.example").subject("for ever").text("\n").build();
    let reply = office.send(ANNA, &["office+keep@print.example"], &odd);
    assert!(reply.starts_with('5') && reply.contains("3 days"), "what can be written is said at once: {reply}");
}

#[test]
fn a12_a_link_in_the_notice_changes_how_long_waiting_jobs_are_kept() {
    if !peers::need("curl") {
        return;
    }
    let office = Office::open();
    office.printer.fault("off");
    assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"));
    let notice = office.wait_for_notice("yours to set");
    let link = notice.split_whitespace().find(|word| word.contains("/r/")).expect("a link").to_owned();
    let link = link.split_once("/r/").map(|(_, token)| format!("http://{}/r/{token}", office.http)).expect("a token");
    // As a browser does: a form that comes from elsewhere is refused.
    let origin = format!("Origin: http://{}", office.http);
    let curl = |more: &[&str]| {
        let mut command = std::process::Command::new("curl");
        command.args(["--silent", "--fail", "--header", &origin]).args(more).arg(&link);
        Process::run("curl", &mut command).expect_success()
    };
    let page = curl(&[]);
    let secret = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
    curl(&[
        "--data-urlencode",
        &format!("csrf={secret}"),
        "--data-urlencode",
        "retention=2 s",
        "--data",
        "language=en",
    ]);
    let job = office.wait_for_job("aborted");
    assert!(job["outcome"].as_str().is_some_and(|outcome| outcome.contains("deleted")), "{job}");
}

#[test]
fn a12_a_job_that_stands_still_in_the_printer_is_taken_back_when_its_time_is_over() {
    let office = Office::open_with(&Wishes { printer: "retention = \"4 s\"", ..Wishes::default() });
    office.printer.fault("jam 2");
    let three = TestMail::new(ANNA, OFFICE).attach("three.pdf", "application/pdf", samples::pdf(3)).build();
    assert!(office.send(ANNA, &[OFFICE], &three).starts_with("250"));
    office.printer.wait_for_pages(1);
    office.wait_for_job("aborted");
    office.printer.fault("clear");
    assert!(office.send(ANNA, &[OFFICE], &mail(7)).starts_with("250"));
    wait_until("the next mail to print", || office.printer.numbers().contains(&Some(7)));
    assert!(!office.printer.numbers().contains(&Some(3)), "{:?}", office.printer.numbers());
}

#[test]
fn a12_a_job_is_cancelled_by_mail() {
    let office = Office::open();
    office.printer.fault("off");
    assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"));
    office.wait_for_why("switched off");
    let id = office.jobs()[0]["id"].as_str().unwrap().to_owned();
    let cancel = TestMail::new(ANNA, "office+cancel@print.example").subject(&id).text("\n").build();
    assert!(office.send(ANNA, &["office+cancel@print.example"], &cancel).starts_with("250"));
    office.wait_for_job("canceled");
}

#[test]
fn in_doubt_a_person_decides_and_the_reprint_is_marked() {
    let office = Office::open();
    office.printer.fault("forget");
    office.printer.fault("slow 200");
    let mail =
        TestMail::new(ANNA, OFFICE).subject("Doubtful").attach("long.pdf", "application/pdf", samples::pdf(3)).build();
    assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    let why = office.wait_for_why("Did it print?");
    assert!(why.contains("say whether it came out"), "{why}");
    office.wait_for_notice("Doubtful");
    let id = office.jobs()[0]["id"].as_str().unwrap().to_owned();
    office.printer.fault("clear");
    let before = office.printer.pages().len();
    office.tympan(&["job", "decide", &id, "print-from", "2"]);
    office.wait_for_job("completed");
    let numbers = office.printer.numbers();
    assert!(numbers[before..].contains(&Some(2)) && numbers[before..].contains(&Some(3)), "{numbers:?}");
    assert!(!numbers[before..].contains(&Some(1)), "{numbers:?}");
}

/// Whether any file below a folder holds these octets.
fn holds(folder: &std::path::Path, canary: &[u8]) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, canary);
        }
        std::fs::read(&path).is_ok_and(|octets| octets.windows(canary.len()).any(|window| window == canary))
    })
}
