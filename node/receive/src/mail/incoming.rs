//! The octets of one mail: header to memory, body through the hashes to the documents.

use sha2::{Digest as _, Sha256};
use tympan_engine::DocumentId;
use tympan_store::{DocumentWriter, Documents, NewDocument, StoreError};

use super::body_hash::{BodyHash, BodyHashes};

/// A mail that is coming in.
pub(crate) struct Incoming {
    header: Vec<u8>,
    header_lines: usize,
    header_ended: bool,
    /// How much of the line that is coming in has come, up to 2.
    line_octets: usize,
    body: Sha256,
    hashes: BodyHashes,
    writer: Option<DocumentWriter>,
}

/// A mail that is whole.
pub(crate) struct Received {
    /// The header with the empty line.
    pub(crate) header: Vec<u8>,
    /// SHA-256 of the body.
    pub(crate) body: [u8; 32],
    /// DKIM's body hashes.
    pub(crate) hashes: Vec<BodyHash>,
    writer: Option<DocumentWriter>,
}

/// The header is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderTooLarge;

impl Incoming {
    pub(crate) fn new() -> Self {
        Self {
            header: Vec::new(),
            header_lines: 0,
            header_ended: false,
            line_octets: 0,
            body: Sha256::new(),
            hashes: BodyHashes::none(),
            writer: None,
        }
    }

    /// Whether the empty line after the header has come.
    pub(crate) const fn header_ended(&self) -> bool {
        self.header_ended
    }

    /// What has come of the header.
    pub(crate) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Takes what belongs to the header from the front of `octets`; returns how much that was.
    pub(crate) fn take_header(
        &mut self,
        octets: &[u8],
        octets_max: usize,
        lines_max: usize,
    ) -> Result<usize, HeaderTooLarge> {
        let mut taken = 0;
        while taken < octets.len() && !self.header_ended {
            let rest = &octets[taken..];
            let end = rest.iter().position(|octet| *octet == b'\n');
            let line = end.map_or(rest, |at| &rest[..=at]);
            self.header.extend_from_slice(line);
            self.line_octets += line.len();
            taken += line.len();
            if end.is_some() {
                self.header_lines += 1;
                // The listener lets no bare LF through: two octets are CR LF.
                self.header_ended = self.line_octets <= 2;
                self.line_octets = 0;
            }
            if self.header.len() > octets_max || self.header_lines > lines_max + usize::from(self.header_ended) {
                return Err(HeaderTooLarge);
            }
        }
        Ok(taken)
    }

    /// The header may be followed by its body, which is kept.
    pub(crate) async fn keep(&mut self, documents: &Documents, id: DocumentId) -> Result<(), StoreError> {
        let mut writer = documents.create_incoming(id)?;
        writer.write(&self.header).await?;
        self.writer = Some(writer);
        Ok(())
    }

    /// DKIM's hashes of the body will be needed.
    pub(crate) fn hash_for_signatures(&mut self) {
        self.hashes = BodyHashes::needed_by(&self.header);
    }

    /// Takes a part of the body.
    pub(crate) async fn write_body(&mut self, octets: &[u8]) -> Result<(), StoreError> {
        self.body.update(octets);
        self.hashes.write(octets);
        match &mut self.writer {
            Some(writer) => writer.write(octets).await,
            None => Ok(()),
        }
    }

    /// The mail is whole.
    pub(crate) fn finish(self) -> Received {
        Received {
            header: self.header,
            body: self.body.finalize().into(),
            hashes: self.hashes.finish(),
            writer: self.writer,
        }
    }
}

impl Received {
    /// Seals what was kept; `None` if nothing was.
    pub(crate) async fn seal(&mut self) -> Result<Option<NewDocument>, StoreError> {
        match self.writer.take() {
            Some(writer) => writer.finish().await.map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(mail: &[u8], pieces: usize) -> Result<(Vec<u8>, Vec<u8>, bool), HeaderTooLarge> {
        let mut incoming = Incoming::new();
        let mut body = Vec::new();
        for piece in mail.chunks(pieces) {
            let taken = incoming.take_header(piece, 100, 3)?;
            body.extend_from_slice(&piece[taken..]);
        }
        let ended = incoming.header_ended();
        Ok((incoming.header, body, ended))
    }

    #[test]
    fn a_mail_is_split_at_its_first_empty_line_however_it_comes() {
        for (mail, header) in [
            ("A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore", "A: b\r\nC: d\r\n\r\n"),
            ("\r\nbody", "\r\n"),
            ("A: b\r\n \r\n\r\n\r\n", "A: b\r\n \r\n\r\n"),
        ] {
            for pieces in 1..10 {
                let (found, body, ended) = split(mail.as_bytes(), pieces).unwrap();
                assert_eq!((found.as_slice(), ended), (header.as_bytes(), true));
                assert_eq!([found, body].concat(), mail.as_bytes());
            }
        }
        let (header, body, ended) = split(b"A: b\r\nC", 3).unwrap();
        assert_eq!((header.as_slice(), body.is_empty(), ended), (&b"A: b\r\nC"[..], true, false));
    }

    #[test]
    fn a_header_is_bounded_in_octets_and_lines() {
        assert!(split(b"A: 1\r\nB: 2\r\nC: 3\r\n\r\nbody", 5).is_ok());
        assert_eq!(split(b"A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\nbody", 5), Err(HeaderTooLarge));
        assert!(split(&[&b"A"[..], &[b'x'; 95], b"\r\n\r\n"].concat(), 5).is_ok());
        assert_eq!(split(&[&b"A"[..], &[b'x'; 96], b"\r\n\r\n"].concat(), 5), Err(HeaderTooLarge));
        assert_eq!(split(&[b'x'; 101], 50), Err(HeaderTooLarge));
    }
}
