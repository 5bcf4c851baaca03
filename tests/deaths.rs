//! Ranks that are killed (SIGKILL) or stand still, at every point of a cluster's life, over shared memory and over TCP. What is
//! lost is an error that names it, everything else goes on, and nobody waits for the dead.
//!
//! `tests/programs/mortal` holds the cases; to see one: `cargo test --no-run`, then in four shells, one for each rank,
//! `MOBULA_RENDEZVOUS=localhost:5000 MOBULA_SIZE=4 MOBULA_RANK=0 target/debug/examples/mortal CASE`.

mod launcher;

use launcher::processes::{descendants, is_alive, signal};
use launcher::rendezvous::{TestFolder, all_ranks, launch_small_ranks, own_host_command};
use launcher::{Finished, Launch, Started, example, no_ranks, uses_mpich};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// Ranks of each cluster.
const RANKS: u32 = 4;

/// How the shell shows the end of a process that was killed, and of one that ended itself in the midst.
const KILLED: u32 = 128 + 9;
const ABORTED: u32 = 128 + 6;

fn ranks(program: &str, folder: &TestFolder, road: &str) -> Launch {
    let launch = launch_small_ranks(&example(program), &all_ranks(RANKS), RANKS, &folder.meeting_file().display().to_string());
    if road == "tcp" { launch.env("MOBULA_FABRIC", "tcp") } else { launch }
}

/// These ranks ended so, and all others well.
#[track_caller]
fn ended(finished: Finished, ends: &[(u32, u32)]) -> Finished {
    assert_eq!(
        finished.count(" ended with "),
        ends.len(),
        "only {ends:?} end otherwise than well:\n{}",
        finished.output
    );
    let said =
        |finished: Finished, (rank, end): &(u32, u32)| finished.printed(&[&format!("rank {rank} ended with {end}")]);
    ends.iter().fold(finished, said)
}

/// Runs a case of `mortal`.
#[track_caller]
fn case(name: &str, road: &str, ends: &[(u32, u32)]) -> Finished {
    let folder = TestFolder::new(&format!("{name}-{road}"));
    let finished = ranks("mortal", &folder, road).arg(name).run();
    ended(finished, ends).did_not_print("panicked")
}

#[track_caller]
fn passed(name: &str, road: &str, killed: &[u32]) {
    let ends: Vec<(u32, u32)> = killed.iter().map(|rank| (*rank, KILLED)).collect();
    case(name, road, &ends).printed(&[&format!("passed {name}")]);
}

/// The process of a rank of `survivor`.
fn process_of(started: &mut Started, rank: u32) -> String {
    let line = started.wait_for(&format!("rank {rank} is process "));
    line.split_whitespace().nth(4).expect("rank R is process P").to_string()
}

#[track_caller]
fn survived(road: &str, lost: &[u32]) {
    let folder = TestFolder::new(&format!("survivor-{}-{road}", lost.len()));
    let mut started = ranks("survivor", &folder, road).arg("8").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    for (position, rank) in lost.iter().enumerate() {
        started.wait_for(&format!("round {}", 2 * position + 1));
        signal("KILL", &processes[*rank as usize]);
    }
    let ends: Vec<(u32, u32)> = lost.iter().map(|rank| (*rank, KILLED)).collect();
    let finished = ended(started.finish(), &ends).printed(&["round 7 was worked out by ranks"]);
    let lost = BTreeSet::from_iter(lost);
    let lost: Vec<_> = lost.into_iter().collect();
    finished.printed(&[&format!("survived: right answers, lost ranks {lost:?}")]).did_not_print("panicked");
}

/// Files that processes share memory through, by the names that we or MPI give them.
fn shared_files() -> BTreeSet<String> {
    let entries = fs::read_dir("/dev/shm").expect("Linux").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().to_lowercase());
    names.filter(|name| name.contains("mobula")).collect()
}

/// A rank that stood still for too long, and was given up, ends itself with an error when it goes on.
fn stood_still(road: &str) {
    let folder = TestFolder::new(&format!("given-up-{road}"));
    let finished = ranks("mortal", &folder, road).env("MOBULA_PEER_TIMEOUT_S", "2").arg("given-up").run();
    let finished = ended(finished, &[(2, 1)]).printed(&["passed given-up"]).did_not_print("panicked");
    finished.printed(&["rank 2 on host", "is stopped"]).printed(&["rank 2 on host", "declared it dead"]);
}

/// One that stands still at the end is not waited for.
fn stood_still_at_the_end(road: &str) {
    let folder = TestFolder::new(&format!("still-at-the-end-{road}"));
    still_at_the_end(ranks("mortal", &folder, road).env("MOBULA_PEER_TIMEOUT_S", "2"));
}

