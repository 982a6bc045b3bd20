//! Runs the engine: read, apply, commit, effects, timers. The only thing doors know.
