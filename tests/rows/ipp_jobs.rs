//! What IPP clients do with jobs and printers, operation by operation, over a real socket and onto paper.

use std::io::{Read, Write};
use std::net::TcpStream;

use tympan_ipp::{
    Attribute, Collection, Group, GroupTag, JobState, Limits, Message, Operation, StatusCode, Value, decode,
};
use tympan_tests::samples::{self, PwgSample, number_on, pwg::PwgType};

use super::office::{Office, Wishes};

/// Sends a request with a document, as whoever has the token if there is one, and reads the answer.
fn ask_as(office: &Office, path: &str, token: Option<&str>, request: &Message, document: &[u8]) -> Message {
    let mut body = request.encode();
    body.extend_from_slice(document);
    let mut stream = TcpStream::connect(office.http).expect("the door");
    stream.set_read_timeout(Some(tympan_tests::CEILING)).expect("a time-out");
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n{authorization}\
         Connection: close\r\n\r\n",
        office.http,
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).expect("the door reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let begin = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a header") + 4;
    let head = String::from_utf8_lossy(&answer[..begin]);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    decode(&answer[begin..], &Limits::default()).expect("an IPP answer").message
}

fn ask(office: &Office, request: &Message, document: &[u8]) -> Message {
    ask_as(office, "/ipp/print/office", None, request, document)
}

fn uri(office: &Office) -> String {
    format!("ipp://{}/ipp/print/office", office.http)
}

fn request(office: &Office, operation: Operation) -> Message {
    Message::request(operation, 1, uri(office)).operation("requesting-user-name", Value::name("anna"))
}

fn about(office: &Office, operation: Operation, job: i32) -> Message {
    request(office, operation).operation("job-id", job)
}

fn ok(answer: &Message) -> &Message {
    assert!(answer.status_code().is_successful(), "{answer}");
    answer
}

fn job_id(answer: &Message) -> i32 {
    ok(answer).get(GroupTag::Job, "job-id").and_then(Attribute::integer).expect("a job-id")
}

fn job_state(office: &Office, job: i32) -> Option<JobState> {
    let answer = ask(office, &about(office, Operation::GetJobAttributes, job), b"");
    answer.get(GroupTag::Job, "job-state").and_then(Attribute::enum_).and_then(JobState::from_number)
}

fn wait_for(office: &Office, job: i32, state: JobState) {
    tympan_tests::wait_until(&format!("job {job} is {}", state.as_str()), || job_state(office, job) == Some(state));
}

#[test]
fn a_job_comes_piece_by_piece_and_is_printed_when_all_of_it_is_there() {
    let office = Office::open();
    let job = job_id(&ask(&office, &request(&office, Operation::CreateJob), b""));
    assert_eq!(job_state(&office, job), Some(JobState::PendingHeld));
    let send = |last: bool| about(&office, Operation::SendDocument, job).operation("last-document", last);
    ok(&ask(&office, &send(false), &samples::pdf(2)));
    let documents = ask(&office, &about(&office, Operation::GetDocuments, job), b"");
    assert_eq!(documents.groups(GroupTag::Document).count(), 1);
    assert!(office.printer.pages().is_empty(), "not before all of it is there");
    ok(&ask(&office, &send(true), &samples::pdf(1)));
    wait_for(&office, job, JobState::Completed);
    assert_eq!(office.printer.numbers(), [Some(1), Some(2), Some(1)]);
    let late = ask(&office, &send(true), &samples::pdf(1));
    assert_eq!(late.status_code(), StatusCode::ClientErrorNotPossible);
    // Two documents share a sheet only where it is asked for; nothing is printed of a job without one.
    let empty = job_id(&ask(&office, &request(&office, Operation::CreateJob), b""));
    ok(&ask(&office, &about(&office, Operation::CloseJob, empty), b""));
    wait_for(&office, empty, JobState::Aborted);
    let unsaid = ask(&office, &about(&office, Operation::SendDocument, empty), b"x\n");
    assert_eq!(unsaid.status_code(), StatusCode::ClientErrorBadRequest, "\"last-document\" is missing");
}

#[test]
fn a_document_that_is_taken_back_is_not_printed() {
    let office = Office::open();
    let job = job_id(&ask(&office, &request(&office, Operation::CreateJob), b""));
    for pages in [3, 1] {
        let send = about(&office, Operation::SendDocument, job).operation("last-document", false);
        ok(&ask(&office, &send, &samples::pdf(pages)));
    }
    let cancel = |number: i32| about(&office, Operation::CancelDocument, job).operation("document-number", number);
    assert_eq!(ask(&office, &cancel(3), b"").status_code(), StatusCode::ClientErrorNotFound);
    ok(&ask(&office, &cancel(1), b""));
    ok(&ask(&office, &about(&office, Operation::CloseJob, job), b""));
    wait_for(&office, job, JobState::Completed);
    assert_eq!(office.printer.numbers(), [Some(1)]);
}

