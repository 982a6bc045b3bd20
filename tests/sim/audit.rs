//! What must be true at each look, and when everything has come to rest.

use super::*;

impl Model {
    /// Looks at everything that costs little.
    pub(in crate::sim) fn look(&mut self, wall: Timestamp, now_ms: u64) {
        self.wall = wall;
        self.read_paper();
        let up_ms = self.up_since_ms.map_or(0, |since| now_ms.saturating_sub(since));
        let mut faults = Vec::new();
        let mut overdue = std::mem::take(&mut self.overdue_ms);
        overdue.retain(|job, _| self.open.contains(job));
        for known in self.open.iter().filter_map(|job| self.jobs.get(job)) {
            let row = &known.row;
            let Some(seen) = self.printers.get(&row.printer) else {
                continue;
            };
            let hindered = hindrance(row, &seen.row);
            if words::actions(row, &hindered).is_empty() {
                faults.push(format!("job {} has no way out of {hindered:?}", row.short()));
            }
            if hindered == Hindrance::Over {
                faults.push(format!("job {} is over and open", row.short()));
            }
            // Marked as expired in the printer, it ends with its attempt.
            let is_due = wall >= row.keep_until && (!row.expired || row.doubt.is_some());
            let late_ms = now_ms - *overdue.entry(row.uuid).or_insert(now_ms);
            if !is_due {
                overdue.remove(&row.uuid);
            } else if late_ms > SOON_MS && up_ms > SOON_MS {
                faults.push(format!("job {} is kept {late_ms} ms too long", row.short()));
            }
            if up_ms > SOON_MS {
                faults.extend(self.untold(known, seen, now_ms));
            }
        }
        self.overdue_ms = overdue;
        for fault in faults {
            self.broken(fault);
        }
    }

    /// Who has jobs that wait for a printer in trouble knows it.
    fn untold(&self, known: &Known, seen: &Seen, now_ms: u64) -> Option<String> {
        let long = |since: Option<u64>| since.is_some_and(|since| now_ms.saturating_sub(since) > SOON_MS);
        let mail_works = self.mail_failed_ms.is_none_or(|at| now_ms.saturating_sub(at) > SOON_MS);
        let sender = &known.row.originator;
        let waits = long(known.idle_since_ms) && seen.row.trouble_for(&known.row.options).is_some();
        // An operator who stops a printer on our side knows why.
        if seen.row.paused
            || !long(Some(seen.troubled_ms))
            || !(waits || long(known.stopped_since_ms))
            || !long(seen.outage_since_ms)
            || !mail_works
            || !sender.may_be_mailed
        {
            return None;
        }
        let key = (seen.row.uuid, sender.address.0.clone(), seen.recoveries);
        let told = self.told_waiting.contains_key(&key);
        (!told).then(|| {
            format!("nobody told {} that {} cannot print job {}", *sender.address, seen.row.name, known.row.short())
        })
    }

    /// Whether the server died since all was compared.
    pub(in crate::sim) fn died_since_audit(&self) -> bool {
        self.audited_deaths != self.deaths
    }

    /// Compares every row and document with what the store has.
    pub(in crate::sim) fn audit(&mut self, store: &MemoryStore) {
        self.audited_deaths = self.deaths;
        let mut faults = Vec::new();
        let keys: Vec<Key> = self.jobs.keys().map(|job| Key::Job(*job)).collect();
        let rows = store.read(Whose::Everyones, &keys).now_or_never().and_then(Result::ok).unwrap_or_default();
        for ((job, known), row) in self.jobs.iter().zip(rows) {
            match row.map(|row| row.record) {
                Some(Record::Job(row)) if row == known.row => {}
                Some(_) => faults.push(format!("job {} is not what was written", job.short())),
                None if known.acknowledged => {
                    faults.push(format!("job {}, which was acknowledged, is gone", job.short()))
                }
                None => faults.push(format!("job {} is gone", job.short())),
            }
        }
        let held: BTreeSet<DocumentId> = self.jobs.values().flat_map(|known| known.row.stored()).collect();
        let everything: BTreeSet<DocumentId> = self.documents.union(&held).copied().collect();
        for id in everything {
            let there = store.document(id).now_or_never().and_then(Result::ok).flatten().is_some();
            if there != held.contains(&id) {
                let whose = self.jobs.values().find(|known| known.documents.contains(&id));
                let whose = whose.map_or_else(|| "nobody".into(), |known| known.row.short().to_string());
                faults.push(match there {
                    true => format!("document {id} of {whose} was not deleted"),
                    false => format!("document {id} of {whose} is gone"),
                });
            }
        }
        for fault in faults {
            self.broken(fault);
        }
    }

    /// After the faults have stopped and all has come to rest.
    pub(in crate::sim) fn at_rest(&mut self, store: &MemoryStore) {
        self.read_paper();
        let unfinished: Vec<String> =
            self.open.iter().map(|job| format!("{} ({:?})", job.short(), self.jobs[job].row.state)).collect();
        if !unfinished.is_empty() {
            self.broken(format!("these never ended: {}", unfinished.join(", ")));
        }
        if !self.open_attempts.is_empty() {
            self.broken("attempts are left open".into());
        }
        let busy: Vec<String> = self
            .printers
            .values()
            .filter(|seen| seen.row.current.is_some())
            .map(|seen| seen.row.name.clone())
            .collect();
        if !busy.is_empty() {
            self.broken(format!("printers are held by nobody's job: {}", busy.join(", ")));
        }
        let left: Vec<_> = self
            .documents
            .iter()
            .filter(|id| store.document(**id).now_or_never().and_then(Result::ok).flatten().is_some())
            .collect();
        if !left.is_empty() {
            let left = left.len();
            self.broken(format!("{left} documents of ended jobs are left"));
        }
        if store.next_effect_due(&[]).now_or_never().and_then(Result::ok).flatten().is_some() {
            self.broken("effects are left".into());
        }
    }
}
