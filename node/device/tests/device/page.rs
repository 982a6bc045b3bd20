//! The page and its buttons over HTTP.

use crate::common::{Rig, raster};
use tympan_device::DeviceState;
use tympan_http::{Body, Client, ClientOptions, ClientRequest, HeaderName, HeaderValue, Method, Target, header};

struct Answer {
    status: u16,
    headers: tympan_http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn state(&self) -> DeviceState {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

async fn call(rig: &Rig, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let target = Target::parse(&rig.printer.page_url()).unwrap().with_path(path);
    let mut request = ClientRequest::new(method, &target).body(Body::full(body.to_owned()));
    for (name, value) in headers {
        request =
            request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let options = ClientOptions { answer_octets_max: 4 << 20, ..ClientOptions::default() };
    let answer = Client::new(options).request(request).await.unwrap();
    let (status, headers) = (answer.status.as_u16(), answer.headers.clone());
    Answer { status, headers, body: answer.body.collect().await.unwrap().to_vec() }
}

async fn get(rig: &Rig, path: &str) -> Answer {
    call(rig, Method::GET, path, &[], "").await
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn faults_are_set_by_json_and_the_state_is_told() {
    let rig = Rig::start().await;
    let answer =
        call(&rig, Method::POST, "/faults", &[JSON], r#"{"trays":{"tray-1":{"sheets":0}},"jam_at_page":3}"#).await;
    assert_eq!(answer.status, 200);
    let state = answer.state();
    assert_eq!((state.trays[0].sheets, state.faults.jam_at_page), (0, Some(3)));
    assert_eq!(get(&rig, "/state").await.state(), state);
    let off = call(&rig, Method::POST, "/faults", &[JSON], r#"{"power":"off"}"#).await.state();
    assert!(!off.listening, "the answer comes when the sockets are closed");
    assert!(tokio::net::TcpStream::connect(rig.printer.ipp_address()).await.is_err());
    let on = call(&rig, Method::POST, "/faults", &[JSON], r#"{"mend":true}"#).await.state();
    assert!(on.listening && on.trays[0].sheets == 250 && on.faults.jam_at_page.is_none());
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_said() {
    let rig = Rig::start().await;
    for (body, says) in [
        (r#"{"paper":1}"#, "unknown field `paper`"),
        (r#"{"trays":{"tray-7":{"sheets":1}}}"#, "there is no tray \"tray-7\"; this printer has tray-1, tray-2"),
        ("{", "JSON"),
    ] {
        let answer = call(&rig, Method::POST, "/faults", &[JSON], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(says), "{}", answer.text());
    }
    let foreign =
        call(&rig, Method::POST, "/faults", &[JSON, ("origin", "http://evil.example")], r#"{"power":"off"}"#).await;
    assert_eq!(foreign.status, 403);
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(100_000));
    assert_eq!(call(&rig, Method::POST, "/faults", &[JSON], &long).await.status, 413);
}

#[tokio::test]
async fn the_state_can_be_waited_for() {
    let rig = Rig::start().await;
    let before = get(&rig, "/state").await.state();
    let path = format!("/state?after={}&wait=30", before.revision);
    let (later, ()) = tokio::join!(get(&rig, &path), async {
        rig.printer.apply(serde_json::from_str(r#"{"cover_open":true}"#).unwrap()).await.unwrap();
    });
    assert!(later.state().faults.cover_open);
}

#[tokio::test]
async fn the_page_speaks_english_and_japanese_and_its_buttons_are_forms() {
    let rig = Rig::with(|options| options.name = "<b>Office</b>".to_owned()).await;
    let id = rig.print("image/pwg-raster", &raster(1)).await;
    rig.ended(id).await;
    let english = get(&rig, "/").await;
    let policy = english.headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = english.text();
    assert!(page.contains("Take paper out") && page.contains("/thumbnails/job-0001-p001.png"));
    assert!(!page.contains("<b>Office"), "names are escaped");
    let accepted = call(&rig, Method::GET, "/", &[("accept-language", "ja")], "").await.text();
    assert!(accepted.contains("用紙を抜く") && accepted.contains("<html lang=\"ja\">"));
    let pressed = call(&rig, Method::POST, "/faults?lang=ja", &[FORM], "change=%7B%22cover_open%22%3Atrue%7D").await;
    assert_eq!((pressed.status, pressed.headers[header::LOCATION].to_str().unwrap()), (303, "/?lang=ja"));
    assert!(get(&rig, "/?lang=ja").await.text().contains("カバーが開いています。"));
    for (form, says) in [("jam_at_page=4", "jam_at_page"), ("drop_line_at_octet=99", "at_octet")] {
        assert_eq!(call(&rig, Method::POST, "/faults", &[FORM], form).await.status, 303);
        assert!(get(&rig, "/state").await.text().contains(says));
    }
    let state = rig.printer.state();
    assert_eq!((state.faults.jam_at_page, state.faults.drop_line.unwrap().times), (Some(4), Some(1)));
    assert_eq!(call(&rig, Method::POST, "/faults", &[FORM], "change=no").await.status, 400);
}

#[tokio::test]
async fn pages_and_small_pictures_can_be_fetched_and_nothing_else() {
    let rig = Rig::start().await;
    std::fs::write(rig.folder.path().join("secret.txt"), "no").unwrap();
    let id = rig.print("image/pwg-raster", &raster(1)).await;
    rig.ended(id).await;
    for (path, media_type, start) in [
        ("/pages/job-0001-p001.png", "image/png", &b"\x89PNG"[..]),
        ("/pages/job-0001.pdf", "application/pdf", b"%PDF-1.7"),
        ("/thumbnails/job-0001-p001.png", "image/png", b"\x89PNG"),
        ("/icon-128.png", "image/png", b"\x89PNG"),
        ("/printer.css", "text/css; charset=utf-8", b":root"),
        ("/printer.js", "text/javascript; charset=utf-8", b"//"),
    ] {
        let answer = get(&rig, path).await;
        assert_eq!(
            (answer.status, answer.headers[header::CONTENT_TYPE].to_str().unwrap()),
            (200, media_type),
            "{path}"
        );
        assert!(answer.body.starts_with(start), "{path}");
    }
    for path in [
        "/pages/secret.txt",
        "/pages/../secret.txt",
        "/pages/%2e%2e/secret.txt",
        "/pages/job-9999.pdf",
        "/icon-7.png",
        "/x",
    ] {
        assert!(matches!(get(&rig, path).await.status, 400 | 404), "{path}");
    }
    assert_eq!(call(&rig, Method::DELETE, "/state", &[], "").await.status, 405);
}

#[tokio::test]
async fn the_uris_in_attributes_lead_to_the_page() {
    let rig = Rig::start().await;
    let told = rig.printer_attributes(&["printer-icons", "printer-more-info", "printer-uri-supported"]).await;
    assert_eq!(told.strings("printer-more-info"), [rig.printer.page_url()]);
    assert_eq!(told.strings("printer-uri-supported"), [rig.printer.ipp_uri()]);
    for icon in told.strings("printer-icons") {
        let path = icon.strip_prefix(rig.printer.page_url().trim_end_matches('/')).unwrap();
        assert_eq!(get(&rig, path).await.status, 200);
    }
}

#[tokio::test]
async fn another_program_presses_the_buttons() {
    use tympan_device::model::Change;
    use tympan_device::{Control, ControlError};
    let rig = Rig::start().await;
    let control = Control::new(&rig.printer.page_url()).unwrap();
    let state = control.apply(&Change::sheets("tray-1", 3)).await.unwrap();
    assert_eq!((state.trays[0].sheets, &state), (3, &control.state().await.unwrap()));
    let refused = control.apply(&Change::sheets("tray-9", 3)).await.unwrap_err();
    assert!(matches!(&refused, ControlError::Refused(why) if why.contains("there is no tray")), "{refused}");
    assert!(Control::new("printer").is_err());
}
