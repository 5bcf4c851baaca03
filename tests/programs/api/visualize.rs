//! The task graph as a picture, and the timeline of all ranks.

use crate::actors::Counter;
use crate::cases::{Cases, Outcome};
use crate::start::{last_rank, ranks};
use std::fs;
use std::path::PathBuf;

#[mobula::remote]
fn plant(count: u64) -> u64 {
    count
}

#[mobula::remote]
fn harvest(planted: u64, more: u64) -> mobula::Result<u64> {
    Ok(planted + *plant::remote(more).get()?)
}

pub fn run(cases: &mut Cases) {
    cases.case("visualize draws tasks, objects, submissions and data", picture);
    cases.case("timeline writes a trace of every rank", trace);
    cases.case("a file that cannot be written is an error that names it", unwritable);
}

fn work() -> mobula::Result<()> {
    let counter = Counter::remote(0u64);
    for rank in ranks() {
        let planted = plant::on(rank).remote(3u64);
        let harvested = harvest::on(last_rank()).remote(&planted, 4u64);
        assert_eq!(*harvested.get()?, 7);
        counter.add(&harvested).get()?;
    }
    Ok(())
}

/// A temporary file, removed when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("mobula-test-{}-{name}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn picture() -> Outcome {
    work()?;
    let file = Scratch::new("graph.svg");
    mobula::visualize(&file.0)?;
    let svg = fs::read_to_string(&file.0)?;
    assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "no SVG: {svg}");
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    for (element, what) in [("<rect", "boxes"), ("<ellipse", "ovals"), ("stroke-dasharray", "dotted lines")] {
        assert!(svg.contains(element), "no {what}");
    }
    for name in ["plant", "harvest", "Counter.add"] {
        assert!(svg.contains(name), "{name} is not in the picture");
    }
    let boxes = svg.matches("<rect").count();
    assert!(boxes >= 4 * ranks().len(), "{boxes} boxes for four tasks and calls of each rank");
    Ok(())
}

fn trace() -> Outcome {
    work()?;
    let file = Scratch::new("trace.json");
    mobula::timeline(&file.0)?;
    let json = fs::read_to_string(&file.0)?;
    is_balanced(&json);
    for key in ["\"ph\"", "\"ts\"", "\"dur\"", "\"pid\"", "\"tid\"", "plant", "harvest"] {
        assert!(json.contains(key), "no {key} in the trace");
    }
    Ok(())
}

/// Asserts that brackets match and strings end, which needs no parser.
fn is_balanced(json: &str) {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    for letter in json.trim().chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => assert!(letter >= ' ', "a bare control character in a string"),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' => assert_eq!(open.pop(), Some(letter)),
            _ => {}
        }
    }
    assert!(open.is_empty() && !in_string, "the trace is cut off");
    assert!(json.trim().starts_with(['[', '{']));
}

fn unwritable() -> Outcome {
    let path = "/nowhere/at/all/graph.svg";
    for error in [mobula::visualize(path), mobula::timeline(path)].map(|outcome| outcome.expect_err("no such folder")) {
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
    Ok(())
}
