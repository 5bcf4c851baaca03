//! A module of the user's, whose name is part of a function's path.

/// The square root.
#[mobula::remote(c, num_cpus = 0.5)]
pub fn root(x: f64) -> Result<f64, String> {
    if x < 0.0 { Err(format!("{x} has no root")) } else { Ok(x.sqrt()) }
}

/// The CPUs of its task, a quarter unless its caller says more.
#[mobula::remote(c, num_cpus = 0.25)]
pub fn cpus() -> f64 {
    mobula::context().cpus()
}

/// As the one above this module.
#[mobula::remote(c)]
pub fn twice(x: f64) -> f64 {
    2.0 * x
}
