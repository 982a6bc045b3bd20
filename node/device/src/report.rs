//! The printer tells a server how it is: Update-Output-Device-Attributes (PWG 5100.18 section 5.10).
//!
//! At power-on and at each change of state, paper or toner that matters. While the server cannot be
//! reached it is tried again, ever more slowly, always with the newest state.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tympan_http::{Client, ClientOptions, ClientRequest, Target};
use tympan_ipp::{Attribute, GroupTag, Limits, Message, Operation, StatusCode, Value, decode};

use crate::ipp::{View, reported_attributes, supply_attributes};
use crate::model::Power;
use crate::options::ReportOptions;
use crate::shared::{Shared, authority};
use crate::state::DeviceState;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What makes a report worth sending. Levels count by what they mean, not by each sheet.
#[derive(PartialEq, Eq, Clone)]
struct Worth {
    power_cycle: u64,
    state: String,
    accepting: bool,
    reasons: Vec<String>,
    media: Vec<(String, bool)>,
    toner: Vec<u32>,
}

impl Worth {
    fn of(state: &DeviceState) -> Self {
        Self {
            power_cycle: state.power_cycle,
            state: state.state.clone(),
            accepting: state.accepting_jobs,
            reasons: state.reasons.clone(),
            media: state.trays.iter().map(|t| (t.media.clone(), t.sheets > 0)).collect(),
            toner: state.markers.iter().map(|m| m.percent.div_ceil(10)).collect(),
        }
    }
}

/// Reports to whoever is set, for ever.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut to = shared.report().subscribe();
    loop {
        let report = to.borrow_and_update().clone();
        let changed = match report {
            None => to.changed().await,
            Some(report) => tokio::select! {
                changed = to.changed() => changed,
                () = report_to(&shared, &report) => return,
            },
        };
        if changed.is_err() {
            return;
        }
    }
}

async fn report_to(shared: &Shared, report: &ReportOptions) {
    let target = match Target::parse(&report.printer_uri) {
        Ok(target) => target,
        Err(error) => {
            shared.report_outcome(Err(error.to_string()));
            return std::future::pending().await;
        }
    };
    let client =
        Client::new(ClientOptions { whole_time_out: Some(Duration::from_secs(30)), ..ClientOptions::default() });
    let mut watch = shared.watch();
    let mut sent: Option<Worth> = None;
    let mut unwanted: HashSet<String> = HashSet::new();
    let mut pause = FIRST_PAUSE;
    let mut request_id = 0;
    loop {
        let ready = watch
            .wait_for(|state| state.power == Power::On && state.listening && sent.as_ref() != Some(&Worth::of(state)))
            .await
            .map(|state| Worth::of(&state));
        let Ok(worth) = ready else { return };
        request_id += 1;
        let request = message(shared, report, request_id, &unwanted);
        match send(&client, &target, report, &request).await {
            Ok(ignored) => {
                unwanted.extend(ignored);
                sent = Some(worth);
                pause = FIRST_PAUSE;
                shared.report_outcome(Ok(()));
            }
            Err(why) => {
                tracing::debug!(%why, "Could not report the virtual printer's state, will try again");
                shared.report_outcome(Err(why));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                // The server may be another one now.
                unwanted.clear();
            }
        }
    }
}

fn message(shared: &Shared, report: &ReportOptions, request_id: u32, unwanted: &HashSet<String>) -> Message {
    let attributes: Vec<Attribute> = shared.read(|model| {
        let view = View::new(shared, model, &authority(shared.ipp_addr));
        let mut attributes = reported_attributes(&view);
        attributes.extend(supply_attributes(&view));
        attributes
    });
    let mut request =
        Message::request(Operation::UpdateOutputDeviceAttributes, request_id, report.printer_uri.as_str())
            .operation("output-device-uuid", Value::uri(report.output_device_uuid.as_str()));
    for attribute in attributes.into_iter().filter(|a| !unwanted.contains(&a.name)) {
        request.push(GroupTag::Printer, attribute.name, tympan_ipp::Values(attribute.values));
    }
    request
}

/// Sends a report; gives the names of attributes that the server does not want.
async fn send(
    client: &Client,
    target: &Target,
    report: &ReportOptions,
    request: &Message,
) -> Result<Vec<String>, String> {
    let http =
        ClientRequest::post(target, "application/ipp", tympan_http::Body::full(request.encode())).bearer(&report.token);
    let answer = client.request(http).await.map_err(|error| error.to_string())?;
    let status = answer.status;
    if !status.is_success() {
        return Err(format!("the server answered {status}"));
    }
    let body = answer.body.collect().await.map_err(|error| error.to_string())?;
    let decoded =
        decode(&body, &Limits::RESPONSE).map_err(|error| format!("the server's answer is no IPP: {error}"))?;
    let code = decoded.message.status_code();
    match code {
        StatusCode::SuccessfulOk => Ok(Vec::new()),
        StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes => {
            let unsupported = decoded.message.groups(GroupTag::Unsupported).flat_map(|g| &g.attributes);
            Ok(unsupported.map(|a| a.name.clone()).collect())
        }
        other => Err(format!("the server answered {other}")),
    }
}
