//! What happens to devices, to the node and to time.

use super::*;

impl World {
    pub(super) fn device<T>(&self, number: usize, change: impl FnOnce(&mut Device) -> T) -> T {
        let mut device = lock(&self.devices[number]);
        device.advance(self.life.now_ms());
        change(&mut device)
    }

    /// Something gets better: a printer that can reports it.
    pub(super) async fn recovers<T>(&mut self, number: usize, change: impl FnOnce(&mut Device) -> T) {
        let reports = self.device(number, |device| {
            change(device);
            device.traits.reports
        });
        if reports {
            self.report(number).await;
        }
    }

    pub(super) async fn report(&mut self, number: usize) {
        let condition = self.device(number, |device| device.on.then(|| device.condition()));
        if let Some(condition) = condition {
            self.printer_event(number, PrinterEvent::Reported(condition)).await;
        }
    }

    pub(super) async fn printer_event(&mut self, number: usize, event: PrinterEvent) {
        if let Some(spooler) = self.spooler() {
            let answer = self.ask(spooler.printer_event(EVERYONES, self.printers[number], event, None)).await;
            self.heard("a printer", answer);
        }
    }

    pub(super) async fn job_event(&mut self, job: &Job, event: JobEvent) -> Option<Job> {
        let spooler = self.spooler()?;
        let answer = self.ask(spooler.job_event(EVERYONES, job.uuid, event, Some("anna"))).await;
        self.heard("a job", answer)
    }

    pub(super) async fn registration(&mut self, event: RegistrationEvent) {
        let sender = *self.dice.pick(&SENDERS).unwrap_or(&SENDERS[0]);
        let printer = self.dice.pick(&self.printers).copied();
        if let (Some(spooler), Some(printer)) = (self.spooler(), printer) {
            let change = async {
                match spooler.registration_at(printer, sender).await? {
                    Some(found) => spooler.registration_event(EVERYONES, found.id, event).await.map(|_| ()),
                    None => Err(SpoolerError::NotFound("registration")),
                }
            };
            let answer = self.ask(change).await;
            self.heard("a registration", answer);
        }
    }

    pub(super) async fn release_one(&mut self) {
        if let Some(job) = self.choose(|job| !job.holds.is_empty()) {
            for hold in job.holds.clone() {
                self.job_event(&job, JobEvent::Unhold(hold)).await;
            }
        }
    }

    pub(super) async fn decide_one(&mut self) {
        let Some(job) = self.choose(|job| job.doubt.is_some()) else {
            return;
        };
        let page = self.dice.range(1, u64::from(job.pages().max(1))) as u32;
        let decision = match self.dice.below(4) {
            0 => DoubtDecision::PrintFrom(page),
            1 => DoubtDecision::PrintAll,
            2 => DoubtDecision::ItIsFine,
            _ => DoubtDecision::ThrowAway,
        };
        lock(&self.model).decided(job.uuid);
        self.job_event(&job, JobEvent::Decide(decision)).await;
    }

    // A life.

    pub(super) async fn live(&mut self, steps: u64) {
        while self.steps < steps && self.is_whole() {
            self.steps += 1;
            let step = Step::draw(&mut self.dice, self.printers.len());
            self.step(step).await;
            let pause_ms = Step::pause_ms(&mut self.dice);
            self.pass(pause_ms).await;
            if self.dice.percent(30) && !self.outbox.is_empty() {
                let place = self.dice.below(self.outbox.len() as u64) as usize;
                let letter = self.outbox.remove(place);
                self.deliver(letter).await;
                self.pass(0).await;
            }
            self.look();
        }
        if self.is_whole() {
            self.come_to_rest().await;
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        lock(&self.model).broken.is_empty()
    }

    pub(super) fn look(&self) {
        let mut model = lock(&self.model);
        model.look(self.life.clock().now(), self.life.now_ms());
        if self.steps.is_multiple_of(16) || model.died_since_audit() {
            model.audit(self.guard.store());
        }
    }

    pub(super) fn fills_disk(&mut self, full: bool) {
        self.disk_full = full;
        self.guard.store().fill(full);
        self.is_up();
    }

    /// From when on the server can do all that it is to do by itself.
    pub(super) fn is_up(&self) {
        let is_up = self.server.is_some() && !self.disk_full;
        let now_ms = self.life.now_ms();
        let mut model = lock(&self.model);
        model.up_since_ms = is_up.then(|| model.up_since_ms.unwrap_or(now_ms));
    }

    /// The faults stop: printers are well, people decide. Then every job must end.
    pub(super) async fn come_to_rest(&mut self) {
        self.note(|| "the faults stop".into());
        self.life.arm(None);
        self.fills_disk(false);
        *lock(&self.mails_fail) = 0;
        self.pass(300_000).await;
        let now_ms = self.life.now_ms();
        for number in 0..self.devices.len() {
            self.device(number, |device| device.heal(now_ms));
            self.printer_event(number, PrinterEvent::Resume).await;
            self.report(number).await;
        }
        let until_ms = self.life.now_ms() + REST_MS;
        let mut pause_ms = 5_000;
        while self.life.now_ms() < until_ms && self.is_whole() {
            while let Some(letter) = self.outbox.pop() {
                self.deliver(letter).await;
            }
            let open: BTreeSet<JobUuid> = lock(&self.model).open.clone();
            if open.is_empty() {
                break;
            }
            for _ in 0..open.len() {
                self.release_one().await;
                self.decide_one().await;
            }
            self.pass(pause_ms).await;
            pause_ms = (pause_ms * 5 / 4).min(10 * MINUTE_MS);
            self.look();
        }
        // Windows for a reprint end, notices are tried again.
        self.pass(150 * MINUTE_MS).await;
        self.look();
        let mut model = lock(&self.model);
        model.audit(self.guard.store());
        model.at_rest(self.guard.store());
    }
}
