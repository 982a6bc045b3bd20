//! What an idle connection costs. Alone in its file, because it measures the whole process.

mod common;

use common::{Running, read_until};
use tokio::io::AsyncWriteExt as _;
use tympan_http::{Body, Incoming, Limits, Peer, Request, Response, ServeOptions};

const CONNECTIONS: usize = 300;
/// Octets of anonymous memory for one idle connection, both ends of it included.
const OCTETS_MAX: usize = 32 * 1024;

fn rss_anon_octets() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

async fn hello(_: Request<Incoming>, _: Peer) -> Response<Body> {
    Response::new(Body::from("hello"))
}

#[tokio::test]
async fn an_idle_connection_costs_little_memory() {
    let limits = Limits { connections_per_source_max: CONNECTIONS, ..Limits::default() };
    let running = Running::start(hello, ServeOptions { limits, ..ServeOptions::default() });
    let mut streams = Vec::with_capacity(CONNECTIONS);
    for asks in [false, true] {
        let before = rss_anon_octets();
        for index in 0..CONNECTIONS {
            if !asks {
                streams.push(running.connect().await);
                continue;
            }
            streams[index].write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            read_until(&mut streams[index], "hello").await;
        }
        let octets = rss_anon_octets().saturating_sub(before) / CONNECTIONS;
        println!("after a request: {asks}: {octets} octets a connection");
        assert!(octets < OCTETS_MAX, "{octets} octets a connection, after a request: {asks}");
    }
}
