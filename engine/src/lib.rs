//! What may happen to a job, an attempt, a printer, a registration: pure rules.
