//! Every suite, as short as possible: its numbers are there, its answers were right (a case with a wrong one fails),
//! and its file can be read. The numbers themselves mean nothing on a machine that runs tests.

#[path = "../../tests/launcher/mod.rs"]
mod launcher;

use launcher::{Launch, no_ranks};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The fields of a line, in order.
const FIELDS: &[&str] = &[
    "suite",
    "case",
    "value",
    "unit",
    "peer",
    "peer_value",
    "ratio",
    "repeat",
    "min",
    "median",
    "max",
    "commit",
    "host",
    "cpu",
    "fabric",
    "ranks",
    "hosts",
    "seed",
];

fn command(words: &[&str]) -> Launch {
    let launch = Launch::alone(Path::new(env!("CARGO_BIN_EXE_mobula-bench"))).limit(Duration::from_secs(300));
    // A test does not install Ray: the harness must report that it is missing, and measure ours.
    let launch = launch.env("RAY_PYTHON", "/no/python/with/ray");
    words.iter().fold(launch, |launch, word| launch.arg(*word))
}

/// A file of this test's own, which does not exist.
fn fresh(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("mobula-bench-{}-{name}.json", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

/// Runs a suite, one short sample a case, of the cases with this text in their name; returns what it wrote.
fn measured(suite: &str, only: &str) -> Option<Vec<serde_json::Value>> {
    if let Some(reason) = no_ranks() {
        println!("left out: {reason}");
        return None;
    }
    let file = fresh(&format!("{suite}-{}", only.len()));
    let name = file.display().to_string();
    let finished =
        command(&["run", suite, "--quick", "--repeat", "1", "--seed", "3", "--only", only, "--json", &name]).run();
    let finished = finished.succeeded();
    assert!(!finished.output.contains("FAILED"), "{}", finished.output);
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("{\"version\":1}"));
    let mut lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let machine = lines.pop().unwrap();
    assert!(machine["idle_before"].is_f64() && machine["idle_after"].is_f64(), "{machine}");
    assert!(machine["quiet"].is_boolean() && machine["suite"] == suite, "{machine}");
    assert!(!lines.is_empty(), "{}", finished.output);
    for line in &lines {
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert!(keys.len() == FIELDS.len() && FIELDS.iter().all(|field| line.get(field).is_some()), "{line}");
        assert_eq!((line["suite"].as_str(), line["seed"].as_u64()), (Some(suite), Some(3)));
        for number in ["value", "min", "median", "max"] {
            assert!(line[number].as_f64().is_some_and(|number| number >= 0.0), "{number} of {line}");
        }
    }
    Some(lines)
}

/// Cases that must be among those measured, with a number of the peer's.
fn beside_peers(lines: Option<Vec<serde_json::Value>>, cases: &[&str]) {
    let Some(lines) = lines else { return };
    for case in cases {
        let line = lines.iter().find(|line| line["case"] == *case).unwrap_or_else(|| panic!("{case} is missing"));
        assert!(line["peer_value"].as_f64().is_some_and(|value| value > 0.0) && line["ratio"].is_f64(), "{line}");
    }
}

#[test]
fn local() {
    beside_peers(measured("local", ""), &["empty task, batch of 10,000", "spawn and get, one by one"]);
}

#[test]
fn rpc() {
    beside_peers(measured("rpc", "B"), &["round trip, 8 B", "calls in flight, 1 KiB"]);
    beside_peers(measured("rpc", "all to all"), &["all to all, 1,000 in flight a pair"]);
}

#[test]
fn objects() {
    beside_peers(measured("objects", "4 KiB"), &["put_array, 4 KiB", "get, array of 4 KiB"]);
    beside_peers(measured("objects", "broadcast, 1 KiB"), &["broadcast, 1 KiB"]);
}

#[test]
fn actors() {
    beside_peers(measured("actors", ""), &["1:1, one by one, other rank", "n:n, a caller and an actor a rank"]);
}

/// Every pattern with the empty kernel: each task compares its inputs with the pattern. METG is swept for one.
#[test]
fn taskbench() {
    let lines = measured("taskbench", ", empty");
    if let Some(lines) = &lines {
        assert_eq!(lines.len(), 11 + 2, "eleven patterns by tasks, two by actors");
    }
    beside_peers(lines, &["stencil_1d, empty", "all_to_all, empty, actors"]);
    beside_peers(measured("taskbench", "stencil_1d, METG compute"), &["stencil_1d, METG compute_bound"]);
}

#[test]
fn uts() {
    beside_peers(measured("uts", "T1"), &["T1, all ranks"]);
}

#[test]
fn cholesky() {
    beside_peers(measured("cholesky", "1024"), &["1024 rows in tiles of 32"]);
}

#[test]
fn startup() {
    beside_peers(measured("startup", ", 2 ranks"), &["init to first task, 2 ranks"]);
    measured("startup", "embedded");
}

#[test]
fn memory() {
    beside_peers(measured("memory", "an object"), &["an object of 8 B"]);
    measured("memory", "a queued task");
}

#[test]
fn limits() {
    measured("limits", "3,000 returns");
    measured("limits-remote", "3,000 returns");
}

#[test]
fn hosts() {
    beside_peers(measured("hosts", "tcp: round trip, 8 B"), &["tcp: round trip, 8 B"]);
}

#[test]
fn sim() {
    measured("sim", "uniform");
}

/// Ours is measured without Ray.
#[test]
fn ray() {
    let Some(lines) = measured("ray", "calls") else { return };
    assert!(lines.iter().any(|line| line["case"] == "1:1 actor calls sync" && line["peer"] == "Ray"));
    assert!(lines.iter().all(|line| line["peer_value"].is_null() && line["ratio"].is_null()));
}

/// It is not that of the folder in which the command runs.
#[test]
fn the_commit_is_the_one_that_the_command_was_built_from() {
    let mut git = Command::new("git");
    git.args(["rev-parse", "--short=12", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let Ok(commit) = git.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()) else {
        return println!("left out: there is no git");
    };
    let words = ["run", "sim", "--quick", "--repeat", "1", "--only", "uniform"];
    let finished = command(&words).inside(&["env", "-C", "/"]).run().succeeded();
    let at = format!("sim at {}", if commit.is_empty() { "unknown" } else { &commit });
    finished.printed(&[&at]).printed(&["CPUs idle:", "before", "after"]);
}

#[test]
fn the_list_names_every_suite_with_peers_and_bars() {
    let finished = command(&["list"]).run().succeeded();
    let finished = finished.printed(&["taskbench:", "2 ranks or more"]).printed(&["startup:", "one process"]);
    finished.printed(&["stencil_1d, METG compute_bound", "MPI nonblocking", "<= 3x"]);
}

#[test]
fn a_file_yields_a_report_and_a_comparison() {
    let file = fresh("report");
    let name = file.display().to_string();
    for _ in 0..2 {
        let words = ["run", "local", "--quick", "--repeat", "2", "--only", "chain", "--json", &name];
        command(&words).run().succeeded();
    }
    command(&["report", &name]).run().succeeded().printed(&["wrote", ".html"]).printed(&["wrote", ".md"]);
    let page = fs::read_to_string(file.with_extension("html")).unwrap();
    assert!(page.contains("<svg") && page.contains("chain of 1,000 tasks") && page.ends_with("</html>\n"));
    let table = fs::read_to_string(file.with_extension("md")).unwrap();
    assert!(table.contains("| chain of 1,000 tasks | us a task |"), "{table}");
    // A file does not differ from itself.
    command(&["compare", &name, &name]).run().succeeded().printed(&["1 cases compared: 0 worse, 0 better"]);
    for ending in ["json", "html", "md"] {
        fs::remove_file(file.with_extension(ending)).unwrap();
    }
}
