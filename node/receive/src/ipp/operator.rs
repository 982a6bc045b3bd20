//! What operators do to a printer (RFC 8011 sections 4.2.7 and 4.2.8, RFC 3380, RFC 3998), and how it is found.

use tympan_engine::PrinterEvent;
use tympan_ipp::{Attribute, Group, GroupTag, RequestedAttributes, StatusCode, Value};

use super::Arrived;
use super::control::settable_printer_group;
use super::printer;
use super::refused::Refused;
use super::scene::{Answer, Asker, Scene, ok};

/// Characters of "printer-info" and "printer-location" (RFC 8011 section 5.4.4 and 5.4.5: text(127), octets).
const TEXT_OCTETS_MAX: usize = 127;

/// Pause-Printer, Pause-Printer-After-Current-Job, Resume-Printer, Enable-Printer, Disable-Printer, Hold-New-Jobs.
///
/// To pause stops no job that its device has already: what is coming out comes out, so both ways to pause are one.
pub(super) async fn change(scene: &Scene<'_>, arrived: &Arrived, event: PrinterEvent) -> Answer {
    let asker = scene.operator(arrived).await?;
    move_printer(scene, &asker, event).await?;
    Ok(ok(arrived))
}

pub(super) async fn hold_new(scene: &Scene<'_>, asker: &Asker, holds: bool) -> Result<(), Refused> {
    move_printer(scene, asker, PrinterEvent::HoldNew(holds)).await
}

async fn move_printer(scene: &Scene<'_>, asker: &Asker, event: PrinterEvent) -> Result<(), Refused> {
    let moved = scene.spooler().printer_event(scene.whose(), scene.printer.uuid, event, Some(&asker.name())).await;
    moved.map(drop).map_err(|error| Refused::store(&error, "change a printer"))
}

/// Set-Printer-Attributes (RFC 3380 section 4.1).
pub(super) async fn set_printer_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.operator(arrived).await?;
    let group = settable_printer_group(arrived)?;
    let text = |name: &str, now: &str| -> Result<String, Refused> {
        match group.get(name) {
            None => Ok(now.to_owned()),
            Some(attribute) => match attribute.text() {
                Some(text) if text.len() <= TEXT_OCTETS_MAX && !text.chars().any(char::is_control) => {
                    Ok(text.trim().to_owned())
                }
                _ => Err(Refused::value(attribute.clone())),
            },
        }
    };
    let info = text("printer-info", &scene.printer.info)?;
    let location = text("printer-location", &scene.printer.location)?;
    if info.is_empty() {
        return Err(Refused::bad("\"printer-info\" cannot be empty: people know the printer by it.").into());
    }
    move_printer(scene, &asker, PrinterEvent::Describe { info, location }).await?;
    Ok(ok(arrived))
}

/// Get-Printer-Supported-Values (RFC 3380 section 4.3): any text may be set.
pub(super) async fn get_printer_supported_values(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    scene.asker(arrived).await?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    let mut group = Group::new(GroupTag::Printer);
    for name in printer::SETTABLE {
        group.push(name, Value::AdminDefine);
    }
    Ok(ok(arrived).with_group(requested.filter(group)))
}

/// Identify-Printer (PWG 5100.13 section 3.1): the device makes itself known, or the console says who asks.
pub(super) async fn identify_printer(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let supported = printer::identify_actions(&printer::profile(&scene.printer));
    let mut actions = Vec::new();
    if let Some(asked) = arrived.message.operation_attribute("identify-actions") {
        for action in asked.strings() {
            if !supported.iter().any(|known| known == action) {
                return Err(Refused::value(asked.clone()).into());
            }
            actions.push(action.to_owned());
        }
    }
    let message = arrived.message.operation_attribute("message").and_then(Attribute::text);
    let message: String = message.unwrap_or_default().chars().filter(|c| !c.is_control()).take(127).collect();
    let asked = scene.door.identify.identify(&scene.printer, &actions, &message).await;
    if let Err(why) = asked {
        let text = format!("The printer could not be asked to make itself known: {why}");
        return Err(Refused::new(StatusCode::ServerErrorDeviceError, text).into());
    }
    let noted = scene.spooler().note_printer(scene.whose(), scene.printer.uuid, "identify", &asker.name()).await;
    noted.map_err(|error| Refused::store(&error, "note who looks for a printer"))?;
    Ok(ok(arrived))
}
