//! Malformed and hostile requests at the IPP door, octet by octet, and what they get (RFC 8011 appendix B).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use tympan_ipp::{Message, Operation, StatusCode};
use tympan_tests::peers;
use tympan_tests::{Process, samples, wait_until};

use super::office::Office;

fn uri(office: &Office) -> String {
    format!("ipp://{}/ipp/print/office", office.http)
}

/// An attribute as it stands on the wire.
fn attribute(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let length = |octets: usize| u16::try_from(octets).expect("a short name or value").to_be_bytes();
    [&[tag][..], &length(name.len()), name.as_bytes(), &length(value.len()), value].concat()
}

/// A request with these operation attributes after its eight first octets, and whatever follows.
fn request(operation: u16, attributes: &[Vec<u8>], rest: &[u8]) -> Vec<u8> {
    let [high, low] = operation.to_be_bytes();
    [&[2, 0, high, low, 0, 0, 0, 1, 1][..], &attributes.concat(), rest].concat()
}

const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;
const URI: u8 = 0x45;
const NAME: u8 = 0x42;
const KEYWORD: u8 = 0x44;
const INTEGER: u8 = 0x21;

fn post(office: &Office, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(office.http).expect("the door");
    stream.set_read_timeout(Some(tympan_tests::CEILING)).expect("a time-out");
    let head = format!(
        "POST /ipp/print/office HTTP/1.1\r\nHost: {}\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        office.http,
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the door reads");
    stream
}

fn status(office: &Office, body: &[u8]) -> StatusCode {
    let mut answer = Vec::new();
    post(office, body).read_to_end(&mut answer).expect("an answer");
    let begin = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a header") + 4;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    StatusCode(u16::from_be_bytes([answer[begin + 2], answer[begin + 3]]))
}

#[test]
fn malformed_requests_get_the_status_that_the_standard_names() {
    let office = Office::open();
    let uri = uri(&office);
    let charset = attribute(CHARSET, "attributes-charset", b"utf-8");
    let language = attribute(LANGUAGE, "attributes-natural-language", b"en");
    let target = attribute(URI, "printer-uri", uri.as_bytes());
    let base = || vec![charset.clone(), language.clone(), target.clone()];
    let with = |more: Vec<u8>| [base(), vec![more]].concat();
    let get = Operation::GetPrinterAttributes.0;
    let print = Operation::PrintJob.0;
    let end = [3_u8];
    let text = [&end[..], b"hello\n"].concat();
    assert_eq!(
        status(&office, &request(get, &base(), &end)),
        StatusCode::SuccessfulOk,
        "the request that all are made of"
    );

    let bad = StatusCode::ClientErrorBadRequest;
    let deep = |depth: usize| {
        let mut octets = attribute(0x34, "media-col", b"");
        for _ in 0..depth {
            octets.extend(attribute(0x4a, "", b"x"));
            octets.extend(attribute(0x34, "", b""));
        }
        for _ in 0..=depth {
            octets.extend(attribute(0x37, "", b""));
        }
        octets
    };
    let job = |octets: Vec<u8>| [&[2][..], &octets, &text].concat();
    for (what, body, expected) in [
        ("no charset", request(get, &[language.clone(), target.clone()], &end), bad),
        ("charset not first", request(get, &[language.clone(), charset.clone(), target.clone()], &end), bad),
        ("no language", request(get, &[charset.clone(), target.clone()], &end), bad),
        ("no target", request(get, &[charset.clone(), language.clone()], &end), bad),
        (
            "another charset",
            request(
                get,
                &[attribute(CHARSET, "attributes-charset", b"koi8-r"), language.clone(), target.clone()],
                &end,
            ),
            StatusCode::ClientErrorCharsetNotSupported,
        ),
        (
            "a charset that is a keyword",
            request(get, &[attribute(KEYWORD, "attributes-charset", b"utf-8"), language.clone(), target.clone()], &end),
            bad,
        ),
        (
            "a target that is a name",
            request(get, &[charset.clone(), language.clone(), attribute(NAME, "printer-uri", uri.as_bytes())], &end),
            bad,
        ),
        ("an integer of three octets", request(get, &with(attribute(INTEGER, "limit", &[0, 0, 1])), &end), bad),
        (
            "a name that says it is longer",
            request(get, &with(vec![NAME, 0, 3, b'j', b'o', b'b', 0xff, 0xff, b'x']), &end),
            bad,
        ),
        (
            "a job name of 300 octets",
            request(print, &with(attribute(NAME, "job-name", &[b'x'; 300])), &text),
            StatusCode::ClientErrorRequestValueTooLong,
        ),
        (
            "a URI of 1100 octets",
            request(get, &[charset.clone(), language.clone(), attribute(URI, "printer-uri", &[b'x'; 1100])], &end),
            StatusCode::ClientErrorRequestValueTooLong,
        ),
        ("no end", request(get, &base(), b""), bad),
        (
            "the same attribute twice",
            request(
                get,
                &[
                    base(),
                    vec![
                        attribute(KEYWORD, "requested-attributes", b"all"),
                        attribute(KEYWORD, "requested-attributes", b"all"),
                    ],
                ]
                .concat(),
                &end,
            ),
            bad,
        ),
        ("an attribute before any group", [&[2, 0, 0, 0x0b, 0, 0, 0, 1][..], &charset, &end].concat(), bad),
        (
            "a value without an attribute",
            request(get, &[vec![], attribute(KEYWORD, "", b"x"), base().concat()], &end),
            bad,
        ),
        ("a collection that does not end", request(print, &base(), &job(attribute(0x34, "media-col", b""))), bad),
        ("an end of a collection alone", request(print, &base(), &job(attribute(0x37, "", b""))), bad),
        ("collections one in the other, 5,000 deep", request(print, &base(), &job(deep(5_000))), bad),
        (
            "20,000 attributes",
            request(
                print,
                &base(),
                &job((0..20_000).flat_map(|n| attribute(INTEGER, &format!("a{n}"), &[0; 4])).collect()),
            ),
            StatusCode::ClientErrorRequestEntityTooLarge,
        ),
        (
            "copies that are a word",
            request(print, &base(), &job(attribute(KEYWORD, "copies", b"two"))),
            StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes,
        ),
    ] {
        let found = status(&office, &body);
        assert_eq!(found, expected, "{what}");
        if !found.is_successful() {
            assert!(office.jobs().is_empty(), "{what}");
        }
    }
}

#[test]
fn slow_clients_by_the_thousand_neither_stop_nor_swell_the_server() {
    let office = Office::open();
    tympan_tests::process::raise_file_limit();
    let before = office.memory();
    let begun = format!("POST /ipp/print/office HTTP/1.1\r\nHost: {}\r\nContent-Type: app", office.http);
    let mut held = Vec::new();
    let started = Instant::now();
    for number in 0..10_000_u32 {
        // All of 127.0.0.0/8 is this machine: each source has its own share of 50.
        let source = std::net::Ipv4Addr::from(0x7f00_0100 + number / 50);
        let stream = connect_from(source, office.http);
        let _ = (&stream).write_all(begun.as_bytes());
        held.push(stream);
    }
    let connecting = started.elapsed();
    // A new request is answered while they are held.
    let request = Message::request(Operation::GetPrinterAttributes, 1, uri(&office)).encode();
    assert_eq!(status(&office, &request), StatusCode::SuccessfulOk);
    let each = office.memory().saturating_sub(before) / held.len() as u64;
    println!("{} slow connections in {connecting:?}, {each} octets each", held.len());
    assert!(each < 32 * 1024, "{each} octets for each slow connection");
}

fn connect_from(source: std::net::Ipv4Addr, to: std::net::SocketAddr) -> TcpStream {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&std::net::SocketAddr::from((source, 0)).into()).expect("an address of this machine");
    socket.connect(&to.into()).expect("the door");
    socket.into()
}

