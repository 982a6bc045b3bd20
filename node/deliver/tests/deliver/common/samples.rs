//! Documents and mails to print.

/// A PDF of A4 pages, each with its number.
pub(crate) fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        String::new(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut kids = Vec::new();
    for page in 1..=pages {
        let content = format!("BT /F1 72 Tf 72 600 Td ({page}) Tj ET");
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
        let contents = objects.len();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> \
             /Contents {contents} 0 R >>"
        ));
        kids.push(format!("{} 0 R", objects.len()));
    }
    objects[1] = format!("<< /Type /Pages /Count {pages} /Kids [{}] >>", kids.join(" "));
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes());
    }
    let start = out.len();
    table.push_str(&format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1));
    out.extend_from_slice(table.as_bytes());
    out
}

/// A part of a mail: its header fields, and its octets in base64.
pub(crate) fn part(header: &str, octets: &[u8]) -> String {
    let mut text = String::new();
    for line in base64(octets).as_bytes().chunks(76) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push_str("\r\n");
    }
    format!("{header}\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}")
}

/// An attachment.
pub(crate) fn attachment(name: &str, media_type: &str, octets: &[u8]) -> String {
    part(
        &format!("Content-Type: {media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\""),
        octets,
    )
}

/// A text part.
pub(crate) fn text(text: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n")
}

/// A mail of several parts.
pub(crate) fn mail(parts: &[String]) -> Vec<u8> {
    let mut mail = "From: Anna <anna@example.org>\r\nTo: office@print.example\r\nSubject: Invoice\r\n\
                    Date: Fri, 20 Nov 2026 18:00:00 +0000\r\nMessage-ID: <mail@example.org>\r\nMIME-Version: 1.0\r\n\
                    Content-Type: multipart/mixed; boundary=\"b0\"\r\n\r\n"
        .to_owned();
    for part in parts {
        mail.push_str(&format!("--b0\r\n{part}\r\n"));
    }
    mail.push_str("--b0--\r\n");
    mail.into_bytes()
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}
