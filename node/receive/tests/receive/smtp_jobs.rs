//! A mail becomes jobs: who may print, at which printers, how often.

use crate::common::{World, mail, options};
use tympan_engine::{Access, JobSource};

#[tokio::test]
async fn a02_a03_a_mail_from_a_registered_sender_is_a_job_on_disk_before_250() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let text =
        mail("Anna <anna@sender.example>", "Invoice [duplex 2 copies shiny]", "Message-ID: <1@a>\r\n", ".dots\r\n..");
    let reply = world.send("Anna@sender.example", &["Office@Print.Example"], &text).await;
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 1, "{reply}");
    assert_eq!(reply, format!("250 2.0.0 {} accepted for Office", jobs[0].short()));
    assert_eq!(world.stored(&jobs[0]).await, text.as_bytes());
    assert_eq!(jobs[0].name.0, "Invoice");
    assert_eq!(jobs[0].options.copies, Some(2));
    assert!(jobs[0].remarks[0].contains("shiny"), "{:?}", jobs[0].remarks);
    assert_eq!(jobs[0].originator.address.0, "anna@sender.example");
    let JobSource::Mail { message_id, recipient } = &jobs[0].source else { panic!("{:?}", jobs[0].source) };
    assert_eq!(message_id.as_ref().unwrap().0, "<1@a>");
    assert_eq!(recipient.0, "Office@print.example");
}

#[tokio::test]
async fn one_mail_to_two_printers_is_a_job_each_over_one_document() {
    let world = World::new(options()).await;
    for name in ["office", "lobby"] {
        let printer = world.printer(name, Access::Approve).await;
        world.register(&printer, "anna@sender.example").await;
    }
    let to = ["office@print.example", "lobby@print.example", "OFFICE@print.example"];
    let reply = world.send("anna@sender.example", &to, &mail("anna@sender.example", "x", "", "body")).await;
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 2, "the same printer twice is one job");
    assert_eq!(reply.lines().count(), 2, "{reply}");
    assert!(reply.contains("accepted for Office") && reply.contains("accepted for Lobby"), "{reply}");
    assert_eq!(jobs[0].received[0].id, jobs[1].received[0].id);
}

#[tokio::test]
async fn a04_registered_at_some_gets_jobs_there_and_one_notice_about_the_rest() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let lobby = world.printer("lobby", Access::Approve).await;
    world.printer("cellar", Access::Approve).await;
    world.spooler.request_registration(&lobby, "anna@sender.example", tympan_engine::Language::En, true).await.unwrap();
    let to = ["lobby@print.example", "office@print.example", "cellar@print.example"];
    let text = mail("anna@sender.example", "x", "Message-ID: <1@a>\r\n", "body");
    let reply = world.send("anna@sender.example", &to, &text).await;
    assert_eq!(world.jobs().await.len(), 1);
    assert!(
        reply.starts_with("250-2.0.0") && reply.contains("Not accepted for Cellar: you are not registered"),
        "{reply}"
    );
    let mails = world.mails().await;
    let [(to, subject, text, answers)] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!(to, "anna@sender.example");
    assert!(subject.contains("Lobby") && subject.contains("Cellar"), "{subject}");
    assert!(text.contains("not approved") && text.contains("https://print.example/register/cellar"), "{text}");
    assert_eq!(answers.as_deref(), Some("<1@a>"));
}

#[tokio::test]
async fn a_mail_that_is_repeated_after_a_lost_250_prints_once() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let send = async |more: &str, body: &str| {
        let text = mail("anna@sender.example", "x", more, body);
        world.send("anna@sender.example", &["office@print.example"], &text).await
    };
    let first = send("Message-ID: <1@a>\r\n", "body").await;
    let again = send("Message-ID: <1@a>\r\nReceived: by another way\r\n", "body").await;
    assert_eq!(again[..18], first[..18], "the same number");
    assert!(again.contains("had come before"), "{again}");
    assert_eq!(world.jobs().await.len(), 1);
    send("Message-ID: <1@a>\r\n", "another body").await;
    assert_eq!(world.jobs().await.len(), 2, "another body is another document");
    send("", "body").await;
    send("", "body").await;
    assert_eq!(world.jobs().await.len(), 4, "without Message-ID nothing is recognised");
}

