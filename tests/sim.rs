//! Simulated clusters: random work, random weather, random faults, each from one seed.
//!
//! `SEEDS=n cargo test --test sim` tries more seeds, `SEED=n cargo test --test sim` one, and says what happens in it.

use mobula::sim::{Scenario, SimSetting, NetworkModel, reference_answer, check_run, measure, run, check_with_coverage};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds that are tried where the environment does not say.
const SEEDS: u64 = 2_000;

/// How many of those must draw each thing that can occur, at least: a generator that stops drawing one is noticed.
const SEEN_MIN: u64 = 5;

/// Seeds that are named where several are wrong, at most.
const NAMED_MAX: usize = 8;

fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// How many of the seeds tried saw each thing occur, and the first that did.
type Seen = BTreeMap<&'static str, (u64, u64)>;

/// Tries so many settings on all cores: none is wrong. What occurred in them.
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
                    let (seed, (lines, feats)) = (setting.seed, check_with_coverage(&setting));
                    if !lines.is_empty() {
                        wrong.lock().unwrap().push((seed, lines));
                    }
                    let mut seen = seen.lock().unwrap();
                    for (feat, count) in feats {
                        let (times, first) = seen.entry(feat).or_insert((0, u64::MAX));
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
    let named: Vec<String> = wrong.iter().take(NAMED_MAX).map(|(seed, lines)| told(*seed, lines)).collect();
    assert!(wrong.is_empty(), "{} of {seeds} seeds are wrong:\n{}", wrong.len(), named.join("\n"));
    seen.into_inner().unwrap()
}

/// Runs a setting and prints what happens.
fn aloud(setting: SimSetting) {
    let setting = SimSetting { verbose: true, ..setting };
    println!("{setting:#?}");
    let lines = check_run(&setting);
    assert!(lines.is_empty(), "{}", told(setting.seed, &lines));
}

fn told(seed: u64, lines: &[String]) -> String {
    format!("seed {seed} (SEED={seed} cargo test --test sim):\n    {}", lines.join("\n    "))
}

#[test]
fn random_work_under_random_faults_answers_as_the_sequential_run() {
    if let Some(seed) = number_of("SEED") {
        return aloud(SimSetting::random(seed));
    }
    let seeds = number_of("SEEDS").unwrap_or(SEEDS);
    for (feat, (times, first)) in try_all(seeds, SimSetting::random) {
        println!("{feat}: in {times} of {seeds} seeds, the first {first}");
        assert!(seeds < SEEDS || times >= SEEN_MIN, "{feat}: only {times} of {seeds} seeds draw it");
    }
}

/// Seeds in which something was wrong once, and what; `SimSetting::random` may draw something else from them by now.
const ONCE_WRONG: [(u64, &str); 11] = [
    (6, "the saved state of an actor that was ended kept its own handle"),
    (10, "an actor at home on its owner's rank sent commits there, which counted what they brought for ever"),
    (11, "a name led to an actor whose owner died before it was built"),
    (52, "an actor's home died while its name was asked for, and the name stayed"),
    (246, "a call that never began stayed with its actor, which it held"),
    (1542, "who kept a name died before the actor's owner knew that it has one"),
    (1987, "a rank was told that a task is unwanted after it had sent it back, and never forgot it"),
    (1992, "who asked for an actor that had a name and was not built heard that it is gone"),
    (6679, "a value could not be read from a rank that was not known to be gone, and was not made again"),
    (10003, "a name led to an actor whose owner died before it could say that its home had died"),
    (11554, "messages that came while a rank stood still were handled after one that came as it went on"),
];

#[test]
fn what_was_wrong_once_is_right() {
    for (seed, what) in ONCE_WRONG {
        let lines = check_run(&SimSetting::random(seed));
        assert!(lines.is_empty(), "{what}: {}", told(seed, &lines));
    }
}

#[test]
fn random_work_without_faults_answers_as_the_sequential_run() {
    if number_of("SEED").is_some() {
        return;
    }
    try_all(300, |seed| SimSetting { faults: Vec::new(), ..SimSetting::random(seed) });
}

/// Stores that are always full: what was let go while others came to want it is made again, and is as right as before.
#[test]
fn results_that_make_room_for_others_are_made_again() {
    let setting_of = |seed| {
        let setting = SimSetting::random(seed);
        // Each rank a host of its own: what is large stays where it was made.
        let network = NetworkModel { ranks_per_host: 1, ..setting.network };
        SimSetting { faults: Vec::new(), ranks: setting.ranks.max(3), network, store_pressure: true, ..setting }
    };
    if let Some(seed) = number_of("SEED") {
        return aloud(setting_of(seed));
    }
    let seeds: Vec<u64> = (0..2_000).filter(|seed| SimSetting::random(*seed).survives_deaths()).collect();
    try_all(seeds.len() as u64, |turn| setting_of(seeds[turn as usize]));
    let again = |seed: &&u64| {
        let setting = setting_of(**seed);
        !setting.cancels() && run(&setting).0.begun > reference_answer(&setting.work).tasks
    };
    let made_again = seeds.iter().filter(again).count();
    assert!(made_again >= 20, "only {made_again} of {} runs made anything again", seeds.len());
}

#[test]
fn a_seed_is_one_run() {
    for seed in 0..100 {
        let setting = SimSetting::random(seed);
        let [one, other] = [run(&setting).0, run(&setting).0];
        assert_eq!((one.events, one.trace), (other.events, other.trace), "seed {seed} went two ways");
    }
}

#[test]
fn every_shape_of_work_is_done_by_many_ranks() {
    for (name, scenario) in Scenario::ALL {
        let measured = measure(scenario, 1, 100, 30);
        println!("{measured}");
        assert_eq!(measured.errors, [""; 0], "{name}");
    }
}

/// Most runs are of more than a task or two, and most deaths meet a run at work.
#[test]
fn faults_meet_work() {
    let settings: Vec<SimSetting> = (0..300).map(SimSetting::random).collect();
    let tasks: u64 = settings.iter().map(|setting| reference_answer(&setting.work).tasks).sum();
    let doomed: Vec<&SimSetting> = settings.iter().filter(|setting| !setting.failing_ranks().is_empty()).collect();
    let met = doomed.iter().filter(|setting| {
        let first_ns = setting.faults.iter().map(|fault| fault.at_ns).min();
        first_ns < Some(run(setting).0.answered_ns)
    });
    assert!(tasks > 300 * 20, "{tasks} tasks in 300 runs");
    assert!(doomed.len() > 100 && 2 * met.count() > doomed.len(), "of {} runs with deaths", doomed.len());
}
