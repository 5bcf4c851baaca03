//! Messages between ranks.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::message(bytes));
