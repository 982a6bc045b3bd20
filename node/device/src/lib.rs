//! The virtual printer: IPP Everywhere and a raw socket, pages as pictures, faults at a button.
//!
//! It is a printer for people without one and for tests, and no spooler: it keeps nothing over a
//! power cycle, and it can refuse, cut the line, forget, answer nonsense and lie about completion.
//! [`Model`](model::Model) says what it is, without I/O; the rest of the crate gives it a network:
//! IPP ([`VirtualPrinter::ipp_uri`]), a raw socket, and a page with its buttons. Documents are read
//! by `tympan-raster` in this process and by `tympan-render`'s worker.
//!
//! *Invariant:* nothing here knows the server; it is told an IPP URI to report its state to.

mod control;
mod document;
mod drive;
mod ipp;
mod line;
pub mod model;
mod options;
mod page;
mod page_image;
mod pdf;
mod power;
mod printer;
mod raw;
mod report;
mod shared;
mod state;

pub use control::{Control, ControlError};
pub use options::{DeviceOptions, ReportOptions};
pub use printer::{StartError, VirtualPrinter, WaitError};
pub use state::{DeviceEvent, DeviceState, JobInfo, MarkerInfo, PrintedPage, Side, TrayInfo};
