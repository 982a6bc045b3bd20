//! Jobs at an IPP printer that we did not write for the occasion: it prints, stands still, forgets, lies and dies.

use crate::common::{World, crash_at, device, samples, set, wait_for};
use tympan_device::VirtualPrinter;
use tympan_device::model::{Change, Power};
use tympan_engine::{
    AttemptState, DoubtDecision, Evidence, JobEvent, JobOptions, Outcome, PageRange, PrinterEvent, Reachability, Sides,
    StoredForm, Trouble,
};
use tympan_ipp::{JobState, Message, Operation, Value};
use tympan_store::Whose;

const PDF: &str = "application/pdf";

#[tokio::test]
async fn a08_a_pdf_is_printed_at_once_and_counted() {
    let (device, _pages) = device(|_| {}).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("invoice.pdf", PDF, &samples::pdf(3)).await;
    let job = world.completed(job).await;
    assert_eq!(job.outcome, Some(Outcome::Printed { evidence: Evidence::E3 }));
    let state = device.state();
    assert_eq!(state.impressions, 3);
    assert_eq!(state.jobs[0].name, format!("{} invoice.pdf", job.short()));
    let printer = world.printer().await;
    assert!(printer.profile.as_ref().unwrap().takes(PDF));
    assert_eq!(printer.condition.trays.len(), 2, "{:?}", printer.condition);
    assert_eq!(printer.condition.markers.len(), 4);
    assert!(job.content_deleted);
}

#[tokio::test]
async fn a06_two_attachments_become_one_job_and_each_begins_on_a_new_sheet() {
    let (device, _pages) = device(|_| {}).await;
    let world = World::new(&device.ipp_uri()).await;
    let mail = samples::mail(&[
        samples::text("Please print."),
        samples::attachment("a.pdf", PDF, &samples::pdf(3)),
        samples::attachment("b.pdf", PDF, &samples::pdf(2)),
    ]);
    let options = JobOptions { sides: Some(Sides::TwoSidedLongEdge), ..JobOptions::default() };
    let job = world.submit_with("Invoice", "message/rfc822", &mail, options).await;
    let job = world.completed(job).await;
    assert_eq!(job.documents.len(), 2);
    assert_eq!(job.outcome, Some(Outcome::Printed { evidence: Evidence::E3 }));
    let state = device.state();
    assert_eq!((state.jobs.len(), state.impressions, state.sheets), (1, 6, 3));
    assert_eq!(job.impressions_completed, 5, "people count pages, not blank backs");
}

#[tokio::test]
async fn a05_pages_and_copies_that_were_asked_for_come_out() {
    let (device, _pages) = device(|_| {}).await;
    let world = World::new(&device.ipp_uri()).await;
    let options = JobOptions {
        copies: Some(2),
        pages: vec![PageRange { first: 2, last: 3 }],
        color: Some(tympan_engine::ColorMode::Monochrome),
        ..JobOptions::default()
    };
    let job = world.submit_with("x.pdf", PDF, &samples::pdf(5), options).await;
    let job = world.completed(job).await;
    assert_eq!(device.state().impressions, 4);
    assert_eq!(job.outcome, Some(Outcome::Printed { evidence: Evidence::E3 }));
}

#[tokio::test]
async fn a07_a_printer_that_is_off_is_waited_for_and_then_prints() {
    let (device, _pages) = device(|_| {}).await;
    device.apply(Change::power(Power::Off)).await.unwrap();
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(1)).await;
    let printer = world.wait_printer(|printer| printer.outage.is_some()).await;
    assert_eq!(printer.outage.unwrap().trouble, Trouble::Off);
    assert!(!world.job(job).await.handed);
    device.apply(Change::mend()).await.unwrap();
    world.completed(job).await;
    assert_eq!(device.state().impressions, 1);
    let letters = world.notices(2).await.join("\n");
    assert!(letters.contains("cannot print now") && letters.contains("Printed"), "{letters}");
}

