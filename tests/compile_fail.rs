//! Programs that must not compile, and the compiler's messages, which tell what to write instead.
//!
//! After a change of a message: `TRYBUILD=overwrite cargo test --test compile_fail`, and review the difference.

#[test]
fn refused_programs_get_helpful_messages() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