#[track_caller]
fn still_at_the_end(launch: Launch) {
    let mut started = launch.arg("still-while-others-leave").start();
    let line = started.wait_for("stops process ");
    started.wait_for("passed still-while-others-leave");
    signal("CONT", line.split_whitespace().nth(2).expect("stops process P"));
    ended(started.finish(), &[(1, 1)]).did_not_print("panicked");
}

/// A job that is stopped as a whole, for longer than a rank may stand still, goes on as a whole.
fn stopped_as_a_whole(launch: Launch) {
    let mut started = launch.env("MOBULA_PEER_TIMEOUT_S", "2").arg("12").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    started.wait_for("round 3");
    // Together, as a batch system does it.
    signal("STOP", &processes.join(" "));
    std::thread::sleep(Duration::from_secs(5)); // how long it is stopped
    signal("CONT", &processes.join(" "));
    ended(started.finish(), &[]).printed(&["survived: right answers, lost ranks []"]).did_not_print("panicked");
}

/// Where rank 0 stands still, the others end; when it goes on, it does not go on alone.
fn driver_stopped(road: &str) {
    let folder = TestFolder::new(&format!("driver-stopped-{road}"));
    let launch = ranks("forever", &folder, road).env("MOBULA_STORE_BYTES", "64M").env("MOBULA_PEER_TIMEOUT_S", "2");
    ends_with_its_driver(launch, "forever", "at work");
}

#[track_caller]
fn ends_with_its_driver(launch: Launch, program: &str, ready: &str) {
    let mut started = launch.start();
    started.wait_for(ready);
    let family = descendants(started.pid());
    let driver = driver_among(&family);
    signal("STOP", &driver.to_string());
    // The shell says how they ended when rank 0 has ended too: until then only /proc tells.
    let of_this_program = |pid: &&u32| **pid != driver && program_of(**pid).contains(program);
    let others: Vec<u32> = family.iter().filter(of_this_program).copied().collect();
    assert_eq!(others.len(), 3, "{family:?}");
    for _ in &others {
        started.wait_for("rank 0 on host");
    }
    let patience = Instant::now() + Duration::from_secs(30);
    while others.iter().any(|pid| is_alive(*pid)) {
        assert!(Instant::now() < patience, "some of {others:?} go on");
        std::thread::yield_now();
    }
    assert!(is_alive(driver), "it is stopped, and no more");
    signal("CONT", &driver.to_string());
    let finished = ended(started.finish().failed(), &[(0, 1), (1, 1), (2, 1), (3, 1)]);
    finished.printed(&["rank 0 on host", "declared it dead"]).did_not_print("panicked");
    assert!(!family.iter().any(|pid| is_alive(*pid)), "no process is left of {family:?}");
}

fn program_of(pid: u32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}

/// The process of rank 0.
fn driver_among(family: &[u32]) -> u32 {
    let is_rank_0 = |pid: &&u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == b"MOBULA_RANK=0")
    };
    *family.iter().find(is_rank_0).expect("it is at work")
}

/// Breaks the TCP connection between two processes; false where the system does not let us.
fn broke(one: &str, other: &str) -> bool {
    let ends = |process: &str| -> Vec<(String, String)> {
        let listed = Command::new("ss").args(["-tnpH", "state", "established"]).output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let of_it = listed.lines().filter(|line| line.contains(&format!("pid={process},")));
        let fields = of_it.map(|line| line.split_whitespace().map(str::to_string).collect::<Vec<_>>());
        fields.filter_map(|fields| Some((fields.get(2)?.clone(), fields.get(3)?.clone()))).collect()
    };
    let others = ends(other);
    let shared = ends(one).into_iter().find(|(local, peer)| others.contains(&(peer.clone(), local.clone())));
    let Some((local, peer)) = shared else { return false };
    let killed = Command::new("ss").args(["-K", "-H", "state", "established", "src", &local, "dst", &peer]).output();
    killed.is_ok_and(|output| !output.stdout.is_empty())
}

/// A case of `mortal` on ranks that are hosts of their own, and stand still for more than two seconds where they do; these
/// ranks end so.
fn on_hosts_of_their_own(name: &str, ends: &[(u32, u32)]) -> Option<Finished> {
    let apart = own_host_command()?;
    let folder = TestFolder::new(&format!("{name}-apart"));
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", apart).env("MOBULA_PEER_TIMEOUT_S", "2");
    let finished = launch.env("MOBULA_STORE_BYTES", "32M").arg(name).run();
    Some(ended(finished, ends).printed(&[&format!("passed {name}")]).did_not_print("panicked"))
}

