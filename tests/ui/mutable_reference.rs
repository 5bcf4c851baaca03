//! Objects never change.

#[mobula::remote]
fn sort(values: &mut Vec<u64>) {
    values.sort();
}

fn main() {}
