//! The limits that the system sets this process, as `ulimit` and `prlimit` show them.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::fs;
use std::io::{Error, Result};

/// Descriptors that a process opens besides those that are counted: segments, sockets that listen, spill files.
const DESCRIPTORS_BESIDE: u64 = 32;

/// Unauthenticated connections for which there is always a descriptor.
const PENDING_MIN: u64 = 4;

/// Raises the soft limit of open descriptors so that this process may open `needed` ones that it keeps and `pending`
/// ones that come and go, as far as the hard limit allows. Returns how many of the latter there may be, at least a few.
///
/// # Errors
/// Where the hard limit is too low even for those few, with what the user can do.
pub fn allow_descriptors(needed: u64, pending: u64) -> Result<u64> {
    let (mut limit, open) = (getrlimit(Resource::Nofile), open_descriptors());
    let plan = plan_descriptors(limit.current, limit.maximum, open, needed, pending).map_err(Error::other)?;
    if let Some(soft) = plan.raised_to {
        limit.current = Some(soft);
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(plan.pending)
}

#[derive(Debug, PartialEq, Eq)]
struct DescriptorPlan {
    /// The new soft limit, if it must be raised.
    raised_to: Option<u64>,
    pending: u64,
}

/// The soft and the hard limit are `None` where there is none.
fn plan_descriptors(
    soft: Option<u64>,
    hard: Option<u64>,
    open: u64,
    needed: u64,
    pending: u64,
) -> std::result::Result<DescriptorPlan, String> {
    let kept = open.saturating_add(needed).saturating_add(DESCRIPTORS_BESIDE);
    let (least, wanted) = (kept.saturating_add(PENDING_MIN.min(pending)), kept.saturating_add(pending));
    if let Some(hard) = hard.filter(|hard| *hard < least) {
        return Err(format!("{least} open files are needed and {hard} are allowed: raise ulimit -n (the hard limit)"));
    }
    let reached = hard.map_or(wanted, |hard| hard.min(wanted));
    let raised_to = soft.filter(|soft| *soft < reached).map(|_| reached);
    Ok(DescriptorPlan { raised_to, pending: (reached - kept).min(pending) })
}

fn open_descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(64, |entries| entries.count() as u64)
}

/// Bytes that this process may still map; `None` without a limit of its address space.
pub fn address_space_left() -> Option<u64> {
    let limit = getrlimit(Resource::As).current?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.split_ascii_whitespace().next());
    Some(limit.saturating_sub(kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) << 10))
}

/// Bytes that a file which this process writes may have, files in memory included; `None` without a limit. A write
/// beyond it is a signal that ends the process: so each length is compared before.
pub fn file_bytes_max() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// The limits in force that can keep memory or threads from this process, for errors; empty if there are none.
pub fn in_force() -> String {
    let limits = [
        (Resource::As, "bytes of address space (ulimit -v)"),
        (Resource::Data, "bytes of data (ulimit -d)"),
        (Resource::Fsize, "bytes a file, those in memory included (ulimit -f)"),
        (Resource::Nproc, "threads of this user (ulimit -u)"),
    ];
    let shown = |(resource, what)| Some(format!("{} {what}", getrlimit(resource).current?));
    let shown: Vec<String> = limits.into_iter().filter_map(shown).collect();
    if shown.is_empty() { String::new() } else { format!("; limits of this process: {}", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_descriptors_than_allowed_is_an_error_with_the_command() {
        allow_descriptors(1, 0).unwrap();
        assert!(allow_descriptors(1 << 40, 0).unwrap_err().to_string().contains("ulimit -n"));
    }

    #[test]
    fn descriptors_follow_the_number_of_ranks() {
        let plan = |soft, hard, ranks| plan_descriptors(Some(soft), Some(hard), 10, ranks, 256);
        let as_it_is = |pending| Ok(DescriptorPlan { raised_to: None, pending });
        assert_eq!(plan(1024, 1024, 2), as_it_is(256));
        assert_eq!(plan(512, 512, 2), as_it_is(256));
        assert_eq!(plan(128, 128, 2), as_it_is(84), "fewer unknown peers may wait");
        assert_eq!(plan(48, 48, 2), as_it_is(4));
        assert!(plan(47, 47, 2).unwrap_err().contains("48 open files are needed and 47 are allowed"));
        assert!(plan(128, 128, 100).is_err());
        assert_eq!(plan(128, 4096, 100), Ok(DescriptorPlan { raised_to: Some(398), pending: 256 }));
        assert_eq!(plan(128, 200, 100), Ok(DescriptorPlan { raised_to: Some(200), pending: 58 }));
        assert_eq!(plan_descriptors(Some(8), None, 10, 2, 0), Ok(DescriptorPlan { raised_to: Some(44), pending: 0 }));
        assert_eq!(plan_descriptors(None, None, 10, 2, 256), as_it_is(256));
        assert!(plan_descriptors(Some(8), Some(8), u64::MAX, 2, 256).is_err());
    }
}
