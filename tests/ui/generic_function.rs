//! A remote function is one function, known by its path on every rank.

#[mobula::remote]
fn largest<T: Ord>(values: Vec<T>) -> T {
    values.into_iter().max().unwrap()
}

fn main() {}
