//! What travels between ranks has a type that both know.

#[mobula::remote]
fn total(values: impl Iterator<Item = u64>) -> u64 {
    values.sum()
}

#[mobula::remote]
fn squares(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(|number| number * number)
}

fn main() {}
