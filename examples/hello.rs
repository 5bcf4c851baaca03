//! The smallest program: a function called here, a task run anywhere, and a reference that connects them.
//!
//! ```text
//! cargo run --release --example hello
//! mpirun -n 4 target/release/examples/hello
//! ```

use mobula::prelude::*;

#[mobula::remote]
fn add(a: f64, b: f64) -> f64 {
    a + b
}

#[mobula::remote]
fn greet(name: &str) -> String {
    let context = mobula::context();
    format!("hello {name}, from rank {}", context.rank())
}

#[mobula::main]
fn main() -> mobula::Result<()> {
    // Still an ordinary function.
    assert_eq!(add(1.0, 2.0), 3.0);

    // As a task it returns a reference at once, and a reference can be passed like a value.
    let three: ObjectRef<f64> = add::remote(1.0, 2.0);
    let thirteen = add::remote(&three, 10.0);

    // One greeting from every rank.
    for node in mobula::nodes() {
        for rank in node.ranks() {
            println!("{}", *greet::on(*rank).remote("world").get()?);
        }
    }
    println!("ok: {}", *thirteen.get()?);
    Ok(())
}
