//! Everything the printer can do wrong, seen from its clients.

use crate::common::{Rig, raster};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tympan_device::model::{Change, MarkerColor, Power};
use tympan_http::ClientError;
use tympan_ipp::{Operation, StatusCode, Value};

const RASTER: &str = "image/pwg-raster";

async fn apply(rig: &Rig, json: &str) {
    rig.printer.apply(serde_json::from_str::<Change>(json).unwrap()).await.unwrap();
}

#[tokio::test]
async fn off_refuses_connections_and_forgets_jobs() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"cover_open":true}"#).await;
    let id = rig.print(RASTER, &raster(1)).await;
    let mut idle = tokio::net::TcpStream::connect(rig.printer.ipp_address()).await.unwrap();
    rig.printer.apply(Change::power(Power::Off)).await.unwrap();
    let refused = rig.try_send(&rig.request(Operation::GetPrinterAttributes), b"").await;
    assert!(matches!(refused, Err(ClientError::Refused { .. })), "off must refuse");
    assert!(tokio::net::TcpStream::connect(rig.printer.raw_address().unwrap()).await.is_err());
    let mut rest = Vec::new();
    assert_eq!(idle.read_to_end(&mut rest).await.unwrap_or(0), 0, "open connections are cut");
    rig.printer.apply(Change::mend()).await.unwrap();
    let gone = rig.send(&rig.request(Operation::GetJobAttributes).operation("job-id", id), b"").await;
    assert_eq!(gone.status(), StatusCode::ClientErrorNotFound);
    let next = rig.print(RASTER, &raster(1)).await;
    assert!(next > id);
    assert_eq!(rig.ended(next).await, "completed");
}

#[tokio::test]
async fn off_in_the_middle_of_a_job_leaves_the_pages_that_were_out() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"jam_at_page":3}"#).await;
    rig.print(RASTER, &raster(4)).await;
    rig.printer.wait_for(|state| state.faults.jammed).await.unwrap();
    rig.printer.apply(Change::power(Power::Off)).await.unwrap();
    rig.printer.apply(Change::mend()).await.unwrap();
    let id = rig.print(RASTER, &raster(1)).await;
    rig.ended(id).await;
    assert_eq!(
        rig.files().await,
        ["job-0001-p001.png", "job-0001-p002.png", "job-0001.pdf", "job-0002-p001.png", "job-0002.pdf"]
    );
}

#[tokio::test]
async fn paper_runs_out_and_the_job_goes_on_when_it_is_back() {
    let rig = Rig::start().await;
    rig.printer.apply(Change::sheets("tray-1", 2)).await.unwrap();
    let id = rig.print(RASTER, &raster(3)).await;
    let stopped = rig.printer.wait_for(|state| state.has_reason("media-needed")).await.unwrap();
    assert_eq!((stopped.state.as_str(), stopped.impressions), ("stopped", 2));
    let told =
        rig.printer_attributes(&["printer-state", "printer-state-reasons", "media-ready", "printer-input-tray"]).await;
    assert_eq!(told.printer("printer-state").enum_(), Some(5));
    assert!(told.strings("printer-state-reasons").contains(&"media-empty-error".to_owned()));
    assert_eq!(told.strings("media-ready"), ["iso_a5_148x210mm"]);
    let tray = String::from_utf8_lossy(told.printer("printer-input-tray").octet_string().unwrap()).into_owned();
    assert!(tray.contains("level=0;") && tray.contains("name=tray-1;"), "{tray}");
    assert_eq!(rig.job_state(id).await, (6, vec!["printer-stopped".to_owned()]));
    rig.printer.apply(Change::sheets("tray-1", 250)).await.unwrap();
    assert_eq!(rig.ended(id).await, "completed");
    assert_eq!(rig.pages().len(), 3);
}