#[tokio::test]
async fn a07_an_empty_tray_stops_what_needs_its_paper_and_nothing_else() {
    let (device, _pages) = device(|_| {}).await;
    device.apply(Change::sheets("tray-1", 0)).await.unwrap();
    let world = World::new(&device.ipp_uri()).await;
    let a4 = world.submit("a4.pdf", PDF, &samples::pdf(1)).await;
    let printer = world.wait_printer(|printer| printer.outage.is_some()).await;
    let Trouble::NoPaper { tray, media } = printer.outage.unwrap().trouble else { panic!("not out of paper") };
    assert!(tray.is_some());
    assert_eq!(media.as_deref(), Some("iso_a4_210x297mm"));
    let options = JobOptions { media: Some("iso_a5_148x210mm".into()), ..JobOptions::default() };
    let a5 = world.submit_with("a5.pdf", PDF, &samples::pdf(1), options).await;
    world.completed(a5).await;
    assert_eq!(world.job(a4).await.state, JobState::Pending);
    device.apply(Change::sheets("tray-1", 100)).await.unwrap();
    world.completed(a4).await;
}

#[tokio::test]
async fn p2_a_job_that_stands_still_at_the_printer_is_waited_for_and_never_sent_again() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"jam_at_page":3}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(4)).await;
    let stopped = world.wait(job, |job| job.state == JobState::ProcessingStopped).await;
    assert!(stopped.doubt.is_none());
    let printer = world.wait_printer(|printer| printer.outage.is_some()).await;
    assert_eq!(printer.outage.unwrap().trouble, Trouble::Jam);
    set(&device, r#"{"jammed":false}"#).await;
    let job = world.completed(job).await;
    assert_eq!(job.attempts, 1);
    let state = device.state();
    assert_eq!((state.jobs.len(), state.impressions), (1, 4));
    assert!(world.wait_printer(|printer| printer.outage.is_none()).await.condition.troubles().is_empty());
}

#[tokio::test]
async fn p1_a_printer_that_loses_power_in_a_job_leaves_a_doubt_with_its_pages() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"jam_at_page":3}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(4)).await;
    world.wait(job, |job| job.state == JobState::ProcessingStopped).await;
    device.apply(Change::power(Power::Off)).await.unwrap();
    world.wait_printer(|printer| printer.condition.reachability == Reachability::Silent).await;
    device.apply(Change::mend()).await.unwrap();
    let doubtful = world.wait(job, |job| job.doubt.is_some()).await;
    let doubt = doubtful.doubt.unwrap();
    assert_eq!((doubt.certain, doubt.possible), (2, 4));
    let letter = world.notices(1).await.join("\n");
    assert!(letter.contains("Did it print?"), "{letter}");

    let decide = JobEvent::Decide(DoubtDecision::PrintFrom(3));
    world.spooler.job_event(Whose::Everyones, job, decide, Some("anna")).await.unwrap();
    let job = world.completed(job).await;
    assert_eq!(job.attempts, 2);
    // The sheet that says it is a reprint, and pages 3 and 4.
    assert_eq!(device.state().jobs[0].impressions_completed, 3);
}

#[tokio::test]
async fn a_printer_that_prints_and_forgets_leaves_a_doubt() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"forget_after_print":true}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    let job = world.wait(job, |job| job.doubt.is_some()).await;
    assert_eq!(job.doubt.unwrap().possible, 2);
    assert_eq!(device.state().impressions, 2);
}

#[tokio::test]
async fn a_line_that_drops_in_a_document_prints_nothing_twice() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"drop_line":{"at_octet":500,"times":1}}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    let job = world.wait(job, |job| job.is_over() || job.doubt.is_some()).await;
    assert_eq!(job.state, JobState::Completed, "the printer proves that no sheet came out: {job:#?}");
    assert_eq!(device.state().impressions, 2);
    assert_eq!(job.attempts, 2);
}

#[tokio::test]
async fn a_printer_that_says_completed_is_believed_no_further_than_it_counts() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"lie":"never-completed"}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    let job = world.wait(job, |job| job.doubt.is_some() || job.is_over()).await;
    assert_eq!(job.doubt.map(|doubt| doubt.certain), Some(2));
}

#[tokio::test]
async fn a_busy_printer_gets_the_job_when_it_is_free() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"busy":true}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(1)).await;
    world.wait(job, |job| job.handed).await;
    set(&device, r#"{"busy":false}"#).await;
    let job = world.completed(job).await;
    assert_eq!((job.attempts, device.state().impressions), (1, 1));
}

