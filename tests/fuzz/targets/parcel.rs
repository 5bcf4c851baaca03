//! Values with what travels beside them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mobula::decoders::parcel(bytes));
