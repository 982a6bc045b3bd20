//! A small DNS server of a test's own (RFC 1035), over UDP and TCP on one port of 127.0.0.1.
//!
//! It answers for every name: with the records it was given, else "no such name". It can be told to fail for a name.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::ports::free_port;

/// Seconds for which an answer may be kept.
const TTL_SECS: u32 = 60;

/// A UDP answer larger than this is cut, unless the query allows more (RFC 1035 section 4.2.1), so that TCP is used.
const UDP_OCTETS_MAX: usize = 512;

/// Octets of one string of a TXT record (RFC 1035 section 3.3).
const TXT_STRING_OCTETS_MAX: usize = 255;

/// How long a TCP client may take for one query.
const TCP_TIME_OUT: Duration = Duration::from_secs(5);

/// How a name fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsFailure {
    /// SERVFAIL: a temporary error, told at once.
    ServerFailure,
    /// REFUSED.
    Refused,
    /// No answer at all: the client's time-out.
    Silence,
}

/// The server; dropping it ends it.
#[derive(Debug)]
pub struct ZoneServer {
    address: SocketAddr,
    zone: Arc<Zone>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Zone {
    records: Mutex<Records>,
    ended: AtomicBool,
}

#[derive(Debug, Default)]
struct Records {
    by_name: HashMap<String, Vec<RData>>,
    failing: HashMap<String, DnsFailure>,
    all_failing: Option<DnsFailure>,
    asked: Vec<(String, String)>,
}

impl ZoneServer {
    /// Starts a server that knows no name yet.
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let udp = UdpSocket::bind(address).expect("a UDP port for the zone server");
        let tcp = TcpListener::bind(address).expect("a TCP port for the zone server");
        let zone = Arc::new(Zone::default());
        let threads = vec![
            std::thread::spawn({
                let zone = Arc::clone(&zone);
                move || serve_udp(&udp, &zone)
            }),
            std::thread::spawn({
                let zone = Arc::clone(&zone);
                move || serve_tcp(&tcp, &zone)
            }),
        ];
        Self { address, zone, threads }
    }

    /// Where it answers, UDP and TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds an address of a host.
    pub fn a(&self, name: &str, address: Ipv4Addr) -> &Self {
        self.add(name, RData::A(A(address)))
    }

    /// Adds a mail exchanger of a domain.
    ///
    /// # Panics
    /// When `host` is no name.
    pub fn mx(&self, domain: &str, preference: u16, host: &str) -> &Self {
        self.add(domain, RData::MX(MX::new(preference, parse(host))))
    }

    /// Adds a text, in strings of 255 octets.
    pub fn txt(&self, name: &str, text: &str) -> &Self {
        let strings: Vec<&[u8]> = text.as_bytes().chunks(TXT_STRING_OCTETS_MAX).collect();
        self.add(name, RData::TXT(TXT::from_bytes(strings)))
    }

    /// Forgets all texts of a name and sets this one.
    pub fn replace_txt(&self, name: &str, text: &str) -> &Self {
        if let Some(records) = self.zone.lock().by_name.get_mut(&key(name)) {
            records.retain(|record| !matches!(record, RData::TXT(_)));
        }
        self.txt(name, text)
    }

    /// Forgets all records of a name.
    pub fn remove(&self, name: &str) -> &Self {
        self.zone.lock().by_name.remove(&key(name));
        self
    }

    /// Fails for one name from now on; `None` mends it.
    pub fn fail(&self, name: &str, failure: Option<DnsFailure>) -> &Self {
        let mut records = self.zone.lock();
        match failure {
            Some(failure) => records.failing.insert(key(name), failure),
            None => records.failing.remove(&key(name)),
        };
        drop(records);
        self
    }

    /// Fails for every name from now on; `None` mends it.
    pub fn fail_all(&self, failure: Option<DnsFailure>) -> &Self {
        self.zone.lock().all_failing = failure;
        self
    }

    /// What it was asked: name without the closing dot, lower case, and type (`"TXT"`).
    #[must_use]
    pub fn asked(&self) -> Vec<(String, String)> {
        self.zone.lock().asked.clone()
    }

