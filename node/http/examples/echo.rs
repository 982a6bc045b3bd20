//! A listener that says what it was sent, for trying clients by hand:
//! `cargo run -p tympan-http --example echo -- 127.0.0.1:8631`, then
//! `curl -k -T file https://127.0.0.1:8631/`.

use std::{net::SocketAddr, time::Duration};

use tympan_http::{Body, BodyLimits, BodyReader, Incoming, Peer, Request, Response, ServeOptions, Server, TlsMaterial};

async fn echo(request: Request<Incoming>, peer: Peer) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match BodyReader::new(body, BodyLimits::octets(1 << 30)).discard().await {
        Ok(octets) => Response::new(Body::from(format!(
            "{} {} {:?}, {octets} octets from {}{}\n",
            parts.method,
            parts.uri,
            parts.version,
            peer.addr,
            if peer.tls { " inside TLS" } else { "" }
        ))),
        Err(error) => error.to_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let tls = TlsMaterial::ephemeral(&["localhost".into(), addr.ip().to_string()])?;
    let server = Server::bind(addr)?;
    println!("{} {}", server.local_addr(), tls.fingerprint());
    let options = ServeOptions { tls: Some(tls), grace: Duration::from_secs(5), ..ServeOptions::default() };
    server
        .serve(echo, options, async {
            // Without the signal there is no other way to end it than to kill it.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await;
    Ok(())
}
