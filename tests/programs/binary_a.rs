//! One of two programs that differ in one function; a job of both must be refused.

#[path = "binary_shared.rs"]
mod shared;

#[mobula::remote]
fn only_in_a(value: u64) -> u64 {
    value
}

fn main() -> std::process::ExitCode {
    shared::start(|| only_in_a::remote(1u64))
}
