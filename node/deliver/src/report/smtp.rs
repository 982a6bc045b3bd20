//! Drives one SMTP session over a socket: one mail to one recipient.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tympan_smtp::client::{CloseReason, Config, Event, Failure, Outcome, Outgoing, Session};
use tympan_smtp::{Address, Envelope, Recipient, ReversePath};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(30);

/// A mail did not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SendError {
    /// Whether another try may help.
    pub is_temporary: bool,
    /// What happened.
    pub why: String,
}

impl SendError {
    pub(super) fn temporary(why: impl Into<String>) -> Self {
        Self { is_temporary: true, why: why.into() }
    }

    pub(super) fn permanent(why: impl Into<String>) -> Self {
        Self { is_temporary: false, why: why.into() }
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        Self { is_temporary: failure.is_temporary(), why: failure.to_string() }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where a mail goes.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// TLS from the first octet.
    pub(super) implicit_tls: bool,
    pub(super) tls: &'a TlsConnector,
}

/// Sends one mail to one recipient, with the null reverse-path of notices.
pub(super) async fn send(server: &Server<'_>, config: Arc<Config>, to: &str, octets: &[u8]) -> Result<(), SendError> {
    let address =
        Address::parse(to).map_err(|error| SendError::permanent(format!("the address is not one: {error}")))?;
    let envelope = Envelope { reverse_path: ReversePath::Null, recipients: vec![Recipient::from(address)] };
    fate(&hand_over(server, config, envelope, octets, &mut |_| {}).await?)
}

/// Hands one mail over and says what became of each recipient; `progress` hears how many octets were taken.
pub(super) async fn hand_over(
    server: &Server<'_>,
    config: Arc<Config>,
    envelope: Envelope,
    octets: &[u8],
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Outcome, SendError> {
    let connecting = TcpStream::connect((server.host, server.port));
    let tcp = match timeout(CONNECT, connecting).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(error)) => {
            return Err(SendError::temporary(format!("no connection to {}: {error}", server.host)));
        }
        Err(_) => {
            return Err(SendError::temporary(format!("no connection to {} in time", server.host)));
        }
    };
    let _ = tcp.set_nodelay(true);
    let mut stream: Box<dyn Stream> = Box::new(tcp);
    if server.implicit_tls {
        stream = handshake(server, stream, config.time_outs.handshake)
            .await
            .map_err(|error| SendError::temporary(format!("no TLS with {}: {error}", server.host)))?;
    }
    let mail = Outgoing { envelope, size: Some(octets.len() as u64), eight_bit: !octets.is_ascii() };
    run(server, stream, config, mail, octets, progress).await
}

async fn handshake(server: &Server<'_>, stream: Box<dyn Stream>, within: Duration) -> io::Result<Box<dyn Stream>> {
    let name = ServerName::try_from(server.host.to_owned()).map_err(io::Error::other)?;
    match timeout(within, server.tls.connect(name, stream)).await {
        Ok(stream) => Ok(Box::new(stream?)),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn run(
    server: &Server<'_>,
    mut stream: Box<dyn Stream>,
    config: Arc<Config>,
    mail: Outgoing,
    octets: &[u8],
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Outcome, SendError> {
    let began = Instant::now();
    let handshake_within = config.time_outs.handshake;
    let mut session = Session::new(config, server.implicit_tls, began.elapsed());
    let mut mail = Some(mail);
    let mut body = octets;
    let mut outcome: Option<Outcome> = None;
    let mut wants_body = false;
    let mut input = vec![0; 8 * 1024];
    loop {
        while let Some(out) = session.poll_output() {
            let left =
                session.poll_timeout().map_or(Duration::from_secs(60), |(at, _)| at.saturating_sub(began.elapsed()));
            match timeout(left, stream.write_all(&out)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => session.handle_end(),
                Err(_) => session.handle_timeout(began.elapsed()),
            }
        }
        let mut acted = false;
        while let Some(event) = session.poll_event() {
            acted = true;
            match event {
                Event::StartTls => match handshake(server, stream, handshake_within).await {
                    Ok(tls) => {
                        stream = tls;
                        let _ = session.tls_started(began.elapsed());
                    }
                    Err(error) => {
                        return Err(SendError::temporary(format!("no TLS with {}: {error}", server.host)));
                    }
                },
                Event::Ready(_) => match mail.take() {
                    Some(mail) => {
                        let _ = session.send(mail, began.elapsed());
                    }
                    None => {
                        let _ = session.quit(began.elapsed());
                    }
                },
                Event::BodyWanted => {
                    body = octets;
                    wants_body = true;
                }
                Event::Done(done) => {
                    outcome = Some(done);
                    let _ = session.quit(began.elapsed());
                }
                Event::Close(reason) => {
                    if let Some(out) = session.poll_output() {
                        // A QUIT that is not read changes nothing.
                        let _ = timeout(Duration::from_secs(5), stream.write_all(&out)).await;
                    }
                    return match outcome {
                        Some(outcome) => Ok(outcome),
                        None => Err(match reason {
                            CloseReason::Failed(failure) => failure.into(),
                            CloseReason::Quit => SendError::temporary("the session ended before the mail was sent"),
                        }),
                    };
                }
            }
        }
        if wants_body {
            let taken = session.write_body(body, began.elapsed());
            body = &body[taken..];
            progress((octets.len() - body.len()) as u64);
            if body.is_empty() {
                wants_body = false;
                session.finish_body(began.elapsed());
            }
            continue;
        }
        if acted {
            continue;
        }
        let left =
            session.poll_timeout().map_or(Duration::from_secs(300), |(at, _)| at.saturating_sub(began.elapsed()));
        match timeout(left, stream.read(&mut input)).await {
            Ok(Ok(0) | Err(_)) => session.handle_end(),
            Ok(Ok(read)) => {
                session.handle_input(&input[..read], began.elapsed());
            }
            Err(_) => session.handle_timeout(began.elapsed()),
        }
    }
}

/// What became of the one recipient.
fn fate(outcome: &Outcome) -> Result<(), SendError> {
    use tympan_smtp::client::Fate;
    match outcome.fates().next() {
        Some((_, Fate::Accepted(_))) => Ok(()),
        Some((_, Fate::Refused(reply))) => {
            Err(SendError { is_temporary: reply.is_temporary(), why: format!("the server answered {reply}") })
        }
        Some((_, Fate::Failed(failure))) => Err(failure.clone().into()),
        None => Err(SendError::permanent("the mail has no recipient")),
    }
}
