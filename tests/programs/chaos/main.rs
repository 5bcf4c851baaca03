//! Work with a known answer, while a test kills and stops ranks: `chaos uts|cholesky|actors`.
//!
//! Prints the process of each rank, `at work`, and finally `right: ...` or `WRONG: ...`.

mod actors;
mod cholesky;
mod uts;

use std::io::Write;

/// A description of the right answer, or what is wrong.
pub type Outcome = Result<String, String>;

#[mobula::remote]
fn process() -> u32 {
    std::process::id()
}

/// Prints a line, flushed so that the test reads it immediately.
fn print_now(line: &str) {
    println!("{line}");
    let _ = std::io::stdout().flush();
}

#[mobula::main(store_bytes = 67_108_864)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let case = std::env::args().nth(1).unwrap_or_default();
    let run = match case.as_str() {
        "uts" => uts::run,
        "cholesky" => cholesky::run,
        "actors" => actors::run,
        _ => return Err("chaos uts|cholesky|actors".into()),
    };
    for rank in mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()) {
        print_now(&format!("rank {rank} is process {}", *process::on(rank).remote().get()?));
    }
    print_now("at work");
    match run() {
        Ok(answer) => {
            print_now(&format!("right: {case}: {answer}"));
            Ok(())
        }
        Err(answer) => {
            print_now(&format!("WRONG: {case}: {answer}"));
            Err(answer.into())
        }
    }
}
