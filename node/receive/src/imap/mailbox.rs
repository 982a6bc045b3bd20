//! One folder of a mailbox over one connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, Status};
use async_imap::types::UnsolicitedResponse;
use async_imap::{Client, Session};
use futures_util::TryStreamExt as _;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tracing::debug;

use super::options::{ImapOptions, ImapTls};
use super::{ImapError, names};

/// How long IDLE lasts before it is begun anew: routers forget a silent connection (RFC 2177 allows 29 minutes).
const IDLE_MAX: Duration = Duration::from_secs(9 * 60);

/// A folder that is open.
pub(super) struct Mailbox {
    /// `None` only while the server is waited for.
    session: Option<Session<Line>>,
    /// UIDVALIDITY.
    pub(super) validity: u32,
    /// UIDNEXT: mails that come from now on have this number or a larger one.
    pub(super) next: u32,
    /// How many mails there are.
    pub(super) exists: u32,
    idles: bool,
    moves: bool,
    uid_expunges: bool,
    time_out: Duration,
    /// A new mail was told of since the last search.
    news: bool,
}

impl Mailbox {
    /// Connects, signs in and opens the folder; makes the folders to which mails go.
    pub(super) async fn open(options: &ImapOptions) -> Result<Self, ImapError> {
        in_time(options.time_out, Self::open_in_time(options)).await
    }

    async fn open_in_time(options: &ImapOptions) -> Result<Self, ImapError> {
        let client = connect(options).await?;
        let signed_in = client.login(&options.user, &options.password).await;
        let mut session = signed_in.map_err(|(error, _)| ImapError::SignIn(error))?;
        let capabilities = session.capabilities().await?;
        let (idles, moves) = (capabilities.has_str("IDLE"), capabilities.has_str("MOVE"));
        let uid_expunges = capabilities.has_str("UIDPLUS");
        for folder in [&options.done_folder, &options.refused_folder] {
            let name = names::encode(folder);
            // The library quotes a name to make, but not a pattern to look for.
            let found: Vec<_> = session.list(None, Some(&quoted(&name))).await?.try_collect().await?;
            if found.is_empty() {
                session.create(&name).await.map_err(|error| ImapError::NewFolder(folder.clone(), error))?;
            }
        }
        let folder = session.select(names::encode(&options.folder)).await;
        let folder = folder.map_err(|error| ImapError::Folder(options.folder.clone(), error))?;
        Ok(Self {
            session: Some(session),
            validity: folder.uid_validity.ok_or(ImapError::Lacks("UIDVALIDITY"))?,
            next: folder.uid_next.ok_or(ImapError::Lacks("UIDNEXT"))?,
            exists: folder.exists,
            idles,
            moves,
            uid_expunges,
            time_out: options.time_out,
            news: false,
        })
    }

    fn session(&mut self) -> Result<&mut Session<Line>, ImapError> {
        self.session.as_mut().ok_or(ImapError::Lost)
    }

