//! Who is to be told that jobs wait: each sender once per outage, not once per job.

use crate::change::Gathered;
use crate::{Spooler, SpoolerError};
use std::collections::BTreeMap;
use tympan_engine::{Effect, Job, Notice, NoticeKind, OwnerId, Printer, StoredForm, Timestamp};
use tympan_ipp::JobState;
use tympan_store::{Key, Record, StoreError, WaitingSender, Whose};

/// The key of the notice that tells one sender of one outage.
pub fn waiting_key(outage: tympan_engine::OutageId, address: &str) -> String {
    format!("waiting:{outage}:{address}")
}

/// What has a waiting job stored in another form, where the printer's policy asks for it.
pub(crate) fn store_effect(printer: &Printer, job: &Job) -> Vec<Effect> {
    let wanted = printer.policy.stored_form != StoredForm::Mail && job.rendition.is_none() && job.is_waiting();
    if wanted { vec![Effect::Store { job: job.uuid }] } else { Vec::new() }
}

impl Spooler {
    /// As [`Spooler::tell_waiting`], but only once for each question the printer was asked: who comes later
    /// makes the printer be asked again.
    pub(crate) async fn tell_waiting_once(&self, printer: &Printer) -> Result<(), SpoolerError> {
        let asked_at = printer.condition.asked_at;
        {
            let mut told = self.inner.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if told.insert(printer.uuid, asked_at) == Some(asked_at) {
                return Ok(());
            }
        }
        self.store_waiting(printer).await?;
        self.tell_waiting(printer).await
    }

    /// While a job stands still in its printer nobody asks the printer for others, and while others print nobody
    /// asks for those that cannot: tells whose jobs wait, as often as notices are gathered; says when to look again.
    pub(crate) async fn tell_behind(&self, printer: &Printer) -> Result<Option<Timestamp>, SpoolerError> {
        if printer.outage.is_none() || printer.current.is_none() {
            return Ok(None);
        }
        let now = self.now();
        {
            let mut told = self.inner.told_behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let again = told.get(&printer.uuid).map(|at| *at + self.inner.options.notice_after_ms);
            if let Some(again) = again.filter(|again| *again > now) {
                return Ok(Some(again));
            }
            told.insert(printer.uuid, now);
        }
        self.store_waiting(printer).await?;
        self.tell_waiting(printer).await?;
        // It may fall silent meanwhile, and nothing else would look.
        Ok(Some(now + self.inner.options.notice_after_ms))
    }

    /// The sender of the job that stands still in the printer.
    async fn stopped_sender(&self, printer: &Printer) -> Result<Option<WaitingSender>, SpoolerError> {
        let Some((job, _)) = printer.current else {
            return Ok(None);
        };
        let job = self.job(Whose::Everyones, job).await?;
        if job.state != JobState::ProcessingStopped || job.doubt.is_some() {
            return Ok(None);
        }
        Ok(Some(WaitingSender {
            address: job.originator.address.0.to_lowercase(),
            language: job.originator.language,
            may_be_mailed: job.originator.may_be_mailed,
            jobs: 1,
            example: job.uuid,
        }))
    }

    /// Has every job that waits stored in the form that the printer's policy asks for, once per outage (A09).
    pub(crate) async fn store_waiting(&self, printer: &Printer) -> Result<(), SpoolerError> {
        let Some(outage) = printer.outage.as_ref().filter(|_| printer.policy.stored_form != StoredForm::Mail) else {
            return Ok(());
        };
        {
            let mut stored = self.inner.stored.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if stored.insert(printer.uuid, outage.id) == Some(outage.id) {
                return Ok(());
            }
        }
        let mut after = None;
        loop {
            let page = self.inner.records.waiting_jobs(Whose::Everyones, printer.uuid, after, 256).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some((last.record.priority, last.record.id));
            let mut gathered = Gathered::new(self.now());
            for row in &page {
                gathered.effects(store_effect(printer, &row.record), 0);
            }
            self.commit(gathered).await?;
        }
    }

