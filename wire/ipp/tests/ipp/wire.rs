//! Wire bytes beside their text form, both ways.

use crate::support::hex;
use tympan_ipp::{Collection, Limits, Message, Operation, StatusCode, Value, decode};

/// Checks that the octets read as the text, are written the same again, and end where they end.
fn both_ways(written: &str, text: &str) -> Message {
    let octets = hex(written);
    let decoded = decode(&octets, &Limits::default()).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let shown = decoded.message.to_string();
    assert_eq!(shown.lines().map(str::trim).collect::<Vec<_>>(), lines);
    assert_eq!(decoded.message.encode(), octets);
    assert_eq!(decoded.header_octets, octets.len());
    decoded.message
}

#[test]
fn get_printer_attributes_request() {
    let message = both_ways(
        r#"0200 000b 00000001
           01
           47 0012 "attributes-charset" 0005 "utf-8"
           48 001b "attributes-natural-language" 0002 "en"
           45 000b "printer-uri" 0014 "ipp://host/ipp/print"
           44 0014 "requested-attributes" 000d "printer-state"
           44 0000 000b "media-ready"
           03"#,
        "IPP/2.0 0x000b 1
         operation-attributes-tag
         attributes-charset (charset) = utf-8
         attributes-natural-language (naturalLanguage) = en
         printer-uri (uri) = ipp://host/ipp/print
         requested-attributes (1setOf keyword) = printer-state,media-ready",
    );
    let built = Message::request(Operation::GetPrinterAttributes, 1, "ipp://host/ipp/print")
        .operation("requested-attributes", Value::keywords(["printer-state", "media-ready"]));
    assert_eq!(message, built);
}

#[test]
fn a_collection_as_rfc_8010_writes_it() {
    let message = both_ways(
        r#"0200 0002 00000001 | 02
           34 0009 "media-col" 0000
             4a 0000 000a "media-size"
             34 0000 0000
               4a 0000 000b "x-dimension" | 21 0000 0004 00005208
               4a 0000 000b "y-dimension" | 21 0000 0004 00007404
             37 0000 0000
           37 0000 0000
           03"#,
        "IPP/2.0 0x0002 1
         job-attributes-tag
         media-col (collection) = {media-size={x-dimension=21000 y-dimension=29700}}",
    );
    let size = Collection::new().with("x-dimension", 21_000).with("y-dimension", 29_700);
    let media_col = Collection::new().with("media-size", size);
    assert_eq!(message.groups[0].attributes[0].values, [Value::Collection(media_col)]);
}

#[test]
fn every_syntax() {
    both_ways(
        r#"0101 0000 00000007 | 04
           10 0001 "a" 0000 | 12 0001 "b" 0000 | 13 0001 "c" 0000 | 15 0001 "d" 0000 | 16 0001 "e" 0000 | 17 0001 "f" 0000
           21 0001 "g" 0004 ffffffff
           22 0001 "h" 0001 01 | 22 0000 0001 00
           23 0001 "i" 0004 00000003
           30 0001 "j" 0002 00ff
           31 0001 "k" 000b 07ea 0b 15 0c 1e 0f 05 2d 01 1e
           32 0001 "l" 0009 00000258 0000012c 03
           33 0001 "m" 0008 00000001 7fffffff
           35 0001 "n" 0008 0002 "de" 0002 "ja"
           36 0001 "o" 0006 0002 "en" 0000
           41 0001 "p" 0002 "hi" | 42 0001 "q" 0000 | 44 0001 "r" 0004 "none" | 45 0001 "s" 0004 "urn:"
           46 0001 "t" 0003 "ipp" | 47 0001 "u" 0008 "us-ascii" | 48 0001 "v" 0002 "ja" | 49 0001 "w" 000f "application/pdf"
           03"#,
        "IPP/1.1 0x0000 7
         printer-attributes-tag
         a (unsupported) = unsupported
         b (unknown) = unknown
         c (no-value) = no-value
         d (not-settable) = not-settable
         e (delete-attribute) = delete-attribute
         f (admin-define) = admin-define
         g (integer) = -1
         h (1setOf boolean) = true,false
         i (enum) = 3
         j (octetString) = <00ff>
         k (dateTime) = 2026-11-21T12:30:15.5-01:30
         l (resolution) = 600x300dpi
         m (rangeOfInteger) = 1-2147483647
         n (textWithLanguage) = ja[de]
         o (nameWithLanguage) = [en]
         p (textWithoutLanguage) = hi
         q (nameWithoutLanguage) =
         r (keyword) = none
         s (uri) = urn:
         t (uriScheme) = ipp
         u (charset) = us-ascii
         v (naturalLanguage) = ja
         w (mimeMediaType) = application/pdf",
    );
}

