//! Fields of a form or a query, `application/x-www-form-urlencoded` (WHATWG URL section 5).

use http::HeaderMap;

use crate::{BodyError, BodyReader, path::hex, read_body::has_media_type};

/// Fields of one form.
const FIELDS_MAX: usize = 1000;
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Fields by name, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form's body. The body's limit is the reader's.
    pub async fn read(headers: &HeaderMap, body: BodyReader) -> Result<Self, BodyError> {
        if !has_media_type(headers, MEDIA_TYPE) {
            return Err(BodyError::WrongType { wanted: MEDIA_TYPE });
        }
        Self::parse(&body.collect().await?)
    }

    /// Reads fields from octets; at most 1,000, in UTF-8.
    pub fn parse(octets: &[u8]) -> Result<Self, BodyError> {
        let malformed = |why: &str| BodyError::Malformed { form: "form data", why: why.into() };
        let mut fields = Vec::new();
        for pair in octets.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()) {
            if fields.len() == FIELDS_MAX {
                return Err(malformed("it has too many fields"));
            }
            let equals = pair.iter().position(|octet| *octet == b'=');
            let (name, value) = equals.map_or((pair, &pair[..0]), |at| (&pair[..at], &pair[at + 1..]));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => fields.push((name, value)),
                _ => return Err(malformed("it is not UTF-8")),
            }
        }
        Ok(Self { fields })
    }

    /// Reads the query of an address; a query that cannot be read has no fields.
    #[must_use]
    pub fn from_query(query: Option<&str>) -> Self {
        query.and_then(|query| Self::parse(query.as_bytes()).ok()).unwrap_or_default()
    }

    /// The first value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field, such as of several boxes that are ticked.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Names and values in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A percent sign that is not followed by two digits stands for itself.
fn decode(text: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(*octet),
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_fields_as_browsers_write_them() {
        let form = Form::parse(b"name=Anna+B&box=1&box=2&empty=&bare&text=a%26b%3D%0D%0A%E5%8D%B0&100%=%zz").unwrap();
        assert_eq!(form.get("name"), Some("Anna B"));
        assert_eq!(form.all("box").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((form.get("empty"), form.get("bare"), form.get("none")), (Some(""), Some(""), None));
        assert_eq!(form.get("text"), Some("a&b=\r\n印"));
        assert_eq!(form.get("100%"), Some("%zz"));
    }

    #[test]
    fn fields_are_counted_and_in_utf8() {
        assert!(Form::parse("a&".repeat(FIELDS_MAX).as_bytes()).is_ok());
        assert!(Form::parse("a&".repeat(FIELDS_MAX + 1).as_bytes()).is_err());
        assert!(Form::parse(b"a=%ff").is_err());
    }

    proptest! {
        #[test]
        fn any_octets_get_a_verdict(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::parse(&octets);
        }
    }
}
