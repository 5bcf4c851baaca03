//! The other of two programs that differ in one function.

#[path = "binary_shared.rs"]
mod shared;

#[mobula::remote]
fn only_in_b(value: u64, more: u64) -> u64 {
    value + more
}

fn main() -> std::process::ExitCode {
    shared::start(|| only_in_b::remote(1u64, 2u64))
}
