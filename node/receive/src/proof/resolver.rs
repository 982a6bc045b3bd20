//! Where names are looked up.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use mail_auth::MessageAuthenticator;

/// Which name servers are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dns {
    /// None. Nothing can be proven by DNS.
    #[default]
    Off,
    /// Those of the machine (`/etc/resolv.conf`).
    System,
    /// These.
    Servers(Vec<SocketAddr>),
}

/// One question, one try.
const QUESTION_TIME_OUT: Duration = Duration::from_secs(3);

impl Dns {
    /// What asks these servers; `None` if there are none.
    pub(crate) fn authenticator(&self) -> Result<Option<MessageAuthenticator>, NetError> {
        let (config, mut options) = match self {
            Self::Off => return Ok(None),
            Self::System => hickory_resolver::system_conf::read_system_conf()?,
            Self::Servers(servers) => (config_of(servers), ResolverOpts::default()),
        };
        options.timeout = QUESTION_TIME_OUT;
        options.attempts = 2;
        // Longer answers than a datagram holds (keys of 4096 bits) come by TCP.
        options.try_tcp_on_error = true;
        options.cache_size = 1024;
        MessageAuthenticator::new(config, options).map(Some)
    }
}

fn config_of(servers: &[SocketAddr]) -> ResolverConfig {
    let server = |addr: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(addr.ip());
        let at_port = |mut connection: ConnectionConfig| {
            connection.port = addr.port();
            connection
        };
        server.connections = server.connections.into_iter().map(at_port).collect();
        server
    };
    ResolverConfig::from_name_servers(servers.iter().map(server).collect())
}
