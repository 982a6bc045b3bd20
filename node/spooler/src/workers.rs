//! Effects are claimed with a lease and performed; what comes of them returns as events.

use crate::{FULL_PAUSE, Spooler, SpoolerError, rush};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;
use tympan_engine::{Effect, Millis, Timestamp};
use tympan_store::{Change, ClaimedEffect, StoreError};

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Performed {
    /// Done, or not needed any more.
    Done,
    /// Try again after a span that grows with each try.
    Again,
}

/// Carries effects out. Each may be asked for more than once: a crash repeats it.
pub trait Perform: Send + Sync + 'static {
    /// Performs one effect, reporting by events of the spooler.
    fn perform<'a>(&'a self, spooler: &'a Spooler, effect: &'a Effect, tries: u32) -> BoxFuture<'a, Performed>;
}

/// Classes of effects that do not wait for each other.
pub(crate) const CLASSES: usize = 4;
/// The class of what looks into documents: a process for each.
const LOOKS: usize = 0;
/// The class of what leaves by mail.
const MAILS: usize = 2;
const KINDS: [&[&str]; CLASSES] =
    [&["inspect", "store"], &["deliver", "follow"], &["notify", "mail"], &["cancel-at-device"]];
/// How many printers are told at once that a job is cancelled.
const CANCELS_AT_ONCE: usize = 64;
/// The longest pause before what a job waits for is tried again, in milliseconds: a full disk has room again at once.
const WORK_PAUSE_MAX_MS: Millis = 60_000;
/// The same for what leaves by mail.
const MAIL_PAUSE_MAX_MS: Millis = 3_600_000;
/// How long a claim lasts, in milliseconds; a worker that lives renews by being in this process.
const LEASE_MS: Millis = 24 * 3_600_000;

/// The class of an effect.
pub(crate) fn class_of(effect: &Effect) -> usize {
    match effect {
        Effect::Inspect { .. } | Effect::Store { .. } => LOOKS,
        Effect::Deliver { .. } | Effect::Follow { .. } => 1,
        Effect::Notify { .. } | Effect::Mail { .. } | Effect::Wake { .. } | Effect::Release { .. } => MAILS,
        Effect::CancelAtDevice { .. } => 3,
    }
}

impl Spooler {
    /// Performs effects of all classes; never returns but with an error.
    pub(crate) async fn work(&self, perform: Arc<dyn Perform>) -> Result<(), SpoolerError> {
        let options = &self.inner.options;
        tokio::try_join!(
            self.work_class(LOOKS, options.inspect_workers, &perform),
            self.work_class(1, options.deliver_workers, &perform),
            self.work_class(MAILS, options.notify_workers, &perform),
            self.work_class(3, CANCELS_AT_ONCE, &perform),
        )?;
        Ok(())
    }

    async fn work_class(&self, class: usize, limit: usize, perform: &Arc<dyn Perform>) -> Result<(), SpoolerError> {
        let mut running = FuturesUnordered::new();
        loop {
            let now = self.now();
            let limit = if class == LOOKS && self.inner.rush.is_on(now) { 1 } else { limit };
            let room = limit.saturating_sub(running.len());
            let claimed = match room {
                0 => Vec::new(),
                room => {
                    let claimed = self.inner.records.claim_effects(KINDS[class], now, LEASE_MS, room).await;
                    match claimed {
                        Ok(claimed) => claimed,
                        // What is under way goes on; what is due waits for room.
                        Err(StoreError::Full) => Vec::new(),
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            for effect in claimed {
                let perform = Arc::clone(perform);
                running.push(async move {
                    let outcome = perform.perform(self, &effect.effect, effect.tries).await;
                    let performed = self.performed(&effect, outcome).await;
                    if class == LOOKS {
                        self.give_way(now).await;
                    }
                    performed
                });
            }
            if running.len() >= limit {
                if let Some(outcome) = running.next().await {
                    outcome?;
                }
                continue;
            }
            let next = self.inner.records.next_effect_due(KINDS[class]).await?;
            let soonest = match next {
                Some(next) if next <= now => FULL_PAUSE.as_millis() as Millis,
                _ => 1,
            };
            let span = next.map_or(60_000, |next| next.since(self.now()).clamp(soonest, 60_000));
            tokio::select! {
                biased;
                Some(outcome) = running.next(), if !running.is_empty() => outcome?,
                () = self.inner.nudge.effects_came(class) => {}
                () = tokio::time::sleep(Duration::from_millis(span)) => {}
            }
        }
    }

    /// In a rush, pauses after work that began at `began`.
    async fn give_way(&self, began: Timestamp) {
        let now = self.now();
        if self.inner.rush.is_on(now) {
            tokio::time::sleep(Duration::from_millis(rush::pause_ms(now.since(began)))).await;
        }
    }

    async fn performed(&self, effect: &ClaimedEffect, outcome: Performed) -> Result<(), SpoolerError> {
        let change = match outcome {
            Performed::Done => Change { done: vec![effect.id], ..Change::default() },
            Performed::Again => {
                let first = self.inner.options.effect_retry_ms;
                let longest = if class_of(&effect.effect) == MAILS { MAIL_PAUSE_MAX_MS } else { WORK_PAUSE_MAX_MS };
                let span = first.saturating_mul(1 << effect.tries.min(16)).min(longest);
                Change { again: vec![(effect.id, self.now() + span)], ..Change::default() }
            }
        };
        while let Err(error) = self.inner.records.commit(change.clone()).await {
            self.wait_for_room(error.into()).await?;
        }
        Ok(())
    }
}
