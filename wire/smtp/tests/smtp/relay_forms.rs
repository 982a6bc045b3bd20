//! Sixty ways in which open relays were fooled: what address each one is. Whether we know it is not decided here;
//! none may come out as a plain mailbox of ours, and none may come out as another's after we took it for ours.

use crate::common::Shell;
use tympan_smtp::server::{Config, Limits, Peer};

/// `Ok(address as read)` or `Err(start of the reply)`.
const FORMS: [(&str, Result<&str, &str>); 60] = [
    ("<victim@other.example>", Ok("victim@other.example")),
    ("<victim%other.example@print.example>", Ok("victim%other.example@print.example")),
    ("<victim%other.example@[192.0.2.1]>", Err("550 5.1.2")),
    ("<victim%other.example@localhost>", Ok("victim%other.example@localhost")),
    ("<victim%other.example>", Err("501 5.1.3")),
    ("<\"victim@other.example\">", Err("501 5.1.3")),
    ("<\"victim%other.example\">", Err("501 5.1.3")),
    ("<\"victim@other.example\"@print.example>", Ok("\"victim@other.example\"@print.example")),
    ("<\"victim%other.example\"@print.example>", Ok("victim%other.example@print.example")),
    ("<\"victim@other.example\"@[192.0.2.1]>", Err("550 5.1.2")),
    ("<@print.example:victim@other.example>", Ok("victim@other.example")),
    ("<@[192.0.2.1]:victim@other.example>", Ok("victim@other.example")),
    ("<@localhost:victim@other.example>", Ok("victim@other.example")),
    ("<@print.example,@third.example:victim@other.example>", Ok("victim@other.example")),
    ("<@third.example:office@print.example>", Ok("office@print.example")),
    ("<@other.example:@print.example:victim@other.example>", Err("501 5.1.3")),
    ("<@:victim@other.example>", Err("501 5.1.3")),
    ("<@print.example:>", Err("501 5.1.3")),
    ("<@print.example>", Err("501 5.1.3")),
    ("<@print.example victim@other.example>", Err("501 5.1.3")),
    ("<other.example!victim>", Err("501 5.1.3")),
    ("<other.example!victim@print.example>", Ok("other.example!victim@print.example")),
    ("<other.example!victim@[192.0.2.1]>", Err("550 5.1.2")),
    ("<print.example!other.example!victim>", Err("501 5.1.3")),
    ("<print.example!victim@other.example>", Ok("print.example!victim@other.example")),
    ("<victim@other.example@print.example>", Err("501 5.1.3")),
    ("<victim@other.example@[192.0.2.1]>", Err("501 5.1.3")),
    ("<victim@other.example%print.example>", Err("501 5.1.3")),
    ("<victim@print.example@other.example>", Err("501 5.1.3")),
    ("<victim@[192.0.2.1]>", Err("550 5.1.2")),
    ("<victim@[IPv6:2001:db8::1]>", Err("550 5.1.2")),
    ("<victim@192.0.2.1>", Ok("victim@192.0.2.1")),
    ("<victim@#3221225985>", Err("501 5.1.3")),
    ("<victim>", Err("501 5.1.3")),
    ("<>", Err("501 5.1.3")),
    ("< >", Err("501 5.1.3")),
    ("<@>", Err("501 5.1.3")),
    ("<victim@>", Err("501 5.1.3")),
    ("<victim@.>", Err("501 5.1.3")),
    ("<victim@other.example.>", Err("501 5.1.3")),
    ("<victim@.other.example>", Err("501 5.1.3")),
    ("<victim@other..example>", Err("501 5.1.3")),
    ("<victim @other.example>", Err("501 5.1.3")),
    ("<victim@ other.example>", Err("501 5.1.3")),
    ("< victim@other.example>", Err("501 5.1.3")),
    ("<victim@other.example >", Err("501 5.1.3")),
    ("<victim@other.example", Err("501 5.1.3")),
    ("victim@other.example>", Err("501 5.1.3")),
    ("victim@other.example", Err("501 5.1.3")),
    ("\"<victim@other.example>\"", Err("501 5.1.3")),
    ("<<victim@other.example>>", Err("501 5.1.3")),
    ("<victim@other.example><office@print.example>", Err("501 5.5.4")),
    ("<office@print.example>,<victim@other.example>", Err("501 5.5.4")),
    ("<office@print.example,victim@other.example>", Err("501 5.1.3")),
    ("<victim@other.example> <office@print.example>", Err("501 5.5.4")),
    ("Victim <victim@other.example>", Err("501 5.1.3")),
    ("<victim(office@print.example)@other.example>", Err("501 5.1.3")),
    ("<\"victim\\@other.example\"@print.example>", Ok("\"victim@other.example\"@print.example")),
    ("<victim\\@other.example@print.example>", Err("501 5.1.3")),
    ("<|/bin/sh@print.example>", Ok("|/bin/sh@print.example")),
];

#[test]
fn relay_forms_are_read_for_what_they_are() {
    let limits = Limits { errors_max: 100, recipients_max: 100, ..Limits::default() };
    let mut shell = Shell::with(Config { limits, ..Config::default() }, Peer::default());
    shell.greeted().c("MAIL FROM:<a@b.example>").skip();
    for (form, expected) in FORMS {
        let before = shell.session.envelope().unwrap().recipients.len();
        shell.c(&format!("RCPT TO:{form}"));
        let recipients = &shell.session.envelope().unwrap().recipients;
        match expected {
            Ok(address) => {
                assert_eq!(recipients.len(), before + 1, "{form}");
                assert_eq!(recipients[before].to_string(), address, "{form}");
                shell.s("250 2.1.5 *");
            }
            Err(reply) => {
                assert_eq!(recipients.len(), before, "{form}");
                shell.s(&format!("{reply} *"));
            }
        }
    }
    // Only the form that drops a foreign route names a mailbox of ours.
    let envelope = shell.session.envelope().unwrap();
    let ours = |address: &&tympan_smtp::Recipient| address.to_string() == "office@print.example";
    assert_eq!(envelope.recipients.iter().filter(ours).count(), 1);
}
