//! What a client session says to servers of several kinds.

use std::sync::Arc;
use std::time::Duration;

use tympan_smtp::client::{
    Cause, CloseReason, Config, Credentials, Event, Fate, Outcome, Outgoing, Session, Stage, TlsPolicy,
};
use tympan_smtp::{Address, Envelope, Recipient, ReversePath};

struct Talk {
    session: Session,
    now: Duration,
    said: String,
    events: Vec<Event>,
}

impl Talk {
    fn new(config: Config) -> Self {
        let config = Config { hostname: "node.example".into(), ..config };
        Self {
            session: Session::new(Arc::new(config), false, Duration::ZERO),
            now: Duration::ZERO,
            said: String::new(),
            events: Vec::new(),
        }
    }

    /// The server says `lines`; the client must then say exactly `expected`.
    fn s(&mut self, lines: &str, expected: &str) -> &mut Self {
        let octets = lines.replace('\n', "\r\n") + "\r\n";
        self.session.handle_input(octets.as_bytes(), self.now);
        self.said(expected)
    }

    fn said(&mut self, expected: &str) -> &mut Self {
        self.poll();
        assert_eq!(std::mem::take(&mut self.said).replace("\r\n", "|"), expected);
        self
    }

    fn poll(&mut self) {
        while let Some(output) = self.session.poll_output() {
            self.said.push_str(std::str::from_utf8(&output).unwrap());
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
    }

    fn event(&mut self) -> Event {
        self.poll();
        assert!(!self.events.is_empty(), "no event");
        self.events.remove(0)
    }

    fn outcome(&mut self) -> Outcome {
        match self.event() {
            Event::Done(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn failed(&mut self) -> (Stage, Cause) {
        match self.event() {
            Event::Close(CloseReason::Failed(failure)) => (failure.stage, failure.cause),
            other => panic!("{other:?}"),
        }
    }

    fn ready(&mut self) -> &mut Self {
        assert!(matches!(self.event(), Event::Ready(_)));
        self
    }

    fn send(&mut self, mail: Outgoing) -> &mut Self {
        self.session.send(mail, self.now).unwrap();
        self
    }

    fn body(&mut self, body: &[u8]) -> &mut Self {
        assert_eq!(self.event(), Event::BodyWanted);
        assert_eq!(self.session.write_body(body, self.now), body.len());
        self.session.finish_body(self.now);
        self
    }
}

fn mail(recipients: &[&str]) -> Outgoing {
    let recipients = recipients.iter().map(|text| Recipient::Address(Address::parse(text).unwrap())).collect();
    Outgoing { envelope: Envelope { reverse_path: ReversePath::Null, recipients }, size: Some(6), eight_bit: false }
}

/// A connection to a plain server that offers `keywords`, ready for a mail.
fn connected(config: Config, keywords: &str) -> Talk {
    let mut talk = Talk::new(config);
    talk.s("220 mx.example hello", "EHLO node.example|");
    talk.s(&format!("250-mx.example\n{keywords}250 HELP"), "").ready();
    talk
}

#[test]
fn a_mail_goes_out_and_the_reply_is_kept() {
    let mut talk = connected(Config::default(), "250-PIPELINING\n250-SIZE 1000\n250-8BITMIME\n");
    let mut outgoing = mail(&["a@x.example", "b@x.example"]);
    outgoing.eight_bit = true;
    talk.send(outgoing).said("MAIL FROM:<> SIZE=6 BODY=8BITMIME|RCPT TO:<a@x.example>|RCPT TO:<b@x.example>|");
    talk.s("250 2.1.0 ok\n250 2.1.5 ok\n250 2.1.5 ok", "DATA|");
    talk.s("354 go", "").body(b".a\nb").said("..a|b|.|");
    assert_eq!(talk.session.progress().octets, 4);
    talk.s("250-2.0.0 queued\n250 2.0.0 as 42", "");
    let outcome = talk.outcome();
    let reply = outcome.result.as_ref().unwrap();
    assert_eq!((reply.code(), reply.lines()), (250, &["queued".to_owned(), "as 42".to_owned()][..]));
    assert!(outcome.fates().all(|(_, fate)| matches!(fate, Fate::Accepted(_))));
    // A second mail on the same connection, then the end.
    talk.send(mail(&["c@x.example"])).said("MAIL FROM:<> SIZE=6|RCPT TO:<c@x.example>|");
    talk.s("250 ok\n250 ok", "DATA|").s("354 go", "").body(b"").said(".|").s("250 ok", "");
    assert!(talk.outcome().result.is_ok());
    talk.session.quit(talk.now).unwrap();
    talk.said("QUIT|").s("221 bye", "");
    assert_eq!(talk.event(), Event::Close(CloseReason::Quit));
}

#[test]
fn an_old_server_gets_helo_and_one_command_at_a_time() {
    let mut talk = Talk::new(Config::default());
    talk.s("220 old", "EHLO node.example|").s("502 what?", "HELO node.example|").s("250 old", "").ready();
    talk.send(mail(&["a@x", "b@x"])).said("MAIL FROM:<>|");
    talk.s("250 ok", "RCPT TO:<a@x>|").s("250 ok", "RCPT TO:<b@x>|").s("250 ok", "DATA|");
}

#[test]
fn pipelining_keeps_its_window() {
    let mut talk = connected(Config { pipelined_max: 2, ..Config::default() }, "250-PIPELINING\n");
    talk.send(mail(&["a@x", "b@x", "c@x"])).said("MAIL FROM:<>|RCPT TO:<a@x>|");
    talk.s("250 ok", "RCPT TO:<b@x>|").s("250 ok\n250 ok", "RCPT TO:<c@x>|").s("250 ok", "DATA|");
}

#[test]
fn refused_recipients_are_told_apart() {
    let mut talk = connected(Config::default(), "250-PIPELINING\n");
    talk.send(mail(&["a@x", "b@x", "c@x"])).poll();
    talk.said.clear();
    talk.s("250 ok\n550 5.1.1 no such user\n250 ok\n452 4.2.2 full", "DATA|");
    talk.s("354 go", "").body(b"x").said("x|.|").s("250 2.0.0 ok", "");
    let outcome = talk.outcome();
    let fates: Vec<_> =
        outcome.fates().map(|(recipient, fate)| (recipient.to_string(), fate.is_temporary(), fate)).collect();
    assert!(
        matches!(&fates[0], (to, false, Fate::Refused(reply)) if to == "a@x" && reply.to_string() == "550 5.1.1 no such user")
    );
    assert!(matches!(&fates[1], (to, false, Fate::Accepted(_)) if to == "b@x"));
    assert!(matches!(&fates[2], (to, true, Fate::Refused(_)) if to == "c@x"));
}

#[test]
fn refusals_leave_the_connection_usable() {
    let mut talk = connected(Config::default(), "250-PIPELINING\n");
    talk.send(mail(&["a@x"])).said("MAIL FROM:<>|RCPT TO:<a@x>|");
    talk.s("250 ok\n550 5.1.1 no", "");
    let outcome = talk.outcome();
    let failure = outcome.result.clone().unwrap_err();
    assert_eq!((failure.stage, failure.cause), (Stage::Rcpt, Cause::NoRecipientAccepted));
    assert!(matches!(outcome.fates().next(), Some((_, Fate::Refused(_)))));
    // RSET first, because the server still holds the sender.
    talk.send(mail(&["b@x"])).said("RSET|").s("250 ok", "MAIL FROM:<>|RCPT TO:<b@x>|");
    talk.s("451 4.7.1 greylisted\n503 5.5.1 MAIL first", "");
    let outcome = talk.outcome();
    let failure = outcome.result.clone().unwrap_err();
    assert!(failure.is_temporary() && failure.stage == Stage::Mail);
    assert!(matches!(outcome.fates().next(), Some((_, Fate::Failed(_)))), "503 says nothing about the recipient");
    talk.send(mail(&["c@x"])).said("MAIL FROM:<>|RCPT TO:<c@x>|").s("250 ok\n250 ok", "DATA|").s("452 4.3.1 full", "");
    assert_eq!(talk.outcome().result.unwrap_err().stage, Stage::DataStart);
    talk.send(mail(&["d@x"])).said("RSET|").s("250 ok", "MAIL FROM:<>|RCPT TO:<d@x>|");
    talk.s("250 ok\n250 ok", "DATA|")
        .s("354 go", "")
        .body(b"x")
        .said("x|.|")
        .s("550-5.7.1 not registered\n550 5.7.1 see http://x/", "");
    let failure = talk.outcome().result.unwrap_err();
    assert!(!failure.is_temporary() && failure.stage == Stage::BodyEnd && !failure.is_in_doubt());
    talk.send(mail(&["e@x"])).said("MAIL FROM:<>|RCPT TO:<e@x>|");
}

#[test]
fn mails_that_the_server_cannot_take_fail_without_a_word() {
    let mut talk = connected(Config::default(), "250-SIZE 5\n");
    talk.send(mail(&["a@x"])).said("");
    assert_eq!(talk.outcome().result.unwrap_err().cause, Cause::TooBig { octets_max: 5 });
    let mut eight = mail(&["a@x"]);
    (eight.size, eight.eight_bit) = (None, true);
    talk.send(eight).said("");
    assert_eq!(talk.outcome().result.unwrap_err().cause, Cause::NeedsEightBitMime);
    talk.send(mail(&["b\u{fc}ro@x"])).said("");
    assert_eq!(talk.outcome().result.unwrap_err().cause, Cause::NeedsSmtputf8);
    talk.send(mail(&[])).said("");
    assert_eq!(talk.outcome().result.unwrap_err().cause, Cause::NoRecipients);
}

#[test]
fn tls_is_started_by_policy() {
    let offer = "250-mx.example\n250 STARTTLS";
    for policy in [TlsPolicy::Opportunistic, TlsPolicy::Required] {
        let mut talk = Talk::new(Config { tls: policy, ..Config::default() });
        talk.s("220 hi", "EHLO node.example|").s(offer, "STARTTLS|").s("220 go", "");
        assert_eq!(talk.event(), Event::StartTls);
        talk.session.tls_started(talk.now).unwrap();
        talk.said("EHLO node.example|").s(offer, "").ready();
        assert!(talk.session.is_tls());
    }
    let mut talk = Talk::new(Config { tls: TlsPolicy::Off, ..Config::default() });
    talk.s("220 hi", "EHLO node.example|").s(offer, "").ready();

    let mut talk = Talk::new(Config { tls: TlsPolicy::Required, ..Config::default() });
    talk.s("220 hi", "EHLO node.example|").s("250 mx.example", "QUIT|");
    assert_eq!(talk.failed(), (Stage::Tls, Cause::TlsNotOffered));

    let mut talk = Talk::new(Config { tls: TlsPolicy::Required, ..Config::default() });
    talk.s("220 hi", "EHLO node.example|").s(offer, "STARTTLS|").s("454 4.7.0 no", "QUIT|");
    assert!(matches!(talk.failed(), (Stage::Tls, Cause::Reply(_))));

    let mut talk = Talk::new(Config::default());
    talk.s("220 hi", "EHLO node.example|").s(offer, "STARTTLS|").s("454 4.7.0 no", "").ready();
    assert!(!talk.session.is_tls());

    let mut talk = Talk::new(Config::default());
    talk.s("220 hi", "EHLO node.example|").s(offer, "STARTTLS|").s("220 go", "");
    talk.session.tls_failed().unwrap();
    assert_eq!(talk.event(), Event::StartTls);
    assert_eq!(talk.failed(), (Stage::Tls, Cause::TlsFailed));
}

#[test]
fn replies_injected_behind_starttls_are_an_attack() {
    let mut talk = Talk::new(Config::default());
    talk.s("220 hi", "EHLO node.example|").s("250-mx\n250 STARTTLS", "STARTTLS|").s("220 go\n250 mx", "");
    assert_eq!(talk.event(), Event::StartTls);
    assert!(matches!(talk.failed(), (Stage::Tls, Cause::Protocol(_))));
}

#[test]
fn logging_in_needs_tls_and_a_way() {
    let credentials = Some(Credentials { identity: "anna".into(), password: "secret".into() });
    let config = Config { credentials, auth_without_tls: true, ..Config::default() };
    let mut talk = Talk::new(config.clone());
    talk.s("220 hi", "EHLO node.example|");
    talk.s("250-mx\n250 AUTH LOGIN PLAIN", "AUTH PLAIN AGFubmEAc2VjcmV0|").s("235 2.7.0 ok", "").ready();

    let mut talk = Talk::new(config.clone());
    talk.s("220 hi", "EHLO node.example|");
    talk.s("250-mx\n250 AUTH=LOGIN", "AUTH LOGIN|")
        .s("334 VXNlcm5hbWU6", "YW5uYQ==|")
        .s("334 UGFzc3dvcmQ6", "c2VjcmV0|");
    talk.s("535 5.7.8 no", "QUIT|");
    assert!(matches!(talk.failed(), (Stage::Auth, Cause::Reply(reply)) if reply.code() == 535));

    let mut talk = Talk::new(config.clone());
    talk.s("220 hi", "EHLO node.example|").s("250-mx\n250 AUTH GSSAPI", "QUIT|");
    assert_eq!(talk.failed(), (Stage::Auth, Cause::AuthNotOffered));

    let mut talk = Talk::new(Config { auth_without_tls: false, ..config });
    talk.s("220 hi", "EHLO node.example|").s("250-mx\n250 AUTH PLAIN", "QUIT|");
    assert_eq!(talk.failed(), (Stage::Auth, Cause::AuthNeedsTls));
}

#[test]
fn a_busy_or_closed_server_says_so() {
    let mut talk = Talk::new(Config::default());
    talk.s("554 5.7.1 go away", "QUIT|");
    assert!(matches!(talk.failed(), (Stage::Banner, Cause::Reply(reply)) if reply.code() == 554));
    let mut talk = connected(Config::default(), "250-PIPELINING\n");
    talk.s("421 4.3.2 going down", "");
    assert!(matches!(talk.failed(), (Stage::Idle, Cause::Reply(_))));
    assert!(talk.session.send(mail(&["a@x"]), talk.now).is_err());
    let mut talk = connected(Config::default(), "");
    talk.send(mail(&["a@x"])).said("MAIL FROM:<>|").s("250 ok", "RCPT TO:<a@x>|").s("421 4.7.0 too many", "");
    assert!(talk.outcome().result.unwrap_err().is_temporary());
    assert!(matches!(talk.failed(), (Stage::Rcpt, _)));
    let mut talk = Talk::new(Config::default());
    talk.s("SSH-2.0-x", "");
    assert!(matches!(talk.failed(), (Stage::Banner, Cause::Protocol(_))));
}

/// Up to the point where the message may be sent.
fn at_body() -> Talk {
    let mut talk = connected(Config::default(), "250-PIPELINING\n");
    talk.send(mail(&["a@x"])).said("MAIL FROM:<>|RCPT TO:<a@x>|").s("250 ok\n250 ok", "DATA|").s("354 go", "");
    assert_eq!(talk.event(), Event::BodyWanted);
    talk
}

#[test]
fn a_message_given_up_is_never_ended_by_a_dot() {
    let mut talk = at_body();
    talk.session.write_body(b"half", talk.now);
    talk.s("552 5.3.4 too big", "");
    assert!(matches!(talk.outcome().result.unwrap_err().cause, Cause::Reply(_)));
    assert!(matches!(talk.failed(), (Stage::Body, _)));
    assert_eq!(talk.session.write_body(b"rest", talk.now), 4);
    talk.session.finish_body(talk.now);
    talk.said("");
}

#[test]
fn a_connection_lost_after_the_dot_leaves_doubt() {
    let mut talk = at_body();
    talk.session.write_body(b"x", talk.now);
    talk.session.handle_end();
    let failure = talk.outcome().result.unwrap_err();
    assert!(failure.is_temporary() && !failure.is_in_doubt());
    let mut talk = at_body();
    talk.session.finish_body(talk.now);
    talk.said(".|");
    talk.session.handle_end();
    assert!(talk.outcome().result.unwrap_err().is_in_doubt());
}

#[test]
fn each_stage_has_the_time_of_the_standard() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let mut talk = Talk::new(Config::default());
    assert_eq!(talk.session.poll_timeout(), Some((minutes(5), Stage::Banner)));
    talk.s("220 hi", "EHLO node.example|");
    assert_eq!(talk.session.poll_timeout(), Some((minutes(5), Stage::Greeting)));
    talk.s("250 mx", "").ready();
    assert_eq!(talk.session.poll_timeout(), None);
    talk.now = minutes(100);
    talk.send(mail(&["a@x"])).said("MAIL FROM:<>|");
    assert_eq!(talk.session.poll_timeout(), Some((minutes(105), Stage::Mail)));
    talk.s("250 ok", "RCPT TO:<a@x>|");
    assert_eq!(talk.session.poll_timeout(), Some((minutes(105), Stage::Rcpt)));
    talk.s("250 ok", "DATA|");
    assert_eq!(talk.session.poll_timeout(), Some((minutes(102), Stage::DataStart)));
    talk.s("354 go", "");
    assert_eq!(talk.session.poll_timeout(), Some((minutes(103), Stage::Body)));
    talk.now = minutes(102);
    talk.session.write_body(b"x", talk.now);
    assert_eq!(talk.session.poll_timeout(), Some((minutes(105), Stage::Body)));
    talk.session.finish_body(talk.now);
    assert_eq!(talk.session.poll_timeout(), Some((minutes(112), Stage::BodyEnd)));
    talk.session.handle_timeout(minutes(112) - Duration::from_millis(1));
    assert!(!talk.session.is_closed());
    talk.session.handle_timeout(minutes(112));
    talk.poll();
    assert!(matches!(talk.events.remove(0), Event::BodyWanted));
    assert!(talk.outcome().result.unwrap_err().is_in_doubt());
    assert!(matches!(talk.failed(), (Stage::BodyEnd, Cause::TimeOut)));
}

#[test]
fn progress_counts_what_was_handed_out() {
    let mut talk = at_body();
    let body = vec![b'x'; 200_000];
    let mut at = 0;
    let mut seen = Vec::new();
    while at < body.len() {
        let taken = talk.session.write_body(&body[at..], talk.now);
        assert!(taken > 0 && talk.session.progress().octets <= at as u64);
        at += taken;
        let output = talk.session.poll_output().unwrap();
        assert!(output.len() <= 70_000);
        seen.push(talk.session.progress().octets);
    }
    assert_eq!(seen.last(), Some(&200_000));
    assert!(seen.len() > 2 && seen.is_sorted());
    assert_eq!(talk.session.progress().octets_total, Some(6));
}

#[test]
fn settings_cannot_inject_commands() {
    let mut session = Session::new(
        Arc::new(Config { hostname: "x\r\nMAIL FROM:<evil@x>".into(), ..Config::default() }),
        false,
        Duration::ZERO,
    );
    session.handle_input(b"220 hi\r\n", Duration::ZERO);
    assert_eq!(session.poll_output().unwrap(), b"EHLO xMAILFROM:<evil@x>\r\n");
}
