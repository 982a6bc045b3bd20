//! What a server session says to well-behaved peers.

use crate::common::Shell;
use tympan_smtp::Reply;
use tympan_smtp::server::{CloseReason, Config, Peer};

#[test]
fn a_mail_is_taken() {
    let mut shell = Shell::new();
    smtp! { shell;
        S "220 print.example ESMTP"
        C "EHLO client.example"
        S "250-print.example"
        S "250-PIPELINING"
        S "250-SIZE 26214400"
        S "250-STARTTLS"
        S "250-8BITMIME"
        S "250-ENHANCEDSTATUSCODES"
        S "250-SMTPUTF8"
        S "250-CHUNKING"
        S "250 HELP"
        E "Greeted"
        C "MAIL FROM:<anna@client.example> SIZE=100 BODY=8BITMIME"
        S "250 2.1.0 *"
        E "MailFrom(MailFrom { reverse_path: Address(Address { local_part: \"anna\", domain: \"client.example\" }), size: Some(100), body: EightBitMime"
        C "RCPT TO:<office@print.example>"
        S "250 2.1.5 *"
        E "RcptTo"
        C "RCPT TO:<unknown@print.example>"
        S "550 5.1.1 *"
        E "RcptTo"
        C "RCPT TO:<Postmaster>"
        S "250 2.1.5 *"
        E "RcptTo"
        C "DATA"
        S "354 *"
        E "BodyStarted(BodyStart { chunked: false, size: Some(100) })"
        B b"Subject: hello\r\nX: y\r\n\r\n..dot\r\ntext\r\n.\r\n"
        S "250 2.0.0 Stored."
        E "BodyEnd(BodyEnd { octets: 36, header_octets: 24, header_lines: 2 })"
        C "QUIT"
        S "221 2.0.0 *"
        E "Close(Quit)"
    }
    assert_eq!(shell.messages, [b"Subject: hello\r\nX: y\r\n\r\n.dot\r\ntext\r\n".to_vec()]);
    assert_eq!(shell.envelopes, ["<anna@client.example> office@print.example postmaster"]);
    assert_eq!(shell.closed, Some(CloseReason::Quit));
    assert!(!CloseReason::Quit.peer_may_still_send());
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let mut shell = Shell::new();
    shell.greeted();
    smtp! { shell;
        G ["MAIL FROM:<>", "RCPT TO:<unknown@print.example>", "RCPT TO:<full@print.example>", "RCPT TO:<office@print.example>", "DATA", ""]
        S "250 2.1.0 *"
        S "550 5.1.1 *"
        S "452 4.2.2 *"
        S "250 2.1.5 *"
        S "354 *"
        G ["one", ".", "MAIL FROM:<b@x>", "RCPT TO:<office@print.example>", "DATA", ""]
        S "250 2.0.0 *"
        S "250 2.1.0 *"
        S "250 2.1.5 *"
        S "354 *"
        G ["two", ".", "QUIT", ""]
        S "250 2.0.0 *"
        S "221 2.0.0 *"
    }
    assert_eq!(shell.messages, [b"one\r\n".to_vec(), b"two\r\n".to_vec()]);
    assert_eq!(shell.envelopes, ["<> office@print.example", "<b@x> office@print.example"]);
}

#[test]
fn helo_gets_a_plain_answer_and_still_prints() {
    let mut shell = Shell::new();
    smtp! { shell;
        S "220 *"
        C "helo mfp_3"
        S "250 print.example"
        C "mail from: <scanner@mfp.example>"
        S "250 2.1.0 *"
        C "rcpt to: <office@print.example>"
        S "250 2.1.5 *"
        C "data"
        S "354 *"
        B b".\r\n"
        S "250 2.0.0 *"
    }
    assert_eq!(shell.messages, [Vec::<u8>::new()]);
}

