//! Inputs that are kept: the seeds of the fuzzers, made of valid values, and what broke a decoder once.

use super::{TARGETS, generators, parcel, tcp_frame};
use crate::boot::rendezvous::frame::Frame;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of all inputs together that the tree holds at most.
const CORPUS_BYTES_MAX: u64 = 200 << 10;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

fn inputs(target: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(target)).unwrap_or_else(|error| panic!("no corpus of {target}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_input_of_the_corpus_is_read_or_refused() {
    let mut bytes = 0;
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            bytes += input.len() as u64;
            // The test's output names the input that fails.
            println!("{}", path.display());
            target(&input);
        }
    }
    assert!(
        bytes <= CORPUS_BYTES_MAX,
        "the corpus has {bytes} bytes: keep the seeds, and of what fuzzers found the inputs that broke something"
    );
}

/// So many values of a strategy, the same ones each time.
fn samples<T: std::fmt::Debug>(count: usize, strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let prefixed = |step: usize, bytes: Vec<u8>| [vec![[0, 6, 250][step % 3]], bytes].concat();
    match target {
        "message" => samples(60, &generators::message()).iter().map(|message| message.encode(Vec::new())).collect(),
        "parcel" => samples(20, &generators::nested()).iter().map(|nested| parcel::input_of(nested).unwrap()).collect(),
        "tcp_frame" => {
            let short = generators::tcp_frame().prop_filter("short", |(_, body)| body.len() < 200);
            let streams = samples(20, &proptest::collection::vec(short, 1..4));
            streams.iter().enumerate().map(|(at, frames)| prefixed(at, tcp_frame::bytes_of(frames))).collect()
        }
        "rendezvous_frame" => {
            let written = |frame: &Frame| Frame::encode(frame.kind, frame.round, &frame.payload);
            let short = generators::rendezvous_frame().prop_filter("short", |frame| frame.payload.len() < 200);
            let streams = samples(20, &proptest::collection::vec(short, 1..4));
            streams.iter().enumerate().map(|(at, all)| prefixed(at, all.iter().flat_map(written).collect())).collect()
        }
        // A word said as it is; a change of each of the three; and a stranger's words, of which the first ones are right.
        "handshake" => {
            let changes = [[0, 0, 0], [9, 0, 1], [30, 0, 255], [60, 0, 1], [100, 0, 4], [140, 0, 128]].map(Vec::from);
            let hello = [&b"\xffmobula\n"[..], &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0], &[7; 90]].concat();
            let answer = [&b"\xffmobula\n"[..], &[1, 0, 0, 0, 0, 0, 0, 0], &[7; 90]].concat();
            [Vec::from(changes), vec![hello, answer]].concat()
        }
        _ => panic!("no seeds of {target}"),
    }
}

/// Not a test: writes the seeds into the folder `SEEDS` (`make corpus`), a folder a target.
#[test]
#[ignore = "it writes files: see make corpus"]
fn write_the_seeds() {
    let to = PathBuf::from(std::env::var_os("SEEDS").expect("SEEDS names a folder"));
    for (name, target) in TARGETS {
        fs::create_dir_all(to.join(name)).unwrap();
        for (number, seed) in seeds(name).iter().enumerate() {
            target(seed);
            fs::write(to.join(name).join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}
