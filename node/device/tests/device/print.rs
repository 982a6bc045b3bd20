//! Documents go in over real sockets, pages come out.

use crate::common::{Rig, jpeg, page, pdf, raster, raster_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tympan_device::{DeviceEvent, Side};
use tympan_ipp::{GroupTag, Operation, StatusCode, Value};
use tympan_raster::sheet_back::{SheetBack, Sides, Transform};

const RASTER: &str = "image/pwg-raster";

#[tokio::test]
async fn a_raster_comes_out_as_png_and_pdf() {
    let rig = Rig::start().await;
    let mut events = rig.printer.events();
    let id = rig.print(RASTER, &raster(3)).await;
    assert_eq!(rig.ended(id).await, "completed");
    assert_eq!(rig.files().await, ["job-0001-p001.png", "job-0001-p002.png", "job-0001-p003.png", "job-0001.pdf"]);
    let second = page(&rig.folder.path().join("job-0001-p002.png"));
    assert_eq!((second.width(), second.height()), (620, 877));
    assert_eq!((second.get_pixel(5, 110).0, second.get_pixel(5, 130).0), ([2], [255]));
    for number in 1..=3 {
        let DeviceEvent::Page(printed) = events.recv().await.unwrap() else { panic!("a page was expected") };
        assert_eq!((printed.impression, printed.sheet, printed.side), (number, number, Side::Front));
        assert!(rig.folder.path().join(&printed.file).exists(), "the file is there before its event");
    }
    assert_eq!(events.recv().await.unwrap(), DeviceEvent::JobEnded { job_id: id, state: Some("completed".into()) });
    let (state, reasons) = rig.job_state(id).await;
    assert_eq!((state, reasons), (9, vec!["job-completed-successfully".to_owned()]));
    let state = rig.printer.state();
    assert_eq!((state.sheets, state.trays[0].sheets, state.markers[3].percent), (3, 247, 100));
}

#[tokio::test]
async fn copies_and_both_sides_take_the_sheets_they_need() {
    let rig = Rig::start().await;
    let id = rig
        .print_with(RASTER, &raster(3), |message| {
            message.job("copies", 2).job("sides", Value::keyword("two-sided-long-edge"))
        })
        .await;
    assert_eq!(rig.ended(id).await, "completed");
    let state = rig.printer.state();
    let mut pages = state.pages.clone();
    pages.reverse();
    let shape: Vec<_> = pages.iter().map(|p| (p.copy, p.document_page, p.sheet, p.side == Side::Back)).collect();
    assert_eq!(
        shape,
        [(1, 1, 1, false), (1, 2, 1, true), (1, 3, 2, false), (2, 1, 3, false), (2, 2, 3, true), (2, 3, 4, false)]
    );
    assert_eq!((state.trays[0].sheets, rig.pages().len()), (246, 6));
    let job = state.job(id).unwrap();
    assert_eq!((job.impressions, job.impressions_completed, job.sheets_completed), (Some(6), 6, 4));
}

#[tokio::test]
async fn a_back_side_that_was_sent_turned_is_shown_upright() {
    let rig = Rig::with(|options| options.sheet_back = SheetBack::Rotated).await;
    let turned = raster_with(2, |page, header| {
        if page == 2 {
            header.transform = Transform::of_back(SheetBack::Rotated, Sides::TwoSidedLongEdge);
        }
    });
    let sides = Value::keyword("two-sided-long-edge");
    let id = rig.print_with(RASTER, &turned, |message| message.job("sides", sides)).await;
    assert_eq!(rig.ended(id).await, "completed");
    let back = page(&rig.folder.path().join("job-0001-p002.png"));
    assert_eq!(back.get_pixel(5, 877 - 1 - 110).0, [2]);
    assert_eq!(
        rig.printer_attributes(&["pwg-raster-document-sheet-back"]).await.strings("pwg-raster-document-sheet-back"),
        ["rotated"]
    );
}

#[tokio::test]
async fn apple_raster_is_read_too() {
    use tympan_raster::{PixelType, urf};
    let (mut encoder, mut out) = (urf::Encoder::new(), Vec::new());
    encoder.start(1, &mut out);
    encoder.page(&urf::PageHeader::new(PixelType::SRGB_8, 620, 877, 75), &mut out).unwrap();
    encoder.lines(&[0x80; 620 * 877 * 3], &mut out).unwrap();
    encoder.end_page(&mut out).unwrap();
    let rig = Rig::start().await;
    let id = rig.print("image/urf", &out).await;
    assert_eq!(rig.ended(id).await, "completed");
    assert_eq!(page(&rig.folder.path().join("job-0001-p001.png")).get_pixel(3, 3).0, [0x80]);
}

#[tokio::test]
async fn pages_of_a_pdf_are_chosen_by_page_ranges() {
    let rig = Rig::start().await;
    let ranges = [Value::range(1, 1), Value::range(4, 9)];
    let id = rig.print_with("application/pdf", &pdf(5), |message| message.job("page-ranges", ranges)).await;
    assert_eq!(rig.ended(id).await, "completed");
    let mut pages: Vec<u32> = rig.printer.state().pages.iter().map(|p| p.document_page).collect();
    pages.reverse();
    assert_eq!(pages, [1, 4, 5]);
    let first = image::open(rig.folder.path().join("job-0001-p001.png")).unwrap().to_rgb8();
    assert_eq!((first.width(), first.height()), (2480, 3508));
    let red = first.get_pixel(500, 3508 - 800);
    assert!(red[0] > 200 && red[1] < 60, "the red square is where the PDF puts it: {red:?}");
}

#[tokio::test]
async fn jpeg_and_text_are_laid_out_on_the_paper() {
    let rig = Rig::start().await;
    let id = rig
        .print_with("image/jpeg", &jpeg(400, 600, [20, 200, 20]), |message| {
            message
                .job("print-color-mode", Value::keyword("monochrome"))
                .job("media", Value::keyword("iso_a5_148x210mm"))
        })
        .await;
    assert_eq!(rig.ended(id).await, "completed");
    let text = rig.print("text/plain", "Grüße\nこんにちは\n".as_bytes()).await;
    assert_eq!(rig.ended(text).await, "completed");
    let state = rig.printer.state();
    assert_eq!((state.pages[1].media_label.as_str(), state.pages[1].tray.as_str()), ("A5", "tray-2"));
    assert_eq!(state.pages[0].media_label, "A4");
    let cover = state.pages[1].coverage;
    assert!(cover.black > 0 && cover.cyan == 0, "monochrome puts down black only: {cover:?}");
    let lines = page(&rig.folder.path().join("job-0002-p001.png"));
    assert!(lines.pixels().any(|p| p.0[0] < 100), "the text left ink");
}

#[tokio::test]
async fn a_compressed_document_is_unpacked_within_its_limit() {
    use std::io::Write;
    let rig = Rig::with(|options| options.document_octets_max = 1 << 20).await;
    let document = raster(2);
    let pack = |octets: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(octets).unwrap();
        gzip.finish().unwrap()
    };
    let compression = Value::keyword("gzip");
    let id = rig.print_with(RASTER, &pack(&document), |m| m.operation("compression", compression.clone())).await;
    assert_eq!(rig.ended(id).await, "completed");
    let request = rig.request(Operation::PrintJob).operation("compression", compression);
    let bomb = rig.send(&request, &pack(&vec![0; 2 << 20])).await;
    assert_eq!(bomb.status(), StatusCode::ClientErrorRequestEntityTooLarge);
    let damaged = rig.send(&request, b"this is no gzip").await;
    assert_eq!(damaged.status(), StatusCode::ClientErrorCompressionError);
    assert_eq!(rig.printer.state().queued_jobs, 0, "refused documents leave no job behind");
}

