//! A sender's domain with a key made at test time: what proves who wrote a mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::process::Command;

use crate::process::Process;
use crate::scratch::Scratch;
use crate::zone::ZoneServer;

/// The selector of every domain's key.
const SELECTOR: &str = "test";

/// What is signed: the headers of RFC 6376 section 5.4.1 that our mails have.
const SIGNED_HEADERS: [&str; 10] =
    ["From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Auto-Submitted"];

/// A domain that signs its mail with DKIM (RFC 6376) and wants all else rejected (DMARC, `p=reject`).
///
/// SPF says that no host may send for it, so that nothing but the signature can prove a mail; see
/// [`MailDomain::allow_spf`].
pub struct MailDomain {
    name: String,
    key: Key,
}

enum Key {
    Ed25519 { private: Vec<u8> },
    Rsa { private: Vec<u8> },
}

impl std::fmt::Debug for MailDomain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailDomain").field("name", &self.name).finish_non_exhaustive()
    }
}

impl MailDomain {
    /// Makes an Ed25519 key (RFC 8463) for a domain and publishes it.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn publish(zone: &ZoneServer, name: &str) -> Self {
        let private = Ed25519Key::generate_pkcs8().expect("an Ed25519 key");
        let public = Ed25519Key::from_pkcs8_der(&private).expect("the key just made").public_key();
        let record = format!("v=DKIM1; k=ed25519; p={}", BASE64.encode(public));
        Self { name: name.to_owned(), key: Key::Ed25519 { private } }.announce(zone, &record)
    }

    /// Makes an RSA key of 2048 bits, as nearly every real domain has it, and publishes it. Needs `openssl`.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn publish_rsa(zone: &ZoneServer, name: &str) -> Self {
        let scratch = Scratch::new("rsa");
        let (private, public) = (scratch.join("private.pem"), scratch.join("public.der"));
        // In PEM: what it writes as DER changed with its versions.
        let mut make = Command::new("openssl");
        make.args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]).arg(&private);
        Process::run("openssl genpkey", &mut make).expect_success();
        let mut show = Command::new("openssl");
        show.args(["pkey", "-pubout", "-outform", "DER", "-in"]).arg(&private).arg("-out").arg(&public);
        Process::run("openssl pkey", &mut show).expect_success();
        let public = std::fs::read(public).expect("the key that openssl made");
        let private = PrivatePkcs8KeyDer::from_pem_file(private).expect("the key that openssl made");
        let record = format!("v=DKIM1; k=rsa; p={}", BASE64.encode(public));
        let key = Key::Rsa { private: private.secret_pkcs8_der().to_vec() };
        Self { name: name.to_owned(), key }.announce(zone, &record)
    }

    fn announce(self, zone: &ZoneServer, key_record: &str) -> Self {
        zone.txt(&format!("{SELECTOR}._domainkey.{}", self.name), key_record)
            .txt(&format!("_dmarc.{}", self.name), "v=DMARC1; p=reject")
            .txt(&self.name, "v=spf1 -all");
        self
    }

    /// The domain's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An address of it.
    #[must_use]
    pub fn address(&self, local_part: &str) -> String {
        format!("{local_part}@{}", self.name)
    }

    /// Publishes another SPF record: `"v=spf1 ip4:127.0.0.1 -all"`.
    pub fn allow_spf(&self, zone: &ZoneServer, record: &str) {
        zone.replace_txt(&self.name, record);
    }

    /// Publishes another DMARC record: `"v=DMARC1; p=none"`.
    pub fn set_dmarc(&self, zone: &ZoneServer, record: &str) {
        zone.replace_txt(&format!("_dmarc.{}", self.name), record);
    }

    /// Takes the key out of the zone: its signatures verify no more.
    pub fn withdraw_key(&self, zone: &ZoneServer) {
        zone.remove(&format!("{SELECTOR}._domainkey.{}", self.name));
    }

    /// Puts a DKIM signature (relaxed/relaxed) before a mail. The mail's lines end in CRLF.
    ///
    /// # Panics
    /// When the mail has no header that could be signed.
    #[must_use]
    pub fn sign(&self, mail: &[u8]) -> Vec<u8> {
        let header = match &self.key {
            Key::Ed25519 { private } => {
                let key = Ed25519Key::from_pkcs8_der(private).expect("the key made at the start");
                DkimSigner::from_key(key)
                    .domain(&self.name)
                    .selector(SELECTOR)
                    .headers(SIGNED_HEADERS)
                    .header_canonicalization(Canonicalization::Relaxed)
                    .body_canonicalization(Canonicalization::Relaxed)
                    .sign(mail)
            }
            Key::Rsa { private } => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private.as_slice()));
                let key = RsaKey::<Sha256>::from_key_der(key).expect("the key made at the start");
                DkimSigner::from_key(key)
                    .domain(&self.name)
                    .selector(SELECTOR)
                    .headers(SIGNED_HEADERS)
                    .header_canonicalization(Canonicalization::Relaxed)
                    .body_canonicalization(Canonicalization::Relaxed)
                    .sign(mail)
            }
        }
        .expect("a mail with headers can be signed")
        .to_header();
        [header.as_bytes(), mail].concat()
    }
}