#[test]
fn commands_out_of_order_are_told_what_is_missing() {
    let mut shell = Shell::with(
        Config { limits: tympan_smtp::server::Limits { errors_max: 99, ..Default::default() }, ..Config::default() },
        Peer::default(),
    );
    smtp! { shell;
        S "220 *"
        C "MAIL FROM:<a@b>"   S "503 5.5.1 *EHLO*"
        C "STARTTLS"          S "503 5.5.1 *EHLO*"
        C "AUTH PLAIN"        S "503 5.5.1 *EHLO*"
        C "NOOP"              S "250 2.0.0 *"
        C "HELP"              S "214-2.0.0 *" S "214 2.0.0 *"
        C "VRFY anna"         S "252 2.5.0 *"
        C "EXPN all"          S "502 5.5.1 *"
        C "RSET"              S "250 2.0.0 *"
        C "TURN"              S "502 5.5.1 *"
        C "FOO"               S "500 5.5.1 *"
        C "EHLO"              S "501 5.5.4 *"
        C "EHLO a.example"
    }
    shell.skip();
    smtp! { shell;
        C "RCPT TO:<a@b>"     S "503 5.5.1 *MAIL*"
        C "DATA"              S "503 5.5.1 *"
        C "BDAT 3"            B b"abc" S "503 5.5.1 *"
        C "MAIL FROM:<a@b> RET=FULL" S "555 5.5.4 *RET=FULL*"
        C "MAIL FROM:<a@b> SIZE=99999999" S "552 5.3.4 *26214400*"
        C "MAIL FROM:<a@[192.0.2.1]>" S "550 5.1.8 *"
        C "MAIL FROM:a@b"     S "501 5.1.7 *brackets*"
        C "MAIL FROM:<a@b>"   S "250 2.1.0 *"
        C "MAIL FROM:<a@b>"   S "503 5.5.1 *"
        C "DATA"              S "503 5.5.1 *RCPT*"
        C "RCPT TO:<a@[192.0.2.1]>" S "550 5.1.2 *"
        C "RCPT TO:<>"        S "501 5.1.3 *"
        C "RCPT TO:<a@b> NOTIFY=NEVER" S "555 5.5.4 *"
        C "RCPT TO:<a b@c>"   S "501 5.1.3 *"
        C "DATA now"          S "501 5.5.4 *"
    }
    shell.n();
    assert!(shell.messages.is_empty());
}

#[test]
fn rset_and_ehlo_forget_the_transaction() {
    let mut shell = Shell::new();
    shell.envelope();
    smtp! { shell;
        C "RSET" S "250 2.0.0 *" E "Reset"
        C "DATA" S "503 5.5.1 *"
        C "MAIL FROM:<a@b>" S "250 *" E "MailFrom"
        C "EHLO again.example"
        E "Reset"
        E "Greeted(Greeting { domain: \"again.example\", extended: true })"
    }
    shell.skip();
    smtp! { shell; C "RSET" S "250 *" }
    assert_eq!(shell.seen.len(), 0, "nothing was open");
}

#[test]
fn the_callers_refusals_reach_the_peer() {
    let mut shell = Shell::new();
    shell.body_end = Some(
        Reply::new(550, (5, 7, 1), "Not registered for office@print.example.")
            .line("Register at http://print.example/register"),
    );
    shell.envelope().c("DATA").skip();
    smtp! { shell;
        B b"x\r\n.\r\n"
        S "550-5.7.1 Not registered*"
        S "550 5.7.1 Register at http://print.example/register"
        E "BodyEnd"
    }
    shell.body_end = Some(Reply::new(451, (4, 4, 3), "The sender's domain did not answer; please try again later."));
    shell.envelope().c("DATA").skip();
    smtp! { shell; B b"x\r\n.\r\n" S "451 4.4.3 *" }
    // An answer that is neither yes nor no must not pass for one.
    shell.body_end = Some(Reply::bare(354, "?"));
    shell.envelope().c("DATA").skip();
    smtp! { shell; B b"x\r\n.\r\n" S "451 4.3.0 *" }
    shell.body_end = Some(Reply::new(421, (4, 3, 2), "Going down."));
    shell.envelope().c("DATA").skip();
    smtp! { shell; B b"x\r\n.\r\n" S "421 4.3.2 *" }
    assert_eq!(shell.closed, Some(CloseReason::Refused));
}

