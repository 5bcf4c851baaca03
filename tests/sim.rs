//! Simulated clusters: random work, a random network and random faults, all from one seed.
//!
//! `SEEDS=n cargo test --test sim` tries `n` seeds, `SEED=n cargo test --test sim` runs one seed and prints its events.

use mobula::sim::{NetworkModel, Scenario, SimSetting, check_run, check_with_coverage, measure, reference_answer, run};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The default number of seeds.
const SEEDS: u64 = 2_000;

/// At least this many of them must cover each feature, so that a generator that stops drawing one is noticed.
const SEEN_MIN: u64 = 5;

/// The most wrong seeds that are named.
const NAMED_MAX: usize = 8;

fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// For each feature, how many seeds covered it, and the first that did.
type Seen = BTreeMap<&'static str, (u64, u64)>;

/// Runs `seeds` settings on all cores and asserts that none is wrong. Returns what they covered.
fn try_all(seeds: u64, setting_of: impl Fn(u64) -> SimSetting + Sync) -> Seen {
    let (next, wrong, seen) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(Seen::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= seeds {
                        break;
                    }
                    let setting = setting_of(turn);
                    let (seed, (lines, covered)) = (setting.seed, check_with_coverage(&setting));
                    if !lines.is_empty() {
                        wrong.lock().unwrap().push((seed, lines));
                    }
                    let mut seen = seen.lock().unwrap();
                    for (feature, count) in covered {
                        let (times, first) = seen.entry(feature).or_insert((0, u64::MAX));
                        if count > 0 {
                            (*times, *first) = (*times + 1, seed.min(*first));
                        }
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    let named: Vec<String> = wrong.iter().take(NAMED_MAX).map(|(seed, lines)| described(*seed, lines)).collect();
    assert!(wrong.is_empty(), "{} of {seeds} seeds are wrong:\n{}", wrong.len(), named.join("\n"));
    seen.into_inner().unwrap()
}

/// Runs a setting and prints its events.
fn run_verbose(setting: SimSetting) {
    let setting = SimSetting { verbose: true, ..setting };
    println!("{setting:#?}");
    let lines = check_run(&setting);
    assert!(lines.is_empty(), "{}", described(setting.seed, &lines));
}

fn described(seed: u64, lines: &[String]) -> String {
    format!("seed {seed} (SEED={seed} cargo test --test sim):\n    {}", lines.join("\n    "))
}

#[test]
fn random_work_under_random_faults_has_the_sequential_answer() {
    if let Some(seed) = number_of("SEED") {
        return run_verbose(SimSetting::random(seed));
    }
    let seeds = number_of("SEEDS").unwrap_or(SEEDS);
    for (feature, (times, first)) in try_all(seeds, SimSetting::random) {
        println!("{feature}: in {times} of {seeds} seeds, the first {first}");
        assert!(seeds < SEEDS || times >= SEEN_MIN, "{feature}: only {times} of {seeds} seeds cover it");
    }
}

/// Seeds that once revealed a fault, and the fault; `SimSetting::random` may draw other runs from them now.
const FIXED: [(u64, &str); 11] = [
    (6, "the saved state of an ended actor kept the actor's own handle"),
    (10, "an actor on its owner's rank sent commits there, whose references were counted without end"),
    (11, "a name led to an actor whose owner died before its constructor ran"),
    (52, "an actor's rank died during a lookup of its name, and the name stayed"),
    (246, "a call that never started stayed with its actor and kept it alive"),
    (1542, "a name's directory rank died before the actor's owner knew of the name"),
    (1987, "a rank received the cancellation of a task that it had sent back, and never forgot it"),
    (1992, "a lookup of a named actor that was not constructed yet returned that it is dead"),
    (6679, "a value could not be read from a rank that was not known to be dead, and was not recomputed"),
    (10003, "a name led to an actor whose owner died before it could report the death of the actor's rank"),
    (11554, "messages that arrived while a rank was stopped were handled after one that arrived when it continued"),
];

#[test]
fn seeds_of_fixed_faults_are_right() {
    for (seed, what) in FIXED {
        let lines = check_run(&SimSetting::random(seed));
        assert!(lines.is_empty(), "{what}: {}", described(seed, &lines));
    }
}

#[test]
fn random_work_without_faults_has_the_sequential_answer() {
    if number_of("SEED").is_some() {
        return;
    }
    try_all(300, |seed| SimSetting { faults: Vec::new(), ..SimSetting::random(seed) });
}

/// Stores that are always full: results that were released although others requested them are recomputed, with the same
/// values.
#[test]
fn results_released_under_store_pressure_are_recomputed() {
    let setting_of = |seed| {
        let setting = SimSetting::random(seed);
        // Each rank is a host of its own, so that large results stay on their producer's rank.
        let network = NetworkModel { ranks_per_host: 1, ..setting.network };
        SimSetting { faults: Vec::new(), ranks: setting.ranks.max(3), network, store_pressure: true, ..setting }
    };
    if let Some(seed) = number_of("SEED") {
        return run_verbose(setting_of(seed));
    }
    let seeds: Vec<u64> = (0..2_000).filter(|seed| SimSetting::random(*seed).survives_deaths()).collect();
    try_all(seeds.len() as u64, |turn| setting_of(seeds[turn as usize]));
    let ran_again = |seed: &&u64| {
        let setting = setting_of(**seed);
        !setting.cancels() && run(&setting).0.begun > reference_answer(&setting.work).tasks
    };
    let recomputed = seeds.iter().filter(ran_again).count();
    assert!(recomputed >= 20, "only {recomputed} of {} runs recomputed anything", seeds.len());
}

#[test]
fn seed_replays_the_same_run() {
    for seed in 0..100 {
        let setting = SimSetting::random(seed);
        let [one, other] = [run(&setting).0, run(&setting).0];
        assert_eq!((one.events, one.trace), (other.events, other.trace), "two runs of seed {seed} differ");
    }
}

#[test]
fn every_scenario_succeeds_on_many_ranks() {
    for (name, scenario) in Scenario::ALL {
        let measured = measure(scenario, 1, 100, 30);
        println!("{measured}");
        assert_eq!(measured.errors, [""; 0], "{name}");
    }
}

/// Most runs have more than a task or two, and most deaths occur before the run ends.
#[test]
fn most_deaths_occur_during_work() {
    let settings: Vec<SimSetting> = (0..300).map(SimSetting::random).collect();
    let tasks: u64 = settings.iter().map(|setting| reference_answer(&setting.work).tasks).sum();
    let with_deaths: Vec<&SimSetting> = settings.iter().filter(|setting| !setting.failing_ranks().is_empty()).collect();
    let during_work = with_deaths.iter().filter(|setting| {
        let first_ns = setting.faults.iter().map(|fault| fault.at_ns).min();
        first_ns < Some(run(setting).0.answered_ns)
    });
    assert!(tasks > 300 * 20, "{tasks} tasks in 300 runs");
    assert!(
        with_deaths.len() > 100 && 2 * during_work.count() > with_deaths.len(),
        "of {} runs with deaths",
        with_deaths.len()
    );
}
