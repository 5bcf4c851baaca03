//! Ranks that are killed (SIGKILL) or stopped (SIGSTOP) at every point of a cluster's life, over shared memory and over
//! TCP. What is lost fails with an error that names it, everything else goes on, and no rank waits for a dead one.
//!
//! `tests/programs/mortal` holds the cases; to run one: `cargo test --no-run`, then in four shells, one for each rank,
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

/// The shell's exit codes of a process that was killed, and of one that aborted.
const KILLED: u32 = 128 + 9;
const ABORTED: u32 = 128 + 6;

fn ranks(program: &str, folder: &TestFolder, transport: &str) -> Launch {
    let launch =
        launch_small_ranks(&example(program), &all_ranks(RANKS), RANKS, &folder.meeting_file().display().to_string());
    if transport == "tcp" { launch.env("MOBULA_FABRIC", "tcp") } else { launch }
}

/// Asserts that these ranks ended with these exit codes, and all others with 0.
#[track_caller]
fn check_ends(finished: Finished, ends: &[(u32, u32)]) -> Finished {
    assert_eq!(
        finished.count(" ended with "),
        ends.len(),
        "only {ends:?} may end with an exit code other than 0:\n{}",
        finished.output
    );
    let ended =
        |finished: Finished, (rank, end): &(u32, u32)| finished.printed(&[&format!("rank {rank} ended with {end}")]);
    ends.iter().fold(finished, ended)
}

/// Runs a case of `mortal`, in which these ranks end with these exit codes.
#[track_caller]
fn run_case(name: &str, transport: &str, ends: &[(u32, u32)]) -> Finished {
    let folder = TestFolder::new(&format!("{name}-{transport}"));
    let finished = ranks("mortal", &folder, transport).arg(name).run();
    check_ends(finished, ends).did_not_print("panicked")
}

/// Runs a case of `mortal`, in which these ranks are killed.
#[track_caller]
fn passes(name: &str, transport: &str, killed: &[u32]) {
    let ends: Vec<(u32, u32)> = killed.iter().map(|rank| (*rank, KILLED)).collect();
    run_case(name, transport, &ends).printed(&[&format!("passed {name}")]);
}

/// The process of a rank of `survivor`.
fn process_of(started: &mut Started, rank: u32) -> String {
    let line = started.wait_for(&format!("rank {rank} is process "));
    line.split_whitespace().nth(4).expect("rank R is process P").to_string()
}

/// Kills these ranks of `survivor` one after the other: its answers are right all the same.
#[track_caller]
fn survives(transport: &str, lost: &[u32]) {
    let folder = TestFolder::new(&format!("survivor-{}-{transport}", lost.len()));
    let mut started = ranks("survivor", &folder, transport).arg("8").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    for (position, rank) in lost.iter().enumerate() {
        started.wait_for(&format!("round {}", 2 * position + 1));
        signal("KILL", &processes[*rank as usize]);
    }
    let ends: Vec<(u32, u32)> = lost.iter().map(|rank| (*rank, KILLED)).collect();
    let finished = check_ends(started.finish(), &ends).printed(&["round 7 was computed by ranks"]);
    let lost = BTreeSet::from_iter(lost);
    let lost: Vec<_> = lost.into_iter().collect();
    finished.printed(&[&format!("survived: right answers, lost ranks {lost:?}")]).did_not_print("panicked");
}

/// The files of /dev/shm that belong to mobula.
fn shared_files() -> BTreeSet<String> {
    let entries = fs::read_dir("/dev/shm").expect("Linux").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().to_lowercase());
    names.filter(|name| name.contains("mobula")).collect()
}

/// A rank that was stopped for too long and declared dead ends itself with an error when it continues.
fn rank_stopped_too_long(transport: &str) {
    let folder = TestFolder::new(&format!("stopped-too-long-{transport}"));
    let finished = ranks("mortal", &folder, transport).env("MOBULA_PEER_TIMEOUT_S", "2").arg("stopped-too-long").run();
    let finished = check_ends(finished, &[(2, 1)]).printed(&["passed stopped-too-long"]).did_not_print("panicked");
    finished.printed(&["rank 2 on host", "is stopped"]).printed(&["rank 2 on host", "declared it dead"]);
}

/// The others do not wait for a rank that is stopped during the shutdown.
fn rank_stopped_during_shutdown(transport: &str) {
    let folder = TestFolder::new(&format!("stopped-during-shutdown-{transport}"));
    stopped_during_shutdown(ranks("mortal", &folder, transport).env("MOBULA_PEER_TIMEOUT_S", "2"));
}

