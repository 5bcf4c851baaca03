//! What the kernel reports of the host and the job beyond the topology: the host's name, its memory, and the memory
//! limit of the job's cgroup (which Slurm's `--mem` and containers set).

use super::error::TopologyError;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The host's name.
pub(super) fn hostname() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_string(),
        name => name.to_string(),
    }
}

/// Memory of the host, bytes. Its memory nodes need not add up to it: memory that was plugged in later may belong to
/// none.
pub(super) fn memory_bytes() -> Result<u64, TopologyError> {
    let meminfo = fs::read_to_string("/proc/meminfo").map_err(|error| TopologyError::Meminfo(Arc::new(error)))?;
    total_bytes(&meminfo).ok_or(TopologyError::NoMemTotal)
}

/// Bytes of the line `... MemTotal: N kB` of a meminfo file.
pub(super) fn total_bytes(meminfo: &str) -> Option<u64> {
    let (_, rest) = meminfo.split_once("MemTotal:")?;
    let kib: u64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// The least limit among this process's cgroup and those above it, bytes; `None` where none is set.
pub(super) fn memory_limit_bytes() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups.lines().filter_map(|line| limit_of(line, Path::new("/sys/fs/cgroup"))).min()
}

/// The least limit along one line `hierarchy:controllers:path` of `/proc/self/cgroup`.
fn limit_of(line: &str, root: &Path) -> Option<u64> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let (root, file) = match controllers {
        "" => (root.to_path_buf(), "memory.max"),
        _ if controllers.split(',').any(|name| name == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
        _ => return None,
    };
    let group = root.join(path.trim_start_matches('/'));
    group
        .ancestors()
        .take_while(|ancestor| ancestor.starts_with(&root))
        .filter_map(|ancestor| fs::read_to_string(ancestor.join(file)).ok())
        .filter_map(|limit| limit.trim().parse().ok())
        // Version 1 reports "no limit" as a number near 2^63.
        .filter(|limit: &u64| *limit < 1 << 60)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("mobula-cgroup-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn meminfo_total_is_converted_from_kib() {
        assert_eq!(total_bytes("Node 0 MemTotal:       1024 kB\nNode 0 MemFree: 1 kB"), Some(1 << 20));
        assert_eq!(total_bytes("MemFree: 1 kB"), None);
    }

    #[test]
    fn least_limit_of_all_parent_groups_counts() {
        let limits = [("memory.max", "max"), ("job/memory.max", "1000\n"), ("job/step/memory.max", "max\n")];
        let root = tree("v2", &limits);
        assert_eq!(limit_of("0::/job/step", &root), Some(1000));
        assert_eq!(limit_of("0::/", &root), None);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn version_one_limit_is_read_and_its_no_limit_is_ignored() {
        let none = ("memory/memory.limit_in_bytes", "9223372036854771712\n");
        let root = tree("v1", &[none, ("memory/job/memory.limit_in_bytes", "2048\n")]);
        assert_eq!(limit_of("4:memory:/job", &root), Some(2048));
        assert_eq!(limit_of("4:cpu,memory:/", &root), None);
        assert_eq!(limit_of("4:cpu:/job", &root), None);
        fs::remove_dir_all(root).unwrap();
    }
}
