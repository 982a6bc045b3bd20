//! Answers that are wrong on purpose. The operation was done all the same.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use tympan_http::Body;
use tympan_ipp::Message;

use crate::model::AnswerKind;

/// One attribute of an endless answer: textWithoutLanguage, no name of its own, 512 octets.
const ENDLESS_VALUE_OCTETS: usize = 512;

pub(super) async fn respond(kind: AnswerKind, reply: &Message) -> Response<Body> {
    let whole = reply.encode();
    let body = match kind {
        AnswerKind::Half => half(&whole).await,
        AnswerKind::Endless => endless(&whole),
        AnswerKind::Nonsense => Body::full(&b"<html><body>Internal error 0x4F4B</body></html>\xFF\x00\x03\x80\x01"[..]),
        AnswerKind::Never => return std::future::pending().await,
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ipp"));
    response
}

/// Announces all and breaks off in the middle.
async fn half(whole: &[u8]) -> Body {
    let (mut sender, body) = Body::channel_of_length(2, whole.len() as u64);
    let first = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    // The channel has room for it; dropping the sender cuts the connection after it.
    let _ = sender.send(first).await;
    body
}

/// Begins well and never comes to its end-of-attributes tag.
fn endless(whole: &[u8]) -> Body {
    let (mut sender, body) = Body::channel(4);
    let start = Bytes::copy_from_slice(&whole[..whole.len().saturating_sub(1)]);
    let mut more = vec![0x04];
    more.extend_from_slice(&attribute("printer-info"));
    for _ in 0..30 {
        more.extend_from_slice(&attribute(""));
    }
    let more = Bytes::from(more);
    tokio::spawn(async move {
        let mut sent = sender.send(start).await;
        while sent.is_ok() {
            sent = sender.send(more.clone()).await;
        }
    });
    body
}

fn attribute(name: &str) -> Vec<u8> {
    let mut octets = vec![0x41];
    octets.extend_from_slice(&(name.len() as u16).to_be_bytes());
    octets.extend_from_slice(name.as_bytes());
    octets.extend_from_slice(&(ENDLESS_VALUE_OCTETS as u16).to_be_bytes());
    octets.extend_from_slice(&[b'x'; ENDLESS_VALUE_OCTETS]);
    octets
}
