//! What is refused gets the right code and a sentence that helps, and nothing of it is stored.

use std::time::Duration;

use crate::common::{Client, Setup, World, mail, options};
use tympan_engine::Access;
use tympan_receive::SmtpOptions;
use tympan_store::DocumentOptions;

#[tokio::test]
async fn a04_unknown_addresses_are_refused_at_rcpt_and_others_are_not_relayed() {
    let world = World::new(SmtpOptions { postmaster: Some("admin@example.org".into()), ..options() }).await;
    world.printer("office", Access::Open).await;
    let mut client = world.greeted().await;
    client.send("MAIL FROM:<anna@sender.example>").await;
    client.expect("250 2.1.0*").await;
    for (to, wanted) in [
        ("lobby@print.example", "550 5.1.1 There is no printer lobby@print.example*"),
        ("office+print@print.example", "550 5.1.1*"),
        ("office@other.example", "550 5.7.1 Mail to other.example is not passed on*"),
        ("bob%other.example@print.example", "550 5.7.1*"),
        ("other.example!bob@print.example", "550 5.7.1*"),
        ("\"bob@other.example\"@print.example", "550 5.7.1*"),
        ("@print.example:bob@other.example", "550 5.7.1*"),
        ("postmaster@print.example", "550 5.1.1 No mailbox is kept here; please write to admin@example.org"),
        ("Postmaster", "550 5.1.1*"),
    ] {
        client.send(&format!("RCPT TO:<{to}>")).await;
        client.expect(wanted).await;
    }
    client.send("RCPT TO:<office@print.example>").await;
    client.expect("250 2.1.5 office@print.example is known here.").await;
    world.assert_nothing_stored().await;
}

#[tokio::test]
async fn a04_unproven_and_unregistered_senders_are_told_where_to_register() {
    let world = World::new(SmtpOptions { networks: Vec::new(), ..options() }).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let to = ["office@print.example"];
    let forged = world.send("anna@sender.example", &to, &mail("anna@sender.example", "x", "", "body")).await;
    assert!(forged.starts_with("550-5.7.1 Nothing proves that this mail is from anna@sender.example"), "{forged}");
    assert!(forged.contains("\n550-5.7.1 https://print.example/register/office\n"), "{forged}");
    let stranger = world.send("bob@sender.example", &to, &mail("bob@sender.example", "x", "", "body")).await;
    assert!(stranger.starts_with("550-5.7.1 Office does not take mail from bob@sender.example"), "{stranger}");
    assert!(stranger.contains("https://print.example/register/office"), "{stranger}");
    let nobody = world.send("anna@sender.example", &to, "Subject: x\r\n\r\nbody\r\n").await;
    assert!(nobody.starts_with("550-5.7.1 This mail has not exactly one From address"), "{nobody}");
    let two = mail("anna@sender.example, bob@sender.example", "x", "", "body");
    assert!(world.send("anna@sender.example", &to, &two).await.starts_with("550-5.7.1"));
    world.assert_nothing_stored().await;
}

#[tokio::test]
async fn nothing_of_a_strangers_mail_is_kept_while_it_comes_in() {
    let world = World::new(SmtpOptions { networks: Vec::new(), ..options() }).await;
    world.printer("office", Access::Approve).await;
    let mut client = world.greeted().await;
    for line in ["MAIL FROM:<bob@sender.example>", "RCPT TO:<office@print.example>"] {
        client.send(line).await;
        client.expect("250*").await;
    }
    client.send("DATA").await;
    client.expect("354*").await;
    client.raw(b"From: bob@sender.example\r\n\r\n").await;
    for _ in 0..40 {
        client.raw("0123456789abcdef\r\n".repeat(1_000).as_bytes()).await;
        assert_eq!(world.open_files(), 0);
    }
    client.raw(b".\r\n").await;
    client.expect("550-5.7.1*").await;
    world.assert_nothing_stored().await;
    client.send("NOOP").await;
    client.expect("250*").await;
}

