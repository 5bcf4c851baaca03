//! How much memory this process may use: the host's, or less where its control groups limit it.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of memory that this process may ever use: the host's, or the tightest limit of its control groups.
pub fn memory_total_bytes() -> u64 {
    let host = meminfo_bytes("MemTotal:").unwrap_or(u64::MAX);
    memory_limit_bytes().map_or(host, |limit| limit.min(host))
}

/// The tightest limit of this process's control groups, bytes; `None` where none is set.
pub fn memory_limit_bytes() -> Option<u64> {
    own_groups().iter().filter_map(Group::limit_bytes).min()
}

/// Bytes of memory that could be allocated now without evicting pages of any process, within the same limits.
pub fn memory_available_bytes() -> u64 {
    let host = meminfo_bytes("MemAvailable:").unwrap_or(u64::MAX);
    own_groups().iter().filter_map(Group::available_bytes).fold(host, u64::min)
}

fn meminfo_bytes(key: &str) -> Option<u64> {
    keyed_number(&fs::read_to_string("/proc/meminfo").ok()?, key).map(|kib| kib << 10)
}

/// The number after `key` in lines of `key number ...`.
fn keyed_number(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(key))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// One control group with a memory controller, and the file names that its version of the interface uses.
struct Group {
    folder: PathBuf,
    limit: &'static str,
    usage: &'static str,
    reclaimable: &'static str,
}

impl Group {
    fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }

    /// `None` where there is no limit: version 2 shows `max`, version 1 a number near 2^63.
    fn limit_bytes(&self) -> Option<u64> {
        self.number(self.limit).filter(|bytes| *bytes < 1 << 60)
    }

    fn available_bytes(&self) -> Option<u64> {
        let limit = self.limit_bytes()?;
        let used = self.number(self.usage)?;
        let statistics = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let cached = keyed_number(&statistics, self.reclaimable).unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(cached)))
    }
}

/// The control groups of this process from its own up to the root: the limits of all of them apply.
fn own_groups() -> Vec<Group> {
    groups_of(&fs::read_to_string("/proc/self/cgroup").unwrap_or_default(), Path::new("/sys/fs/cgroup"))
}

/// Like `own_groups`, for the text of `/proc/self/cgroup` and the folder where control groups are mounted.
fn groups_of(memberships: &str, mounted: &Path) -> Vec<Group> {
    let mut groups = Vec::new();
    for line in memberships.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (root, limit, usage, reclaimable) = if controllers.is_empty() {
            (mounted.to_path_buf(), "memory.max", "memory.current", "inactive_file")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            let root = mounted.join("memory");
            (root, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        } else {
            continue;
        };
        let within = Path::new(path.trim_start_matches('/'));
        groups.extend(within.ancestors().map(|part| Group { folder: root.join(part), limit, usage, reclaimable }));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_at_most_the_total() {
        let (total, available) = (memory_total_bytes(), memory_available_bytes());
        assert!((1 << 20..1 << 60).contains(&total), "{total}");
        assert!(available <= total, "{available} of {total}");
    }

    #[test]
    fn nested_control_groups_yield_the_tightest_limit() {
        let root = std::env::temp_dir().join(format!("mobula-groups-{}", std::process::id()));
        let job = root.join("slurm/job");
        fs::create_dir_all(&job).expect("a folder for the test");
        fs::write(root.join("slurm/memory.max"), "1000000\n").expect("written");
        fs::write(root.join("slurm/memory.current"), "400000\n").expect("written");
        fs::write(root.join("slurm/memory.stat"), "anon 5\ninactive_file 100000\n").expect("written");
        fs::write(job.join("memory.max"), "max\n").expect("written");
        let groups = groups_of("0::/slurm/job\n", &root);
        let limits: Vec<Option<u64>> = groups.iter().map(Group::limit_bytes).collect();
        let available: Vec<Option<u64>> = groups.iter().map(Group::available_bytes).collect();
        fs::remove_dir_all(&root).expect("removed");
        assert_eq!(limits, [None, Some(1_000_000), None]);
        assert_eq!(available, [None, Some(700_000), None]);
    }

    fn tree(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("mobula-cgroup-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn limit_of(membership: &str, root: &Path) -> Option<u64> {
        groups_of(membership, root).iter().filter_map(Group::limit_bytes).min()
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

    #[test]
    fn version_one_membership_yields_the_memory_controllers_folders() {
        let groups = groups_of("5:cpu,cpuacct:/a\n4:memory:/a/b\n", Path::new("/groups"));
        let folders: Vec<_> = groups.iter().map(|group| group.folder.to_string_lossy().into_owned()).collect();
        assert_eq!(folders, ["/groups/memory/a/b", "/groups/memory/a", "/groups/memory/"]);
    }
}
