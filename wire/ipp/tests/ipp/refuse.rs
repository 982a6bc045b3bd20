//! What is refused, with which status, and that every limit holds at n and breaks at n + 1.

use crate::support::hex;
use tympan_ipp::{
    Collection, DecodeErrorKind as Kind, Flat, Group, GroupTag, HeaderScan, Limits, Message, Operation, StatusCode,
    Value, Version, decode, header_end,
};

fn kind(octets: &[u8], limits: &Limits) -> Option<Kind> {
    let kind = decode(octets, limits).err().map(|error| error.kind);
    assert_eq!(Flat::decode(octets, limits).err().map(|error| error.kind), kind);
    let scanned = header_end(octets, limits);
    match kind {
        Some(Kind::Truncated) => assert_eq!(scanned, Ok(None)),
        kind => assert_eq!(scanned.err().map(|error| error.kind), kind),
    }
    kind
}

fn refused(written: &str) -> Kind {
    kind(&hex(written), &Limits::default()).unwrap_or_else(|| panic!("accepted {written}"))
}

#[test]
fn a_message_cut_anywhere_is_truncated() {
    let size = Collection::new().with("x-dimension", 21_000);
    let octets = Message::request(Operation::PrintJob, 0x0102_0304, "ipp://h/")
        .job("media-col", Collection::new().with("media-size", size))
        .encode();
    for cut in 0..octets.len() {
        let error = decode(&octets[..cut], &Limits::default()).unwrap_err();
        assert_eq!(error.kind, Kind::Truncated, "cut at {cut}");
        assert_eq!(error.status(), StatusCode::ClientErrorBadRequest);
        assert_eq!(error.version, (cut >= 2).then_some(Version::V2_0));
        assert_eq!(error.code, (cut >= 4).then_some(2));
        assert_eq!(error.request_id, if cut >= 8 { 0x0102_0304 } else { 0 });
        assert_eq!(error.response().request_id, error.request_id);
    }
    assert_eq!(kind(&octets, &Limits::default()), None);
}

#[test]
fn versions_other_than_1_and_2_are_refused_with_the_nearest() {
    for (written, answered) in [("0000", Version::V1_1), ("0300", Version::V2_2), ("ff00", Version::V2_2)] {
        let error = decode(&hex(&format!("{written} 000b 00000007 03")), &Limits::default()).unwrap_err();
        assert_eq!(error.kind, Kind::VersionNotSupported);
        assert_eq!(error.status(), StatusCode::ServerErrorVersionNotSupported);
        let answer = error.response();
        assert_eq!((answer.version, answer.request_id), (answered, 7));
    }
    assert_eq!(kind(&hex("0109 000b 00000001 03"), &Limits::default()), None);
}

