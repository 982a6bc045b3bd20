//! One connection: drives the session, answers what it asks, streams what it hands out.
//!
//! What waits long is boxed and what is large is allocated only while a mail comes in: an idle connection is small.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::debug;
use tympan_engine::{Account, DocumentId};
use tympan_smtp::server::{BodyStart, CloseReason, Credentials, Event, MailFrom, Peer, RcptTo, Session};
use tympan_smtp::{Reply, ReversePath};

use super::door::{Shared, Stage, draining};
use super::final_dot::{self, Whole};
use super::judge::{self, Judged, Origin, Purpose};
use super::options::Role;
use super::places::Place;
use super::recipient::{self, Addressee};
use super::stream::Stream;
use super::texts;
use crate::Network;
use crate::accounts::SignInError;
use crate::mail::incoming::Incoming;

/// Octets read at once between mails, and within one.
const IDLE_OCTETS: usize = 2 * 1024;
const BODY_OCTETS: usize = 64 * 1024;
/// How long the peer may take to read what we wrote.
const WRITE_TIME_OUT: Duration = Duration::from_secs(60);

/// Serves a connection to its end.
pub(super) async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    addr: SocketAddr,
    role: Role,
    place: Place,
    stage: watch::Receiver<Stage>,
) {
    let mut stream = Stream::Plain(stream);
    let mut tls = false;
    if let (Role::Submissions, Some(acceptor)) = (role, &shared.tls) {
        let time_out = shared.options.time_outs.command;
        match tokio::time::timeout(time_out, Box::pin(stream.start_tls(acceptor))).await {
            Ok(Ok(())) => tls = true,
            Ok(Err(error)) => return debug!(%addr, %error, "TLS handshake failed"),
            Err(_) => return debug!(%addr, "TLS handshake took too long"),
        }
    }
    let bare_lf_tolerated = Network::any_contains(&shared.options.bare_lf_networks, addr.ip());
    let peer = Peer { tls, bare_lf_tolerated };
    let session = Session::new(shared.config(role), peer, Duration::ZERO);
    let mut connection = Connection {
        session,
        stream,
        addr,
        place,
        stage,
        started: Instant::now(),
        input: vec![0; IDLE_OCTETS],
        at: 0,
        end: 0,
        account: None,
        transaction: None,
        shared,
    };
    if let Err(error) = connection.run().await {
        debug!(%addr, %error, "Lost a mail connection");
    }
}

struct Connection {
    shared: Arc<Shared>,
    session: Session,
    stream: Stream,
    addr: SocketAddr,
    place: Place,
    stage: watch::Receiver<Stage>,
    started: Instant,
    /// What was read; octets `at..end` are not yet handled.
    input: Vec<u8>,
    at: usize,
    end: usize,
    /// Who logged in.
    account: Option<Box<Account>>,
    transaction: Option<Box<Transaction>>,
}

/// From MAIL to the end of the mail.
struct Transaction {
    reverse_path: ReversePath,
    addressees: Vec<Addressee>,
    /// The mail, once it comes in and as long as it is not refused.
    mail: Option<Incoming>,
    judged: Option<Judged>,
    /// The mail is refused with this at its end.
    refusal: Option<Reply>,
    /// Part of the body has come.
    in_body: bool,
}