#[tokio::test]
async fn an_empty_colour_a_cover_and_a_jam_stop_and_are_mended() {
    for (fault, reason, mended) in [
        (r#"{"markers":{"black":0}}"#, "marker-supply-empty-error", r#"{"markers":{"black":100}}"#),
        (r#"{"cover_open":true}"#, "cover-open-error", r#"{"cover_open":false}"#),
        (r#"{"jammed":true}"#, "media-jam-error", r#"{"jammed":false}"#),
    ] {
        let rig = Rig::start().await;
        apply(&rig, fault).await;
        let told = rig.printer_attributes(&["printer-state-reasons", "marker-levels", "marker-names"]).await;
        assert_eq!(told.strings("printer-state-reasons"), [reason]);
        let id = rig.print(RASTER, &raster(1)).await;
        assert_eq!(rig.job_state(id).await.0, 3);
        apply(&rig, mended).await;
        assert_eq!(rig.ended(id).await, "completed");
        assert_eq!(rig.printer.state().reasons, ["none"]);
    }
}

#[tokio::test]
async fn levels_are_told_for_each_colour() {
    let rig = Rig::start().await;
    rig.printer.apply(Change::toner(MarkerColor::Magenta, 7)).await.unwrap();
    let told =
        rig.printer_attributes(&["marker-levels", "marker-colors", "printer-state-reasons", "printer-supply"]).await;
    assert_eq!(told.printer("marker-levels").integers().collect::<Vec<_>>(), [100, 7, 100, 100]);
    assert_eq!(told.strings("printer-state-reasons"), ["marker-supply-low-warning"]);
    let supply: Vec<String> = told
        .printer("printer-supply")
        .values
        .iter()
        .map(|v| if let Value::OctetString(o) = v { String::from_utf8_lossy(o).into_owned() } else { String::new() })
        .collect();
    assert!(supply[1].contains("level=7;colorantname=magenta;"), "{supply:?}");
}

#[tokio::test]
async fn a_jam_at_page_k_stops_there_and_prints_that_page_after() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"jam_at_page":2}"#).await;
    let id = rig.print(RASTER, &raster(3)).await;
    let jammed = rig.printer.wait_for(|state| state.faults.jammed).await.unwrap();
    assert_eq!((jammed.impressions, rig.pages().len()), (1, 1));
    assert_eq!(rig.job_state(id).await.0, 6);
    apply(&rig, r#"{"jammed":false}"#).await;
    assert_eq!(rig.ended(id).await, "completed");
    let state = rig.printer.state();
    assert_eq!((state.impressions, state.trays[0].sheets), (3, 246), "the jammed sheet is lost");
}

#[tokio::test]
async fn a_stopped_job_can_be_canceled() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"jam_at_page":2}"#).await;
    let id = rig.print(RASTER, &raster(3)).await;
    rig.printer.wait_for(|state| state.faults.jammed).await.unwrap();
    rig.send(&rig.request(Operation::CancelJob).operation("job-id", id), b"").await;
    assert_eq!(rig.ended(id).await, "canceled");
    assert_eq!(rig.pages().len(), 1);
}

#[tokio::test]
async fn slow_pages_come_one_after_another() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"slow_page_millis":3600000}"#).await;
    let id = rig.print(RASTER, &raster(2)).await;
    let printing = rig.printer.wait_for(|state| state.printing == Some(id)).await.unwrap();
    assert_eq!((printing.state.as_str(), printing.impressions), ("processing", 0));
    rig.printer.apply(Change::power(Power::Off)).await.unwrap();
    assert!(rig.pages().is_empty(), "the page in the machine is lost with the power");
}

