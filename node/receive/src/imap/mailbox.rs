//! One folder of a mailbox over one connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
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
            let pattern = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
            let found: Vec<_> = session.list(None, Some(&pattern)).await?.try_collect().await?;
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
        })
    }

    fn session(&mut self) -> Result<&mut Session<Line>, ImapError> {
        self.session.as_mut().ok_or(ImapError::Lost)
    }

    /// The mails with this number or a larger one, in order.
    pub(super) async fn uids_from(&mut self, from: u32) -> Result<Vec<u32>, ImapError> {
        let time_out = self.time_out;
        let session = self.session()?;
        // What came before the search is in its answer.
        while session.unsolicited_responses.try_recv().is_ok() {}
        let found = in_time(time_out, async { Ok(session.uid_search(format!("UID {from}:*")).await?) }).await?;
        // "n:*" always holds the last mail, though its number be smaller.
        let mut uids: Vec<u32> = found.into_iter().filter(|uid| *uid >= from).collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// A piece of a mail, empty at its end; `None` if the mail is gone. The mail's flags stay as they are.
    pub(super) async fn piece(&mut self, uid: u32, at: u64, octets: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let time_out = self.time_out;
        let session = self.session()?;
        in_time(time_out, async {
            let wanted = format!("(UID BODY.PEEK[]<{at}.{octets}>)");
            let fetched: Vec<_> = session.uid_fetch(uid.to_string(), wanted).await?.try_collect().await?;
            let mail = fetched.iter().find(|fetched| fetched.uid == Some(uid));
            Ok(mail.map(|mail| mail.body().unwrap_or_default().to_vec()))
        })
        .await
    }

    /// Moves a mail to another folder; if it is gone already, nothing happens.
    pub(super) async fn move_to(&mut self, uid: u32, folder: &str) -> Result<(), ImapError> {
        let (time_out, moves, uid_expunges) = (self.time_out, self.moves, self.uid_expunges);
        let (uid, folder) = (uid.to_string(), names::encode(folder));
        let session = self.session()?;
        in_time(time_out, async {
            if moves {
                return Ok(session.uid_mv(&uid, &folder).await?);
            }
            session.uid_copy(&uid, &folder).await?;
            let _: Vec<_> = session.uid_store(&uid, "+FLAGS.SILENT (\\Deleted)").await?.try_collect().await?;
            if uid_expunges {
                let _: Vec<_> = session.uid_expunge(&uid).await?.try_collect().await?;
            } else {
                // Takes along what others have marked; without UIDPLUS there is no other way (RFC 3501 section 6.4.3).
                let _: Vec<_> = session.expunge().await?.try_collect().await?;
            }
            Ok(())
        })
        .await
    }

    /// Waits until the server tells of something new, or until it is time to look. `soon`: it is time then, though the
    /// server could tell.
    pub(super) async fn wait(&mut self, most: Duration, soon: bool) -> Result<(), ImapError> {
        let came = |response: &UnsolicitedResponse| matches!(response, UnsolicitedResponse::Exists(_));
        let session = self.session()?;
        while let Ok(response) = session.unsolicited_responses.try_recv() {
            if came(&response) {
                return Ok(());
            }
        }
        if !self.idles {
            tokio::time::sleep(most).await;
            let time_out = self.time_out;
            let session = self.session()?;
            return in_time(time_out, async { Ok(session.noop().await?) }).await;
        }
        let Some(session) = self.session.take() else { return Err(ImapError::Lost) };
        let mut idle = session.idle();
        in_time(self.time_out, async { Ok(idle.init().await?) }).await?;
        let most = if soon { most } else { IDLE_MAX.max(most) };
        // A stream that ends means that the line is gone.
        let told = {
            let (told, _stop) = idle.wait_with_timeout(most);
            told.await?
        };
        if told == IdleResponse::ManualInterrupt {
            return Err(ImapError::Lost);
        }
        self.session = Some(in_time(self.time_out, async { Ok(idle.done().await?) }).await?);
        Ok(())
    }
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
