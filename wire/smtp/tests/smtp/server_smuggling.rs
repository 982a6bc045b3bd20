//! What must not get in: smuggled mails, commands before their time, other protocols (VU#302671, CVE-2011-0411).

use crate::common::Shell;
use tympan_smtp::server::{CloseReason, Config, Event, Peer};

/// The ends of data that one server or another was found to take.
const KNOWN_ENDS: [&[u8]; 11] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r.\r",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\r\n.\r\r\n",
];
const SMUGGLED: &[u8] =
    b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<office@print.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nbad";

/// Sends a mail with `end` in the middle; returns the messages, and the senders that were heard.
fn play(end: &[u8], tolerant: bool, piece: usize) -> Shell {
    let mut shell = Shell::with(Config::default(), Peer { bare_lf_tolerated: tolerant, ..Peer::default() });
    shell.envelope().c("DATA").skip();
    shell.piece = piece;
    shell.send(&[b"Subject: a\r\n\r\ntext", end, SMUGGLED, b"\r\n.\r\n"].concat());
    shell
}

fn check(end: &[u8], tolerant: bool, piece: usize) {
    let shell = play(end, tolerant, piece);
    let senders = shell.events.iter().filter(|event| event.starts_with("MailFrom")).count();
    assert_eq!(senders, 1, "{end:?} smuggled a command");
    assert!(shell.messages.len() <= 1, "{end:?} made two messages");
    match shell.closed {
        Some(reason) => {
            assert_eq!(reason, CloseReason::BareLineBreak);
            assert!(shell.messages.is_empty());
            assert!(shell.output.ends_with("list your network.\r\n"), "{}", shell.output);
            assert!(reason.peer_may_still_send());
        }
        None => {
            assert_eq!(shell.messages.len(), 1, "{end:?}");
            let message = &shell.messages[0];
            assert!(message.ends_with(b"bad\r\n"), "{end:?} cut the message");
            for (at, octet) in message.iter().enumerate() {
                assert!(*octet != b'\n' || message[at - 1] == b'\r', "{end:?} left a bare LF");
                assert!(*octet != b'\r' || message[at + 1] == b'\n', "{end:?} left a bare CR");
            }
        }
    }
}

#[test]
fn the_known_ends_of_data_smuggle_nothing() {
    for end in KNOWN_ENDS {
        for piece in [usize::MAX, 1, 3] {
            check(end, false, piece);
            assert_eq!(play(end, false, piece).closed, Some(CloseReason::BareLineBreak), "{end:?}");
            check(end, true, piece);
        }
    }
}

#[test]
fn four_thousand_generated_ends_of_data_smuggle_nothing() {
    const ALPHABET: [u8; 5] = [b'\r', b'\n', b'.', b'\0', b' '];
    let mut ends: Vec<Vec<u8>> = vec![Vec::new()];
    let mut tried = 0;
    for _ in 0..5 {
        ends = ends.iter().flat_map(|end| ALPHABET.map(|octet| [end.as_slice(), &[octet]].concat())).collect();
        for end in &ends {
            // The true end of data is no smuggling.
            if end.windows(5).any(|octets| octets == b"\r\n.\r\n") {
                continue;
            }
            tried += 1;
            for tolerant in [false, true] {
                check(end, tolerant, usize::MAX);
                check(end, tolerant, 1);
            }
        }
    }
    assert!(tried > 3_500, "{tried}");
}

#[test]
fn a_true_end_of_data_is_one() {
    let shell = play(b"\r\n.\r\n", false, usize::MAX);
    // What follows is honest pipelining of a second mail up to DATA, and then too early.
    assert_eq!(shell.messages, [b"Subject: a\r\n\r\ntext\r\n".to_vec()]);
    assert_eq!(shell.closed, Some(CloseReason::EarlyTalker));
}

#[test]
fn bare_line_breaks_in_commands_close_the_session() {
    for line in [&b"NOOP\n"[..], b"NO\rOP\r\n", b"NOOP \0\r\n", b"NOOP\r\r\n", b"\n"] {
        for piece in [usize::MAX, 1] {
            let mut shell = Shell::new();
            shell.greeted();
            shell.piece = piece;
            shell.send(&[line, b"MAIL FROM:<evil@x>\r\n"].concat());
            shell.s("550-5.5.2 *").s("550 5.5.2 *").n();
            assert_eq!(shell.closed, Some(CloseReason::BareLineBreak), "{line:?}");
        }
    }
}

#[test]
fn listed_networks_may_end_lines_in_lf() {
    let mut shell = Shell::with(Config::default(), Peer { bare_lf_tolerated: true, ..Peer::default() });
    shell.skip();
    smtp! { shell;
        B b"HELO scanner\n" S "250 *"
        B b"MAIL FROM:<scan@mfp.example>\n" S "250 *"
        B b"RCPT TO:<office@print.example>\n" S "250 *"
        B b"DATA\n" S "354 *"
        B b"Subject: scan\n\nline\n.\nmore\n..dots\n\r\n.\r\n" S "250 2.0.0 *"
    }
    assert_eq!(shell.messages, [b"Subject: scan\r\n\r\nline\r\n.\r\nmore\r\n.dots\r\n\r\n".to_vec()]);
}

