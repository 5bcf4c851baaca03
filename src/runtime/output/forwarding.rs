//! Forwards the lines that tasks print on a rank without a driver from its standard output to the driver.
//!
//! Standard output is a pipe meanwhile. When a task ends that ran long enough to have printed, its worker checks the
//! pipe and sends what is in it under the task's name; so a short task's line is not attributed to the next. Lines that
//! stay longer are sent by a separate thread under the name of the task that started last. With several tasks at once
//! on one rank, a line can be sent under the name of another of them.
#![allow(unsafe_code)]

use crate::base::sync::{AtomicI32, AtomicPtr, AtomicU64, Ordering, lock};
use crate::base::{Error, Result};
use crate::protocol::Message;
use crate::registry::{TableEntry, TaskHeader};
use crate::runtime::Runtime;
use crate::runtime::output::lines::{LineSplitter, PrintedLine};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A task that ran shorter than this printed nothing: the system call alone takes longer.
const PRINT_NS_MIN: u64 = 500;

/// How long the thread leaves lines to the task that printed them.
const LINE_AGE: Duration = Duration::from_millis(2);

/// The state of forwarding on this rank.
pub struct OutputForwarding {
    /// The pipe's reading end, -1 while nothing is forwarded.
    descriptor: AtomicI32,
    /// What was printed and not sent.
    lines: Mutex<LineSplitter>,
    /// The function of the task that began last.
    last_task: AtomicPtr<TableEntry>,
    /// PRINT_NS_MIN in ticks.
    print_ticks_min: AtomicU64,
}

impl Default for OutputForwarding {
    fn default() -> Self {
        OutputForwarding {
            descriptor: AtomicI32::new(-1),
            lines: Mutex::default(),
            last_task: AtomicPtr::new(std::ptr::null_mut()),
            print_ticks_min: AtomicU64::new(0),
        }
    }
}

impl OutputForwarding {
    /// A task begins here: the lines printed from now on count as its own.
    #[inline]
    fn mark_running(&self, entry: Option<&'static TableEntry>) {
        if let Some(entry) = entry {
            self.last_task.store(std::ptr::from_ref(entry).cast_mut(), Ordering::Relaxed);
        }
    }

    /// The task that printed a line that just came: the last one that began, which may be wrong on a rank with several
    /// workers.
    fn printing_task(&self) -> String {
        let entry = self.last_task.load(Ordering::Relaxed);
        if entry.is_null() {
            return String::new();
        }
        // SAFETY: only `&'static TableEntry`s are stored.
        unsafe { &*entry }.name.to_string()
    }
}

/// A standard output that is forwarded until `end`.
pub struct Capture {
    runtime: &'static Runtime,
    /// The previous standard output.
    before: OwnedFd,
    from: Arc<OwnedFd>,
    reader: JoinHandle<()>,
    /// Dropped to end the reader: processes that tasks started may have the pipe open for as long as they like.
    stop: PipeWriter,
}

impl Capture {
    /// Starts to forward what this process prints to the driver.
    ///
    /// # Errors
    /// If the system gives no pipe or thread.
    pub fn begin(runtime: &'static Runtime) -> Result<Capture> {
        let failed = |what: &str| Error::config(format!("{what}: {}", std::io::Error::last_os_error()));
        let mut ends = [0; 2];
        // SAFETY: plain system calls on this process's own descriptors; each new one is owned exactly once below. Only
        // the reading end does not block.
        let (before, from) = unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return Err(failed("no pipe for the output of tasks"));
            }
            let (from, into) = (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]));
            libc::fcntl(from.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
            let before = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
            if before < 0 || libc::dup2(into.as_raw_fd(), 1) < 0 {
                return Err(failed("standard output cannot be forwarded"));
            }
            (OwnedFd::from_raw_fd(before), Arc::new(from))
        };
        let ticks = runtime.output.ticks.count_in(PRINT_NS_MIN);
        runtime.output.forwarding.print_ticks_min.store(ticks, Ordering::Relaxed);
        runtime.output.forwarding.descriptor.store(from.as_raw_fd(), Ordering::Release);
        let reader_end = from.clone();
        let no_thread = |error| Error::config(format!("no thread for the output of tasks: {error}")).caused_by(&error);
        let (stopped, stop) = std::io::pipe().map_err(no_thread)?;
        let reader = std::thread::Builder::new()
            .name("mobula-output".to_string())
            .spawn(move || forward(runtime, &reader_end, &stopped))
            .map_err(no_thread)?;
        Ok(Capture { runtime, before, from, reader, stop })
    }

    /// Restores standard output, after everything that this process printed has been sent.
    pub fn end(self) {
        let _ = std::io::stdout().flush();
        // SAFETY: `before` is open.
        unsafe { libc::dup2(self.before.as_raw_fd(), 1) };
        drop(self.stop);
        let _ = self.reader.join();
        self.runtime.output.forwarding.descriptor.store(-1, Ordering::Release);
        drop(self.from);
    }
}

