//! What the kernel tells of a thread of this process: in which system call it is blocked, if it is, and how long it
//! has run.

use crate::base::process_stat::{ProcessStat, SYSTEM_TIME, USER_TIME};

/// The kernel's number of the calling thread, as `/proc` has it; 0 where there is no `/proc`.
pub fn own_thread_number() -> u32 {
    // Not `gettid`: `/proc` may be that of an outer PID namespace, with numbers of its own.
    let own = std::fs::read_link("/proc/thread-self").ok();
    own.and_then(|path| path.file_name()?.to_str()?.parse().ok()).unwrap_or(0)
}

/// A system call in which a thread is blocked. Two that are equal are the same wait, as far as the kernel tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedCall {
    /// The call's number, its arguments and the thread's registers. How often the thread has blocked, where the kernel
    /// does not show these, and for sleeps, which follow each other with the same ones.
    text: String,
    /// True for a call by which a thread waits for other threads; others wait for devices, processes or time.
    pub awaits_threads: bool,
    /// True for a call by which a thread sleeps for a time.
    pub is_sleep: bool,
}

#[cfg(test)]
impl BlockedCall {
    /// Some call.
    pub fn for_test(awaits_threads: bool) -> BlockedCall {
        BlockedCall { text: String::new(), awaits_threads, is_sleep: false }
    }

    /// The sleep of that number of a thread.
    pub fn sleep_for_test(number: u32) -> BlockedCall {
        BlockedCall { text: number.to_string(), awaits_threads: false, is_sleep: true }
    }
}

impl BlockedCall {
    /// What the kernel says of it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The calls by which threads wait for each other: locks, channels, joins, and the loops of async runtimes.
const CALLS_FOR_THREADS: &[libc::c_long] = &[
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
];

/// `/proc` counts in hundredths of a second, whatever the kernel itself does.
const CLOCK_TICK_NS: u64 = 10_000_000;

/// The calls by which a thread sleeps for a time.
const SLEEPS: &[libc::c_long] = &[libc::SYS_clock_nanosleep, libc::SYS_nanosleep];

/// The call in which the thread of that number is blocked; `None` if it runs, has ended, or cannot be seen.
pub fn blocked_call(number: u32) -> Option<BlockedCall> {
    match std::fs::read_to_string(format!("/proc/self/task/{number}/syscall")) {
        Ok(text) => match parse_call(text)? {
            sleep if sleep.is_sleep => Some(BlockedCall { text: blocked_count(number)?, ..sleep }),
            call => Some(call),
        },
        Err(_) if is_blocked(number) => {
            Some(BlockedCall { text: blocked_count(number)?, awaits_threads: false, is_sleep: false })
        }
        Err(_) => None,
    }
}

/// `running`, or a call's number, or -1 outside of any call.
fn parse_call(text: String) -> Option<BlockedCall> {
    let call: libc::c_long = text.split_whitespace().next()?.parse().ok()?;
    let (awaits_threads, is_sleep) = (CALLS_FOR_THREADS.contains(&call), SLEEPS.contains(&call));
    (call >= 0).then_some(BlockedCall { text, awaits_threads, is_sleep })
}

/// How long the thread of that number has run or waited for a processor, ns. Where the kernel does not count that, only
/// how long it has run, in clock ticks. `None` where it cannot be seen.
pub fn runnable_ns(number: u32) -> Option<u64> {
    scheduled_ns(number).or_else(|| run_ns(number))
}

fn scheduled_ns(number: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/task/{number}/schedstat")).ok()?;
    let mut times = text.split_whitespace().map_while(|time| time.parse::<u64>().ok());
    Some(times.next()? + times.next()?).filter(|time| *time > 0)
}

/// How long the thread of that number has run, ns, in whole clock ticks.
fn run_ns(number: u32) -> Option<u64> {
    let stat = ProcessStat::of_thread(number)?;
    let ticks = stat.field::<u64>(USER_TIME)? + stat.field::<u64>(SYSTEM_TIME)?;
    Some(ticks * CLOCK_TICK_NS)
}

/// True if the thread of that number sleeps in a system call, as far as the kernel tells.
pub fn is_blocked(number: u32) -> bool {
    ProcessStat::of_thread(number).is_some_and(|stat| matches!(stat.state(), 'S' | 'D'))
}

/// How often the thread of that number has blocked: another number is another wait.
fn blocked_count(number: u32) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/self/task/{number}/status")).ok()?;
    status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).map(str::to_string)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc::{TryRecvError, channel};
    use std::time::Duration;

    #[test]
    fn text_of_the_kernel_says_in_which_call_a_thread_is_blocked() {
        assert_eq!(parse_call("running\n".to_string()), None);
        assert_eq!(parse_call("-1 0x7ffd12 0x7f55\n".to_string()), None);
        assert_eq!(parse_call(String::new()), None);
        let read = parse_call(format!("{} 0x0 0x7f 0x400 0x0 0x0 0x0 0x7ffd12 0x7f55\n", libc::SYS_read));
        assert!(!read.expect("a call").awaits_threads);
        let futex = parse_call(format!("{} 0x7f 0x189 0x2 0x0 0x0 0xffffffff 0x7ffd12 0x7f55\n", libc::SYS_futex));
        assert!(futex.expect("a call").awaits_threads);
        let sleep = parse_call(format!("{} 0x0 0x0 0x7f 0x7f 0x0 0x0 0x7ffd12 0x7f55\n", libc::SYS_clock_nanosleep));
        assert!(sleep.expect("a call").is_sleep);
    }

    #[test]
    fn thread_that_waits_for_others_is_seen_in_its_call() {
        let (number_sender, number) = channel();
        let (sender, receiver) = channel::<()>();
        let waiting = std::thread::spawn(move || {
            number_sender.send(own_thread_number()).expect("a receiver");
            let _ = receiver.recv();
        });
        let number = number.recv().expect("a number");
        assert!(number > 0 && number != own_thread_number());
        let call = loop {
            if let Some(call) = blocked_call(number).filter(|call| call.awaits_threads) {
                break call;
            }
            std::thread::yield_now();
        };
        assert_eq!(blocked_call(number), Some(call));
        assert!(is_blocked(number));
        assert!(runnable_ns(number).is_some());
        drop(sender);
        waiting.join().expect("no panic");
        assert_eq!(blocked_call(number), None, "it has ended");
    }

    #[test]
    fn sleeps_that_follow_each_other_are_seen_apart() {
        let (number_sender, number) = channel();
        let (stop, stopped) = channel::<()>();
        let sleeping = std::thread::spawn(move || {
            number_sender.send(own_thread_number()).expect("a receiver");
            let sleeps = (0..10_000).take_while(|_| stopped.try_recv() != Err(TryRecvError::Disconnected));
            sleeps.for_each(|_| std::thread::sleep(Duration::from_millis(1)));
        });
        let number = number.recv().expect("a number");
        let mut seen: Vec<BlockedCall> = Vec::new();
        while !sleeping.is_finished() && seen.len() < 3 {
            seen.extend(blocked_call(number).filter(|call| call.is_sleep && !seen.contains(call)));
            std::thread::yield_now();
        }
        drop(stop);
        sleeping.join().expect("no panic");
        assert_eq!(seen.len(), 3, "{seen:?}");
    }

    #[test]
    fn time_that_a_thread_has_run_is_known_also_without_the_scheduler_s_count() {
        let number = own_thread_number();
        let before = run_ns(number).expect("this thread");
        let mut sum = 0u64;
        while run_ns(number).expect("this thread") < before + 30_000_000 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0 && run_ns(u32::MAX).is_none());
    }
}
