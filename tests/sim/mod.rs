//! Simulated worlds: the real queue, scheduler and delivery over a memory store, on a clock that is moved; printers,
//! people and the server's death from a seed.
//!
//! `model` is the reference: it sees each commit and each side of paper and knows what must be true. After the steps
//! the faults stop, and every job must end. A world that breaks a promise says so with the command that shows it. The
//! mail door has no place here: C1 is passed by a door of the simulation's own; the kill loop has the real one.

mod device;
mod dice;
mod guard;
mod life;
mod model;
mod mutants;
mod output;
mod paper;
mod step;
mod workshop;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tympan_tests::settings;

use life::CRASH_POINTS;
use mutants::Mutant;
use world::{Outcome, Run, run};

/// Steps in one world of many.
const STEPS: u64 = 400;
/// The first of the worlds that CI runs.
const FIRST_SEED: u64 = 8_000;
/// Worlds that broke a promise once.
const REMEMBERED: &[u64] = &[8_001, 8_026, 8_315];
/// Lines of a failed world's trace that are shown.
const LINES: usize = 80;

fn world(seed: u64, steps: u64) -> Run {
    Run { seed, steps, mutant: None, traced: false }
}

/// Fails with what was broken, how it came to that, and how to see it again.
fn judge(run: Run, outcome: &Outcome) {
    let Some(broken) = &outcome.broken else {
        return;
    };
    let again = world::run(Run { traced: true, ..run });
    let from = again.trace.len().saturating_sub(LINES);
    let tail = again.trace[from..].join("\n");
    let (seed, steps) = (run.seed, run.steps);
    panic!("a promise was broken {broken}\n{tail}\nsee all of it: cargo xtask sim {seed} --steps {steps}");
}

/// Runs worlds on all processors.
fn run_all(seeds: impl Iterator<Item = u64> + Send, steps: u64) -> Vec<(Run, Outcome)> {
    let seeds = Mutex::new(seeds);
    let outcomes = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = seeds.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(seed) = next else { return };
                    let run = world(seed, steps);
                    let outcome = world::run(run);
                    let failed = outcome.broken.is_some();
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((run, outcome));
                    if failed {
                        return;
                    }
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(run, _)| run.seed);
    outcomes
}

#[test]
fn worlds_keep_their_promises() {
    if let Some(seed) = settings::sim_seed() {
        let steps = if std::env::var_os("TYMPAN_SIM_STEPS").is_some() { settings::sim_steps() } else { STEPS };
        let outcome = run(Run { traced: true, ..world(seed, steps) });
        println!("{}", outcome.trace.join("\n"));
        let (jobs, sides, hours) = (outcome.jobs, outcome.sides, outcome.lasted_ms / 3_600_000);
        println!("world {seed}: {} steps, {jobs} jobs, {sides} sides, {hours} hours", outcome.steps);
        assert!(outcome.broken.is_none(), "a promise was broken {}", outcome.broken.unwrap_or_default());
        return;
    }
    let began = Instant::now();
    let worlds = settings::sim_steps().div_ceil(STEPS);
    let outcomes = run_all(FIRST_SEED..FIRST_SEED + worlds, STEPS);
    for (run, outcome) in &outcomes {
        judge(*run, outcome);
    }
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(|(_, outcome)| of(outcome)).sum::<u64>();
    let (steps, jobs, sides) = (sum(|one| one.steps), sum(|one| one.jobs), sum(|one| one.sides));
    let hours = sum(|one| one.lasted_ms) / 3_600_000;
    let mut deaths: BTreeMap<&str, u64> = BTreeMap::new();
    let mut happened: BTreeMap<String, u64> = BTreeMap::new();
    for (_, outcome) in &outcomes {
        outcome.deaths.iter().for_each(|(point, times)| *deaths.entry(point).or_default() += times);
        outcome.happened.iter().for_each(|(step, times)| *happened.entry(step.clone()).or_default() += times);
    }
    let secs = began.elapsed().as_secs_f32();
    println!(
        "{} worlds, {steps} steps in {secs:.1} s ({:.0} a second), {jobs} jobs, {sides} sides, {hours} hours of their time",
        outcomes.len(),
        steps as f32 / secs
    );
    println!("died at: {deaths:?}\nhappened: {happened:?}");
    assert!(steps >= settings::sim_steps());
    if steps >= 20_000 {
        let never: BTreeSet<_> = CRASH_POINTS.iter().filter(|point| !deaths.contains_key(*point)).collect();
        assert!(never.is_empty(), "the server never died at {never:?}");
    }
}

#[test]
fn worlds_that_broke_a_promise_once_keep_it() {
    for seed in REMEMBERED {
        let run = world(*seed, STEPS);
        judge(run, &world::run(run));
    }
}

#[test]
fn a_seed_is_a_world() {
    for seed in [1, 2] {
        let traced = Run { traced: true, ..world(seed, 200) };
        let (one, two) = (run(traced), run(traced));
        let differ = one.trace.iter().zip(&two.trace).find(|(one, two)| one != two);
        assert!(differ.is_none(), "{differ:?}");
        assert_eq!(one.trace.len(), two.trace.len());
        assert!(one.trace.len() > 500, "{}", one.trace.len());
    }
    let (one, two) = (run(world(1, 200)), run(world(2, 200)));
    assert_ne!((one.jobs, one.sides), (two.jobs, two.sides));
}

/// Worlds that are run to catch one mistake.
const WORLDS_MAX: u64 = 60;

fn catches(mutant: Mutant) -> String {
    for seed in 0..WORLDS_MAX {
        let outcome = run(Run { mutant: Some(mutant), ..world(seed, STEPS) });
        if let Some(broken) = outcome.broken {
            return broken;
        }
    }
    panic!("{mutant:?} was not noticed in {WORLDS_MAX} worlds");
}

#[test]
fn the_model_notices_every_mistake_made_on_purpose() {
    let caught = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for mutant in Mutant::ALL {
            let caught = &caught;
            scope.spawn(move || {
                let broken = catches(mutant);
                println!("{mutant:?}: {broken}");
                assert!(mutant.is_named_in(&broken), "{mutant:?} was noticed by accident: {broken}");
                caught.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!(caught.load(Ordering::SeqCst), Mutant::ALL.len() as u64);
}
