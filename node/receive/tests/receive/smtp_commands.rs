//! A16, A12: people register, change how long jobs are kept, and cancel jobs by mail. Commands never print.

use crate::common::{World, mail, options};
use tympan_engine::{Access, Outcome, RegistrationState};
use tympan_receive::SmtpOptions;

const ANNA: &str = "anna@sender.example";
const DAY: u64 = 86_400_000;

async fn command(world: &World, command: &str, subject: &str) -> String {
    let text = mail(ANNA, subject, "Message-ID: <c@a>\r\n", "never printed");
    world.send(ANNA, &[&format!("office+{command}@print.example")], &text).await
}

#[tokio::test]
async fn a16_one_registers_by_mail_as_the_printer_allows() {
    for (access, wanted, mail) in [
        (Access::Open, "250 2.0.0 You can print at Office now", Some("you can print now")),
        (Access::Approve, "250 2.0.0 Office's owner is asked", Some("your request was received")),
        (Access::Invite, "550 5.7.1 Office is printed at by invitation only", None),
    ] {
        let world = World::new(options()).await;
        let office = world.printer("office", access).await;
        let reply = command(&world, "register", "please").await;
        assert!(reply.starts_with(wanted), "{reply}");
        let mails = world.mails().await;
        assert_eq!(mails.len(), usize::from(mail.is_some()));
        if let (Some(mail), Some((to, subject, _, answers))) = (mail, mails.first()) {
            assert_eq!((to.as_str(), answers.as_deref()), (ANNA, Some("<c@a>")));
            assert!(subject.contains(mail), "{subject}");
        }
        let registration = world.spooler.registration_at(office.uuid, ANNA).await.unwrap();
        let state = registration.map(|registration| registration.state);
        assert_eq!(
            state,
            match access {
                Access::Open => Some(RegistrationState::Active),
                Access::Approve => Some(RegistrationState::Requested),
                Access::Invite => None,
            }
        );
        assert!(world.jobs().await.is_empty());
    }
}

#[tokio::test]
async fn a16_answers_come_in_the_language_of_the_request() {
    let world = World::new(options()).await;
    world.printer("office", Access::Open).await;
    let reply = command(&world, "register", "=?utf-8?B?44GK6aGY44GE44GX44G+44GZ?=").await;
    assert!(reply.starts_with("250"), "{reply}");
    assert!(world.mails().await[0].1.contains("印刷できるようになりました"));
}

#[tokio::test]
async fn a_forged_command_does_nothing_and_nobody_is_mailed() {
    let world = World::new(SmtpOptions { networks: Vec::new(), ..options() }).await;
    let office = world.printer("office", Access::Open).await;
    for name in ["register", "keep", "cancel"] {
        let reply = command(&world, name, "3 days").await;
        assert!(reply.starts_with("550-5.7.1 Nothing proves"), "{reply}");
    }
    assert!(world.spooler.registration_at(office.uuid, ANNA).await.unwrap().is_none());
    world.assert_nothing_stored().await;
}

#[tokio::test]
async fn a12_retention_is_changed_by_mail_and_waiting_jobs_follow() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    let reply = command(&world, "keep", "3 days").await;
    assert!(reply.starts_with("550-5.7.1 Office does not take mail from"), "{reply}");
    world.register(&office, ANNA).await;
    world.send(ANNA, &["office@print.example"], &mail(ANNA, "x", "", "body")).await;
    for (subject, kept) in [("5 days", 5 * DAY), ("２日", 2 * DAY), ("default", 3 * DAY)] {
        let reply = command(&world, "keep", subject).await;
        assert!(reply.starts_with("250 2.0.0 Your waiting jobs at Office are kept for"), "{reply}");
        let job = world.jobs().await.remove(0);
        assert_eq!(job.keep_until.0 - job.created_at.0, kept, "{subject}");
    }
    for subject in ["31 days", "0 s", "3", "forever"] {
        let reply = command(&world, "keep", subject).await;
        assert!(reply.starts_with("550-5.6.0 How long?"), "{subject}: {reply}");
    }
    assert_eq!(world.mails().await.len(), 3);
    assert_eq!(world.jobs().await.len(), 1, "commands never print");
}

#[tokio::test]
async fn only_ones_own_jobs_are_cancelled_by_mail() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, ANNA).await;
    world.register(&office, "bob@sender.example").await;
    for sender in [ANNA, "bob@sender.example"] {
        world.send(sender, &["office@print.example"], &mail(sender, "x", "", "body")).await;
    }
    let jobs = world.jobs().await;
    let (annas, bobs) = (jobs[0].short(), jobs[1].short());
    let reply = command(&world, "cancel", &format!("{bobs}")).await;
    assert!(reply.starts_with("550 5.6.0 You have no such job"), "{reply}");
    let reply = command(&world, "cancel", &format!("Re: {}, please", annas.to_string().to_lowercase())).await;
    assert_eq!(reply, format!("250 2.0.0 Cancelled: {annas}"));
    let reply = command(&world, "cancel", &format!("{annas}")).await;
    assert!(reply.contains("has ended already"), "{reply}");
    let jobs = world.jobs().await;
    assert!(matches!(jobs[0].outcome, Some(Outcome::Canceled { .. })), "{:?}", jobs[0].outcome);
    assert_eq!(jobs[1].outcome, None);
    assert_eq!(world.mails().await.len(), 1);
}

#[tokio::test]
async fn a_command_goes_in_a_mail_of_its_own() {
    let world = World::new(options()).await;
    world.printer("office", Access::Open).await;
    for (first, second) in
        [("office", "office+register"), ("office+register", "office"), ("office+keep", "office+cancel")]
    {
        let reply =
            world.send(ANNA, &[&format!("{first}@print.example"), &format!("{second}@print.example")], "\r\n").await;
        assert!(reply.starts_with("452 4.5.3 A command goes in a mail of its own"), "{reply}");
    }
}

#[tokio::test]
async fn a02_commands_work_at_the_constant_address() {
    let world = World::new(SmtpOptions { constant_address: Some("print".into()), ..options() }).await;
    let lobby = world.printer("lobby", Access::Open).await;
    let send = async |command: &str, subject: &str| {
        world.send(ANNA, &[&format!("print+{command}@print.example")], &mail(ANNA, subject, "", "")).await
    };
    let reply = send("register", "nothing known").await;
    assert!(reply.starts_with("550-5.7.1 No printer takes mail from"), "{reply}");
    assert!(send("register", "[Lobby] please").await.contains("You can print at Lobby now"));
    assert!(send("keep", "2 days").await.contains("jobs at Lobby are kept for 2 days"));
    assert!(world.spooler.registration_at(lobby.uuid, ANNA).await.unwrap().is_some());
}

#[tokio::test]
async fn answers_are_bounded() {
    let world = World::new(SmtpOptions { answers_per_address_max: 2, ..options() }).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, ANNA).await;
    for _ in 0..4 {
        assert!(command(&world, "keep", "2 days").await.starts_with("250"));
    }
    assert_eq!(world.mails().await.len(), 2);
}