/// Sends lines that no task's end sent, until the other end of `stopped` is closed.
fn forward(runtime: &'static Runtime, from: &OwnedFd, stopped: &PipeReader) {
    let mut watched =
        [from.as_raw_fd(), stopped.as_raw_fd()].map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    loop {
        // SAFETY: valid pollfds of open descriptors.
        unsafe { libc::poll(watched.as_mut_ptr(), watched.len() as libc::nfds_t, -1) };
        let is_last = watched[1].revents != 0;
        if !is_last {
            std::thread::sleep(LINE_AGE);
        }
        let task = runtime.output.forwarding.printing_task();
        take_lines(runtime, from.as_raw_fd(), &task);
        if is_last {
            let rest = lock(&runtime.output.forwarding.lines).finish();
            rest.into_iter().for_each(|line| send_line(runtime, &task, line));
            return;
        }
    }
}

/// A task that runs on a rank whose output is forwarded.
pub struct Printing<'a> {
    runtime: &'static Runtime,
    header: &'a TaskHeader,
    /// In ticks.
    began: u64,
}

impl Drop for Printing<'_> {
    fn drop(&mut self) {
        let output = &self.runtime.output;
        let passed = output.ticks.now().saturating_sub(self.began);
        if passed < output.forwarding.print_ticks_min.load(Ordering::Relaxed) {
            return;
        }
        send_printed(self.runtime, self.header.name());
    }
}

/// Sends what was printed and not sent under the name of `task`, if the output is forwarded.
pub fn send_printed(runtime: &'static Runtime, task: &str) {
    let descriptor = runtime.output.forwarding.descriptor.load(Ordering::Acquire);
    let mut waiting: libc::c_int = 0;
    // SAFETY: reads how many bytes wait; a descriptor that was closed meanwhile is an error, not a fault.
    let result = unsafe { libc::ioctl(descriptor, libc::FIONREAD, &mut waiting) };
    if result == 0 && waiting > 0 {
        take_lines(runtime, descriptor, task);
    }
}

/// A thread of a task of that function begins to print.
pub fn mark_printing(runtime: &'static Runtime, entry: Option<&'static TableEntry>) {
    if runtime.output.forwarding.descriptor.load(Ordering::Relaxed) >= 0 {
        runtime.output.forwarding.mark_running(entry);
    }
}

/// The task starts; the caller drops the returned guard when it ends. `None` if the output is not forwarded.
#[inline]
pub fn printing<'a>(runtime: &'static Runtime, header: &'a TaskHeader) -> Option<Printing<'a>> {
    if runtime.output.forwarding.descriptor.load(Ordering::Relaxed) < 0 {
        return None;
    }
    runtime.output.forwarding.mark_running(header.entry);
    Some(Printing { runtime, header, began: runtime.output.ticks.now() })
}

/// Sends what is in the pipe.
fn take_lines(runtime: &'static Runtime, descriptor: i32, task: &str) {
    // SAFETY: the descriptor is open while the capture lasts; the File is not dropped, so it does not close it.
    let mut pipe = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(descriptor) });
    let mut lines = lock(&runtime.output.forwarding.lines);
    let mut bytes = [0u8; 8192];
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => lines.push(&bytes[..read], |line| send_line(runtime, task, line)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn send_line(runtime: &'static Runtime, task: &str, line: PrintedLine) {
    let PrintedLine { text, is_overprinted } = line;
    runtime.send(0, &Message::Line { task: task.to_string(), text, is_overprinted });
}