#[tokio::test]
async fn answers_that_make_no_sense_are_the_printers_fault_and_bounded() {
    let (device, _pages) = device(|_| {}).await;
    let world = World::new(&device.ipp_uri()).await;
    for (kind, off) in [("nonsense", false), ("endless", false), ("half", false), ("never", true)] {
        let json = format!(r#"{{"answer":{{"kind":"{kind}","operations":["Get-Printer-Attributes"]}}}}"#);
        set(&device, &json).await;
        let printer = world.delivery.ask_and_note(&world.spooler, &world.printer().await).await.unwrap();
        match printer.condition.reachability {
            Reachability::Faulty { what } => assert!(!off && what.ends_with('.'), "{kind}: {what}"),
            Reachability::Silent => assert!(off, "{kind}"),
            other => panic!("{kind}: {other:?}"),
        }
    }
    set(&device, r#"{"answer":null}"#).await;
    let printer = world.delivery.ask_and_note(&world.spooler, &world.printer().await).await.unwrap();
    assert_eq!(printer.condition.reachability, Reachability::Answering);
}

#[tokio::test]
async fn a_reply_to_create_job_that_is_lost_leaves_no_empty_job_and_one_print() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"answer":{"kind":"half","operations":["Create-Job"],"times":1}}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(1)).await;
    let job = world.completed(job).await;
    assert_eq!(job.attempts, 2);
    let state = device.state();
    assert_eq!(state.impressions, 1);
    let states: Vec<_> = state.jobs.iter().map(|job| job.state.as_str()).collect();
    assert_eq!(states, ["completed", "canceled"]);
}

#[tokio::test]
async fn a_reply_to_send_document_that_is_lost_is_no_reason_to_print_twice() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"answer":{"kind":"half","operations":["Send-Document"],"times":1}}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    let job = world.completed(job).await;
    assert_eq!((job.attempts, device.state().impressions), (1, 2));
}

#[tokio::test]
async fn a_job_can_be_cancelled_while_it_prints() {
    let (device, _pages) = device(|_| {}).await;
    set(&device, r#"{"jam_at_page":2}"#).await;
    let world = World::new(&device.ipp_uri()).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(3)).await;
    world.wait(job, |job| job.state == JobState::ProcessingStopped).await;
    world.spooler.job_event(Whose::Everyones, job, JobEvent::Cancel("anna".into()), Some("anna")).await.unwrap();
    let job = world.wait(job, |job| job.is_over()).await;
    assert_eq!(job.state, JobState::Canceled);
    assert_eq!(world.attempts(job.uuid).await[0].state, AttemptState::Canceled);
    assert_eq!(device.state().jobs[0].state, "canceled");
}

/// Dies at a crash point, starts again, and counts what came out.
async fn dies_at(point: &'static str) -> (tympan_engine::Job, u64) {
    let (device, _pages) = device(|_| {}).await;
    let (crash, hit) = crash_at(point);
    let mut world = World::with(&device.ipp_uri(), |_| {}, crash).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    wait_for(&hit).await;
    world.restart().await;
    let job = world.wait(job, |job| job.is_over() || job.doubt.is_some()).await;
    (job, device.state().impressions)
}

#[tokio::test]
async fn c4_dead_while_a_worker_looks_at_it_the_job_prints_once() {
    let (job, impressions) = dies_at("C4").await;
    assert_eq!((job.state, impressions), (JobState::Completed, 2));
}

#[tokio::test]
async fn c5_dead_when_the_job_is_ready_it_prints_once() {
    let (job, impressions) = dies_at("C5").await;
    assert_eq!((job.state, impressions), (JobState::Completed, 2));
}

#[tokio::test]
async fn c11_dead_before_create_job_it_prints_once() {
    let (job, impressions) = dies_at("C11").await;
    assert_eq!((job.state, job.attempts, impressions), (JobState::Completed, 2, 2));
}

