//! The zone server, asked by the resolver that the product uses.

use std::net::Ipv4Addr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Resolver, TokioResolver};
use tympan_tests::ZoneServer;
use tympan_tests::zone::DnsFailure;

/// A configuration that asks only this server, and gives up soon.
pub(super) fn resolver_config(zone: &ZoneServer) -> (ResolverConfig, ResolverOpts) {
    let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = zone.address().port();
    }
    let server = NameServerConfig::new(zone.address().ip(), true, connections.to_vec());
    let mut options = ResolverOpts::default();
    options.timeout = Duration::from_millis(300);
    options.attempts = 1;
    options.cache_size = 0;
    (ResolverConfig::from_name_servers(vec![server]), options)
}

fn resolver(zone: &ZoneServer) -> TokioResolver {
    let (config, options) = resolver_config(zone);
    Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build().unwrap()
}

#[tokio::test]
async fn answers_with_what_the_zone_holds() {
    let zone = ZoneServer::start();
    zone.a("mx.sender.example", Ipv4Addr::new(192, 0, 2, 7)).mx("sender.example", 10, "mx.sender.example");
    let resolver = resolver(&zone);
    let addresses = resolver.lookup_ip("mx.sender.example.").await.unwrap();
    assert_eq!(addresses.iter().collect::<Vec<_>>(), [Ipv4Addr::new(192, 0, 2, 7)]);
    let exchangers = resolver.mx_lookup("sender.example.").await.unwrap();
    assert_eq!(exchangers.answers().len(), 1);
    assert!(zone.asked().contains(&("sender.example".to_owned(), "MX".to_owned())));
}

#[tokio::test]
async fn says_that_a_name_is_not_there() {
    let zone = ZoneServer::start();
    zone.a("host.below.example", Ipv4Addr::LOCALHOST);
    let resolver = resolver(&zone);
    assert!(resolver.txt_lookup("nobody.example.").await.unwrap_err().is_nx_domain());
    let empty = resolver.txt_lookup("below.example.").await.unwrap_err();
    assert!(empty.is_no_records_found() && !empty.is_nx_domain(), "{empty}");
}

#[tokio::test]
async fn sends_a_long_text_over_tcp() {
    let zone = ZoneServer::start();
    let text = "0123456789".repeat(500);
    zone.txt("long.example", &text);
    let lookup = resolver(&zone).txt_lookup("long.example.").await.unwrap();
    let text_seen: String = lookup
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            hickory_proto::rr::RData::TXT(txt) => {
                Some(txt.txt_data.iter().map(|string| String::from_utf8_lossy(string)).collect::<String>())
            }
            _ => None,
        })
        .collect();
    assert_eq!(text_seen, text);
}

#[tokio::test]
async fn fails_as_it_is_told_and_heals() {
    let zone = ZoneServer::start();
    zone.txt("sender.example", "v=spf1 -all");
    let resolver = resolver(&zone);
    for failure in [DnsFailure::ServerFailure, DnsFailure::Refused, DnsFailure::Silence] {
        zone.fail("sender.example", Some(failure));
        let error = resolver.txt_lookup("sender.example.").await.unwrap_err();
        assert!(!error.is_nx_domain(), "{failure:?}: {error}");
    }
    zone.fail("sender.example", None);
    assert!(resolver.txt_lookup("sender.example.").await.is_ok());
}
