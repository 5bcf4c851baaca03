//! As many references come back as the tuple has parts.

#[mobula::remote(num_returns = 3)]
fn two() -> (i32, String) {
    (1, String::new())
}

#[mobula::remote(num_returns = 2)]
fn one() -> f64 {
    1.0
}

fn main() {}
