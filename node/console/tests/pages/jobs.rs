//! Jobs and printers on pages, by session and by secret link; live.

use crate::world::{World, profile, well};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tympan_console::Found;
use tympan_engine::{JobOptions, Language, Outcome, OwnerId, Right};
use tympan_http::Method;
use tympan_store::Whose;

#[tokio::test]
async fn a_waiting_job_says_why_what_comes_next_and_what_one_can_do() {
    let world = World::small().await;
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let mut owner = world.owner().await;
    owner.get("/").await.has("Tray 1 has no A4.").has("Put A4 into Tray 1.").has("1 job").has("invoice.pdf");
    let page = owner.get(&format!("/jobs/{}", job.short())).await;
    page.has("Office answered").has("Tray 1 has no A4").has("prints when the printer reports paper").has("Ends: ");
    page.has("/try\"").has("/cancel\"").has("Came in by mail.");
    owner.get("/jobs").await.has("invoice.pdf");
    owner.get("/jobs?show=ended").await.has("No jobs here");
    let page = owner.post(&format!("/jobs/{}/try", job.short()), &[]).await;
    assert!(page.location().ends_with("said=in-vain") || page.location().ends_with("said=tried"));
    world.devices.conditions.lock().unwrap().insert("office".into(), well());
    owner.post("/printers/office/try", &[]).await.is(303);
    let done = world.until(job, |job| job.is_over()).await;
    assert!(matches!(done.outcome, Some(Outcome::Printed { .. })));
    owner.get(&format!("/jobs/{}", job.short())).await.has("Printed").has("/reprint\"").has("Out of the printer.");
    let page = owner.post(&format!("/jobs/{}/reprint", job.short()), &[]).await;
    assert!(page.location().ends_with("said=again") && !page.location().contains(&job.short().to_string()));
}

#[tokio::test]
async fn jobs_are_held_released_kept_and_printed_elsewhere() {
    let world = World::small().await;
    world.printer("lobby", "Lobby").await;
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let base = format!("/jobs/{}", job.short());
    let mut owner = world.owner().await;
    owner.post(&format!("{base}/hold"), &[]).await.is(303);
    world.until(job, |job| !job.holds.is_empty()).await;
    owner.get(&base).await.has("Held by an operator").has("/release\"");
    owner.post(&format!("{base}/release"), &[]).await.is(303);
    owner.post(&format!("{base}/release"), &[]).await.is(409);
    owner.post(&format!("{base}/keep"), &[("span", "5 days")]).await.is(303);
    owner.post(&format!("{base}/keep"), &[("span", "forever")]).await.is(422);
    owner.post(&format!("{base}/reprint"), &[]).await.is(409);
    owner.get(&base).await.has("<option value=\"lobby\">Lobby</option>");
    owner.post(&format!("{base}/elsewhere"), &[("at", "nowhere")]).await.is(422);
    let page = owner.post(&format!("{base}/elsewhere"), &[("at", "lobby")]).await;
    page.is(303);
    let new = page.location().split(['/', '?']).nth(2).unwrap().to_owned();
    let new = world.spooler.find_job(Whose::Everyones, &new).await.unwrap();
    assert_eq!(new.printer, world.printer_named("lobby").await.uuid);
    world.until(new.uuid, |job| matches!(job.outcome, Some(Outcome::Printed { .. }))).await;
    world.until(job, |job| matches!(job.outcome, Some(Outcome::Canceled { .. }))).await;
    owner.post(&format!("{base}/cancel"), &[]).await.is(409).has("already ended");
    owner.post(&format!("{base}/explode"), &[]).await.is(404);
}

#[tokio::test]
async fn a_sender_lets_go_what_he_holds_and_not_what_an_operator_holds() {
    let world = World::small().await;
    world.printer("lobby", "Lobby").await;
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let base = format!("/jobs/{}", job.short());
    let (mut owner, mut anna) = (world.owner().await, world.browser());
    let link = world.job_link(job).await;
    anna.get(&link).await.is(200);
    anna.post(&format!("{link}/hold"), &[]).await.is(303);
    world.until(job, |job| !job.holds.is_empty()).await;
    anna.get(&link).await.has("Held by its sender").has("/release\"");
    anna.post(&format!("{link}/release"), &[]).await.is(303);
    world.until(job, |job| job.holds.is_empty()).await;
    owner.post(&format!("{base}/hold"), &[]).await.is(303);
    world.until(job, |job| !job.holds.is_empty()).await;
    anna.get(&link).await.has("Held by an operator").has_not("/release\"");
    anna.post(&format!("{link}/release"), &[]).await.is(409).has("ask there");
    assert_eq!(world.spooler.job(Whose::Everyones, job).await.unwrap().holds.len(), 1);
    owner.post(&format!("{base}/release"), &[]).await.is(303);
    world.until(job, |job| job.holds.is_empty()).await;
}

