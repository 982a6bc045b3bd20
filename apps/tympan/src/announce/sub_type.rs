//! A second sub-type for services that a responder announces with a first (RFC 6763 section 7.1).
//!
//! The library knows one sub-type for an instance, and a second responder for the same instance would contest its
//! name. A sub-type is a pointer that anybody may add (a shared record, RFC 6762 section 10.2): it is answered here,
//! and all else about the instance by the responder.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::rdata::PTR;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use if_addrs::IfAddr;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tracing::debug;

/// The port of multicast DNS, and its groups (RFC 6762 section 3).
const PORT: u16 = 5353;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// How long an answer may be kept, in seconds (RFC 6762 section 10), and by one who asks like a plain resolver
/// (section 6.7).
const TTL_SECS: u32 = 4_500;
const LEGACY_TTL_SECS: u32 = 10;
/// How often it is looked for networks that came.
const LOOK_FOR_NETWORKS: Duration = Duration::from_secs(30);
/// Octets of a query that are read.
const QUERY_OCTETS_MAX: usize = 9_000;

/// One pointer: the sub-type with its service, and the instance it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pointer {
    sub_type: Name,
    /// As it was asked for.
    wanted: Name,
    /// As it is called since a conflict, else the same.
    instance: Name,
}

impl Pointer {
    /// `_universal._sub._ipp._tcp.local.` to `Office._ipp._tcp.local.`, by the labels.
    pub(super) fn new(sub_type: &str, service: &str, instance: &str) -> Result<Self, hickory_proto::ProtoError> {
        let (tcp, local) = (&b"_tcp"[..], &b"local"[..]);
        let service = service.as_bytes();
        let instance = Name::from_labels([instance.as_bytes(), service, tcp, local])?;
        Ok(Self {
            sub_type: Name::from_labels([sub_type.as_bytes(), &b"_sub"[..], service, tcp, local])?,
            wanted: instance.clone(),
            instance,
        })
    }

    fn record(&self, ttl_secs: u32) -> Record {
        Record::from_rdata(self.sub_type.clone(), ttl_secs, RData::PTR(PTR(self.instance.clone())))
    }
}

/// Says unasked that pointers are there (or, with a time to live of 0, gone).
fn announcement<'a>(pointers: impl IntoIterator<Item = &'a Pointer>, ttl_secs: u32) -> Option<Vec<u8>> {
    let mut message = Message::response(0, OpCode::Query);
    message.metadata.authoritative = true;
    message.answers = pointers.into_iter().map(|pointer| pointer.record(ttl_secs)).collect();
    if message.answers.is_empty() { None } else { message.to_vec().ok() }
}

/// The answer to a query, if there is one. `legacy`: whoever asks is no responder, and gets the answer alone.
fn answer(query: &[u8], pointers: &BTreeSet<Pointer>, legacy: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let known = |pointer: &Pointer| {
        query.answers.iter().any(|record| {
            record.ttl >= TTL_SECS / 2
                && record.name == pointer.sub_type
                && matches!(&record.data, RData::PTR(found) if found.0 == pointer.instance)
        })
    };
    let asked: Vec<_> = query
        .queries
        .iter()
        .filter(|question| matches!(question.query_type, RecordType::PTR | RecordType::ANY))
        .filter(|question| pointers.iter().any(|pointer| pointer.sub_type == question.name))
        .cloned()
        .collect();
    let mut message = Message::response(if legacy { query.metadata.id } else { 0 }, OpCode::Query);
    message.metadata.authoritative = true;
    let ttl_secs = if legacy { LEGACY_TTL_SECS } else { TTL_SECS };
    message.answers = pointers
        .iter()
        .filter(|pointer| asked.iter().any(|question| question.name == pointer.sub_type) && !known(pointer))
        .map(|pointer| pointer.record(ttl_secs))
        .collect();
    if legacy {
        message.queries = asked;
    }
    if message.answers.is_empty() { None } else { message.to_vec().ok() }
}

/// Where multicast DNS is spoken: an address of this machine with its mask for IPv4, a network's number for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Network {
    V4(Ipv4Addr, Ipv4Addr),
    V6(u32),
}

impl Network {
    fn all() -> io::Result<BTreeSet<Self>> {
        let found = if_addrs::get_if_addrs()?;
        Ok(found
            .into_iter()
            .filter_map(|interface| match &interface.addr {
                IfAddr::V4(found) => Some(Self::V4(found.ip, found.netmask)),
                IfAddr::V6(_) => interface.index.map(Self::V6),
            })
            .collect())
    }

