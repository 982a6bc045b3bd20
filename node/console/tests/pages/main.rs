//! The console over real sockets.

mod api;
mod jobs;
mod openapi;
mod pair;
mod register;
mod routes;
mod sign;
mod world;
mod xss;