/// No beat of it is felt by others, and its connections stay: it is noticed by who awaits something of it, and fenced.
#[test]
fn a_rank_that_stands_still_alone_on_its_host() {
    let Some(finished) = on_hosts_of_their_own("given-up-afar", &[(2, 1)]) else { return };
    finished.printed(&["rank 2 on host host2 died", "no sign of life"]).printed(&["rank 2 on host host2", "declared it dead"]);
}

/// Each awaits another's task, which takes longer than a rank may be silent.
#[test]
fn ranks_that_compute_on_hosts_of_their_own() {
    let Some(finished) = on_hosts_of_their_own("busy-afar", &[]) else { return };
    finished.did_not_print("died: ").did_not_print("sends nothing");
}

/// In a network of their own, where nobody else's messages are counted.
#[test]
fn nothing_is_said_where_nothing_is_awaited() {
    let Some(apart) = own_host_command() else { return };
    let folder = TestFolder::new("quiet-afar");
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", apart).env("MOBULA_PEER_TIMEOUT_S", "1");
    let network = r#"ip link set lo up && ip addr add 10.99.0.1/24 dev lo && exec "$@""#;
    let unshare: Vec<&str> = apart.split(' ').filter(|word| *word != "--uts").chain(["--net"]).collect();
    let launch = launch.inside(&[&unshare[..], &["sh", "-c", network, "sh"]].concat());
    ended(launch.arg("quiet-afar").run(), &[]).printed(&["passed quiet-afar"]).did_not_print("panicked");
}

#[test]
fn a_job_on_hosts_of_their_own_is_stopped_as_a_whole() {
    let Some(apart) = own_host_command() else { return };
    let folder = TestFolder::new("stopped-as-a-whole-apart");
    stopped_as_a_whole(ranks("survivor", &folder, "tcp").env("OWN_HOST", apart));
}

#[test]
fn a_rank_that_stands_still_to_one_that_is_not_the_driver() {
    let Some(finished) = on_hosts_of_their_own("told-by-another", &[(2, 1)]) else { return };
    finished.printed(&["rank 2 on host host2 died"]).printed(&["rank 2 on host host2", "declared it dead"]);
}

#[test]
fn what_lay_on_a_host_that_is_gone_is_made_again() {
    let Some(finished) = on_hosts_of_their_own("host-is-lost", &[(3, KILLED)]) else { return };
    finished.printed(&["arrays of the last generation were made again"]);
}

/// Those that await nothing of it are told by those that do.
#[test]
fn the_driver_stands_still_alone_on_its_host() {
    let Some(apart) = own_host_command() else { return };
    let folder = TestFolder::new("driver-stands-still-apart");
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", apart).env("MOBULA_PEER_TIMEOUT_S", "2");
    ends_with_its_driver(launch.arg("driver-stands-still"), "mortal", "stops process ");
}

/// One of which the others await only its last word.
#[test]
fn a_rank_that_stands_still_at_the_end_alone_on_its_host() {
    let Some(apart) = own_host_command() else { return };
    let folder = TestFolder::new("still-at-the-end-apart");
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", apart).env("MOBULA_PEER_TIMEOUT_S", "2");
    still_at_the_end(launch);
}

/// Two ranks whose connection breaks, while both reach rank 0: it decides, and the cluster goes on with one of them.
#[test]
fn two_ranks_whose_road_breaks() {
    let folder = TestFolder::new("road-breaks");
    let mut started = ranks("survivor", &folder, "tcp").arg("30").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    started.wait_for("round 3");
    if !broke(&processes[1], &processes[2]) {
        assert!(std::env::var("CI").is_err(), "root can break connections with ss, of iproute2");
        return println!("left out: ss breaks no connections here, which takes root and a kernel that lets it");
    }
    let finished = ended(started.finish(), &[(2, 1)]).printed(&["survived: right answers, lost ranks [2]"]);
    finished.printed(&["rank 2 on", "the higher of the two is declared dead"]).printed(&["declared it dead"]).did_not_print("panicked");
}

/// Under a launcher that lets the others live, where no line leads to rank 0: its host's ranks notice at once.
#[test]
fn a_rank_is_killed_under_mpirun() {
    let version = Command::new("mpirun").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if no_ranks().is_some() || uses_mpich() || !String::from_utf8_lossy(&version).contains("(Open MPI) 4.") {
        return println!("left out: no mpirun of Open MPI 4, which a variable tells to let the others live");
    }
    let launch = Launch::on_ranks(RANKS, &example("survivor")).arg("8").env("MOBULA_STORE_BYTES", "64M");
    let mut started = launch.env("OMPI_MCA_orte_enable_recovery", "1").start();
    let process = process_of(&mut started, 2);
    started.wait_for("round 1");
    signal("KILL", &process);
    let mut seen = BTreeSet::new();
    while seen.len() < RANKS as usize - 1 {
        let line = started.wait_for(&format!("rank 2 on host {} died: its process ({process}) ended", host()));
        seen.insert(line.split_whitespace().nth(2).unwrap_or_default().to_string());
    }
    started.wait_for("survived: right answers, lost ranks [2]");
    // This mpirun never ends by itself after a death.
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_string()
}

