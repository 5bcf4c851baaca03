//! Resources: what a task requests, what runs at once, and what can never run.

use super::tour::show;
use crate::failure::Result;
use mobula::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// When a task ran, in microseconds of the system's clock.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Span {
    began: u128,
    ended: u128,
}

/// Four of ten CPUs: two fit at once.
#[mobula::remote(num_cpus = 4)]
fn wide() -> Span {
    let began = now();
    std::thread::sleep(Duration::from_millis(30));
    Span { began, ended: now() }
}

#[mobula::remote(num_gpus = 0.5)]
fn half_a_gpu() -> usize {
    mobula::context().gpus().len()
}

#[mobula::remote(resources = { "Custom": 1 })]
fn custom() -> String {
    "ran".to_string()
}

#[mobula::remote]
fn ordinary() -> f64 {
    mobula::context().cpus()
}

fn now() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros()
}

/// Shows resources.
pub fn run() -> Result<()> {
    let totals = mobula::cluster_resources();
    let hosts = mobula::nodes().len();
    let line: Vec<String> = totals.iter().map(|(name, amount)| format!("{amount} {name}")).collect();
    show("what the cluster has", line.join(", "), totals.get("CPU") == Some(&(10.0 * hosts as f64)))?;
    let default = ordinary::remote().get()?;
    show("CPUs a task asks for by default", *default, *default == 1.0)?;

    let spans: Vec<ObjectRef<Span>> = (0..6).map(|_| wide::remote()).collect();
    let spans: Vec<Span> = mobula::get_all(&spans)?.iter().map(|span| **span).collect();
    let most = at_once(&spans);
    show("4 of 10 CPUs each: most at once", format!("{most} of six"), most <= 2 * hosts)?;

    let gpus = half_a_gpu::remote().get()?;
    show("half a GPU: devices assigned", *gpus, *gpus == 1)?;
    let ran = custom::remote().get()?;
    show("a resource of our own naming", &*ran, *ran == "ran")?;

    let refused = ordinary::options().num_cpus(1000.0).remote().get();
    let unschedulable = matches!(refused, Err(mobula::Error::Unschedulable { .. }));
    show("a thousand CPUs", refused.err().map_or("ran".to_string(), |error| error.to_string()), unschedulable)
}

/// The most spans that overlap at any time: at the beginning of one of them.
fn at_once(spans: &[Span]) -> usize {
    let running = |moment: u128| spans.iter().filter(|span| (span.began..span.ended).contains(&moment)).count();
    spans.iter().map(|span| running(span.began)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_counted() {
        let span = |began, ended| Span { began, ended };
        assert_eq!(at_once(&[span(0, 10), span(10, 20)]), 1);
        assert_eq!(at_once(&[span(0, 10), span(5, 20), span(9, 12)]), 3);
        assert_eq!(at_once(&[]), 0);
    }
}
