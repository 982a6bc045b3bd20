//! DKIM's body hashes, computed while the body comes in (RFC 6376 section 3.4.3, 3.4.4 and 3.7).
//!
//! The header says which hashes the signatures need; the body runs through them once and is not kept. What comes
//! out is put in the place of the hashes that `mail-auth` would compute over a whole message in memory.

use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::{HashAlgorithm, HashContext, HashImpl, HashOutput, Sha256};
use mail_auth::common::headers::Writer;
use mail_auth::dkim::Canonicalization;
use mail_auth::dkim::canonicalize::BodyHasher;

/// Different hashes that one mail may ask for; the signatures beyond them do not count.
const HASHES_MAX: usize = 8;

type Context = <Sha256 as HashImpl>::Context;

/// One hash: canonicalization, algorithm, "l=", and the octets.
pub(crate) type BodyHash = (Canonicalization, HashAlgorithm, u64, Vec<u8>);

/// The hashes that run along.
pub(crate) struct BodyHashes {
    running: Vec<Running>,
}

struct Running {
    canonicalization: Canonicalization,
    /// "l=": how many octets of the canonical body are signed; 0: all.
    signed_octets: u64,
    hasher: BodyHasher<Counted>,
}

/// SHA-256 of what was written, and how much that was.
struct Counted {
    context: Context,
    octets: u64,
}

impl Writer for Counted {
    fn write(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        self.context.write(octets);
    }
}

impl HashContext for Counted {
    fn complete(self) -> HashOutput {
        self.context.complete()
    }
}

impl BodyHashes {
    /// No hashes: nobody will ask for a proof.
    pub(crate) const fn none() -> Self {
        Self { running: Vec::new() }
    }

    /// The hashes that the signatures in a header need.
    ///
    /// SHA-1 is left out: what it signs proves nothing any more (RFC 8301 section 3.1).
    pub(crate) fn needed_by(header: &[u8]) -> Self {
        let Some(message) = AuthenticatedMessage::parse_with_opts(header, None, false) else {
            return Self::none();
        };
        let wanted = message.body_hashes.iter().filter(|(_, algorithm, _, _)| *algorithm == HashAlgorithm::Sha256);
        let running = wanted.take(HASHES_MAX).map(|(canonicalization, _, signed_octets, _)| Running {
            canonicalization: *canonicalization,
            signed_octets: *signed_octets,
            hasher: BodyHasher::new(Counted { context: Sha256::hasher(), octets: 0 }, *canonicalization, 0),
        });
        Self { running: running.collect() }
    }

    /// Takes more of the body.
    pub(crate) fn write(&mut self, body: &[u8]) {
        for running in &mut self.running {
            running.hasher.write(body);
        }
    }

    /// The hashes. A signature whose "l=" leaves a part of the body unsigned gets none: anybody may have added it.
    pub(crate) fn finish(self) -> Vec<BodyHash> {
        let finish = |running: Running| {
            let (counted, _) = running.hasher.finish();
            let whole = running.signed_octets == 0 || running.signed_octets == counted.octets;
            let hash = if whole { counted.complete().as_ref().to_vec() } else { Vec::new() };
            (running.canonicalization, HashAlgorithm::Sha256, running.signed_octets, hash)
        };
        self.running.into_iter().map(finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn header(signatures: &[&str]) -> Vec<u8> {
        let mut header = String::from("From: anna@a.example\r\n");
        for tags in signatures {
            header.push_str(&format!("DKIM-Signature: v=1; d=a.example; s=s; h=from; bh=eA==; b=eA==; {tags}\r\n"));
        }
        (header + "\r\n").into_bytes()
    }

    fn streamed(header: &[u8], body: &[u8], pieces: usize) -> Vec<BodyHash> {
        let mut hashes = BodyHashes::needed_by(header);
        body.chunks(pieces.max(1)).for_each(|piece| hashes.write(piece));
        hashes.finish()
    }

    proptest! {
        #[test]
        fn a_streamed_body_has_the_hash_of_a_whole_one(
            body in "[ \t\r\nab]{0,80}", pieces in 1_usize..20,
        ) {
            let header = header(&["a=rsa-sha256; c=simple/simple", "a=ed25519-sha256; c=relaxed/relaxed"]);
            let body = body.replace('\r', "").replace('\n', "\r\n").into_bytes();
            let hashes = streamed(&header, &body, pieces);
            prop_assert_eq!(hashes.len(), 2);
            for (canonicalization, algorithm, _, hash) in hashes {
                let whole = algorithm.hash(canonicalization.canonical_body(&body, 0));
                prop_assert_eq!(whole.as_ref(), &hash[..]);
            }
        }
    }

    #[test]
    fn a_known_body_has_the_hash_that_the_rfc_gives() {
        // RFC 6376 sections 3.4.3 and 3.4.4: the hashes of the empty body.
        let hash = |canonicalization: &str| {
            let tags = format!("a=rsa-sha256; c=simple/{canonicalization}");
            STANDARD.encode(&streamed(&header(&[&tags]), b"", 1)[0].3)
        };
        assert_eq!(hash("simple"), "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
        assert_eq!(hash("relaxed"), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_signature_that_leaves_a_tail_unsigned_gets_no_hash() {
        let body = b"signed\r\nadded\r\n";
        let some = streamed(&header(&["a=rsa-sha256; c=simple/simple; l=8"]), body, 3);
        assert_eq!((some[0].2, some[0].3.is_empty()), (8, true));
        let all = streamed(&header(&["a=rsa-sha256; c=simple/simple; l=15"]), body, 3);
        assert!(!all[0].3.is_empty());
    }

    #[test]
    fn sha1_and_too_many_hashes_are_left_out() {
        assert!(streamed(&header(&["a=rsa-sha1; c=simple/simple"]), b"x", 1).is_empty());
        let many: Vec<String> = (1..20).map(|l| format!("a=rsa-sha256; l={l}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(streamed(&header(&many), b"x", 1).len(), HASHES_MAX);
    }
}
