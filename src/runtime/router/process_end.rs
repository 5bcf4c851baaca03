//! How a process of this host ended, as the system says it to others than its parent.
#![allow(unsafe_code)]

use crate::base::process_stat::{EXIT_CODE, ProcessStat};
use std::os::fd::{AsRawFd, BorrowedFd};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// By that signal.
    Signal(i32),
    /// With that exit code.
    Exit(i32),
    /// The system does not say.
    Unknown,
}

/// The ioctl of a pidfd that says how its process ended (Linux 6.15), and the bit of its mask for that.
const PIDFD_GET_INFO: libc::c_ulong = 3 << 30 | (size_of::<PidfdInfo>() as libc::c_ulong) << 16 | 0xff << 8 | 11;
const PIDFD_INFO_EXIT: u64 = 1 << 3;

/// `struct pidfd_info` in its first version.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

impl ProcessEnd {
    /// How the process behind `pidfd`, whose number is `pid`, ended. Until its parent has waited for it, /proc says
    /// so, and after that the pidfd.
    pub fn of(pid: u32, pidfd: BorrowedFd<'_>) -> ProcessEnd {
        let status = of_pidfd(pidfd).or_else(|| of_zombie(pid)).or_else(|| of_pidfd(pidfd));
        status.map_or(ProcessEnd::Unknown, ProcessEnd::of_status)
    }

    /// As `wait` reports it.
    fn of_status(status: i32) -> ProcessEnd {
        match status & 0x7f {
            0 => ProcessEnd::Exit(status >> 8 & 0xff),
            signal => ProcessEnd::Signal(signal),
        }
    }
}

fn of_pidfd(pidfd: BorrowedFd<'_>) -> Option<i32> {
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the kernel writes at most as many bytes as the request names, which is the size of `info`.
    let done = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
    (done == 0 && info.mask & PIDFD_INFO_EXIT != 0).then_some(info.exit_code)
}

fn of_zombie(pid: u32) -> Option<i32> {
    let stat = ProcessStat::of_process(pid).filter(|stat| stat.state() == 'Z')?;
    stat.field(EXIT_CODE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::os::fd::AsFd;
    use std::process::Command;

    #[test]
    fn end_of_a_process_is_known_before_its_parent_has_waited_for_it() {
        let ends = [
            ("exit 0", ProcessEnd::Exit(0)),
            ("exit 3", ProcessEnd::Exit(3)),
            ("exit 255", ProcessEnd::Exit(255)),
            ("kill -s ABRT $$", ProcessEnd::Signal(6)),
            ("kill -s KILL $$", ProcessEnd::Signal(9)),
        ];
        for (script, end) in ends {
            let mut child = Command::new("sh").args(["-c", script]).spawn().expect("it starts");
            let pid = child.id();
            let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("it is not reaped");
            poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None).expect("it ends");
            assert_eq!(ProcessEnd::of(pid, pidfd.as_fd()), end, "{script}");
            child.wait().expect("a child");
            let after = ProcessEnd::of(pid, pidfd.as_fd());
            assert!([end, ProcessEnd::Unknown].contains(&after), "{script}: {after:?} after it was reaped");
        }
    }
}
