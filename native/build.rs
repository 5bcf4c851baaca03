//! The name by which programs that are linked with the shared library find it: with the number of its ABI.

/// Raised when a program that was linked with an earlier library would not run with this one.
const ABI: u32 = 0;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libmobula.so.{ABI}");
}