#[test]
fn a_body_refused_before_it_starts_is_no_body() {
    let mut shell = Shell::new();
    shell.body_start = Some(Reply::new(452, (4, 3, 1), "The disk is full; please try again later."));
    shell.envelope();
    smtp! { shell;
        C "DATA" S "452 4.3.1 *" E "BodyStarted" E "Reset"
        C "NOOP" S "250 *"
    }
    shell.envelope();
    // Octets of a chunk come anyway.
    smtp! { shell;
        B b"BDAT 6\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\n"
        S "452 4.3.1 *"
        S "452 4.3.1 *"
        C "NOOP" S "250 *"
    }
    assert!(shell.messages.is_empty());
    assert_eq!(shell.closed, None);
}

#[test]
fn a_body_refused_in_the_middle_is_swallowed_to_its_end() {
    let mut shell = Shell::new();
    shell.piece = 5;
    shell.envelope().c("DATA").skip();
    shell.refuse_body_at = Some(4);
    shell.piece = 5;
    smtp! { shell;
        B b"0123456789\r\nMAIL FROM:<evil@x>\r\n..\r\n.\r\n"
        S "452 4.3.1 *"
        E "Reset"
        C "NOOP" S "250 *"
    }
    shell.envelope();
    shell.refuse_body_at = Some(4);
    smtp! { shell;
        B b"BDAT 12\r\n0123456789\r\nBDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n"
        S "452 4.3.1 *"
        S "452 4.3.1 *"
        S "452 4.3.1 *"
        C "NOOP" S "250 *"
    }
    assert!(shell.messages.is_empty());
}

#[test]
fn chunks_make_a_message() {
    let mut shell = Shell::new();
    shell.envelope();
    smtp! { shell;
        C "BDAT 6"
        E "BodyStarted(BodyStart { chunked: true, size: Some(6) })"
        B b"a\r\n.\r\n"
        S "250 2.0.0 6 octets*"
        C "DATA"
        S "503 5.5.1 *"
        C "RCPT TO:<late@print.example>"
        S "503 5.5.1 *"
        C "BDAT 0"
        S "250 2.0.0 *"
        C "BDAT 3 last"
        B b"b\nc"
        S "250 2.0.0 Stored."
        E "BodyEnd(BodyEnd { octets: 9"
        C "BDAT 1 LAST"
        B b"x"
        S "503 5.5.1 *"
    }
    assert_eq!(shell.messages, [b"a\r\n.\r\nb\nc".to_vec()]);
    shell.envelope();
    smtp! { shell;
        B b"BDAT 4\r\nQUITBDAT 0 LAST\r\nMAIL FROM:<>\r\n"
        S "250 2.0.0 4 octets*"
        S "250 2.0.0 Stored."
        S "250 2.1.0 *"
    }
    assert_eq!(shell.messages[1], b"QUIT");
}

#[test]
fn a_chunk_cut_in_the_middle_is_no_message() {
    let mut shell = Shell::new();
    shell.envelope();
    smtp! { shell; C "BDAT 10 LAST" B b"half" }
    shell.n();
    shell.session.handle_end();
    assert_eq!(shell.session.poll_event(), Some(tympan_smtp::server::Event::Close(CloseReason::PeerClosed)));
    assert!(shell.messages.is_empty());

    let mut shell = Shell::new();
    shell.envelope();
    smtp! { shell; B b"BDAT 4\r\nhalf" S "250 *" C "RSET" S "250 *" E "BodyStarted" E "Reset" C "BDAT 2 LAST" B b"xx" S "503 *" }
    assert!(shell.messages.is_empty());
}

#[test]
fn a_chunk_that_cannot_be_read_ends_the_session() {
    for line in ["BDAT", "BDAT x LAST", "BDAT -5", "BDAT 18446744073709551617 LAST"] {
        let mut shell = Shell::new();
        shell.envelope();
        shell.send(format!("{line}\r\nMAIL FROM:<evil@x>\r\n").as_bytes());
        shell.s("501 5.5.4 *").n();
        assert_eq!(shell.closed, Some(CloseReason::LostFraming), "{line}");
    }
    let mut shell = Shell::new();
    shell.envelope();
    shell.send(format!("BDAT {} 5\r\nQUIT\r\n", " ".repeat(3000)).as_bytes());
    shell.s("501 5.5.4 *").n();
    assert_eq!(shell.closed, Some(CloseReason::LostFraming));
}