#[test]
fn the_peers_come_in_by_tls_by_upgrade_and_by_http_2() {
    if !peers::need("ipptool") || !peers::need("curl") {
        return;
    }
    let office = Office::open();
    let port = office.http.port();
    let uri = format!("ipp://localhost:{port}/ipp/print/office");
    for flag in ["-E", "-S"] {
        let mut ipptool = peers::command("ipptool");
        ipptool.args(["-t", flag, &uri, "get-printer-attributes.test"]);
        let said = Process::run("ipptool", &mut ipptool).expect_success();
        assert!(said.contains("[PASS]"), "{flag}: {said}");
    }
    let document = office.scratch.write("big.pdf", samples::pdf(3));
    for (number, (scheme, more)) in [
        ("http", &["--http1.1", "--header", "Expect: 100-continue"][..]),
        ("https", &["--http1.1", "--header", "Transfer-Encoding: chunked"]),
        ("https", &["--http2"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut curl = peers::command("curl");
        curl.args(["--silent", "--show-error", "--verbose", "--insecure", "--upload-file"]).arg(&document).args(more);
        curl.arg(format!("{scheme}://localhost:{port}/print/office"));
        let said = Process::run("curl", &mut curl).expect_success();
        assert!(said.contains("accepted for Office"), "{said}");
        match number {
            0 => assert!(said.contains("100 Continue"), "{said}"),
            2 => assert!(said.contains("HTTP/2 201"), "{said}"),
            _ => {}
        }
    }
    wait_until("all came out", || office.printer.pages().len() == 9);
    // Whoever is refused is not asked for the document.
    let mut curl = peers::command("curl");
    curl.args(["--silent", "--verbose", "--header", "Expect: 100-continue", "--upload-file"]).arg(&document);
    curl.arg(format!("http://localhost:{port}/print/attic"));
    let said = Process::run("curl", &mut curl).output;
    assert!(said.contains("404") && !said.contains("100 Continue"), "{said}");
}
