//! A console with things to look at: `cargo run -p tympan-console --example look`.

#[allow(unused)]
#[path = "../tests/pages/openapi.rs"]
mod openapi;
#[path = "../tests/pages/world.rs"]
mod world;

use std::net::SocketAddr;
use tympan_engine::{Access, JobOptions, Language, OwnerId, PrinterEvent, PrinterPolicy, Reachability, Right};
use tympan_store::Whose;
use world::{World, no_cyan, profile, well};

const NAME: &str = "olga";
const PASSWORD: &str = "correct horse battery";

#[tokio::main]
async fn main() {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8699".into());
    let addr: SocketAddr = addr.parse().expect("an address and a port");
    let fresh = std::env::args().any(|arg| arg == "--fresh");
    let world = World::at(addr, |options| options.set_up = fresh).await;
    println!("http://{} (set-up: {:?})", world.addr, world.console.set_up_url());
    if !fresh {
        fill(&world).await;
    }
    std::future::pending::<()>().await;
}

async fn fill(world: &World) {
    let whose = Whose::Owner(OwnerId::FIRST);
    let made = tympan_console::new_account(
        &world.spooler,
        world.console.passwords(),
        OwnerId::FIRST,
        NAME,
        PASSWORD,
        Right::Own,
        Language::En,
    );
    made.await.unwrap();
    println!("sign in as {NAME} with `{PASSWORD}`");
    let mut condition = well();
    for (name, info, location) in [
        ("office", "Office", "Second floor, by the window"),
        ("reception", "Reception", ""),
        ("lab", "実験室のプリンター", "3号館 2階"),
        ("attic", "Attic", ""),
    ] {
        let printer = world.printer(name, info).await;
        world.spooler.printer_event(whose, printer.uuid, PrinterEvent::Learned(profile().into()), None).await.unwrap();
        let described = PrinterEvent::Describe { info: info.into(), location: location.into() };
        world.spooler.printer_event(whose, printer.uuid, described, None).await.unwrap();
        condition.reachability = Reachability::Answering;
        world
            .spooler
            .printer_event(whose, printer.uuid, PrinterEvent::Answered(condition.clone()), None)
            .await
            .unwrap();
    }
    let reception = world.printer_named("reception").await;
    let policy = PrinterPolicy { access: Access::Open, ..reception.policy.clone() };
    world.spooler.printer_event(whose, reception.uuid, PrinterEvent::Policy(policy), None).await.unwrap();
    world.devices.conditions.lock().unwrap().insert("lab".into(), no_cyan());
    world.devices.conditions.lock().unwrap().remove("attic");
    let office = world.printer_named("office").await;
    world.spooler.register(&office, "anna@example.org", Language::En, JobOptions::default()).await.unwrap();
    world.spooler.request_registration(&office, "kenji@example.jp", Language::Ja, false).await.unwrap();
    let printed = world.submit("office", "Minutes of the meeting.pdf", "anna@example.org").await;
    world.until(printed, |job| job.is_over()).await;
    let lost = world.submit("office", "Contract (lost).pdf", "anna@example.org").await;
    world.until(lost, |job| job.doubt.is_some()).await;
    world.submit("reception", "Boarding pass slow.pdf", "bob@example.org").await;
    world.submit("lab", "グラフと実験結果（第3版）.pdf", "kenji@example.jp").await;
    world.submit("attic", "Holiday photos remark.jpg", "carla.with.a.rather.long.name@subsidiary.example.com").await;
    world.submit("reception", "A very long book.pdf", "bob@example.org").await;
    let waiting = world.waiting_job("invoice.pdf", "anna@example.org").await;
    println!("doubt by link: http://{}{}", world.addr, world.job_link(lost).await);
    println!("waiting by link: http://{}{}", world.addr, world.job_link(waiting).await);
    let registration = world.spooler.registration_at(office.uuid, "anna@example.org").await.unwrap().unwrap();
    let scope = tympan_engine::TokenScope::Registration { registration: registration.id };
    let token = world.spooler.new_token(OwnerId::FIRST, scope, None).await.unwrap();
    println!("registration by link: http://{}/r/{token}", world.addr);
    println!("jobs: printed {} lost {} waiting {}", printed.short(), lost.short(), waiting.short());
    *world.devices.found.lock().unwrap() =
        Some(Ok(tympan_console::Found { profile: Some(profile()), condition: well() }));
    let (_, session) = (0, world.spooler.records().accounts(whose).await.unwrap().remove(0).record);
    let (token, _) = world.spooler.open_session(&session, 86_400_000 * 14).await.unwrap();
    println!("cookie: tympan={token}");
}