#[tokio::test]
async fn many_pages_wait_for_a_click() {
    let world = World::small().await;
    let job = world.submit("office", "long.pdf", "anna@example.org").await;
    world.until(job, |job| job.ready && !job.holds.is_empty()).await;
    let mut anna = world.browser();
    let link = world.job_link(job).await;
    anna.get(&link).await.is(200).has("waits for a click").has("120 pages");
    anna.post(&format!("{link}/release"), &[]).await.is(303);
    world.until(job, |job| matches!(job.outcome, Some(Outcome::Printed { .. }))).await;
}

#[tokio::test]
async fn a_doubt_is_decided_with_four_keys_and_looking_decides_nothing() {
    for (decision, page) in [("fine", ""), ("print-from", "2"), ("print-all", ""), ("throw-away", "")] {
        let world = World::small().await;
        let job = world.doubtful_job("anna@example.org").await;
        let mut owner = world.owner().await;
        owner.get("/").await.has("Did it print? One job needs your answer.");
        owner.get("/jobs?show=doubt").await.has("lost.pdf");
        let link = world.job_link(job).await;
        let mut anna = world.browser();
        for _ in 0..3 {
            // Mail scanners follow every link.
            anna.get(&link).await.is(200);
            anna.get(&format!("{link}/decide")).await.is(405);
            anna.get(&format!("{link}/decide?decision=throw-away")).await.is(405);
        }
        assert!(world.until(job, |_| true).await.doubt.is_some());
        let page_shown = anna.get(&link).await;
        page_shown
            .has("Did it print?")
            .has("Print from page")
            .has("Print all again")
            .has("It all came out")
            .has("Throw away");
        if decision == "print-from" {
            anna.post(&format!("{link}/decide"), &[("decision", "print-from"), ("page", "99")]).await.is(409);
            anna.post(&format!("{link}/decide"), &[("decision", "print-from")]).await.is(422);
        }
        anna.post(&format!("{link}/decide"), &[("decision", decision), ("page", page)]).await.is(303);
        let now = world.until(job, |job| job.doubt.is_none() || job.attempts > 1).await;
        match decision {
            "fine" => assert!(matches!(now.outcome, Some(Outcome::Printed { .. }))),
            "throw-away" => assert!(matches!(now.outcome, Some(Outcome::Canceled { .. }))),
            "print-from" => assert_eq!(now.first_page, 2),
            _ => assert_eq!(now.first_page, 1),
        }
        anna.get(&link).await.is(200);
    }
}

#[tokio::test]
async fn a_link_shows_no_menu_and_prints_elsewhere_only_where_its_sender_may() {
    let world = World::small().await;
    let lobby = world.printer("lobby", "Lobby").await;
    world.printer("attic", "Attic").await;
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let link = world.job_link(job).await;
    let mut anna = world.browser();
    let page = anna.get(&link).await;
    page.is(200).has_not("href=\"/jobs\"").has_not("href=\"/printers/office\"").has_not("value=\"lobby\"");
    world.spooler.register(&lobby, "anna@example.org", Language::En, JobOptions::default()).await.unwrap();
    anna.get(&link).await.has("value=\"lobby\"").has_not("value=\"attic\"");
    anna.post(&format!("{link}/elsewhere"), &[("at", "attic")]).await.is(422);
    let page = anna.post(&format!("{link}/elsewhere"), &[("at", "lobby")]).await;
    assert_eq!(page.location(), format!("{link}?said=elsewhere"));
    world.until(job, |job| job.is_over()).await;
    for _ in 0..40 {
        anna.post(&format!("{link}/cancel"), &[]).await;
    }
    anna.post(&format!("{link}/cancel"), &[]).await.is(429);
}

#[tokio::test]
async fn people_see_their_own_jobs_only() {
    let world = World::small().await;
    let hers = world.waiting_job("hers.pdf", "anna@example.org").await;
    let his = world.submit("office", "his.pdf", "bob@example.org").await;
    world.until(his, |job| job.ready).await;
    let account = world.account(OwnerId::FIRST, "anna", Right::Print, &["anna@example.org"]).await;
    let mut anna = world.signed_in(&account).await;
    anna.get("/").await.has("hers.pdf").has_not("his.pdf");
    anna.get("/jobs?show=all").await.has("hers.pdf").has_not("his.pdf");
    anna.get(&format!("/jobs/{}", his.short())).await.is(404);
    anna.post(&format!("/jobs/{}/cancel", his.short()), &[]).await.is(404);
    anna.get("/printers/office").await.is(200).has_not("/pause\"").has_not("his.pdf");
    anna.post(&format!("/jobs/{}/cancel", hers.short()), &[]).await.is(303);
    world.until(hers, |job| job.is_over()).await;
    // A right at one printer shows what is there.
    let mut account = account;
    account.printer_rights = vec![(world.printer_named("office").await.uuid, Right::Operate)];
    world.spooler.save_account(account.clone(), 1).await.unwrap();
    anna.get("/jobs?show=all").await.has("his.pdf");
}

