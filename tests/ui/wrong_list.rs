//! A list is given as it is, as a reference to it, or as references to its elements.

use mobula::ObjectRef;

#[mobula::remote]
fn total(parts: Vec<f64>) -> f64 {
    parts.iter().sum()
}

#[mobula::remote(num_returns = "many")]
fn split(whole: f64) -> Vec<f64> {
    vec![whole]
}

fn main() {
    let parts: Vec<ObjectRef<f64>> = split::options().num_returns(3).remote(1.0);
    total::remote(parts);
    total::remote(vec!["x"]);
}
