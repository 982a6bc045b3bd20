//! Properties: what is built survives the wire, what is accepted is written back, nothing makes us panic.

use proptest::collection::vec;
use proptest::prelude::*;
use tympan_ipp::{
    Attribute, Collection, DateTime, Flat, Group, GroupTag, HeaderScan, LanguageString, Limits, Message, Opaque,
    RangeOfInteger, Resolution, ResolutionUnits, Value, ValueTag, Version, decode, header_end,
};

fn string() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{0,20}", "\\PC{0,12}", "[\\x00-\\x1f]{0,4}"]
}

fn date_time() -> impl Strategy<Value = DateTime> {
    (any::<u16>(), any::<[u8; 8]>(), any::<bool>()).prop_map(|(year, fields, behind_utc)| DateTime {
        year,
        month: fields[0],
        day: fields[1],
        hour: fields[2],
        minutes: fields[3],
        seconds: fields[4],
        deci_seconds: fields[5],
        behind_utc,
        utc_hours: fields[6],
        utc_minutes: fields[7],
    })
}

fn flat_value() -> impl Strategy<Value = Value> {
    let language_string = || (string(), string()).prop_map(|(language, text)| LanguageString { language, text });
    let resolution = (any::<i32>(), any::<i32>(), any::<u8>()).prop_map(|(cross_feed, feed, units)| Resolution {
        cross_feed,
        feed,
        units: ResolutionUnits::from(units),
    });
    // tags that no syntax uses, so that the octets cannot turn into something known
    let opaque = (prop_oneof![Just(0x11u8), 0x18..=0x20u8, 0x4bu8..=0xff], vec(any::<u8>(), 0..20))
        .prop_filter_map("structural", |(tag, octets)| Opaque::new(ValueTag(tag), octets));
    prop_oneof![
        Just(Value::Unsupported),
        Just(Value::Unknown),
        Just(Value::NoValue),
        Just(Value::NotSettable),
        Just(Value::DeleteAttribute),
        Just(Value::AdminDefine),
        any::<i32>().prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        any::<i32>().prop_map(Value::Enum),
        vec(any::<u8>(), 0..20).prop_map(Value::OctetString),
        date_time().prop_map(Value::DateTime),
        resolution.prop_map(Value::Resolution),
        (any::<i32>(), any::<i32>()).prop_map(|(lower, upper)| Value::RangeOfInteger(RangeOfInteger { lower, upper })),
        language_string().prop_map(Value::TextWithLanguage),
        language_string().prop_map(Value::NameWithLanguage),
        string().prop_map(Value::Text),
        string().prop_map(Value::Name),
        string().prop_map(Value::Keyword),
        string().prop_map(Value::Uri),
        string().prop_map(Value::UriScheme),
        string().prop_map(Value::Charset),
        string().prop_map(Value::NaturalLanguage),
        string().prop_map(Value::MimeMediaType),
        opaque.prop_map(Value::Other),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    flat_value().prop_recursive(4, 24, 4, |inner| {
        vec(attribute(inner), 0..4).prop_map(|members| Value::Collection(Collection { members }))
    })
}

fn attribute(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Attribute> {
    ("[a-z][a-z0-9-]{0,12}", vec(value, 1..4)).prop_map(|(name, values)| Attribute { name, values })
}

fn message() -> impl Strategy<Value = Message> {
    let group = (prop_oneof![0u8..=2, 4u8..=15], vec(attribute(value()), 0..5))
        .prop_map(|(tag, attributes)| Group { tag: GroupTag(tag), attributes });
    (1u8..=2, any::<u8>(), any::<u16>(), any::<u32>(), vec(group, 0..4)).prop_map(
        |(major, minor, code, request_id, groups)| Message {
            version: Version { major, minor },
            code,
            request_id,
            groups,
        },
    )
}

/// Reads octets in all ways; they must agree, and what is accepted must be written back as it was.
pub(crate) fn read(octets: &[u8], limits: &Limits) {
    let decoded = decode(octets, limits);
    let flat = Flat::decode(octets, limits);
    match (&decoded, &flat) {
        (Ok(decoded), Ok(flat)) => {
            assert_eq!(decoded.message.encode(), &octets[..decoded.header_octets]);
            assert_eq!(header_end(octets, limits), Ok(Some(decoded.header_octets)));
            assert_eq!(flat.header_octets, decoded.header_octets);
            assert_eq!(flat.groups.len(), decoded.message.groups.len());
            let _ = decoded.message.check_request().map_err(|fault| fault.to_string());
            assert!(decoded.message.to_string().lines().count() > decoded.message.groups.len());
        }
        (Err(error), Err(flat)) => {
            assert_eq!(error, flat);
            assert_eq!(error.response().request_id, error.request_id);
        }
        _ => panic!("owned and flat decoding differ: {decoded:?} {flat:?}"),
    }
}

proptest! {
    #[test]
    fn what_is_built_survives_the_wire(message in message(), data in vec(any::<u8>(), 0..8)) {
        let mut octets = message.encode();
        let header_octets = octets.len();
        octets.extend(data);
        let decoded = decode(&octets, &Limits::default()).unwrap();
        prop_assert_eq!(decoded.header_octets, header_octets);
        prop_assert_eq!(&decoded.message, &message);
        read(&octets, &Limits::default());
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..200)) {
        read(&octets, &Limits::default());
    }

    #[test]
    fn a_message_may_come_in_any_pieces(message in message(), cuts in vec(0.0..1.0f64, 0..6)) {
        let octets = message.encode();
        let mut lengths: Vec<usize> = cuts.iter().map(|cut| (cut * octets.len() as f64) as usize).collect();
        lengths.sort_unstable();
        let mut scan = HeaderScan::new(&Limits::default());
        for length in lengths {
            prop_assert_eq!(scan.scan(&octets[..length]), Ok(None));
        }
        prop_assert_eq!(scan.scan(&octets), Ok(Some(octets.len())));
    }

    #[test]
    fn any_keyword_may_be_asked_for_its_size(name in "\\PC{0,24}|[a-z]{1,8}_[a-z0-9.-]{0,6}_[0-9.]{1,12}x[0-9.]{1,12}(mm|in)") {
        if let Some(size) = tympan_ipp::media::size_of(&name) {
            prop_assert!(size.x > 0 && size.y >= 0);
            prop_assert!(!tympan_ipp::media::called(&name).is_empty());
            prop_assert_eq!(tympan_ipp::media::size_of(&size.custom_name()), Some(size));
        }
    }
}

/// Mutations of good messages from a fixed seed: bits, lengths and tags spoiled, parts cut, doubled and swapped.
#[test]
fn spoiled_messages_are_read_or_refused() {
    let mut random = Random(0x7479_6d70_616e);
    let seeds: Vec<Vec<u8>> = seeds();
    let small =
        Limits { octets: 400, groups: 3, attributes: 8, values: 20, depth: 2, name_octets: 30, value_octets: 60 };
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..60_000 {
        let mut octets = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(4) {
            random.spoil(&mut octets);
        }
        let limits = if round % 3 == 0 { small } else { Limits::default() };
        read(&octets, &limits);
        if decode(&octets, &limits).is_ok() { accepted += 1 } else { refused += 1 }
    }
    // both ways must be walked for the test to mean something
    assert!(accepted > 5_000 && refused > 5_000, "{accepted} accepted, {refused} refused");
}

fn seeds() -> Vec<Vec<u8>> {
    let size = Collection::new().with("x-dimension", 21_000).with("y-dimension", Value::range(1, 29_700));
    let media_col = Collection::new().with("media-size", size).with("media-type", Value::keyword("stationery"));
    let job = Message::request(tympan_ipp::Operation::PrintJob, 1, "ipp://host/ipp/print")
        .operation("job-name", Value::name("report"))
        .job("media-col", [Value::Collection(media_col.clone()), Value::NoValue, Value::Collection(media_col)])
        .job("copies", 2);
    let printer = Message::response(tympan_ipp::StatusCode::SuccessfulOk, &job)
        .printer("printer-resolution-supported", [Value::from(Resolution::dpi(300)), Value::from(Resolution::dpi(600))])
        .printer("printer-current-time", DateTime::from_unix_secs(1_795_262_400))
        .printer("printer-info", Value::TextWithLanguage(LanguageString { language: "ja".into(), text: "受付".into() }))
        .printer("odd", Value::Other(Opaque::new(ValueTag::Extension, [0, 0, 0, 0x80, 1]).unwrap()));
    vec![job.encode(), printer.encode()]
}

/// xorshift64*: the same numbers on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound.max(1)
    }

    pub(crate) fn spoil(&mut self, octets: &mut Vec<u8>) {
        const TAGS: [u8; 14] = [0x00, 0x02, 0x03, 0x0b, 0x10, 0x21, 0x22, 0x31, 0x34, 0x35, 0x37, 0x4a, 0x7f, 0xff];
        if octets.is_empty() {
            return octets.push(self.next() as u8);
        }
        let at = self.below(octets.len());
        match self.below(7) {
            0 => octets[at] ^= 1 << self.below(8),
            1 => octets[at] = TAGS[self.below(TAGS.len())],
            2 => octets[at] = [0x00, 0x01, 0x7f, 0x80, 0xff][self.below(5)],
            3 => octets.truncate(at),
            4 => octets.insert(at, TAGS[self.below(TAGS.len())]),
            5 => {
                let end = at + self.below(40).min(octets.len() - at);
                let part = octets[at..end].to_vec();
                let to = self.below(octets.len());
                octets.splice(to..to, part);
            }
            _ => {
                let end = at + self.below(20).min(octets.len() - at);
                octets.drain(at..end);
            }
        }
    }
}
