//! The console over real sockets.

mod api;
mod jobs;
mod register;
mod routes;
mod sign;
mod world;
mod xss;
