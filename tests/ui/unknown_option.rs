//! A misspelt option is named, with those that there are.

#[mobula::remote(cpus = 4)]
fn train() {}

#[mobula::main(smpd)]
fn main() {}