#[tokio::test]
async fn the_line_is_cut_at_an_octet_and_whole_pages_before_it_come_out() {
    let rig = Rig::start().await;
    let document = raster(3);
    let cut_at = document.len() - 10;
    apply(&rig, &format!(r#"{{"drop_line":{{"at_octet":{cut_at},"times":1}}}}"#)).await;
    let request = rig.request(Operation::PrintJob).operation("document-format", Value::mime_media_type(RASTER));
    let outcome = rig.try_send(&request, &document).await;
    assert!(outcome.is_err(), "no answer comes over a cut line");
    assert_eq!(rig.ended(1).await, "aborted");
    assert!(rig.job_state(1).await.1.contains(&"submission-interrupted".to_owned()));
    assert_eq!(rig.pages(), ["job-0001-p001.png", "job-0001-p002.png"]);
    let again = rig.print(RASTER, &document).await;
    assert_eq!(rig.ended(again).await, "completed", "once means once");
}

#[tokio::test]
async fn the_raw_line_is_cut_too() {
    let rig = Rig::start().await;
    let document = raster(2);
    let cut_at = document.len() - 10;
    apply(&rig, &format!(r#"{{"drop_line":{{"at_octet":{cut_at}}}}}"#)).await;
    let mut stream = tokio::net::TcpStream::connect(rig.printer.raw_address().unwrap()).await.unwrap();
    stream.write_all(&document).await.unwrap();
    let mut rest = Vec::new();
    // Closed or reset, without a shutdown of ours.
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(rig.ended(1).await, "aborted");
    assert_eq!(rig.pages(), ["job-0001-p001.png"]);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_cut_job() {
    let rig = Rig::start().await;
    let mut octets = rig.request(Operation::PrintJob).encode();
    octets.extend_from_slice(&raster(1)[..1000]);
    let mut stream = tokio::net::TcpStream::connect(rig.printer.ipp_address()).await.unwrap();
    let head = format!(
        "POST /ipp/print HTTP/1.1\r\nHost: h\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
        octets.len() + 5_000
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&octets).await.unwrap();
    rig.printer.wait_for(|state| state.jobs.len() == 1).await.unwrap();
    drop(stream);
    assert_eq!(rig.ended(1).await, "aborted");
}

#[tokio::test]
async fn it_prints_and_forgets() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"forget_after_print":true}"#).await;
    let id = rig.print(RASTER, &raster(1)).await;
    rig.printer.wait_for(|state| state.impressions == 1 && state.jobs.is_empty()).await.unwrap();
    let gone = rig.send(&rig.request(Operation::GetJobAttributes).operation("job-id", id), b"").await;
    assert_eq!((gone.status(), rig.pages().len()), (StatusCode::ClientErrorNotFound, 1));
}

#[tokio::test]
async fn it_says_completed_and_prints_nothing() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"lie":"completed-unprinted"}"#).await;
    let id = rig.print(RASTER, &raster(2)).await;
    assert_eq!(rig.ended(id).await, "completed");
    let state = rig.printer.state();
    assert_eq!((state.impressions, state.sheets, state.job(id).unwrap().impressions_completed), (0, 0, 2));
    assert_eq!(rig.files().await, [""; 0]);
}

#[tokio::test]
async fn it_prints_and_never_says_completed() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"lie":"never-completed"}"#).await;
    let id = rig.print(RASTER, &raster(1)).await;
    rig.printer.wait_for(|state| state.impressions == 1 && state.printing.is_none()).await.unwrap();
    assert_eq!(rig.job_state(id).await, (5, vec!["job-printing".to_owned()]));
    apply(&rig, r#"{"lie":null}"#).await;
    assert_eq!(rig.ended(id).await, "completed");
}

#[tokio::test]
async fn it_is_busy_for_new_jobs_only() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"busy":true}"#).await;
    for operation in [Operation::PrintJob, Operation::ValidateJob, Operation::CreateJob] {
        // A large document must not hide the answer.
        let document = if operation == Operation::PrintJob { vec![b' '; 3 << 20] } else { Vec::new() };
        assert_eq!(rig.send(&rig.request(operation), &document).await.status(), StatusCode::ServerErrorBusy);
    }
    assert_eq!(rig.printer_attributes(&["printer-state"]).await.status(), StatusCode::SuccessfulOk);
}