    /// Whose jobs wait for a medium or a colour while others print.
    async fn hindered_senders(&self, printer: &Printer) -> Result<Vec<WaitingSender>, SpoolerError> {
        let mut senders: BTreeMap<String, WaitingSender> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.inner.records.waiting_jobs(Whose::Everyones, printer.uuid, after, 256).await?;
            let Some(last) = page.last() else {
                return Ok(senders.into_values().collect());
            };
            after = Some((last.record.priority, last.record.id));
            for job in page.iter().map(|row| &row.record).filter(|job| printer.trouble_for(&job.options).is_some()) {
                let sender = senders.entry(job.originator.address.0.to_lowercase());
                let sender = sender.or_insert_with_key(|address| WaitingSender {
                    address: address.clone(),
                    language: job.originator.language,
                    may_be_mailed: job.originator.may_be_mailed,
                    jobs: 0,
                    example: job.uuid,
                });
                sender.jobs += 1;
            }
        }
    }

    /// Makes sure that every sender with waiting jobs is told of the outage once.
    pub(crate) async fn tell_waiting(&self, printer: &Printer) -> Result<(), SpoolerError> {
        let Some(outage) = &printer.outage else {
            return Ok(());
        };
        let mut senders = match printer.condition.trouble_for_all() {
            Some(_) => self.inner.records.waiting_senders(Whose::Everyones, printer.uuid).await?,
            None => self.hindered_senders(printer).await?,
        };
        senders.extend(self.stopped_sender(printer).await?);
        for sender in senders {
            let key = waiting_key(outage.id, &sender.address);
            let known = self.inner.records.read(Whose::Everyones, &[Key::Notice(key.clone())]).await?;
            if known.iter().any(Option::is_some) {
                continue;
            }
            let mut gathered = Gathered::new(self.now());
            let kind = NoticeKind::Waiting { outage: outage.id };
            gathered.change.put.push((
                Record::Notice(Notice {
                    owner: printer.owner,
                    key,
                    recipient: sender.address.into(),
                    language: sender.language,
                    printer: printer.uuid,
                    job: Some(sender.example),
                    kind: kind.clone(),
                    created_at: gathered.now,
                    told_at: None,
                    subject: String::new(),
                    text: String::new(),
                }),
                0,
            ));
            gathered.effects(vec![Effect::Notify { job: sender.example, kind }], self.inner.options.notice_after_ms);
            match self.commit(gathered).await {
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// Takes back a notice of an outage that came up and was not told, because nobody waited any more when it was due:
    /// who comes later in the same outage is to be told again.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn withdraw_notice(&self, notice: &Notice) -> Result<(), SpoolerError> {
        let key = Key::Notice(notice.key.clone());
        self.change(Whose::Everyones, std::slice::from_ref(&key), |rows, gathered| {
            if let Some(Record::Notice(Notice { told_at: None, .. })) = rows[0].as_ref().map(|row| &row.record) {
                gathered.change.delete.push(key.clone());
            }
            Ok(())
        })
        .await?;
        self.inner.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&notice.printer);
        self.inner.nudge.printer(notice.printer);
        Ok(())
    }

    /// Notes that a notice was told, with its words, so that it is not told again and the console shows it.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn told(&self, notice: Notice, how: &str) -> Result<(), SpoolerError> {
        let key = Key::Notice(notice.key.clone());
        let told_at: Option<Timestamp> = Some(self.now());
        self.change(Whose::Everyones, &[key], |rows, gathered| {
            let version = rows[0].as_ref().map_or(0, |row| row.version);
            let notice = Notice { told_at, ..notice.clone() };
            let kind = tympan_engine::HistoryKind::Told { about: notice.kind.word().into(), how: how.into() };
            gathered.history(notice.owner, Some(notice.printer), notice.job, None, kind);
            gathered.changed.push(crate::Changed {
                owner: notice.owner,
                printer: Some(notice.printer),
                job: notice.job,
            });
            gathered.change.put.push((Record::Notice(notice), version));
            Ok(())
        })
        .await
    }

    /// Sends one mail that is already written: it is an effect, tried until it is gone.
    ///
    /// The caller makes sure that the address is proven and that the mail answers no automatic one.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn send_mail(
        &self,
        owner: OwnerId,
        to: &str,
        subject: &str,
        text: &str,
        in_reply_to: Option<&str>,
    ) -> Result<(), SpoolerError> {
        let mut gathered = Gathered::new(self.now());
        let mail = Effect::Mail {
            to: to.into(),
            subject: subject.into(),
            text: text.into(),
            in_reply_to: in_reply_to.map(Into::into),
        };
        gathered.effects(vec![mail], 0);
        gathered.changed.push(crate::Changed { owner, printer: None, job: None });
        self.commit(gathered).await?;
        Ok(())
    }

    /// The notice with this key, if it came up before.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn notice(&self, key: &str) -> Result<Option<Notice>, SpoolerError> {
        let rows = self.inner.records.read(Whose::Everyones, &[Key::Notice(key.into())]).await?;
        Ok(match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Notice(notice)) => Some(notice),
            _ => None,
        })
    }
}
