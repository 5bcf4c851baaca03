//! Ranks that no launcher introduces to each other: each a process that a shell starts, and that meets the others at
//! MOBULA_RENDEZVOUS. Every build has them, and nobody kills the others when one of them dies.

use super::{Launch, found};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Starts one process for each word of RANKS, says how those end that do not end well, and fails where one does. The rank ODD
/// holds another secret; the rank LATE comes when the file GO is there. APART begins the command of a rank that is to share no
/// memory with others.
const STARTER: &str = r#"
others=
for rank in $RANKS; do
    (
        export MOBULA_RANK=$rank
        if [ "$rank" = "$ODD" ]; then MOBULA_SECRET=another; fi
        if [ "$rank" = "$LATE" ]; then until [ -e "$GO" ]; do sleep 0.01; done; fi
        if [ -n "$APART" ]; then
            exec $APART sh -c 'hostname "host$MOBULA_RANK" 2>/dev/null; exec "$@"' sh "$@"
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

/// A folder of one test, which goes with it.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Of a name that no other test of this program has.
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mobula-meeting-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder of our own");
        Folder(path)
    }

    /// Where ranks meet.
    pub fn file(&self) -> PathBuf {
        self.0.join("meet")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// These ranks of `size`, each a process of `program`, which meet at `place`.
pub fn started(program: &Path, ranks: &[u32], size: u32, place: &str) -> Launch {
    let shell = found("sh").expect("every system has one");
    let words: Vec<String> = ranks.iter().rev().map(u32::to_string).collect();
    Launch::alone(&shell)
        .arg("-c")
        .arg(STARTER)
        .arg("sh")
        .arg(program)
        .env("RANKS", words.join(" "))
        .env("MOBULA_SIZE", size.to_string())
        .env("MOBULA_RENDEZVOUS", place)
        .env("MOBULA_SECRET", "of these tests")
}

/// As `started`; each rank takes little of this machine.
pub fn small(program: &Path, ranks: &[u32], size: u32, place: &str) -> Launch {
    started(program, ranks, size, place)
        .env("MOBULA_WORKERS", "1")
        .env("MOBULA_STORE_BYTES", if size > 8 { "2M" } else { "8M" })
        .limit(Duration::from_secs(60))
}

/// The command before a rank's own that makes it a host of its own: in another namespace than the others, it shares no memory
/// with them, and no sight of their processes' ends. Nothing, and a line that says why, where there is none.
pub fn apart() -> Option<&'static str> {
    let ways = ["unshare --uts", "unshare --map-root-user --uts"];
    let works = |way: &&&str| {
        let tried = Command::new("sh").args(["-c", &format!("{way} true 2>/dev/null")]).status();
        tried.is_ok_and(|tried| tried.success())
    };
    let way = ways.iter().find(works).copied();
    if way.is_none() {
        assert!(std::env::var("CI").is_err(), "in CI, namespaces can be made");
        println!("left out: no namespaces can be made here, which takes root or a kernel that lets users make theirs");
    }
    way
}

/// Every rank of so many.
pub fn all(size: u32) -> Vec<u32> {
    (0..size).collect()
}

/// A port that was free a moment ago.
pub fn a_port() -> u16 {
    TcpListener::bind("localhost:0").expect("a port").local_addr().expect("its number").port()
}
