//! Just enough HTTP to ask for JSON.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use tympan_tests::CEILING;

/// The JSON of an answer 2xx; nothing when nobody answers or with something else.
pub(super) fn call(server: SocketAddr, method: &str, path: &str, token: Option<&str>, body: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(server).ok()?;
    stream.set_read_timeout(Some(CEILING)).ok()?;
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    // 1.0: the answer comes whole, and ends with the connection.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {server}\r\n{authorization}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = answer.get(9..12)?;
    (status.first() == Some(&b'2')).then(|| serde_json::from_slice(&answer[end + 4..]).ok()).flatten()
}