#[tokio::test]
async fn a_raw_connection_is_a_job() {
    let rig = Rig::start().await;
    for document in [raster(1), pdf(1), b"hello\n".to_vec()] {
        let mut stream = tokio::net::TcpStream::connect(rig.printer.raw_address().unwrap()).await.unwrap();
        stream.write_all(&document).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
    }
    rig.printer.wait_for(|state| state.impressions == 3 && state.queued_jobs == 0).await.unwrap();
    drop(tokio::net::TcpStream::connect(rig.printer.raw_address().unwrap()).await.unwrap());
    assert_eq!(rig.pages().len(), 3, "a connection without a document is no job");
}

#[tokio::test]
async fn create_send_and_close_make_one_job() {
    let rig = Rig::start().await;
    let created = rig.send(&rig.request(Operation::CreateJob), b"").await;
    assert_eq!(
        created.job("job-state-reasons").strings().collect::<Vec<_>>(),
        ["job-incoming", "job-data-insufficient"]
    );
    let id = created.job("job-id").integer().unwrap();
    let send =
        |last: bool| rig.request(Operation::SendDocument).operation("job-id", id).operation("last-document", last);
    assert_eq!(rig.send(&send(false), &raster(1)).await.status(), StatusCode::SuccessfulOk);
    assert_eq!(
        rig.send(&send(false), &raster(1)).await.status(),
        StatusCode::ServerErrorMultipleDocumentJobsNotSupported
    );
    assert_eq!(rig.printer.state().job(id).unwrap().state, "pending", "an open job does not print");
    assert_eq!(rig.send(&send(true), b"").await.status(), StatusCode::SuccessfulOk);
    assert_eq!(rig.ended(id).await, "completed");
    assert_eq!(rig.pages(), ["job-0001-p001.png"]);
    assert_eq!(rig.send(&send(true), b"").await.status(), StatusCode::ClientErrorNotPossible);
    let close = rig.request(Operation::CloseJob).operation("job-id", 77);
    assert_eq!(rig.send(&close, b"").await.status(), StatusCode::ClientErrorNotFound);
}

