//! The stored inputs: the seeds of the fuzzers, encoded from valid values, and inputs that once broke a decoder.

use super::{TARGETS, frame_generators, generators, serialized_value, tcp_frame, value_generators};
use crate::boot::rendezvous::frame::RendezvousFrame;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fs;
use std::path::{Path, PathBuf};

/// The most bytes of all inputs of the tree together.
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
fn every_corpus_input_is_decoded_or_refused() {
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
        "the corpus has {bytes} bytes: keep the seeds, and of the fuzzers' finds only the inputs that broke a decoder"
    );
}

/// `count` values of a strategy, the same ones in each run.
fn samples<T: std::fmt::Debug>(count: usize, strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let prefixed = |step: usize, bytes: Vec<u8>| [vec![[0, 6, 250][step % 3]], bytes].concat();
    match target {
        "message" => samples(60, &generators::message()).iter().map(|message| message.encode(Vec::new())).collect(),
        "serialized_value" => {
            let values = samples(20, &value_generators::nested());
            values.iter().map(|nested| serialized_value::input_of(nested).unwrap()).collect()
        }
        "tcp_frame" => {
            let short = frame_generators::tcp_frame().prop_filter("short", |(_, body)| body.len() < 200);
            let streams = samples(20, &proptest::collection::vec(short, 1..4));
            streams.iter().enumerate().map(|(at, frames)| prefixed(at, tcp_frame::bytes_of(frames))).collect()
        }
        "rendezvous_frame" => {
            let written = |frame: &RendezvousFrame| RendezvousFrame::encode(frame.kind, frame.round, &frame.payload);
            let short = frame_generators::rendezvous_frame().prop_filter("short", |frame| frame.payload.len() < 200);
            let streams = samples(20, &proptest::collection::vec(short, 1..4));
            streams.iter().enumerate().map(|(at, all)| prefixed(at, all.iter().flat_map(written).collect())).collect()
        }
        // An unchanged handshake; changes in each of its three messages; and an unknown peer's messages, whose first
        // bytes are right.
        "handshake" => {
            let changes = [[0, 0, 0], [9, 0, 1], [30, 0, 255], [60, 0, 1], [100, 0, 4], [140, 0, 128]].map(Vec::from);
            let hello = [&b"\xffmobula\n"[..], &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0], &[7; 90]].concat();
            let response = [&b"\xffmobula\n"[..], &[1, 0, 0, 0, 0, 0, 0, 0], &[7; 90]].concat();
            [Vec::from(changes), vec![hello, response]].concat()
        }
        _ => panic!("no seeds of {target}"),
    }
}

/// Not a test: writes the seeds into the folder `SEEDS` (`make corpus`), in one folder for each target.
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
