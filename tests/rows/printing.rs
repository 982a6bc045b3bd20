//! A mail becomes paper: A01, A02, A05, A06, A08, A15.

use tympan_tests::peers::{self, IppEvePrinter, Postfix, Smtplib, Swaks};
use tympan_tests::{Process, Scratch, TestMail, program, samples, wait_until};

use super::office::{ANNA, OFFICE, Office, Printer, Wishes, local};

fn mail(pages: u32) -> Vec<u8> {
    TestMail::new(ANNA, OFFICE).subject("Invoice").attach("invoice.pdf", "application/pdf", samples::pdf(pages)).build()
}

#[test]
fn a01_a_mail_by_swaks_becomes_pages() {
    if !peers::need("swaks") {
        return;
    }
    let office = Office::open();
    let result = Swaks::new(office.smtp, ANNA, OFFICE).mail(mail(2)).send();
    assert!(result.says("250 2.0.0"), "{}", result.output);
    office.wait_for_job("completed");
    assert_eq!(office.printer.numbers(), [Some(1), Some(2)]);
}

#[test]
fn a01_a_mail_by_smtplib_becomes_pages() {
    if !peers::need("python3") {
        return;
    }
    let office = Office::open();
    let result = Smtplib::new(office.smtp, ANNA, &[OFFICE], &mail(1)).send();
    assert!(result.refused.is_empty(), "{result:?}");
    office.wait_for_job("completed");
    assert_eq!(office.printer.numbers(), [Some(1)]);
}

#[test]
fn a01_a_postfix_relays_to_the_printer() {
    if !Postfix::need() || !peers::need("swaks") {
        return;
    }
    let office = Office::open();
    let postfix = Postfix::relay_to(office.smtp);
    let result = Swaks::new(postfix.address(), ANNA, OFFICE).mail(mail(1)).send();
    assert_eq!(result.exit_code, 0, "{}", result.output);
    office.wait_for_job("completed");
    assert_eq!(office.printer.numbers(), [Some(1)], "{}", postfix.log());
}

#[test]
fn a02_the_local_part_picks_the_printer() {
    let scratch = tympan_tests::Scratch::new("lobby");
    let lobby = Printer::start(&scratch, "lobby", None);
    let more = format!(
        "[[printer]]\nname = \"lobby\"\ndevice = \"{}\"\n[[registration]]\nprinter = \"lobby\"\nsender = \"{ANNA}\"\n",
        lobby.ipp
    );
    let office = Office::open_with(&Wishes { more: &more, ..Wishes::default() });
    let to = ["Lobby@PRINT.example"];
    assert!(office.send(ANNA, &to, &mail(3)).starts_with("250 2.0.0"));
    lobby.wait_for_pages(3);
    office.wait_for_job("completed");
    assert_eq!(office.printer.pages().len(), 0);
    let both = ["lobby@print.example", OFFICE];
    assert!(office.send(ANNA, &both, &mail(1)).starts_with("250"));
    lobby.wait_for_pages(4);
    office.printer.wait_for_pages(1);
}

#[test]
fn a02_one_constant_address_serves_all_and_the_sender_picks() {
    let scratch = tympan_tests::Scratch::new("lobby");
    let lobby = Printer::start(&scratch, "lobby", None);
    let more = format!(
        "[[printer]]\nname = \"lobby\"\ndevice = \"{}\"\n[[registration]]\nprinter = \"lobby\"\nsender = \"{ANNA}\"\n",
        lobby.ipp
    );
    let smtp = "constant-address = \"print\"";
    let office = Office::open_with(&Wishes { smtp, more: &more, ..Wishes::default() });
    let to = "print@print.example";
    let mail = |subject: &str, number: u32| {
        let picture = samples::png(number, 600, 800);
        TestMail::new(ANNA, to).subject(subject).attach("picture.png", "image/png", picture).build()
    };
    // Without a word, where the sender was registered first.
    let reply = office.send(ANNA, &[to], &mail("Picture", 1));
    assert!(reply.starts_with("250 2.0.0") && reply.contains("Office"), "{reply}");
    office.printer.wait_for_pages(1);
    let reply = office.send(ANNA, &[to], &mail("[lobby] Picture", 2));
    assert!(reply.starts_with("250 2.0.0") && reply.contains("lobby"), "{reply}");
    lobby.wait_for_pages(1);
    assert_eq!((office.printer.numbers(), lobby.numbers()), (vec![Some(1)], vec![Some(2)]));
}

