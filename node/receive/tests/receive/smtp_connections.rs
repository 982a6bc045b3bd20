//! Connections are counted, and end well when the server does.

use crate::common::{Client, World, mail, options};
use tympan_engine::Access;
use tympan_receive::SmtpOptions;

#[tokio::test]
async fn one_source_has_a_bounded_number_of_connections() {
    let world = World::new(SmtpOptions { networks: Vec::new(), ..options() }).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(world.client().await);
    }
    let mut next = Client::connect(world.addr).await;
    next.expect("421 4.7.0 mx.print.example has too many connections from you*").await;
    assert_eq!(next.reply().await, "");
    let mut first = clients.remove(0);
    first.send("QUIT").await;
    first.expect("221*").await;
    assert_eq!(first.reply().await, "");
    crate::common::until(async || Client::connect(world.addr).await.reply().await.starts_with("220")).await;
}

#[tokio::test]
async fn when_places_get_scarce_the_one_that_was_idle_longest_goes() {
    let world = World::new(SmtpOptions { connections_max: 5, ..options() }).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(world.greeted().await);
    }
    let mut fifth = world.greeted().await;
    clients[0].expect("421 4.3.2 mx.print.example is busy*").await;
    fifth.send("NOOP").await;
    fifth.expect("250*").await;
}

#[tokio::test]
async fn at_shutdown_idle_connections_close_and_a_mail_in_flight_ends() {
    let mut world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut idle = world.greeted().await;
    let mut busy = world.greeted().await;
    for line in ["MAIL FROM:<anna@sender.example>", "RCPT TO:<office@print.example>"] {
        busy.send(line).await;
        busy.expect("250*").await;
    }
    busy.send("DATA").await;
    busy.expect("354*").await;
    let text = mail("anna@sender.example", "x", "", "body");
    busy.raw(&text.as_bytes()[..20]).await;
    let ended = world.stop();
    idle.expect("421 4.3.2*").await;
    busy.raw(&text.as_bytes()[20..]).await;
    busy.raw(b".\r\n").await;
    busy.expect("250 2.0.0*").await;
    busy.expect("421 4.3.2*").await;
    drop((idle, busy));
    tokio::time::timeout(crate::common::CEILING, ended).await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(world.addr).await.is_err(), "nobody listens any more");
    assert_eq!(world.jobs().await.len(), 1);
}
