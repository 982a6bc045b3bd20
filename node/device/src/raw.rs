//! The raw port (9100): one connection is one job, without a word back.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::debug;

use crate::ipp::intake::{Intake, IntakeEnd};
use crate::model::Ticket;
use crate::shared::Shared;

/// Connections at a time; printers serve few, and more wait.
const CONNECTIONS_MAX: usize = 4;
/// How long a sender may be silent.
const IDLE_MAX: Duration = Duration::from_secs(60);

pub(crate) async fn serve(shared: Arc<Shared>, listener: Option<TcpListener>) {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    take_job(&shared, stream, peer.to_string()).await;
                    drop(permit);
                });
            }
            Err(error) => {
                debug!(%error, "Could not take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn take_job(shared: &Shared, mut stream: TcpStream, peer: String) {
    let ticket = Ticket { job_name: "raw job".to_owned(), user: peer, ..Ticket::default() };
    let Ok(mut intake) = Intake::begin(shared, None) else {
        return;
    };
    let mut job = None;
    let mut buffer = vec![0; 64 << 10];
    let end = loop {
        let got = match tokio::time::timeout(IDLE_MAX, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => break IntakeEnd::Whole,
            Ok(Ok(got)) => got,
            Ok(Err(_)) | Err(_) => break IntakeEnd::Cut,
        };
        // A connection that only looks whether somebody is there makes no job.
        if job.is_none() {
            let created = shared.change(|model, now| {
                let id = model.create_job(ticket.clone(), now)?;
                model.begin_document(id).map(|()| id)
            });
            match created {
                Ok(id) => job = Some(id),
                Err(_) => return,
            }
        }
        match intake.write(shared, &buffer[..got]) {
            Ok(IntakeEnd::More) => {}
            Ok(end) => break end,
            Err(_) => break IntakeEnd::Cut,
        }
    };
    let Some(id) = job else { return };
    let cut = end != IntakeEnd::Whole;
    let document = intake.into_document(None, None, cut);
    shared.change(|model, now| match document {
        Ok(document) => {
            // The job may have been canceled or forgotten meanwhile.
            let _ = model.end_document(id, document);
            let _ = model.close_job(id, now);
        }
        Err(_) => {
            model.forget_document(id);
            let _ = model.cancel_job(id, now);
        }
    });
}
