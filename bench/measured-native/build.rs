//! Compiles the part in C as users do, with optimization.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/calls.c");
    println!("cargo::rerun-if-changed=../../native/include/mobula.h");
    let object = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("calls.o");
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c99", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I../../native/include"]);
    let status = compiler.args(["-c", "src/calls.c", "-o"]).arg(&object).status();
    assert!(status.expect("a compiler is there, as for every program in Rust").success(), "{compiler:?} failed");
    println!("cargo::rustc-link-arg-bins={}", object.display());
}
