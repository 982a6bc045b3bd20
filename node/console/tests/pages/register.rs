//! People register by themselves, and change what is theirs.

use crate::world::World;
use tympan_engine::{
    Access, JobOptions, Language, OwnerId, PrinterEvent, PrinterPolicy, RegistrationEvent, RegistrationState,
    TokenScope,
};
use tympan_store::Whose;

async fn with_access(world: &World, access: Access) {
    let printer = world.printer_named("office").await;
    let policy = PrinterPolicy { access, ..printer.policy };
    world.spooler.printer_event(Whose::Everyones, printer.uuid, PrinterEvent::Policy(policy), None).await.unwrap();
}

async fn state_of(world: &World, sender: &str) -> Option<RegistrationState> {
    let printer = world.printer_named("office").await;
    world.spooler.registration_at(printer.uuid, sender).await.unwrap().map(|registration| registration.state)
}

#[tokio::test]
async fn a16_people_register_on_the_web_page_as_the_printer_allows() {
    let world = World::small().await;
    let mut browser = world.browser();
    browser.get("/register").await.is(200).has("/register/office");
    with_access(&world, Access::Open).await;
    browser.get("/register/office").await.is(200).has("office@print.example").has("office+register@print.example");
    let page = browser.post("/register/office", &[("sender", " Anna@Example.org ")]).await;
    page.is(200).has("anna@example.org is registered").has("mailto:office@print.example");
    assert_eq!(state_of(&world, "anna@example.org").await, Some(RegistrationState::Active));

    with_access(&world, Access::Approve).await;
    let page = browser.post("/register/office", &[("sender", "bob@example.org")]).await;
    page.is(200).has("The owner is asked for bob@example.org");
    assert_eq!(state_of(&world, "bob@example.org").await, Some(RegistrationState::Requested));

    with_access(&world, Access::Invite).await;
    browser.get("/register/office").await.is(200).has("enters by himself").has_not("name=\"sender\"");
    browser.post("/register/office", &[("sender", "eve@example.org")]).await.is(403);
    assert_eq!(state_of(&world, "eve@example.org").await, None);
    browser.get("/register").await.has_not("/register/office");

    browser.get("/register/nowhere").await.is(404);
    browser.post("/register/office", &[("sender", "no address")]).await.is(403);
    with_access(&world, Access::Open).await;
    browser.post("/register/office", &[("sender", "no address")]).await.is(422);
    assert!(world.spooler.records().notices(Whose::Everyones, None, 10).await.unwrap().is_empty(), "nobody is mailed");
}

#[tokio::test]
async fn a16_what_is_said_does_not_tell_who_was_registered_before() {
    let world = World::small().await;
    let printer = world.printer_named("office").await;
    let known =
        world.spooler.register(&printer, "anna@example.org", Language::En, JobOptions::default()).await.unwrap();
    let refused =
        world.spooler.register(&printer, "anne@example.org", Language::En, JobOptions::default()).await.unwrap();
    let whose = Whose::Owner(OwnerId::FIRST);
    world.spooler.registration_event(whose, refused.id, RegistrationEvent::Revoke).await.unwrap();
    for access in [Access::Open, Access::Approve] {
        with_access(&world, access).await;
        let mut browser = world.browser();
        browser.get("/register/office").await;
        let mut said = Vec::new();
        for sender in ["anna@example.org", "anne@example.org", "anno@example.org"] {
            let page = browser.post("/register/office", &[("sender", sender)]).await;
            page.is(200);
            said.push(page.text.replace(sender, "SENDER"));
        }
        assert!(said[0] == said[1] && said[1] == said[2]);
    }
    assert_eq!(state_of(&world, "anna@example.org").await, Some(RegistrationState::Active));
    assert_eq!(state_of(&world, "anne@example.org").await, Some(RegistrationState::Requested), "turned away stays so");
    assert_eq!(known.sender.0, "anna@example.org");
}

#[tokio::test]
async fn a16_registering_is_limited_by_source() {
    let world = World::small().await;
    let mut browser = world.browser();
    browser.get("/register/office").await;
    for n in 0..10 {
        browser.post("/register/office", &[("sender", &format!("a{n}@example.org"))]).await.is(200);
    }
    browser.post("/register/office", &[("sender", "b@example.org")]).await.is(429);
}

