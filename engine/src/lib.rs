//! What may happen to a job, an attempt, a printer, a registration. Pure and deterministic.
//!
//! A record moves only in its own `apply(event, now)`; a decision that looks at several records is a
//! function of its own ([`admit`], [`assign`], [`retain`], [`hold`]). Nothing here reads a clock, draws
//! a random number or touches a store: the caller passes values in, saves the record and performs the
//! effects that come back.
#![no_std]

extern crate alloc;

pub mod account;
pub mod admit;
pub mod assign;
pub mod attempt;
pub mod condition;
pub mod effect;
pub mod event;
pub mod hold;
pub mod ids;
pub mod job;
pub mod job_event;
pub mod notice;
pub mod options;
pub mod pairing;
pub mod parts;
pub mod policy;
pub mod printer;
pub mod private;
pub mod profile;
pub mod refusal;
pub mod registration;
pub mod retain;
pub mod service;
pub mod time;
pub mod words;

pub use account::{Account, Right, Session, Token, TokenScope};
pub use attempt::{Attempt, AttemptEvent, AttemptState, DeviceRef, Evidence};
pub use condition::{Condition, Marker, Needs, Reachability, Tray, Trouble};
pub use effect::Effect;
pub use event::{History, HistoryKind};
pub use ids::{
    AccountId, AttemptNumber, DocumentId, Fence, JobId, JobUuid, OutageId, OwnerId, PrinterUuid, RegistrationId,
    ShortId,
};
pub use job::{
    Doubt, DoubtDecision, HoldReason, Incoming, Job, JobDocument, JobEvent, JobSource, Originator, Outcome, Pin,
};
pub use notice::{Notice, NoticeKind};
pub use options::{
    ColorMode, Handling, JobOptions, Orientation, Override, PageRange, Printed, Quality, Scaling, Sides,
};
pub use policy::{Access, DoubtPolicy, PrinterPolicy, StoredForm};
pub use printer::{Outage, Printer, PrinterEvent};
pub use private::Private;
pub use profile::DeviceProfile;
pub use refusal::Refusal;
pub use registration::{Language, Registration, RegistrationEvent, RegistrationState};
pub use service::{Off, WhileOff};
pub use time::{Millis, Timestamp};
