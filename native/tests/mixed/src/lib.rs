//! Functions of Rust that C calls by their paths. The program beside them calls tasks of C as well; as a static library
//! they are part of programs of other languages.

pub mod solver;

use mobula::Array;
// Its functions are what those programs call.
use mobula_capi as _;

/// C calls it by its path, and Rust as any other.
#[mobula::remote(c)]
pub fn norm(x: Array<f64>, p: f64) -> f64 {
    x.iter().map(|element| element.abs().powf(p)).sum::<f64>().powf(1.0 / p)
}

/// The array that it got.
#[mobula::remote(c)]
pub fn same(x: Array<f64>) -> Array<f64> {
    x
}

/// The ends of an array, and a text: two results.
#[mobula::remote(c, num_returns = 2)]
pub fn described(x: &[f64]) -> (Vec<f64>, String) {
    (vec![x[0], x[x.len() - 1]], format!("{} elements", x.len()))
}

/// Fails.
#[mobula::remote(c)]
pub fn panics() {
    panic!("a panic of Rust");
}

/// There is another of that name: for C neither has the name alone.
#[mobula::remote(c)]
pub fn twice(x: f64) -> f64 {
    2.0 * x
}