    /// Sends a command and reads to its end; `each` gets what comes before. The library passes over a refusal of most
    /// commands, and over the end of the line.
    async fn exchange(&mut self, command: &str, each: impl FnMut(&Response<'_>)) -> Result<(), ImapError> {
        in_time(self.time_out, self.exchange_in_time(command, each)).await
    }

    async fn exchange_in_time(&mut self, command: &str, mut each: impl FnMut(&Response<'_>)) -> Result<(), ImapError> {
        let session = self.session()?;
        let id = session.run_command(command).await?;
        let mut news = false;
        let refused = loop {
            let response = session.read_response().await.map_err(async_imap::error::Error::from)?;
            let response = response.ok_or(ImapError::Lost)?;
            match response.parsed() {
                Response::Done { tag, status, outcome } if *tag == id => match status {
                    Status::Ok => break None,
                    _ => break Some(outcome.information.as_deref().unwrap_or("no reason was given").to_owned()),
                },
                Response::MailboxData(MailboxDatum::Exists(_)) => news = true,
                other => each(other),
            }
        };
        self.news |= news;
        match refused {
            None => Ok(()),
            Some(why) => Err(ImapError::Refused(why)),
        }
    }

    /// The mails with this number or a larger one, in order; none of those that somebody took back.
    pub(super) async fn uids_from(&mut self, from: u32) -> Result<Vec<u32>, ImapError> {
        // What came before the search is in its answer.
        self.news = false;
        while self.session()?.unsolicited_responses.try_recv().is_ok() {}
        let mut uids = Vec::new();
        self.exchange(&format!("UID SEARCH UNDELETED UID {from}:*"), |response| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = response {
                uids.extend(found);
            }
        })
        .await?;
        // "n:*" always holds the last mail, though its number be smaller.
        uids.retain(|uid| *uid >= from);
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// A piece of a mail, empty at its end; `None` if the server gives none. The mail's flags stay as they are.
    pub(super) async fn piece(&mut self, uid: u32, at: u64, octets: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let mut piece = None;
        self.exchange(&format!("UID FETCH {uid} (UID BODY.PEEK[]<{at}.{octets}>)"), |response| {
            // Others may change flags meanwhile, which is told in the same way.
            if let Response::Fetch(_, values) = response
                && values.contains(&AttributeValue::Uid(uid))
            {
                let body = values.iter().find_map(|value| match value {
                    AttributeValue::BodySection { section: None, data: Some(data), .. } => Some(data.to_vec()),
                    _ => None,
                });
                piece = body.or(piece.take());
            }
        })
        .await?;
        Ok(piece)
    }

    /// Moves a mail to another folder; if it is gone already, nothing happens.
    pub(super) async fn move_to(&mut self, uid: u32, folder: &str) -> Result<(), ImapError> {
        let folder = quoted(&names::encode(folder));
        if self.moves {
            return self.exchange(&format!("UID MOVE {uid} {folder}"), |_| {}).await;
        }
        self.exchange(&format!("UID COPY {uid} {folder}"), |_| {}).await?;
        self.exchange(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"), |_| {}).await?;
        if self.uid_expunges {
            return self.exchange(&format!("UID EXPUNGE {uid}"), |_| {}).await;
        }
        // Takes along what others have marked; without UIDPLUS there is no other way (RFC 3501 section 6.4.3).
        self.exchange("EXPUNGE", |_| {}).await
    }

    /// Whether the server has told of a new mail since the last search.
    fn has_news(&mut self) -> Result<bool, ImapError> {
        while let Ok(response) = self.session()?.unsolicited_responses.try_recv() {
            self.news |= matches!(response, UnsolicitedResponse::Exists(_));
        }
        Ok(self.news)
    }

    /// Waits until the server tells of something new, or at most so long.
    pub(super) async fn wait(&mut self, most: Duration) -> Result<(), ImapError> {
        if self.has_news()? {
            return Ok(());
        }
        if !self.idles {
            tokio::time::sleep(most).await;
            return self.exchange("NOOP", |_| {}).await;
        }
        let Some(session) = self.session.take() else { return Err(ImapError::Lost) };
        let unsolicited = session.unsolicited_responses.clone();
        let mut idle = session.idle();
        in_time(self.time_out, async { Ok(idle.init().await?) }).await?;
        // What is told before the server begins to wait is put there.
        let mut came = false;
        while let Ok(response) = unsolicited.try_recv() {
            came |= matches!(response, UnsolicitedResponse::Exists(_));
        }
        if !came {
            let (told, _stop) = idle.wait_with_timeout(most.min(IDLE_MAX));
            // Its own clock begins anew at each "still here" of the server.
            match tokio::time::timeout(most.min(IDLE_MAX), told).await {
                // A stream that ends means that the line is gone.
                Ok(Ok(IdleResponse::ManualInterrupt)) => return Err(ImapError::Lost),
                Ok(told) => drop(told?),
                Err(_) => {}
            }
        }
        self.session = Some(in_time(self.time_out, async { Ok(idle.done().await?) }).await?);
        Ok(())
    }

    /// Whether the server tells of new mails by itself.
    pub(super) const fn tells(&self) -> bool {
        self.idles
    }
}

/// A string as it stands in a command.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

async fn in_time<T>(time_out: Duration, work: impl Future<Output = Result<T, ImapError>>) -> Result<T, ImapError> {
    tokio::time::timeout(time_out, work).await.unwrap_or(Err(ImapError::TimeOut))
}

async fn connect(options: &ImapOptions) -> Result<Client<Line>, ImapError> {
    let stream = TcpStream::connect((options.host.as_str(), options.port)).await.map_err(ImapError::Connect)?;
    // What is written is small: waiting to fill a packet only makes it late.
    stream.set_nodelay(true).map_err(ImapError::Connect)?;
    let stream = match options.tls {
        ImapTls::Implicit => Line::Tls(Box::new(start_tls(options, stream).await?)),
        ImapTls::StartTls | ImapTls::Off => Line::Plain(stream),
    };
    let mut client = Client::new(stream);
    client.read_response().await.map_err(ImapError::Connect)?.ok_or(ImapError::Lost)?;
    if options.tls != ImapTls::StartTls {
        return Ok(client);
    }
    client.run_command_and_check_ok("STARTTLS", None).await?;
    // What came in the clear behind the answer goes with the client (CVE-2011-0411).
    let Line::Plain(stream) = client.into_inner() else { return Err(ImapError::Lost) };
    debug!(host = %options.host, "Begins TLS");
    Ok(Client::new(Line::Tls(Box::new(start_tls(options, stream).await?))))
}

async fn start_tls(options: &ImapOptions, stream: TcpStream) -> Result<TlsStream<TcpStream>, ImapError> {
    let name = ServerName::try_from(options.host.clone()).map_err(|error| ImapError::Tls(io::Error::other(error)))?;
    let mut roots = RootCertStore::empty();
    if options.authority.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for certificate in &options.authority {
        roots.add(certificate.clone()).map_err(|error| ImapError::Tls(io::Error::other(error)))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ImapError::Tls(io::Error::other(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(ImapError::Tls)
}

/// The line to the server.
#[derive(Debug)]
enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