    fn add(&self, name: &str, record: RData) -> &Self {
        self.zone.lock().by_name.entry(key(name)).or_default().push(record);
        self
    }
}

impl Drop for ZoneServer {
    fn drop(&mut self) {
        self.zone.ended.store(true, Ordering::SeqCst);
        // One octet and one connection wake the two threads.
        let _ = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.send_to(&[0], self.address));
        let _ = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Zone {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// The answer to a query, or `None` for silence.
    fn answer(&self, query: &[u8]) -> Option<Message> {
        let query = Message::from_vec(query).ok()?;
        let question = query.queries.first()?.clone();
        let name = key(&question.name.to_ascii());
        let mut records = self.lock();
        records.asked.push((name.clone(), question.query_type.to_string()));
        let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
        reply.metadata.authoritative = true;
        reply.metadata.recursion_desired = query.metadata.recursion_desired;
        reply.metadata.recursion_available = true;
        reply.edns = query.edns.clone();
        match records.failing.get(&name).copied().or(records.all_failing) {
            Some(DnsFailure::Silence) => return None,
            Some(DnsFailure::ServerFailure) => reply.metadata.response_code = ResponseCode::ServFail,
            Some(DnsFailure::Refused) => reply.metadata.response_code = ResponseCode::Refused,
            None => {
                let found = records.by_name.get(&name);
                let wanted = found
                    .into_iter()
                    .flatten()
                    .filter(|data| question.query_type == RecordType::ANY || data.record_type() == question.query_type);
                for data in wanted {
                    reply.answers.push(Record::from_rdata(question.name.clone(), TTL_SECS, data.clone()));
                }
                if reply.answers.is_empty() {
                    // A name above one that exists is there, if empty (RFC 8020).
                    let below = format!(".{name}");
                    if found.is_none() && !records.by_name.keys().any(|other| other.ends_with(&below)) {
                        reply.metadata.response_code = ResponseCode::NXDomain;
                    }
                    let soa = SOA::new(question.name.base_name(), parse("nobody.invalid"), 1, 60, 60, 60, TTL_SECS);
                    reply.authorities.push(Record::from_rdata(question.name.base_name(), TTL_SECS, RData::SOA(soa)));
                }
            }
        }
        reply.queries.push(question);
        Some(reply)
    }
}

fn serve_udp(socket: &UdpSocket, zone: &Zone) {
    let mut query = [0; 4096];
    while let Ok((octets, peer)) = socket.recv_from(&mut query) {
        if zone.has_ended() {
            return;
        }
        let Some(reply) = zone.answer(&query[..octets]) else {
            continue;
        };
        let allowed = reply.edns.as_ref().map_or(UDP_OCTETS_MAX, |edns| usize::from(edns.max_payload()));
        let Ok(mut wire) = reply.to_vec() else {
            continue;
        };
        if wire.len() > allowed.max(UDP_OCTETS_MAX) {
            let mut cut = reply.truncate();
            cut.metadata.truncation = true;
            let Ok(short) = cut.to_vec() else { continue };
            wire = short;
        }
        let _ = socket.send_to(&wire, peer);
    }
}

fn serve_tcp(listener: &TcpListener, zone: &Arc<Zone>) {
    for stream in listener.incoming() {
        if zone.has_ended() {
            return;
        }
        if let Ok(stream) = stream {
            let zone = Arc::clone(zone);
            std::thread::spawn(move || serve_stream(stream, &zone));
        }
    }
}

fn serve_stream(mut stream: TcpStream, zone: &Zone) -> Option<()> {
    stream.set_read_timeout(Some(TCP_TIME_OUT)).ok()?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).ok()?;
        if zone.has_ended() {
            return None;
        }
        if let Some(reply) = zone.answer(&query) {
            let wire = reply.to_vec().ok()?;
            let length = u16::try_from(wire.len()).ok()?;
            stream.write_all(&[&length.to_be_bytes(), &wire[..]].concat()).ok()?;
        }
    }
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn parse(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap_or_else(|cause| panic!("`{name}` is no name: {cause}"));
    name.set_fqdn(true);
    name
}