#[tokio::test]
async fn a_half_answer_breaks_off_after_the_job_was_taken() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"answer":{"kind":"half","operations":["Print-Job"],"times":1}}"#).await;
    let request = rig.request(Operation::PrintJob);
    assert!(matches!(rig.try_send(&request, &raster(1)).await, Err(ClientError::Closed { .. })));
    assert_eq!(rig.ended(1).await, "completed");
    assert!(rig.printer.state().faults.answer.is_none(), "once means once");
    assert_eq!(rig.printer_attributes(&["printer-state"]).await.status(), StatusCode::SuccessfulOk);
}

#[tokio::test]
async fn endless_attributes_have_no_end() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"answer":{"kind":"endless"}}"#).await;
    let request = rig.request(Operation::GetPrinterAttributes);
    assert!(matches!(rig.try_send(&request, b"").await, Err(ClientError::AnswerTooLarge { .. })));
}

#[tokio::test]
async fn nonsense_is_no_ipp() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"answer":{"kind":"nonsense"}}"#).await;
    let octets = rig.request(Operation::GetPrinterAttributes).encode();
    let mut stream = tokio::net::TcpStream::connect(rig.printer.ipp_address()).await.unwrap();
    let head = format!(
        "POST /ipp/print HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/ipp\r\nContent-Length: {}\r\n\r\n",
        octets.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&octets).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert!(tympan_ipp::decode(&answer[at..], &tympan_ipp::Limits::RESPONSE).is_err());
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_with_the_power() {
    let rig = Rig::start().await;
    apply(&rig, r#"{"answer":{"kind":"never"}}"#).await;
    let request = rig.request(Operation::PrintJob);
    let document = raster(1);
    let waits = rig.try_send(&request, &document);
    let off = async {
        rig.printer.wait_for(|state| state.impressions == 1).await.unwrap();
        rig.printer.apply(Change::power(Power::Off)).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(waits, off);
    assert!(matches!(outcome, Err(ClientError::Closed { .. })), "the job printed, the answer never came");
}

#[tokio::test]
async fn it_takes_no_new_jobs_and_says_so() {
    let rig = Rig::start().await;
    let open = rig.send(&rig.request(Operation::CreateJob), b"").await.job("job-id").integer().unwrap();
    apply(&rig, r#"{"not_accepting":true}"#).await;
    assert_eq!(
        rig.printer_attributes(&["printer-is-accepting-jobs"]).await.printer("printer-is-accepting-jobs").boolean(),
        Some(false)
    );
    let refused = rig.send(&rig.request(Operation::CreateJob), b"").await;
    assert_eq!(refused.status(), StatusCode::ServerErrorNotAcceptingJobs);
    let send = rig.request(Operation::SendDocument).operation("job-id", open).operation("last-document", true);
    assert_eq!(rig.send(&send, &raster(1)).await.status(), StatusCode::SuccessfulOk, "a job that was taken goes on");
    assert_eq!(rig.ended(open).await, "completed");
}

#[tokio::test]
async fn a_printer_that_is_looked_for_shows_itself() {
    let rig = Rig::start().await;
    let mut events = rig.printer.events();
    let request = rig.request(Operation::IdentifyPrinter).operation("message", Value::text("Here!"));
    assert_eq!(rig.send(&request, b"").await.status(), StatusCode::SuccessfulOk);
    assert_eq!(events.recv().await.unwrap(), tympan_device::DeviceEvent::Identify { message: Some("Here!".into()) });
    assert_eq!(rig.printer.state().identify.as_deref(), Some("Here!"));
    let wrong = rig.request(Operation::IdentifyPrinter).operation("identify-actions", Value::keyword("dance"));
    assert_eq!(rig.send(&wrong, b"").await.status(), StatusCode::ClientErrorAttributesOrValuesNotSupported);
}