#[tokio::test]
async fn a02_at_the_constant_address_the_sender_chooses_the_printer() {
    let world = World::new(tympan_receive::SmtpOptions { constant_address: Some("print".into()), ..options() }).await;
    let office = world.printer("office", Access::Approve).await;
    let lobby = world.printer("lobby", Access::Approve).await;
    world.printer("cellar", Access::Approve).await;
    let send = async |subject: &str| {
        let text = mail("anna@sender.example", subject, "", "body");
        world.send("anna@sender.example", &["print@print.example"], &text).await
    };
    let reply = send("x").await;
    assert!(reply.starts_with("550-5.7.1") && reply.contains("https://print.example/register"), "{reply}");
    world.register(&office, "anna@sender.example").await;
    assert!(send("one registration [lobby]").await.contains("for Office"));
    let before = world.spooler.now();
    crate::common::until(async || world.spooler.now() > before).await;
    world.register(&lobby, "anna@sender.example").await;
    assert!(send("the first is the default").await.contains("for Office"));
    assert!(send("[duplex Lobby] the word chooses").await.contains("for Lobby"));
    assert!(send("[cellar] no registration there").await.contains("for Office"));
    let jobs = world.jobs().await;
    assert_eq!(jobs[2].name.0, "the word chooses");
    assert!(jobs[2].options.sides.is_some() && jobs[2].remarks.is_empty(), "{:?}", jobs[2]);
    world.assert_no_mail().await;
}

#[tokio::test]
async fn from_a_listed_network_the_reverse_path_or_the_from_address_counts() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "scanner@sender.example").await;
    let to = ["office@print.example"];
    let by_path = world.send("scanner@sender.example", &to, "Subject: no From\r\n\r\nscan\r\n").await;
    assert!(by_path.starts_with("250"), "{by_path}");
    let by_from = world.send("bounces@sender.example", &to, &mail("scanner@sender.example", "x", "", "scan")).await;
    assert!(by_from.starts_with("250"), "{by_from}");
    let neither = world.send("a@sender.example", &to, &mail("b@sender.example", "x", "", "scan")).await;
    assert!(neither.starts_with("550-5.7.1"), "{neither}");
    for job in world.jobs().await {
        assert_eq!(job.originator.address.0, "scanner@sender.example");
        assert!(job.originator.may_be_mailed);
    }
}

#[tokio::test]
async fn chunks_and_large_mails_are_stored_as_they_were_sent() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut client = world.greeted().await;
    let lines: String = (0..10_000).map(|n| format!("{}line {n}\r\n", if n % 3 == 0 { "." } else { "" })).collect();
    let text = mail("anna@sender.example", "x", "", &lines);
    assert!(text.len() > 100_000);
    let reply = client.mail("anna@sender.example", &["office@print.example"], text.as_bytes()).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    // Bare line ends are no framing in BDAT, and a header may end in the middle of a chunk.
    client.send("MAIL FROM:<anna@sender.example>").await;
    client.expect("250 2.1.0*").await;
    client.send("RCPT TO:<office@print.example>").await;
    client.expect("250 2.1.5*").await;
    let (first, second) = text.as_bytes().split_at(30);
    client.raw(&[format!("BDAT {}\r\n", first.len()).as_bytes(), first].concat()).await;
    client.expect("250*").await;
    client.raw(&[format!("BDAT {} LAST\r\n", second.len()).as_bytes(), second].concat()).await;
    client.expect("250 2.0.0*").await;
    client.send("QUIT").await;
    client.expect("221*").await;
    assert_eq!(client.reply().await, "");
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        assert!(world.stored(&job).await == text.as_bytes());
    }
}

#[tokio::test]
async fn a_mail_without_a_body_or_without_a_header_has_its_answer() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let to = ["office@print.example"];
    for (text, jobs) in [("From: anna@sender.example\r\n", 1), ("\r\nonly a body\r\n", 2), ("", 3)] {
        let reply = world.send("anna@sender.example", &to, text).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        assert_eq!(world.jobs().await.len(), jobs);
    }
}

#[tokio::test]
async fn c1_the_crash_point_lies_in_the_middle_of_a_mail() {
    use std::sync::{Arc, Mutex};
    let passed = Arc::new(Mutex::new(Vec::new()));
    let seen = passed.clone();
    let crash = tympan_spooler::CrashPoint::when(move |name| {
        seen.lock().unwrap().push(name);
        false
    });
    let world = World::with(crate::common::Setup { crash, ..crate::common::Setup::default() }).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    world.send("anna@sender.example", &["office@print.example"], &mail("anna@sender.example", "x", "", "body")).await;
    assert_eq!(passed.lock().unwrap()[..3], ["C1", "C2", "C3"]);
}