#[test]
fn a05_words_in_the_subject_say_what_and_how() {
    let office = Office::open();
    let mail = TestMail::new(ANNA, OFFICE)
        .subject("Invoice [pages 2-3 2 copies shiny]")
        .text("a cover note")
        .attach("invoice.pdf", "application/pdf", samples::pdf(5))
        .build();
    assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    let job = office.wait_for_job("completed");
    assert_eq!(job["name"], "Invoice");
    assert_eq!(office.printer.numbers(), [Some(2), Some(3), Some(2), Some(3)]);
    office.wait_for_notice("shiny");
}

#[test]
fn a05_the_body_prints_where_there_are_no_attachments_in_any_charset() {
    let office = Office::open();
    let mail = TestMail::new(ANNA, OFFICE).subject("メモ").text_iso_2022_jp("日本語の本文です。\n").build();
    assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    office.wait_for_job("completed");
    let page = image::open(&office.printer.wait_for_pages(1)[0]).unwrap().to_luma8();
    assert!(page.pixels().any(|pixel| pixel.0[0] < 100), "the page has ink");
    let mail = TestMail::new(ANNA, OFFICE)
        .subject("Photo [both]")
        .text("see the picture")
        .attach("photo.jpg", "image/jpeg", samples::jpeg(4, 800, 1100))
        .attach("drawing.png", "image/png", samples::png(5, 800, 1100))
        .build();
    assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    office.printer.wait_for_pages(4);
    let numbers = office.printer.numbers();
    assert!(numbers.contains(&Some(4)) && numbers.contains(&Some(5)), "{numbers:?}");
}

#[test]
fn a05_bad_parts_are_named_and_the_others_print() {
    let office = Office::open();
    let mail = TestMail::new(ANNA, OFFICE)
        .subject("Mixed")
        .attach("good.pdf", "application/pdf", samples::pdf(1))
        .attach("broken.pdf", "application/pdf", samples::pdf::broken())
        .attach("locked.pdf", "application/pdf", samples::PdfSample::pages(1).encrypted().build())
        .attach("bomb.png", "image/png", samples::picture::png_bomb(60_000))
        .attach("table.xyz", "application/x-unknown", vec![1, 2, 3, 0, 255])
        .build();
    assert!(office.send(ANNA, &[OFFICE], &mail).starts_with("250"));
    office.wait_for_job("completed");
    let notice = office.wait_for_notice("locked.pdf");
    assert_eq!(office.printer.numbers(), [Some(1)], "{notice}");
    for name in ["broken.pdf", "bomb.png", "table.xyz"] {
        assert!(notice.contains(name), "{name} is named in {notice}");
    }
}

#[test]
fn a05_more_than_fifty_pages_wait_for_a_click() {
    let office = Office::open();
    assert!(office.send(ANNA, &[OFFICE], &mail(51)).starts_with("250"));
    let job = office.wait_for_job("pending-held");
    office.wait_for_notice("51");
    office.tympan(&["job", "release", job["id"].as_str().unwrap()]);
    office.printer.wait_for_pages(51);
}

#[test]
fn a06_a_printer_that_we_did_not_write_gets_what_it_understands() {
    if !IppEvePrinter::need() {
        return;
    }
    let printer = IppEvePrinter::start();
    let more = format!(
        "[[printer]]\nname = \"eve\"\ndevice = \"{}\"\n[[registration]]\nprinter = \"eve\"\nsender = \"{ANNA}\"\n",
        printer.uri()
    );
    let office = Office::open_with(&Wishes { more: &more, ..Wishes::default() });
    assert!(office.send(ANNA, &["eve@print.example"], &mail(2)).starts_with("250"));
    office.wait_for_job("completed");
    let received = printer.wait_for_completed(1);
    assert_eq!(received.len(), 1);
}

