//! Outputs and reports: inspect, prepare, IPP, raw socket, folder, notices by mail.
