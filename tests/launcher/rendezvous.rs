//! Ranks without an MPI launcher: a shell starts each as a process, and they meet at MOBULA_RENDEZVOUS. Every build
//! supports them, and no launcher kills the other ranks when one dies.

use super::{Launch, find_program};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Starts one process for each number in RANKS, prints `rank R ended with C` for each nonzero exit code, and then
/// fails. The rank WRONG_SECRET_RANK has another secret; the rank LATE_RANK starts after the file GO_FILE exists.
/// OWN_HOST, if set, starts the command of each rank, and separates the rank from the memory of the others.
const STARTER: &str = r#"
others=
for rank in $RANKS; do
    (
        export MOBULA_RANK=$rank
        if [ "$rank" = "$WRONG_SECRET_RANK" ]; then MOBULA_SECRET=another; fi
        if [ "$rank" = "$LATE_RANK" ]; then until [ -e "$GO_FILE" ]; do sleep 0.01; done; fi
        if [ -n "$OWN_HOST" ]; then
            exec $OWN_HOST sh -c 'hostname "host$MOBULA_RANK" 2>/dev/null; exec "$@"' sh "$@"
        fi
        exec "$@"
    ) &
    others="$rank:$! $others"
done
code=0
for other in $others; do
    wait "${other#*:}" || { echo "rank ${other%:*} ended with $?"; code=1; }
done
exit $code
"#;

/// A folder of one test; dropping this removes it.
pub struct TestFolder(pub PathBuf);

impl TestFolder {
    /// Creates a folder; `name` is unique among the tests of this program.
    pub fn new(name: &str) -> TestFolder {
        let path = std::env::temp_dir().join(format!("mobula-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder of our own");
        TestFolder(path)
    }

    /// The file through which ranks meet.
    pub fn meeting_file(&self) -> PathBuf {
        self.0.join("meet")
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// These ranks of `size`, each a process of `program`, which meet at `meeting_point`.
pub fn launch_ranks(program: &Path, ranks: &[u32], size: u32, meeting_point: &str) -> Launch {
    let shell = find_program("sh").expect("every system has one");
    let words: Vec<String> = ranks.iter().rev().map(u32::to_string).collect();
    Launch::alone(&shell)
        .arg("-c")
        .arg(STARTER)
        .arg("sh")
        .arg(program)
        .env("RANKS", words.join(" "))
        .env("MOBULA_SIZE", size.to_string())
        .env("MOBULA_RENDEZVOUS", meeting_point)
        .env("MOBULA_SECRET", "of these tests")
}

/// Like `launch_ranks`, with one worker and a small store for each rank.
pub fn launch_small_ranks(program: &Path, ranks: &[u32], size: u32, meeting_point: &str) -> Launch {
    launch_ranks(program, ranks, size, meeting_point)
        .env("MOBULA_WORKERS", "1")
        .env("MOBULA_STORE_BYTES", if size > 8 { "2M" } else { "8M" })
        .limit(Duration::from_secs(60))
}

/// The command that runs a rank as a host of its own: in its own namespace, the rank shares no memory with the others
/// and cannot watch their processes. `None`, after a line that tells why, if namespaces cannot be created here.
pub fn own_host_command() -> Option<&'static str> {
    let commands = ["unshare --uts", "unshare --map-root-user --uts"];
    let works = |command: &&&str| {
        let tried = Command::new("sh").args(["-c", &format!("{command} true 2>/dev/null")]).status();
        tried.is_ok_and(|tried| tried.success())
    };
    let command = commands.iter().find(works).copied();
    if command.is_none() {
        assert!(std::env::var("CI").is_err(), "in CI, namespaces can be created");
        println!("left out: namespaces need root, or a kernel that lets users create them");
    }
    command
}

/// All ranks of a cluster of `size`.
pub fn all_ranks(size: u32) -> Vec<u32> {
    (0..size).collect()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("localhost:0").expect("a port").local_addr().expect("its number").port()
}
