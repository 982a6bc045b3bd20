//! Outputs and reports: documents are found, prepared, brought to devices, and people are told.
//!
//! [`Delivery`] performs the spooler's effects. One flow (`deliver`, then `follow`) drives every
//! [`output`]; what a device is given is decided in [`prepare`]; what a mail holds is found by
//! `inspect`; what people read is written by [`report`].
//!
//! *Invariant:* nothing that came from outside is decoded here; render workers do that.
//! *Invariant:* an attempt is repeated by itself only where it is proven that no sheet came out.

mod deliver;
mod delivery;
mod follow;
mod inspect;
pub mod output;
pub mod prepare;
pub mod remark;
pub mod report;
mod sending;
mod temp;
pub mod test_page;
pub mod workshop;

pub use delivery::{Delivery, DeliveryOptions, Timings};
pub use output::{Answer, Answered, OutputTimes, Outputs};
pub use remark::{Remark, in_language};
pub use report::{MailOut, ReportOptions, SendError, Smarthost, SmtpTls, mail_servers};
pub use test_page::TestPage;