    fn socket(self) -> io::Result<UdpSocket> {
        let (domain, any) = match self {
            Self::V4(..) => (Domain::IPV4, IpAddr::from(Ipv4Addr::UNSPECIFIED)),
            Self::V6(_) => (Domain::IPV6, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
        };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        // Every responder of a machine listens at the one port.
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        match self {
            Self::V4(addr, _) => {
                socket.set_multicast_all_v4(false)?;
                socket.join_multicast_v4(&GROUP_V4, &addr)?;
                socket.set_multicast_if_v4(&addr)?;
                socket.set_multicast_ttl_v4(255)?;
            }
            Self::V6(index) => {
                socket.set_only_v6(true)?;
                socket.set_multicast_all_v6(false)?;
                socket.join_multicast_v6(&GROUP_V6, index)?;
                socket.set_multicast_if_v6(index)?;
                socket.set_multicast_hops_v6(255)?;
            }
        }
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::new(any, PORT).into())?;
        UdpSocket::from_std(socket.into())
    }

    /// Whether somebody is on this network: whoever is not gets no answer (RFC 6762 section 11).
    fn has(self, addr: IpAddr) -> bool {
        match (self, addr) {
            (Self::V4(own, mask), IpAddr::V4(addr)) => {
                own.to_bits() & mask.to_bits() == addr.to_bits() & mask.to_bits()
            }
            (Self::V6(_), IpAddr::V6(addr)) => addr.is_loopback() || addr.is_unicast_link_local(),
            _ => false,
        }
    }

    fn group(self) -> SocketAddr {
        match self {
            Self::V4(..) => SocketAddr::new(GROUP_V4.into(), PORT),
            Self::V6(_) => SocketAddr::new(GROUP_V6.into(), PORT),
        }
    }
}

/// Answers for pointers on all networks, as long as it is there.
#[derive(Debug)]
pub(super) struct SubTypes {
    pointers: watch::Sender<Arc<BTreeSet<Pointer>>>,
}

impl SubTypes {
    /// Begins, with no pointer yet. To be called within a tokio runtime.
    pub(super) fn start() -> Self {
        let (pointers, watched) = watch::channel(Arc::default());
        tokio::spawn(on_all_networks(watched));
        Self { pointers }
    }

    /// Adds pointers.
    pub(super) fn add(&self, added: impl IntoIterator<Item = Pointer>) {
        self.pointers.send_modify(|pointers| Arc::make_mut(pointers).extend(added));
    }

    /// Takes a pointer away, whatever its instance is called now.
    pub(super) fn remove(&self, removed: &Pointer) {
        let is = |pointer: &Pointer| pointer.sub_type == removed.sub_type && pointer.wanted == removed.wanted;
        self.pointers.send_modify(|pointers| Arc::make_mut(pointers).retain(|pointer| !is(pointer)));
    }

    /// An instance is called otherwise now, by its full names.
    pub(super) fn rename(&self, from: &str, to: &str) {
        // `Office (2)._ipp._tcp.local.`: before the last two underscores anything may stand.
        let label = |full: &str| full.rsplitn(3, "._").nth(2).map(|label| label.as_bytes().to_vec());
        let service = |full: &str| full.rsplit("._").nth(1).map(|service| format!("_{service}").into_bytes());
        let (Some(from), Some(to), Some(service)) = (label(from), label(to), service(from)) else { return };
        self.pointers.send_modify(|pointers| {
            let renamed = |pointer: &Pointer| {
                let is = pointer.wanted.iter().take(2).eq([from.as_slice(), service.as_slice()]);
                let labels = std::iter::once(to.as_slice()).chain(pointer.wanted.iter().skip(1));
                let instance = Name::from_labels(labels).ok().filter(|_| is);
                Pointer { instance: instance.unwrap_or_else(|| pointer.instance.clone()), ..pointer.clone() }
            };
            *pointers = Arc::new(pointers.iter().map(renamed).collect());
        });
    }
}

async fn on_all_networks(mut watched: watch::Receiver<Arc<BTreeSet<Pointer>>>) {
    let mut served = tokio::task::JoinSet::new();
    let mut known = BTreeSet::new();
    loop {
        match Network::all() {
            Ok(networks) => {
                for network in networks {
                    if known.insert(network) {
                        let watched = watched.clone();
                        served.spawn(async move { (network, on_network(network, watched).await) });
                    }
                }
            }
            Err(error) => debug!(%error, "Could not list the networks"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_FOR_NETWORKS) => {}
            // A network that went may come again.
            Some(Ok((network, result))) = served.join_next() => {
                debug!(?network, ?result, "No longer announces on a network");
                tokio::time::sleep(Duration::from_secs(1)).await;
                known.remove(&network);
            }
            () = closed(&mut watched) => return while served.join_next().await.is_some() {},
        }
    }
}

async fn closed(watched: &mut watch::Receiver<Arc<BTreeSet<Pointer>>>) {
    while watched.changed().await.is_ok() {}
}

