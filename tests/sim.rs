//! Simulated clusters: random work, random weather, random faults, each from one seed.
//!
//! `SEEDS=n cargo test --test sim` tries more seeds, `SEED=n cargo test --test sim` one, and says what happens in it.

use mobula::sim::{Scenario, Setting, Weather, answer, judge, measure, run};
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
        let setting = if std::env::var("CALM").is_ok() { Setting { faults: Vec::new(), ..setting } } else { setting };
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

/// Stores that are always full: what was let go while others came to want it is made again, and is as right as before.
#[test]
fn results_that_make_room_for_others_are_made_again() {
    if number_of("SEED").is_some() {
        return;
    }
    let setting_of = |seed| {
        let setting = Setting::random(seed);
        // Each rank a host of its own: what is large stays where it was made.
        let weather = Weather { ranks_per_host: 1, ..setting.weather };
        Setting { faults: Vec::new(), ranks: setting.ranks.max(3), weather, crowded: true, ..setting }
    };
    let crowded: Vec<u64> = (0..2_000).filter(|seed| Setting::random(*seed).outlives_deaths()).collect();
    try_all(crowded.len() as u64, |turn| setting_of(crowded[turn as usize]));
    let again = |seed: &&u64| {
        let setting = setting_of(**seed);
        !setting.cancels() && run(&setting).0.begun > answer(&setting.work).tasks
    };
    let made_again = crowded.iter().filter(again).count();
    assert!(made_again >= 20, "only {made_again} of {} runs made anything again", crowded.len());
}

#[test]
fn a_seed_is_one_run() {
    for seed in 0..100 {
        let setting = Setting::random(seed);
        let [one, other] = [run(&setting).0, run(&setting).0];
        assert_eq!((one.events, one.trace), (other.events, other.trace), "seed {seed} went two ways");
    }
}

#[test]
fn every_shape_of_work_is_done_by_many_ranks() {
    for (name, scenario) in Scenario::ALL {
        let measured = measure(scenario, 1, 100, 30);
        println!("{measured}");
        assert_eq!(measured.wrong, [""; 0], "{name}");
    }
}

/// Most runs are of more than a task or two, and most deaths meet a run at work.
#[test]
fn faults_meet_work() {
    let settings: Vec<Setting> = (0..300).map(Setting::random).collect();
    let tasks: u64 = settings.iter().map(|setting| answer(&setting.work).tasks).sum();
    let doomed: Vec<&Setting> = settings.iter().filter(|setting| !setting.doomed().is_empty()).collect();
    let met = doomed.iter().filter(|setting| {
        let first_ns = setting.faults.iter().map(|fault| fault.at_ns).min();
        first_ns < Some(run(setting).0.answered_ns)
    });
    assert!(tasks > 300 * 20, "{tasks} tasks in 300 runs");
    assert!(doomed.len() > 100 && 2 * met.count() > doomed.len(), "of {} runs with deaths", doomed.len());
}
