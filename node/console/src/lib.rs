//! Pages for people: set-up, printers, jobs, registrations.
