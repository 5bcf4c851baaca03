//! Ranks that are killed (SIGKILL) or stopped (SIGSTOP) at random moments, while work goes on whose answer is known. All but
//! the driver's may be lost; the answer must be right each time, and ranks that nobody touched must end well.
//!
//! `CHAOS_ROUNDS=n` makes more rounds, `CHAOS_SEED=n` repeats those of a seed, which each run prints: `make chaos ROUNDS=n`.
//! What happens at which moment is drawn from the seed; how far the ranks have come by then is the system's doing.

mod launcher;

use launcher::processes::signal;
use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks, own_host_command};
use launcher::{Launch, Started, example};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const RANKS: u32 = 4;
const CASES: [&str; 3] = ["uts", "cholesky", "actors"];

/// What is between the ranks: memory that they share; TCP, on one host; TCP, each rank a host of its own.
const ROADS: [&str; 3] = ["shm", "tcp", "apart"];

/// Rounds where nothing else is asked for: as many of each case, over each road at least two.
const ROUNDS: u64 = 21;

/// What a rank may stand still before it is given up, seconds.
const PEER_TIMEOUT_S: u64 = 2;

/// By when the last blow falls: within the time that the work takes, mostly.
const LAST_BLOW_MS: u64 = 700;

/// A generator of its own (xorshift64*): the test needs chance that a seed replays.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % bound
    }
}

/// What is done to a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    Kill,
    Stop,
    Go,
}

/// How a rank that was hit may end.
fn allowed(blows: &[Blow]) -> &'static [u32] {
    if blows.contains(&Blow::Kill) {
        // A rank that was given up may have ended itself before.
        if blows.contains(&Blow::Stop) { &[0, 1, 137] } else { &[0, 137] }
    } else if blows.contains(&Blow::Stop) {
        // It went on in time, or it was given up.
        &[0, 1]
    } else {
        &[0]
    }
}

/// When what happens to whom, in order; times in milliseconds from `at work`.
fn plan(chance: &mut Chance) -> Vec<(u64, u32, Blow)> {
    let mut plan = Vec::new();
    let victims = 1 + chance.below(u64::from(RANKS) - 1);
    let first = chance.below(u64::from(RANKS) - 1);
    for victim in 0..victims {
        let rank = 1 + ((first + victim) % (u64::from(RANKS) - 1)) as u32;
        let at = chance.below(LAST_BLOW_MS);
        match chance.below(4) {
            0 => {
                plan.push((at, rank, Blow::Stop));
                // Shorter than it takes to be given up.
                plan.push((at + chance.below(PEER_TIMEOUT_S * 500), rank, Blow::Go));
            }
            // It goes on when the answer is there.
            1 => plan.push((at, rank, Blow::Stop)),
            _ => plan.push((at, rank, Blow::Kill)),
        }
    }
    plan.sort();
    plan
}

fn processes(started: &mut Started) -> BTreeMap<u32, String> {
    let process = |started: &mut Started, rank: u32| {
        let line = started.wait_for(&format!("rank {rank} is process "));
        line.split_whitespace().nth(4).expect("rank R is process P").to_string()
    };
    (0..RANKS).map(|rank| (rank, process(started, rank))).collect()
}

/// The launch over a road; `None` where ranks cannot be made hosts of their own.
fn over(road: &str, launch: Launch) -> Option<Launch> {
    match road {
        "shm" => Some(launch),
        "tcp" => Some(launch.env("MOBULA_FABRIC", "tcp")),
        _ => own_host_command().map(|apart| launch.env("OWN_HOST", apart)),
    }
}

fn round(number: u64, seed: u64, case: &str, road: &str) {
    let mut chance = Chance(seed);
    let plan = plan(&mut chance);
    let folder = TestFolder::new(&format!("chaos-{number}"));
    let launch = launch_small_ranks(&example("chaos"), &all_ranks(RANKS), RANKS, &folder.meeting_file().display().to_string());
    let launch = launch.env("MOBULA_PEER_TIMEOUT_S", PEER_TIMEOUT_S.to_string()).arg(case);
    let Some(launch) = over(road, launch.env("MOBULA_STORE_BYTES", "64M")) else { return };
    let mut started = launch.start();
    let processes = processes(&mut started);
    started.wait_for("at work");
    let begun = Instant::now();
    for (at, rank, blow) in &plan {
        // The moment is what is tried here.
        std::thread::sleep(Duration::from_millis(*at).saturating_sub(begun.elapsed()));
        let name = match blow {
            Blow::Kill => "KILL",
            Blow::Stop => "STOP",
            Blow::Go => "CONT",
        };
        signal(name, &processes[rank]);
    }
    let answer = started.wait_for(&format!(": {case}: "));
    let took = begun.elapsed();
    processes.values().for_each(|process| signal("CONT", process));
    let finished = started.finish();
    let what = format!("round {number}: CHAOS_SEED={seed}: {case} over {road}: {plan:?}");
    println!("{what}: {answer} after {} ms", took.as_millis());
    assert!(answer.starts_with("right: "), "{what}:\n{}", finished.output);
    for rank in 0..RANKS {
        let blows: Vec<Blow> = plan.iter().filter(|(_, hit, _)| *hit == rank).map(|(_, _, blow)| *blow).collect();
        let prefix = format!("rank {rank} ended with ");
        let end = finished.output.lines().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok()).unwrap_or(0);
        assert!(allowed(&blows).contains(&end), "{what}: rank {rank} ended with {end}:\n{}", finished.output);
    }
    finished.did_not_print("panicked");
}

#[test]
fn work_goes_on_and_its_answers_are_right() {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
    let rounds = asked("CHAOS_ROUNDS").unwrap_or(ROUNDS);
    let first = asked("CHAOS_SEED").unwrap_or(now >> 10).max(1);
    println!("CHAOS_SEED={first} CHAOS_ROUNDS={rounds}");
    for number in 0..rounds {
        let seed = first + number;
        round(number, seed, CASES[(seed % 3) as usize], ROADS[(seed / 3 % 3) as usize]);
    }
}
