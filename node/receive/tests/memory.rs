//! What connections and mails cost in memory, measured in this process (RssAnon), client and server together.

mod common;
#[path = "common/zone.rs"]
mod zone;

use common::{World, mail, options};
use tympan_engine::Access;
use tympan_receive::{Dns, SmtpOptions};
use zone::{Domain, Zone};

const ANNA: &str = "anna@sender.example";

/// Octets of anonymous memory.
fn anonymous() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// One after the other, in one test: they share the process that is measured.
#[test]
fn idle_connections_and_large_signed_mails_are_small() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(idle_connections_take_less_than_64_kib());
    runtime.block_on(a_signed_mail_of_50_mb_takes_less_than_8_mb());
}

async fn idle_connections_take_less_than_64_kib() {
    const CONNECTIONS: usize = 500;
    let many = SmtpOptions { connections_per_listed_max: 2 * CONNECTIONS + 10, ..options() };
    let world = World::new(many).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, ANNA).await;
    let mut warm = world.greeted().await;
    warm.mail(ANNA, &["office@print.example"], mail(ANNA, "x", "", "body").as_bytes()).await;
    let mut plain = Vec::with_capacity(CONNECTIONS);
    let before = anonymous();
    for _ in 0..CONNECTIONS {
        plain.push(world.greeted().await);
    }
    let each = anonymous().saturating_sub(before) / CONNECTIONS;
    println!("an idle connection takes {each} octets, the client's side included");
    assert!(each < 16 * 1024, "{each}");
    let mut secret = Vec::with_capacity(CONNECTIONS / 2);
    let before = anonymous();
    for _ in 0..CONNECTIONS / 2 {
        let mut client = world.greeted().await.start_tls().await;
        client.ehlo().await;
        secret.push(client);
    }
    let each = anonymous().saturating_sub(before) / (CONNECTIONS / 2);
    println!("an idle connection with TLS takes {each} octets, the client's side included");
    assert!(each < 64 * 1024, "{each}");
}

async fn a_signed_mail_of_50_mb_takes_less_than_8_mb() {
    const OCTETS: usize = 50 * 1024 * 1024;
    let zone = Zone::start().await;
    let domain = Domain::publish(&zone, "sender.example");
    let mut large = SmtpOptions { networks: Vec::new(), dns: Dns::Servers(vec![zone.addr]), ..options() };
    large.limits.message_octets_max = 60 * 1024 * 1024;
    let world = World::new(large).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, ANNA).await;
    // Warm: look-ups, the disk, the hashes.
    let small = domain.sign(&mail(ANNA, "x", "Message-ID: <0@a>\r\n", &"warm\r\n".repeat(50_000)));
    let reply = world.send(ANNA, &["office@print.example"], &small).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    drop(small);

    let file = world.dir.path().join("large.eml");
    {
        // Of one line many times: what is measured is memory, not how well it compresses.
        let line = "The quick brown fox jumps over the lazy dog, and then once more, to fill a line.\r\n";
        let body = line.repeat(OCTETS / line.len() + 1);
        std::fs::write(&file, domain.sign(&mail(ANNA, "Large", "Message-ID: <1@a>\r\n", &body))).unwrap();
    }
    let mut client = world.greeted().await;
    for line in ["MAIL FROM:<bounces@elsewhere.example>", "RCPT TO:<office@print.example>"] {
        client.send(line).await;
        client.expect("250*").await;
    }
    client.send("DATA").await;
    client.expect("354*").await;
    let mut mail = std::io::BufReader::new(std::fs::File::open(&file).unwrap());
    let before = anonymous();
    let mut most = 0;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = std::io::Read::read(&mut mail, &mut piece).unwrap();
        if read == 0 {
            break;
        }
        client.raw(&piece[..read]).await;
        most = most.max(anonymous());
    }
    client.raw(b".\r\n").await;
    let reply = client.reply().await;
    most = most.max(anonymous());
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    let grown = most.saturating_sub(before);
    println!("a signed mail of {} octets grew memory by {grown} octets", std::fs::metadata(&file).unwrap().len());
    assert!(grown < 8 * 1024 * 1024, "{grown}");
    let job = world.jobs().await.pop().unwrap();
    assert_eq!(job.received[0].octets, std::fs::metadata(&file).unwrap().len());
}
