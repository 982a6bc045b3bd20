//! The virtual printer: IPP Everywhere and raw 9100, with faults one can switch on.
