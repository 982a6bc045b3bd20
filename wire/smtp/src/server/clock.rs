//! The time-outs of a server session. Time is what the caller passes in, counted from any fixed start.

use std::time::Duration;

use super::config::TimeOuts;

/// Which time-out ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutReason {
    /// No EHLO or HELO in time.
    Greeting,
    /// No whole command line in time.
    Command,
    /// The TLS handshake took too long.
    Handshake,
    /// No octets of the message in time.
    BodyBlock,
    /// The message took too long.
    BodyWhole,
    /// The message came too slowly.
    BodyRate,
    /// The session took too long.
    Session,
}

/// What the session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Greeting,
    Command,
    Handshake,
    Body {
        octets: u64,
    },
    /// The caller, or nothing: no time-out runs.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Clock {
    /// Start of the session.
    started: Duration,
    /// When the peer's turn began: our last answer, or the last octets of a message.
    turn: Duration,
    /// Start of the message.
    body_started: Duration,
    /// The caller takes no input since then.
    stopped: Option<Duration>,
}

impl Clock {
    pub(super) fn new(now: Duration) -> Self {
        Self { started: now, turn: now, body_started: now, stopped: None }
    }

    /// It is the peer's turn from now on.
    pub(super) fn turn(&mut self, now: Duration) {
        self.turn = now;
    }

    pub(super) fn body_started(&mut self, now: Duration) {
        self.turn = now;
        self.body_started = now;
    }

    /// Stops the time-outs that measure the peer.
    pub(super) fn stop(&mut self, now: Duration) {
        self.stopped.get_or_insert(now);
    }

    /// Lets them run on, as if no time had passed.
    pub(super) fn go_on(&mut self, now: Duration) {
        if let Some(stopped) = self.stopped.take() {
            let lost = now.saturating_sub(stopped);
            self.turn += lost;
            self.body_started += lost;
        }
    }

    /// The next time-out and when it comes.
    pub(super) fn next(&self, waiting: Waiting, limits: &TimeOuts) -> Option<(Duration, TimeoutReason)> {
        if self.stopped.is_some() {
            return None;
        }
        let session = (self.started + limits.session, TimeoutReason::Session);
        let turn = match waiting {
            Waiting::Nothing => return None,
            Waiting::Greeting => (self.started + limits.greeting, TimeoutReason::Greeting),
            Waiting::Command => (self.turn + limits.command, TimeoutReason::Command),
            Waiting::Handshake => (self.turn + limits.command, TimeoutReason::Handshake),
            Waiting::Body { octets } => {
                let block = (self.turn + limits.body_block, TimeoutReason::BodyBlock);
                let whole = (self.body_started + limits.body_whole, TimeoutReason::BodyWhole);
                let rate = (self.rate_deadline(octets, limits), TimeoutReason::BodyRate);
                [whole, rate].into_iter().fold(block, earlier)
            }
        };
        Some(earlier(turn, session))
    }

    /// When a message of so many octets falls below the slowest rate.
    fn rate_deadline(&self, octets: u64, limits: &TimeOuts) -> Duration {
        if limits.body_rate_min == 0 {
            return Duration::MAX;
        }
        let earned = Duration::from_millis(octets.saturating_mul(1000) / limits.body_rate_min);
        self.body_started.saturating_add(earned.max(limits.body_rate_grace))
    }
}

fn earlier(a: (Duration, TimeoutReason), b: (Duration, TimeoutReason)) -> (Duration, TimeoutReason) {
    if b.0 < a.0 { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn rate_is_the_average_after_a_grace() {
        let mut clock = Clock::new(secs(0));
        clock.body_started(secs(100));
        let limits = TimeOuts::default();
        assert_eq!(clock.rate_deadline(0, &limits), secs(110));
        assert_eq!(clock.rate_deadline(4_000, &limits), secs(110));
        assert_eq!(clock.rate_deadline(10_000, &limits), secs(120));
    }

    #[test]
    fn time_that_the_caller_took_is_not_the_peers() {
        let limits = TimeOuts::default();
        let mut clock = Clock::new(secs(0));
        clock.body_started(secs(10));
        let before = clock.next(Waiting::Body { octets: 0 }, &limits).unwrap();
        assert_eq!(before, (secs(20), TimeoutReason::BodyRate));
        clock.stop(secs(12));
        assert_eq!(clock.next(Waiting::Body { octets: 0 }, &limits), None);
        clock.stop(secs(14));
        clock.go_on(secs(112));
        assert_eq!(clock.next(Waiting::Body { octets: 0 }, &limits), Some((secs(120), TimeoutReason::BodyRate)));
    }
}
