//! Raw ports and folders.

use crate::common::{World, crash_at, device, samples, wait_for};
use tympan_device::model::{Change, Power};
use tympan_engine::{Evidence, Outcome};
use tympan_ipp::JobState;

const PDF: &str = "application/pdf";

#[tokio::test]
async fn a_raw_port_takes_a_document_and_says_no_more() {
    let (device, _pages) = device(|_| {}).await;
    let world = World::new(&format!("socket://{}", device.raw_address().unwrap())).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    let job = world.completed(job).await;
    assert_eq!(job.outcome, Some(Outcome::Printed { evidence: Evidence::E1 }));
    device.wait_for(|state| state.impressions == 2).await.unwrap();
}

#[tokio::test]
async fn a_raw_port_that_is_off_is_waited_for() {
    let (device, _pages) = device(|_| {}).await;
    device.apply(Change::power(Power::Off)).await.unwrap();
    let world = World::new(&format!("socket://{}", device.raw_address().unwrap())).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(1)).await;
    world.wait_printer(|printer| printer.outage.is_some()).await;
    device.apply(Change::mend()).await.unwrap();
    world.completed(job).await;
}

#[tokio::test]
async fn p4_dead_while_a_raw_port_takes_the_document_is_a_doubt() {
    let (device, _pages) = device(|_| {}).await;
    let (crash, hit) = crash_at("C13");
    let mut world = World::with(&format!("socket://{}", device.raw_address().unwrap()), |_| {}, crash).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    wait_for(&hit).await;
    world.restart().await;
    let job = world.wait(job, |job| job.doubt.is_some() || job.is_over()).await;
    assert_eq!(job.doubt.map(|doubt| doubt.possible), Some(2));
}

#[tokio::test]
async fn p4_dead_before_a_raw_port_was_written_to_it_prints_once() {
    let (device, _pages) = device(|_| {}).await;
    let (crash, hit) = crash_at("C11");
    let mut world = World::with(&format!("socket://{}", device.raw_address().unwrap()), |_| {}, crash).await;
    let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
    wait_for(&hit).await;
    world.restart().await;
    world.completed(job).await;
    device.wait_for(|state| state.impressions == 2).await.unwrap();
}

#[tokio::test]
async fn a_folder_gets_one_file_a_job() {
    let out = tempfile::tempdir().unwrap();
    let world = World::new(&format!("folder:{}", out.path().display())).await;
    let job = world.submit("../x.pdf", PDF, &samples::pdf(2)).await;
    let job = world.completed(job).await;
    assert_eq!(job.outcome, Some(Outcome::Printed { evidence: Evidence::E2 }));
    let file = out.path().join(format!("{}-_x.pdf", job.short()));
    assert_eq!(std::fs::read(file).unwrap(), samples::pdf(2));
}

#[tokio::test]
async fn a_folder_is_asked_after_a_crash_whether_the_file_is_there() {
    for point in ["C11", "C13", "C14"] {
        let out = tempfile::tempdir().unwrap();
        let (crash, hit) = crash_at(point);
        let mut world = World::with(&format!("folder:{}", out.path().display()), |_| {}, crash).await;
        let job = world.submit("x.pdf", PDF, &samples::pdf(2)).await;
        wait_for(&hit).await;
        world.restart().await;
        let job = world.wait(job, |job| job.is_over() || job.doubt.is_some()).await;
        assert_eq!(job.state, JobState::Completed, "{point}: {job:#?}");
        let files: Vec<_> = std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files.len(), 1, "{point}: {files:?}");
    }
}

#[tokio::test]
async fn a_device_of_pdf_only_gets_several_documents_as_one_pdf() {
    let out = tempfile::tempdir().unwrap();
    let world = World::new(&format!("folder:{}?format=application/pdf", out.path().display())).await;
    let mail = samples::mail(&[
        samples::attachment("a.pdf", PDF, &samples::pdf(2)),
        samples::attachment("b.pdf", PDF, &samples::pdf(1)),
    ]);
    let job = world.submit("two", "message/rfc822", &mail).await;
    let job = world.completed(job).await;
    let file = std::fs::File::open(out.path().join(format!("{}-two.pdf", job.short()))).unwrap();
    let request =
        tympan_render::Inspect { format: None, charset: None, setup: tympan_render::PageSetup::A4, colour: false };
    let facts = crate::common::renderer().inspect(request, file).await.unwrap().facts;
    assert_eq!(facts.pages.len(), 3);
    assert!((20_900..21_100).contains(&facts.pages[0].width), "{facts:?}");
}

#[tokio::test]
async fn a_folder_of_raster_gets_copies_in_the_data() {
    let out = tempfile::tempdir().unwrap();
    let world = World::new(&format!("folder:{}?format=image/pwg-raster", out.path().display())).await;
    let options = tympan_engine::JobOptions { copies: Some(3), ..tympan_engine::JobOptions::default() };
    let job = world.submit_with("x.pdf", PDF, &samples::pdf(2), options).await;
    let job = world.completed(job).await;
    let octets = std::fs::read(out.path().join(format!("{}-x.pwg", job.short()))).unwrap();
    let mut reader = tympan_raster::pwg::Reader::new(tympan_raster::Limits::default());
    let mut total = Vec::new();
    for piece in octets.chunks(1 << 16) {
        reader.push(piece);
        while let Some(event) = reader.next().unwrap() {
            if let tympan_raster::page::Event::Page(header) = event {
                total.push(header.total_page_count);
                assert_eq!((header.width, header.height), (2480, 3508));
            }
        }
    }
    reader.finish().unwrap();
    assert_eq!(total, [6; 6]);
}

#[tokio::test]
async fn the_test_page_is_drawn_with_its_code_and_colours() {
    let out = tempfile::tempdir().unwrap();
    let world = World::new(&format!("folder:{}", out.path().display())).await;
    let printer = world.printer().await;
    let page = tympan_deliver::TestPage::of(
        &printer,
        "print.example",
        Some("https://print.example"),
        tympan_engine::Timestamp(1_795_197_600_000),
        &jiff::tz::TimeZone::UTC,
    );
    let path = out.path().join("page.pdf");
    std::fs::write(&path, page.pdf()).unwrap();
    let request = tympan_render::Preview {
        format: None,
        charset: None,
        setup: tympan_render::PageSetup::A4,
        page: 1,
        side: 1200,
    };
    let picture = crate::common::renderer().preview(request, std::fs::File::open(path).unwrap()).await.unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    assert!(picture.len() > 10_000, "{} octets are not enough for a code and ramps", picture.len());
    // Kept for whoever wants to look at it.
    std::fs::write(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("test-page.png"), picture).unwrap();
}
