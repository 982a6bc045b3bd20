//! Server-sent events (WHATWG HTML section 9.2): what happens, told to a page that stays open.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use hyper::body::{Body as HttpBody, Frame};
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep},
};

use crate::{Body, Disconnected};

/// How long a stream is silent before a comment keeps it open through proxies and notices a page
/// that has gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a page waits before it connects again.
const RETRY_MILLIS: u32 = 3000;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// What kind it is; a page listens to it by this name. Empty for "message".
    pub name: String,
    /// What the page sends back as Last-Event-ID when it connects again.
    pub id: Option<String>,
    /// Any text, of any number of lines.
    pub data: String,
}

impl Event {
    /// An event with a name and data.
    pub fn new(name: impl Into<String>, data: impl Into<String>) -> Self {
        Self { name: name.into(), id: None, data: data.into() }
    }

    fn encode(&self) -> Bytes {
        let one_line = |text: &str| text.replace(['\r', '\n', '\0'], " ");
        let mut text = String::with_capacity(self.data.len() + 32);
        if !self.name.is_empty() {
            text += &format!("event: {}\n", one_line(&self.name));
        }
        if let Some(id) = &self.id {
            text += &format!("id: {}\n", one_line(id));
        }
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            text += "data: ";
            text += line;
            text.push('\n');
        }
        text.push('\n');
        text.into()
    }
}

/// The writing end of an event stream.
#[derive(Debug, Clone)]
pub struct EventSender {
    sender: mpsc::Sender<Bytes>,
}

impl EventSender {
    /// Sends an event, waiting while the page is slow.
    pub async fn send(&self, event: &Event) -> Result<(), Disconnected> {
        self.sender.send(event.encode()).await.map_err(|_| Disconnected)
    }

    /// Sends an event if there is room now; `Ok(false)` if the page is too slow for it.
    pub fn try_send(&self, event: &Event) -> Result<bool, Disconnected> {
        match self.sender.try_send(event.encode()) {
            Ok(()) => Ok(true),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(false),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Disconnected),
        }
    }

    /// Waits until the page has gone.
    pub async fn disconnected(&self) {
        self.sender.closed().await;
    }
}

/// An answer that stays open, and the sender of its events; at most `events` of them wait. It ends
/// when all senders are dropped, and the page then connects again.
#[must_use]
pub fn event_stream(events: usize) -> (EventSender, Response<Body>) {
    event_stream_with(events, KEEP_ALIVE)
}

fn event_stream_with(events: usize, keep_alive: Duration) -> (EventSender, Response<Body>) {
    let (sender, receiver) = mpsc::channel(events.max(1));
    let body = Events {
        receiver,
        keep_alive,
        timer: Box::pin(tokio::time::sleep(keep_alive)),
        greeting: Some(Bytes::from(format!("retry: {RETRY_MILLIS}\n\n"))),
    };
    let mut response = Response::new(Body::from_body(body));
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // nginx would hold events back until its buffer is full.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    (EventSender { sender }, response)
}

struct Events {
    receiver: mpsc::Receiver<Bytes>,
    keep_alive: Duration,
    timer: Pin<Box<Sleep>>,
    greeting: Option<Bytes>,
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(greeting) = self.greeting.take() {
            return Poll::Ready(Some(Ok(Frame::data(greeting))));
        }
        let octets = match self.receiver.poll_recv(cx) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(octets)) => octets,
            Poll::Pending => {
                ready!(self.timer.as_mut().poll(cx));
                Bytes::from_static(b":\n\n")
            }
        };
        let next = Instant::now() + self.keep_alive;
        self.timer.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(octets))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[test]
    fn an_event_cannot_break_out_of_its_lines() {
        let event = Event { name: "job\nevent: x".into(), id: Some("1\r2".into()), data: "one\ntwo\r\n\nid: 3".into() };
        assert_eq!(event.encode(), "event: job event: x\nid: 1 2\ndata: one\ndata: two\ndata: \ndata: id: 3\n\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_is_kept_alive() {
        let (sender, response) = event_stream(1);
        let mut body = response.into_body();
        let mut next = async || body.frame().await.map(|frame| frame.unwrap().into_data().unwrap());
        assert_eq!(next().await.unwrap(), "retry: 3000\n\n");
        let began = Instant::now();
        assert_eq!(next().await.unwrap(), ":\n\n");
        assert_eq!(began.elapsed().as_secs(), KEEP_ALIVE.as_secs());
        assert_eq!(sender.try_send(&Event::new("job", "1")), Ok(true));
        assert_eq!(sender.try_send(&Event::new("job", "2")), Ok(false));
        assert_eq!(next().await.unwrap(), "event: job\ndata: 1\n\n");
        drop(sender);
        assert_eq!(next().await, None);
    }
}