#[tokio::test]
async fn c12_dead_after_create_job_it_prints_once() {
    let (job, impressions) = dies_at("C12").await;
    assert_eq!((job.state, job.attempts, impressions), (JobState::Completed, 2, 2));
}

#[tokio::test]
async fn c13_dead_in_the_middle_of_the_document_it_prints_once() {
    let (job, impressions) = dies_at("C13").await;
    assert_eq!((job.state, impressions), (JobState::Completed, 2), "{job:#?}");
}

/// Cancel-Job, as an earlier life of the server sent it before it could write down that it had.
async fn cancel_job(device: &VirtualPrinter, id: i32) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let uri = device.ipp_uri();
    let body = Message::request(Operation::CancelJob, 1, &uri)
        .operation("job-id", id)
        .operation("requesting-user-name", Value::name("tympan"))
        .encode();
    let head = format!(
        "POST /ipp/print HTTP/1.1\r\nHost: printer\r\nContent-Type: application/ipp\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(device.ipp_address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(device.state().jobs[0].state, "canceled");
}

#[tokio::test]
async fn c13_dead_again_while_it_withdraws_the_rest_the_job_prints_once() {
    let (device, _pages) = device(|_| {}).await;
    let (crash, hit) = crash_at("C13");
    let mut world = World::with(&device.ipp_uri(), |_| {}, crash).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    wait_for(&hit).await;
    cancel_job(&device, device.state().jobs[0].id).await;
    world.restart().await;
    let job = world.wait(job, |job| job.is_over() || job.doubt.is_some()).await;
    assert_eq!((job.state, device.state().impressions), (JobState::Completed, 2), "{job:#?}");
}

#[tokio::test]
async fn c14_dead_after_the_last_octet_the_printers_job_is_found_again() {
    let (job, impressions) = dies_at("C14").await;
    assert_eq!((job.state, job.attempts, impressions), (JobState::Completed, 1, 2));
}

#[tokio::test]
async fn a09_print_data_is_stored_while_the_printer_is_away_and_can_still_be_cut() {
    let (device, _pages) = device(|options| options.renderer = None).await;
    let world = World::new(&device.ipp_uri()).await;
    world.policy(|policy| policy.stored_form = StoredForm::PrintData).await;
    let printer = world.delivery.ask_and_note(&world.spooler, &world.printer().await).await.unwrap();
    assert!(!printer.profile.unwrap().takes(PDF));
    device.apply(Change::power(Power::Off)).await.unwrap();
    let job = world.submit("x.pdf", PDF, &samples::pdf(3)).await;
    let waiting = world.wait(job, |job| job.rendition.is_some()).await;
    let rendition = waiting.rendition.unwrap();
    assert_eq!((rendition.format.as_str(), rendition.pages), ("image/pwg-raster", 3));
    assert_eq!(waiting.documents[0].id, rendition.id, "what it was made from is given back");
    device.apply(Change::mend()).await.unwrap();
    set(&device, r#"{"forget_after_print":true}"#).await;
    world.wait(job, |job| job.doubt.is_some()).await;
    set(&device, r#"{"forget_after_print":false}"#).await;
    let decide = JobEvent::Decide(DoubtDecision::PrintFrom(2));
    world.spooler.job_event(Whose::Everyones, job, decide, Some("anna")).await.unwrap();
    // The mark needs a worker of the server's, not of the printer's.
    let job = world.completed(job).await;
    assert_eq!(job.attempts, 3, "one found it off, one was forgotten, one printed");
    assert_eq!(device.state().jobs[0].impressions_completed, 3, "the mark, pages 2 and 3");
}

#[tokio::test]
async fn a_paused_printer_is_left_alone() {
    let (device, _pages) = device(|_| {}).await;
    let world = World::new(&device.ipp_uri()).await;
    world.spooler.printer_event(Whose::Everyones, world.printer.uuid, PrinterEvent::Pause, None).await.unwrap();
    let job = world.submit("x.pdf", PDF, &samples::pdf(1)).await;
    world.wait(job, |job| job.ready).await;
    assert_eq!(device.state().jobs.len(), 0);
    world.spooler.printer_event(Whose::Everyones, world.printer.uuid, PrinterEvent::Resume, None).await.unwrap();
    world.completed(job).await;
}
