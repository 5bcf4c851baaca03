//! Simulated clusters: random work, random weather, random faults, each from one seed.
//!
//! `SEEDS=n cargo test --test sim` tries more seeds, `SEED=n cargo test --test sim` one, and says what happens in it.

use mobula::sim::{Setting, judge};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds that are tried where the environment does not say.
const SEEDS: u64 = 2_000;

/// Seeds that are named where several are wrong, at most.
const NAMED_MAX: usize = 8;

fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Tries settings on all cores; what was wrong, by seed.
fn try_all(seeds: u64, setting_of: impl Fn(u64) -> Setting + Sync) {
    let (next, wrong) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let lines = judge(&setting_of(seed));
                    if !lines.is_empty() {
                        wrong.lock().unwrap().push((seed, lines));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    let named: Vec<String> = wrong.iter().take(NAMED_MAX).map(|(seed, lines)| told(*seed, lines)).collect();
    assert!(wrong.is_empty(), "{} of {seeds} seeds are wrong:\n{}", wrong.len(), named.join("\n"));
}

fn told(seed: u64, lines: &[String]) -> String {
    format!("seed {seed} (SEED={seed} cargo test --test sim):\n    {}", lines.join("\n    "))
}

#[test]
fn random_work_under_random_faults_answers_as_the_sequential_run() {
    if let Some(seed) = number_of("SEED") {
        let setting = Setting { aloud: true, ..Setting::random(seed) };
        println!("{setting:#?}");
        let lines = judge(&setting);
        assert!(lines.is_empty(), "{}", told(seed, &lines));
        return;
    }
    try_all(number_of("SEEDS").unwrap_or(SEEDS), Setting::random);
}

#[test]
fn random_work_without_faults_answers_as_the_sequential_run() {
    if number_of("SEED").is_some() {
        return;
    }
    try_all(300, |seed| Setting { faults: Vec::new(), ..Setting::random(seed) });
}

#[test]
#[ignore]
fn zz_stats() {
    let mut tasks = Vec::new();
    let (mut dead_before, mut doomed, mut events, mut span) = (0, 0, 0u64, Vec::new());
    for seed in 0..1000 {
        let setting = Setting::random(seed);
        let right = mobula::sim::answer(&setting.work);
        tasks.push(right.tasks);
        let outcome = mobula::sim::run(&setting);
        events += outcome.events;
        span.push(outcome.answered_ns);
        if !setting.doomed().is_empty() {
            doomed += 1;
            let first = setting
                .faults
                .iter()
                .filter(|f| !matches!(f.kind, mobula::sim::FaultKind::Parting { .. }))
                .map(|f| f.at_ns)
                .min()
                .unwrap();
            dead_before += u32::from(first < outcome.answered_ns);
        }
    }
    tasks.sort();
    span.sort();
    println!(
        "tasks {:?} span {:?} events {events} doomed {doomed} before {dead_before}",
        [100, 300, 500, 700, 900, 990].map(|i| tasks[i]),
        [100, 300, 500, 700, 900, 990].map(|i| span[i])
    );
}