#[test]
fn what_the_ticket_asks_for_is_on_the_paper() {
    let office = Office::open();
    let print = |attributes: &[(&str, Value)], document: &[u8]| {
        let before = office.printer.pages().len();
        let mut message = request(&office, Operation::PrintJob).operation("ipp-attribute-fidelity", true);
        for (name, value) in attributes {
            message = message.job(*name, value.clone());
        }
        wait_for(&office, job_id(&ask(&office, &message, document)), JobState::Completed);
        let pages = office.printer.pages();
        pages[before..].iter().map(|page| image::open(page).expect("a page's picture")).collect::<Vec<_>>()
    };
    // Four pages on one side, as they are read.
    let four = print(&[("number-up", Value::Integer(4))], &samples::pdf(4));
    assert_eq!(four.len(), 1);
    let (width, height) = (four[0].width() / 2, four[0].height() / 2);
    let quarters = [(0, 0), (width, 0), (0, height), (width, height)];
    let read: Vec<_> = quarters.iter().map(|(x, y)| number_on(&four[0].crop_imm(*x, *y, width, height))).collect();
    assert_eq!(read, [Some(1), Some(2), Some(3), Some(4)]);
    // The second page only, upside down.
    let turned =
        print(&[("page-ranges", Value::range(2, 2)), ("orientation-requested", Value::Enum(6))], &samples::pdf(3));
    assert_eq!(turned.iter().map(|page| number_on(&page.rotate180())).collect::<Vec<_>>(), [Some(2)]);
    // One page of three lies otherwise.
    let other = Collection::new().with("pages", Value::range(2, 2)).with("orientation-requested", Value::Enum(6));
    let pages = print(&[("overrides", other.into())], &samples::pdf(3));
    assert_eq!(number_on(&pages[0]), Some(1));
    assert_eq!(number_on(&pages[1].rotate180()), Some(2));
    assert_eq!(number_on(&pages[2]), Some(3));
    // Coarse, and in black.
    let draft = print(&[("print-color-mode", Value::keyword("monochrome"))], &samples::jpeg(5, 600, 900));
    assert_eq!(number_on(&draft[0]), Some(5));
    assert!(draft[0].to_rgb8().pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]));
    // What a client drew itself comes out in its size.
    let drawn = print(&[], &PwgSample::a4(PwgType::Sgray8, 150).pages(2).build());
    assert_eq!(drawn.iter().map(number_on).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn what_the_printer_cannot_do_is_refused_with_fidelity_and_told_without() {
    let office = Office::open();
    let three = |fidelity| {
        let message = request(&office, Operation::PrintJob).operation("ipp-attribute-fidelity", fidelity);
        ask(&office, &message.job("number-up", 3).job("font-size", 1), b"hello\n")
    };
    let refused = three(true);
    assert_eq!(refused.status_code(), StatusCode::ClientErrorAttributesOrValuesNotSupported);
    let names: Vec<&str> =
        refused.group(GroupTag::Unsupported).unwrap().attributes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["number-up", "font-size"]);
    let taken = three(false);
    assert_eq!(taken.status_code(), StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes);
    wait_for(&office, job_id(&taken), JobState::Completed);
}

#[test]
fn t9_a_job_with_a_pin_waits_for_it_and_ten_wrong_ones_end_that() {
    let office = Office::open();
    let pin = |message: Message, pin: &str| {
        let message = message.operation("job-password", Value::octet_string(pin.as_bytes()));
        message.operation("job-password-encryption", Value::keyword("none"))
    };
    let print = pin(request(&office, Operation::PrintJob), "4711");
    let job = job_id(&ask(&office, &print, &samples::pdf(1)));
    assert_eq!(job_state(&office, job), Some(JobState::PendingHeld));
    let release = |job: i32, with: &str| ask(&office, &pin(about(&office, Operation::ReleaseJob, job), with), b"");
    let plain = ask(&office, &about(&office, Operation::ReleaseJob, job), b"");
    assert_eq!(plain.status_code(), StatusCode::ClientErrorNotAuthorized, "not without its PIN");
    assert_eq!(release(job, "1234").status_code(), StatusCode::ClientErrorNotAuthorized);
    assert!(office.printer.pages().is_empty());
    ok(&release(job, "4711"));
    wait_for(&office, job, JobState::Completed);

    let job = job_id(&ask(&office, &print, &samples::pdf(1)));
    for _ in 0..10 {
        assert_eq!(release(job, "0000").status_code(), StatusCode::ClientErrorNotAuthorized);
    }
    let dead = release(job, "4711");
    assert_eq!(dead.status_code(), StatusCode::ClientErrorNotAuthorized, "{dead}");
    assert_eq!(job_state(&office, job), Some(JobState::PendingHeld));
    // Of a PIN nothing is kept that can be read, and none is told.
    for file in
        std::fs::read_dir(office.data()).expect("the data folder").flatten().filter(|file| file.path().is_file())
    {
        let octets = std::fs::read(file.path()).expect("a file");
        assert!(!octets.windows(6).any(|window| window == b"\"4711\""), "{:?}", file.path());
    }
    let told = ask(&office, &about(&office, Operation::GetJobAttributes, job), b"");
    assert!(told.get(GroupTag::Job, "job-password").is_none());
    let reasons = told.get(GroupTag::Job, "job-state-reasons").unwrap();
    assert!(reasons.has_string("job-password-wait"), "{told}");
}

