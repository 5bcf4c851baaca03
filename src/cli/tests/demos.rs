//! The command `mobula`: each demo checks its own answer, alone and on 2 ranks; here it must report success.

#[path = "../../../tests/launcher/mod.rs"]
mod launcher;

use launcher::{Finished, Launch, no_ranks};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs `mobula` with these words, alone and on 2 ranks where there is a launcher.
fn alone_and_on_2_ranks(words: &[&str], look: impl Fn(Finished)) {
    let program = Path::new(env!("CARGO_BIN_EXE_mobula"));
    let mut launches = vec![Launch::alone(program)];
    match no_ranks() {
        None => launches.push(Launch::on_ranks(2, program)),
        Some(reason) => println!("left out: {reason}"),
    }
    for launch in launches {
        let launch = words.iter().fold(launch, |launch, word| launch.arg(*word));
        look(launch.limit(Duration::from_secs(120)).run());
    }
}

#[test]
fn walkthrough() {
    alone_and_on_2_ranks(&["demo", "walkthrough"], |finished| {
        let finished = finished.succeeded();
        assert!(!finished.output.contains("still runs a task"), "{}", finished.output);
        finished.printed(&["Everything shown is what it should be."]);
    });
}

#[test]
fn sqrt_sum() {
    alone_and_on_2_ranks(&["demo", "sqrt-sum", "--repetitions", "4", "--end", "100000"], |finished| {
        let finished = finished.succeeded();
        assert_eq!(finished.count("remote task's value: 18257281.65"), 4, "{}", finished.output);
    });
}

/// Small trees of each kind; the demo compares its count with that of its search in sequence.
#[test]
fn uts() {
    for tree in [
        &["-t", "1", "-a", "3", "-d", "6", "-b", "4", "-r", "19"][..],
        &["-t", "0", "-b", "200", "-q", "0.2", "-m", "4", "-r", "7"],
        &["-t", "2", "-a", "0", "-d", "8", "-b", "4", "-r", "1", "-q", "0.2", "-m", "4"],
        &["-t", "3", "-d", "6", "-b", "4"],
    ] {
        alone_and_on_2_ranks(&[&["demo", "uts", "--grain", "10"], tree].concat(), |finished| {
            finished.succeeded().printed(&["in sequence:", "nodes"]).printed(&["by tasks:", "nodes"]);
        });
    }
}

#[test]
fn uts_refuses_a_tree_that_is_not_published() {
    let launch = Launch::alone(Path::new(env!("CARGO_BIN_EXE_mobula")));
    launch.arg("demo").arg("uts").arg("--tree").arg("T9").run().failed().printed(&["T9", "T1", "T5"]);
}

#[test]
fn cholesky() {
    for (n, tile) in [("256", "64"), ("100", "33"), ("16", "64")] {
        alone_and_on_2_ranks(&["demo", "cholesky", "--n", n, "--tile", tile], |finished| {
            finished.succeeded().printed(&["residual"]);
        });
    }
}

/// A picture in a file of its own, which is removed with this.
struct Picture(PathBuf);

impl Drop for Picture {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn heat() {
    let picture = Picture(std::env::temp_dir().join(format!("mobula-heat-{}.png", std::process::id())));
    let path = picture.0.to_str().expect("a plain name");
    for blocks in ["1", "3"] {
        let words = ["demo", "heat", "--nx", "64", "--ny", "48", "--steps", "50", "--blocks", blocks, "--png", path];
        alone_and_on_2_ranks(&words, |finished| {
            finished.succeeded();
            let bytes = std::fs::read(path).expect("the picture is there");
            assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
            std::fs::remove_file(path).expect("it can be made again");
        });
    }
}

#[test]
fn info_reports_this_host() {
    let launch = Launch::alone(Path::new(env!("CARGO_BIN_EXE_mobula"))).arg("info");
    launch.run().succeeded().printed(&["pages"]).printed(&["shm"]);
}

#[test]
fn info_of_a_cluster_shows_the_transports() {
    alone_and_on_2_ranks(&["info", "--cluster"], |finished| {
        finished.succeeded().printed(&["transports"]).printed(&["rank host"]).printed(&["cluster: "]);
    });
}

#[test]
fn an_unknown_demo_is_refused() {
    let launch = Launch::alone(Path::new(env!("CARGO_BIN_EXE_mobula")));
    launch.arg("demo").arg("tango").run().failed().printed(&["tango"]);
}
