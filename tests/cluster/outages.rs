//! Ranks that are killed, hosts that lose power and cables that are pulled, during work on three hosts.

use crate::lab::{self, Lab};
use crate::launch_mode::{LaunchMode, RANKS};
use crate::launcher::{Finished, Started, example};
use std::time::{Duration, Instant};

/// Starts work on every rank. Over TCP, because only that launch survives the loss of a rank.
fn at_work(lab: &Lab) -> Started {
    LaunchMode::Tcp.srun(lab, &example("survivor")).limit(Duration::from_secs(180)).start()
}

/// The process of a rank, by its host's number, and the host; the program prints both at start.
fn process_and_host(started: &mut Started, rank: u32) -> (String, String) {
    let line = started.wait_for(&format!("rank {rank} is process "));
    let words: Vec<&str> = line.split_whitespace().collect();
    (words[4].to_string(), words[6].to_string())
}

#[track_caller]
fn survived(finished: Finished, lost: &[u32]) {
    // The exit code is srun's, which may or may not report the killed rank.
    let finished = finished.printed(&["round 19 was computed by ranks"]);
    finished.printed(&[&format!("survived: right answers, lost ranks {lost:?}")]);
}

#[test]
fn killed_rank_leaves_right_answers() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    let (process, host) = process_and_host(&mut started, 3);
    assert_eq!(host, "node2", "two ranks a host, in order");
    started.wait_for("round 3");
    lab.run_on(&host, &["kill", "-KILL", &process]);
    survived(started.finish(), &[3]);
}

#[test]
fn host_that_loses_power_leaves_right_answers() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    started.wait_for("round 3");
    let outage = lab.crash("node3");
    started.wait_for("survived: ");
    outage.notify_slurm();
    survived(started.finish(), &[RANKS - 2, RANKS - 1]);
    outage.mend();
}

/// Arrays on a lost host are recomputed, with their inputs that were lost as well.
#[test]
fn results_on_a_lost_host_are_recomputed() {
    let Some(lab) = lab::shared() else { return };
    let launch = LaunchMode::Tcp.srun(&lab, &example("mortal")).env("MOBULA_STORE_BYTES", "64M").arg("host-lost");
    let finished = launch.limit(Duration::from_secs(120)).run().did_not_print("panicked");
    finished.printed(&["arrays of the last generation were recomputed"]).printed(&["passed host-lost"]);
}

/// Both ranks of the host are stopped: no rank of that host can notice.
#[test]
fn host_whose_ranks_are_stopped_is_declared_dead() {
    let Some(lab) = lab::shared() else { return };
    let launch = LaunchMode::Tcp.srun(&lab, &example("survivor")).env("MOBULA_PEER_TIMEOUT_S", "2");
    let mut started = launch.arg("20").limit(Duration::from_secs(180)).start();
    let processes = [RANKS - 2, RANKS - 1].map(|rank| process_and_host(&mut started, rank));
    started.wait_for("round 3");
    let send = |signal: &str| {
        processes.iter().for_each(|(process, host)| drop(lab.run_on(host, &["kill", signal, process])));
    };
    send("-STOP");
    started.wait_for("survived: right answers, lost ranks [4, 5]");
    send("-CONT");
    let finished = started.finish().did_not_print("panicked");
    finished
        .printed(&["rank 4 on host node3", "declared it dead"])
        .printed(&["rank 5 on host node3", "declared it dead"]);
}

/// Three seconds are shorter than the peer time-out: no rank and no message is lost.
#[test]
fn cable_pulled_for_three_seconds_loses_nothing() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    started.wait_for("round 3");
    let outage = lab.cut("node2");
    std::thread::sleep(Duration::from_secs(3)); // how long the outage is
    outage.mend();
    survived(started.finish(), &[]);
}

/// Processes of a program that run on a host.
fn running(lab: &Lab, host: &str, program: &str) -> usize {
    let count = format!("ps -e -o stat=,comm= | grep -v ^Z | grep -c ' {program}' || true");
    lab.run_on(host, &["sh", "-c", &count]).trim().parse().expect("a number")
}

