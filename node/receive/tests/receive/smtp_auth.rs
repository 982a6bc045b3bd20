//! STARTTLS and AUTH: who signs in, and whose mail that proves.

use crate::common::{Client, Setup, World, mail, options};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;
use tympan_engine::Access;
use tympan_receive::{Role, SmtpOptions};

const ANNA: &str = "anna@sender.example";

fn plain(name: &str, password: &str) -> String {
    format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{name}\0{password}")))
}

/// Nobody is believed by network: mail on 25, submission, and submission with TLS from the first octet.
async fn world() -> World {
    let options = SmtpOptions { networks: Vec::new(), ..options() };
    let roles = vec![Role::Mail, Role::Submission, Role::Submissions];
    let world = World::with(Setup { options, roles, ..Setup::default() }).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, ANNA).await;
    world.register(&office, "bob@sender.example").await;
    world.account("anna", "correct horse", &[ANNA]).await;
    world
}

#[tokio::test]
async fn a04_with_auth_the_reverse_path_counts_if_it_is_the_accounts_own() {
    let world = world().await;
    let mut client = world.greeted().await.start_tls().await;
    assert!(client.ehlo().await.contains("AUTH PLAIN LOGIN"));
    client.send(&plain("Anna", "correct horse")).await;
    client.expect("235 2.7.0 You are logged in as anna.").await;
    let to = ["office@print.example"];
    let own = client.mail(ANNA, &to, mail("someone@else.example", "x", "", "body").as_bytes()).await;
    assert!(own.starts_with("250 2.0.0"), "{own}");
    let others = client.mail("bob@sender.example", &to, mail("bob@sender.example", "x", "", "").as_bytes()).await;
    assert!(others.starts_with("550-5.7.1 Nothing proves"), "{others}");
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].originator.address.0, ANNA);
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_guessing_is_limited() {
    let world = world().await;
    for round in 0..2 {
        let mut client = world.greeted().await.start_tls().await;
        client.ehlo().await;
        for name in ["anna", "nobody", "anna"] {
            client.send(&plain(name, "wrong")).await;
            client.expect("535 5.7.8 User name or password is wrong*").await;
        }
        if round == 0 {
            client.send(&format!("AUTH PLAIN {}", STANDARD.encode("bob\0anna\0correct horse"))).await;
            client.expect("421 4.7.0*").await;
        }
    }
    let mut client = world.greeted().await.start_tls().await;
    client.ehlo().await;
    client.send(&plain("anna", "wrong")).await;
    client.expect("535 5.7.8*").await;
    client.send(&plain("anna", "correct horse")).await;
    client.expect("454 4.7.0 Too many failed log-ins*").await;
}

#[tokio::test]
async fn submission_takes_mail_only_after_auth_and_auth_only_after_tls() {
    let world = world().await;
    let mut client = Client::connect(world.addrs[1]).await;
    client.expect("220*").await;
    assert!(!client.ehlo().await.contains("AUTH"));
    client.send("MAIL FROM:<anna@sender.example>").await;
    client.expect("530 5.7.0 Must issue STARTTLS first*").await;
    client.send(&plain("anna", "correct horse")).await;
    client.expect("538 5.7.11*").await;
    let mut client = client.start_tls().await;
    client.ehlo().await;
    client.send("MAIL FROM:<anna@sender.example>").await;
    client.expect("530 5.7.0 Please log in with AUTH first.").await;
    client.send("AUTH LOGIN").await;
    client.expect("334 VXNlcm5hbWU6").await;
    client.send(&STANDARD.encode("anna")).await;
    client.expect("334 UGFzc3dvcmQ6").await;
    client.send(&STANDARD.encode("correct horse")).await;
    client.expect("235*").await;
    let reply = client.mail(ANNA, &["office@print.example"], mail(ANNA, "x", "", "").as_bytes()).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
}

#[tokio::test]
async fn tls_may_begin_with_the_first_octet() {
    let world = world().await;
    let stream = TcpStream::connect(world.addrs[2]).await.unwrap();
    let mut client = Client::new(crate::common::tls(stream).await);
    client.expect("220*").await;
    assert!(!client.ehlo().await.contains("STARTTLS"));
    client.send(&plain("anna", "correct horse")).await;
    client.expect("235*").await;
    let reply = client.mail(ANNA, &["office@print.example"], mail(ANNA, "x", "", "").as_bytes()).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
}

#[tokio::test]
async fn what_was_said_in_the_clear_behind_starttls_never_runs() {
    let world = world().await;
    let mut client = world.greeted().await;
    client.raw(b"STARTTLS\r\nMAIL FROM:<anna@sender.example>\r\nRCPT TO:<office@print.example>\r\n").await;
    client.expect("220*").await;
    let mut client = Client::new(crate::common::tls(client.stream).await);
    client.send("RCPT TO:<office@print.example>").await;
    client.expect("503 5.5.1*").await;
    client.send("NOOP").await;
    client.expect("250 2.0.0 OK").await;
    // What was known before the handshake is forgotten, the greeting too.
    client.send("MAIL FROM:<anna@sender.example>").await;
    client.expect("503 5.5.1 Please say EHLO first.").await;
}

#[tokio::test]
async fn a_log_in_ends_with_its_connection_and_not_with_its_mail() {
    let world = world().await;
    let mut client = world.greeted().await.start_tls().await;
    client.ehlo().await;
    client.send(&plain("anna", "correct horse")).await;
    client.expect("235*").await;
    for _ in 0..2 {
        let reply = client.mail(ANNA, &["office@print.example"], mail(ANNA, "x", "", "").as_bytes()).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
    }
    let reply = world.send(ANNA, &["office@print.example"], &mail(ANNA, "x", "", "")).await;
    assert!(reply.starts_with("550"), "{reply}");
}
