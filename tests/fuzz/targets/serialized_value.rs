//! Serialized values with their attachments.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::serialized_value(bytes));
