//! Which operation is done where.

use tympan_engine::PrinterEvent;
use tympan_ipp::{Operation, StatusCode};
use tympan_spooler::SpoolerError;
use tympan_store::Whose;

use super::refused::Refused;
use super::scene::{Answer, Scene, printer_uri};
use super::{Arrived, Inner, ask, control, create, operator, subscribe};

/// Does what a request to a printer asks and gives the answer.
pub(super) async fn perform(door: &Inner, arrived: &mut Arrived) -> Answer {
    let printer = match door.upload.spooler().printer_named(Whose::Everyones, &arrived.name).await {
        Ok(printer) => printer,
        Err(SpoolerError::NotFound(_)) => {
            let text = format!("There is no printer `{}` here; please check its address.", arrived.name);
            return Err(Refused::new(StatusCode::ClientErrorNotFound, text).into());
        }
        Err(error) => return Err(Refused::store(&error, "look up a printer").into()),
    };
    let printer_uri = printer_uri(door, arrived, &arrived.name);
    let scene = Scene { door, printer, printer_uri, now: door.upload.spooler().now() };
    let scene = &scene;
    match arrived.message.operation_id() {
        Operation::PrintJob => create::print_job(scene, arrived).await,
        Operation::ValidateJob => create::validate_job(scene, arrived).await,
        Operation::CreateJob => create::create_job(scene, arrived).await,
        Operation::SendDocument => create::send_document(scene, arrived).await,
        Operation::CloseJob => create::close_job(scene, arrived).await,
        Operation::ValidateDocument => create::validate_document(scene, arrived).await,
        Operation::ResubmitJob => create::resubmit_job(scene, arrived).await,
        Operation::SetJobAttributes => create::set_job_attributes(scene, arrived).await,

        Operation::CancelJob => control::cancel_job(scene, arrived).await,
        Operation::CancelCurrentJob => control::cancel_current_job(scene, arrived).await,
        Operation::CancelJobs => control::cancel_jobs(scene, arrived, false).await,
        Operation::CancelMyJobs => control::cancel_jobs(scene, arrived, true).await,
        Operation::HoldJob => control::hold_job(scene, arrived).await,
        Operation::ReleaseJob => control::release_job(scene, arrived).await,
        Operation::ReleaseHeldNewJobs => control::release_held_new_jobs(scene, arrived).await,
        Operation::CancelDocument => control::cancel_document(scene, arrived).await,

        Operation::GetJobAttributes => ask::get_job_attributes(scene, arrived).await,
        Operation::GetJobs => ask::get_jobs(scene, arrived).await,
        Operation::GetPrinterAttributes => ask::get_printer_attributes(scene, arrived).await,
        Operation::GetUserPrinterAttributes => {
            scene.asker(arrived).await?;
            ask::get_printer_attributes(scene, arrived).await
        }
        Operation::GetDocuments => ask::get_documents(scene, arrived).await,
        Operation::GetDocumentAttributes => ask::get_document_attributes(scene, arrived).await,

        Operation::PausePrinter | Operation::PausePrinterAfterCurrentJob => {
            operator::change(scene, arrived, PrinterEvent::Pause).await
        }
        Operation::ResumePrinter => operator::change(scene, arrived, PrinterEvent::Resume).await,
        Operation::EnablePrinter => operator::change(scene, arrived, PrinterEvent::Accept(true)).await,
        Operation::DisablePrinter => operator::change(scene, arrived, PrinterEvent::Accept(false)).await,
        Operation::HoldNewJobs => operator::change(scene, arrived, PrinterEvent::HoldNew(true)).await,
        Operation::SetPrinterAttributes => operator::set_printer_attributes(scene, arrived).await,
        Operation::GetPrinterSupportedValues => operator::get_printer_supported_values(scene, arrived).await,
        Operation::IdentifyPrinter => operator::identify_printer(scene, arrived).await,

        Operation::CreatePrinterSubscriptions => subscribe::create(scene, arrived, false).await,
        Operation::CreateJobSubscriptions => subscribe::create(scene, arrived, true).await,
        Operation::GetSubscriptions => subscribe::list(scene, arrived).await,
        Operation::GetSubscriptionAttributes => subscribe::attributes(scene, arrived).await,
        Operation::RenewSubscription => subscribe::renew(scene, arrived).await,
        Operation::CancelSubscription => subscribe::cancel(scene, arrived).await,
        Operation::GetNotifications => subscribe::notifications(scene, arrived).await,
        other => {
            let text = format!("{other} is not supported here.");
            Err(Refused::new(StatusCode::ServerErrorOperationNotSupported, text).into())
        }
    }
}
