//! Mixed work for a given time, during which ranks are killed: `soak MINUTES [leak-memory|leak-descriptor]`.
//!
//! After rounds of work the driver reads what every process uses. It fails if an answer is wrong, and if between
//! two deaths the memory of a process grows or the number of its descriptors or threads changes.

mod usage;
mod work;

use mobula::Error;
use std::io::Write;
use std::time::{Duration, Instant};
use usage::{Process, Usage};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The ranks that are left at the end.
const SURVIVORS: usize = 3;

/// The part of the time between two deaths that comes before the first measurement: caches and pools fill in it.
const WARM_UP: f64 = 0.5;

/// The number of measurements between two deaths; a growth of what they need would be measured too.
const SAMPLES: u32 = 200;

/// A leak of this program, with which a test sees that leaks are found.
#[mobula::remote]
fn leak(what: String) {
    match what.as_str() {
        "leak-memory" => std::mem::forget(std::hint::black_box(vec![1_u8; 1_000_000])),
        "leak-descriptor" => std::mem::forget(std::fs::File::open("/dev/null").expect("it exists everywhere")),
        _ => {}
    }
}

#[mobula::remote]
fn process() -> u32 {
    std::process::id()
}

/// Works for `time`, and returns what each process used after rounds that began after the warm-up.
fn work_for(time: Duration, round: &mut u64, processes: &[Process], leaks: &str) -> Result<Vec<Vec<Usage>>, Error> {
    let started = Instant::now();
    let ranks: Vec<u32> = processes.iter().map(|process| process.rank).collect();
    let mut samples = vec![Vec::new(); processes.len()];
    let interval = time.mul_f64(1.0 - WARM_UP) / SAMPLES;
    let mut next = time.mul_f64(WARM_UP);
    while started.elapsed() < time {
        *round += 1;
        work::round(*round, &ranks)?;
        leak::on(processes[1].rank).remote(leaks).get()?;
        if started.elapsed() < next {
            continue;
        }
        next += interval;
        for (process, samples) in processes.iter().zip(&mut samples) {
            samples.push(process.usage());
        }
    }
    Ok(samples)
}

/// Kills the process during work with a known answer.
fn kill_during_work(process: &Process) -> Result<(), Error> {
    let id = process.id.to_string();
    let killer = std::thread::spawn(move || {
        // The moment is not important, only that work is under way.
        std::thread::sleep(Duration::from_millis(50));
        std::process::Command::new("kill").args(["-KILL", &id]).status()
    });
    work::survivable_round()?;
    let killed = killer.join().expect("it does not panic").expect("kill is installed");
    assert!(killed.success(), "process {} had ended before", process.id);
    // Until then calls without retries may fail with its death.
    while mobula::nodes().iter().any(|node| node.ranks().contains(&process.rank)) {
        work::survivable_round()?;
    }
    work::survivable_round()
}

#[mobula::main(store_bytes = 67_108_864)]
fn main() -> Outcome {
    let minutes: f64 = std::env::args().nth(1).ok_or("soak MINUTES")?.parse()?;
    let leaks = std::env::args().nth(2).unwrap_or_default();
    let mut processes = Vec::new();
    for rank in mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()) {
        processes.push(Process { rank, id: *process::on(rank).remote().get()? });
    }
    if processes.len() < 2 {
        return Err("soak needs at least 2 ranks on one host".into());
    }
    let parts = processes.len().saturating_sub(SURVIVORS) + 1;
    let part = Duration::from_secs_f64(minutes * 60.0 / parts as f64);
    let mut round = 0;
    let mut failures = Vec::new();
    for number in 0..parts {
        if number > 0 {
            kill_during_work(&processes.pop().expect("more than the survivors are left"))?;
        }
        let samples = work_for(part, &mut round, &processes, &leaks)?;
        println!("part {} of {parts}, {round} rounds:", number + 1);
        for (process, samples) in processes.iter().zip(&samples) {
            println!("  {}", usage::describe(process, samples));
            failures.extend(usage::check(process, samples, part));
        }
        std::io::stdout().flush()?;
    }
    if failures.is_empty() {
        println!("flat after {round} rounds and {} deaths", parts - 1);
        return Ok(());
    }
    Err(failures.join("\n").into())
}