#[test]
fn a06_a_raw_port_gets_it_and_is_said_not_to_confirm() {
    let scratch = tympan_tests::Scratch::new("raw");
    let printer = Printer::start(&scratch, "raw", None);
    let more = format!(
        "[[printer]]\nname = \"raw\"\ndevice = \"socket://{}\"\n[[registration]]\nprinter = \"raw\"\nsender = \"{ANNA}\"\n",
        printer.raw
    );
    let office = Office::open_with(&Wishes { more: &more, ..Wishes::default() });
    assert!(office.send(ANNA, &["raw@print.example"], &mail(1)).starts_with("250"));
    office.wait_for_job("completed");
    printer.wait_for_pages(1);
    office.wait_for_why("cannot confirm");
}

#[test]
fn a08_a_job_for_a_printer_that_is_well_prints_at_once_and_its_data_goes() {
    let office = Office::open();
    assert!(office.send(ANNA, &[OFFICE], &mail(1)).starts_with("250"));
    office.wait_for_job("completed");
    assert_eq!(office.printer.numbers(), [Some(1)]);
    assert!(office.notices().is_empty(), "success is not mailed: {:?}", office.notices());
    let documents = office.data().join("documents");
    wait_until("no document is left", || std::fs::read_dir(&documents).is_ok_and(|mut found| found.next().is_none()));
}

#[test]
fn a15_while_one_job_waits_others_go_on() {
    let scratch = tympan_tests::Scratch::new("lobby");
    let lobby = Printer::start(&scratch, "lobby", None);
    let more = format!(
        "[[printer]]\nname = \"lobby\"\ndevice = \"{}\"\n[[registration]]\nprinter = \"lobby\"\nsender = \"{ANNA}\"\n",
        lobby.ipp
    );
    let office = Office::open_with(&Wishes { more: &more, ..Wishes::default() });
    office.printer.fault("off");
    assert!(office.send(ANNA, &[OFFICE, "lobby@print.example"], &mail(1)).starts_with("250"));
    lobby.wait_for_pages(1);
    office.wait_for_notice("office");
    assert_eq!(office.printer.pages().len(), 0);
}

#[test]
fn a01_a_250_is_written_after_the_disk_has_the_mail() {
    if !peers::need("strace") {
        return;
    }
    let office = Office::open();
    office.printer.fault("off");
    let log = office.scratch.join("strace");
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-s", "64", "-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg", "-o"]).arg(&log);
    let strace = Process::start("strace", command.args(["-p", &office.pid().to_string()]));
    strace.wait_for_line("strace is attached", |line| line.contains("attached").then_some(()));
    let number = 4;
    let name = "picture.png";
    let mail = TestMail::new(ANNA, OFFICE).attach(name, "image/png", samples::png(number, 600, 800)).build();
    let reply = office.send(ANNA, &[OFFICE], &mail);
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    drop(strace);
    let seen = std::fs::read_to_string(&log).expect("what strace saw");
    let lines: Vec<&str> = seen.lines().collect();
    let at =
        |what: &str| lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what}: {seen}"));
    let (begins, answered) = (at("354 "), at("250 2.0.0 "));
    // A call that another thread interrupts stands in two lines; its end is what counts.
    let synced = |line: &&str| line.contains("sync") && line.trim_end().ends_with("= 0");
    assert!(lines[begins..answered].iter().any(synced), "250 before the disk had it: {seen}");
}

#[test]
fn the_demo_prints_its_welcome_page_and_ends_cleanly() {
    let scratch = Scratch::new("demo");
    let mut demo = std::process::Command::new(program::tympan());
    demo.args(["demo", "--once", "--folder"]).arg(scratch.join("demo"));
    demo.args(["--http", &local().to_string(), "--smtp", &local().to_string()]);
    let said = Process::run("tympan demo", &mut demo).expect_success();
    for words in ["console:", "set-up code", "mail:", "ipp:", "faults:", "pages:", "tympan print FILE"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let page = said.split_whitespace().find(|word| word.ends_with("-p001.png")).expect("the page's file");
    assert!(std::fs::metadata(page).is_ok_and(|file| file.len() > 10_000), "{page}");
}
