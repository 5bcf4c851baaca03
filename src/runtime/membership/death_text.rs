//! How the end of a process reads in errors.

use crate::protocol::LastWork;
use crate::registry::functions;
use crate::runtime::router::ProcessEnd;
use std::collections::BTreeMap;

/// Functions that the text names.
const NAMED_MAX: usize = 8;

/// What is said of process `pid`, which ended so and ran that.
pub fn describe(pid: u32, end: ProcessEnd, work: &LastWork) -> String {
    let how = match end {
        ProcessEnd::Signal(signal) => format!(" by signal {signal}{}", name_of(signal)),
        ProcessEnd::Exit(code) => format!(" (exit code {code})"),
        ProcessEnd::Unknown => " (how is not known)".to_string(),
    };
    format!("its process ({pid}) ended{how}{}", ran(work))
}

fn name_of(signal: i32) -> &'static str {
    match signal {
        libc::SIGHUP => " (SIGHUP)",
        libc::SIGINT => " (SIGINT)",
        libc::SIGQUIT => " (SIGQUIT)",
        libc::SIGILL => " (SIGILL)",
        libc::SIGTRAP => " (SIGTRAP)",
        libc::SIGABRT => " (SIGABRT)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGKILL => " (SIGKILL, as the kernel sends when memory is short)",
        libc::SIGSEGV => " (SIGSEGV)",
        libc::SIGPIPE => " (SIGPIPE)",
        libc::SIGTERM => " (SIGTERM)",
        libc::SIGXCPU => " (SIGXCPU)",
        libc::SIGXFSZ => " (SIGXFSZ)",
        libc::SIGSYS => " (SIGSYS)",
        _ => "",
    }
}

fn ran(work: &LastWork) -> String {
    let LastWork::Known { begun, is_witnessed, is_complete } = work else { return String::new() };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for work in begun {
        *counts.entry(functions().get(work.function).map_or("an unknown function", |entry| entry.name)).or_default() +=
            1;
    }
    let named = counts.iter().take(NAMED_MAX).map(|(name, count)| match count {
        1 => (*name).to_string(),
        count => format!("{name} ({count} times)"),
    });
    let list = named.collect::<Vec<_>>().join(", ");
    let more = if counts.len() > NAMED_MAX { format!(" and {} more", counts.len() - NAMED_MAX) } else { String::new() };
    match (begun.len(), *is_witnessed || *is_complete) {
        (0, _) => ", and ran nothing for others".to_string(),
        (1, true) => format!(" while it ran {list}"),
        (..) => format!("; it ran {list}{more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::BegunWork;

    fn known(count: usize, is_witnessed: bool) -> LastWork {
        let begun = vec![BegunWork { id: None, function: 0 }; count];
        LastWork::Known { begun, is_witnessed, is_complete: true }
    }

    #[test]
    fn end_of_a_process_names_signal_or_exit_code_and_what_ran() {
        assert_eq!(
            describe(7, ProcessEnd::Signal(libc::SIGABRT), &known(1, true)),
            "its process (7) ended by signal 6 (SIGABRT) while it ran an unknown function"
        );
        assert_eq!(
            describe(7, ProcessEnd::Exit(3), &known(2, false)),
            "its process (7) ended (exit code 3); it ran an unknown function (2 times)"
        );
        assert_eq!(
            describe(7, ProcessEnd::Signal(40), &known(0, false)),
            "its process (7) ended by signal 40, and ran nothing for others"
        );
        assert_eq!(describe(7, ProcessEnd::Unknown, &LastWork::Unknown), "its process (7) ended (how is not known)");
        assert!(describe(7, ProcessEnd::Signal(9), &LastWork::Unknown).contains("signal 9 (SIGKILL,"));
    }
}