#[test]
fn who_speaks_before_the_greeting_is_refused() {
    for first in [&b"EHLO x\r\n"[..], b"E", b"POST / HTTP/1.1\r\n"] {
        let mut shell = Shell::unpolled(Config::default(), Peer::default());
        shell.send(first);
        shell.s("554 5.5.0 *").n();
        assert_eq!(shell.closed, Some(CloseReason::EarlyTalker));
        assert_eq!(shell.events, ["Close(EarlyTalker)"]);
    }
}

#[test]
fn who_does_not_wait_for_ehlo_data_and_auth_is_refused() {
    let mut shell = Shell::new();
    shell.send(b"EHLO x\r\nMAIL FROM:<evil@x>\r\n");
    assert_eq!(shell.closed, Some(CloseReason::EarlyTalker));
    assert!(shell.output.ends_with("wait for it.\r\n") && !shell.output.contains("2.1.0"));

    // The same in two pieces, while the reply is still with us.
    let mut shell = Shell::new();
    assert_eq!(shell.session.handle_input(b"EHLO x\r\n", shell.now).consumed, 8);
    assert!(matches!(shell.session.poll_event(), Some(Event::Greeted(_))));
    assert_eq!(shell.session.handle_input(b"MAIL", shell.now).consumed, 4);
    assert_eq!(shell.session.poll_event(), Some(Event::Close(CloseReason::EarlyTalker)));

    let mut shell = Shell::new();
    shell.envelope();
    smtp! { shell; B b"DATA\r\nSubject: x\r\n\r\n.\r\nMAIL FROM:<evil@x>\r\n" S "503 5.5.0 *DATA*" }
    assert_eq!(shell.closed, Some(CloseReason::EarlyTalker));
    assert!(shell.messages.is_empty());

    let mut shell = Shell::new();
    shell.envelope();
    assert_eq!(shell.session.handle_input(b"DATA\r\n", shell.now).consumed, 6);
    assert!(matches!(shell.session.poll_event(), Some(Event::BodyStarted(_))));
    shell.session.handle_input(b"x", shell.now);
    assert_eq!(shell.session.poll_event(), Some(Event::Close(CloseReason::EarlyTalker)));
    assert_eq!(shell.session.answer_body_start(Ok(()), shell.now), Ok(()), "the question is void, not an error");

    let mut shell = Shell::new();
    shell.secured();
    smtp! { shell; B b"AUTH LOGIN\r\nYW5uYQ==\r\n" S "503 5.5.0 *AUTH*" }
}

#[test]
fn commands_injected_behind_starttls_never_run() {
    for injected in [&b"RSET\r\nEHLO evil\r\nMAIL FROM:<evil@x>\r\n"[..], b"MAIL", b"\r\n", b"\n\0"] {
        let mut shell = Shell::new();
        shell.greeted();
        shell.send(&[b"STARTTLS\r\n", injected].concat());
        shell.s("220 2.0.0 *").n();
        shell.c("EHLO client.example").skip();
        assert!(!shell.events.iter().any(|event| event.contains("evil")));
        smtp! { shell; C "NOOP" S "250 *" }
        assert_eq!(shell.closed, None);
    }
    // Octets that come while the handshake is awaited are none of ours either.
    let mut shell = Shell::new();
    shell.greeted();
    assert_eq!(shell.session.handle_input(b"STARTTLS\r\nQUIT\r\n", shell.now).consumed, 16);
    assert_eq!(shell.session.poll_event(), Some(Event::StartTls));
    assert_eq!(shell.session.handle_input(b"QUIT\r\n", shell.now).consumed, 6);
    assert_eq!(shell.session.poll_event(), None);
    shell.session.tls_started(shell.now).unwrap();
    shell.flush();
    shell.skip();
    smtp! { shell; C "QUIT" S "221 *" }
}

#[test]
fn half_a_command_before_starttls_does_not_join_one_after_it() {
    let mut shell = Shell::new();
    shell.greeted();
    shell.send(b"STARTTLS\r\nMAIL FROM:<ev");
    shell.skip();
    smtp! { shell; B b"il@x>\r\n" S "500 5.5.1 *" }
}

#[test]
fn other_protocols_are_shown_the_door() {
    for line in ["GET / HTTP/1.1", "POST /x HTTP/1.1", "Host: print.example"] {
        let mut shell = Shell::new();
        shell.skip();
        shell.send(format!("{line}\r\nX: y\r\n\r\nMAIL FROM:<evil@x>\r\n").as_bytes());
        shell.s("554 5.5.0 *").n();
        assert_eq!(shell.closed, Some(CloseReason::OtherProtocol));
    }
    let mut shell = Shell::new();
    shell.skip();
    shell.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n");
    assert!(shell.closed.is_some());
}

#[test]
fn nothing_is_taken_after_the_end() {
    let mut shell = Shell::new();
    shell.greeted();
    smtp! { shell; B b"QUIT\r\nMAIL FROM:<a@b>\r\n" S "221 *" }
    shell.n();
    assert_eq!(shell.session.handle_input(b"MAIL FROM:<a@b>\r\n", shell.now).consumed, 17);
    assert!(shell.session.poll_event().is_none() && shell.session.poll_output().is_none());
}