#[track_caller]
fn stopped_during_shutdown(launch: Launch) {
    let mut started = launch.arg("stopped-during-shutdown").start();
    let line = started.wait_for("stops process ");
    started.wait_for("passed stopped-during-shutdown");
    signal("CONT", line.split_whitespace().nth(2).expect("stops process P"));
    check_ends(started.finish(), &[(1, 1)]).did_not_print("panicked");
}

/// A job whose ranks are all stopped, for longer than the peer time-out, continues without a loss.
fn all_ranks_stopped(launch: Launch) {
    let mut started = launch.env("MOBULA_PEER_TIMEOUT_S", "2").arg("6").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    started.wait_for("round 3");
    // All at once, as a batch system does it.
    signal("STOP", &processes.join(" "));
    std::thread::sleep(Duration::from_secs(5)); // how long it is stopped
    signal("CONT", &processes.join(" "));
    check_ends(started.finish(), &[]).printed(&["survived: right answers, lost ranks []"]).did_not_print("panicked");
}

/// If rank 0 is stopped for too long, the others end; when it continues, it ends as well.
fn driver_stopped(transport: &str) {
    let folder = TestFolder::new(&format!("driver-stopped-{transport}"));
    let launch =
        ranks("forever", &folder, transport).env("MOBULA_STORE_BYTES", "64M").env("MOBULA_PEER_TIMEOUT_S", "2");
    ends_with_stopped_driver(launch, "forever", "at work");
}

/// Stops rank 0 after the line `ready`: the other ranks end, and rank 0 ends when it continues.
#[track_caller]
fn ends_with_stopped_driver(launch: Launch, program: &str, ready: &str) {
    let mut started = launch.start();
    started.wait_for(ready);
    let processes = descendants(started.pid());
    let driver = driver_among(&processes);
    signal("STOP", &driver.to_string());
    // The shell prints how they ended after rank 0 ended too; until then only /proc tells.
    let of_this_program = |pid: &&u32| **pid != driver && program_of(**pid).contains(program);
    let others: Vec<u32> = processes.iter().filter(of_this_program).copied().collect();
    assert_eq!(others.len(), 3, "{processes:?}");
    for _ in &others {
        started.wait_for("rank 0 on host");
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while others.iter().any(|pid| is_alive(*pid)) {
        assert!(Instant::now() < deadline, "some of {others:?} still run");
        std::thread::yield_now();
    }
    assert!(is_alive(driver), "it is only stopped");
    signal("CONT", &driver.to_string());
    let finished = check_ends(started.finish().failed(), &[(0, 1), (1, 1), (2, 1), (3, 1)]);
    finished.printed(&["rank 0 on host", "declared it dead"]).did_not_print("panicked");
    assert!(!processes.iter().any(|pid| is_alive(*pid)), "no process of {processes:?} is left");
}

fn program_of(pid: u32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}

/// The process of rank 0.
fn driver_among(processes: &[u32]) -> u32 {
    let is_rank_0 = |pid: &&u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == b"MOBULA_RANK=0")
    };
    *processes.iter().find(is_rank_0).expect("rank 0 runs")
}

