//! The bounds of a server session, at the limit and one beyond, and its time-outs.

use std::time::Duration;

use crate::common::Shell;
use tympan_smtp::server::{CloseReason, Config, Limits, Peer, Session, TimeOuts, TimeoutReason};

fn shell(limits: Limits) -> Shell {
    Shell::with(Config { limits, ..Config::default() }, Peer::default())
}

fn timed(time_outs: TimeOuts) -> Shell {
    Shell::with(Config { time_outs, ..Config::default() }, Peer::default())
}

#[test]
fn command_lines_are_bounded() {
    let line = |octets: usize| format!("NOOP {}", "x".repeat(octets - 7));
    let mut s = Shell::new();
    s.skip();
    for piece in [usize::MAX, 7] {
        s.piece = piece;
        smtp! { s;
            C &line(512) S "250 *"
            C &line(513) S "500 5.5.2 *512*"
        }
    }
    s.piece = usize::MAX;
    s.greeted();
    smtp! { s;
        C &line(2048) S "250 *"
        C &line(2049) S "500 5.5.2 *2048*"
        C "NOOP" S "250 *"
    }
}

#[test]
fn a_line_without_end_closes_and_is_not_kept() {
    let mut s = Shell::new();
    s.skip();
    for _ in 0..70 {
        s.send(&[b'x'; 1024]);
        assert!(s.session.heap_octets() < 4096);
    }
    s.s("500 5.5.2 *");
    assert_eq!(s.closed, Some(CloseReason::EndlessLine));
}

#[test]
fn body_lines_are_bounded_by_data_and_by_chunks() {
    for piece in [usize::MAX, 1, 13] {
        let limits = Limits { body_line_octets_max: 50, ..Limits::default() };
        let mut s = shell(limits);
        let body = |octets: usize| format!("x\r\n{}\r\ny\r\n", "a".repeat(octets));
        for octets in [50, 51] {
            s.envelope().c("DATA").skip();
            s.piece = piece;
            s.send(format!("{}.\r\n", body(octets)).as_bytes());
            s.piece = usize::MAX;
            s.s(if octets == 50 { "250 2.0.0 *" } else { "552 5.6.0 *50*" });
            s.envelope();
            let body = body(octets);
            s.send(format!("BDAT {} LAST\r\n", body.len()).as_bytes());
            s.piece = piece;
            s.send(body.as_bytes());
            s.piece = usize::MAX;
            s.s(if octets == 50 { "250 2.0.0 *" } else { "552 5.6.0 *50*" });
        }
        assert_eq!(s.messages.len(), 2);
        assert_eq!(s.events.iter().filter(|event| *event == "BodyAborted(LineTooLong)").count(), 2);
    }
}

#[test]
fn messages_are_bounded_and_a_little_more_is_swallowed() {
    for piece in [usize::MAX, 1] {
        let mut s = shell(Limits { message_octets_max: 100, ..Limits::default() });
        s.greeted();
        smtp! { s; C "MAIL FROM:<a@b> SIZE=101" S "552 5.3.4 *100*" C "MAIL FROM:<a@b> SIZE=100" S "250 *" C "RSET" S "250 *" }
        for octets in [100, 101, 200] {
            s.envelope().c("DATA").skip();
            s.piece = piece;
            s.send(format!("{}\r\n.\r\n", "a".repeat(octets - 2)).as_bytes());
            s.piece = usize::MAX;
            s.s(if octets == 100 { "250 2.0.0 *" } else { "552 5.3.4 *100*" }).skip();
        }
        assert_eq!((s.messages.len(), s.closed), (1, None));
        s.envelope();
        smtp! { s; C "BDAT 60" B &[b'a'; 60] S "250 *" C "BDAT 41" B &[b'a'; 41] S "552 5.3.4 *" C "BDAT 10 LAST" B &[b'a'; 10] S "552 5.3.4 *" C "NOOP" S "250 *" }
        s.envelope();
        smtp! { s; C "BDAT 150 LAST" B &[b'a'; 150] S "552 5.3.4 *" C "NOOP" S "250 *" }
        s.envelope().c("DATA").skip();
        s.piece = piece;
        s.send(format!("{}\r\n.\r\nQUIT\r\n", "a".repeat(300)).as_bytes());
        s.s("552 5.3.4 *").n();
        assert_eq!(s.closed, Some(CloseReason::TooBig));
    }
    let mut s = shell(Limits { message_octets_max: 100, ..Limits::default() });
    s.envelope();
    smtp! { s; C "BDAT 201 LAST" S "552 5.3.4 *" }
    assert_eq!(s.closed, Some(CloseReason::TooBig));
}

