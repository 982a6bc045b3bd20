//! What `cargo xtask sim` and `cargo xtask kill` tell the tests they start.

/// How often the kill loop kills: `cargo xtask kill --times N`, else 60.
#[must_use]
pub fn kills() -> u64 {
    number("TYMPAN_KILLS").unwrap_or(60)
}

/// The seed of the one world to simulate: `cargo xtask sim SEED`. Without one a fixed set of worlds is run.
#[must_use]
pub fn sim_seed() -> Option<u64> {
    number("TYMPAN_SIM_SEED")
}

/// Steps of all simulated worlds together: `cargo xtask sim --steps N`, else 100,000.
#[must_use]
pub fn sim_steps() -> u64 {
    number("TYMPAN_SIM_STEPS").unwrap_or(100_000)
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not `{text}`")))
}
