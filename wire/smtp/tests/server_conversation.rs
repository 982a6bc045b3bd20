//! What a server session says to well-behaved peers.

mod common;

use common::Shell;
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
    assert_eq!(
        shell.messages,
        [b"Subject: hello\r\nX: y\r\n\r\n.dot\r\ntext\r\n".to_vec()]
    );
    assert_eq!(
        shell.envelopes,
        ["<anna@client.example> office@print.example postmaster"]
    );
    assert_eq!(shell.closed, Some(CloseReason::Quit));
    assert!(!CloseReason::Quit.peer_may_still_send());
}
