//! What a mailbox provider says of a mail's sender: Authentication-Results (RFC 8601).
//!
//! Only of the provider that the configuration names, and only its topmost field: a provider takes away what others
//! wrote in its name (section 5) and puts its own on top.

use crate::mail::header::fields;

/// Whether `authserv_id` says that DMARC passes for the domain of `from`.
pub(crate) fn vouched(header: &[u8], authserv_id: &str, from: &str) -> bool {
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let results = fields(header)
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"Authentication-Results"))
        .map(|(_, value)| tokens(&String::from_utf8_lossy(value)))
        .find(|(tokens, _)| tokens.first().is_some_and(|id| id.eq_ignore_ascii_case(authserv_id)));
    // What is open at its end may have begun in what a sender wrote.
    let Some((results, true)) = results else { return false };
    let says = |result: &[String]| {
        let is = |at: usize, text: &str| result.get(at).is_some_and(|token| token.eq_ignore_ascii_case(text));
        let method = result.first().map_or("", |method| method.split('/').next().unwrap_or_default());
        let of = result.windows(3).any(|property| {
            property[0].eq_ignore_ascii_case("header.from")
                && property[1] == "="
                && property[2].trim_end_matches('.').eq_ignore_ascii_case(domain)
        });
        method.eq_ignore_ascii_case("dmarc") && is(1, "=") && is(2, "pass") && of
    };
    !domain.is_empty() && results.split(|token| token == ";").skip(1).any(says)
}

/// The words of a field, `=` and `;` by themselves, without comments; what is quoted is one word. And whether every
/// comment and quotation ends.
fn tokens(value: &str) -> (Vec<String>, bool) {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut depth = 0_usize;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || depth > 0 => {
                let escaped = chars.next();
                word.extend(escaped.filter(|_| quoted));
            }
            '"' if depth == 0 => quoted = !quoted,
            _ if quoted => word.push(c),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '=' | ';' => {
                tokens.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                tokens.push(c.to_string());
            }
            c if c.is_whitespace() => tokens.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    tokens.extend(Some(word).filter(|word| !word.is_empty()));
    (tokens, !quoted && depth == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn says(header: &str) -> bool {
        vouched(header.replace('\n', "\r\n").as_bytes(), "mx.google.com", "anna@a.example")
    }

    #[test]
    fn a01_the_named_provider_vouches_for_the_sender() {
        for header in [
            "Authentication-Results: mx.google.com;\n dkim=pass header.i=@a.example header.s=s1 header.b=Ab/c;\n \
             spf=pass (google.com: domain of anna@a.example designates 192.0.2.1) smtp.mailfrom=anna@a.example;\n \
             dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=a.example\n\n",
            "authentication-results: MX.Google.com 1; dmarc = PASS header.from = \"A.Example.\"\n\n",
            "Authentication-Results: other.example; dmarc=fail header.from=a.example\n\
             Authentication-Results: mx.google.com; DMARC/1=pass header.from=a.example\n\n",
        ] {
            assert!(says(header), "{header}");
        }
    }

    #[test]
    fn nobody_else_does_and_no_other_word_of_the_provider() {
        for header in [
            "Subject: x\n\n",
            "Authentication-Results: mx.google.com.evil; dmarc=pass header.from=a.example\n\n",
            "Authentication-Results: mx.google.com; dmarc=fail header.from=a.example\n\n",
            "Authentication-Results: mx.google.com; dmarc=pass header.from=b.example\n\n",
            "Authentication-Results: mx.google.com; spf=pass; dkim=pass header.from=a.example\n\n",
            "Authentication-Results: mx.google.com; spf=fail (dmarc=pass header.from=a.example; )\n\n",
            "Authentication-Results: mx.google.com; spf=fail reason=\"; dmarc=pass header.from=a.example\"\n\n",
            // The topmost is the provider's, the one below came with the mail.
            "Authentication-Results: mx.google.com; dmarc=fail header.from=a.example\n\
             Authentication-Results: mx.google.com; dmarc=pass header.from=a.example\n\n",
            "Authentication-Results: mx.google.com; dmarc=pass header.from=a.example(.evil.example\n\n",
            "Authentication-Results: mx.google.com; dmarc=fail reason=\"\n\
             Authentication-Results: mx.google.com; dmarc=pass header.from=a.example\n\n",
            "Subject: x\n\nAuthentication-Results: mx.google.com; dmarc=pass header.from=a.example\n",
        ] {
            assert!(!says(header), "{header}");
        }
    }

    #[test]
    fn a_field_that_is_no_utf_8_is_still_the_topmost() {
        let mut header = b"Authentication-Results: mx.google.com; spf=fail smtp.mailfrom=\xff@x\r\n".to_vec();
        header.extend(b"Authentication-Results: mx.google.com; dmarc=pass header.from=a.example\r\n\r\n");
        assert!(!vouched(&header, "mx.google.com", "anna@a.example"));
    }

    proptest! {
        #[test]
        fn any_field_is_read(value in "[ -~\\r\\n\\t]{0,200}") {
            vouched(format!("Authentication-Results: {value}\r\n\r\n").as_bytes(), "mx.google.com", "anna@a.example");
        }
    }
}
