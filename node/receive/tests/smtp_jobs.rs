//! A mail becomes jobs: who may print, at which printers, how often.

mod common;

use common::{World, mail, options};
use tympan_engine::{Access, JobSource};

#[tokio::test]
async fn a02_a03_a_mail_from_a_registered_sender_is_a_job_on_disk_before_250() {
    let world = World::new(options()).await;
    let office = world.printer("office", Access::Approve).await;
    world.register(&office, "anna@sender.example").await;
    let text = mail("Anna <anna@sender.example>", "Invoice [duplex 2 copies shiny]", "Message-ID: <1@a>\r\n", ".dots\r\n..");
    let reply = world.send("Anna@sender.example", &["Office@Print.Example"], &text).await;
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 1, "{reply}");
    assert_eq!(reply, format!("250 2.0.0 {} accepted for Office", jobs[0].short()));
    assert_eq!(world.stored(&jobs[0]).await, text.as_bytes());
    assert_eq!(jobs[0].name.0, "Invoice");
    assert_eq!(jobs[0].options.copies, Some(2));
    assert!(jobs[0].remarks[0].contains("shiny"), "{:?}", jobs[0].remarks);
    assert_eq!(jobs[0].originator.address.0, "anna@sender.example");
    let JobSource::Mail { message_id, recipient } = &jobs[0].source else { panic!("{:?}", jobs[0].source) };
    assert_eq!(message_id.as_ref().unwrap().0, "<1@a>");
    assert_eq!(recipient.0, "Office@print.example");
}
