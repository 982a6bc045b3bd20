//! A name server of TXT records, and a domain that signs its mail with a key of its own.

#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use tokio::net::UdpSocket;

/// A name server on this machine.
#[derive(Clone)]
pub struct Zone {
    pub addr: SocketAddr,
    records: Arc<Mutex<HashMap<String, String>>>,
    silent: Arc<Mutex<bool>>,
}

impl Zone {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let zone = Self { addr: socket.local_addr().unwrap(), records: Arc::default(), silent: Arc::default() };
        let answering = zone.clone();
        tokio::spawn(async move {
            let mut question = [0; 1500];
            while let Ok((octets, from)) = socket.recv_from(&mut question).await {
                if let Some(answer) = answering.answer(&question[..octets]) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        zone
    }

    pub fn txt(&self, name: &str, text: &str) -> &Self {
        self.records.lock().unwrap().insert(name.to_lowercase(), text.to_owned());
        self
    }

    pub fn remove(&self, name: &str) {
        self.records.lock().unwrap().remove(name);
    }

    /// Answers nothing any more.
    pub fn fall_silent(&self) {
        *self.silent.lock().unwrap() = true;
    }

    /// RFC 1035 section 4.1: header, question, and one TXT record or none.
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        if *self.silent.lock().unwrap() {
            return None;
        }
        let (mut at, mut labels) = (12, Vec::new());
        while question[at] != 0 {
            let end = at + 1 + usize::from(question[at]);
            labels.push(String::from_utf8_lossy(&question[at + 1..end]).to_lowercase());
            at = end;
        }
        let end = at + 5;
        let is_txt = question[at + 1..at + 3] == [0, 16];
        let name = labels.join(".");
        let records = self.records.lock().unwrap();
        let found = records.get(&name).filter(|_| is_txt);
        let exists = records.keys().any(|known| *known == name || known.ends_with(&format!(".{name}")));
        let mut answer = question[..2].to_vec();
        answer.extend([0x85, if exists { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
        answer.extend(&question[12..end]);
        if let Some(text) = found {
            let strings: Vec<u8> =
                text.as_bytes().chunks(255).flat_map(|piece| [&[piece.len() as u8][..], piece].concat()).collect();
            // Valid for no time: the next question is asked again.
            answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0]);
            answer.extend((strings.len() as u16).to_be_bytes());
            answer.extend(strings);
        }
        Some(answer)
    }
}

/// A domain whose mail is proven by its signature alone.
pub struct Domain {
    name: String,
    private: Vec<u8>,
    pub key_record: String,
}

impl Domain {
    pub fn publish(zone: &Zone, name: &str) -> Self {
        let private = Ed25519Key::generate_pkcs8().unwrap();
        let public = Ed25519Key::from_pkcs8_der(&private).unwrap().public_key();
        let key_record = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(public));
        zone.txt(&format!("test._domainkey.{name}"), &key_record)
            .txt(&format!("_dmarc.{name}"), "v=DMARC1; p=reject")
            .txt(name, "v=spf1 -all");
        Self { name: name.into(), private, key_record }
    }

    pub fn sign(&self, mail: &str) -> String {
        self.sign_with(mail, &["From", "Subject", "Message-ID"], false)
    }

    /// Signs some header fields; `partly` says in the signature how much of the body it covers ("l=").
    pub fn sign_with(&self, mail: &str, fields: &[&str], partly: bool) -> String {
        let key = Ed25519Key::from_pkcs8_der(&self.private).unwrap();
        let signer = DkimSigner::from_key(key)
            .domain(&self.name)
            .selector("test")
            .headers(fields.iter().copied())
            .header_canonicalization(Canonicalization::Relaxed)
            .body_canonicalization(Canonicalization::Simple)
            .body_length(partly);
        signer.sign(mail.as_bytes()).unwrap().to_header() + mail
    }
}
