//! Work whose answer is known, while a test kills and stops ranks: `chaos uts|cholesky|actors`.
//!
//! Says where each rank is, `at work`, and at last `right: ...` or `WRONG: ...`.

mod actors;
mod cholesky;
mod uts;

use std::io::Write;

/// What went wrong, or what was right.
pub type Outcome = Result<String, String>;

#[mobula::remote]
fn process() -> u32 {
    std::process::id()
}

/// A line that the test sees at once.
fn say(line: &str) {
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
        say(&format!("rank {rank} is process {}", *process::on(rank).remote().get()?));
    }
    say("at work");
    match run() {
        Ok(answer) => {
            say(&format!("right: {case}: {answer}"));
            Ok(())
        }
        Err(answer) => {
            say(&format!("WRONG: {case}: {answer}"));
            Err(answer.into())
        }
    }
}