#[tokio::test]
async fn a12_retention_is_changed_on_the_web_and_waiting_jobs_follow_where_the_printer_says_so() {
    let world = World::small().await;
    let printer = world.printer_named("office").await;
    let registration =
        world.spooler.register(&printer, "anna@example.org", Language::En, JobOptions::default()).await.unwrap();
    let job = world.waiting_job("invoice.pdf", "anna@example.org").await;
    let before = world.until(job, |_| true).await;
    let scope = TokenScope::Registration { registration: registration.id };
    let token = world.spooler.new_token(OwnerId::FIRST, scope, None).await.unwrap();
    let mut anna = world.browser();
    let base = format!("/r/{token}");
    anna.get(&base).await.is(200).has("placeholder=\"3 days\"").has("Jobs that already wait follow");
    let wanted = [("retention", "12 hours"), ("retry_interval", "1 minute"), ("language", "ja")];
    assert_eq!(anna.post(&base, &wanted).await.location(), format!("{base}?said=saved"));
    let now = world.spooler.registration_at(printer.uuid, "anna@example.org").await.unwrap().unwrap();
    assert_eq!((now.retention_ms, now.retry_interval_ms, now.language), (Some(43_200_000), Some(60_000), Language::Ja));
    let after = world.until(job, |_| true).await;
    assert_eq!(after.keep_until, before.created_at + 43_200_000);
    assert_eq!(after.retry_interval_ms, 60_000);

    anna.get(&format!("{base}?lang=ja")).await.has("value=\"12時間\"");
    for wrong in ["0 s", "31 days", "three days", "3"] {
        anna.post(&base, &[("retention", wrong)]).await.is(422).has(&format!("value=\"{wrong}\""));
    }
    // Back to the printer's default.
    anna.post(&base, &[("retention", ""), ("retry_interval", "")]).await.is(303);
    let now = world.spooler.registration_at(printer.uuid, "anna@example.org").await.unwrap().unwrap();
    assert_eq!((now.retention_ms, now.retry_interval_ms), (None, None));

    // A printer whose jobs keep their time.
    let policy = PrinterPolicy { retention_follows: false, ..printer.policy };
    let whose = Whose::Owner(OwnerId::FIRST);
    world.spooler.printer_event(whose, printer.uuid, PrinterEvent::Policy(policy), None).await.unwrap();
    let before = world.until(job, |_| true).await;
    anna.post(&base, &[("retention", "1 day")]).await.is(303);
    assert_eq!(world.until(job, |_| true).await.keep_until, before.keep_until);

    anna.post(&format!("{base}/leave"), &[]).await.is(303);
    assert_eq!(state_of(&world, "anna@example.org").await, Some(RegistrationState::Revoked));
    anna.get(&base).await.is(200).has_not("name=\"retention\"");
}

#[tokio::test]
async fn owners_approve_and_refuse_and_people_see_their_own() {
    let world = World::small().await;
    let mut owner = world.owner().await;
    let mut browser = world.browser();
    browser.get("/register/office").await;
    browser.post("/register/office", &[("sender", "bob@example.org")]).await.is(200);
    owner.get("/").await.has("One person asks to print.");
    let page = owner.get("/registrations").await;
    page.has("bob@example.org").has("Approve");
    let printer = world.printer_named("office").await;
    let id = world.spooler.registration_at(printer.uuid, "bob@example.org").await.unwrap().unwrap().id;
    let page = owner.post(&format!("/registrations/{id}/approve"), &[("back", "/printers/office")]).await;
    assert_eq!(page.location(), "/printers/office?said=approved");
    let page = owner.post(&format!("/registrations/{id}/revoke"), &[("back", "https://evil.example/")]).await;
    assert_eq!(page.location(), "/registrations?said=revoked");
    owner.post("/printers/office/registrations", &[("sender", "carl@example.org")]).await.is(303);
    assert_eq!(state_of(&world, "carl@example.org").await, Some(RegistrationState::Active));

    let account = world.account(OwnerId::FIRST, "carl", tympan_engine::Right::Print, &["carl@example.org"]).await;
    let mut carl = world.signed_in(&account).await;
    carl.get("/registrations").await.has("carl@example.org").has_not("bob@example.org");
    let own = world.spooler.registration_at(printer.uuid, "carl@example.org").await.unwrap().unwrap().id;
    carl.post(&format!("/registrations/{own}"), &[("retention", "2 days")]).await.is(303);
    carl.post(&format!("/registrations/{own}/approve"), &[]).await.is(403);
    carl.post(&format!("/registrations/{id}"), &[("retention", "2 days")]).await.is(404);
}
