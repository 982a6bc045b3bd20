//! Any octets are an IPP message or refused; what is a message is written back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tympan_ipp::{Flat, Limits, decode};

fuzz_target!(|octets: &[u8]| {
    let limits = Limits::REQUEST;
    let flat = Flat::decode(octets, &limits);
    match decode(octets, &limits) {
        Ok(decoded) => {
            assert!(flat.is_ok());
            assert_eq!(decoded.message.encode(), &octets[..decoded.header_octets]);
            let _ = decoded.message.check_request();
            let _ = decoded.message.to_string();
        }
        Err(error) => assert_eq!(flat.err(), Some(error)),
    }
});
