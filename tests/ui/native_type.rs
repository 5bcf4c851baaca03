#[mobula::remote(c)]
fn lengths(names: Vec<String>, factor: f64) -> f64 {
    names.len() as f64 * factor
}

#[mobula::remote(c)]
fn pair(x: f64) -> (f64, f64) {
    (x, x)
}

#[mobula::remote(c, num_returns = "many")]
fn split(count: u64) -> Vec<f64> {
    vec![0.0; count as usize]
}

mobula::c_task!(fn greet(name: &str, title: Option<u8>) -> String);

mobula::c_task!(fn halved(f64) -> Result<f64, String>);

fn main() {}
