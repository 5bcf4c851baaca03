//! Frames of the rendezvous.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::rendezvous_frame(bytes));
