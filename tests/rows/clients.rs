//! Programs that people have: what they print, hold, release and cancel at a printer of the server.

use tympan_tests::peers::{Cups, IppEvePrinter};
use tympan_tests::scratch::set_mode;
use tympan_tests::{Process, program, samples, wait_until};

use super::office::{ANNA, OFFICE, Office, Wishes};

fn uri(office: &Office) -> String {
    format!("ipp://{}/ipp/print/office", office.http)
}

#[test]
fn one_command_prints_by_mail_and_by_ipp() {
    let office = Office::open();
    let two = office.scratch.write("two.pdf", samples::pdf(2));
    let note = office.scratch.write("note.txt", "Hello\n");
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(program::tympan());
        Process::run("tympan print", command.arg("print").arg("--quiet").args(words))
    };
    let (uri, two, note) = (uri(&office), two.display().to_string(), note.display().to_string());
    let said = run(&[&uri, &two, &note, "--options", "2 copies", "--subject", "Minutes"]).expect_success();
    assert!(said.contains("two.pdf: job 1 accepted") && said.contains("note.txt: job 2 accepted"), "{said}");
    office.printer.wait_for_pages(6);
    assert_eq!(office.jobs()[0]["name"], "Minutes");
    let said = run(&[&two, "--to", OFFICE, "--from", ANNA, "--server", &office.smtp.to_string(), "--tls", "none"]);
    assert!(said.expect_success().contains("accepted for Office"));
    office.printer.wait_for_pages(8);
    for (words, hint) in [
        (&[two.as_str()][..], "no printer is named"),
        (&[&uri], "no file is named"),
        (&[&uri, "/no/such/file"], "/no/such/file was not taken"),
        (&[&uri.replace("/office", "/attic"), &two], "attic"),
        (&[&uri, &two, "--options", "shiny"], "is no option"),
    ] {
        let said = run(words).expect_failure();
        assert!(said.contains(hint), "{hint} is missing in {said}");
    }
}

#[test]
fn cups_shows_holds_lets_go_and_cancels_a_job_at_a_printer_of_ours() {
    if !Cups::need() {
        return;
    }
    let office = Office::open();
    let cups = Cups::start();
    wait_until("the server knows what its printer can do", || {
        office.json(&["printers"])[0]["make_and_model"].is_string()
    });
    cups.add("office", &uri(&office));
    let document = office.scratch.write("one.pdf", samples::pdf(1));
    set_mode(office.scratch.path(), 0o755);
    // Held on the desktop, then let go.
    let said = cups.run("lp", &["-d", "office", "-H", "hold", &document.display().to_string()]);
    assert!(said.contains("office-1"), "{said}");
    assert!(cups.run("lpstat", &["-o", "office"]).contains("office-1"));
    assert!(office.jobs().is_empty());
    cups.run("lp", &["-i", "office-1", "-H", "resume"]);
    office.printer.wait_for_pages(1);
    wait_until("CUPS sees that it is printed", || !cups.run("lpstat", &["-o", "office"]).contains("office-1"));
    // The printer is off: CUPS waits with the job, and takes it back from the server.
    office.printer.fault("off");
    cups.print("office", &[], &document);
    office.wait_for_why("switched off");
    assert!(cups.run("lpstat", &["-o", "office"]).contains("office-2"));
    cups.run("cancel", &["office-2"]);
    office.wait_for_job("canceled");
    office.printer.fault("clear");
    assert_eq!(office.printer.pages().len(), 1);
}

#[test]
fn what_comes_by_ipp_comes_out_of_a_printer_that_we_did_not_write() {
    if !IppEvePrinter::need() {
        return;
    }
    let device = IppEvePrinter::start();
    let more = format!("[[printer]]\nname = \"eve\"\ndevice = \"{}\"\n", device.uri());
    let office = Office::open_with(&Wishes { more: &more, ..Wishes::default() });
    wait_until("the server knows what both can do", || {
        office.json(&["printers"]).as_array().is_some_and(|all| all.iter().all(|one| one["make_and_model"].is_string()))
    });
    let document = office.scratch.write("two.pdf", samples::pdf(2));
    let eve = uri(&office).replace("/office", "/eve");
    let mut command = std::process::Command::new(program::tympan());
    command.args(["print", "--quiet", &eve]).arg(&document).args(["--options", "duplex"]);
    let said = Process::run("tympan print", &mut command).expect_success();
    assert!(said.contains("job 1 accepted"), "{said}");
    let job = office.wait_for_job("completed");
    assert_eq!(job["printer"], "eve");
    assert_eq!(device.wait_for_completed(1).len(), 1);
}
