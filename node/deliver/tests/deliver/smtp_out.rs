//! Notices leave by SMTP.

use crate::common::{World, samples};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tympan_deliver::{MailOut, Smarthost, SmtpTls};
use tympan_spooler::CrashPoint;

/// A mail server that refuses the first `busy` mails for now, and keeps the others.
async fn server(busy: usize) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&mails);
    tokio::spawn(async move {
        let mut left = busy;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 mx ESMTP\r\n").await.unwrap();
            let mut mail = String::new();
            let mut in_data = false;
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                let said = std::mem::take(&mut line);
                let reply = match said.trim_end() {
                    "." if in_data => {
                        in_data = false;
                        kept.lock().unwrap().push(std::mem::take(&mut mail));
                        "250 2.0.0 taken\r\n"
                    }
                    _ if in_data => {
                        mail.push_str(&said);
                        continue;
                    }
                    "DATA" => {
                        in_data = true;
                        "354 go on\r\n"
                    }
                    said if said.starts_with("EHLO") => "250-mx\r\n250 SIZE 1000000\r\n",
                    said if said.starts_with("RCPT") && left > 0 => {
                        left -= 1;
                        "450 4.2.0 later\r\n"
                    }
                    said => {
                        if !said.starts_with("QUIT") {
                            mail.push_str(said);
                            mail.push('\n');
                        }
                        "250 2.0.0 ok\r\n"
                    }
                };
                if stream.write_all(reply.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    (port, mails)
}

#[tokio::test]
async fn a_notice_is_mailed_once_with_the_null_reverse_path_and_tried_again_when_refused_for_now() {
    let (port, mails) = server(2).await;
    let out = tempfile::tempdir().unwrap();
    let change = |options: &mut tympan_deliver::DeliveryOptions| {
        options.report.mail_out = Some(MailOut::Smarthost(Smarthost {
            host: "127.0.0.1".into(),
            port,
            tls: SmtpTls::Off,
            verify: false,
            credentials: None,
        }));
    };
    let world = World::with(&format!("folder:{}", out.path().display()), change, CrashPoint::none()).await;
    let options = tympan_engine::JobOptions { receipt: true, ..tympan_engine::JobOptions::default() };
    let job = world.submit_with("x.pdf", "application/pdf", &samples::pdf(1), options).await;
    let job = world.completed(job).await;
    let key = format!("printed:{}:1", job.uuid);
    let told = async {
        loop {
            if let Some(notice) = world.spooler.notice(&key).await.unwrap().filter(|notice| notice.told_at.is_some()) {
                return notice;
            }
            tokio::task::yield_now().await;
        }
    };
    let notice = tokio::time::timeout(crate::common::PATIENCE, told).await.unwrap();
    assert_eq!(notice.subject, "Printed: x.pdf");
    let mails = mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].contains("MAIL FROM:<>") && mails[0].contains("RCPT TO:<anna@example.org>"), "{}", mails[0]);
    assert!(
        mails[0].contains("Auto-Submitted: auto-generated")
            && mails[0].contains("From: \"Office\" <office@print.example>"),
        "{}",
        mails[0]
    );
}
