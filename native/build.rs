//! How the shared library is linked: the name by which programs find it has the number of its ABI.

/// Raised when a program that was linked with an earlier library would not run with this one.
const ABI: u32 = 0;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libmobula.so.{ABI}");
    // Its threads run on after a dlclose, which would take away their code.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
