//! Simulated clusters: shapes of work over thousands of ranks, measured; and random runs, checked.

use crate::case::{Case, Run, case};
use crate::failure::{Result, check};
use crate::suite::Bench;
use clap::Args;
use mobula::sim::{Measurement, Scenario, SimSetting, check_run, measure};
use std::process::ExitCode;
use std::time::Instant;

/// What to simulate.
#[derive(Args)]
pub struct Options {
    /// How many ranks, of one worker each, sixteen on a host
    #[arg(long, default_value_t = 10_000)]
    ranks: u32,
    /// Tasks for each rank
    #[arg(long, default_value_t = 100)]
    tasks: u32,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Instead: so many random runs under random faults, each checked against the sequential run
    #[arg(long)]
    seeds: Option<u64>,
    /// Only this shape of work
    #[arg(long, value_parser = shape)]
    scenario: Option<Scenario>,
}

/// Ranks of a cluster that is a case, and tasks for each.
const CASE_RANKS: u32 = 1_000;
const CASE_TASKS: u32 = 20;

/// Every case: how much longer a shape of work takes than at best, in simulated time, and how fast it is simulated.
pub fn cases() -> Vec<Case> {
    let shapes = Scenario::ALL.iter().map(|(name, scenario)| {
        case(format!("{name}, {CASE_RANKS} ranks, best over makespan"), "x", move |run| {
            let measured = simulated(run, *scenario)?;
            Ok(measured.ideal_ns as f64 / measured.makespan_ns as f64)
        })
        .repeat_at_most(1)
    });
    let speed = case("events of the simulation", "M/s", |run| {
        let began = Instant::now();
        Ok(simulated(run, Scenario::Uniform)?.events as f64 / began.elapsed().as_secs_f64() / 1e6)
    });
    shapes.chain([speed.repeat_at_most(3)]).collect()
}

/// Measures all of it.
///
/// # Errors
/// If a result cannot be written.
pub fn measure_cases(bench: &mut Bench) -> Result<()> {
    bench.measure(&cases())
}

fn simulated(run: &Run, scenario: Scenario) -> Result<Measurement> {
    let measured = measure(scenario, run.seed + 1, run.rounds(CASE_RANKS), CASE_TASKS);
    check(measured.errors.is_empty(), || measured.errors.join("; "))?;
    Ok(measured)
}

fn shape(name: &str) -> Result<Scenario, String> {
    let known = Scenario::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = Scenario::ALL.iter().find(|(own, _)| *own == name);
    found.map(|(_, scenario)| *scenario).ok_or_else(|| format!("the shapes are {known}"))
}

/// Simulates.
pub fn run(options: &Options) -> ExitCode {
    let wrong = match options.seeds {
        Some(seeds) => run_seeds(options.seed, seeds),
        None => measured(options),
    };
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Random runs; returns how many were wrong.
fn run_seeds(first: u64, seeds: u64) -> u64 {
    let began = Instant::now();
    let mut wrong = 0;
    for seed in first..first + seeds {
        let setting = SimSetting { verbose: seeds == 1, ..SimSetting::random(seed) };
        if seeds == 1 {
            println!("{setting:#?}");
        }
        let lines = check_run(&setting);
        if !lines.is_empty() {
            wrong += 1;
            println!("seed {seed} (mobula-bench sim --seeds 1 --seed {seed}):\n    {}", lines.join("\n    "));
        }
    }
    println!("{seeds} seeds from {first}, {wrong} wrong, in {:.1} s", began.elapsed().as_secs_f64());
    wrong
}

/// Shapes of work; returns how many runs were wrong.
fn measured(options: &Options) -> u64 {
    let mut wrong = 0;
    for (_, scenario) in Scenario::ALL {
        if options.scenario.is_some_and(|only| only != scenario) {
            continue;
        }
        let began = Instant::now();
        let measured = measure(scenario, options.seed, options.ranks, options.tasks);
        println!("{measured}; simulated in {:.1} s, {} MiB at most so far", began.elapsed().as_secs_f64(), peak_mib());
        for line in &measured.errors {
            println!("    WRONG: {line}");
        }
        wrong += u64::from(!measured.errors.is_empty());
    }
    wrong
}

/// The most memory that this process had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib >> 10)
}