async fn on_network(network: Network, mut watched: watch::Receiver<Arc<BTreeSet<Pointer>>>) -> io::Result<()> {
    let socket = network.socket()?;
    let mut said = Arc::<BTreeSet<Pointer>>::default();
    let mut query = vec![0; QUERY_OCTETS_MAX];
    watched.mark_changed();
    loop {
        tokio::select! {
            changed = watched.changed() => {
                let now = if changed.is_ok() { watched.borrow_and_update().clone() } else { Arc::default() };
                if let Some(gone) = announcement(said.difference(&now), 0) {
                    socket.send_to(&gone, network.group()).await?;
                }
                if let Some(new) = announcement(now.difference(&said), TTL_SECS) {
                    socket.send_to(&new, network.group()).await?;
                }
                if changed.is_err() {
                    return Ok(());
                }
                said = now;
            }
            received = socket.recv_from(&mut query) => {
                let (octets, from) = received?;
                let legacy = from.port() != PORT;
                if !network.has(from.ip()) {
                    continue;
                }
                if let Some(answer) = answer(&query[..octets], &said, legacy) {
                    let to = if legacy { from } else { network.group() };
                    // Who cannot be answered is no reason to be silent to others.
                    if let Err(error) = socket.send_to(&answer, to).await {
                        debug!(%from, %error, "Could not answer");
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::Query;

    fn pointers() -> BTreeSet<Pointer> {
        let pointer = |service, instance| Pointer::new("_universal", service, instance).unwrap();
        [pointer("_ipp", "Büro 2"), pointer("_ipps", "Büro 2"), pointer("_ipp", "Lobby")].into()
    }

    fn ask(name: &str, query_type: RecordType, known: Option<&Pointer>) -> Vec<u8> {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(Name::from_utf8(name).unwrap(), query_type));
        message.answers.extend(known.map(|pointer| pointer.record(TTL_SECS)));
        message.to_vec().unwrap()
    }

    fn answered(query: &[u8], legacy: bool) -> Vec<String> {
        let Some(answer) = answer(query, &pointers(), legacy) else { return Vec::new() };
        let answer = Message::from_vec(&answer).unwrap();
        assert_eq!((answer.metadata.id, answer.queries.len()), if legacy { (7, 1) } else { (0, 0) });
        let label = |record: &Record| match &record.data {
            RData::PTR(name) => String::from_utf8_lossy(name.0.iter().next().unwrap()).into_owned(),
            _ => String::new(),
        };
        answer.answers.iter().map(label).collect()
    }

    #[test]
    fn a_question_for_the_sub_type_is_answered_and_no_other() {
        let universal = "_universal._sub._ipp._tcp.local.";
        for legacy in [false, true] {
            assert_eq!(answered(&ask(universal, RecordType::PTR, None), legacy), ["Büro 2", "Lobby"]);
            assert_eq!(answered(&ask("_UNIVERSAL._sub._ipps._TCP.local.", RecordType::ANY, None), legacy), ["Büro 2"]);
        }
        for (name, kind) in [
            (universal, RecordType::TXT),
            ("_ipp._tcp.local.", RecordType::PTR),
            ("_print._sub._ipp._tcp.local.", RecordType::PTR),
        ] {
            assert_eq!(answered(&ask(name, kind, None), false), [""; 0], "{name}");
        }
        assert_eq!(answer(b"\0\0", &pointers(), false), None);
    }

    #[tokio::test]
    async fn an_instance_that_had_to_be_renamed_is_found_and_removed() {
        let (sender, pointers) = watch::channel(Arc::default());
        let sub_types = SubTypes { pointers: sender };
        let pointer = Pointer::new("_universal", "_ipp", "Büro 2").unwrap();
        sub_types.add([pointer.clone(), Pointer::new("_universal", "_ipps", "Büro 2").unwrap()]);
        sub_types.rename("Büro 2._ipp._tcp.local.", "Büro 2 (2)._ipp._tcp.local.");
        let named = || -> Vec<String> {
            let label = |pointer: &Pointer| pointer.instance.iter().take(2).map(<[u8]>::to_vec).collect::<Vec<_>>();
            let labels = pointers.borrow().iter().map(label).collect::<Vec<_>>();
            labels.iter().map(|labels| String::from_utf8(labels.join(&b'.')).unwrap()).collect()
        };
        assert_eq!(named(), ["Büro 2 (2)._ipp", "Büro 2._ipps"]);
        sub_types.remove(&pointer);
        assert_eq!(named(), ["Büro 2._ipps"]);
    }

    #[test]
    fn only_who_is_on_the_network_is_answered() {
        let network = Network::V4(Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(255, 255, 255, 0));
        assert!(network.has([192, 0, 2, 200].into()) && !network.has([198, 51, 100, 1].into()));
        assert!(Network::V6(1).has("fe80::1".parse().unwrap()) && !Network::V6(1).has("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn what_the_asker_knows_is_not_said_again() {
        let known = Pointer::new("_universal", "_ipp", "Lobby").unwrap();
        assert_eq!(
            answered(&ask("_universal._sub._ipp._tcp.local.", RecordType::PTR, Some(&known)), false),
            ["Büro 2"]
        );
    }
}
