//! Mail to each domain's own servers (RFC 5321 section 5.1, RFC 7505).

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use tokio_rustls::TlsConnector;
use tympan_smtp::client::{Config, TlsPolicy};

use super::smtp::{self, SendError, Server};
use super::{ReportError, tls};

/// How many servers of one domain are tried.
const SERVERS_MAX: usize = 5;

/// Finds servers and sends.
pub(super) struct Direct {
    resolver: TokioResolver,
    connector: TlsConnector,
    port: u16,
    hostname: String,
}

impl Direct {
    pub(super) fn new(dns: &[SocketAddr], port: u16, hostname: &str) -> Result<Self, ReportError> {
        let failed = |error: &dyn std::fmt::Display| ReportError::Resolver(error.to_string());
        let builder = if dns.is_empty() {
            Resolver::builder_tokio().map_err(|error| failed(&error))?
        } else {
            let servers = dns.iter().map(|addr| {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                connections.iter_mut().for_each(|connection| connection.port = addr.port());
                NameServerConfig::new(addr.ip(), true, connections)
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let resolver = builder.build().map_err(|error| failed(&error))?;
        let connector = tls::connector(false).map_err(|error| failed(&error))?;
        Ok(Self { resolver, connector, port, hostname: hostname.to_owned() })
    }

    pub(super) async fn send(&self, to: &str, octets: &[u8]) -> Result<(), SendError> {
        let domain = to.rsplit_once('@').map_or("", |(_, domain)| domain);
        let config =
            Arc::new(Config { hostname: self.hostname.clone(), tls: TlsPolicy::Opportunistic, ..Config::default() });
        let mut last = SendError::temporary(format!("{domain} has no server that can be reached"));
        for host in self.servers(domain).await? {
            let server = Server { host: &host, port: self.port, implicit_tls: false, tls: &self.connector };
            last = match smtp::send(&server, Arc::clone(&config), to, octets).await {
                Ok(()) => return Ok(()),
                // What a server says about the mail holds for its siblings.
                Err(error) if !error.is_temporary => return Err(error),
                Err(error) => error,
            };
        }
        Err(last)
    }

    /// Servers in the order in which they are to be tried.
    async fn servers(&self, domain: &str) -> Result<Vec<String>, SendError> {
        if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Ok(vec![literal.strip_prefix("IPv6:").unwrap_or(literal).to_owned()]);
        }
        let name = format!("{}.", domain.trim_end_matches('.'));
        let answers = match self.resolver.lookup(name.as_str(), RecordType::MX).await {
            Ok(found) => found
                .answers()
                .iter()
                .filter_map(|record| match &record.data {
                    RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
                    _ => None,
                })
                .collect(),
            Err(error) if error.is_nx_domain() => {
                return Err(SendError::permanent(format!("the domain {domain} does not exist")));
            }
            Err(error) if error.is_no_records_found() => Vec::new(),
            Err(error) => {
                return Err(SendError::temporary(format!("could not look up {domain}: {error}")));
            }
        };
        order(domain, answers, &self.hostname)
    }
}

/// The servers that take mail for a domain, in the order in which they are to be tried, as the system's DNS has them.
///
/// # Errors
/// When the domain takes no mail, does not exist, or nothing answers.
pub async fn mail_servers(domain: &str) -> Result<Vec<String>, SendError> {
    let direct = Direct::new(&[], 25, "").map_err(|error| SendError::temporary(error.to_string()))?;
    direct.servers(domain).await
}

/// Sorts by preference; without any MX the domain is its own server.
fn order(domain: &str, mut answers: Vec<(u16, String)>, own: &str) -> Result<Vec<String>, SendError> {
    if answers.is_empty() {
        return Ok(vec![domain.to_owned()]);
    }
    answers.sort();
    let plain = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    if answers.iter().all(|(_, exchange)| plain(exchange).is_empty()) {
        return Err(SendError::permanent(format!("the domain {domain} takes no mail")));
    }
    // Servers that are no better than ourselves would bring it back to us.
    if let Some(ours) =
        answers.iter().find(|(_, exchange)| plain(exchange) == plain(own)).map(|(preference, _)| *preference)
    {
        answers.retain(|(preference, _)| *preference < ours);
        if answers.is_empty() {
            return Err(SendError::permanent(format!("we are the server of {domain} ourselves")));
        }
    }
    Ok(answers
        .into_iter()
        .map(|(_, exchange)| plain(&exchange))
        .filter(|name| !name.is_empty())
        .take(SERVERS_MAX)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mx(list: &[(u16, &str)]) -> Vec<(u16, String)> {
        list.iter().map(|(preference, name)| (*preference, (*name).to_owned())).collect()
    }

    #[test]
    fn servers_are_tried_by_preference_and_never_ourselves() {
        let servers = |list: &[(u16, &str)]| order("example.org", mx(list), "print.example");
        assert_eq!(servers(&[(20, "b.example."), (10, "A.example.")]).unwrap(), ["a.example", "b.example"]);
        assert_eq!(servers(&[]).unwrap(), ["example.org"]);
        assert!(!servers(&[(0, ".")]).unwrap_err().is_temporary, "null MX: RFC 7505");
        let around_us = [(10, "a.example."), (20, "print.example."), (30, "c.example.")];
        assert_eq!(servers(&around_us).unwrap(), ["a.example"]);
        assert!(servers(&[(5, "PRINT.example")]).is_err());
    }
}