#[tokio::test]
async fn automatic_mails_and_replies_to_notices_are_never_printed() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    for (field, said) in [
        ("Auto-Submitted: auto-replied\r\n", "550 5.7.1 Automatic mail"),
        ("List-Id: <x.y>\r\n", "550 5.7.1 Mail of a mailing list"),
        ("Precedence: bulk\r\n", "550 5.7.1 Bulk mail"),
        ("Content-Type: multipart/report; boundary=x\r\n", "550 5.7.1 Reports"),
        ("In-Reply-To: <7K3M22QD.waiting@print.example>\r\n", "550 5.7.1 An answer to a notice"),
        ("References: <a@b> <1@mx.print.example>\r\n", "550 5.7.1 An answer to a notice"),
    ] {
        for to in ["office@print.example", "office+keep@print.example"] {
            let reply =
                world.send("anna@sender.example", &[to], &mail("anna@sender.example", "3 days", field, "x")).await;
            assert!(reply.starts_with(said), "{field} {reply}");
        }
    }
    let reply = world.send("", &["office@print.example"], "From: anna@sender.example\r\n\r\nx\r\n").await;
    assert!(reply.starts_with("550 5.7.1 Reports and automatic replies (null sender)"), "{reply}");
    world.assert_nothing_stored().await;
}

#[tokio::test]
async fn too_big_too_long_and_looping_mails_are_refused() {
    let mut small = SmtpOptions { header_octets_max: 2_000, header_lines_max: 20, received_max: 5, ..options() };
    small.limits.message_octets_max = 10_000;
    let world = World::new(small).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut client = world.client().await;
    assert!(client.ehlo().await.contains("SIZE 10000"));
    client.send("MAIL FROM:<anna@sender.example> SIZE=10001").await;
    client.expect("552 5.3.4*").await;
    let from = "anna@sender.example";
    let to = ["office@print.example"];
    for (text, wanted) in [
        (mail(from, "x", "", &"x\r\n".repeat(4_000)), "552 5.3.4 The message is larger"),
        (mail(from, "x", &format!("X: {}\r\n", "y".repeat(2_000)), ""), "552 5.3.4 The mail's header"),
        (mail(from, "x", &"X: y\r\n".repeat(20), ""), "552 5.3.4 The mail's header"),
        (mail(from, "x", &"Received: by a\r\n".repeat(6), ""), "554 5.4.6 This mail has passed 6 servers"),
    ] {
        let reply = client.mail(from, &to, text.as_bytes()).await;
        assert!(reply.starts_with(wanted), "{reply}");
    }
    world.assert_nothing_stored().await;
    let reply = client.mail(from, &to, mail(from, "x", &"Received: by a\r\n".repeat(5), "").as_bytes()).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
}

#[tokio::test]
async fn a_full_disk_is_said_before_the_mail_comes() {
    let documents = DocumentOptions { reserve_octets: Some(1 << 60), ..DocumentOptions::default() };
    let world = World::with(Setup { documents, ..Setup::default() }).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let reply = world.send("anna@sender.example", &["office@print.example"], "\r\n").await;
    assert!(reply.starts_with("452 4.3.1 The disk is full"), "{reply}");
    // Room is asked for again with each mail.
    let documents = DocumentOptions { reserve_octets: Some(1 << 20), ..DocumentOptions::default() };
    let mut options = options();
    options.limits.message_octets_max = 1 << 60;
    let world = World::with(Setup { documents, options, ..Setup::default() }).await;
    let mut client = world.greeted().await;
    client.send("MAIL FROM:<anna@sender.example> SIZE=1000000000000000").await;
    client.expect("452 4.3.1*").await;
    client.send("MAIL FROM:<anna@sender.example> SIZE=1000").await;
    client.expect("250*").await;
}

