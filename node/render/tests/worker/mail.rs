use image::ImageFormat;
use tympan_render::{
    Disposition, Format, Limits, MailFacts, Notice, Output, PartHeader, PartRole, RefusalKind, SplitMail,
};

use crate::samples::*;

/// A mail taken apart.
struct Split {
    facts: MailFacts,
    parts: Vec<(PartHeader, Vec<u8>)>,
    notices: Vec<Notice>,
}

impl Split {
    fn documents(&self) -> Vec<(&str, Format)> {
        let documents = self.parts.iter().filter(|(header, _)| header.role == PartRole::Attachment);
        documents.map(|(header, _)| (header.name.as_deref().unwrap_or("-"), header.format)).collect()
    }

    fn body(&self) -> &str {
        let body = self.parts.iter().find(|(header, _)| header.role == PartRole::Body && header.depth == 0);
        body.map_or("", |(_, data)| std::str::from_utf8(data).unwrap())
    }

    fn role(&self, name: &str) -> PartRole {
        self.parts
            .iter()
            .find(|(header, _)| header.name.as_deref() == Some(name))
            .map(|(header, _)| header.role)
            .unwrap()
    }
}

async fn split_within(mail: &[u8], limits: Limits) -> Split {
    let outputs = all(&renderer().with_limits(limits), SplitMail::default(), mail).await.unwrap();
    let mut split = Split { facts: MailFacts::default(), parts: vec![], notices: vec![] };
    for output in outputs {
        match output {
            Output::Mail(facts) => split.facts = *facts,
            Output::PartStart(header) => split.parts.push((*header, vec![])),
            Output::Data(data) => split.parts.last_mut().unwrap().1.extend_from_slice(&data),
            Output::Notice(notice) => split.notices.push(notice),
            Output::PartEnd { octets } => {
                assert_eq!(octets, split.parts.last().unwrap().1.len() as u64)
            }
            other => panic!("{other:?}"),
        }
    }
    split
}

async fn split(mail: impl AsRef<[u8]>) -> Split {
    split_within(mail.as_ref(), Limits::default()).await
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in data.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
        if text.len() % 78 >= 74 {
            text.push_str("\r\n");
        }
    }
    text
}

const HEAD: &str = "From: =?utf-8?B?44Ki44Oz44OK?= <anna@example.net>\r\nTo: office@print.example, \"B, C\" <b@print.example>\r\n\
    Subject: =?iso-2022-jp?B?GyRCQEE1YT1xGyhC?=\r\nMessage-ID: <1@example.net>\r\nDate: Sat, 21 Nov 2026 10:15:00 +0900\r\nMIME-Version: 1.0\r\n";

/// A part of a multipart: header lines, then the content.
fn multi(subtype: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n")
}

fn text(content: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{content}")
}

fn html(content: &str) -> String {
    format!("Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{content}")
}

fn attached(kind: &str, headers: &str, data: &[u8]) -> String {
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{headers}\r\n{}", base64(data))
}

fn named(kind: &str, name: &str, data: &[u8]) -> String {
    attached(kind, &format!("Content-Disposition: attachment; filename=\"{name}\"\r\n"), data)
}

