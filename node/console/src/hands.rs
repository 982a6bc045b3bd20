//! What the console has done by others: devices are asked and test pages made elsewhere.

use std::future::Future;
use std::pin::Pin;
use tympan_engine::{Condition, DeviceProfile, JobUuid, Language, Originator, Printer};

/// A future that may be sent to another thread.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a device said when it was asked.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What it can do; `None` where it can only be reached or not (raw port 9100).
    pub profile: Option<DeviceProfile>,
    /// How it is.
    pub condition: Condition,
}

/// What the console cannot do itself. Errors are sentences for people, in the language that was named.
pub trait Hands: Send + Sync + 'static {
    /// Asks the device at an address (`ipp://…`, `ipps://…`, `socket://…`, `folder:…`) what it can do and how it is.
    /// Nothing is stored.
    fn ask_device<'a>(&'a self, device: &'a str, language: Language) -> Later<'a, Result<Found, String>>;

    /// Asks a printer's device now and tells the spooler what it said; what waits there is printed if it can be.
    fn ask_printer<'a>(&'a self, printer: &'a Printer, language: Language) -> Later<'a, Result<(), String>>;

    /// Makes a test page and hands it in as a job of this originator.
    fn test_page<'a>(&'a self, printer: &'a Printer, originator: Originator) -> Later<'a, Result<JobUuid, String>>;
}
