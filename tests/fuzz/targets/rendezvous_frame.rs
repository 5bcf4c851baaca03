//! Frames of ranks that meet.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::rendezvous_frame(bytes));
