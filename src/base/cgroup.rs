//! How much memory and CPU time this process may use: the host's, or less where its control groups limit it.

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

/// How many CPUs' time this process may use, by the tightest quota of its control groups; `None` where none is set.
pub fn cpu_quota() -> Option<f64> {
    quota_of(&own_memberships(), Path::new(MOUNTED))
}

/// Like `cpu_quota`, for the text of `/proc/self/cgroup` and the folder where control groups are mounted.
fn quota_of(memberships: &str, mounted: &Path) -> Option<f64> {
    let folders = folders_of(memberships, mounted, "cpu").into_iter();
    folders.filter_map(|(folder, version)| quota_in(&folder, version)).min_by(f64::total_cmp)
}

/// The quota of one group: a time, in which it may use the CPUs within each period.
fn quota_in(folder: &Path, version: Version) -> Option<f64> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let (quota, period) = match version {
        Version::Two => {
            let text = read("cpu.max")?;
            let (quota, period) = text.trim().split_once(' ')?;
            (quota.to_string(), period.to_string())
        }
        Version::One => (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?),
    };
    // No quota is written as `max`, or as -1.
    let (quota, period) = (quota.trim().parse::<f64>().ok()?, period.trim().parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
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
    /// The least of these counts: above `memory.high` the kernel stops nobody, but slows everybody down.
    limits: &'static [&'static str],
    usage: &'static str,
    reclaimable: &'static str,
}

impl Group {
    fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }

    /// `None` where there is no limit: version 2 shows `max`, version 1 a number near 2^63.
    fn limit_bytes(&self) -> Option<u64> {
        let limits = self.limits.iter().filter_map(|file| self.number(file));
        limits.min().filter(|bytes| *bytes < 1 << 60)
    }

    fn available_bytes(&self) -> Option<u64> {
        let limit = self.limit_bytes()?;
        let used = self.number(self.usage)?;
        let statistics = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let cached = keyed_number(&statistics, self.reclaimable).unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(cached)))
    }
}

/// Where control groups are mounted.
const MOUNTED: &str = "/sys/fs/cgroup";

fn own_memberships() -> String {
    fs::read_to_string("/proc/self/cgroup").unwrap_or_default()
}

/// The control groups of this process from its own up to the root: the limits of all of them apply.
fn own_groups() -> Vec<Group> {
    groups_of(&own_memberships(), Path::new(MOUNTED))
}

/// The version of the interface of control groups.
#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

/// The folders of the groups with that controller, from the process's own up to the root.
fn folders_of(memberships: &str, mounted: &Path, controller: &str) -> Vec<(PathBuf, Version)> {
    let mut folders = Vec::new();
    for line in memberships.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (root, version) = if controllers.is_empty() {
            (mounted.to_path_buf(), Version::Two)
        } else if controllers.split(',').any(|named| named == controller) {
            // Controllers that are mounted together have a link by each name.
            (mounted.join(controller), Version::One)
        } else {
            continue;
        };
        let within = Path::new(path.trim_start_matches('/'));
        folders.extend(within.ancestors().map(|part| (root.join(part), version)));
    }
    folders
}

/// Like `own_groups`, for the text of `/proc/self/cgroup` and the folder where control groups are mounted.
fn groups_of(memberships: &str, mounted: &Path) -> Vec<Group> {
    let group = |(folder, version)| match version {
        Version::Two => Group {
            folder,
            limits: &["memory.max", "memory.high"],
            usage: "memory.current",
            reclaimable: "inactive_file",
        },
        Version::One => Group {
            folder,
            limits: &["memory.limit_in_bytes"],
            usage: "memory.usage_in_bytes",
            reclaimable: "total_inactive_file",
        },
    };
    folders_of(memberships, mounted, "memory").into_iter().map(group).collect()
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
        fs::write(root.join("job/step/memory.high"), "900\n").unwrap();
        assert_eq!(limit_of("0::/job/step", &root), Some(900), "where the kernel slows down counts as well");
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

    #[test]
    fn tightest_cpu_quota_of_all_parent_groups_counts() {
        let files = [("cpu.max", "max 100000\n"), ("a/cpu.max", "150000 100000\n"), ("a/b/cpu.max", "400000 100000")];
        let root = tree("quota-v2", &files);
        assert_eq!(quota_of("0::/a/b\n", &root), Some(1.5));
        assert_eq!(quota_of("0::/\n", &root), None);
        fs::remove_dir_all(root).unwrap();
        let files = [
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("cpu/job/cpu.cfs_quota_us", "50000\n"),
            ("cpu/job/cpu.cfs_period_us", "100000\n"),
        ];
        let root = tree("quota-v1", &files);
        assert_eq!(quota_of("3:cpu,cpuacct:/job\n", &root), Some(0.5));
        assert_eq!(quota_of("3:cpu,cpuacct:/gone/in/this/container\n", &root), None);
        assert_eq!(quota_of("3:cpuset:/job\n", &root), None);
        fs::remove_dir_all(root).unwrap();
    }
}