#[tokio::test]
async fn ten_thousand_recipients_are_fifty_and_a_hint() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut client = world.greeted().await;
    client.send("MAIL FROM:<anna@sender.example>").await;
    client.expect("250*").await;
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..100 {
        client.raw("RCPT TO:<office@print.example>\r\n".repeat(100).as_bytes()).await;
        for _ in 0..100 {
            match &client.reply().await[..9] {
                "250 2.1.5" => taken += 1,
                "452 4.5.3" => refused += 1,
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!((taken, refused), (50, 9_950));
    client.send("DATA").await;
    client.expect("354*").await;
    client.raw(b"From: anna@sender.example\r\n\r\nbody\r\n.\r\n").await;
    client.expect("250 2.0.0*").await;
    assert_eq!(world.jobs().await.len(), 1);
}

#[tokio::test]
async fn those_who_break_the_protocol_are_told_so() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut client = world.greeted().await;
    for (line, wanted) in [
        ("MAIL FROM:anna", "501 5.1.7*"),
        ("RCPT TO:<office@print.example>", "503 5.5.1*"),
        ("DATA", "503 5.5.1*"),
        ("NONSENSE", "500 5.5.1*"),
        ("AUTH PLAIN AGEAYg==", "538 5.7.11*"),
        ("VRFY office", "252*"),
    ] {
        client.send(line).await;
        client.expect(wanted).await;
    }
    for (text, wanted) in [
        (&b"From: anna@sender.example\r\n\r\nbare\nlf\r\n.\r\n"[..], "550-5.5.2*"),
        (b"From: anna@sender.example\r\n\r\nbody\n.\nMAIL FROM:<x@y>\r\n.\r\n", "550-5.5.2*"),
        (b"From: anna@sender.example\r\n\r\nnul\0\r\n.\r\n", "550-5.5.2*"),
    ] {
        let mut client = world.greeted().await;
        for line in ["MAIL FROM:<anna@sender.example>", "RCPT TO:<office@print.example>"] {
            client.send(line).await;
            client.expect("250*").await;
        }
        client.send("DATA").await;
        client.expect("354*").await;
        client.raw(text).await;
        client.expect(wanted).await;
        assert_eq!(client.reply().await, "", "and the connection is closed");
    }
    world.assert_nothing_stored().await;
}

#[tokio::test]
async fn who_talks_before_the_greeting_is_sent_away() {
    let patient = SmtpOptions { networks: Vec::new(), greeting_delay: crate::common::CEILING, ..options() };
    let world = World::new(patient).await;
    let mut client = Client::connect(world.addr).await;
    client.send("EHLO early.example").await;
    client.expect("554 5.5.0 You spoke before it was your turn*").await;
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn slow_clients_do_not_hold_a_connection() {
    let mut hasty = options();
    hasty.time_outs.command = Duration::from_millis(100);
    hasty.time_outs.body_block = Duration::from_millis(100);
    let world = World::new(hasty).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut client = world.greeted().await;
    client.expect("421 4.4.2*").await;
    assert_eq!(client.reply().await, "");
    let mut client = world.greeted().await;
    for line in ["MAIL FROM:<anna@sender.example>", "RCPT TO:<office@print.example>"] {
        client.send(line).await;
        client.expect("250*").await;
    }
    client.send("DATA").await;
    client.expect("354*").await;
    client.raw(b"From: anna@sender.example\r\n\r\nand then").await;
    client.expect("421 4.4.2*").await;
    world.assert_nothing_stored().await;
}

#[tokio::test]
async fn what_breaks_off_in_the_middle_leaves_nothing() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let mut client = world.greeted().await;
    for line in ["MAIL FROM:<anna@sender.example>", "RCPT TO:<office@print.example>"] {
        client.send(line).await;
        client.expect("250*").await;
    }
    client.send("DATA").await;
    client.expect("354*").await;
    client.raw(b"From: anna@sender.example\r\n\r\n").await;
    client.raw("0123456789abcdef\r\n".repeat(20_000).as_bytes()).await;
    crate::common::until(async || world.open_files() == 1).await;
    drop(client);
    crate::common::until(async || world.open_files() == 0).await;
    world.assert_nothing_stored().await;
}
