//! After a start: what was under way when the process died.

use crate::change::Gathered;
use crate::{Spooler, SpoolerError};
use tympan_engine::{AttemptEvent, AttemptState, Effect, Refusal};
use tympan_store::Whose;

impl Spooler {
    /// Ends leases, sweeps what no row points to, and asks printers what became of their attempts.
    pub(crate) async fn recover(&self) -> Result<(), SpoolerError> {
        self.inner.records.release_leases().await?;
        self.inner.documents.sweep(self.now()).await?;
        for row in self.inner.records.open_attempts(Whose::Everyones).await? {
            let attempt = row.record;
            let (job, number) = (attempt.job, attempt.number);
            match attempt.state {
                // The device was told nothing: it is proven that no sheet came out.
                AttemptState::Assigned => match self.attempt_event(job, number, AttemptEvent::LeaseEnded).await {
                    Ok(_) | Err(SpoolerError::Refused(Refusal::Stale)) => {}
                    Err(other) => return Err(other),
                },
                _ => {
                    let mut gathered = Gathered::new(self.now());
                    gathered.effects(vec![Effect::Follow { job, attempt: number }], 0);
                    self.commit(gathered).await?;
                }
            }
        }
        Ok(())
    }
}
