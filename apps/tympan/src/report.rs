//! `tympan report`: tells the server a printer's state, for devices that cannot do it themselves (A10).

use crate::cli::Report;
use anyhow::{Context, Result, bail};
use tympan_http::{Client, ClientOptions, ClientRequest, Target, Verify};
use tympan_ipp::{GroupTag, Limits, Message, Operation, PrinterState, Value, decode};

/// Sends one Update-Output-Device-Attributes (PWG 5100.18 section 5.10).
pub(crate) async fn run(args: Report) -> Result<()> {
    let Some(state) = PrinterState::from_name(&args.state) else {
        bail!("`{}` is no printer-state; it is idle, processing or stopped", args.state);
    };
    let target = Target::parse(&args.to).with_context(|| format!("`{}` is no address of a printer", args.to))?;
    let reasons: Vec<&str> = args.reasons.split(',').map(str::trim).filter(|reason| !reason.is_empty()).collect();
    let uuid = format!("urn:uuid:{}", tympan_engine::PrinterUuid([0; 16]));
    let message = Message::request(Operation::UpdateOutputDeviceAttributes, 1, &args.to)
        .operation("output-device-uuid", Value::uri(&uuid))
        .printer("printer-state", state)
        .printer("printer-state-reasons", Value::keywords(reasons))
        .printer("printer-is-accepting-jobs", true);
    let request = ClientRequest::post(&target, "application/ipp", message.encode()).bearer(&args.report_token);
    // The token is for this printer only; a server with a certificate of its own is common in small places.
    let client = Client::new(ClientOptions { verify: Verify::AcceptAny, ..ClientOptions::default() });
    let answer = client.request(request).await.with_context(|| format!("could not reach {}", args.to))?;
    let status = answer.status;
    let octets = answer.body.collect().await?;
    if !status.is_success() {
        bail!("the server refused the report ({status}); is the token right?");
    }
    let decoded = decode(&octets, &Limits::RESPONSE).context("the answer is no IPP")?;
    let code = decoded.message.status_code();
    if !code.is_successful() {
        let said = decoded
            .message
            .get(GroupTag::Operation, "status-message")
            .and_then(|found| found.text().map(str::to_owned));
        bail!("the server refused the report: {}", said.unwrap_or_else(|| code.to_string()));
    }
    println!("Reported.");
    Ok(())
}
