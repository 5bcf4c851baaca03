//! Says where its ranks run, or starts programs from a task: `namespaces`, `namespaces starts COMMAND..`,
//! `namespaces starts-after-shutdown COMMAND..`.

use mobula::Config;
use std::process::Command;

/// Prints what the command printed, of which each line says `inner`.
#[mobula::remote]
fn starts(words: Vec<String>) -> Result<(), String> {
    run(&words)
}

fn run(words: &[String]) -> Result<(), String> {
    let output = Command::new(&words[0]).args(&words[1..]).output().map_err(|error| error.to_string())?;
    for line in String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).lines() {
        println!("inner: {line}");
    }
    if output.status.success() { Ok(()) } else { Err(format!("the command ended with {}", output.status)) }
}

#[mobula::remote]
fn sum(numbers: &mobula::Array<u64>) -> u64 {
    numbers.iter().sum()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = mobula::init(Config::default())?;
    if cluster.rank() != 0 {
        return Ok(cluster.shutdown()?);
    }
    let nodes = mobula::nodes();
    let far = nodes.iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or(0);
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("starts") => starts::on(far).remote(words[1..].to_vec()).get().map(drop)?,
        Some("starts-after-shutdown") => {
            cluster.shutdown()?;
            return Ok(run(&words[1..])?);
        }
        _ => {
            let numbers = mobula::put_array(&(0..100_000).collect::<Vec<u64>>())?;
            assert_eq!(*sum::on(far).remote(&numbers).get()?, 4_999_950_000);
            let cpus = mobula::cluster_resources().get("CPU").copied().unwrap_or_default();
            println!("found: {} ranks, {} hosts, {cpus} CPUs", far + 1, nodes.len());
        }
    }
    Ok(cluster.shutdown()?)
}
