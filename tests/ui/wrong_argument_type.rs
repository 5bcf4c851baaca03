//! An argument is a value of the parameter's type or a reference to one.

#[mobula::remote]
fn add(a: f64, b: f64) -> f64 {
    a + b
}

#[mobula::remote]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    add::remote("x", 1.0);
    let text = length::remote("four");
    add::remote(1.0, &text);
    add::remote(1.0);
}