#[test]
fn a_waiting_job_is_changed_and_all_of_ones_own_are_cancelled_at_once() {
    let office = Office::open();
    let print = || request(&office, Operation::PrintJob).job("job-hold-until", Value::keyword("indefinite"));
    let job = job_id(&ask(&office, &print(), &samples::pdf(1)));
    let set = |attribute: &str, value: Value| {
        ask(&office, &about(&office, Operation::SetJobAttributes, job).job(attribute, value), b"").status_code()
    };
    assert_eq!(set("copies", Value::Integer(2)), StatusCode::SuccessfulOk);
    assert_eq!(set("job-priority", Value::Integer(80)), StatusCode::SuccessfulOk);
    assert_eq!(set("job-state", Value::Enum(9)), StatusCode::ClientErrorAttributesNotSettable);
    assert_eq!(set("copies", Value::Integer(0)), StatusCode::ClientErrorAttributesOrValuesNotSupported);
    assert_eq!(set("job-hold-until", Value::keyword("no-hold")), StatusCode::SuccessfulOk);
    wait_for(&office, job, JobState::Completed);
    assert_eq!(office.printer.numbers(), [Some(1), Some(1)]);
    // All or none.
    let (second, third) = (job_id(&ask(&office, &print(), b"two\n")), job_id(&ask(&office, &print(), b"three\n")));
    let cancel = |ids: &[i32]| {
        let message = request(&office, Operation::CancelMyJobs);
        ask(&office, &message.operation("job-ids", Value::integers(ids.iter().copied())), b"").status_code()
    };
    assert_eq!(cancel(&[second, job]), StatusCode::ClientErrorNotPossible);
    assert_eq!(job_state(&office, second), Some(JobState::PendingHeld));
    assert_eq!(cancel(&[second, third]), StatusCode::SuccessfulOk);
    assert_eq!(job_state(&office, third), Some(JobState::Canceled));
}

#[test]
fn a_printed_job_is_printed_again_in_another_way() {
    let office = Office::open_with(&Wishes { printer: "reprint-window = \"1 h\"", ..Wishes::default() });
    let job = job_id(&ask(&office, &request(&office, Operation::PrintJob), &samples::pdf(2)));
    wait_for(&office, job, JobState::Completed);
    let again = about(&office, Operation::ResubmitJob, job).job("copies", 2);
    let again = job_id(&ask(&office, &again, b""));
    wait_for(&office, again, JobState::Completed);
    // A sheet that says "reprint" comes before each copy.
    let numbers: Vec<_> = office.printer.numbers()[2..].iter().copied().flatten().collect();
    assert_eq!(numbers, [1, 2, 1, 2]);
}

#[test]
fn only_operators_run_a_printer() {
    let office = Office::open();
    let token = std::fs::read_to_string(office.data().join("local.json")).expect("the local file");
    let token: serde_json::Value = serde_json::from_str(&token).expect("JSON");
    let token = token["token"].as_str().expect("a token");
    let run = |operation| {
        let request = request(&office, operation);
        assert_eq!(ask(&office, &request, b"").status_code(), StatusCode::ClientErrorNotAuthorized, "{operation}");
        ok(&ask_as(&office, "/ipp/print/office", Some(token), &request, b""));
    };
    let printer = |name: &str| {
        let answer = ask(&office, &request(&office, Operation::GetPrinterAttributes), b"");
        answer.get(GroupTag::Printer, name).cloned().unwrap_or_else(|| panic!("no {name}"))
    };
    run(Operation::PausePrinter);
    assert!(printer("printer-state-reasons").has_string("paused"));
    let job = job_id(&ask(&office, &request(&office, Operation::PrintJob), &samples::pdf(1)));
    assert_eq!(job_state(&office, job), Some(JobState::Pending));
    run(Operation::ResumePrinter);
    wait_for(&office, job, JobState::Completed);
    run(Operation::DisablePrinter);
    let closed = ask(&office, &request(&office, Operation::PrintJob), b"hello\n");
    assert_eq!(closed.status_code(), StatusCode::ServerErrorNotAcceptingJobs);
    run(Operation::EnablePrinter);
    run(Operation::HoldNewJobs);
    let held = job_id(&ask(&office, &request(&office, Operation::PrintJob), b"hello\n"));
    assert_eq!(job_state(&office, held), Some(JobState::PendingHeld));
    run(Operation::ReleaseHeldNewJobs);
    wait_for(&office, held, JobState::Completed);
    let set = request(&office, Operation::SetPrinterAttributes).printer("printer-location", Value::text("2nd floor"));
    ok(&ask_as(&office, "/ipp/print/office", Some(token), &set, b""));
    assert_eq!(printer("printer-location").text(), Some("2nd floor"));
    let wrong = request(&office, Operation::SetPrinterAttributes).printer("printer-state", Value::Enum(5));
    let wrong = ask_as(&office, "/ipp/print/office", Some(token), &wrong, b"");
    assert_eq!(wrong.status_code(), StatusCode::ClientErrorAttributesNotSettable);
}