#[test]
fn recipients_are_bounded_and_those_accepted_get_the_mail() {
    let mut s = Shell::new();
    s.greeted().c("MAIL FROM:<a@b>").skip();
    for n in 0..52 {
        s.c(&format!("RCPT TO:<r{n}@print.example>"));
        s.s(if n < 50 { "250 2.1.5 *" } else { "452 4.5.3 *50*" });
    }
    smtp! { s; C "DATA" S "354 *" B b"x\r\n.\r\n" S "250 *" }
    assert_eq!(s.envelopes[0].split(' ').count(), 51);
}

#[test]
fn ten_thousand_recipients_cost_no_memory() {
    let mut s = Shell::new();
    s.greeted();
    let mut lines = String::from("MAIL FROM:<a@b>\r\n");
    for n in 0..10_000 {
        lines.push_str(&format!("RCPT TO:<recipient-number-{n}@print.example>\r\n"));
    }
    lines.push_str("DATA\r\n");
    s.send(lines.as_bytes());
    assert!(s.session.heap_octets() < 32 * 1024, "{}", s.session.heap_octets());
    assert_eq!(s.output.matches("250 2.1.5").count(), 50);
    assert_eq!(s.output.matches("452 4.5.3").count(), 9_950);
    assert!(s.output.lines().last().unwrap().starts_with("354"));
    s.skip();
    smtp! { s; B b"x\r\n.\r\n" S "250 2.0.0 *" }
}

#[test]
fn no_input_is_taken_while_replies_stay_unread() {
    let mut s = shell(Limits { commands_max: u32::MAX, ..Limits::default() });
    s.greeted();
    let lines = "NOOP\r\n".repeat(100_000);
    let mut at = 0;
    loop {
        let handled = s.session.handle_input(&lines.as_bytes()[at..], s.now);
        if handled.consumed == 0 {
            break;
        }
        at += handled.consumed;
    }
    assert!(at < lines.len());
    assert!(s.session.heap_octets() < 64 * 1024);
}

#[test]
fn errors_commands_and_messages_are_counted() {
    let mut s = Shell::new();
    s.greeted();
    for _ in 0..10 {
        smtp! { s; C "FOO" S "500 5.5.1 *" }
    }
    smtp! { s; C "FOO" S "421 4.7.0 *" }
    assert_eq!(s.closed, Some(CloseReason::TooManyErrors));

    let mut s = Shell::new();
    s.greeted().c("MAIL FROM:<a@b>").skip();
    for _ in 0..10 {
        smtp! { s; C "RCPT TO:<unknown@print.example>" S "550 5.1.1 *" }
    }
    smtp! { s; C "RCPT TO:<full@print.example>" S "452 4.2.2 *" }
    smtp! { s; C "RCPT TO:<unknown@print.example>" S "421 4.7.0 *" }

    let mut s = Shell::new();
    s.greeted();
    for _ in 0..199 {
        smtp! { s; C "NOOP" S "250 *" }
    }
    smtp! { s; C "NOOP" S "421 4.7.0 *" }
    assert_eq!(s.closed, Some(CloseReason::TooManyCommands));

    let mut s = Shell::new();
    s.greeted();
    for _ in 0..50 {
        smtp! { s; C "MAIL FROM:<a@b>" S "250 *" C "RCPT TO:<o@p>" S "250 *" C "DATA" S "354 *" B b".\r\n" S "250 *" }
    }
    smtp! { s; C "MAIL FROM:<a@b>" S "421 4.7.0 *" }
    assert_eq!(s.closed, Some(CloseReason::TooManyMessages));
    assert_eq!(s.messages.len(), 50);
}

