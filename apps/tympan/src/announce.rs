//! Printers show themselves on the local network (DNS-SD over multicast DNS, RFC 6762 and 6763).
//!
//! Each printer is announced as `_ipp._tcp` and `_ipps._tcp`, with the sub-types `_print` (IPP Everywhere) and
//! `_universal` (AirPrint).

mod sub_type;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use mdns_sd::{DaemonEvent, IfKind, ServiceDaemon, ServiceInfo};
use sub_type::{Pointer, SubTypes};
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};
use tympan_engine::{DeviceProfile, Printer, PrinterUuid};
use tympan_ipp::media;
use tympan_spooler::Spooler;
use tympan_store::Whose;

/// Octets of an instance's name, and of one string of a TXT record.
const NAME_OCTETS_MAX: usize = 63;
const TXT_OCTETS_MAX: usize = 255;

/// The services, and the sub-types of each.
const SERVICES: [&str; 2] = ["_ipp", "_ipps"];
const SUB_TYPES: [&str; 2] = ["_print", "_universal"];

/// What is announced of a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Announcement {
    name: String,
    /// Keys and values of the TXT record, but for TLS.
    txt: Vec<(&'static str, String)>,
}

/// Where the server is reached.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `host.local.`
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where people see the console.
    pub(crate) url: String,
    /// Whether clients have to say who they are.
    pub(crate) asks_who: bool,
}

impl Place {
    /// This machine's name on the local network, `host.local.`.
    pub(crate) fn host_name() -> String {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let first = name.split('.').next().unwrap_or_default();
        let clean: String = first.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        format!("{}.local.", if clean.is_empty() { "tympan" } else { &clean })
    }
}

/// What is said of a printer, by what is known of it.
fn announcement(printer: &Printer, place: &Place) -> Announcement {
    let none = DeviceProfile::default();
    let profile = printer.profile.as_ref().unwrap_or(&none);
    let model = if profile.make_and_model.is_empty() { "Printer" } else { &profile.make_and_model };
    let truth = |truth: bool| if truth { "T" } else { "F" }.to_owned();
    let mut txt = vec![
        ("txtvers", "1".to_owned()),
        ("qtotal", "1".to_owned()),
        ("rp", format!("ipp/print/{}", printer.name)),
        ("ty", model.to_owned()),
        ("note", printer.location.clone()),
        ("adminurl", format!("{}/printers/{}", place.url, printer.name)),
        ("priority", "50".to_owned()),
        ("product", format!("({model})")),
        ("pdl", "application/pdf,image/pwg-raster,image/urf,image/jpeg,image/png,text/plain".to_owned()),
        ("UUID", printer.uuid.to_string()),
        ("Color", truth(profile.color)),
        ("Duplex", truth(profile.duplex)),
        ("Copies", truth(true)),
        ("Collate", truth(true)),
        ("URF", urf(profile)),
        ("kind", "document".to_owned()),
        ("PaperMax", paper_max(profile).to_owned()),
        ("air", if place.asks_who { "username,password" } else { "none" }.to_owned()),
    ];
    for (key, value) in &mut txt {
        cut(value, TXT_OCTETS_MAX - key.len() - 1);
    }
    let mut name = printer.info.clone();
    cut(&mut name, NAME_OCTETS_MAX);
    Announcement { name, txt }
}

/// "URF": Apple Raster that is taken.
fn urf(profile: &DeviceProfile) -> String {
    let mut words = vec!["V1.4", "CP1", "W8", "RS300-600", "PQ3-4-5"];
    if profile.color {
        words.push("SRGB24");
    }
    if profile.duplex {
        words.push("DM1");
    }
    words.join(",")
}

/// "PaperMax": the class of the largest paper, by its longer side in 1/100 mm.
fn paper_max(profile: &DeviceProfile) -> &'static str {
    let longest = profile.media.iter().filter_map(|name| media::size_of(name)).map(|size| size.x.max(size.y)).max();
    match longest.unwrap_or(0) {
        0..=29_699 => "<legal-A4",
        29_700..=42_999 => "legal-A4",
        43_000..=59_399 => "tabloid-A3",
        59_400..=84_099 => "isoC-A2",
        _ => ">isoC-A2",
    }
}

/// Cuts a text to so many octets, between characters.
fn cut(text: &mut String, octets_max: usize) {
    let mut end = octets_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

/// Announces printers, one after the other as they come, change and go.
struct Announcer {
    daemon: ServiceDaemon,
    sub_types: SubTypes,
    place: Place,
    known: BTreeMap<PrinterUuid, Announcement>,
}

impl Announcer {
    fn new(place: Place) -> Result<Self> {
        let daemon = ServiceDaemon::new().context("could not open the port of multicast DNS")?;
        // Programs on this machine look for printers too.
        daemon.enable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6]).context("could not use the loopback")?;
        Ok(Self { daemon, sub_types: SubTypes::start(), place, known: BTreeMap::new() })
    }

    fn services(&self, announced: &Announcement) -> Result<Vec<(ServiceInfo, Pointer)>> {
        let [first, second] = SUB_TYPES;
        let mut services = Vec::new();
        for service in SERVICES {
            let mut txt = announced.txt.clone();
            if service == "_ipps" {
                txt.push(("TLS", "1.3".to_owned()));
            }
            let kind = format!("{first}._sub.{service}._tcp.local.");
            let info = ServiceInfo::new(&kind, &announced.name, &self.place.host, "", self.place.port, &txt[..])?;
            services.push((info.enable_addr_auto(), Pointer::new(second, service, &announced.name)?));
        }
        Ok(services)
    }

    /// Brings what is announced to what is so now.
    fn set(&mut self, uuid: PrinterUuid, announced: Option<Announcement>) -> Result<()> {
        if self.known.get(&uuid) == announced.as_ref() {
            return Ok(());
        }
        if let Some(before) = self.known.remove(&uuid)
            && announced.as_ref().is_none_or(|now| now.name != before.name)
        {
            for (info, pointer) in self.services(&before)? {
                self.sub_types.remove(&pointer);
                let _ = self.daemon.unregister(info.get_fullname());
            }
        }
        if let Some(mut announced) = announced {
            // Two of our own printers may be called the same.
            if self.known.values().any(|other| other.name == announced.name) {
                let short = uuid.to_string();
                cut(&mut announced.name, NAME_OCTETS_MAX - 5);
                announced.name = format!("{} {}", announced.name, &short[short.len() - 4..]);
            }
            for (info, pointer) in self.services(&announced)? {
                self.daemon.register(info)?;
                self.sub_types.add([pointer]);
            }
            self.known.insert(uuid, announced);
        }
        Ok(())
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        let _ = self.daemon.shutdown();
    }
}

