//! Requests of real clients, recorded: answered whole, and in HTTP or not at all when they are spoiled.

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tympan_http::{Body, BodyLimits, BodyReader, Incoming, Peer, Request, Response, ServeOptions, Server};

use crate::common::within;

async fn swallow(request: Request<Incoming>, _: Peer) -> Response<Body> {
    match BodyReader::new(request.into_body(), BodyLimits::octets(1 << 20)).discard().await {
        Ok(octets) => Response::new(Body::full(format!("{octets}\n"))),
        Err(error) => Response::new(Body::full(format!("{error}\n"))),
    }
}

/// What is said to these octets on a connection whose client then says no more.
async fn answer(octets: Vec<u8>) -> Vec<u8> {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let serving = tokio::spawn(Server::serve_stream(server, swallow, ServeOptions::default()));
    let (mut read, mut write) = tokio::io::split(client);
    let sending = tokio::spawn(async move {
        let _ = write.write_all(&octets).await;
        // A client that ends its half is taken for gone: the answer is given time to come.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let _ = write.shutdown().await;
    });
    let mut said = Vec::new();
    let _ = within(read.read_to_end(&mut said)).await;
    within(serving).await.expect("nothing panics");
    sending.abort();
    said
}

fn recorded() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/http");
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() >= 10, "the corpus is there");
    found
}

/// Time is let run where nothing else moves: nobody waits.
#[tokio::test(start_paused = true)]
async fn requests_of_real_clients_are_answered() {
    for (name, octets) in recorded() {
        let said = answer(octets).await;
        assert!(said.windows(15).any(|part| part == b"HTTP/1.1 200 OK"), "{name}: {}", String::from_utf8_lossy(&said));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_of_real_clients_may_be_spoiled_in_any_way() {
    let mut state = 0x7479_6d70_616e_u64;
    let mut below = move |bound: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) as usize % bound.max(1)
    };
    let recorded = recorded();
    let words: [&[u8]; 8] = [
        b"\r\n",
        b"\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",
        b"\0",
        b"ffffffff\r\n",
        b" ",
        b":",
    ];
    for round in 0..3_000 {
        let mut octets = recorded[round % recorded.len()].1.clone();
        for _ in 0..=below(3) {
            let at = below(octets.len());
            match below(4) {
                0 => octets[at] ^= 1 << below(8),
                1 => octets.truncate(at.max(1)),
                2 => {
                    let word = words[below(words.len())];
                    octets.splice(at..at, word.iter().copied());
                }
                _ => {
                    let end = at + below(30).min(octets.len() - at);
                    octets.drain(at..end);
                    octets.push(b'x');
                }
            }
        }
        let sent = String::from_utf8_lossy(&octets).into_owned();
        let said = answer(octets).await;
        assert!(said.is_empty() || said.starts_with(b"HTTP/1."), "{sent:?}: {}", String::from_utf8_lossy(&said));
    }
}
