//! What must not compile, and that the compiler then says what to write instead.
//!
//! After a change of a message: `TRYBUILD=overwrite cargo test --test compile_fail`, and read the difference.

#[test]
fn refusals_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
