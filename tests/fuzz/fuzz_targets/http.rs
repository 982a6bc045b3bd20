//! Any octets on a connection are answered in HTTP, or the connection ends; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tympan_http::{Body, BodyLimits, BodyReader, Incoming, Peer, Request, Response, ServeOptions, Server};

async fn swallow(request: Request<Incoming>, _: Peer) -> Response<Body> {
    let octets = BodyReader::new(request.into_body(), BodyLimits::octets(1 << 20)).discard().await.unwrap_or_default();
    Response::new(Body::full(format!("{octets}\n")))
}

fuzz_target!(|octets: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let serving = tokio::spawn(Server::serve_stream(server, swallow, ServeOptions::default()));
        let _ = client.write_all(octets).await;
        let _ = client.shutdown().await;
        let mut said = Vec::new();
        let _ = client.read_to_end(&mut said).await;
        assert!(said.is_empty() || said.starts_with(b"HTTP/1."));
        serving.await.expect("no panic");
    });
});
