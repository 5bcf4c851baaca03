//! Frames of the TCP transport.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::tcp_frame(bytes));