#[test]
fn an_idle_session_is_small() {
    let mut s = Shell::new();
    let size = || std::mem::size_of::<Session>();
    assert!(size() < 1024, "{}", size());
    s.greeted();
    assert!(size() + s.session.heap_octets() < 2048);
    s.envelope().c("DATA").skip();
    s.send(&[&vec![b'a'; 5000][..], b"\r\n.\r\n"].concat());
    assert_eq!(s.session.heap_octets(), 0);
}

#[test]
fn a_peer_that_says_nothing_is_dropped() {
    let mut s = Shell::new();
    assert_eq!(s.session.poll_timeout(), Some((Duration::from_secs(30), TimeoutReason::Greeting)));
    s.skip().at(29_999).n();
    s.at(30_000).s("421 4.4.2 *EHLO*");
    assert_eq!(s.closed, Some(CloseReason::TimeOut(TimeoutReason::Greeting)));
    assert_eq!(s.session.poll_timeout(), None);
}

#[test]
fn commands_that_drip_are_too_slow() {
    let mut s = timed(TimeOuts { command: Duration::from_millis(100), ..TimeOuts::default() });
    s.at(1_000).greeted();
    for millis in [1_050, 1_099] {
        s.at(millis).send(b"N");
    }
    s.n();
    s.at(1_100).s("421 4.4.2 *");
    assert_eq!(s.closed, Some(CloseReason::TimeOut(TimeoutReason::Command)));
}

#[test]
fn a_message_that_stops_or_drips_or_never_ends_is_dropped() {
    let tiny = TimeOuts {
        body_block: Duration::from_millis(100),
        body_whole: Duration::from_millis(1_000),
        body_rate_min: 0,
        ..TimeOuts::default()
    };
    let mut s = timed(tiny.clone());
    s.envelope().c("DATA").skip();
    s.at(50).send(b"abc");
    s.at(149).n();
    s.at(150).s("421 4.4.2 *");
    assert_eq!(s.closed, Some(CloseReason::TimeOut(TimeoutReason::BodyBlock)));

    let mut s = timed(tiny.clone());
    s.envelope().c("DATA").skip();
    for millis in (50..1_000).step_by(50) {
        s.at(millis).send(&[b'a'; 100]);
    }
    s.n();
    s.at(1_000).s("421 4.4.2 *");
    assert_eq!(s.closed, Some(CloseReason::TimeOut(TimeoutReason::BodyWhole)));

    for chunked in [false, true] {
        let mut s = Shell::new();
        s.envelope();
        s.c(if chunked { "BDAT 100000 LAST" } else { "DATA" }).skip();
        for second in 1..10 {
            s.at(second * 1_000).send(&[b'a'; 499]);
        }
        s.n();
        s.at(9_999).n();
        s.at(10_000).s("421 4.4.2 *slow*");
        assert_eq!(s.closed, Some(CloseReason::TimeOut(TimeoutReason::BodyRate)));

        let mut s = Shell::new();
        s.envelope();
        s.c(if chunked { "BDAT 100000 LAST" } else { "DATA" }).skip();
        for second in 1..60 {
            s.at(second * 1_000).send(&[b'a'; 600]);
        }
        s.n();
    }
}

#[test]
fn sessions_are_bounded_but_a_slow_disk_is_not_the_peers_fault() {
    let mut s = timed(TimeOuts { session: Duration::from_millis(500), ..TimeOuts::default() });
    s.greeted();
    s.at(499).c("NOOP").s("250 *").n();
    s.at(500).s("421 4.4.2 *");
    assert_eq!(s.closed, Some(CloseReason::TimeOut(TimeoutReason::Session)));

    let mut s = Shell::new();
    s.envelope().c("DATA").skip();
    s.session.pause(Duration::from_secs(1));
    assert_eq!(s.session.poll_timeout(), None);
    s.at(300_000).n();
    s.session.resume(Duration::from_secs(300));
    assert_eq!(s.session.poll_timeout(), Some((Duration::from_secs(309), TimeoutReason::BodyRate)));
}
