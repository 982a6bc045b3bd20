//! TLS, HTTP/2 and the change to TLS, on the same port as plain HTTP; and the client against it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::common::{Running, echo, read_until, rest, talk, within};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tympan_http::{
    Body, Client, ClientOptions, ClientRequest, Request, ServeOptions, StatusCode, TlsMaterial, Upload, Verify, header,
};

fn with_tls() -> (ServeOptions, TlsMaterial) {
    let tls = TlsMaterial::ephemeral(&["localhost".into(), "127.0.0.1".into()]).unwrap();
    (ServeOptions { tls: Some(tls.clone()), ..ServeOptions::default() }, tls)
}

/// A TLS client that offers these protocols and believes anything.
async fn tls_over(stream: TcpStream, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    #[derive(Debug)]
    struct Any(Arc<rustls::crypto::CryptoProvider>);
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    impl ServerCertVerifier for Any {
        fn verify_server_cert(
            &self,
            _: &rustls::pki_types::CertificateDer<'_>,
            _: &[rustls::pki_types::CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls::pki_types::UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            m: &[u8],
            c: &rustls::pki_types::CertificateDer<'_>,
            d: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls12_signature(m, c, d, &self.0.signature_verification_algorithms)
        }
        fn verify_tls13_signature(
            &self,
            m: &[u8],
            c: &rustls::pki_types::CertificateDer<'_>,
            d: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls13_signature(m, c, d, &self.0.signature_verification_algorithms)
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.dangerous().set_certificate_verifier(Arc::new(Any(provider)));
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    within(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream)).await
}

#[tokio::test]
async fn tls_and_plain_share_one_port() {
    let (options, _) = with_tls();
    let running = Running::start(echo, options);
    assert!(
        talk(&running, b"GET /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.ends_with("GET /p 0 false")
    );
    let mut tls = tls_over(running.connect().await, &["http/1.1"]).await.unwrap();
    tls.write_all(b"POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").await.unwrap();
    assert!(rest(&mut tls).await.ends_with("POST /t 2 true"));
}

#[tokio::test]
async fn http2_is_chosen_by_alpn() {
    let (options, _) = with_tls();
    let running = Running::start(echo, options);
    let tls = tls_over(running.connect().await, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), hyper_util::rt::TokioIo::new(tls))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::post("https://localhost/two").body(Body::from("hello")).unwrap();
    let response = within(sender.send_request(request)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "POST https://localhost/two 5 true");
}

#[tokio::test]
async fn a_request_changes_to_tls_and_is_answered_inside() {
    let (options, _) = with_tls();
    let running = Running::start(echo, options);
    // As libcups does it (RFC 2817 section 3.1).
    let mut stream = running.connect().await;
    stream
        .write_all(b"OPTIONS * HTTP/1.1\r\nHost: localhost:631\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2,TLS/1.1,TLS/1.0\r\n\r\n")
        .await
        .unwrap();
    let switched = read_until(&mut stream, "\r\n\r\n").await;
    assert!(
        switched.starts_with("HTTP/1.1 101") && switched.to_lowercase().contains("upgrade: tls/1.2, http/1.1"),
        "{switched}"
    );
    let mut tls = tls_over(stream, &[]).await.unwrap();
    let answer = read_until(&mut tls, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 0"), "{answer}");
    tls.write_all(b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").await.unwrap();
    assert!(rest(&mut tls).await.ends_with("POST /in 2 true"));

    // Another request than OPTIONS * is answered by the service, and knows that it is inside TLS.
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    let mut tls = tls_over(stream, &[]).await.unwrap();
    assert!(read_until(&mut tls, " true").await.ends_with("GET /page 0 true"));
}

#[tokio::test]
async fn without_a_certificate_tls_is_refused_and_upgrade_ignored() {
    let running = Running::start(echo, ServeOptions::default());
    assert!(tls_over(running.connect().await, &[]).await.is_err());
    let answer =
        talk(&running, b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: TLS/1.2\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn the_client_speaks_with_the_listener() {
    let (options, tls) = with_tls();
    let running = Running::start(echo, options);
    let client = Client::new(ClientOptions { verify: Verify::Pinned(tls.fingerprint()), ..ClientOptions::default() });
    for scheme in ["ipp", "ipps"] {
        let document = vec![7; 3_000_000];
        let sent = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&sent);
        let request = ClientRequest::post(&running.target(scheme, "/ipp/print"), "application/ipp", document)
            .expect_continue(Duration::from_secs(5))
            .progress(move |octets| told.store(usize::try_from(octets).unwrap(), Ordering::SeqCst));
        let answer = within(client.request(request)).await.unwrap();
        assert_eq!((answer.status, answer.upload, answer.body_octets_sent), (StatusCode::OK, Upload::Whole, 3_000_000));
        assert_eq!(sent.load(Ordering::SeqCst), 3_000_000);
        assert_eq!(answer.certificate, (scheme == "ipps").then(|| tls.fingerprint()));
        let body = answer.body.collect().await.unwrap();
        assert_eq!(body, format!("POST /ipp/print 3000000 {}", scheme == "ipps"));
    }
    // Without a known length it goes in chunks.
    let (mut sender, body) = Body::channel(2);
    tokio::spawn(async move {
        for _ in 0..10 {
            sender.send(vec![1; 1000]).await.unwrap();
        }
        sender.finish().await.unwrap();
    });
    let answer = within(client.request(ClientRequest::post(&running.target("ipps", "/c"), "application/ipp", body)))
        .await
        .unwrap();
    assert_eq!(answer.body.collect().await.unwrap(), "POST /c 10000 true");
    let answer = within(client.request(ClientRequest::get(&running.target("http", "/g")))).await.unwrap();
    assert_eq!(answer.headers[header::CONTENT_LENGTH], "14");
}

#[tokio::test]
async fn header_fields_of_http2_are_counted_too() {
    let (mut options, _) = with_tls();
    options.limits.headers_max = 5;
    let running = Running::start(echo, options);
    let tls = tls_over(running.connect().await, &["h2"]).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), hyper_util::rt::TokioIo::new(tls))
            .await
            .unwrap();
    tokio::spawn(connection);
    for (count, wanted) in [(5, StatusCode::OK), (6, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)] {
        let mut request = Request::get("https://localhost/");
        for index in 0..count {
            request = request.header(format!("x-{index}"), "y");
        }
        let response = within(sender.send_request(request.body(Body::empty()).unwrap())).await.unwrap();
        assert_eq!(response.status(), wanted);
    }
}
