//! DMARC: does SPF or DKIM pass for the domain of the From address? (RFC 9989, RFC 7208, RFC 6376)

use std::net::IpAddr;
use std::time::Duration;

use mail_auth::common::cache::NoCache;
use mail_auth::common::verify::{DomainKey, VerifySignature};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, Error, MessageAuthenticator, SpfOutput, Txt,
};
use tracing::debug;
use tympan_engine::admit::Proof;

use crate::mail::body_hash::BodyHash;

/// Signatures of one mail that are verified; more do not count.
const SIGNATURES_MAX: usize = 5;
/// "t=y" of a key record: the domain only tests DKIM (RFC 6376 section 3.6.1).
const FLAG_TESTING: u64 = 0x10;

/// Looks up and decides.
pub(crate) struct Dmarc {
    authenticator: MessageAuthenticator,
    hostname: String,
    time_out: Duration,
}

/// What a mail says of its sender, and how it came.
pub(crate) struct Claim<'a> {
    /// The one From address, in canonical form.
    pub(crate) from: &'a str,
    /// The whole header with the empty line, as it was received.
    pub(crate) header: &'a [u8],
    /// The body's hashes for the signatures in it.
    pub(crate) body_hashes: Vec<BodyHash>,
    /// The peer, what it said at EHLO, and the reverse-path (empty if it is null): for SPF. `None` where nobody knows,
    /// and DKIM alone can prove.
    pub(crate) path: Option<(IpAddr, &'a str, &'a str)>,
}

impl Dmarc {
    pub(crate) fn new(authenticator: MessageAuthenticator, hostname: String, time_out: Duration) -> Self {
        Self { authenticator, hostname, time_out }
    }

    /// Whether the From address is proven: [`Proof::Dmarc`], [`Proof::None`], or [`Proof::Unknown`] if DNS did not
    /// answer.
    pub(crate) async fn prove(&self, claim: Claim<'_>) -> Proof {
        match tokio::time::timeout(self.time_out, self.prove_in_time(claim)).await {
            Ok(proof) => proof,
            Err(_) => {
                debug!("Look-ups for the proof of a sender took too long");
                Proof::Unknown
            }
        }
    }

    async fn prove_in_time(&self, claim: Claim<'_>) -> Proof {
        let Some(mut message) = AuthenticatedMessage::parse_with_opts(claim.header, None, false) else {
            return Proof::None;
        };
        message.from = vec![claim.from.to_owned()];
        let domain = claim.from.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
        message.dkim_headers.retain(|signature| {
            let signature = &signature.header;
            // A signature that leaves From unsigned says nothing about it (RFC 6376 section 5.4).
            let signs_from = signature.h.iter().any(|name| name.eq_ignore_ascii_case("from"));
            let hash = |(canonicalization, algorithm, octets, _): &&BodyHash| {
                *canonicalization == signature.cb && *algorithm == signature.a.into() && *octets == signature.l
            };
            let hashed = claim.body_hashes.iter().any(|body| hash(&body) && !body.3.is_empty());
            signs_from && hashed && may_align(&signature.d, &domain)
        });
        message.dkim_headers.truncate(SIGNATURES_MAX);
        message.errors.clear();
        message.body_hashes = claim.body_hashes;

        let reverse_path = claim.path.map_or("", |(_, _, reverse_path)| reverse_path);
        let spf_domain = reverse_path.rsplit_once('@').map_or("", |(_, domain)| domain);
        let spf = async {
            match claim.path {
                Some((peer, helo, reverse_path)) if may_align(spf_domain, &domain) => {
                    let parameters = SpfParameters::verify_mail_from(peer, helo, &self.hostname, reverse_path);
                    self.authenticator.verify_spf(parameters).await
                }
                _ => SpfOutput::new(spf_domain.to_owned()),
            }
        };
        let dkim = self.authenticator.verify_dkim(&message);
        let (spf, mut dkim) = tokio::join!(spf, dkim);
        let mut testing = Vec::new();
        for output in &dkim {
            testing.push(*output.result() == DkimResult::Pass && self.is_testing(output).await);
        }
        let mut testing = testing.into_iter();
        dkim.retain(|_| !testing.next().unwrap_or(false));

        let parameters = DmarcParameters::new(&message, &dkim, spf_domain, &spf);
        let dmarc = self.authenticator.verify_dmarc(parameters).await;
        let (by_spf, by_dkim) = (dmarc.spf_result(), dmarc.dkim_result());
        debug!(%by_spf, %by_dkim, spf = %spf.result(), dkim = %Dkim(&dkim), "Looked for the proof of a sender");
        let is = |wanted: fn(&DmarcResult) -> bool| wanted(by_spf) || wanted(by_dkim);
        if is(|result| *result == DmarcResult::Pass) {
            Proof::Dmarc
        } else if is(|result| matches!(result, DmarcResult::TempError(_))) {
            Proof::Unknown
        } else {
            Proof::None
        }
    }

    /// Whether the key of a signature is only for tests: then it counts as unsigned.
    async fn is_testing(&self, output: &DkimOutput<'_>) -> bool {
        let Some(signature) = output.signature() else {
            return false;
        };
        let key: Result<_, Error> =
            self.authenticator.txt_lookup::<DomainKey>(signature.domain_key(), None::<&NoCache<Box<str>, Txt>>).await;
        key.is_ok_and(|key| key.has_flag(FLAG_TESTING))
    }
}

/// Whether two domains may share their organisation: only then a look-up is worth its time. Both end in the same two
/// labels, or one is no longer than that and ends the other.
fn may_align(domain: &str, from: &str) -> bool {
    let last_two = |domain: &str| {
        let domain = domain.trim_end_matches('.').to_lowercase();
        let labels: Vec<&str> = domain.rsplit('.').take(2).collect();
        labels.join(".")
    };
    !domain.is_empty() && last_two(domain) == last_two(from)
}

/// The results of all signatures, for the log.
struct Dkim<'a>(&'a [DkimOutput<'a>]);

impl std::fmt::Display for Dkim<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for output in self.0 {
            write!(f, "{} ", output.result())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_domains_that_may_align_are_looked_up() {
        assert!(may_align("a.example", "a.example"));
        assert!(may_align("Mail.A.example.", "a.example"));
        assert!(may_align("x.a.co.jp", "b.co.jp"), "the organisation is found out later");
        assert!(!may_align("b.example", "a.example"));
        assert!(!may_align("", "a.example"));
        assert!(!may_align("example", "a.example"));
    }
}
