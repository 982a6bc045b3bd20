//! Messages of real clients, recorded: read and written back as they came, and spoiled in many ways.

use std::path::Path;

use tympan_ipp::{Flat, Limits, decode};

use crate::round_trip::{Random, read};

/// The recorded messages with their names.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/ipp");
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() >= 10, "the corpus is there");
    found
}

#[test]
fn messages_of_real_clients_are_read_and_written_back_as_they_came() {
    for (name, octets) in recorded() {
        let decoded = decode(&octets, &Limits::REQUEST).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(decoded.message.encode(), &octets[..decoded.header_octets], "{name}");
        assert!(Flat::decode(&octets, &Limits::REQUEST).is_ok(), "{name}");
        decoded.message.check_request().unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

#[test]
fn messages_of_real_clients_may_be_spoiled_in_any_way() {
    let mut random = Random(0x636f_7270_7573);
    let recorded = recorded();
    for round in 0..30_000 {
        let mut octets = recorded[round % recorded.len()].1.clone();
        for _ in 0..=random.below(4) {
            random.spoil(&mut octets);
        }
        read(&octets, &Limits::REQUEST);
    }
}