#[tokio::test]
async fn what_a_job_may_not_ask_is_told_or_refused() {
    let rig = Rig::start().await;
    let request = |fidelity: bool| {
        rig.request(Operation::ValidateJob)
            .operation("ipp-attribute-fidelity", fidelity)
            .job("copies", 2)
            .job("number-up", 4)
            .job("sides", Value::keyword("three-sided"))
    };
    let lenient = rig.send(&request(false), b"").await;
    assert_eq!(lenient.status(), StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes);
    assert_eq!(lenient.0.get(GroupTag::Unsupported, "number-up").unwrap().values, [Value::Unsupported]);
    assert_eq!(lenient.0.get(GroupTag::Unsupported, "sides").unwrap().string(), Some("three-sided"));
    assert!(lenient.0.get(GroupTag::Unsupported, "copies").is_none());
    let strict = rig.send(&request(true), b"").await;
    assert_eq!(strict.status(), StatusCode::ClientErrorAttributesOrValuesNotSupported);
    let format = rig.request(Operation::PrintJob).operation("document-format", Value::mime_media_type("image/tiff"));
    assert_eq!(rig.send(&format, b"II*").await.status(), StatusCode::ClientErrorDocumentFormatNotSupported);
    assert_eq!(rig.printer.state().jobs.len(), 0);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_aborts_its_job_alone() {
    let rig = Rig::start().await;
    let mut broken = raster(2);
    broken.truncate(broken.len() - 3);
    for (format, document) in
        [(RASTER, broken), ("application/pdf", b"%PDF-1.4 nothing".to_vec()), (RASTER, Vec::new())]
    {
        let id = rig.print(format, &document).await;
        assert_eq!(rig.ended(id).await, "aborted");
        assert!(rig.job_state(id).await.1.contains(&"document-format-error".to_owned()));
    }
    assert_eq!(rig.pages(), ["job-0001-p001.png"], "whole pages before the damage are printed");
    let good = rig.print(RASTER, &raster(1)).await;
    assert_eq!(rig.ended(good).await, "completed");
    let files = rig.files().await;
    assert!(files.iter().all(|name| !name.starts_with('.')), "nothing half done is left: {files:?}");
}

#[tokio::test]
async fn jobs_are_listed_filtered_and_canceled() {
    let rig = Rig::start().await;
    rig.printer.apply(serde_json::from_str(r#"{"cover_open":true}"#).unwrap()).await.unwrap();
    let ids = [rig.print(RASTER, &raster(1)).await, rig.print(RASTER, &raster(1)).await];
    let list = |which: &str, user: &str, limit: i32| {
        let request = rig
            .request(Operation::GetJobs)
            .operation("which-jobs", Value::keyword(which))
            .operation("my-jobs", user == "anna")
            .operation("limit", limit);
        let rig = &rig;
        async move {
            let reply = rig.send(&request, b"").await;
            let ids = reply.0.groups(GroupTag::Job).map(|group| group.get("job-id").unwrap().integer().unwrap());
            ids.collect::<Vec<_>>()
        }
    };
    assert_eq!(list("not-completed", "", 10).await, ids);
    assert_eq!(list("not-completed", "anna", 1).await, ids[..1]);
    assert_eq!(list("completed", "", 10).await, [0; 0]);
    assert_eq!(rig.job_state(ids[0]).await, (3, vec!["printer-stopped".to_owned()]));
    let cancel = rig.request(Operation::CancelJob).operation("job-id", ids[0]);
    assert_eq!(rig.send(&cancel, b"").await.status(), StatusCode::SuccessfulOk);
    assert_eq!(rig.send(&cancel, b"").await.status(), StatusCode::ClientErrorNotPossible);
    let both = rig.request(Operation::CancelMyJobs).operation("job-ids", Value::integers(ids));
    assert_eq!(rig.send(&both, b"").await.status(), StatusCode::ClientErrorNotPossible);
    assert_eq!(list("not-completed", "", 10).await, ids[1..], "one that cannot be canceled saves them all");
    assert_eq!(rig.send(&rig.request(Operation::CancelMyJobs), b"").await.status(), StatusCode::SuccessfulOk);
    assert_eq!(list("completed", "", 10).await.len(), 2);
    assert!(rig.pages().is_empty());
}

#[tokio::test]
async fn attributes_come_as_asked_for() {
    let rig = Rig::start().await;
    let all = rig.printer_attributes(&["all"]).await;
    assert!(all.0.get(GroupTag::Printer, "media-col-database").is_none());
    let mut names: Vec<&str> =
        all.0.group(GroupTag::Printer).unwrap().attributes.iter().map(|a| a.name.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "each attribute comes once");
    let some = rig.printer_attributes(&["media-col-database", "printer-state", "no-such-thing"]).await;
    assert_eq!(some.0.group(GroupTag::Printer).unwrap().attributes.len(), 2);
    let template = rig.printer_attributes(&["job-template"]).await;
    assert!(template.0.get(GroupTag::Printer, "media-ready").is_some());
    assert!(template.0.get(GroupTag::Printer, "printer-name").is_none());
}

#[tokio::test]
async fn a_restart_on_the_same_folder_overwrites_nothing() {
    let first = Rig::start().await;
    let id = first.print(RASTER, &raster(1)).await;
    first.ended(id).await;
    let Rig { printer, folder, .. } = first;
    printer.shutdown().await;
    let second = Rig::with(|options| options.folder = folder.path().to_owned()).await;
    assert_eq!(second.print(RASTER, &raster(1)).await, id + 1);
}
