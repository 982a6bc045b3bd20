//! Who sent it? SPF, DKIM and DMARC over a name server of the test's own.

use std::time::Duration;

use crate::common::{World, mail, options};
use crate::zone::{Domain, Zone};
use tympan_engine::Access;
use tympan_receive::{Dns, SmtpOptions};

const ANNA: &str = "anna@sender.example";

struct Proving {
    world: World,
    zone: Zone,
    domain: Domain,
}

async fn proving() -> Proving {
    proving_within(crate::common::CEILING).await
}

async fn proving_within(dns_time_out: Duration) -> Proving {
    let zone = Zone::start().await;
    let domain = Domain::publish(&zone, "sender.example");
    let options = SmtpOptions { networks: Vec::new(), dns: Dns::Servers(vec![zone.addr]), dns_time_out, ..options() };
    let world = World::new(options).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, ANNA).await;
    Proving { world, zone, domain }
}

impl Proving {
    async fn send(&self, text: &str) -> String {
        self.world.send("bounces@elsewhere.example", &["office@print.example"], text).await
    }

    #[track_caller]
    fn expect(&self, text: &str, wanted: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let reply = self.send(text).await;
            assert!(reply.starts_with(wanted), "{place}: {reply}");
        }
    }
}

const TAKEN: &str = "250 2.0.0";
const UNPROVEN: &str = "550-5.7.1 Nothing proves";

fn plain() -> String {
    mail(ANNA, "Invoice", "Message-ID: <1@a>\r\n", "line\r\n\r\nlast line")
}

#[tokio::test]
async fn a04_an_aligned_signature_proves_the_from_address() {
    let it = proving().await;
    it.expect(&it.domain.sign(&plain()), TAKEN).await;
    it.expect(&plain(), UNPROVEN).await;
    it.expect(&it.domain.sign(&plain()).replace("last line", "lost line"), UNPROVEN).await;
    it.expect(&it.domain.sign(&plain()).replace("Invoice", "Penalty"), UNPROVEN).await;
    let jobs = it.world.jobs().await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].originator.address.0, ANNA);
    // Another domain's signature proves that domain only.
    let foreign = Domain::publish(&it.zone, "elsewhere.example");
    it.expect(&foreign.sign(&plain()), UNPROVEN).await;
    // A signature of a part of the organisation is aligned.
    let part = Domain::publish(&it.zone, "mail.sender.example");
    it.zone.remove("_dmarc.mail.sender.example");
    it.expect(&part.sign(&plain()), TAKEN).await;
    it.zone.txt("_dmarc.sender.example", "v=DMARC1; p=reject; adkim=s");
    it.expect(&part.sign(&plain()), UNPROVEN).await;
}

#[tokio::test]
async fn a04_spf_proves_the_from_address_if_its_domain_is_the_reverse_paths() {
    let it = proving().await;
    it.zone.txt("sender.example", "v=spf1 ip4:127.0.0.1 -all");
    let to = ["office@print.example"];
    let reply = it.world.send("bounces@sender.example", &to, &plain()).await;
    assert!(reply.starts_with(TAKEN), "{reply}");
    it.zone.txt("elsewhere.example", "v=spf1 +all");
    it.expect(&plain(), UNPROVEN).await;
}

#[tokio::test]
async fn a04_without_a_dmarc_record_nothing_is_proven() {
    let it = proving().await;
    it.zone.remove("_dmarc.sender.example");
    it.expect(&it.domain.sign(&plain()), UNPROVEN).await;
}

#[tokio::test]
async fn a_signature_must_cover_from_and_the_whole_body_with_a_key_in_earnest() {
    let it = proving().await;
    let part = it.domain.sign_with(&plain(), &["From", "Subject"], true);
    assert!(part.contains("l="), "{part}");
    it.expect(&part, TAKEN).await;
    it.expect(&format!("{part}added\r\n"), UNPROVEN).await;
    it.expect(&it.domain.sign_with(&plain(), &["Subject"], false), UNPROVEN).await;
}

#[tokio::test]
async fn a_key_for_tests_proves_nothing() {
    let it = proving().await;
    it.zone.txt("test._domainkey.sender.example", &it.domain.key_record.replace("k=", "t=y; k="));
    it.expect(&it.domain.sign(&plain()), UNPROVEN).await;
}

#[tokio::test]
async fn a04_two_from_fields_prove_nothing_even_if_signed() {
    let it = proving().await;
    let two = it.domain.sign(&plain()).replace("From: anna", "From: bob@sender.example\r\nFrom: anna");
    let reply = it.send(&two).await;
    assert!(reply.starts_with("550-5.7.1 This mail has not exactly one From"), "{reply}");
}

#[tokio::test]
async fn a04_a_name_server_that_is_silent_means_later() {
    let it = proving_within(Duration::from_millis(300)).await;
    it.zone.fall_silent();
    let reply = it.send(&it.domain.sign(&plain())).await;
    assert!(reply.starts_with("451 4.4.3 The name servers of sender.example did not answer"), "{reply}");
    it.world.assert_nothing_stored().await;
    // Who is not registered is refused without a look-up.
    let stranger = plain().replace("anna@", "bob@");
    it.expect(&stranger, "550-5.7.1 Office does not take mail from bob@sender.example").await;
}

#[tokio::test]
async fn a16_a_proven_sender_registers_by_mail_and_a_forged_one_does_not() {
    let it = proving().await;
    it.world.printer("lobby", Access::Open).await;
    let to = ["lobby+register@print.example"];
    let forged = it.world.send(ANNA, &to, &plain()).await;
    assert!(forged.starts_with(UNPROVEN), "{forged}");
    it.world.assert_nothing_stored().await;
    let proven = it.world.send(ANNA, &to, &it.domain.sign(&plain())).await;
    assert!(proven.starts_with("250 2.0.0 You can print at Lobby now"), "{proven}");
    assert_eq!(it.world.mails().await[0].0, ANNA);
}
