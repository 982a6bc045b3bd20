//! One test or more for each row of the requirements, named by its id, over real processes and sockets.

mod browser;
mod clients;
mod doors;
mod hostile;
mod ipp_jobs;
mod mailbox;
mod office;
mod printing;
mod suites;
mod switch;
mod waiting;
mod who;
