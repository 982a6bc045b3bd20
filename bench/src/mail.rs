//! Durable intake of mail, against Postfix: both acknowledge a mail when it is on disk, and neither passes it on.

use std::net::{Ipv4Addr, SocketAddr};

use tympan_tests::free_port;
use tympan_tests::peers::{self, Postfix};

use crate::Size;
use crate::load::{self, Cost};
use crate::office::{OCTETS, Office, Proof};

/// Postfix keeps every mail in its hold queue: what it does least for a mail that is not lost. With "defer" it would
/// also look at each mail again, and write down why it is late.
const HOLD: &str = "smtpd_relay_restrictions = check_client_access static:HOLD, permit_mynetworks, reject";

/// How many times as many mails as Postfix we are to take over ten sessions.
const GOAL: f64 = 1.5;

/// Measures; the goal as a sentence and whether it was reached, if there was something to measure with.
pub(crate) fn run(size: &Size) -> Option<(String, bool)> {
    if !Postfix::need() || !peers::need("smtp-source") {
        return None;
    }
    let mut ratio = 0.0;
    let office = Office::open(Proof::Network, OCTETS);
    let proving = peers::need("openssl").then(|| Office::open(Proof::Signature, OCTETS));
    let postfix = Postfix::relay_with(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())), HOLD);
    let master = postfix.master_pid().and_then(|pid| u32::try_from(pid).ok()).expect("Postfix runs");
    println!(
        "\nmail: {} mails of 10 KB a round, {} rounds each, alternating; a connection for each mail\n\
         tympan: 100 printers, off; sender by network, registered, a job made; + DKIM: sender by signature and DMARC instead, one connection a session.\n\
         Postfix: stock queue, mails on hold\n\
         sessions  server   mails/s median (lowest .. highest)   CPU ms/mail  until quiet  smtp-source",
        size.mails, size.rounds
    );
    let mut sent = 0;
    for sessions in [1, 10] {
        let (mut ours, mut signed, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..size.rounds {
            ours.push(load::round(office.smtp, office.pid(), size.mails, sessions, None));
            theirs.push(load::round(postfix.address(), master, size.mails, sessions, None));
            signed.extend(proving.as_ref().map(|proving| {
                load::round(proving.smtp, proving.pid(), size.mails, sessions, proving.signed.as_deref())
            }));
            sent += u64::from(size.mails);
        }
        let (ours, theirs) = (show(sessions, "tympan", &ours), show(sessions, "Postfix", &theirs));
        let signed = (!signed.is_empty()).then(|| show(sessions, "+ DKIM", &signed));
        println!(
            "{sessions:>8}  ratio    {:.2} mails/s, {:.2} CPU",
            ours.mails_a_second / theirs.mails_a_second,
            ours.server_ms / theirs.server_ms
        );
        ratio = ours.mails_a_second / theirs.mails_a_second;
        if let Some(signed) = signed {
            println!(
                "{sessions:>8}  + DKIM   {:.2} mails/s of Postfix without",
                signed.mails_a_second / theirs.mails_a_second
            );
        }
    }
    let waiting = office.waiting();
    println!("jobs that wait: {waiting} of {sent} mails acknowledged");
    assert_eq!(waiting, sent, "jobs that wait");
    Some((format!("{GOAL} times as many mails a second as Postfix over 10 sessions: {ratio:.2}"), ratio >= GOAL))
}

fn show(sessions: u32, name: &str, rounds: &[Cost]) -> Cost {
    let sorted = |value: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(value).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let median = |value| {
        let all = sorted(value);
        all[all.len() / 2]
    };
    let rates = sorted(|cost| cost.mails_a_second);
    let middle = Cost {
        mails_a_second: median(|cost| cost.mails_a_second),
        server_ms: median(|cost| cost.server_ms),
        server_quiet_ms: median(|cost| cost.server_quiet_ms),
        source_ms: median(|cost| cost.source_ms),
    };
    println!(
        "{sessions:>8}  {name:<8} {:>7.0} ({:.0} .. {:.0}) {:>21.2} {:>12.2} {:>12.2}",
        middle.mails_a_second,
        rates[0],
        rates[rates.len() - 1],
        middle.server_ms,
        middle.server_quiet_ms,
        middle.source_ms
    );
    middle
}
