//! The printer reports its state to a server by itself (PWG 5100.18 section 5.10).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::common::Rig;
use tokio::sync::mpsc;
use tympan_device::ReportOptions;
use tympan_device::model::{Change, MarkerColor, Power};
use tympan_http::{Body, BodyLimits, BodyReader, Incoming, Peer, Request, Response, ServeOptions, Server, header};
use tympan_ipp::{GroupTag, Limits, Message, Operation, StatusCode, Value, decode};

const UUID: &str = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef";

/// A report as the server saw it.
struct Report {
    authorization: String,
    path: String,
    message: Message,
}

impl Report {
    fn strings(&self, name: &str) -> Vec<String> {
        let attribute = self.message.get(GroupTag::Printer, name).unwrap_or_else(|| panic!("no {name}"));
        attribute.strings().map(str::to_owned).collect()
    }
}

/// Takes reports; answers each with the status at hand.
async fn server(addr: SocketAddr, answers: Arc<Mutex<StatusCode>>) -> (SocketAddr, mpsc::Receiver<Report>) {
    let server = Server::bind(addr).unwrap();
    let local = server.local_addr();
    let (sender, receiver) = mpsc::channel(100);
    let service = move |request: Request<Incoming>, _: Peer| {
        let (sender, answers) = (sender.clone(), Arc::clone(&answers));
        async move {
            let (parts, body) = request.into_parts();
            let octets = BodyReader::new(body, BodyLimits::octets(1 << 20)).collect().await.unwrap();
            let message = decode(&octets, &Limits::REQUEST).unwrap().message;
            let mut answer = Message::response(*answers.lock().unwrap(), &message);
            if answer.status_code() == StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes {
                answer = answer.with(GroupTag::Unsupported, "marker-types", Value::Unsupported);
            }
            let authorization = parts.headers.get(header::AUTHORIZATION).map_or("", |v| v.to_str().unwrap()).to_owned();
            let path = parts.uri.path().to_owned();
            sender.send(Report { authorization, path, message }).await.unwrap();
            Response::new(Body::full(answer.encode()))
        }
    };
    tokio::spawn(server.serve(service, ServeOptions::default(), std::future::pending()));
    (local, receiver)
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn reporting(server: SocketAddr) -> Rig {
    Rig::with(|options| {
        options.report = Some(ReportOptions {
            printer_uri: format!("ipp://{server}/ipp/print/office"),
            output_device_uuid: UUID.to_owned(),
            token: "secret-token".to_owned(),
        });
    })
    .await
}

#[tokio::test]
async fn power_on_paper_and_toner_are_reported() {
    let (addr, mut reports) = server(any_port(), Arc::new(Mutex::new(StatusCode::SuccessfulOk))).await;
    let rig = reporting(addr).await;
    let first = reports.recv().await.unwrap();
    assert_eq!((first.authorization.as_str(), first.path.as_str()), ("Bearer secret-token", "/ipp/print/office"));
    assert_eq!(first.message.operation_id(), Operation::UpdateOutputDeviceAttributes);
    assert!(first.message.check_request().is_ok());
    assert_eq!(first.message.operation_attribute("output-device-uuid").unwrap().string(), Some(UUID));
    assert_eq!(first.strings("printer-state-reasons"), ["none"]);
    assert_eq!(first.strings("media-ready"), ["iso_a4_210x297mm", "iso_a5_148x210mm"]);
    rig.printer.wait_for(|state| state.reports_sent == 1).await.unwrap();

    rig.printer.apply(Change::sheets("tray-1", 0)).await.unwrap();
    let empty = reports.recv().await.unwrap();
    assert_eq!(
        (empty.strings("printer-state-reasons"), empty.strings("media-ready")),
        (vec!["media-empty-warning".into()], vec!["iso_a5_148x210mm".into()])
    );
    rig.printer.apply(Change::sheets("tray-1", 250)).await.unwrap();
    assert_eq!(reports.recv().await.unwrap().strings("media-ready").len(), 2);
    rig.printer.apply(Change::toner(MarkerColor::Cyan, 0)).await.unwrap();
    let no_cyan = reports.recv().await.unwrap();
    assert_eq!(no_cyan.message.get(GroupTag::Printer, "printer-state").unwrap().enum_(), Some(3), "black prints");
    rig.printer.apply(Change::power(Power::Off)).await.unwrap();
    rig.printer.apply(Change::power(Power::On)).await.unwrap();
    let on = reports.recv().await.unwrap();
    assert_eq!(on.strings("printer-state-reasons"), ["marker-supply-empty-warning"]);
}

#[tokio::test]
async fn an_unreachable_server_gets_the_newest_state_when_it_is_back() {
    // A port that was free a moment ago stands for a server that is down.
    let port = std::net::TcpListener::bind(any_port()).unwrap().local_addr().unwrap();
    let rig = reporting(port).await;
    rig.printer.wait_for(|state| state.report_error.is_some()).await.unwrap();
    rig.printer.apply(Change::sheets("tray-1", 0)).await.unwrap();
    let (_, mut reports) = server(port, Arc::new(Mutex::new(StatusCode::SuccessfulOk))).await;
    let first = reports.recv().await.unwrap();
    assert_eq!(first.strings("printer-state-reasons"), ["media-empty-warning"]);
    rig.printer.wait_for(|state| state.reports_sent == 1 && state.report_error.is_none()).await.unwrap();
}

#[tokio::test]
async fn what_the_server_does_not_want_is_left_out_and_a_refusal_is_shown() {
    let answers = Arc::new(Mutex::new(StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes));
    let (addr, mut reports) = server(any_port(), Arc::clone(&answers)).await;
    let rig = reporting(addr).await;
    assert!(reports.recv().await.unwrap().message.get(GroupTag::Printer, "marker-types").is_some());
    rig.printer.wait_for(|state| state.reports_sent == 1).await.unwrap();
    *answers.lock().unwrap() = StatusCode::ClientErrorNotAuthorized;
    rig.printer.apply(Change::sheets("tray-1", 0)).await.unwrap();
    assert!(reports.recv().await.unwrap().message.get(GroupTag::Printer, "marker-types").is_none());
    let state = rig.printer.wait_for(|state| state.report_error.is_some()).await.unwrap();
    assert_eq!(state.report_error.as_deref(), Some("the server answered client-error-not-authorized"));
}

#[tokio::test]
async fn a_server_can_be_set_while_the_printer_runs() {
    let (addr, mut reports) = server(any_port(), Arc::new(Mutex::new(StatusCode::SuccessfulOk))).await;
    let rig = Rig::start().await;
    let report = ReportOptions {
        printer_uri: format!("ipp://{addr}/ipp/print/other"),
        output_device_uuid: UUID.to_owned(),
        token: "t".to_owned(),
    };
    rig.printer.set_report(Some(report));
    assert_eq!(reports.recv().await.unwrap().path, "/ipp/print/other");
    rig.printer.wait_for(|state| state.reports_sent == 1).await.unwrap();
    rig.printer.set_report(None);
    rig.printer.apply(Change::sheets("tray-1", 0)).await.unwrap();
    assert_eq!(rig.printer.state().reports_sent, 1);
}