#[test]
fn events_are_told_to_whoever_subscribed() {
    let office = Office::open();
    let wanted = Group::new(GroupTag::Subscription)
        .with("notify-pull-method", Value::keyword("ippget"))
        .with("notify-events", Value::keywords(["job-created", "job-completed", "printer-state-changed"]))
        .with("notify-user-data", Value::octet_string(b"mine".as_slice()));
    let create = request(&office, Operation::CreatePrinterSubscriptions).with_group(wanted.clone());
    let created = ask(&office, &create, b"");
    let id = ok(&created).get(GroupTag::Subscription, "notify-subscription-id").and_then(Attribute::integer).unwrap();
    let job = job_id(&ask(&office, &request(&office, Operation::PrintJob), &samples::pdf(1)));
    let (mut next, mut told) = (1, Vec::new());
    while !told.contains(&("job-completed".to_owned(), Some(job))) {
        let get = request(&office, Operation::GetNotifications)
            .operation("notify-subscription-ids", id)
            .operation("notify-sequence-numbers", next)
            .operation("notify-wait", true);
        for event in ok(&ask(&office, &get, b"")).groups(GroupTag::EventNotification) {
            let number = event.get("notify-sequence-number").and_then(Attribute::integer).unwrap();
            assert_eq!(number, next, "none is missed, none comes twice");
            assert_eq!(event.get("notify-user-data").and_then(Attribute::octet_string), Some(b"mine".as_slice()));
            next += 1;
            let name = event.get("notify-subscribed-event").and_then(Attribute::keyword).unwrap();
            told.push((name.to_owned(), event.get("job-id").and_then(Attribute::integer)));
        }
    }
    assert!(told.contains(&("job-created".to_owned(), Some(job))), "{told:?}");
    let listed = ask(&office, &request(&office, Operation::GetSubscriptions), b"");
    assert_eq!(listed.groups(GroupTag::Subscription).count(), 1);
    let one = |operation| request(&office, operation).operation("notify-subscription-id", id);
    ok(&ask(&office, &one(Operation::RenewSubscription).operation("notify-lease-duration", 60), b""));
    ok(&ask(&office, &one(Operation::CancelSubscription), b""));
    let gone = ask(&office, &one(Operation::GetSubscriptionAttributes), b"");
    assert_eq!(gone.status_code(), StatusCode::ClientErrorNotFound);
    let push = wanted.with("notify-recipient-uri", Value::uri("mailto:x@example.org"));
    let push = request(&office, Operation::CreatePrinterSubscriptions).with_group(push);
    assert_eq!(ask(&office, &push, b"").status_code(), StatusCode::ClientErrorIgnoredAllSubscriptions);
}

#[test]
fn the_system_says_which_printers_there_are() {
    let office = Office::open();
    let system = |operation| {
        let uri = format!("ipp://{}/ipp/system", office.http);
        let request = Message::request_to(operation, 1, "system-uri", uri);
        ask_as(&office, "/ipp/system", None, &request, b"")
    };
    let printers = system(Operation::GetPrinters);
    let names: Vec<_> = ok(&printers)
        .groups(GroupTag::Printer)
        .filter_map(|group| group.get("printer-name").and_then(Attribute::string).map(str::to_owned))
        .collect();
    assert_eq!(names, ["office"]);
    let attributes = system(Operation::GetSystemAttributes);
    assert!(ok(&attributes).get(GroupTag::System, "system-configured-printers").is_some());
    assert_eq!(system(Operation::CreatePrinter).status_code(), StatusCode::ServerErrorOperationNotSupported);
}
