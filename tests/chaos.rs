//! Ranks that are killed (SIGKILL) or stopped (SIGSTOP) at random moments, during work with a known answer. All ranks
//! but the driver may be lost; the answer must be right each time, and the other ranks must end with exit code 0.
//!
//! `make chaos ROUNDS=n`, or `CHAOS_ROUNDS=n`, sets the number of rounds; `CHAOS_SEED=n` repeats the rounds of a seed,
//! which each run prints. The faults and their times follow from the seed; how far the ranks have come by then depends
//! on the system.

mod launcher;

use fastrand::Rng;
use launcher::processes::signal;
use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks, own_host_command};
use launcher::{Launch, Started, example};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const RANKS: u32 = 4;
const CASES: [&str; 3] = ["uts", "cholesky", "actors"];

/// Between the ranks: shared memory; TCP on one host; TCP with each rank as a host of its own.
const TRANSPORTS: [&str; 3] = ["shm", "tcp", "own-hosts"];

/// The default number of rounds: equally many of each case, at least two over each transport.
const ROUNDS: u64 = 21;

/// The time that a rank may be stopped before it is declared dead, seconds.
const PEER_TIMEOUT_S: u64 = 2;

/// The latest time of a fault: mostly within the duration of the work.
const LAST_FAULT_MS: u64 = 700;

/// A fault of a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    Stop,
    Continue,
}

/// The exit codes that a rank with these faults may have.
fn allowed(faults: &[Fault]) -> &'static [u32] {
    if faults.contains(&Fault::Kill) {
        // A rank that was declared dead may have ended itself before.
        if faults.contains(&Fault::Stop) { &[0, 1, 137] } else { &[0, 137] }
    } else if faults.contains(&Fault::Stop) {
        // It continued in time, or it was declared dead.
        &[0, 1]
    } else {
        &[0]
    }
}

/// The faults in order, with their times in milliseconds from `at work`, and their ranks.
fn plan(rng: &mut Rng) -> Vec<(u64, u32, Fault)> {
    let mut plan = Vec::new();
    let victims = 1 + rng.u64(..u64::from(RANKS) - 1);
    let first = rng.u64(..u64::from(RANKS) - 1);
    for victim in 0..victims {
        let rank = 1 + ((first + victim) % (u64::from(RANKS) - 1)) as u32;
        let at = rng.u64(..LAST_FAULT_MS);
        match rng.u64(..4) {
            0 => {
                plan.push((at, rank, Fault::Stop));
                // Shorter than the peer time-out.
                plan.push((at + rng.u64(..PEER_TIMEOUT_S * 500), rank, Fault::Continue));
            }
            // It continues after the answer was printed.
            1 => plan.push((at, rank, Fault::Stop)),
            _ => plan.push((at, rank, Fault::Kill)),
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

/// The launch over a transport; `None` if ranks cannot be hosts of their own here.
fn launch_over(transport: &str, launch: Launch) -> Option<Launch> {
    match transport {
        "shm" => Some(launch),
        "tcp" => Some(launch.env("MOBULA_FABRIC", "tcp")),
        _ => own_host_command().map(|command| launch.env("OWN_HOST", command)),
    }
}

/// What a task or an actor that may have ended a rank fails with, where only rank 0 is left: a rank that ran nothing
/// else when it was killed may have run out of memory by it.
const NO_RANK_LEFT: &str = "only ranks are left that it must not end";

/// True if the faults end every rank but rank 0.
fn leaves_only_rank_0(plan: &[(u64, u32, Fault)]) -> bool {
    let last = |rank| plan.iter().rev().find(|(_, faulty, _)| *faulty == rank).map(|(_, _, fault)| *fault);
    (1..RANKS).all(|rank| matches!(last(rank), Some(Fault::Kill | Fault::Stop)))
}

fn run_round(number: u64, seed: u64, case: &str, transport: &str) {
    let plan = plan(&mut Rng::with_seed(seed));
    let folder = TestFolder::new(&format!("chaos-{number}"));
    let launch =
        launch_small_ranks(&example("chaos"), &all_ranks(RANKS), RANKS, &folder.meeting_file().display().to_string());
    // Remote calls take either path.
    let launch = launch.env("MOBULA_SHORT_CALLS", (seed % 2).to_string());
    let launch = launch.env("MOBULA_PEER_TIMEOUT_S", PEER_TIMEOUT_S.to_string()).arg(case);
    let Some(launch) = launch_over(transport, launch.env("MOBULA_STORE_BYTES", "64M")) else { return };
    let mut started = launch.start();
    let processes = processes(&mut started);
    started.wait_for("at work");
    let started_work = Instant::now();
    for (at, rank, fault) in &plan {
        // The time of the fault is a parameter of the test.
        std::thread::sleep(Duration::from_millis(*at).saturating_sub(started_work.elapsed()));
        let name = match fault {
            Fault::Kill => "KILL",
            Fault::Stop => "STOP",
            Fault::Continue => "CONT",
        };
        signal(name, &processes[rank]);
    }
    let answer = started.wait_for(&format!(": {case}: "));
    let took = started_work.elapsed();
    processes.values().for_each(|process| signal("CONT", process));
    let finished = started.finish();
    let what = format!("round {number}: CHAOS_SEED={seed}: {case} over {transport}: {plan:?}");
    println!("{what}: {answer} after {} ms", took.as_millis());
    if leaves_only_rank_0(&plan) && answer.contains(NO_RANK_LEFT) {
        finished.did_not_print("panicked");
        return;
    }
    assert!(answer.starts_with("right: "), "{what}:\n{}", finished.output);
    for rank in 0..RANKS {
        let faults: Vec<Fault> =
            plan.iter().filter(|(_, faulty, _)| *faulty == rank).map(|(_, _, fault)| *fault).collect();
        let prefix = format!("rank {rank} ended with ");
        let end = finished.output.lines().find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok()).unwrap_or(0);
        assert!(allowed(&faults).contains(&end), "{what}: rank {rank} ended with {end}:\n{}", finished.output);
    }
    finished.did_not_print("panicked");
}

#[test]
fn random_faults_leave_right_answers() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
    let rounds = variable("CHAOS_ROUNDS").unwrap_or(ROUNDS);
    let first = variable("CHAOS_SEED").unwrap_or(now >> 10).max(1);
    println!("CHAOS_SEED={first} CHAOS_ROUNDS={rounds}");
    for number in 0..rounds {
        let seed = first + number;
        run_round(number, seed, CASES[(seed % 3) as usize], TRANSPORTS[(seed / 3 % 3) as usize]);
    }
}
