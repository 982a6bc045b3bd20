//! Our client and our server, joined in memory: what goes in comes out.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tympan_smtp::{Address, Envelope, Recipient, Reply, ReversePath, client, server};

struct Result {
    body: Vec<u8>,
    envelope: Option<Envelope>,
    outcome: client::Outcome,
    server_saw: Vec<String>,
    identity: Option<String>,
}

/// Sends one mail over a line that cuts octets into pieces of `piece`.
fn send(mail: client::Outgoing, body: &[u8], piece: usize, credentials: Option<client::Credentials>) -> Result {
    let now = Duration::ZERO;
    let mut server = server::Session::new(Arc::new(server::Config::default()), server::Peer::default(), now);
    let config = client::Config { credentials, tls: client::TlsPolicy::Required, ..client::Config::default() };
    let mut client = client::Session::new(Arc::new(config), false, now);
    let (mut received, mut envelope, mut outcome, mut identity) = (Vec::new(), None, None, None);
    let mut server_saw = Vec::new();
    let mut mail = Some(mail);
    let mut left: Option<&[u8]> = None;
    // What the server has read and not yet taken.
    let mut wire: Vec<u8> = Vec::new();
    for _ in 0..1_000_000 {
        let mut moved = false;
        if let Some(output) = server.poll_output() {
            moved = true;
            for piece in output.chunks(piece) {
                client.handle_input(piece, now);
            }
        }
        while let Some(event) = client.poll_event() {
            moved = true;
            match event {
                client::Event::StartTls => client.tls_started(now).unwrap(),
                client::Event::Ready(_) => client.send(mail.take().unwrap(), now).unwrap(),
                client::Event::BodyWanted => left = Some(body),
                client::Event::Done(done) => {
                    outcome = Some(done);
                    if !client.is_closed() {
                        client.quit(now).unwrap();
                    }
                }
                client::Event::Close(reason) => {
                    assert_eq!(reason, client::CloseReason::Quit);
                    return Result { body: received, envelope, outcome: outcome.unwrap(), server_saw, identity };
                }
            }
        }
        if let Some(rest) = left {
            let taken = client.write_body(&rest[..rest.len().min(piece)], now);
            left = Some(&rest[taken..]);
            if rest.is_empty() {
                client.finish_body(now);
                left = None;
            }
        }
        if let Some(output) = client.poll_output() {
            moved = true;
            wire.extend_from_slice(&output);
        }
        // In a go of our client nothing stands behind a command that must be waited for, so pieces are fair.
        while !wire.is_empty() {
            let end = wire.len().min(piece);
            let handled = server.handle_input(&wire[..end], now);
            received.extend_from_slice(handled.body);
            let consumed = handled.consumed;
            wire.drain(..consumed);
            let mut answered = false;
            while let Some(event) = server.poll_event() {
                answered = true;
                server_saw.push(format!("{event:?}").split('(').next().unwrap().to_owned());
                match event {
                    server::Event::AuthAttempt(_) => {
                        server.answer_auth(Reply::new(235, (2, 7, 0), "Hello."), now).unwrap()
                    }
                    server::Event::MailFrom(_) => server.answer_mail(Reply::new(250, (2, 1, 0), "OK"), now).unwrap(),
                    server::Event::RcptTo(_) => server.answer_rcpt(Reply::new(250, (2, 1, 5), "OK"), now).unwrap(),
                    server::Event::BodyStarted(_) => server.answer_body_start(Ok(()), now).unwrap(),
                    server::Event::BodyEnd(end) => {
                        assert_eq!(end.octets, received.len() as u64);
                        envelope = server.envelope().cloned();
                        identity = server.identity().map(str::to_owned);
                        server.answer_body_end(Reply::new(250, (2, 0, 0), "Stored.").line("Thank you."), now).unwrap();
                    }
                    // The client is told by the 220 that is polled next; then both go on in "TLS".
                    server::Event::StartTls => {
                        let ready = server.poll_output().unwrap();
                        server.tls_started(now).unwrap();
                        client.handle_input(&ready, now);
                    }
                    server::Event::Greeted(_) | server::Event::Reset | server::Event::BodyAborted(_) => {}
                    server::Event::Close(_) => {}
                }
            }
            moved = true;
            if consumed == 0 && !answered {
                break;
            }
        }
        assert!(moved || left.is_some(), "nobody has anything to say");
    }
    panic!("endless");
}

