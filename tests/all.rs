//! Behaviour over real sockets. One binary; a module for each kind of test.

mod harness;
mod kill;
mod peers;
mod rows;
mod sim;
