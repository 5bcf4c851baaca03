//! What a process uses, and whether it stays the same.

use std::time::Duration;

/// How much more memory a process that used `kib` may use at the end, between two deaths that are `part` apart: 1 %. In
/// less than five minutes caches and the allocator's pools still fill; then only large leaks are found.
pub fn allowed_growth(kib: u64, part: Duration) -> u64 {
    if part < Duration::from_secs(300) { 8 << 10 } else { kib / 100 }
}

/// A process of the cluster, on this host.
pub struct Process {
    pub rank: u32,
    pub id: u32,
}

/// What a process uses at one time.
#[derive(Clone, Copy)]
pub struct Usage {
    /// Memory of its own that is resident, KiB: without files and without the store, which ranks of a host share.
    memory_kib: u64,
    descriptors: usize,
    threads: usize,
}

impl Process {
    pub fn usage(&self) -> Usage {
        let entries = |of: &str| std::fs::read_dir(format!("/proc/{}/{of}", self.id)).map_or(0, Iterator::count);
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap_or_default();
        let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let memory_kib = memory.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        Usage { memory_kib, descriptors: entries("fd"), threads: entries("task") }
    }
}

/// The median of the first and of the last quarter of the samples.
fn ends<T: Ord + Copy>(samples: &[Usage], of: impl Fn(&Usage) -> T) -> Option<(T, T)> {
    let quarter = samples.len().div_ceil(4);
    let median = |part: &[Usage]| {
        let mut values: Vec<T> = part.iter().map(&of).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    Some((median(&samples[..quarter])?, median(&samples[samples.len() - quarter..])?))
}

pub fn describe(process: &Process, samples: &[Usage]) -> String {
    let Some((memory, descriptors, threads)) = all_ends(samples) else {
        return format!("rank {}: no round was measured", process.rank);
    };
    format!(
        "rank {}: {} to {} KiB, {} to {} descriptors, {} to {} threads, {} samples",
        process.rank,
        memory.0,
        memory.1,
        descriptors.0,
        descriptors.1,
        threads.0,
        threads.1,
        samples.len()
    )
}

type Ends<T> = (T, T);

fn all_ends(samples: &[Usage]) -> Option<(Ends<u64>, Ends<usize>, Ends<usize>)> {
    let memory = ends(samples, |usage| usage.memory_kib)?;
    Some((memory, ends(samples, |usage| usage.descriptors)?, ends(samples, |usage| usage.threads)?))
}

/// What did not stay the same.
pub fn check(process: &Process, samples: &[Usage], part: Duration) -> Vec<String> {
    let of = format!("rank {} (process {})", process.rank, process.id);
    let Some((memory, descriptors, threads)) = all_ends(samples) else {
        return vec![format!("{of}: no round was measured, give it more minutes")];
    };
    let mut failures = Vec::new();
    if memory.1 > memory.0 + allowed_growth(memory.0, part) {
        failures.push(format!("{of}: its memory grew from {} to {} KiB", memory.0, memory.1));
    }
    if descriptors.0 != descriptors.1 {
        failures.push(format!("{of}: it had {} descriptors and has {}", descriptors.0, descriptors.1));
    }
    if threads.0 != threads.1 {
        failures.push(format!("{of}: it had {} threads and has {}", threads.0, threads.1));
    }
    failures
}
