//! HTTP listener and client: plain, TLS and upgrade on one port, routes with a declared policy.