impl Connection {
    async fn run(&mut self) -> io::Result<()> {
        self.hold_greeting_back().await?;
        loop {
            if let Some(event) = self.session.poll_event() {
                if let Event::Close(reason) = event {
                    return self.close(reason).await;
                }
                self.act(event).await?;
                continue;
            }
            if self.at < self.end && self.handle_input().await {
                continue;
            }
            let written = self.flush().await?;
            if self.at < self.end && written {
                continue;
            }
            if !self.wait().await? {
                return Ok(());
            }
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Gives peers that do not wait for the greeting the time to show it.
    async fn hold_greeting_back(&mut self) -> io::Result<()> {
        let delay = self.shared.options.greeting_delay;
        if delay.is_zero() || self.session.is_tls() || self.shared.is_listed(self.addr.ip()) {
            return Ok(());
        }
        if let Ok(read) = tokio::time::timeout(delay, self.stream.read(&mut self.input)).await {
            self.end = read?;
            if self.end == 0 {
                self.session.handle_end();
            } else {
                let now = self.now();
                self.at = self.session.handle_input(&self.input[..self.end], now).consumed;
            }
        }
        Ok(())
    }

    /// Hands what was read to the session and what it hands out to the mail; whether anything moved.
    async fn handle_input(&mut self) -> bool {
        let now = self.now();
        let handled = self.session.handle_input(&self.input[self.at..self.end], now);
        self.at += handled.consumed;
        if handled.body.is_empty() {
            return handled.consumed > 0;
        }
        let Some(transaction) = &mut self.transaction else {
            return true;
        };
        if transaction.mail.is_none() {
            return true;
        }
        let peer = self.addr.ip();
        let account = self.account.as_deref();
        // A slow disk of ours is not held against the peer.
        self.session.pause(now);
        let taken = take_body(&self.shared, transaction, account, peer, handled.body).await;
        self.session.resume(self.started.elapsed());
        if let Err(reply) = taken {
            transaction.mail = None;
            transaction.judged = None;
            if self.session.refuse_body(reply.clone()).is_err() {
                // It was the last part: the refusal is the answer to the whole.
                transaction.refusal = Some(reply);
            }
        }
        true
    }

    /// Writes what the session has to say; whether there was anything.
    async fn flush(&mut self) -> io::Result<bool> {
        let mut written = false;
        while let Some(output) = self.session.poll_output() {
            match tokio::time::timeout(WRITE_TIME_OUT, self.stream.write_all(&output)).await {
                Ok(result) => result?,
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            }
            written = true;
        }
        Ok(written)
    }

    /// Waits for the peer, the clock or the end; `false` if the connection is over.
    async fn wait(&mut self) -> io::Result<bool> {
        let in_mail = self.transaction.as_ref().is_some_and(|transaction| transaction.mail.is_some());
        let wanted = if in_mail { BODY_OCTETS } else { IDLE_OCTETS };
        if self.input.len() != wanted {
            self.input = vec![0; wanted];
        }
        (self.at, self.end) = (0, 0);
        self.place.line.idle(!in_mail);
        let due = self.session.poll_timeout().map(|(due, _)| self.started + due);
        let open = *self.stage.borrow() == Stage::Open;
        tokio::select! {
            read = self.stream.read(&mut self.input) => {
                self.end = read?;
                if self.end == 0 {
                    self.session.handle_end();
                }
            }
            () = until(due) => self.session.handle_timeout(self.started.elapsed()),
            () = self.place.line.shed.notified() => {
                let mut reply = Vec::new();
                texts::shed(&self.shared.options.hostname).encode(&mut reply);
                let _ = tokio::time::timeout(texts::LINGER, self.stream.write_all(&reply)).await;
                return Ok(false);
            }
            () = draining(&mut self.stage), if open => self.session.shut_down(),
        }
        self.place.line.idle(false);
        Ok(true)
    }

    async fn act(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Greeted(_) => {}
            Event::StartTls => self.start_tls().await?,
            Event::AuthAttempt(credentials) => {
                let reply = Box::pin(self.sign_in(credentials)).await;
                self.answered(|session, now| session.answer_auth(reply, now));
            }
            Event::MailFrom(mail) => {
                let reply = self.mail(mail);
                self.answered(|session, now| session.answer_mail(reply, now));
            }
            Event::RcptTo(RcptTo { recipient }) => {
                let reply = match Box::pin(recipient::find(&self.shared, &recipient)).await {
                    Ok(addressee) => self.recipient(addressee),
                    Err(reply) => reply,
                };
                self.answered(|session, now| session.answer_rcpt(reply, now));
            }
            Event::BodyStarted(start) => {
                let answer = self.begin_body(start);
                self.answered(|session, now| session.answer_body_start(answer, now));
            }
            Event::BodyEnd(_) => {
                let reply = Box::pin(self.end_of_body()).await;
                self.transaction = None;
                self.answered(|session, now| session.answer_body_end(reply, now));
            }
            Event::BodyAborted(fault) => {
                debug!(addr = %self.addr, ?fault, "Refused a mail while it came in");
                if let Some(transaction) = &mut self.transaction {
                    transaction.mail = None;
                }
            }
            Event::Reset => self.transaction = None,
            Event::Close(_) => {}
        }
        Ok(())
    }

    /// Gives the session the answer to its question.
    fn answered<E>(&mut self, answer: impl FnOnce(&mut Session, Duration) -> Result<(), E>) {
        let now = self.now();
        let asked = answer(&mut self.session, now).is_ok();
        debug_assert!(asked, "the session had asked for this");
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        self.flush().await?;
        // What came in the clear behind the command must never run as commands (CVE-2011-0411).
        (self.at, self.end) = (0, 0);
        self.account = None;
        self.transaction = None;
        let Some(acceptor) = self.shared.tls.clone() else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let time_out = self.shared.options.time_outs.command;
        match tokio::time::timeout(time_out, Box::pin(self.stream.start_tls(&acceptor))).await {
            Ok(result) => result?,
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        }
        self.answered(Session::tls_started);
        Ok(())
    }

    async fn sign_in(&mut self, credentials: Credentials) -> Reply {
        if credentials.authorization_identity.is_some() {
            return texts::not_on_behalf();
        }
        let Credentials { identity, password, .. } = credentials;
        match self.shared.accounts.check(&identity, &password, self.addr.ip()).await {
            Ok(account) => {
                let reply = texts::welcome(&account.name);
                self.account = Some(Box::new(account));
                reply
            }
            Err(SignInError::Wrong) => texts::wrong_password(),
            Err(SignInError::TooOften) => texts::too_many_passwords(),
            Err(SignInError::Store(error)) => super::failed(&error, "look up an account"),
        }
    }

    fn mail(&mut self, mail: MailFrom) -> Reply {
        // A full disk is said before the mail comes in.
        if let Err(error) = self.shared.spooler.documents().room_for(mail.size.unwrap_or(0)) {
            return super::failed(&error.into(), "ask for room");
        }
        self.transaction = Some(Box::new(Transaction {
            reverse_path: mail.reverse_path,
            addressees: Vec::new(),
            mail: None,
            judged: None,
            refusal: None,
            in_body: false,
        }));
        texts::sender_ok()
    }

    fn recipient(&mut self, addressee: Addressee) -> Reply {
        let Some(transaction) = &mut self.transaction else {
            return texts::trouble();
        };
        // MAIL FROM:<> itself must be accepted (RFC 5321 section 4.5.5); who may be written to is said here.
        if transaction.reverse_path == ReversePath::Null {
            return texts::null_sender();
        }
        let reply = texts::recipient_ok(&addressee.written);
        match recipient::add(&mut transaction.addressees, addressee) {
            Ok(()) => reply,
            Err(refusal) => refusal,
        }
    }

    fn begin_body(&mut self, start: BodyStart) -> Result<(), Reply> {
        let Some(transaction) = &mut self.transaction else {
            return Err(texts::trouble());
        };
        if let Err(error) = self.shared.spooler.documents().room_for(start.size.unwrap_or(0)) {
            return Err(super::failed(&error.into(), "ask for room"));
        }
        transaction.mail = Some(Incoming::new());
        Ok(())
    }

    async fn end_of_body(&mut self) -> Reply {
        let Some(mut transaction) = self.transaction.take() else {
            return texts::trouble();
        };
        if let Some(refusal) = transaction.refusal {
            return refusal;
        }
        let (peer, account) = (self.addr.ip(), self.account.as_deref());
        // A mail may be all header; then it is judged only here.
        if transaction.judged.is_none()
            && let Err(refusal) = header_has_come(&self.shared, &mut transaction, account, peer).await
        {
            return refusal;
        }
        let (Some(mail), Some(judged)) = (transaction.mail, transaction.judged) else {
            return texts::trouble();
        };
        let whole = Whole {
            judged,
            received: mail.finish(),
            addressees: &transaction.addressees,
            door: "smtp",
            peer: Some(peer),
            repeat: None,
            helo: self.session.greeting().map_or("", |greeting| &greeting.domain),
            reverse_path: transaction.reverse_path.to_string(),
        };
        final_dot::decide(&self.shared, whole).await
    }

    async fn close(&mut self, reason: CloseReason) -> io::Result<()> {
        self.transaction = None;
        self.flush().await?;
        if reason.peer_may_still_send() {
            debug!(addr = %self.addr, ?reason, "Closed a mail connection");
            self.stream.close_sending().await?;
            // Closing over unread octets would destroy our last reply.
            let read_on = async { while matches!(self.stream.read(&mut self.input).await, Ok(1..)) {} };
            let _ = tokio::time::timeout(texts::LINGER, read_on).await;
        } else if reason == CloseReason::Quit {
            self.stream.close_sending().await?;
        }
        Ok(())
    }
}

/// Takes a part of a mail.
///
/// # Errors
/// The refusal: the rest is to be thrown away.
async fn take_body(
    shared: &Shared,
    transaction: &mut Transaction,
    account: Option<&Account>,
    peer: std::net::IpAddr,
    mut octets: &[u8],
) -> Result<(), Reply> {
    let Some(mail) = &mut transaction.mail else {
        return Ok(());
    };
    if !mail.header_ended() {
        let (octets_max, lines_max) = (shared.options.header_octets_max, shared.options.header_lines_max);
        let taken = mail
            .take_header(octets, octets_max, lines_max)
            .map_err(|_| texts::header_too_large(octets_max, lines_max))?;
        octets = &octets[taken..];
        if !mail.header_ended() {
            return Ok(());
        }
        Box::pin(header_has_come(shared, transaction, account, peer)).await?;
    }
    let Some(mail) = &mut transaction.mail else {
        return Ok(());
    };
    if !octets.is_empty() {
        mail.write_body(octets).await.map_err(|error| super::failed(&error.into(), "store a mail"))?;
    }
    if !std::mem::replace(&mut transaction.in_body, true) {
        shared.spooler.crash_point("C1").await;
    }
    Ok(())
}

/// Decides on a mail by its header, and what of it is kept.
async fn header_has_come(
    shared: &Shared,
    transaction: &mut Transaction,
    account: Option<&Account>,
    peer: std::net::IpAddr,
) -> Result<(), Reply> {
    let Some(mail) = &mut transaction.mail else {
        return Err(texts::trouble());
    };
    let origin = Origin { peer: Some(peer), account, reverse_path: &transaction.reverse_path };
    let judged = judge::judge(shared, origin, &transaction.addressees, mail.header()).await?;
    if judged.sender.proof == tympan_engine::admit::Proof::None && shared.dmarc.is_some() {
        mail.hash_for_signatures();
    }
    if matches!(judged.purpose, Purpose::Print(_)) {
        let id = DocumentId::from_parts(shared.spooler.now(), shared.spooler.random());
        let kept = mail.keep(shared.spooler.documents(), id).await;
        kept.map_err(|error| super::failed(&error.into(), "store a mail"))?;
    }
    transaction.judged = Some(judged);
    Ok(())
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
