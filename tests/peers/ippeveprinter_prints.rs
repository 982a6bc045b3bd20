//! ippeveprinter answers and prints in a namespace of its own; ipptool talks to it.

use std::path::Path;
use std::time::Duration;

use tympan_tests::peers::{self, IppEvePrinter, IpptoolSuite, ipptool};
use tympan_tests::samples::pwg::{PwgSample, PwgType};
use tympan_tests::{Scratch, samples};

#[test]
fn ippeveprinter_prints_a_jpeg_and_a_raster_page() {
    if !IppEvePrinter::need() || !peers::need("ipptool") {
        return;
    }
    let mut printer = IppEvePrinter::start();
    let attributes = ipptool::ask(&printer.uri(), Path::new("get-printer-attributes.test"));
    assert!(attributes.contains("printer-state (enum) = idle"), "{attributes}");
    let scratch = Scratch::new("print");
    let documents = [
        scratch.write("photo.jpg", samples::jpeg(3, 600, 900)),
        scratch.write("page.pwg", PwgSample::a4(PwgType::Srgb8, 300).build()),
    ];
    for (at, document) in documents.iter().enumerate() {
        ipptool::print(&printer.uri(), document);
        let received = printer.wait_for_completed(at + 1);
        assert_eq!(received.len(), at + 1, "{received:?}");
        assert_eq!(std::fs::read(&received[at]).unwrap(), std::fs::read(document).unwrap());
    }
    printer.switch_off();
    assert!(
        std::net::TcpStream::connect_timeout(&(printer.namespace().address(), 631).into(), Duration::from_secs(5))
            .is_err()
    );
    printer.switch_on();
    let attributes = ipptool::ask(&printer.uri(), Path::new("get-printer-attributes.test"));
    assert!(attributes.contains("printer-state (enum) = idle"), "{attributes}");
}

#[test]
fn ipptool_runs_its_suite_to_the_end_with_the_documents_we_make() {
    if !IppEvePrinter::need() || !peers::need("ipptool") {
        return;
    }
    let printer = IppEvePrinter::start();
    let suite = IpptoolSuite::prepare();
    let report = suite.run(&printer.uri(), "ipp-2.0.test", "document-a4.pdf", Duration::from_secs(300));
    // Some fail, as is known of ippeveprinter 2.4: it takes one job at a time. Not `ipp-everywhere.test`: it waits five
    // seconds whenever the printer is busy, which is 150 times.
    assert!(report.complete, "{}", report.output);
    assert!(report.passed.len() >= 30, "{report}");
    assert!(report.failed.iter().all(|failure| !failure.details.is_empty()), "{report}");
    let names: Vec<&str> = report.passed.iter().map(String::as_str).collect();
    assert!(names.iter().any(|name| name.contains("Print-Job")), "{names:?}");
}