fn mail(recipients: Vec<Recipient>, size: usize) -> client::Outgoing {
    let reverse_path = ReversePath::Address(Address::parse("\"odd name\"@sender.example").unwrap());
    client::Outgoing { envelope: Envelope { reverse_path, recipients }, size: Some(size as u64), eight_bit: true }
}

fn office() -> Vec<Recipient> {
    vec![Recipient::Address(Address::parse("office@print.example").unwrap())]
}

/// The message as it must arrive: CRLF at each line's end, no NUL.
fn normal(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut octets = body.iter().peekable();
    while let Some(&octet) = octets.next() {
        match octet {
            b'\r' => {
                octets.next_if_eq(&&b'\n');
                lines.push(Vec::new());
            }
            b'\n' => lines.push(Vec::new()),
            0 => {}
            other => lines.last_mut().unwrap().push(other),
        }
    }
    if lines.last().unwrap().is_empty() {
        lines.pop();
    }
    lines.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect()
}

#[test]
fn a_mail_with_tls_and_auth_arrives_as_sent() {
    let body = b"Subject: x\r\n\r\n.\r\n..\r\nlast";
    let credentials = client::Credentials { identity: "anna".into(), password: "p\u{e4}ss \0".replace('\0', "") };
    let result = send(mail(office(), body.len()), body, 1000, Some(credentials));
    assert_eq!(result.body, b"Subject: x\r\n\r\n.\r\n..\r\nlast\r\n");
    assert_eq!(result.identity.as_deref(), Some("anna"));
    let envelope = result.envelope.unwrap();
    assert_eq!(envelope.reverse_path.to_string(), "\"odd name\"@sender.example");
    assert_eq!(result.outcome.result.unwrap().to_string(), "250 2.0.0 Stored. Thank you.");
    assert_eq!(
        result.server_saw,
        ["Greeted", "StartTls", "Greeted", "AuthAttempt", "MailFrom", "RcptTo", "BodyStarted", "BodyEnd", "Close"]
    );
}

#[test]
fn recipients_beyond_the_servers_limit_are_put_off_one_by_one() {
    let recipients =
        (0..60).map(|n| Recipient::Address(Address::parse(&format!("r{n}@print.example")).unwrap())).collect();
    let result = send(mail(recipients, 1), b"x", 100, None);
    let accepted = result.outcome.fates().filter(|(_, fate)| matches!(fate, client::Fate::Accepted(_))).count();
    let later = result.outcome.fates().filter(|(_, fate)| fate.is_temporary()).count();
    assert_eq!((accepted, later), (50, 10));
    assert_eq!(result.envelope.unwrap().recipients.len(), 50);
}

#[test]
fn twenty_megabytes_pass() {
    let line = [&[b'y'; 76][..], b"\r\n"].concat();
    let body = line.repeat(20_000_000 / line.len());
    let result = send(mail(office(), body.len()), &body, 64 * 1024, None);
    assert!(result.outcome.result.is_ok());
    assert!(result.body == body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_body_arrives(
        body in proptest::collection::vec(
            prop_oneof![3 => Just(b'\r'), 3 => Just(b'\n'), 4 => Just(b'.'), 1 => Just(0u8), 3 => any::<u8>()],
            0..300,
        ),
        piece in 1usize..40,
    ) {
        let result = send(mail(office(), body.len()), &body, piece, None);
        prop_assert!(result.outcome.result.is_ok());
        prop_assert_eq!(result.body, normal(&body));
        prop_assert_eq!(result.server_saw.iter().filter(|event| *event == "BodyEnd").count(), 1);
    }
}
