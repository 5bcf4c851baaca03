//! Where the library of the launcher may be. Pure, but for [`Places::of_this_process`].

use super::abi::Abi;
use crate::base::process_stat::{PARENT, ProcessStat};
use std::fs;
use std::path::{Path, PathBuf};

/// The programs of MPI libraries that start ranks, by the names of their files.
const LAUNCHERS: &[&str] = &[
    "mpirun",
    "mpiexec",
    "orterun",
    "orted",
    "prterun",
    "prted",
    "prte",
    "mpiexec.hydra",
    "hydra_pmi_proxy",
    "hydra_bstrap_proxy",
];

/// The programs of Slurm that start ranks: what is above them has started the step, not the ranks.
const OTHER_LAUNCHERS: &[&str] = &["slurmstepd", "srun", "slurmd"];

/// Ancestors that are looked at. A rank has a few: shells and wrappers between the launcher and the program.
const ANCESTORS_MAX: usize = 64;

/// The folders of an installation in which libraries lie, relative to its prefix; the third is Debian's, the last is
/// Intel's.
fn library_folders() -> [String; 4] {
    let of_debian = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    ["lib".to_string(), "lib64".to_string(), of_debian, "lib/release".to_string()]
}

/// The names of a library's file, best first. The last is that of any library.
fn names(abi: Abi) -> &'static [&'static str] {
    match abi {
        Abi::OpenMpi => &["libmpi.so.40", "libmpi.so.20", "libmpi_ibm.so.3", "libmpi.so"],
        Abi::Mpich => &["libmpich.so.12", "libmpi.so.12", "libmpi.so"],
    }
}

/// What says where libraries are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// The program of the launcher of this process, if it is of an MPI library and can be seen.
    pub(super) launcher: Option<PathBuf>,
    /// The folders of LD_LIBRARY_PATH.
    pub(super) library_path: Vec<PathBuf>,
    /// The launchers that PATH finds first, without links.
    pub(super) on_path: Vec<PathBuf>,
}

impl Places {
    /// Those of this process.
    pub(super) fn of_this_process() -> Places {
        let folders = |variable: &str| -> Vec<PathBuf> {
            std::env::var_os(variable)
                .map(|value| std::env::split_paths(&value).filter(|path| path.is_absolute()).collect())
                .unwrap_or_default()
        };
        let path = folders("PATH");
        let found = |name: &&str| path.iter().find_map(|folder| fs::canonicalize(folder.join(name)).ok());
        Places {
            launcher: launcher_of(std::process::id(), |pid| {
                let parent = ProcessStat::of_process(pid)?.field(PARENT)?;
                // The program of another user's process is hidden.
                Some((parent, fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default()))
            }),
            library_path: folders("LD_LIBRARY_PATH"),
            on_path: ["mpirun", "mpiexec"].iter().filter_map(found).collect(),
        }
    }
}

/// The program of the nearest launcher above a process, by what `read` tells of each: its parent and its program.
fn launcher_of(pid: u32, read: impl Fn(u32) -> Option<(u32, PathBuf)>) -> Option<PathBuf> {
    let (mut pid, _) = read(pid)?;
    for _ in 0..ANCESTORS_MAX {
        let (parent, program) = read(pid)?;
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        if LAUNCHERS.contains(&&*name) {
            return Some(program);
        }
        if OTHER_LAUNCHERS.contains(&&*name) {
            return None;
        }
        pid = parent;
    }
    None
}

/// The folders in which a library is looked for, best first: those of the launcher's own installation, those that the
/// user names for all libraries, those of the MPI whose `mpirun` the user has on PATH.
pub(super) fn folders(places: &Places) -> Vec<PathBuf> {
    let of_installation = |program: &PathBuf| -> Vec<PathBuf> {
        let prefix = program.parent().and_then(Path::parent);
        prefix.map_or(Vec::new(), |prefix| library_folders().map(|folder| prefix.join(folder)).to_vec())
    };
    let of_launcher = places.launcher.iter().flat_map(of_installation);
    let on_path = places.on_path.iter().flat_map(of_installation);
    let mut all: Vec<PathBuf> = Vec::new();
    for folder in of_launcher.chain(places.library_path.iter().cloned()).chain(on_path) {
        if !all.contains(&folder) {
            all.push(folder);
        }
    }
    all
}

