//! What is printed of a mail, and what its sender is told.

use crate::common::{World, samples};
use tympan_engine::{JobOptions, Language, Outcome, Printed};
use tympan_ipp::JobState;

const PDF: &str = "application/pdf";
const MAIL: &str = "message/rfc822";

struct Folder {
    world: World,
    _out: tempfile::TempDir,
}

async fn folder() -> Folder {
    let out = tempfile::tempdir().unwrap();
    let world = World::new(&format!("folder:{}?format=application/pdf", out.path().display())).await;
    Folder { world, _out: out }
}

impl Folder {
    async fn names(&self, mail: &[u8], printed: Option<Printed>) -> Vec<String> {
        let options = JobOptions { printed, ..JobOptions::default() };
        let job = self.world.submit_with("Invoice", MAIL, mail, options).await;
        let job = self.world.wait(job, |job| job.ready || job.is_over()).await;
        job.documents.iter().map(|document| document.name.0.clone()).collect()
    }
}

#[tokio::test]
async fn a05_attachments_are_printed_if_there_are_any_else_the_body() {
    let folder = folder().await;
    let both = samples::mail(&[samples::text("See attached."), samples::attachment("a.pdf", PDF, &samples::pdf(1))]);
    let body = samples::mail(&[samples::text("Just a line.\r\nAnd another.")]);
    assert_eq!(folder.names(&both, None).await, ["a.pdf"]);
    assert_eq!(folder.names(&body, None).await, ["Invoice"]);
    assert_eq!(folder.names(&both, Some(Printed::Both)).await, ["Invoice", "a.pdf"]);
    assert_eq!(folder.names(&both, Some(Printed::Body)).await, ["Invoice"]);
}

#[tokio::test]
async fn a05_an_html_body_is_printed_as_its_text() {
    let folder = folder().await;
    let html =
        samples::mail(&["Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <b>world</b></p>\r\n".to_owned()]);
    assert_eq!(folder.names(&html, None).await, ["Invoice"]);
}

#[tokio::test]
async fn an_attachment_that_cannot_be_printed_is_named_and_the_others_print() {
    let folder = folder().await;
    let mail = samples::mail(&[
        samples::attachment("book.zip", "application/zip", b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        samples::attachment("broken.pdf", PDF, b"%PDF-1.4 and nothing else"),
        samples::attachment("good.pdf", PDF, &samples::pdf(1)),
    ]);
    let job = folder.world.submit("Invoice", MAIL, &mail).await;
    let job = folder.world.completed(job).await;
    assert_eq!(job.documents.len(), 1);
    let remarks = job.remarks.join("\n");
    assert!(
        remarks.contains("book.zip") && remarks.contains("broken.pdf") && !remarks.contains("good.pdf"),
        "{remarks}"
    );
    let letter = folder.world.notices(1).await.join("\n");
    assert!(letter.contains("About your print") && letter.contains("book.zip"), "{letter}");
    assert!(letter.contains("In-Reply-To: <mail@example.org>"), "{letter}");
}

#[tokio::test]
async fn a_mail_with_nothing_to_print_ends_with_the_reasons() {
    let mut folder = folder().await;
    folder.world.language = Language::Ja;
    let mail = samples::mail(&[samples::attachment(
        "book.zip",
        "application/zip",
        b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    )]);
    let job = folder.world.submit("請求書", MAIL, &mail).await;
    let job = folder.world.wait(job, |job| job.is_over()).await;
    assert_eq!(job.state, JobState::Aborted);
    assert!(matches!(job.outcome, Some(Outcome::Unprintable { .. })));
    folder.world.notices(1).await;
    let notice = folder.world.spooler.notice(&format!("aborted:{}:1", job.uuid)).await.unwrap().unwrap();
    assert!(notice.told_at.is_some());
    assert!(notice.text.contains("「book.zip」は印刷されませんでした"), "{}", notice.text);
}

#[tokio::test]
async fn more_pages_than_are_let_through_wait_for_a_click() {
    let folder = folder().await;
    folder.world.policy(|policy| policy.review_pages = 2).await;
    let job = folder.world.submit("x.pdf", PDF, &samples::pdf(3)).await;
    let job = folder.world.wait(job, |job| job.ready).await;
    assert_eq!(job.state, JobState::PendingHeld);
    let letter = folder.world.notices(1).await.join("\n");
    assert!(letter.contains("https://print.example/j/"), "{letter}");
}

#[tokio::test]
async fn a_text_in_any_language_becomes_pages() {
    let folder = folder().await;
    let job = folder.world.submit("notes.txt", "text/plain", "Grüße\nこんにちは\n".as_bytes()).await;
    let job = folder.world.completed(job).await;
    assert_eq!((job.documents[0].format.as_str(), job.documents[0].pages), ("application/pdf; laid-out=yes", 1));
    assert!(job.remarks.is_empty(), "{:?}", job.remarks);
}

#[tokio::test]
async fn one_letter_names_all_jobs_that_wait_and_comes_once() {
    let device = "ipp://127.0.0.1:9/ipp/print";
    let world = World::new(device).await;
    world.policy(|policy| policy.retry_interval_ms = 100).await;
    let first = world.submit("one.pdf", PDF, &samples::pdf(1)).await;
    let second = world.submit("two.pdf", PDF, &samples::pdf(2)).await;
    let letters = world.notices(1).await;
    assert_eq!(letters.len(), 1);
    let notice = {
        let notices = world.spooler.records().notices(tympan_store::Whose::Everyones, None, 10).await.unwrap();
        notices.into_iter().next().unwrap()
    };
    assert!(notice.text.contains("one.pdf") && notice.text.contains("office+keep@print.example"), "{}", notice.text);
    assert!(notice.text.contains("switched off") && notice.text.contains("kept until"), "{}", notice.text);
    for job in [first, second] {
        let asked = world.attempts(job).await.len();
        assert!(asked <= 40);
    }
    // Several more questions later there is still one letter.
    let before = world.attempts(first).await.len();
    world.wait(first, |job| job.attempts as usize > before + 2).await;
    assert_eq!(world.notices(1).await.len(), 1);
}