#[test]
fn chunking_can_be_switched_off() {
    let mut shell = Shell::with(Config { chunking: false, ..Config::default() }, Peer::default());
    shell.c("EHLO x");
    assert!(!shell.output.contains("CHUNKING"));
    shell.envelope();
    smtp! { shell; B b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n" S "502 5.5.1 *" S "250 *" }
}

#[test]
fn starttls_forgets_what_was_said_before() {
    let mut shell = Shell::new();
    shell.envelope();
    smtp! { shell;
        C "STARTTLS now" S "501 5.5.4 *"
        C "STARTTLS" S "220 2.0.0 *" E "Reset" E "StartTls"
        C "MAIL FROM:<a@b>" S "503 5.5.1 *EHLO*"
        C "EHLO client.example"
        S "250-print.example" S "250-PIPELINING" S "250-SIZE *" S "250-AUTH PLAIN LOGIN" S "250-8BITMIME"
    }
    shell.skip();
    smtp! { shell; C "STARTTLS" S "503 5.5.1 *" }
    assert!(shell.session.is_tls());
}

#[test]
fn auth_needs_tls_and_a_right_password() {
    let mut shell = Shell::new();
    shell.greeted();
    smtp! { shell;
        C "AUTH PLAIN AGFubmEAc2VjcmV0" S "538 5.7.11 *"
        C "AUTH LOGIN" S "538 5.7.11 *"
    }
    assert!(shell.events.iter().all(|event| !event.contains("AuthAttempt")));
    shell.secured();
    smtp! { shell;
        C "AUTH PLAIN AGFubmEAd3Jvbmc=" S "535 5.7.8 *" E "AuthAttempt(Credentials { mechanism: Plain, .. })"
        C "AUTH PLAIN" S "334 " C "*" S "501 5.7.0 *"
        C "AUTH PLAIN" S "334 " C "AGFubmEAc2VjcmV0" S "235 2.7.0 *" E "AuthAttempt"
        C "AUTH PLAIN AGFubmEAc2VjcmV0" S "503 5.5.1 *"
    }
    assert_eq!(shell.session.identity(), Some("anna"));
    let mut shell = Shell::new();
    shell.secured();
    smtp! { shell;
        C "AUTH LOGIN" S "334 VXNlcm5hbWU6" C "YW5uYQ==" S "334 UGFzc3dvcmQ6" C "d3Jvbmc=" S "535 5.7.8 *"
        C "AUTH LOGIN YW5uYQ==" S "334 UGFzc3dvcmQ6" C "c2VjcmV0" S "235 2.7.0 *"
    }
    let mut shell = Shell::new();
    shell.secured();
    smtp! { shell;
        C "AUTH PLAIN =" S "501 5.5.2 *"
        C "AUTH PLAIN !!!!" S "501 5.5.2 *"
        C "AUTH PLAIN AAAA" S "501 5.5.2 *"
        C "AUTH CRAM-MD5" S "504 5.5.4 *"
        C "MAIL FROM:<a@b>" S "250 *"
        C "AUTH PLAIN AGFubmEAc2VjcmV0" S "503 5.5.1 *"
    }
}

#[test]
fn too_many_wrong_passwords_end_the_session() {
    let mut shell = Shell::new();
    shell.secured();
    for _ in 0..3 {
        smtp! { shell; C "AUTH PLAIN AGFubmEAd3Jvbmc=" S "535 5.7.8 *" }
    }
    smtp! { shell; C "AUTH PLAIN AGFubmEAd3Jvbmc=" S "421 4.7.0 *" }
    assert_eq!(shell.closed, Some(CloseReason::TooManyAuthFailures));
}

#[test]
fn tls_and_auth_can_be_required() {
    let mut shell =
        Shell::with(Config { tls_required: true, auth_required: true, ..Config::default() }, Peer::default());
    shell.greeted();
    smtp! { shell; C "MAIL FROM:<a@b>" S "530 5.7.0 Must issue STARTTLS first*" }
    shell.secured();
    smtp! { shell;
        C "MAIL FROM:<a@b>" S "530 5.7.0 *AUTH*"
        C "AUTH PLAIN AGFubmEAc2VjcmV0" S "235 *"
        C "MAIL FROM:<a@b>" S "250 *"
    }
    let mut shell = Shell::with(Config::default(), Peer { tls: true, ..Peer::default() });
    shell.c("EHLO x");
    assert!(shell.output.contains("AUTH PLAIN LOGIN") && !shell.output.contains("STARTTLS"));
}

#[test]
fn passwords_are_not_shown_by_debug() {
    let mut shell = Shell::new();
    shell.secured().c("AUTH PLAIN AGFubmEAc2VjcmV0");
    assert!(!shell.events.join("").contains("secret"));
}

#[test]
fn addresses_in_other_scripts_need_smtputf8() {
    let mut shell = Shell::new();
    shell.greeted();
    smtp! { shell;
        C "MAIL FROM:<\u{5370}@x.example>" S "553 5.6.7 *"
        C "MAIL FROM:<a@x.example>" S "250 *"
        C "RCPT TO:<b\u{fc}ro@print.example>" S "553 5.6.7 *"
        C "RSET" S "250 *"
        C "MAIL FROM:<\u{5370}@x.example> SMTPUTF8" S "250 *"
        C "RCPT TO:<b\u{fc}ro@print.example>" S "250 *"
        B b"RCPT TO:<b\xfcro@print.example>\r\n" S "500 5.5.2 *"
    }
    let mut shell = Shell::with(Config { smtputf8: false, ..Config::default() }, Peer::default());
    shell.greeted();
    smtp! { shell; C "MAIL FROM:<a@x.example> SMTPUTF8" S "555 5.5.4 *" }
}

#[test]
fn shut_down_waits_for_the_message_on_its_way() {
    let mut shell = Shell::new();
    shell.envelope().c("DATA").skip();
    shell.session.shut_down();
    smtp! { shell; B b"x\r\n.\r\n" S "250 2.0.0 *" S "421 4.3.2 *" }
    assert_eq!((shell.messages.len(), shell.closed), (1, Some(CloseReason::ShutDown)));
    let mut shell = Shell::new();
    shell.greeted();
    shell.session.shut_down();
    smtp! { shell; B b"MAIL FROM:<a@b>\r\n" S "421 4.3.2 *" }
    assert!(shell.closed.is_some());
}

#[test]
fn answers_that_were_not_asked_for_change_nothing() {
    let mut shell = Shell::new();
    shell.greeted();
    let now = shell.now;
    assert!(shell.session.answer_mail(Reply::new(250, (2, 1, 0), "x"), now).is_err());
    assert!(shell.session.answer_body_end(Reply::new(250, (2, 0, 0), "x"), now).is_err());
    assert!(shell.session.answer_body_start(Ok(()), now).is_err());
    assert!(shell.session.refuse_body(Reply::new(452, (4, 3, 1), "x")).is_err());
    assert!(shell.session.tls_started(now).is_err());
    smtp! { shell; C "MAIL FROM:<a@b>" S "250 *" }
}

/// Every reply begins with an enhanced code of its class, but for the greeting, EHLO's and 3xx (RFC 2034 section 4).
#[test]
fn every_reply_has_an_enhanced_code() {
    let mut shell = Shell::with(
        Config { limits: tympan_smtp::server::Limits { errors_max: 99, ..Default::default() }, ..Config::default() },
        Peer::default(),
    );
    let lines = [
        "MAIL FROM:<a@b>",
        "FOO",
        "HELP",
        "NOOP",
        "VRFY x",
        "EXPN x",
        "RSET",
        "DATA",
        "AUTH PLAIN",
        "AUTH",
        "STARTTLS x",
        "BDAT 0",
        "RCPT TO:<a@b>",
    ];
    for line in lines {
        shell.c(line);
    }
    shell.skip();
    shell.output.clear();
    shell.greeted();
    shell.output.clear();
    for line in lines.iter().chain(&["RCPT TO:<unknown@x>", "RCPT TO:<a@b> X=1", "QUIT"]) {
        shell.c(line);
    }
    for line in shell.output.lines() {
        let mut parts = line.splitn(2, ['-', ' ']);
        let (code, rest) = (parts.next().unwrap(), parts.next().unwrap());
        assert!(rest.starts_with(&format!("{}.", &code[..1])), "{line}");
    }
}
