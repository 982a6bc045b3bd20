//! People register at printers, and change how long their waiting jobs are kept.

use crate::change::take;
use crate::{Spooler, SpoolerError};
use std::sync::atomic::Ordering;
use tympan_engine::retain;
use tympan_engine::{
    Access, JobEvent, JobOptions, Language, Printer, PrinterUuid, Refusal, Registration, RegistrationEvent,
    RegistrationId, RegistrationState, Timestamp,
};
use tympan_store::{Change, JobFilter, JobStates, Key, StoreError, Versioned, Whose};

/// What came of a request to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// In force (now, or already).
    Active(Registration),
    /// The printer's owner has to approve.
    Requested(Registration),
    /// The printer's owner makes registrations himself.
    InviteOnly,
}

impl Spooler {
    /// A sender asks to print at a printer; the printer's policy decides. `proven`: by a mail that was.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn request_registration(
        &self,
        printer: &Printer,
        sender: &str,
        language: Language,
        proven: bool,
    ) -> Result<Registered, SpoolerError> {
        let whose = Whose::Owner(printer.owner);
        loop {
            let found = self.inner.records.registration(whose, printer.uuid, sender).await?;
            let (mut registration, version) = match found {
                Some(Versioned { version, record }) => (record, version),
                None => (self.blank(printer, sender, language), 0),
            };
            if registration.state == RegistrationState::Active && version > 0 {
                return Ok(Registered::Active(registration));
            }
            registration.proven |= proven;
            match printer.policy.access {
                Access::Invite => return Ok(Registered::InviteOnly),
                // Who was turned away does not come back by asking an open printer again.
                Access::Open if version > 0 && registration.state == RegistrationState::Revoked => {
                    registration.apply(RegistrationEvent::Request, self.now())?;
                }
                Access::Open => registration.apply(RegistrationEvent::Approve, self.now())?,
                Access::Approve => registration.apply(RegistrationEvent::Request, self.now())?,
            }
            match self.save_registration(&registration, version).await {
                Ok(()) if registration.state == RegistrationState::Active => {
                    return Ok(Registered::Active(registration));
                }
                Ok(()) => return Ok(Registered::Requested(registration)),
                Err(StoreError::Conflict(_) | StoreError::Exists(_)) => tokio::task::yield_now().await,
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// The printer's owner registers a sender.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn register(
        &self,
        printer: &Printer,
        sender: &str,
        language: Language,
        options: JobOptions,
    ) -> Result<Registration, SpoolerError> {
        let sender = canonical_address(sender)?;
        let whose = Whose::Owner(printer.owner);
        loop {
            let found = self.inner.records.registration(whose, printer.uuid, &sender).await?;
            let (mut registration, version) = match found {
                Some(Versioned { version, record }) => (record, version),
                None => (self.blank(printer, &sender, language), 0),
            };
            registration.apply(RegistrationEvent::Approve, self.now())?;
            if options != JobOptions::default() {
                registration.apply(RegistrationEvent::Options(options.clone()), self.now())?;
            }
            match self.save_registration(&registration, version).await {
                Ok(()) => return Ok(registration),
                Err(StoreError::Conflict(_) | StoreError::Exists(_)) => tokio::task::yield_now().await,
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Changes a registration; waiting jobs follow where the printer's policy says so (A12).
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`], or the engine's refusal.
    pub async fn registration_event(
        &self,
        whose: Whose,
        id: RegistrationId,
        event: RegistrationEvent,
    ) -> Result<Registration, SpoolerError> {
        let registration = self
            .change(whose, &[Key::Registration(id)], |rows, gathered| {
                let (mut registration, version) = take::<Registration>(rows, 0, "registration")?;
                registration.apply(event.clone(), gathered.now)?;
                gathered.change.put.push((registration.clone().into(), version));
                gathered.changed.push(crate::Changed {
                    owner: registration.owner,
                    printer: Some(registration.printer),
                    job: None,
                });
                Ok(registration)
            })
            .await?;
        match event {
            RegistrationEvent::Keep(_) => {
                let printer = self.printer(Whose::Owner(registration.owner), registration.printer).await?;
                let retention = retain::retention(&printer, Some(&registration));
                self.each_waiting_job(&registration, |job| retain::follow(job, &printer, retention)).await?;
            }
            RegistrationEvent::Retry(_) => {
                let printer = self.printer(Whose::Owner(registration.owner), registration.printer).await?;
                let span = retain::retry_interval(&printer, Some(&registration));
                self.each_waiting_job(&registration, |_| Some(JobEvent::RetryEvery(span))).await?;
            }
            _ => {}
        }
        Ok(registration)
    }

    async fn each_waiting_job(
        &self,
        registration: &Registration,
        event: impl Fn(&tympan_engine::Job) -> Option<JobEvent>,
    ) -> Result<(), SpoolerError> {
        let whose = Whose::Owner(registration.owner);
        let mut filter = JobFilter {
            printer: Some(registration.printer),
            originator: Some(registration.sender.0.clone()),
            states: JobStates::NotCompleted,
            before: None,
            limit: 200,
        };
        loop {
            let jobs = self.inner.records.jobs(whose, &filter).await?;
            let Some(last) = jobs.last() else {
                return Ok(());
            };
            filter.before = Some(last.uuid);
            for job in jobs {
                if let Some(event) = event(&job) {
                    match self.job_event(whose, job.uuid, event, None).await {
                        Ok(_) | Err(SpoolerError::Refused(Refusal::JobEnded | Refusal::AlreadyCanceling)) => {}
                        Err(other) => return Err(other),
                    }
                }
            }
        }
    }

    /// Whether a sender may print anywhere: from one who may not, at most 64 KiB of a mail are kept.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn is_registered_anywhere(&self, sender: &str) -> Result<bool, SpoolerError> {
        let all = self.inner.records.registrations_of(Whose::Everyones, sender).await?;
        Ok(all.iter().any(|row| row.record.state == RegistrationState::Active))
    }

    /// A registration.
    ///
    /// # Errors
    /// [`SpoolerError::NotFound`], or the store's failure.
    pub async fn registration(&self, whose: Whose, id: RegistrationId) -> Result<Registration, SpoolerError> {
        let mut rows = self.inner.records.read(whose, &[Key::Registration(id)]).await?;
        Ok(take::<Registration>(&mut rows, 0, "registration")?.0)
    }

    /// The registration of a sender at a printer.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn registration_at(
        &self,
        printer: PrinterUuid,
        sender: &str,
    ) -> Result<Option<Registration>, SpoolerError> {
        Ok(self.inner.records.registration(Whose::Everyones, printer, sender).await?.map(|row| row.record))
    }

    async fn save_registration(&self, registration: &Registration, version: u64) -> Result<(), StoreError> {
        let change = Change { put: vec![(registration.clone().into(), version)], ..Change::default() };
        self.inner.records.commit(change).await?;
        let _ = self.inner.changed.send(crate::Changed {
            owner: registration.owner,
            printer: Some(registration.printer),
            job: None,
        });
        Ok(())
    }

    /// Each a little later than the one before: "registered first" is to have a meaning within a millisecond too.
    fn moment_of_registration(&self) -> Timestamp {
        let now = self.now().0;
        let later = |before: u64| Some(now.max(before + 1));
        let before = self.inner.registered_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        Timestamp(before.ok().and_then(later).unwrap_or(now))
    }

    fn blank(&self, printer: &Printer, sender: &str, language: Language) -> Registration {
        let now = self.moment_of_registration();
        Registration {
            owner: printer.owner,
            id: RegistrationId::from_parts(now, self.random()),
            printer: printer.uuid,
            sender: sender.to_owned().into(),
            state: RegistrationState::Requested,
            retention_ms: None,
            retry_interval_ms: None,
            language,
            options: JobOptions::default(),
            proven: false,
            created_at: now,
            changed_at: now,
        }
    }
}

/// A sender's address in the one form in which it is stored and compared: trimmed, lower case.
///
/// # Errors
/// A sentence for what is no address.
pub fn canonical_address(address: &str) -> Result<String, SpoolerError> {
    let address = address.trim().to_lowercase();
    let good = address.len() <= 254
        && address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains(|c: char| c.is_alphanumeric()) && !domain.contains('@')
        })
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"'));
    if good {
        Ok(address)
    } else {
        Err(SpoolerError::Invalid(format!("`{address}` is no mail address; write it like anna@example.org")))
    }
}
