//! Who sent it? What proves a mail's sender (A03, A04).
//!
//! The sender is the one From address, if DMARC passes for its domain. The reverse-path counts only with AUTH, as
//! one of the account's addresses, or from a listed network.

mod dmarc;
mod resolver;
mod vouched;

pub(crate) use dmarc::{Claim, Dmarc};
pub use resolver::Dns;
pub(crate) use vouched::vouched;

use std::net::IpAddr;

use tympan_engine::Account;
use tympan_engine::admit::Proof;
use tympan_smtp::ReversePath;

use crate::Network;

/// An address that may be the sender's, and what would prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The address in canonical form.
    pub(crate) address: String,
    /// What proves it; [`Proof::None`]: DMARC would have to.
    pub(crate) proof: Proof,
}

/// The addresses that the sender of a mail may be, best proof first.
pub(crate) fn candidates(
    account: Option<&Account>,
    networks: &[Network],
    peer: Option<IpAddr>,
    reverse_path: &ReversePath,
    from: Option<&str>,
) -> Vec<Candidate> {
    let reverse_path = reverse_path
        .address()
        .and_then(|address| tympan_spooler::registrations::canonical_address(&address.canonical()).ok());
    let named = [reverse_path.as_deref(), from];
    let mut found: Vec<Candidate> = Vec::new();
    let mut push = |address: &str, proof: Proof| {
        if !found.iter().any(|candidate| candidate.address == address) {
            found.push(Candidate { address: address.to_owned(), proof });
        }
    };
    if let Some(account) = account {
        for address in named.into_iter().flatten().filter(|address| may_send_as(account, address)) {
            push(address, Proof::Authenticated);
        }
    }
    if peer.is_some_and(|peer| Network::any_contains(networks, peer)) {
        for address in named.into_iter().flatten() {
            push(address, Proof::Network);
        }
    }
    if let Some(from) = from {
        push(from, Proof::None);
    }
    found
}

/// Whether an account may send as an address: it is one of its addresses, or its name.
pub(crate) fn may_send_as(account: &Account, address: &str) -> bool {
    account.name == address || account.addresses.iter().any(|own| own.0 == address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::{AccountId, Language, OwnerId, Right, Timestamp};
    use tympan_smtp::Address;

    fn account() -> Account {
        Account {
            owner: OwnerId::FIRST,
            id: AccountId([1; 16]),
            name: "anna".into(),
            addresses: vec!["anna@a.example".to_owned().into()],
            password_hash: None,
            right: Right::Print,
            printer_rights: Vec::new(),
            language: Language::En,
            created_at: Timestamp(0),
        }
    }

    fn who(account: Option<&Account>, peer: &str, reverse_path: &str, from: Option<&str>) -> Vec<(String, Proof)> {
        let reverse_path = match reverse_path {
            "" => ReversePath::Null,
            text => ReversePath::Address(Address::parse(text).unwrap()),
        };
        let networks = ["192.0.2.0/24".parse().unwrap()];
        let found = candidates(account, &networks, peer.parse().ok(), &reverse_path, from);
        found.into_iter().map(|candidate| (candidate.address, candidate.proof)).collect()
    }

    #[test]
    fn a04_the_reverse_path_counts_only_with_auth_or_from_a_listed_network() {
        let anna = || "anna@a.example".to_owned();
        let bob = || "bob@b.example".to_owned();
        let account = account();
        assert_eq!(who(None, "198.51.100.1", "Anna@a.example", Some("bob@b.example")), [(bob(), Proof::None)]);
        assert_eq!(who(None, "198.51.100.1", "anna@a.example", None), []);
        assert_eq!(who(None, "192.0.2.1", "Anna@a.example", None), [(anna(), Proof::Network)]);
        assert_eq!(
            who(None, "192.0.2.1", "anna@a.example", Some("bob@b.example")),
            [(anna(), Proof::Network), (bob(), Proof::Network)]
        );
        assert_eq!(who(Some(&account), "198.51.100.1", "anna@a.example", None), [(anna(), Proof::Authenticated)]);
        assert_eq!(
            who(Some(&account), "198.51.100.1", "bob@b.example", Some("bob@b.example")),
            [(bob(), Proof::None)],
            "an account does not send in another's name"
        );
        assert_eq!(
            who(Some(&account), "192.0.2.1", "", Some("anna@a.example")),
            [(anna(), Proof::Authenticated)],
            "one address, its best proof"
        );
    }
}
