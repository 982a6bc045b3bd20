//! How the network cuts the octets must not matter.

use crate::common::Shell;
use proptest::prelude::*;
use tympan_smtp::server::{Config, Limits, Peer};

/// Octets that a client may send in one go, because it waits for a reply before the next go.
fn goes() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        Just("text".to_owned()),
        Just(".".to_owned()),
        Just("..".to_owned()),
        Just(".\n".to_owned()),
        Just("\r".to_owned()),
        Just(String::new()),
        "[ -~]{0,60}",
    ];
    let body = proptest::collection::vec(text, 0..6).prop_map(|lines| lines.join("\r\n"));
    let command = prop_oneof![
        Just("NOOP".to_owned()),
        Just("RSET".to_owned()),
        Just("FOO".to_owned()),
        Just("MAIL FROM:<a@b.example>".to_owned()),
        Just("RCPT TO:<office@print.example>".to_owned()),
        Just("RCPT TO:<unknown@print.example>".to_owned()),
        Just("BDAT 3\r\nabc".to_owned().replace("abc", "a\nb")).prop_map(|chunk| chunk + "NOOP"),
        Just("BDAT 0 LAST".to_owned()),
        "NOOP [ -~]{0,80}",
        "[A-Z]{4} [ -~\u{e9}]{0,20}",
    ];
    let commands =
        proptest::collection::vec(command, 1..6).prop_map(|lines| (lines.join("\r\n") + "\r\n").into_bytes());
    let mail = body.prop_map(|body| {
        vec![
            b"RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<office@print.example>\r\nDATA\r\n".to_vec(),
            format!("{body}\r\n.\r\n").into_bytes(),
        ]
    });
    let step = prop_oneof![commands.prop_map(|go| vec![go]), mail];
    proptest::collection::vec(step, 1..5).prop_map(|steps| steps.concat())
}

fn run(goes: &[Vec<u8>], piece: usize, tolerant: bool) -> Shell {
    let limits = Limits {
        command_extended_octets_max: 64,
        body_line_octets_max: 40,
        message_octets_max: 150,
        ..Limits::default()
    };
    let peer = Peer { bare_lf_tolerated: tolerant, ..Peer::default() };
    let mut shell = Shell::with(Config { limits, ..Config::default() }, peer);
    shell.greeted();
    shell.piece = piece;
    for go in goes {
        shell.send(go);
    }
    shell
}

/// A message that breaks two limits in one piece: the one that it reaches first is told, however it is cut.
#[test]
fn of_two_limits_the_first_is_told() {
    let start = b"RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<office@print.example>\r\nDATA\r\n".to_vec();
    for lines in [[60, 60, 60], [30, 30, 200], [38, 38, 76]] {
        let body = lines.map(|octets| "a".repeat(octets)).join("\r\n") + "\r\n.\r\n";
        let goes = [start.clone(), body.into_bytes()];
        let whole = run(&goes, usize::MAX, false);
        for piece in [1, 2, 7, 50] {
            let cut = run(&goes, piece, false);
            assert_eq!((&cut.output, &cut.events), (&whole.output, &whole.events), "{lines:?} in pieces of {piece}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_cut_gives_the_same_session(goes in goes(), tolerant: bool, piece in 2usize..9) {
        let whole = run(&goes, usize::MAX, tolerant);
        for piece in [1, piece] {
            let cut = run(&goes, piece, tolerant);
            prop_assert_eq!(&cut.output, &whole.output);
            prop_assert_eq!(&cut.events, &whole.events);
            prop_assert_eq!(&cut.messages, &whole.messages);
            prop_assert_eq!(&cut.envelopes, &whole.envelopes);
        }
    }

    #[test]
    fn no_octets_break_the_session(octets in proptest::collection::vec(any::<u8>(), 0..400), piece in 1usize..50) {
        let mut shell = Shell::new();
        shell.piece = piece;
        shell.send(&octets);
    }

    /// Each transaction that was opened ends exactly once.
    #[test]
    fn transactions_end_once(goes in goes()) {
        let shell = run(&goes, usize::MAX, false);
        let mut open = false;
        for event in &shell.events {
            if event.starts_with("MailFrom") {
                prop_assert!(!open, "{:?}", shell.events);
                open = true;
            } else if event == "Reset" || event.starts_with("BodyEnd") {
                prop_assert!(open, "{:?}", shell.events);
                open = false;
            }
        }
    }
}
