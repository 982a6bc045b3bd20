//! The listener, spoken to over real sockets, octet by octet where it matters.

use std::{sync::Arc, time::Duration};

use crate::common::{Running, echo, read_until, rest, talk, within};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};
use tympan_http::{Body, BodyLimits, BodyReader, Hosts, Incoming, Limits, Peer, Request, Response, ServeOptions};

fn quick() -> Limits {
    Limits {
        header_time_out: Duration::from_millis(150),
        idle_time_out: Duration::from_millis(150),
        stall_time_out: Duration::from_millis(150),
        linger: Duration::from_millis(300),
        ..Limits::default()
    }
}

#[tokio::test]
async fn serves_many_requests_on_one_connection() {
    let running = Running::start(echo, ServeOptions::default());
    let mut stream = running.connect().await;
    for round in 0..3 {
        stream.write_all(format!("GET /{round} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, " false").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&format!("GET /{round} 0 false")), "{answer}");
    }
    stream
        .write_all(b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\nPOST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let answers = rest(&mut stream).await;
    let at = |text: &str| answers.find(text).unwrap_or_else(|| panic!("{text} is missing in {answers}"));
    assert!(at("POST /c 9 false") < at("POST /s 3 false") && at("POST /s 3 false") < at("GET /last 0 false"));
}

#[tokio::test]
async fn a_head_that_comes_octet_by_octet_is_read() {
    let running = Running::start(echo, ServeOptions::default());
    let mut stream = running.connect().await;
    stream.set_nodelay(true).unwrap();
    for octet in b"\r\nPOST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" {
        stream.write_all(&[*octet]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(read_until(&mut stream, " false").await.ends_with("POST /slow 5 false"));
}

#[tokio::test]
async fn requests_that_could_be_read_twice_are_refused_and_the_connection_closed() {
    let running = Running::start(echo, ServeOptions::default());
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Transfer-Encoding : chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "X: y\nTransfer-Encoding: chunked",
        "Content-Length: +4",
    ] {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let request = format!(
                "POST / HTTP/1.1\r\nHost: a\r\n{expect}{framing}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
            );
            let answer = talk(&running, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{framing:?}: {answer}");
            assert!(answer.contains("connection: close"), "{answer}");
            assert!(!answer.contains("smuggled"), "{framing:?}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        }
    }
    assert!(
        talk(&running, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 501")
    );
    assert!(talk(&running, b"GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert!(talk(&running, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").await.starts_with("HTTP/1.1 501"));
    assert!(talk(&running, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.starts_with("HTTP/1.1 505"));
}

#[tokio::test]
async fn a_refusal_comes_after_the_answers_before_it() {
    let running = Running::start(echo, ServeOptions::default());
    let answers =
        talk(&running, b"GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert!(answers.find("GET /good").unwrap() < answers.find("HTTP/1.1 400").unwrap(), "{answers}");
}

#[tokio::test]
async fn broken_chunks_end_the_request() {
    let running = Running::start(echo, ServeOptions::default());
    for body in ["4\nWiki\r\n0\r\n\r\n", "4\r\nWikiX\r\n0\r\n\r\n", "x\r\n", "1;".to_owned().as_str()] {
        let long = format!("1;{}\r\na\r\n0\r\n\r\n", "e".repeat(300));
        let body = if body == "1;" { &long } else { body };
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let answer = talk(&running, request.as_bytes()).await;
        assert!(!answer.contains("smuggled") && !answer.contains(" 200 "), "{answer}");
    }
}

#[tokio::test]
async fn heads_are_bounded_in_octets_and_fields() {
    let limits = Limits { header_octets_max: 1024, headers_max: 5, ..Limits::default() };
    let running = Running::start(echo, ServeOptions { limits, ..ServeOptions::default() });
    let head = |octets: usize| {
        let bare = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: \r\n\r\n";
        bare.replace("X: ", &format!("X: {}", "x".repeat(octets - bare.len())))
    };
    assert!(talk(&running, head(1024).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(talk(&running, head(1025).as_bytes()).await.starts_with("HTTP/1.1 431"));
    // Never ending.
    assert!(
        talk(&running, format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(100_000)).as_bytes())
            .await
            .starts_with("HTTP/1.1 431")
    );
    let fields = |count: usize| {
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", "X: y\r\n".repeat(count - 2))
    };
    assert!(talk(&running, fields(5).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(talk(&running, fields(6).as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn slow_and_idle_clients_are_let_go() {
    let running = Running::start(echo, ServeOptions { limits: quick(), ..ServeOptions::default() });
    let mut silent = running.connect().await;
    assert_eq!(rest(&mut silent).await, "");

    let answer = talk(&running, b"GET / HTTP/1.1\r\nHost:").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");

    let mut idle = running.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answer = rest(&mut idle).await;
    assert!(answer.ends_with("GET / 0 false"), "{answer}");

    let stalled = talk(&running, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").await;
    assert!(!stalled.contains(" 200 "), "{stalled}");
}

#[tokio::test]
async fn a_handler_may_take_longer_than_the_idle_time_out() {
    let slow = |_: Request<Incoming>, _: Peer| async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        Response::new(Body::from("at last"))
    };
    let running = Running::start(slow, ServeOptions { limits: quick(), ..ServeOptions::default() });
    let answer = talk(&running, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.ends_with("at last"), "{answer}");
}

#[tokio::test]
async fn continue_is_said_only_when_the_body_is_wanted() {
    let running = Running::start(echo, ServeOptions::default());
    let mut stream = running.connect().await;
    stream
        .write_all(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    assert!(read_until(&mut stream, " false").await.ends_with("POST /x 5 false"));

    let mut stream = running.connect().await;
    stream
        .write_all(b"POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_client_that_goes_on_sending_still_hears_the_refusal() {
    let running = Running::start(echo, ServeOptions::default());
    let mut stream = running.connect().await;
    stream.write_all(b"POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n").await.unwrap();
    // Far more than the sockets hold, sent before the answer is read.
    stream.write_all(&vec![0; 4_000_000]).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test]
async fn places_are_limited_per_source_and_given_back() {
    let limits = Limits { connections_per_source_max: 2, ..Limits::default() };
    let running = Running::start(echo, ServeOptions { limits, ..ServeOptions::default() });
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = running.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        read_until(&mut stream, " false").await;
        held.push(stream);
    }
    let answer = talk(&running, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    let length: usize = answer.split("Content-Length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert_eq!(answer.split("\r\n\r\n").nth(1).unwrap().len(), length);
    held.pop();
    within(async {
        loop {
            if talk(&running, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await
                .starts_with("HTTP/1.1 200")
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let limits = Limits { connections_max: 5, ..Limits::default() };
    let running = Running::start(echo, ServeOptions { limits, ..ServeOptions::default() });
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = running.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        read_until(&mut stream, " false").await;
        streams.push(stream);
    }
    let _sixth = running.connect().await;
    assert_eq!(rest(&mut streams[0]).await, "");
}

#[tokio::test]
async fn only_listed_host_names_are_answered() {
    let hosts = Hosts::Listed(vec!["print.example".into()]);
    let running = Running::start(echo, ServeOptions { hosts, ..ServeOptions::default() });
    let ask = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert!(talk(&running, ask("print.example:631").as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(talk(&running, ask("127.0.0.1").as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(talk(&running, ask("evil.example").as_bytes()).await.starts_with("HTTP/1.1 421"));
    assert!(talk(&running, ask("a/b").as_bytes()).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_handler_that_panics_costs_only_its_own_request() {
    let broken = |request: Request<Incoming>, _: Peer| async move {
        assert!(request.uri().path() != "/panic", "on purpose");
        Response::new(Body::from("fine"))
    };
    let running = Running::start(broken, ServeOptions::default());
    let answers =
        talk(&running, b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await;
    assert!(answers.starts_with("HTTP/1.1 500") && answers.ends_with("fine"), "{answers}");
}

#[tokio::test]
async fn a_handler_is_dropped_when_its_client_leaves() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (began, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (began, dropped) = (Arc::clone(&began), Arc::clone(&dropped));
        move |_: Request<Incoming>, _: Peer| {
            let (began, dropped) = (Arc::clone(&began), Dropped(Arc::clone(&dropped)));
            async move {
                began.notify_one();
                std::future::pending::<()>().await;
                drop(dropped);
                Response::new(Body::empty())
            }
        }
    };
    let running = Running::start(handler, ServeOptions::default());
    let mut stream = running.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    within(began.notified()).await;
    drop(stream);
    within(dropped.notified()).await;
}

#[tokio::test]
async fn requests_in_flight_end_before_the_shutdown_and_idle_connections_go_at_once() {
    let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (began, go) = (Arc::clone(&began), Arc::clone(&go));
        move |_: Request<Incoming>, _: Peer| {
            let (began, go) = (Arc::clone(&began), Arc::clone(&go));
            async move {
                began.notify_one();
                go.notified().await;
                Response::new(Body::from("done"))
            }
        }
    };
    let mut running =
        Running::start(handler, ServeOptions { grace: crate::common::CEILING, ..ServeOptions::default() });
    let mut idle = running.connect().await;
    let mut busy = running.connect().await;
    busy.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    within(began.notified()).await;
    running.begin_stop();
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(running.addr).await.is_err());
    go.notify_one();
    assert!(rest(&mut busy).await.ends_with("done"));
    running.stopped().await;
}

#[tokio::test]
async fn the_shutdown_does_not_wait_beyond_its_grace() {
    let began = Arc::new(Notify::new());
    let handler = {
        let began = Arc::clone(&began);
        move |_: Request<Incoming>, _: Peer| {
            let began = Arc::clone(&began);
            async move {
                began.notify_one();
                std::future::pending::<()>().await;
                Response::new(Body::empty())
            }
        }
    };
    let mut running =
        Running::start(handler, ServeOptions { grace: Duration::from_millis(50), ..ServeOptions::default() });
    let mut stream = running.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    within(began.notified()).await;
    running.begin_stop();
    running.stopped().await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn an_idle_listener_reads_nothing_of_a_body_that_nobody_wants() {
    let running = Running::start(echo, ServeOptions { limits: quick(), ..ServeOptions::default() });
    let mut stream = running.connect().await;
    stream.write_all(b"POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    within(stream.read_exact(&mut first)).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 401");
    // The rest of the body never comes: the connection ends by itself.
    rest(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_drips_is_given_up() {
    let handler = |request: Request<Incoming>, _: Peer| async move {
        let limits = BodyLimits { grace: Duration::from_millis(100), ..BodyLimits::octets(1000) };
        match BodyReader::new(request.into_body(), limits).discard().await {
            Ok(_) => Response::new(Body::from("whole")),
            Err(error) => error.to_response(),
        }
    };
    let running = Running::start(handler, ServeOptions::default());
    let mut stream = running.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n").await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let answer = read_until(&mut reader, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    drip.abort();
}
