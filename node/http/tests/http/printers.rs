//! The client against printers that refuse, lie, stall and break off.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::common::{CEILING, read_until, within};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tympan_http::{
    Answer, Body, Client, ClientError, ClientOptions, ClientRequest, Incoming, Peer, Request, Response, ServeOptions,
    StatusCode, Target, TlsMaterial, Upload, Verify,
};

/// A printer that does this with its one connection.
async fn printer<F, Fut>(does: F) -> Target
where
    F: FnOnce(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        does(stream).await;
    });
    Target::parse(&format!("ipp://{addr}/ipp/print")).unwrap()
}

/// A printer that reads a head and says this, then closes in order.
async fn saying(words: impl Into<Vec<u8>>) -> Target {
    let words = words.into();
    printer(async move |mut stream: TcpStream| {
        read_until(&mut stream, "\r\n\r\n").await;
        let _ = stream.write_all(&words).await;
        let _ = stream.shutdown().await;
        // Unread octets would make it a reset.
        let mut octets = vec![0; 1000];
        while stream.read(&mut octets).await.is_ok_and(|read| read > 0) {}
    })
    .await
}

fn options() -> ClientOptions {
    ClientOptions {
        connect_time_out: Duration::from_secs(10),
        answer_time_out: CEILING,
        stall_time_out: CEILING,
        answer_octets_max: 1000,
        ..ClientOptions::default()
    }
}

async fn send(target: &Target, body: impl Into<Body>) -> Result<Answer, ClientError> {
    send_with(options(), target, body).await
}

async fn send_with(options: ClientOptions, target: &Target, body: impl Into<Body>) -> Result<Answer, ClientError> {
    within(Client::new(options).request(ClientRequest::post(target, "application/ipp", body))).await
}

async fn text(answer: Answer) -> Result<String, ClientError> {
    within(answer.body.collect()).await.map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

#[tokio::test]
async fn a_printer_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let error = send(&Target::parse(&format!("ipp://{addr}/")).unwrap(), "x").await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { .. }) && error.is_unreachable(), "{error:?}");

    let name = format!("ipp://{}.invalid/", "x".repeat(70));
    let error = send(&Target::parse(&name).unwrap(), "x").await.unwrap_err();
    assert!(matches!(error, ClientError::Resolve { .. }) && error.is_unreachable(), "{error:?}");
}

#[tokio::test]
async fn a_printer_that_is_switched_off_times_out_while_connecting() {
    // A listener whose queue is full takes no more connections and says nothing.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(addr)).await {
        held.push(stream);
    }
    let quick = ClientOptions { connect_time_out: Duration::from_millis(200), ..options() };
    let error = send_with(quick, &Target::parse(&format!("ipp://{addr}/")).unwrap(), "x").await.unwrap_err();
    assert!(matches!(error, ClientError::ConnectTimeOut { .. }), "{error:?}");
    assert_eq!(error.body_octets_sent(), 0);
}