/// Without rank 0 there is no cluster: every other process says so and ends, also where a task of it goes on for ever.
fn driver_killed(road: &str) {
    let folder = TestFolder::new(&format!("driver-{road}"));
    let before = shared_files();
    let mut started = ranks("forever", &folder, road).env("MOBULA_STORE_BYTES", "64M").start();
    started.wait_for("at work");
    let shell = started.pid();
    let family = descendants(shell);
    let driver = driver_among(&family);
    let killed_at = Instant::now();
    signal("KILL", &driver.to_string());
    let finished = started.finish();
    println!("all had ended {} ms after the driver was killed", killed_at.elapsed().as_millis());
    let finished = ended(finished.failed(), &[(0, KILLED), (1, 1), (2, 1), (3, 1)]);
    assert!(finished.count("rank 0 on host") >= 3, "every other rank names rank 0:\n{}", finished.output);
    finished.did_not_print("panicked");
    assert!(!family.iter().any(|pid| is_alive(*pid)), "no process is left of {family:?}");
    assert!(!folder.meeting_file().exists(), "the file where they met is gone");
    let after = shared_files();
    assert!(after.is_subset(&before), "left in /dev/shm: {:?}", after.difference(&before));
}

macro_rules! over_each_road {
    ($($(#[$meta:meta])* $name:ident => $body:expr;)*) => {
        mod over_shm {
            use super::*;
            $($(#[$meta])* #[test] fn $name() { let test: fn(&str) = $body; test("shm"); })*
        }
        mod over_tcp {
            use super::*;
            $($(#[$meta])* #[test] fn $name() { let test: fn(&str) = $body; test("tcp"); })*
        }
    };
}

over_each_road! {
    a_rank_is_killed_at_work => |road| survived(road, &[2]);
    two_are_killed_one_after_the_other => |road| survived(road, &[3, 1]);
    the_driver_is_killed => driver_killed;
    a_task_without_retries_fails_by_name => |road| passed("no-retries", road, &[1]);
    lists_of_a_task_that_died => |road| passed("lists", road, &[1]);
    what_is_sent_to_the_dead_fails_by_name => |road| passed("sent-to-the-dead", road, &[1]);
    a_task_is_retried_whose_argument_is_gone => |road| passed("arguments-gone", road, &[1, 2]);
    thieves_die_with_what_they_stole => |road| passed("stolen", road, &[1, 3]);
    calls_of_an_actor_that_died => |road| passed("calls", road, &[1]);
    names_are_kept_and_given_again => |road| passed("names", road, &[1]);
    an_actor_whose_maker_died => |road| passed("orphans", road, &[1]);
    objects_of_the_dead => |road| passed("objects", road, &[1]);
    results_of_the_dead_are_made_again => |road| passed("made-again", road, &[1, 2, 3]);
    a_resource_comes_back => |road| passed("resource", road, &[1]);
    bundles_of_the_dead_go_elsewhere => |road| passed("groups", road, &[1, 2]);
    the_first_ranks_of_a_host_die => |road| passed("first-of-the-host", road, &[1, 2]);
    an_idle_rank_dies => |road| passed("idle", road, &[2]);
    a_rank_that_stands_still_for_too_long => stood_still;
    a_rank_that_stands_still_at_the_end => stood_still_at_the_end;
    the_driver_stands_still_for_too_long => driver_stopped;
    a_job_is_stopped_as_a_whole => |road| {
        let folder = TestFolder::new(&format!("stopped-as-a-whole-{road}"));
        stopped_as_a_whole(ranks("survivor", &folder, road));
    };
    a_rank_that_stands_still_is_not_lost => |road| passed("stopped", road, &[]);
    a_rank_dies_before_its_last_word => |road| {
        case("while-others-leave", road, &[(1, ABORTED)]).printed(&["passed while-others-leave"]);
    };
    a_rank_dies_while_the_others_part => |road| passed("while-ranks-part", road, &[1]);
    the_driver_dies_while_the_others_stop => |road| {
        case("driver-leaves", road, &[(0, ABORTED), (1, 1), (2, 1), (3, 1)]).printed(&["rank 0", "was lost"]);
    };
}
