//! Ranks that are killed, hosts that lose their power, cables that are pulled, while work goes on between three hosts.

use crate::lab::{self, Lab};
use crate::launcher::{Finished, Started, example};
use crate::way::{RANKS, Way};
use std::time::{Duration, Instant};

/// Work on every rank, at a point where all of them have some. Over TCP: of the launches there are, only that one goes on
/// when a rank is lost.
fn at_work(lab: &Lab) -> Started {
    Way::Tcp.srun(lab, &example("survivor")).limit(Duration::from_secs(180)).start()
}

/// The process of a rank, as its host counts, and the host; said by the program as it starts.
fn place_of(started: &mut Started, rank: u32) -> (String, String) {
    let line = started.wait_for(&format!("rank {rank} is process "));
    let words: Vec<&str> = line.split_whitespace().collect();
    (words[4].to_string(), words[6].to_string())
}

#[track_caller]
fn survived(finished: Finished, lost: &[u32]) {
    // The exit code is srun's, which says that a rank was killed, or nothing at all.
    let finished = finished.printed(&["round 19 was worked out by ranks"]);
    finished.printed(&[&format!("survived: right answers, lost ranks {lost:?}")]);
}

#[test]
fn a_rank_that_is_killed() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    let (process, host) = place_of(&mut started, 3);
    assert_eq!(host, "node2", "two ranks a host, in order");
    started.wait_for("round 3");
    lab.ask(&host, &["kill", "-KILL", &process]);
    survived(started.finish(), &[3]);
}

#[test]
fn a_host_that_loses_its_power() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    started.wait_for("round 3");
    let outage = lab.crash("node3");
    started.wait_for("survived: ");
    outage.noticed();
    survived(started.finish(), &[RANKS - 2, RANKS - 1]);
    outage.mend();
}

/// Arrays that were left on a host are gone with it, and so is what they were made of: both are made again.
#[test]
fn what_lay_on_a_host_that_is_gone_is_made_again() {
    let Some(lab) = lab::shared() else { return };
    let launch = Way::Tcp.srun(&lab, &example("mortal")).env("MOBULA_STORE_BYTES", "64M").arg("host-is-lost");
    let finished = launch.limit(Duration::from_secs(120)).run().did_not_print("panicked");
    finished.printed(&["arrays of the last generation were made again"]).printed(&["passed host-is-lost"]);
}

/// Both its ranks stand still: none of that host is left to notice.
#[test]
fn a_host_that_stands_still() {
    let Some(lab) = lab::shared() else { return };
    let launch = Way::Tcp.srun(&lab, &example("survivor")).env("MOBULA_PEER_TIMEOUT_S", "2");
    let mut started = launch.arg("20").limit(Duration::from_secs(180)).start();
    let places = [RANKS - 2, RANKS - 1].map(|rank| place_of(&mut started, rank));
    started.wait_for("round 3");
    let tell = |signal: &str| {
        places.iter().for_each(|(process, host)| drop(lab.ask(host, &["kill", signal, process])));
    };
    tell("-STOP");
    started.wait_for("survived: right answers, lost ranks [4, 5]");
    tell("-CONT");
    let finished = started.finish().did_not_print("panicked");
    finished.printed(&["rank 4 on host node3", "declared it dead"]).printed(&["rank 5 on host node3", "declared it dead"]);
}

