//! Handshakes with an attacker in between.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::handshake(bytes));
