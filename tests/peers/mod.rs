//! Each peer does here what tests count on, against something as simple as possible.

mod ippeveprinter_prints;
mod postfix_relays;
mod smtp_clients;
