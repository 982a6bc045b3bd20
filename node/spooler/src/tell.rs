//! Who is to be told that jobs wait: each sender once per outage, not once per job.

use crate::change::Gathered;
use crate::{Spooler, SpoolerError};
use tympan_engine::{Effect, Notice, NoticeKind, Printer, Timestamp};
use tympan_store::{Key, Record, StoreError, Whose};

/// The key of the notice that tells one sender of one outage.
pub fn waiting_key(outage: tympan_engine::OutageId, address: &str) -> String {
    format!("waiting:{outage}:{address}")
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
        self.tell_waiting(printer).await
    }

    /// Makes sure that every sender with waiting jobs is told of the outage once.
    pub(crate) async fn tell_waiting(&self, printer: &Printer) -> Result<(), SpoolerError> {
        let Some(outage) = &printer.outage else { return Ok(()) };
        let senders = self.inner.records.waiting_senders(Whose::Everyones, printer.uuid).await?;
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
            gathered.effects(
                vec![Effect::Notify { job: sender.example, kind }],
                self.inner.options.notice_after_ms,
            );
            match self.commit(gathered).await {
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
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