#[tokio::test]
async fn a_printer_that_never_answers_is_given_up() {
    let target = printer(async |mut stream: TcpStream| {
        let mut octets = vec![0; 1000];
        while stream.read(&mut octets).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let quick = ClientOptions { answer_time_out: Duration::from_millis(100), ..options() };
    let error = send_with(quick, &target, vec![1; 500]).await.unwrap_err();
    assert!(matches!(error, ClientError::NoAnswer { body_octets_sent: 500, .. }), "{error:?}");
}

#[tokio::test]
async fn a_printer_that_stops_reading_is_given_up_and_the_octets_are_told() {
    let target = printer(async |mut stream: TcpStream| {
        read_until(&mut stream, "\r\n\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;
    let quick = ClientOptions { stall_time_out: Duration::from_millis(300), ..options() };
    let error = send_with(quick, &target, vec![1; 50_000_000]).await.unwrap_err();
    let sent = error.body_octets_sent();
    assert!(matches!(error, ClientError::NoAnswer { .. }) && sent > 0 && sent < 50_000_000, "{error:?}");
}

#[tokio::test]
async fn the_whole_time_is_bounded() {
    let target = printer(async |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let bounded = ClientOptions { whole_time_out: Some(Duration::from_millis(300)), ..options() };
    let error = text(send_with(bounded, &target, "x").await.unwrap()).await.unwrap_err();
    assert!(matches!(error, ClientError::NoAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_ends_early_says_how_much_was_sent() {
    let target = saying("").await;
    let error = send(&target, vec![1; 10]).await.unwrap_err();
    assert!(matches!(error, ClientError::Closed { .. }) && error.body_octets_sent() <= 10, "{error:?}");

    let target = printer(async |mut stream: TcpStream| {
        read_until(&mut stream, "\r\n\r\n").await;
        let mut octets = vec![0; 100_000];
        stream.read_exact(&mut octets).await.unwrap();
    })
    .await;
    let error = send(&target, vec![1; 50_000_000]).await.unwrap_err();
    let sent = error.body_octets_sent();
    assert!(matches!(error, ClientError::Closed { .. }) && (100_000..50_000_000).contains(&sent), "{error:?}");
}

#[tokio::test]
async fn a_refusal_during_the_upload_is_heard() {
    for closes in [true, false] {
        let target = printer(async move |mut stream: TcpStream| {
            read_until(&mut stream, "\r\n\r\n").await;
            let mut octets = vec![0; 10_000];
            stream.read_exact(&mut octets).await.unwrap();
            stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").await.unwrap();
            if !closes {
                std::future::pending::<()>().await;
            }
        })
        .await;
        let answer = send(&target, vec![1; 50_000_000]).await.unwrap();
        assert_eq!((answer.status, answer.upload), (StatusCode::PAYLOAD_TOO_LARGE, Upload::CutShort));
        assert!(answer.body_octets_sent >= 10_000 && answer.body_octets_sent < 50_000_000);
        assert_eq!(text(answer).await.unwrap(), "big");
    }
}

#[tokio::test]
async fn a_good_answer_before_the_end_does_not_stop_the_upload() {
    let target = printer(async |mut stream: TcpStream| {
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await.unwrap();
        let mut octets = vec![0; 5_000_000];
        stream.read_exact(&mut octets).await.unwrap();
        stream.write_all(b"done").await.unwrap();
    })
    .await;
    let answer = send(&target, vec![1; 5_000_000]).await.unwrap();
    assert_eq!((answer.status, answer.upload, answer.body_octets_sent), (StatusCode::OK, Upload::Whole, 5_000_000));
    assert_eq!(text(answer).await.unwrap(), "done");
}

#[tokio::test]
async fn expect_continue_sends_no_octet_before_it_is_said() {
    let expecting =
        |target: &Target, wait| ClientRequest::post(target, "application/ipp", vec![1; 1000]).expect_continue(wait);
    let client = Client::new(options());

    let target = saying("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let answer = within(client.request(expecting(&target, CEILING))).await.unwrap();
    assert_eq!(
        (answer.status, answer.body_octets_sent, answer.upload),
        (StatusCode::UNAUTHORIZED, 0, Upload::CutShort)
    );

    let target = printer(async |mut stream: TcpStream| {
        assert!(read_until(&mut stream, "\r\n\r\n").await.contains("Expect: 100-continue"));
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let mut octets = vec![0; 1000];
        stream.read_exact(&mut octets).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let answer = within(client.request(expecting(&target, CEILING))).await.unwrap();
    assert_eq!((answer.status, answer.body_octets_sent), (StatusCode::OK, 1000));

    // A printer that does not know it gets the body after a while.
    let target = printer(async |mut stream: TcpStream| {
        read_until(&mut stream, "\r\n\r\n").await;
        let mut octets = vec![0; 1000];
        stream.read_exact(&mut octets).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let answer = within(client.request(expecting(&target, Duration::from_millis(100)))).await.unwrap();
    assert_eq!((answer.status, answer.body_octets_sent), (StatusCode::OK, 1000));
}

#[tokio::test]
async fn every_extent_of_an_answer_is_read_and_bounded() {
    for (words, wanted) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", "hi"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n", "hi"),
        ("HTTP/1.0 200 OK\r\n\r\nhi", "hi"),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "hi",
        ),
    ] {
        let answer = send(&saying(words).await, "x").await.unwrap();
        assert_eq!(text(answer).await.unwrap(), wanted, "{words:?}");
    }
    let long = "x".repeat(1001);
    for words in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n\r\n{long}"),
    ] {
        let error = text(send(&saying(words.clone()).await, "x").await.unwrap()).await.unwrap_err();
        assert!(
            matches!(error, ClientError::AnswerTooLarge { limit: 1000, .. }) && error.is_nonsense(),
            "{words:?} {error:?}"
        );
        let answer =
            send(&saying(words.replacen("1001", "1000", 1).replacen("3e9", "3e8", 1).replacen('x', "", 1)).await, "x")
                .await
                .unwrap();
        assert_eq!(text(answer).await.unwrap().len(), 1000);
    }
}

#[tokio::test]
async fn half_answers_are_not_whole_ones() {
    for words in [
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let result = match send(&saying(words).await, "x").await {
            Ok(answer) => text(answer).await,
            Err(error) => Err(error),
        };
        assert!(matches!(result, Err(ClientError::Closed { .. })), "{words:?} {result:?}");
    }
}

#[tokio::test]
async fn nonsense_is_called_so() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(40_000));
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(12);
    for words in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "\0\0\0\0\0\0\0\0",
        &many,
        &endless,
        &interim,
    ] {
        let result = match send(&saying(words).await, "x").await {
            Ok(answer) => text(answer).await,
            Err(error) => Err(error),
        };
        let error = result.unwrap_err();
        assert!(matches!(error, ClientError::Protocol { .. }), "{words:?} {error:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_our_own_fault() {
    let target = printer(async |mut stream: TcpStream| {
        let mut octets = vec![0; 1000];
        while stream.read(&mut octets).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let body = Body::from_reader(std::io::Cursor::new(vec![1; 10]), Some(20));
    let error = send(&target, body).await.unwrap_err();
    assert!(matches!(error, ClientError::RequestBody { body_octets_sent: 10, .. }), "{error:?}");
}

async fn fine(_: Request<Incoming>, _: Peer) -> Response<Body> {
    Response::new(Body::from("fine"))
}

#[tokio::test]
async fn certificates_are_believed_as_was_said() {
    let tls = TlsMaterial::ephemeral(&["127.0.0.1".into()]).unwrap();
    let running =
        crate::common::Running::start(fine, ServeOptions { tls: Some(tls.clone()), ..ServeOptions::default() });
    let target = running.target("ipps", "/");
    let with = |verify| ClientOptions { verify, ..options() };

    let error = send_with(with(Verify::WebPki), &target, "x").await.unwrap_err();
    assert!(matches!(error, ClientError::Tls { .. }) && error.body_octets_sent() == 0, "{error:?}");

    let answer = send_with(with(Verify::AcceptAny), &target, "x").await.unwrap();
    assert_eq!(answer.certificate, Some(tls.fingerprint()));

    assert!(send_with(with(Verify::Pinned(tls.fingerprint())), &target, "x").await.is_ok());

    let other = TlsMaterial::ephemeral(&[]).unwrap().fingerprint();
    let error = send_with(with(Verify::Pinned(other)), &target, "x").await.unwrap_err();
    assert!(
        matches!(error, ClientError::OtherCertificate { expected, found } if expected == other && found == tls.fingerprint()),
        "{error:?}"
    );

    // A printer without TLS at that port.
    let plain = saying("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let plain = Target::parse(&plain.to_string().replace("ipp:", "ipps:")).unwrap();
    let quick = ClientOptions { verify: Verify::AcceptAny, connect_time_out: Duration::from_secs(1), ..options() };
    let error = send_with(quick, &plain, "x").await.unwrap_err();
    assert!(matches!(error, ClientError::Tls { .. } | ClientError::ConnectTimeOut { .. }), "{error:?}");
}

#[tokio::test]
async fn credentials_and_names_go_out_as_the_standards_say() {
    let heard = Arc::new(tokio::sync::Mutex::new(String::new()));
    let hears = Arc::clone(&heard);
    let target = printer(async move |mut stream: TcpStream| {
        *hears.lock().await = read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    })
    .await;
    let request = ClientRequest::post(&target, "application/ipp", Body::empty()).basic("anna", "secret");
    within(Client::new(options()).request(request)).await.unwrap();
    let head = heard.lock().await.clone();
    assert!(head.starts_with(&format!("POST /ipp/print HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", target.port())), "{head}");
    for field in [
        "Content-Length: 0",
        "content-type: application/ipp",
        "authorization: Basic YW5uYTpzZWNyZXQ=",
        "user-agent: tympan",
        "Connection: close",
    ] {
        assert!(head.contains(&format!("\r\n{field}\r\n")), "{field}: {head}");
    }
}
