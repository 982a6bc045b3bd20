//! Files that are part of the program: styles, scripts, pictures.
//!
//! Their addresses carry a part of their hash, so that browsers may keep them for ever and still
//! get a new one at once.

use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use sha2::{Digest as _, Sha256};

use crate::{Body, Form, respond};

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Its name below the folder of assets, such as `app.css`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its octets.
    pub octets: &'static [u8],
}

/// Files with their hashes.
#[derive(Debug, Clone)]
pub struct Assets {
    /// Folder on the server, such as `/assets`.
    folder: &'static str,
    files: Vec<(Asset, String)>,
}

impl Assets {
    /// Hashes the files; they are served from `folder`, such as `/assets`.
    #[must_use]
    pub fn new(folder: &'static str, files: &[Asset]) -> Self {
        let files = files
            .iter()
            .map(|file| (*file, Sha256::digest(file.octets)[..8].iter().map(|octet| format!("{octet:02x}")).collect()))
            .collect();
        Self { folder, files }
    }

    /// The address to write into pages; the bare one if there is no such file.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        match self.find(name) {
            Some((_, hash)) => format!("{}/{name}?v={hash}", self.folder),
            None => format!("{}/{name}", self.folder),
        }
    }

    /// Answers a request for the file with this name: 200, 304 or 404.
    #[must_use]
    pub fn answer(&self, name: &str, parts: &Parts) -> Response<Body> {
        let Some((file, hash)) = self.find(name) else {
            return respond::text(StatusCode::NOT_FOUND, "there is no such file\n");
        };
        let tag = format!("\"{hash}\"");
        let known = parts
            .headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','))
            .any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag);
        let mut response = if known {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            respond::bytes(StatusCode::OK, file.media_type, file.octets)
        };
        // Only an address that names this very content may be kept without asking again.
        let fresh = Form::from_query(parts.uri.query()).get("v") == Some(hash);
        let keep = if fresh { "public, max-age=31536000, immutable" } else { "no-cache" };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }

    fn find(&self, name: &str) -> Option<&(Asset, String)> {
        self.files.iter().find(|(file, _)| file.name == name)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_file_is_kept_under_the_address_of_its_content() {
        let assets = Assets::new("/assets", &[Asset { name: "app.css", media_type: "text/css", octets: b"body{}" }]);
        let get = |uri: &str, tag: Option<&str>| {
            let mut request = Request::get(uri);
            if let Some(tag) = tag {
                request = request.header(header::IF_NONE_MATCH, tag);
            }
            assets.answer("app.css", &request.body(()).unwrap().into_parts().0)
        };
        let fresh = get(&assets.address("app.css"), None);
        assert_eq!(fresh.status(), StatusCode::OK);
        assert!(fresh.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let tag = fresh.headers()[header::ETAG].to_str().unwrap();
        assert_eq!(get("/assets/app.css", None).headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(get("/assets/app.css?v=old", None).headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(get("/assets/app.css", Some(tag)).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get("/assets/app.css", Some(&format!("\"x\", W/{tag}"))).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get("/assets/app.css", Some("\"x\"")).status(), StatusCode::OK);
    }
}
