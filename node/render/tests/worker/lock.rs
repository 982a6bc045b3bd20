use std::fs;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tympan_render::{Colour, Fonts, Limits, RenderError, Renderer, Request};

use crate::samples::*;

/// Waits for a process to be gone, at most 60 s.
async fn wait_until_gone(pid: u32) {
    for _ in 0..6000 {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("worker {pid} lives on");
}

#[tokio::test]
async fn a_worker_is_locked_in_before_it_shows_anything() {
    let mut run = renderer().run(raster(Colour::Srgb8, 300), file(&drawn_pdf(&[A4; 20], "", ""))).await.unwrap();
    run.next().await.unwrap();
    let pid = run.worker_pid().unwrap();
    // Whether Landlock is there depends on the kernel and the container; that we know does not.
    assert!(run.files_locked().is_some());
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max address space"), ["1073741824"; 2]);
    assert_eq!(limit("Max file size"), ["0"; 2]);
    assert_eq!(limit("Max core file size"), ["0"; 2]);
    assert_eq!(limit("Max processes"), ["0"; 2]);
    assert_eq!(limit("Max cpu time")[0], "100", "60 seconds and 2 for each page");
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    assert_eq!(environment, b"", "nothing of our environment is passed on");
    drop(run);
    wait_until_gone(pid).await;
}

#[tokio::test]
async fn at_most_as_many_workers_run_as_allowed() {
    let renderer = renderer().with_workers(1);
    let first = renderer.run(inspect(), file(b"text")).await.unwrap();
    let second = renderer.run(inspect(), file(b"text"));
    tokio::pin!(second);
    assert!(futures_poll_once(second.as_mut()).await.is_none(), "the second waits");
    drop(first);
    assert!(second.await.is_ok());
}

async fn futures_poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_worker_ends_when_its_parent_is_gone() {
    let request: Request = raster(Colour::Srgb8, 300).into();
    let order = serde_json::json!({ "request": request, "limits": Limits::default(), "fonts": Fonts::default() });
    // Nobody reads the frames: the worker is stuck in writing when its lifeline is cut.
    let (frames, writer) = std::io::pipe().unwrap();
    let (lifeline, theirs) = UnixStream::pair().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tympan-render-worker"))
        .stdin(OwnedFd::from(theirs))
        .stdout(writer)
        .spawn()
        .unwrap();
    let document = file(&drawn_pdf(&[A4; 20], "", ""));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut along = SendAncillaryBuffer::new(&mut space);
    let documents = [document.as_fd()];
    assert!(along.push(SendAncillaryMessage::ScmRights(&documents)));
    let order = format!("{order}\n");
    let sent = sendmsg(&lifeline, &[IoSlice::new(order.as_bytes())], &mut along, SendFlags::empty()).unwrap();
    assert_eq!(sent, order.len());
    assert!(child.try_wait().unwrap().is_none());
    drop(lifeline);
    wait_until_gone(child.id()).await;
    child.wait().unwrap();
    drop(frames);
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_not_believed() {
    let shell = |script: &str| Renderer::new("/bin/sh", ["-c", script]);
    let missing = Renderer::new("/no/such/program", ["worker"]).inspect(inspect(), file(b"x")).await.unwrap_err();
    assert!(matches!(missing, RenderError::Start { .. }) && missing.is_temporary());
    for script in [
        "exit 0",
        "exit 3",
        "printf '\\377\\377\\377\\377v'",
        // A verdict before it is locked in.
        "printf '\\007\\000\\000\\000v\"fine\"'; read wait",
        "printf '\\006\\000\\000\\000xhello'; read wait",
    ] {
        let error = shell(script).inspect(inspect(), file(b"x")).await.unwrap_err();
        assert!(matches!(error, RenderError::Protocol { .. }), "{script}: {error:?}");
    }
}
