//! The lines that tasks print on a rank without a driver: taken from its standard output, sent to the driver.
#![allow(unsafe_code)]

use crate::base::{Error, Result};
use crate::node::Node;
use crate::protocol::Message;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::thread::JoinHandle;

/// Bytes of a line that are forwarded; the rest of a longer one follows as a line of its own.
const LINE_BYTES_MAX: usize = 16 << 10;

/// A standard output that is forwarded until `end`.
pub struct Capture {
    /// What standard output was.
    before: OwnedFd,
    reader: JoinHandle<()>,
}

impl Capture {
    /// From now on what this process prints goes to the driver.
    ///
    /// # Errors
    /// Where the system gives no pipe or thread.
    pub fn begin(node: &'static Node) -> Result<Capture> {
        let failed = |what: &str| Error::config(format!("{what}: {}", std::io::Error::last_os_error()));
        let mut ends = [0; 2];
        // SAFETY: plain system calls on this process's own descriptors; each new one is owned exactly once below.
        let (before, from) = unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return Err(failed("no pipe for the output of tasks"));
            }
            let (from, into) = (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]));
            let before = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
            if before < 0 || libc::dup2(into.as_raw_fd(), 1) < 0 {
                return Err(failed("standard output cannot be forwarded"));
            }
            (OwnedFd::from_raw_fd(before), from)
        };
        let reader = std::thread::Builder::new()
            .name("mobula-output".to_string())
            .spawn(move || forward(node, File::from(from)))
            .map_err(|error| Error::config(format!("no thread for the output of tasks: {error}")))?;
        Ok(Capture { before, reader })
    }

    /// Standard output is what it was; what was printed has been sent.
    pub fn end(self) {
        let _ = std::io::stdout().flush();
        // SAFETY: `before` is open; replacing descriptor 1 closes the pipe's last writing end.
        unsafe { libc::dup2(self.before.as_raw_fd(), 1) };
        let _ = self.reader.join();
    }
}

fn forward(node: &'static Node, from: File) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while std::io::Read::take(&mut reader, LINE_BYTES_MAX as u64)
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
        node.send(0, &Message::Line { task: node.printing_task(), text });
        line.clear();
    }
}