/// The files of these folders that exist and may be the library, then names for the system's loader, best first.
pub(super) fn candidates(abi: Abi, folders: &[PathBuf], exists: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let files = folders.iter().flat_map(|folder| names(abi).iter().map(|name| folder.join(name)));
    files.filter(|path| exists(path)).chain(names(abi).iter().map(PathBuf::from)).collect()
}

/// What was looked for, and which files cannot be used.
pub(super) fn description(abi: Abi, folders: &[PathBuf], unusable: &[String]) -> String {
    let places = folders.iter().map(|folder| folder.display().to_string());
    let places: Vec<String> = places.chain(["the folders of the system's loader".to_string()]).collect();
    let unusable = if unusable.is_empty() { String::new() } else { format!(" (not usable: {})", unusable.join("; ")) };
    let names = names(abi).join(", ");
    format!("no library of {abi} was found: looked for {names} in {}{unusable}", places.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pid: u32) -> Option<(u32, PathBuf)> {
        let (parent, program) = match pid {
            9 => (8, "/home/me/app"),
            8 => (7, "/usr/bin/bash"),
            7 => (6, "/opt/mpich/bin/hydra_pmi_proxy"),
            6 => (5, "/opt/other/bin/mpiexec.hydra"),
            5 => (1, "/usr/bin/bash"),
            19 => (18, "/home/me/app"),
            18 => (7, "/usr/sbin/slurmstepd"),
            1 => (0, "/sbin/init"),
            _ => return None,
        };
        Some((parent, program.into()))
    }

    #[test]
    fn nearest_launcher_tells_the_installation() {
        assert_eq!(launcher_of(9, tree), Some("/opt/mpich/bin/hydra_pmi_proxy".into()));
        assert_eq!(launcher_of(7, tree), Some("/opt/other/bin/mpiexec.hydra".into()));
        assert_eq!(launcher_of(6, tree), None);
        assert_eq!(launcher_of(19, tree), None, "Slurm started the rank, whoever started Slurm");
    }

    #[test]
    fn launcher_s_own_library_is_tried_first_and_names_last() {
        let places = Places {
            launcher: Some("/opt/mpich/bin/hydra_pmi_proxy".into()),
            library_path: vec!["/opt/mine".into()],
            on_path: vec!["/usr/bin/orterun".into(), "/usr/bin/orterun".into()],
        };
        let folders = folders(&places);
        let expected = ["/opt/mpich/lib", "/opt/mine", "/usr/lib"].map(PathBuf::from);
        let found: Vec<&PathBuf> = folders.iter().filter(|folder| expected.contains(folder)).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>());
        let there = ["/usr/lib/libmpi.so.12", "/opt/mpich/lib/libmpi.so.12", "/opt/mpich/lib/libmpi.so"];
        let found = candidates(Abi::Mpich, &folders, |path| there.iter().any(|known| path == Path::new(known)));
        let expected = [there[1], there[2], there[0], "libmpich.so.12", "libmpi.so.12", "libmpi.so"];
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn description_names_files_folders_and_what_cannot_be_used() {
        let text = description(Abi::Mpich, &["/opt/lib".into()], &["/opt/lib/libmpi.so: it is Open MPI's".to_string()]);
        for part in [
            "no library of MPICH was found: looked for libmpich.so.12",
            "/opt/lib",
            "the system's loader",
            "not usable: /opt/lib/libmpi.so: it is",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!description(Abi::OpenMpi, &[], &[]).contains("not usable"));
    }
}