#[test]
fn what_we_do_not_know_is_carried() {
    both_ways(
        r#"02ff 7fff ffffffff
           0b | 4b 0001 "a" 0001 00 | 7f 0001 "b" 0005 00010203 04 | ff 0001 "c" 0000 | 11 0001 "d" 0001 61 | 40 0000 0000
           00 | 0f | 0b
           02 | 21 0001 "e" 0005 0000000001 | 22 0001 "f" 0001 02 | 41 0001 "g" 0002 c3 28 | 35 0001 "h" 0002 0009
           31 0001 "i" 000b 0000 00 00 00 00 00 00 00 00 00 | 31 0001 "j" 000b 0000 00 00 00 00 00 00 2b 00 00
           34 0001 "k" 0000 | 4a 0000 0001 "m" | 4c 0000 0002 beef | 7f 0000 0000 | 37 0000 0000
           03"#,
        "IPP/2.255 0x7fff 4294967295
         0x0b
         a (0x4b) = <00>
         b (extension) = <0001020304>
         c (0xff) = <>
         d (1setOf 0x11|0x40) = <61>,<>
         0x00
         0x0f
         0x0b
         job-attributes-tag
         e (integer) = <0000000001>
         f (boolean) = <02>
         g (textWithoutLanguage) = <c328>
         h (textWithLanguage) = <0009>
         i (dateTime) = <0000000000000000000000>
         j (dateTime) = 0000-00-00T00:00:00.0Z
         k (collection) = {m=<beef>,<>}",
    );
}

/// A 1setOf inside of a collection, members after it, several collections, an out-of-band value among them.
#[test]
fn members_keep_their_order_and_all_their_values() {
    let message = both_ways(
        r#"0200 0000 00000001 | 04
           34 0012 "media-col-database" 0000
             4a 0000 0001 "z" | 44 0000 0001 "1" | 44 0000 0001 "2" | 42 0000 0001 "3"
             4a 0000 0001 "a" | 34 0000 0000 37 0000 0000 | 34 0000 0000 | 4a 0000 0001 "z" | 13 0000 0000 | 37 0000 0000
             4a 0000 0001 "a" | 21 0000 0004 00000009
           37 0000 0000
           34 0000 0000 | 37 0000 0000
           13 0000 0000
           34 0000 0000 | 4a 0000 0001 "q" | 22 0000 0001 01 | 37 0000 0000
           22 0004 "last" 0001 00
           03"#,
        "IPP/2.0 0x0000 1
         printer-attributes-tag
         media-col-database (1setOf collection|no-value|collection) = {z=1,2,3 a={},{z=no-value} a=9},{},no-value,{q=true}
         last (boolean) = false",
    );
    let database = message.groups[0].get("media-col-database").unwrap();
    assert_eq!(database.collections().count(), 3);
    let first = database.collection().unwrap();
    assert_eq!(first.get("z").unwrap().strings().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(first.get("a").unwrap().collections().count(), 2);
    assert_eq!(first.members[2].integer(), Some(9));
}

#[test]
fn document_data_is_left_alone() {
    let octets = hex(r#"0200 0002 00000001 | 01 03 "%PDF" 03"#);
    let decoded = decode(&octets, &Limits::default()).unwrap();
    assert_eq!(&octets[decoded.header_octets..], b"%PDF\x03");
    assert_eq!(decoded.message.status_code(), StatusCode(2));
}

#[test]
fn a_message_without_groups_is_a_message() {
    both_ways("0200 0002 00000001 03", "IPP/2.0 0x0002 1");
}
