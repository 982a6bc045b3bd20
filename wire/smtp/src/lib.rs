//! SMTP sessions, server and client, as pure state machines.