/// Announces the printers of a queue until the future is dropped.
pub(crate) async fn run(spooler: Spooler, place: Place) -> Result<()> {
    let mut announcer = Announcer::new(place)?;
    let events = announcer.daemon.monitor()?;
    let mut changes = spooler.watch();
    let mut look_at = None;
    loop {
        let printers = match look_at {
            None => spooler.records().printers(Whose::Everyones).await?,
            Some(printer) => {
                let keys = [tympan_store::Key::Printer(printer)];
                let rows = spooler.records().read(Whose::Everyones, &keys).await?;
                rows.into_iter()
                    .flatten()
                    .filter_map(|row| {
                        let version = row.version;
                        Printer::try_from(row.record).ok().map(|record| tympan_store::Versioned { version, record })
                    })
                    .collect()
            }
        };
        for printer in printers.into_iter().map(|row| row.record) {
            let announced = (!printer.removed).then(|| announcement(&printer, &announcer.place));
            announcer.set(printer.uuid, announced)?;
        }
        look_at = loop {
            tokio::select! {
                Ok(event) = events.recv_async() => match event {
                    DaemonEvent::NameChange(change) => {
                        info!(from = change.original, to = change.new_name, "Another has this name on the network");
                        announcer.sub_types.rename(&change.original, &change.new_name);
                    }
                    DaemonEvent::Error(error) => warn!(%error, "Could not announce a printer"),
                    _ => {}
                },
                changed = changes.recv() => match changed {
                    // A job says nothing about its printer.
                    Ok(tympan_spooler::Changed { job: None, printer: Some(printer), .. }) => break Some(printer),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break None,
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tympan_engine::{OwnerId, Timestamp};

    fn printer() -> Printer {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([2; 16]), "office", "ipp://h/", Timestamp(0));
        printer.info = "Büro 2".into();
        printer.profile = Some(DeviceProfile {
            color: true,
            media: vec!["iso_a3_297x420mm".into(), "iso_a4_210x297mm".into()],
            ..DeviceProfile::default()
        });
        printer
    }

    fn place() -> Place {
        Place { host: "test.local.".into(), port: 8631, url: "http://h:8631".into(), asks_who: false }
    }

    fn value(announced: &Announcement, key: &str) -> String {
        announced.txt.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    #[test]
    fn what_is_announced_is_what_the_printer_can_do() {
        let announced = announcement(&printer(), &place());
        assert_eq!(announced.name, "Büro 2");
        for (key, expected) in [
            ("rp", "ipp/print/office"),
            ("Color", "T"),
            ("Duplex", "F"),
            ("PaperMax", "legal-A4"),
            ("air", "none"),
            ("adminurl", "http://h:8631/printers/office"),
        ] {
            assert_eq!(value(&announced, key), expected, "{key}");
        }
        assert!(value(&announced, "pdl").contains("image/pwg-raster") && value(&announced, "URF").contains("SRGB24"));
    }

    #[test]
    fn names_and_values_are_cut_between_characters() {
        let long = Printer { info: "プ".repeat(40), location: "x".repeat(300), ..printer() };
        let announced = announcement(&long, &place());
        assert_eq!(announced.name.len(), 63);
        assert!(announced.name.chars().all(|c| c == 'プ'));
        assert_eq!(value(&announced, "note").len(), TXT_OCTETS_MAX - 5);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_printer_is_found_by_its_sub_types_and_gone_when_it_is_removed() {
        let mut announcer = Announcer::new(place()).unwrap();
        announcer.set(PrinterUuid([2; 16]), Some(announcement(&printer(), &place()))).unwrap();
        for service in ["_print._sub._ipp._tcp.local.", "_universal._sub._ipps._tcp.local."] {
            let browser = ServiceDaemon::new().unwrap();
            browser.enable_interface(IfKind::LoopbackV4).unwrap();
            let found = browser.browse(service).unwrap();
            let resolved = loop {
                match found.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| panic!("{service}: {error}")) {
                    mdns_sd::ServiceEvent::ServiceResolved(resolved) if resolved.get_fullname().contains("ro 2") => {
                        break resolved;
                    }
                    _ => {}
                }
            };
            assert_eq!(resolved.get_port(), 8631);
            assert_eq!(resolved.get_property_val_str("rp"), Some("ipp/print/office"));
            assert_eq!(resolved.get_property_val_str("TLS").is_some(), service.contains("_ipps"));
            let _ = browser.shutdown();
        }
        announcer.set(PrinterUuid([2; 16]), None).unwrap();
        assert!(announcer.known.is_empty());
    }
}
