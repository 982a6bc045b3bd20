//! The IPP door: clients that we did not write print through the server, and see what becomes of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use tympan_ipp::{Message, Operation, StatusCode, Value};
use tympan_tests::peers::{self, Cups, IpptoolSuite, ipptool};
use tympan_tests::scratch::set_mode;
use tympan_tests::{samples, wait_until};

use super::office::{Office, Wishes};

/// A Print-Job request with its document.
fn print_job(office: &Office, more: &[(&str, Value)], document: &[u8]) -> Vec<u8> {
    let mut message = Message::request(Operation::PrintJob, 1, uri(office));
    for (name, value) in more {
        message = message.operation(*name, value.clone());
    }
    let mut octets = message.encode();
    octets.extend_from_slice(document);
    octets
}

/// Sends octets as a body and gives the status of the answer. Half a request ends its connection early.
fn status(office: &Office, body: &[u8]) -> StatusCode {
    let mut stream = TcpStream::connect(office.http).expect("the door");
    stream.set_read_timeout(Some(tympan_tests::CEILING)).expect("a time-out");
    let head = format!(
        "POST /ipp/print/office HTTP/1.1\r\nHost: {}\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        office.http,
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the door reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a header") + 4;
    let head = String::from_utf8_lossy(&answer[..body]);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    StatusCode(u16::from_be_bytes([answer[body + 2], answer[body + 3]]))
}

fn uri(office: &Office) -> String {
    format!("ipp://{}/ipp/print/office", office.http)
}

#[test]
fn an_ipp_client_prints_through_the_server_whether_its_printer_is_on_or_off() {
    if !peers::need("ipptool") {
        return;
    }
    let office = Office::open();
    let document = office.scratch.write("two.pdf", samples::pdf(2));
    office.printer.fault("off");
    let said = ipptool::print(&uri(&office), &document);
    assert!(said.contains("job-id (integer) = 1") && said.contains("job-state (enum) = pending"), "{said}");
    office.wait_for_why("switched off");
    let attributes = ipptool::ask(&uri(&office), Path::new("get-printer-attributes.test"));
    for line in ["printer-state (enum) = stopped", "timed-out-error", "queued-job-count (integer) = 1"] {
        assert!(attributes.contains(line), "{line} is missing in {attributes}");
    }
    office.printer.fault("clear");
    office.printer.wait_for_pages(2);
    office.wait_for_job("completed");
    assert_eq!(office.printer.numbers(), [Some(1), Some(2)]);
    let attributes = ipptool::ask(&uri(&office), Path::new("get-printer-attributes.test"));
    assert!(attributes.contains("printer-state (enum) = idle"), "{attributes}");
    for line in ["marker-names", "media-ready", "sides-supported (1setOf keyword) = one-sided,two-sided-long-edge"] {
        assert!(attributes.contains(line), "{line} is missing in {attributes}");
    }
    let jobs = ipptool::ask(&uri(&office), Path::new("get-completed-jobs.test"));
    assert!(jobs.contains("job-state (enum) = completed"), "{jobs}");
}

#[test]
fn who_is_not_known_is_asked_and_nothing_is_stored() {
    if !peers::need("curl") {
        return;
    }
    let office = Office::open_with(&Wishes { dns: Some(([127, 0, 0, 1], 9).into()), ..Wishes::default() });
    let file = office.scratch.write("request", print_job(&office, &[], b"hello\n"));
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--write-out", " %{http_code}", "--header", "Content-Type: application/ipp"]);
    curl.arg("--data-binary").arg(format!("@{}", file.display()));
    curl.arg(format!("http://{}/ipp/print/office", office.http));
    let said = tympan_tests::Process::run("curl", &mut curl).expect_success();
    assert!(said.ends_with(" 401"), "{said}");
    assert!(office.jobs().is_empty());
}

/// What ipp-2.1.test wants and is not offered.
const FAULTS_2_1: [&str; 2] =
    ["operations-supported WITH-VALUE \"0x000E\"", "operations-supported WITH-VALUE \"0x0012\""];
/// What ipp-2.2.test wants beyond that and is not offered.
const FAULTS_2_2: [&str; 14] = [
    "operations-supported WITH-VALUE \"0x000E\"",
    "operations-supported WITH-VALUE \"0x0012\"",
    "operations-supported WITH-VALUE \"0x0029\"",
    "operations-supported WITH-VALUE \"0x002A\"",
    "operations-supported WITH-VALUE \"0x002B\"",
    "operations-supported WITH-VALUE \"0x002C\"",
    "operations-supported WITH-VALUE \"0x002E\"",
    "operations-supported WITH-VALUE \"0x002F\"",
    "operations-supported WITH-VALUE \"0x0030\"",
    "operations-supported WITH-VALUE \"0x0031\"",
    "operations-supported WITH-VALUE \"0x0037\"",
    "printer-alert",
    "printer-alert-description",
    "which-jobs-supported WITH-VALUE \"proof-print\"",
];

#[test]
fn the_suites_find_no_fault_in_the_door() {
    if !peers::need("ipptool") {
        return;
    }
    let office = Office::open();
    wait_until("the server knows what its printer can do", || ipp_attributes(&office).contains("two-sided-long-edge"));
    let suite = IpptoolSuite::prepare();
    for (file, version, passed) in
        [("ipp-1.1.test", "1.1", 40), ("ipp-2.0.test", "2.0", 40), ("ipp-everywhere.test", "2.0", 190)]
    {
        let report = suite.run_version(&uri(&office), file, "document-a4.pdf", version, Duration::from_secs(300));
        println!("{file} through the server: {report}");
        assert!(report.complete && report.failed.is_empty(), "{report}\n{}", report.output);
        assert!(report.passed.len() >= passed, "{report}");
    }
    // Each fault is a clause that does not hold for a queue in front of a printer; docs/conformance.md says which.
    for (file, version, known) in [("ipp-2.1.test", "2.1", &FAULTS_2_1[..]), ("ipp-2.2.test", "2.2", &FAULTS_2_2[..])] {
        let report = suite.run_version(&uri(&office), file, "document-a4.pdf", version, Duration::from_secs(300));
        println!("{file} through the server: {report}");
        let mut expected: Vec<&str> = report
            .failed
            .iter()
            .flat_map(|failure| &failure.details)
            .filter_map(|line| line.split_once("EXPECTED: "))
            .map(|(_, what)| what.trim())
            .collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(expected, known, "{report}");
    }
}

#[test]
fn bad_and_hostile_requests_get_the_status_that_the_standard_names() {
    let office = Office::open();
    let gzip = |octets: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(octets).expect("memory");
        encoder.finish().expect("memory")
    };
    let packed = [("compression", Value::keyword("gzip"))];
    let whole = print_job(&office, &[], b"hello\n");
    let operation = |code: u16| Message::request(Operation(code), 1, uri(&office)).encode();
    for (what, body, expected) in [
        ("half a header", whole[..60].to_vec(), StatusCode::ClientErrorBadRequest),
        ("nothing", Vec::new(), StatusCode::ClientErrorBadRequest),
        ("version 9.9", [&[9, 9], &whole[2..]].concat(), StatusCode::ServerErrorVersionNotSupported),
        ("request-id 0", [&whole[..4], &[0; 4], &whole[8..]].concat(), StatusCode::ClientErrorBadRequest),
        ("an unknown operation", operation(0x3fff), StatusCode::ServerErrorOperationNotSupported),
        ("no document", print_job(&office, &[], b""), StatusCode::ClientErrorBadRequest),
        ("PostScript", print_job(&office, &[], b"%!PS-Adobe-3.0"), StatusCode::ClientErrorDocumentFormatNotSupported),
        (
            "a format that nobody takes",
            print_job(&office, &[("document-format", Value::mime_media_type("model/gltf"))], b"hello\n"),
            StatusCode::ClientErrorDocumentFormatNotSupported,
        ),
        (
            "a compression that nobody knows",
            print_job(&office, &[("compression", Value::keyword("zip"))], b"hello\n"),
            StatusCode::ClientErrorCompressionNotSupported,
        ),
        ("damaged gzip", print_job(&office, &packed, b"no gzip at all"), StatusCode::ClientErrorCompressionError),
        ("a bomb", print_job(&office, &packed, &gzip(&vec![b' '; 40 << 20])), StatusCode::ClientErrorCompressionError),
        ("half of gzip", print_job(&office, &packed, &gzip(b"hello\n")[..12]), StatusCode::ClientErrorCompressionError),
    ] {
        assert_eq!(status(&office, &body), expected, "{what}");
    }
    assert!(office.jobs().is_empty());
    assert_eq!(status(&office, &print_job(&office, &packed, &gzip(b"hello\n"))), StatusCode::SuccessfulOk);
    office.wait_for_job("completed");
}