#[tokio::test]
async fn a_printer_is_asked_then_added_with_a_test_page_changed_and_removed() {
    let world = World::small().await;
    let mut owner = world.owner().await;
    owner.get("/add-printer").await.is(200);
    owner.post("/add-printer", &[("device", "http://x/")]).await.is(422);
    owner
        .post("/add-printer", &[("device", "192.168.1.20")])
        .await
        .is(200)
        .has("did not answer")
        .has("ipp://192.168.1.20/ipp/print");
    let found = Found { profile: Some(profile()), condition: well() };
    *world.devices.found.lock().unwrap() = Some(Ok(found));
    world.devices.conditions.lock().unwrap().insert("lobby".into(), well());
    let page = owner.post("/add-printer", &[("device", "192.168.1.20")]).await;
    page.is(200)
        .has("Found: Example ColorPrint 9000")
        .has("Prints in colour, on both sides, on A4")
        .has("71%")
        .has("value=\"example\"");
    let fields = [
        ("device", "ipp://192.168.1.20/ipp/print"),
        ("name", "lobby"),
        ("info", "Lobby"),
        ("access", "open"),
        ("test_page", "1"),
    ];
    owner
        .post("/add-printer/save", &[("device", "ipp://192.168.1.20/ipp/print"), ("name", "a b")])
        .await
        .is(422)
        .has("1 to 63");
    assert_eq!(owner.post("/add-printer/save", &fields).await.location(), "/printers/lobby?said=printer-added-test");
    owner.post("/add-printer/save", &fields).await.is(409).has("already");
    let lobby = world.printer_named("lobby").await;
    assert_eq!(lobby.policy.access, tympan_engine::Access::Open);
    assert!(lobby.profile.is_some());
    let tests = world
        .spooler
        .records()
        .jobs(Whose::Everyones, &tympan_store::JobFilter { printer: Some(lobby.uuid), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(tests.len(), 1);
    world.until(tests[0].uuid, |job| job.is_over()).await;
    owner
        .get("/printers/lobby")
        .await
        .has("lobby@print.example")
        .has("Example ColorPrint 9000")
        .has("data:image/svg+xml");

    owner.get("/printers/lobby/settings").await.is(200).has("value=\"3 days\"").has("value=\"5 minutes\"");
    let good = [
        ("access", "invite"),
        ("retention", "2 days"),
        ("retention_follows", "1"),
        ("retry_interval", "90 s"),
        ("time_out", "8 s"),
        ("stored_form", "smallest"),
        ("doubt", "reprint"),
        ("doubt_time", "6 hours"),
        ("reprint_window", "0 s"),
        ("options", "duplex mono"),
        ("review_pages", "20"),
        ("info", "The lobby"),
        ("location", "Ground floor"),
        ("device", "ipp://192.168.1.21/ipp/print"),
    ];
    owner.post("/printers/lobby/settings", &good).await.is(303);
    let lobby = world.printer_named("lobby").await;
    assert_eq!(
        (lobby.policy.retention_ms, lobby.policy.retry_interval_ms, lobby.policy.review_pages),
        (172_800_000, 90_000, 20)
    );
    assert_eq!(
        (lobby.policy.options.words().as_str(), lobby.info.as_str(), lobby.location.as_str()),
        ("duplex mono", "The lobby", "Ground floor")
    );
    assert_eq!(lobby.device, "ipp://192.168.1.21/ipp/print");
    for (field, value) in [
        ("retention", "40 days"),
        ("options", "shiny"),
        ("review_pages", "0"),
        ("info", ""),
        ("device", "x"),
        ("time_out", "1 h"),
    ] {
        let wrong: Vec<(&str, &str)> =
            good.iter().map(|(name, old)| (*name, if *name == field { value } else { *old })).collect();
        owner.post("/printers/lobby/settings", &wrong).await.is(422).has("role=\"alert\"");
    }
    let page = owner.post("/printers/lobby/token", &[]).await;
    page.is(200).has("It is shown only now").has(&format!("ipp://{}/ipp/print/lobby", world.addr));
    owner.post("/printers/lobby/pause", &[]).await.is(303);
    owner.get("/printers/lobby").await.has("Paused").has("/resume\"");
    owner.post("/printers/lobby/resume", &[]).await.is(303);
    owner.post("/printers/lobby/remove", &[("confirm", "office")]).await.is(422);
    owner.post("/printers/lobby/remove", &[("confirm", "lobby")]).await.is(303);
    owner.get("/printers/lobby").await.is(404);
    owner.get(&format!("/jobs/{}", tests[0].short())).await.is(200);
    // Not while something waits.
    world.waiting_job("invoice.pdf", "anna@example.org").await;
    owner.post("/printers/office/remove", &[("confirm", "office")]).await.is(409).has("still wait");
}

#[tokio::test]
async fn one_address_for_all_printers_tells_how_the_sender_chooses() {
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let world = World::at(any, |options| {
        options.set_up = false;
        options.constant_address = Some("print".into());
    })
    .await;
    world.printer("office", "Office").await;
    let mut owner = world.owner().await;
    owner.get("/printers/office").await.has("print@print.example").has("[office]").has_not("office@print.example");
    owner.get("/register/office").await.has("print@print.example");
}

#[tokio::test]
async fn a_page_hears_of_changes_as_they_happen() {
    let world = World::small().await;
    let owner = world.owner().await;
    let mut stream = TcpStream::connect(world.addr).await.unwrap();
    let cookie = &owner.cookies["tympan"];
    let head = format!("GET /events HTTP/1.1\r\nHost: {}\r\nCookie: tympan={cookie}\r\n\r\n", world.addr);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let mut job = None;
    let all = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let mut octets = [0; 1024];
            let read = stream.read(&mut octets).await.unwrap();
            assert!(read > 0);
            heard.extend_from_slice(&octets[..read]);
            let text = String::from_utf8_lossy(&heard).into_owned();
            if text.contains("retry:") && job.is_none() {
                job = Some(world.submit("office", "invoice.pdf", "anna@example.org").await);
            }
            if let Some(job) = job
                && text.contains("event: change")
                && text.contains(&format!("{{\"job\":\"{}\",\"printer\":\"office\"}}", job.short()))
            {
                return text;
            }
        }
    });
    let text = all.await.expect("the event comes in time");
    assert!(text.contains("text/event-stream"));
    let mut nobody = world.browser();
    nobody.get("/events").await.is(303);
    nobody.api(Method::GET, "/events", None).await.is(401);
}

