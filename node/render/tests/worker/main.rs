//! Every request over the real worker process.

mod bombs;
mod lock;
mod mail;
mod pdf;
mod picture;
mod samples;
mod text;
