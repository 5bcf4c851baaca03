//! Compiles the part in C, and links its object: an archive's would be left out where nothing names what it defines.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/tasks.c");
    println!("cargo::rerun-if-changed=../../include/mobula.h");
    let object = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("tasks.o");
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c99", "-O1", "-g", "-fPIC", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I../../include"]);
    let status = compiler.args(["-c", "src/tasks.c", "-o"]).arg(&object).status();
    assert!(status.expect("a compiler is there, as for every program in Rust").success(), "{compiler:?} failed");
    println!("cargo::rustc-link-arg-bins={}", object.display());
}
