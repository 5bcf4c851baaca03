//! Rust calls tasks of C, C calls functions of Rust, and both read the same objects in place.

mod calls;

fn main() -> mobula::Result<()> {
    calls::register();
    program()
}

#[mobula::main]
fn program() -> mobula::Result<()> {
    let last = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or(0);
    calls::call_c(last)?;
    calls::call_rust(last);
    calls::exchange()?;
    println!("ok: mixed");
    Ok(())
}