#[test]
fn cups_adds_a_printer_of_ours_without_a_driver_and_prints() {
    if !Cups::need() {
        return;
    }
    let office = Office::open();
    let cups = Cups::start();
    wait_until("the server knows what its printer can do", || ipp_attributes(&office).contains("two-sided-long-edge"));
    cups.add("office", &uri(&office));
    let document = office.scratch.write("three.pdf", samples::pdf(3));
    set_mode(office.scratch.path(), 0o755);
    cups.print("office", &["sides=two-sided-long-edge", "copies=2"], &document);
    let printed = || office.printer.numbers();
    wait_until(&format!("two copies of three pages; cupsd says {}", cups.log()), || printed().len() >= 6);
    office.wait_for_job("completed");
    assert_eq!(printed(), [Some(1), Some(2), Some(3), Some(1), Some(2), Some(3)]);
}

/// What Get-Printer-Attributes says of the office's printer.
fn ipp_attributes(office: &Office) -> String {
    if peers::need("ipptool") {
        return ipptool::ask(&uri(office), Path::new("get-printer-attributes.test"));
    }
    String::new()
}

#[test]
fn an_ipp_client_holds_a_job_and_lets_it_go() {
    let office = Office::open();
    let mut held =
        Message::request(Operation::PrintJob, 1, uri(&office)).operation("requesting-user-name", Value::name("anna"));
    held = held.job("job-hold-until", Value::keyword("indefinite"));
    let request = [held.encode(), b"hello\n".to_vec()].concat();
    assert_eq!(status(&office, &request), StatusCode::SuccessfulOk);
    office.wait_for_why("Held by its sender");
    let about = |operation| Message::request(operation, 2, uri(&office)).operation("job-id", 1).encode();
    assert_eq!(status(&office, &about(Operation::ReleaseJob)), StatusCode::SuccessfulOk);
    office.wait_for_job("completed");
    assert_eq!(status(&office, &about(Operation::HoldJob)), StatusCode::ClientErrorNotPossible);
    assert_eq!(status(&office, &about(Operation::CancelJob)), StatusCode::ClientErrorNotPossible);
    // What an operator holds is not let go by its sender.
    office.printer.fault("off");
    assert_eq!(status(&office, &print_job(&office, &[], b"again\n")), StatusCode::SuccessfulOk);
    office.wait_for_why("switched off");
    let id = office.jobs()[0]["id"].as_str().unwrap().to_owned();
    office.tympan(&["job", "hold", &id]);
    let release = Message::request(Operation::ReleaseJob, 3, uri(&office)).operation("job-id", 2).encode();
    assert_eq!(status(&office, &release), StatusCode::ClientErrorNotAuthorized);
}