#[tokio::test]
async fn body_and_attachments_come_in_order_with_their_names() {
    let pdf = drawn_pdf(&[A4], "", "");
    let photo = picture(400, 300, ImageFormat::Jpeg);
    let mail = HEAD.to_owned()
        + &multi(
            "mixed",
            "b1",
            &[
                text("Please print this.\r\n-- \r\nAnna"),
                attached(
                    "application/octet-stream",
                    "Content-Disposition: attachment;\r\n filename*0*=utf-8''%E8%AB%8B%E6%B1%82;\r\n filename*1*=%E6%9B%B8.pdf\r\n",
                    &pdf,
                ),
                attached(
                    "image/jpeg; name=\"=?utf-8?B?5YaZ55yfLmpwZw==?=\"",
                    "Content-Disposition: inline\r\n",
                    &photo,
                ),
                named(
                    "text/csv; charset=shift_jis",
                    "..\\liste.csv",
                    &encoding_rs::SHIFT_JIS.encode("品名,数\r\n紙,3\r\n").0,
                ),
                named("application/zip", "stuff.zip", b"PK\x03\x04not really"),
            ],
        );
    let split = split(&mail).await;
    assert_eq!(split.body(), "Please print this.\n-- \nAnna");
    let documents = [
        ("請求書.pdf", Format::Pdf),
        ("写真.jpg", Format::Jpeg),
        ("liste.csv", Format::Text),
        ("stuff.zip", Format::Zip),
    ];
    assert_eq!(split.documents(), documents);
    assert_eq!(split.parts[1].1, pdf);
    assert_eq!(split.parts[1].0.declared_type, "application/octet-stream");
    assert_eq!(split.parts[2].1, photo);
    assert_eq!(split.parts[2].0.disposition, Disposition::Inline);
    assert_eq!(String::from_utf8_lossy(&split.parts[3].1), "品名,数\r\n紙,3\r\n");
    assert_eq!(split.parts[4].1, b"", "what cannot be printed comes without data");
    assert_eq!(split.parts[4].0.octets, 14);
    let numbers: Vec<u32> = split.parts.iter().map(|(header, _)| header.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(split.notices, []);
}

#[tokio::test]
async fn the_header_is_decoded() {
    let facts = split(format!("{HEAD}In-Reply-To: <0@print.example>\r\nReferences: <a@x> <0@print.example>\r\n\r\nHi"))
        .await
        .facts;
    assert_eq!((facts.from[0].name.as_deref(), facts.from[0].address.as_str()), (Some("アンナ"), "anna@example.net"));
    assert_eq!((facts.from.len(), facts.from_fields), (1, 1));
    assert_eq!(
        facts.to.iter().map(|a| a.address.as_str()).collect::<Vec<_>>(),
        ["office@print.example", "b@print.example"]
    );
    assert_eq!(facts.subject.as_deref(), Some("請求書"));
    assert_eq!(facts.message_id.as_deref(), Some("1@example.net"));
    assert_eq!(facts.in_reply_to, ["0@print.example"]);
    assert_eq!(facts.references, ["a@x", "0@print.example"]);
    assert_eq!(facts.date_unix_secs, Some(1_795_223_700));
    assert_eq!(facts.date.as_deref(), Some("2026-11-21T10:15:00+09:00"));
    assert_eq!(facts.content_type, "text/plain");
    assert!(!facts.is_automatic());
}

#[tokio::test]
async fn automatic_mail_is_recognised() {
    for (line, automatic) in [
        ("Auto-Submitted: auto-replied (vacation)", true),
        ("Auto-Submitted: No", false),
        ("Precedence: BULK", true),
        ("List-Id: <news.example>", true),
        ("List-Unsubscribe: <mailto:x@y>", true),
        ("Return-Path: <>", true),
        ("Return-Path: <anna@example.net>", false),
        ("Content-Type: multipart/report; boundary=x; report-type=delivery-status", true),
        ("X-Anything: else", false),
    ] {
        let facts = split(format!("{HEAD}{line}\r\n\r\nText")).await.facts;
        assert_eq!(facts.is_automatic(), automatic, "{line}");
    }
    let facts = split(format!("{HEAD}From: other@example.org\r\n\r\nText")).await.facts;
    assert_eq!((facts.from_fields, facts.from.len()), (2, 2));
}

#[tokio::test]
async fn japanese_text_comes_out_as_utf_8() {
    let words = "こんにちは。\r\n請求書を印刷してください。";
    for (charset, encoding) in [
        ("iso-2022-jp", encoding_rs::ISO_2022_JP),
        ("Shift_JIS", encoding_rs::SHIFT_JIS),
        ("euc-jp", encoding_rs::EUC_JP),
    ] {
        let (octets, _, _) = encoding.encode(words);
        let head = format!("{HEAD}Content-Type: text/plain; charset={charset}\r\n\r\n");
        let split = split([head.as_bytes(), &octets].concat()).await;
        assert_eq!(split.body(), words.replace("\r\n", "\n"), "{charset}");
        assert_eq!(split.notices, []);
    }
    // Undeclared, as old programs send it.
    let (octets, _, _) = encoding_rs::ISO_2022_JP.encode(words);
    assert_eq!(split([HEAD.as_bytes(), b"\r\n", &octets].concat()).await.body(), words.replace("\r\n", "\n"));
    let quoted = format!(
        "{HEAD}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe =\r\nan alle"
    );
    assert_eq!(split(quoted).await.body(), "Grüße an alle");
    let flowed =
        format!("{HEAD}Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\none \r\ntwo\r\nthree\r\n");
    assert_eq!(split(flowed).await.body(), "one two\nthree");
}

#[tokio::test]
async fn one_branch_of_an_alternative_is_text_and_no_attachment_is_lost() {
    let logo = picture(600, 400, ImageFormat::Png);
    let photo = picture(640, 480, ImageFormat::Jpeg);
    let related = multi(
        "related",
        "b3",
        &[
            html("<p>Dear <b>Anna</b><img src=\"cid:logo%40host\"></p>"),
            attached(
                "image/png; name=shop.png",
                "Content-ID: <logo@host>\r\nContent-Disposition: inline; filename=shop.png\r\n",
                &logo,
            ),
        ],
    );
    let mixed = multi("mixed", "b4", &[related, named("application/pdf", "hidden.pdf", &drawn_pdf(&[A4], "", ""))]);
    let alternative = multi("alternative", "b2", &[text("Dear Anna"), mixed]);
    let mail = HEAD.to_owned()
        + &multi(
            "mixed",
            "b1",
            &[alternative, attached("image/jpeg", "Content-Disposition: inline; filename=photo.jpg\r\n", &photo)],
        );
    let split = split(&mail).await;
    assert_eq!(split.body(), "Dear Anna");
    assert_eq!(split.documents(), [("hidden.pdf", Format::Pdf), ("photo.jpg", Format::Jpeg)]);
    assert_eq!(split.role("shop.png"), PartRole::ShownByBody);
}

#[tokio::test]
async fn an_html_body_is_printed_as_its_text() {
    let page = "<html><body><h1>Rechnung&nbsp;7</h1><p>Bitte zahlen Sie 5&nbsp;&euro;.</p></body></html>";
    assert_eq!(split(HEAD.to_owned() + &html(page)).await.body(), "Rechnung 7\n\nBitte zahlen Sie 5 €.");
    let empty_plain = multi("alternative", "b", &[text(" \r\n"), html("<p>only here</p>")]);
    assert_eq!(split(HEAD.to_owned() + &empty_plain).await.body(), "only here");
}

#[tokio::test]
async fn signatures_logos_and_data_for_programs_are_no_documents() {
    let tnef = [0x78, 0x9F, 0x3E, 0x22, 0, 0, 1, 2];
    let signed = multi(
        "signed; protocol=\"application/pkcs7-signature\"",
        "b2",
        &[text("Signed text"), named("application/pkcs7-signature", "smime.p7s", b"\x30\x80\x06\x09")],
    );
    let mail = HEAD.to_owned()
        + &multi(
            "mixed",
            "b1",
            &[
                signed,
                named("image/png", "logo.png", &picture(199, 120, ImageFormat::Png)),
                named("image/png", "plan.png", &picture(200, 120, ImageFormat::Png)),
                named("text/calendar; method=REQUEST", "invite.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
                named("text/x-vcard", "anna.vcf", b"BEGIN:VCARD\r\nEND:VCARD\r\n"),
                named("application/ms-tnef", "winmail.dat", &tnef),
                named("application/octet-stream", "key.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n"),
            ],
        );
    let split = split(&mail).await;
    assert_eq!(split.body(), "Signed text");
    assert_eq!(split.documents(), [("plan.png", Format::Png), ("winmail.dat", Format::Tnef)]);
    assert_eq!(split.role("logo.png"), PartRole::Logo);
    for name in ["smime.p7s", "key.asc"] {
        assert_eq!(split.role(name), PartRole::Signature, "{name}");
    }
    for name in ["invite.ics", "anna.vcf"] {
        assert_eq!(split.role(name), PartRole::ForPrograms, "{name}");
    }
}

#[tokio::test]
async fn what_is_encrypted_or_elsewhere_is_named() {
    let encrypted = multi(
        "encrypted; protocol=\"application/pgp-encrypted\"",
        "b",
        &["Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1".into()],
    );
    let taken = split(HEAD.to_owned() + &encrypted).await;
    assert!(taken.facts.is_encrypted && taken.parts.is_empty());
    assert_eq!(taken.notices, [Notice::PartEncrypted { name: None }]);
    let partial = "Content-Type: message/partial; number=1; total=2; id=x\r\n\r\nhalf".to_owned();
    let taken = split(HEAD.to_owned() + &multi("mixed", "b", &[text("x"), partial])).await;
    assert_eq!(taken.notices, [Notice::PartElsewhere { declared_type: "message/partial".into() }]);
}

#[tokio::test]
async fn nested_mails_come_with_their_headers() {
    let inner = format!(
        "From: bert@example.org\r\nSubject: Old =?utf-8?Q?gr=C3=BC=C3=9Fe?=\r\n{}",
        multi("mixed", "in", &[text("Inner text"), named("application/pdf", "inner.pdf", &drawn_pdf(&[A4], "", ""))])
    );
    let mail = HEAD.to_owned()
        + &multi(
            "mixed",
            "out",
            &[
                text("See below"),
                format!("Content-Type: message/rfc822\r\n\r\n{inner}"),
                named("application/pdf", "outer.pdf", &drawn_pdf(&[A4], "", "")),
            ],
        );
    let split = split(&mail).await;
    assert_eq!(split.body(), "See below");
    let all: Vec<_> = split.parts.iter().map(|(h, _)| (h.depth, h.role, h.name.as_deref().unwrap_or("-"))).collect();
    assert_eq!(
        all,
        [
            (0, PartRole::Body, "-"),
            (1, PartRole::Body, "Old grüße"),
            (1, PartRole::Attachment, "inner.pdf"),
            (0, PartRole::Attachment, "outer.pdf")
        ]
    );
    assert_eq!(split.parts[1].0.mail.as_ref().unwrap().from[0].address, "bert@example.org");
    assert_eq!(split.parts[1].1, b"Inner text");
}

/// A text within so many multiparts.
fn nested(depth: usize) -> String {
    (0..depth).fold(text("deep"), |inner, level| multi("mixed", &format!("b{level}"), &[inner]))
}

#[tokio::test]
async fn depth_and_number_of_parts_have_limits() {
    let at_limit = split(HEAD.to_owned() + &nested(20)).await;
    assert_eq!((at_limit.body(), at_limit.notices.len()), ("deep", 0));
    let over = split(HEAD.to_owned() + &nested(21)).await;
    assert_eq!((over.body(), over.notices.as_slice()), ("", &[Notice::PartsTooDeep { depth: 20 }][..]));

    let parts = |count: usize| HEAD.to_owned() + &multi("mixed", "b", &vec![named("text/plain", "a.txt", b"x"); count]);
    // The multipart itself counts.
    assert_eq!(split(parts(199)).await.documents().len(), 199);
    let over = split(parts(200)).await;
    assert_eq!((over.documents().len(), over.notices), (199, vec![Notice::TooManyParts { parts: 200 }]));
}

#[tokio::test]
async fn a_mail_made_to_hurt_does_not() {
    let russian_dolls = HEAD.to_owned() + &"Content-Type: message/rfc822\r\n\r\n".repeat(100_000) + "\r\nx";
    let dolls = split(russian_dolls).await;
    assert_eq!(dolls.notices, [Notice::PartsTooDeep { depth: 20 }]);
    let boundaries = HEAD.to_owned()
        + &(0..3000)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
            .collect::<String>();
    split(boundaries).await;
    let refusal = all(&renderer(), SplitMail::default(), b"").await.unwrap_err();
    assert_eq!(refusal.refusal().unwrap().kind, RefusalKind::Empty);
    let limits = Limits { output_octets: 1000, ..Limits::default() };
    let big = HEAD.to_owned() + &multi("mixed", "b", &[named("text/plain", "a.txt", &[b'x'; 1001])]);
    let refusal = all(&renderer().with_limits(limits), SplitMail::default(), big.as_bytes()).await.unwrap_err();
    assert_eq!(refusal.refusal().unwrap().kind, RefusalKind::TooLarge);
}

#[tokio::test]
async fn a_cut_or_careless_mail_gives_what_it_has() {
    let whole = HEAD.to_owned()
        + &multi("mixed", "b", &[text("Text"), named("application/pdf", "a.pdf", &drawn_pdf(&[A4], "", ""))]);
    let cut = split(&whole.as_bytes()[..whole.len() - 8]).await;
    assert_eq!(cut.body(), "Text");
    assert_eq!(cut.documents(), [("a.pdf", Format::Pdf)]);
    let bare_lf = split(whole.replace("\r\n", "\n")).await;
    assert_eq!((bare_lf.body(), bare_lf.documents().len()), ("Text", 1));
}