/// Waits until no process of the program runs on these hosts.
#[track_caller]
fn await_end(lab: &Lab, hosts: &[&str], program: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Some(host) = hosts.iter().find(|host| running(lab, host, program) > 0) {
        assert!(Instant::now() < deadline, "{program} still runs on {host}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The other ranks of every host end, and leave no file in /dev/shm.
#[test]
fn killed_driver_ends_the_ranks_of_all_hosts() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    let (process, host) = process_and_host(&mut started, 0);
    started.wait_for("round 3");
    lab.run_on(&host, &["kill", "-KILL", &process]);
    let finished = started.finish();
    assert!(finished.count("rank 0 on host node1 died") >= 5, "every other rank reports it:\n{}", finished.output);
    finished.did_not_print("survived: ").did_not_print("panicked");
    let hosts = ["node1", "node2", "node3"];
    await_end(&lab, &hosts, "survivor");
    for host in hosts {
        assert_eq!(lab.run_on(host, &["sh", "-c", "ls /dev/shm | grep -i mobula || true"]), "", "{host}");
    }
}

/// The other rank of its host notices, and notifies the ranks of other hosts, whose connections to it are still open.
#[test]
fn stopped_driver_ends_the_ranks_of_all_hosts() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = LaunchMode::Tcp.srun(&lab, &example("survivor")).env("MOBULA_PEER_TIMEOUT_S", "2");
    let mut started = launch.arg("1000").limit(Duration::from_secs(180)).start();
    let (process, host) = process_and_host(&mut started, 0);
    started.wait_for("round 3");
    lab.run_on(&host, &["kill", "-STOP", &process]);
    await_end(&lab, &["node2", "node3"], "survivor");
    lab.run_on(&host, &["kill", "-CONT", &process]);
    let finished = started.finish();
    assert!(finished.count("rank 0 on host node1 died") >= 5, "every other rank reports it:\n{}", finished.output);
    finished.printed(&["rank 0 on host node1 died: the other ranks declared it dead"]).did_not_print("survived: ");
    await_end(&lab, &["node1", "node2", "node3"], "survivor");
}

/// Both hosts reach rank 0, which declares dead the higher of two ranks that do not reach each other.
#[test]
fn two_hosts_without_a_route_lose_the_higher_rank() {
    if !LaunchMode::Tcp.is_available() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = LaunchMode::Tcp.srun(&lab, &example("survivor")).env("MOBULA_PEER_TIMEOUT_S", "4");
    let mut started = launch.arg("until-loss").limit(Duration::from_secs(180)).start();
    started.wait_for("round 3");
    let route = |action: &str| {
        let command = format!("ip route {action} blackhole $(getent hosts node3 | cut -d' ' -f1)/32");
        lab.run_on("node2", &["sh", "-c", &command]);
    };
    route("add");
    let line = started.wait_for("survived: right answers");
    route("del");
    assert!(["[4]", "[5]", "[4, 5]"].iter().any(|lost| line.ends_with(lost)), "{line}");
    let finished = started.finish().did_not_print("panicked");
    let finished = finished.printed(&["on host node3 died", "the higher of the two is declared dead"]);
    finished.printed(&["on host node3", "declared it dead"]);
}

/// The tests above rely on this.
#[test]
fn outage_of_the_lab_cuts_the_host_off_until_it_is_mended() {
    let Some(lab) = lab::shared() else { return };
    let reaches = |host: &str| lab.launch(&["ping", "-c", "1", "-W", "1", host]).run().status.success();
    assert!(reaches("node2"));
    let outage = lab.cut("node2");
    assert!(!reaches("node2") && reaches("node1"));
    outage.mend();
    assert!(reaches("node2"));

    // The step continues without the host, and srun returns although it never learns how its tasks there ended.
    let sleepers = ["srun", "--no-kill", "--kill-on-bad-exit=0", "--nodes=3", "--ntasks-per-node=1"];
    let asleep = "echo asleep on $(hostname); read line </run/gate; echo $line on $(hostname)";
    let gate = "mkfifo /run/gate; sh -c \"$1\"";
    let mut started = lab.launch(&[&sleepers[..], &["sh", "-c", gate, "sh", asleep]].concat()).start();
    for _ in 0..3 {
        started.wait_for("asleep on node");
    }
    let outage = lab.crash("node3");
    for host in ["node1", "node2"] {
        lab.run_on(host, &["sh", "-c", "echo awake >/run/gate; rm /run/gate"]);
    }
    for _ in 0..2 {
        started.wait_for("awake on node");
    }
    outage.notify_slurm();
    started.finish().did_not_print("awake on node3");
    outage.mend();
    lab.launch(&["srun", "--nodes=3", "--ntasks-per-node=1", "hostname"]).run().succeeded().printed(&["node3"]);
}