/// Three seconds are not long enough to take a host for dead: nobody is lost, and nothing that was on its way.
#[test]
fn a_cable_that_is_pulled_for_three_seconds() {
    if !Way::Tcp.is_there() {
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
    lab.ask(host, &["sh", "-c", &count]).trim().parse().expect("a number")
}

/// Returns when no process of the program runs on these hosts any more.
#[track_caller]
fn all_ended(lab: &Lab, hosts: &[&str], program: &str) {
    let patience = Instant::now() + Duration::from_secs(30);
    while let Some(host) = hosts.iter().find(|host| running(lab, host, program) > 0) {
        assert!(Instant::now() < patience, "{program} goes on on {host}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The other ranks of every host end within seconds, and leave nothing there.
#[test]
fn a_driver_that_is_killed() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let mut started = at_work(&lab);
    let (process, host) = place_of(&mut started, 0);
    started.wait_for("round 3");
    lab.ask(&host, &["kill", "-KILL", &process]);
    let finished = started.finish();
    assert!(finished.count("rank 0 on host node1 died") >= 5, "every other rank says so:\n{}", finished.output);
    finished.did_not_print("survived: ").did_not_print("panicked");
    let hosts = ["node1", "node2", "node3"];
    all_ended(&lab, &hosts, "survivor");
    for host in hosts {
        assert_eq!(lab.ask(host, &["sh", "-c", "ls /dev/shm | grep -i mobula || true"]), "", "{host}");
    }
}

/// The rank beside it notices, and tells the ranks of other hosts, whose lines to it are still there.
#[test]
fn a_driver_that_stands_still() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = Way::Tcp.srun(&lab, &example("survivor")).env("MOBULA_PEER_TIMEOUT_S", "2");
    let mut started = launch.arg("1000").limit(Duration::from_secs(180)).start();
    let (process, host) = place_of(&mut started, 0);
    started.wait_for("round 3");
    lab.ask(&host, &["kill", "-STOP", &process]);
    all_ended(&lab, &["node2", "node3"], "survivor");
    lab.ask(&host, &["kill", "-CONT", &process]);
    let finished = started.finish();
    assert!(finished.count("rank 0 on host node1 died") >= 5, "every other rank says so:\n{}", finished.output);
    finished.printed(&["rank 0 on host node1 died: the other ranks declared it dead"]).did_not_print("survived: ");
    all_ended(&lab, &["node1", "node2", "node3"], "survivor");
}

/// Both reach rank 0, which decides: of two ranks that do not reach each other the higher one goes.
#[test]
fn two_hosts_that_do_not_reach_each_other() {
    if !Way::Tcp.is_there() {
        return;
    }
    let Some(lab) = lab::shared() else { return };
    let launch = Way::Tcp.srun(&lab, &example("survivor")).env("MOBULA_PEER_TIMEOUT_S", "4");
    let mut started = launch.arg("20").limit(Duration::from_secs(180)).start();
    started.wait_for("round 3");
    let route = |action: &str| {
        let command = format!("ip route {action} blackhole $(getent hosts node3 | cut -d' ' -f1)/32");
        lab.ask("node2", &["sh", "-c", &command]);
    };
    route("add");
    let line = started.wait_for("survived: right answers");
    route("del");
    assert!(["[4]", "[5]", "[4, 5]"].iter().any(|lost| line.ends_with(lost)), "{line}");
    let finished = started.finish().did_not_print("panicked");
    finished.printed(&["on host node3 died", "the higher of the two is declared dead"]).printed(&["on host node3", "declared it dead"]);
}

/// What the tests above rely on: an outage is one, and ends.
#[test]
fn the_lab_s_outages_are_real() {
    let Some(lab) = lab::shared() else { return };
    let reaches = |host: &str| lab.launch(&["ping", "-c", "1", "-W", "1", host]).run().status.success();
    assert!(reaches("node2"));
    let outage = lab.cut("node2");
    assert!(!reaches("node2") && reaches("node1"));
    outage.mend();
    assert!(reaches("node2"));

    // The step goes on without the host, and srun returns though its tasks there never say how they ended.
    let sleepers = ["srun", "--no-kill", "--kill-on-bad-exit=0", "--nodes=3", "--ntasks-per-node=1"];
    let asleep = "echo asleep on $(hostname); read line </run/gate; echo $line on $(hostname)";
    let gate = "mkfifo /run/gate; sh -c \"$1\"";
    let mut started = lab.launch(&[&sleepers[..], &["sh", "-c", gate, "sh", asleep]].concat()).start();
    for _ in 0..3 {
        started.wait_for("asleep on node");
    }
    let outage = lab.crash("node3");
    for host in ["node1", "node2"] {
        lab.ask(host, &["sh", "-c", "echo awake >/run/gate; rm /run/gate"]);
    }
    for _ in 0..2 {
        started.wait_for("awake on node");
    }
    outage.noticed();
    started.finish().did_not_print("awake on node3");
    outage.mend();
    lab.launch(&["srun", "--nodes=3", "--ntasks-per-node=1", "hostname"]).run().succeeded().printed(&["node3"]);
}