#[tokio::test]
async fn notices_are_shown_to_whom_they_concern() {
    let world = World::small().await;
    let printer = world.printer_named("office").await;
    world.notice(printer.uuid, "Office has no paper", "Put some in.\nThank you.").await;
    let mut owner = world.owner().await;
    owner.get("/notices").await.has("Office has no paper").has("Thank you.").has("This server sends no mail");
    let anna = world.account(OwnerId::FIRST, "anna", Right::Print, &["anna@example.org"]).await;
    world.signed_in(&anna).await.get("/notices").await.has("Office has no paper");
    let bob = world.account(OwnerId::FIRST, "bob", Right::Print, &["bob@example.org"]).await;
    world.signed_in(&bob).await.get("/notices").await.has_not("Office has no paper");
}

#[tokio::test]
async fn t9_a_job_with_a_pin_is_let_go_on_its_page_by_whoever_types_it() {
    let world = World::small().await;
    let printer = world.printer_named("office").await;
    let hash = world.spooler.hash_pin(b"4711").await;
    let octets = b"secret".to_vec();
    let id = tympan_engine::DocumentId::from_parts(world.spooler.now(), world.spooler.random());
    let document = tympan_store::NewDocument {
        id,
        octets: octets.len() as u64,
        sha256: [0; 32],
        inline: Some(octets.into()),
        refs: 0,
    };
    let submission = tympan_spooler::Submission {
        targets: vec![tympan_spooler::Target {
            printer,
            registration: None,
            source: tympan_engine::JobSource::Ipp,
            duplicate_key: None,
        }],
        name: "payslip.pdf".into(),
        originator: tympan_engine::Originator {
            address: "olga".into(),
            registration: None,
            language: tympan_engine::Language::En,
            may_be_mailed: false,
        },
        options: tympan_engine::JobOptions::default(),
        priority: 50,
        document: Some(tympan_spooler::Submitted {
            document,
            format: "application/pdf".into(),
            name: "payslip.pdf".into(),
        }),
        remarks: Vec::new(),
        holds: [tympan_engine::HoldReason::PinRelease].into(),
        release_at: None,
        pin: Some(tympan_engine::Pin { hash, encryption: "none".into(), wrong: 0 }),
    };
    let job = world.spooler.accept(submission).await.unwrap()[0].job;
    let mut owner = world.owner().await;
    let page = format!("/jobs/{}", job.short());
    owner.get(&page).await.has("released with its PIN").has("/pin\"").has_not("/release\"");
    owner.post(&format!("{page}/pin"), &[("pin", "1234")]).await.is(409).has("The PIN is wrong");
    world.until(job, |job| job.pin.as_ref().is_some_and(|pin| pin.wrong == 1)).await;
    owner.post(&format!("{page}/pin"), &[("pin", "4711")]).await.is(303);
    world.until(job, |job| job.pin.is_none() && job.holds.is_empty()).await;
}