/// Breaks the TCP connection between two processes; returns false if the system does not permit it.
fn break_connection(one: &str, other: &str) -> bool {
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

/// Runs a case of `mortal` on ranks that are hosts of their own, with a peer time-out of 2 s. These ranks end with
/// these exit codes.
fn on_own_hosts(name: &str, ends: &[(u32, u32)]) -> Option<Finished> {
    let own_host = own_host_command()?;
    let folder = TestFolder::new(&format!("{name}-own-hosts"));
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", own_host).env("MOBULA_PEER_TIMEOUT_S", "2");
    let finished = launch.env("MOBULA_STORE_BYTES", "32M").arg(name).run();
    Some(check_ends(finished, ends).printed(&[&format!("passed {name}")]).did_not_print("panicked"))
}

/// Other hosts do not see its heartbeat, and its connections stay open: the ranks that wait for it notice, and it is
/// fenced.
#[test]
fn rank_stopped_alone_on_its_host_is_declared_dead() {
    let Some(finished) = on_own_hosts("silent-host", &[(2, 1)]) else { return };
    finished
        .printed(&["rank 2 on host host2 died", "no sign of life"])
        .printed(&["rank 2 on host host2", "declared it dead"]);
}

/// The driver waits for a task on every rank, which takes longer than the peer time-out.
#[test]
fn busy_ranks_on_own_hosts_stay_alive() {
    let Some(finished) = on_own_hosts("busy-hosts", &[]) else { return };
    finished.did_not_print("died: ").did_not_print("sends nothing");
}

/// In their own network namespace, where no other process sends segments.
#[test]
fn idle_cluster_on_own_hosts_sends_nothing() {
    let Some(own_host) = own_host_command() else { return };
    let folder = TestFolder::new("quiet-hosts");
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", own_host).env("MOBULA_PEER_TIMEOUT_S", "1");
    let network = r#"ip link set lo up && ip addr add 10.99.0.1/24 dev lo && exec "$@""#;
    let unshare: Vec<&str> = own_host.split(' ').filter(|word| *word != "--uts").chain(["--net"]).collect();
    let launch = launch.inside(&[&unshare[..], &["sh", "-c", network, "sh"]].concat());
    check_ends(launch.arg("quiet-hosts").run(), &[]).printed(&["passed quiet-hosts"]).did_not_print("panicked");
}

#[test]
fn job_on_own_hosts_stopped_as_a_whole_continues() {
    let Some(own_host) = own_host_command() else { return };
    let folder = TestFolder::new("all-stopped-own-hosts");
    all_ranks_stopped(ranks("survivor", &folder, "tcp").env("OWN_HOST", own_host));
}

#[test]
fn stopped_rank_suspected_by_a_non_driver_is_declared_dead() {
    let Some(finished) = on_own_hosts("suspected-by-another", &[(2, 1)]) else { return };
    finished.printed(&["rank 2 on host host2 died"]).printed(&["rank 2 on host host2", "declared it dead"]);
}

#[test]
fn results_on_a_lost_host_are_recomputed() {
    let Some(finished) = on_own_hosts("host-lost", &[(3, KILLED)]) else { return };
    finished.printed(&["arrays of the last generation were recomputed"]);
}

/// The ranks that wait for it notify those that do not.
#[test]
fn driver_stopped_alone_on_its_host_ends_all_ranks() {
    let Some(own_host) = own_host_command() else { return };
    let folder = TestFolder::new("silent-driver");
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", own_host).env("MOBULA_PEER_TIMEOUT_S", "2");
    ends_with_stopped_driver(launch.arg("silent-driver"), "mortal", "stops process ");
}

/// The others wait only for its last message.
#[test]
fn rank_stopped_during_shutdown_alone_on_its_host_does_not_delay_the_others() {
    let Some(own_host) = own_host_command() else { return };
    let folder = TestFolder::new("stopped-during-shutdown-own-hosts");
    let launch = ranks("mortal", &folder, "tcp").env("OWN_HOST", own_host).env("MOBULA_PEER_TIMEOUT_S", "2");
    stopped_during_shutdown(launch);
}

/// Both still reach rank 0: it declares one of them dead, and the cluster goes on with the other.
#[test]
fn broken_connection_between_two_ranks_ends_the_higher_rank() {
    let folder = TestFolder::new("transport-breaks");
    let mut started = ranks("survivor", &folder, "tcp").arg("until-loss").start();
    let processes: Vec<String> = (0..RANKS).map(|rank| process_of(&mut started, rank)).collect();
    started.wait_for("round 3");
    if !break_connection(&processes[1], &processes[2]) {
        assert!(std::env::var("CI").is_err(), "root can break connections with ss, of iproute2");
        return println!("left out: ss breaks no connections here, which takes root and a kernel that lets it");
    }
    let finished = check_ends(started.finish(), &[(2, 1)]).printed(&["survived: right answers, lost ranks [2]"]);
    let finished = finished.printed(&["rank 2 on", "the higher of the two is declared dead"]);
    finished.printed(&["declared it dead"]).did_not_print("panicked");
}

/// The launcher lets the other ranks live, and there is no connection to rank 0 as without a launcher: the ranks of its
/// host notice the death at once.
#[test]
fn rank_killed_under_mpirun_is_noticed_by_every_rank_of_its_host() {
    let version = Command::new("mpirun").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if no_ranks().is_some() || uses_mpich() || !String::from_utf8_lossy(&version).contains("(Open MPI) 4.") {
        return println!("left out: no mpirun of Open MPI 4, which can be told to let the other ranks live");
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

/// Without rank 0 there is no cluster: every other process reports that and ends, also if its task never returns.
fn driver_killed(transport: &str) {
    let folder = TestFolder::new(&format!("driver-{transport}"));
    let before = shared_files();
    let mut started = ranks("forever", &folder, transport).env("MOBULA_STORE_BYTES", "64M").start();
    started.wait_for("at work");
    let shell = started.pid();
    let processes = descendants(shell);
    let driver = driver_among(&processes);
    let killed_at = Instant::now();
    signal("KILL", &driver.to_string());
    let finished = started.finish();
    println!("all had ended {} ms after the driver was killed", killed_at.elapsed().as_millis());
    let finished = check_ends(finished.failed(), &[(0, KILLED), (1, 1), (2, 1), (3, 1)]);
    assert!(finished.count("rank 0 on host") >= 3, "every other rank names rank 0:\n{}", finished.output);
    finished.did_not_print("panicked");
    assert!(!processes.iter().any(|pid| is_alive(*pid)), "no process of {processes:?} is left");
    assert!(!folder.meeting_file().exists(), "the rendezvous file was removed");
    let after = shared_files();
    assert!(after.is_subset(&before), "left in /dev/shm: {:?}", after.difference(&before));
}

macro_rules! over_each_transport {
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

over_each_transport! {
    rank_killed_at_work_leaves_right_answers => |transport| survives(transport, &[2]);
    two_ranks_killed_in_turn_leave_right_answers => |transport| survives(transport, &[3, 1]);
    killed_driver_ends_all_ranks => driver_killed;
    task_without_retries_fails_with_the_dead_rank_named => |transport| passes("no-retries", transport, &[1]);
    lists_of_a_task_on_a_dead_rank_fail_or_are_retried => |transport| passes("lists", transport, &[1]);
    task_sent_to_a_dead_rank_fails_with_its_name => |transport| passes("sent-to-dead-rank", transport, &[1]);
    retried_task_without_its_argument_names_the_argument_s_owner => |transport| {
        passes("arguments-lost", transport, &[1, 2]);
    };
    tasks_stolen_by_a_dead_rank_run_once_elsewhere => |transport| passes("stolen", transport, &[1, 3]);
    calls_of_a_dead_actor_fail_with_actor_died => |transport| passes("calls", transport, &[1]);
    names_of_dead_actors_are_free_and_others_are_found => |transport| passes("names", transport, &[1]);
    actor_of_a_dead_owner_ends => |transport| passes("owner-dies", transport, &[1]);
    unread_objects_of_a_dead_rank_fail_with_its_name => |transport| passes("objects", transport, &[1]);
    results_of_dead_ranks_are_recomputed => |transport| passes("recomputed", transport, &[1, 2, 3]);
    resources_of_a_dead_rank_are_released => |transport| passes("resource", transport, &[1]);
    bundles_of_a_dead_rank_move_elsewhere => |transport| passes("groups", transport, &[1, 2]);
    death_of_the_first_ranks_of_a_host_leaves_the_others_working => |transport| {
        passes("first-of-host", transport, &[1, 2]);
    };
    death_of_an_idle_rank_is_noticed => |transport| passes("idle", transport, &[2]);
    rank_stopped_too_long_is_declared_dead => rank_stopped_too_long;
    rank_stopped_during_shutdown_does_not_delay_the_others => rank_stopped_during_shutdown;
    driver_stopped_too_long_ends_all_ranks => driver_stopped;
    job_stopped_as_a_whole_continues => |transport| {
        let folder = TestFolder::new(&format!("all-stopped-{transport}"));
        all_ranks_stopped(ranks("survivor", &folder, transport));
    };
    rank_stopped_briefly_stays_alive => |transport| passes("stopped", transport, &[]);
    rank_dying_before_its_last_message_does_not_delay_the_others => |transport| {
        let finished = run_case("dies-before-shutdown-ready", transport, &[(1, ABORTED)]);
        finished.printed(&["passed dies-before-shutdown-ready"]);
    };
    rank_dying_during_shutdown_does_not_delay_the_others => |transport| passes("dies-during-shutdown", transport, &[1]);
    driver_dying_during_shutdown_ends_all_ranks => |transport| {
        let ends = [(0, ABORTED), (1, 1), (2, 1), (3, 1)];
        run_case("driver-dies-during-shutdown", transport, &ends).printed(&["rank 0", "was lost"]);
    };
}