#[test]
fn broken_structure_is_refused() {
    for (written, expected) in [
        (r#"0200 0002 00000001 | 21 0001 "a" 0004 00000001 03"#, Kind::OutsideGroup),
        (r#"0200 0002 00000001 | 01 21 0000 0004 00000001 03"#, Kind::NameMissing),
        (r#"0200 0002 00000001 | 01 22 0001 "a" 0001 01 | 02 22 0000 0001 01 03"#, Kind::NameMissing),
        (r#"0200 0002 00000001 | 01 22 8000"#, Kind::NegativeLength),
        (r#"0200 0002 00000001 | 01 22 0001 "a" ffff"#, Kind::NegativeLength),
        (r#"0200 0002 00000001 | 01 22 0001 ff 0001 01 03"#, Kind::NameNotText),
        // members and ends outside of a collection
        (r#"0200 0002 00000001 | 01 4a 0001 "a" 0001 "b" 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 37 0001 "a" 0000 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 37 0000 0000 37 0000 0000 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 22 0001 "a" 0001 00 | 37 0000 0000 03"#, Kind::BrokenCollection),
        // a value without a member name, a member without a value
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 21 0000 0004 00000001 37 0000 0000 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 4a 0000 0001 "b" 37 0000 0000 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 4a 0000 0001 "b" 4a 0000 0001 "c" 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 4a 0000 0000 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 4a 0000 0001 ff 03"#, Kind::NameNotText),
        // names and values where none belong
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0001 00"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 37 0000 0001 00"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 37 0001 "a" 0000"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 4a 0001 "b" 0001 "b""#, Kind::BrokenCollection),
        // a group or the end inside of a collection
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 03"#, Kind::BrokenCollection),
        (r#"0200 0002 00000001 | 01 34 0001 "a" 0000 02"#, Kind::BrokenCollection),
    ] {
        assert_eq!(refused(written), expected, "{written}");
    }
}

fn at_limit(octets: &[u8], limits: Limits, expected: Kind, lower: impl Fn(&mut Limits)) {
    assert_eq!(kind(octets, &limits), None, "{expected:?} at the limit");
    let mut lowered = limits;
    lower(&mut lowered);
    assert_eq!(kind(octets, &lowered), Some(expected));
}

fn request() -> Message {
    Message::request(Operation::PrintJob, 1, "ipp://h/")
}

#[test]
fn every_limit_holds_at_n_and_breaks_beyond() {
    let octets = request().job("copies", Value::integers([1, 2, 3])).encode();
    let exact = Limits {
        octets: octets.len(),
        groups: 2,
        attributes: 4,
        values: 6,
        depth: 0,
        name_octets: "attributes-natural-language".len(),
        value_octets: "ipp://h/".len(),
    };
    at_limit(&octets, exact, Kind::TooManyOctets, |limits| limits.octets -= 1);
    at_limit(&octets, exact, Kind::TooManyGroups, |limits| limits.groups -= 1);
    at_limit(&octets, exact, Kind::TooManyAttributes, |limits| limits.attributes -= 1);
    at_limit(&octets, exact, Kind::TooManyValues, |limits| limits.values -= 1);
    at_limit(&octets, exact, Kind::NameTooLong, |limits| limits.name_octets -= 1);
    at_limit(&octets, exact, Kind::ValueTooLong, |limits| limits.value_octets -= 1);
    let nested = request().job("a", Collection::new().with("b", Collection::new())).encode();
    let two_deep = Limits { depth: 2, ..Limits::default() };
    at_limit(&nested, two_deep, Kind::TooDeep, |limits| limits.depth -= 1);
    let member = request().job("a", Collection::new().with("b".repeat(255), 1)).encode();
    at_limit(&member, Limits::default(), Kind::NameTooLong, |limits| limits.name_octets -= 1);
}

#[test]
fn the_defaults_hold_at_n_and_break_beyond() {
    let limits = Limits::default();
    let with_attributes = |count: usize| {
        let group = (0..count).fold(Group::new(GroupTag::Job), |group, nth| group.with(format!("a{nth}"), 1));
        Message { groups: vec![group], ..request() }.encode()
    };
    assert_eq!(kind(&with_attributes(1000), &limits), None);
    assert_eq!(kind(&with_attributes(1001), &limits), Some(Kind::TooManyAttributes));

    // 8 octets of head, 1 of group, 6 of name and lengths, 1 of end; then values with 5 octets each around them
    let filled = |octets: usize| {
        let mut values = vec![Value::Text("x".repeat(32_000)); 8];
        values.push(Value::Text("x".repeat(octets - (8 + 1 + 1 + 1 + 9 * 5) - 8 * 32_000)));
        let message = Message { groups: vec![Group::new(GroupTag::Job).with("a", values)], ..request() }.encode();
        assert_eq!(message.len(), octets);
        message
    };
    assert_eq!(kind(&filled(256 * 1024), &limits), None);
    assert_eq!(kind(&filled(256 * 1024 + 1), &limits), Some(Kind::TooManyOctets));

    let deep = |levels: usize| {
        let innermost = Collection::new();
        let nested = (1..levels).fold(innermost, |inner, _| Collection::new().with("b", inner));
        request().job("a", nested).encode()
    };
    assert_eq!(kind(&deep(8), &limits), None);
    assert_eq!(kind(&deep(9), &limits), Some(Kind::TooDeep));
    let boundless = Limits { depth: usize::MAX, ..limits };
    assert_eq!(kind(&deep(Limits::DEPTH_MAX), &boundless), None);
    assert_eq!(kind(&deep(Limits::DEPTH_MAX + 1), &boundless), Some(Kind::TooDeep));

    let with_values = |count: i32| {
        Message { groups: vec![Group::new(GroupTag::Job).with("a", Value::integers(0..count))], ..request() }.encode()
    };
    assert_eq!(kind(&with_values(20_000), &limits), None);
    assert_eq!(kind(&with_values(20_001), &limits), Some(Kind::TooManyValues));
    let with_groups = |count: usize| Message { groups: vec![Group::new(GroupTag::Job); count], ..request() }.encode();
    assert_eq!(kind(&with_groups(1000), &limits), None);
    assert_eq!(kind(&with_groups(1001), &limits), Some(Kind::TooManyGroups));
}

#[test]
fn statuses_tell_too_long_from_too_large() {
    let long = request().job("n".repeat(300), 1).encode();
    let error = decode(&long, &Limits::default()).unwrap_err();
    assert_eq!((error.status(), error.request_id), (StatusCode::ClientErrorRequestValueTooLong, 1));
    let small = Limits { attributes: 1, ..Limits::default() };
    let error = decode(&long, &small).unwrap_err();
    assert_eq!((error.status(), error.request_id), (StatusCode::ClientErrorRequestEntityTooLarge, 1));
}

/// 320 KB of begCollection overflowed the stack of another library.
#[test]
fn a_bomb_of_collections_is_refused_at_the_depth_limit() {
    let mut bomb = hex(r#"0200 0002 00000001 | 02 | 34 0001 "a" 0000"#);
    while bomb.len() < 320_000 {
        bomb.extend(hex(r#"4a 0000 0001 "b" | 34 0000 0000"#));
    }
    for limits in
        [Limits::default(), Limits { octets: usize::MAX, values: usize::MAX, depth: usize::MAX, ..Limits::default() }]
    {
        assert_eq!(kind(&bomb, &limits), Some(Kind::TooDeep));
    }
    // without member names, as the bomb was built
    let mut bare = hex(r#"0200 0002 00000001 | 02 | 34 0001 "a" 0000"#);
    bare.extend(hex("34 0000 0000").repeat(64_000));
    assert_eq!(kind(&bare, &Limits::default()), Some(Kind::BrokenCollection));
}

#[test]
fn the_end_is_found_while_the_buffer_grows() {
    let size = Collection::new().with("x-dimension", 21_000);
    let mut octets = request().job("media-col", Collection::new().with("media-size", size)).encode();
    let end = octets.len();
    octets.extend(b"%PDF-1.7\x03");
    let mut scan = HeaderScan::new(&Limits::default());
    for length in 0..=octets.len() {
        let expected = (length >= end).then_some(end);
        assert_eq!(scan.scan(&octets[..length]), Ok(expected), "after {length} octets");
        assert_eq!(header_end(&octets[..length], &Limits::default()), Ok(expected));
    }
}

#[test]
fn a_growing_buffer_is_refused_as_soon_as_it_cannot_become_a_message() {
    let octets = request().encode();
    let limits = Limits { octets: octets.len() - 1, ..Limits::default() };
    let mut scan = HeaderScan::new(&limits);
    let refused_after = (0..=octets.len()).find(|length| scan.scan(&octets[..*length]).is_err()).unwrap();
    assert_eq!(refused_after, octets.len() - 1, "the end no longer fits");
    // the length of a value alone tells that it cannot fit
    let huge = hex(r#"0200 0002 00000001 | 01 41 0001 "a" 7fff"#);
    let limits = Limits { octets: 1000, ..Limits::default() };
    assert_eq!(header_end(&huge, &limits).unwrap_err().kind, Kind::TooManyOctets);
}
