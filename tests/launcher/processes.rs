//! The descendants of a process, and signals to processes.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The processes that descend from `pid`, without `pid` itself.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = parent(child) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(process) = found.get(next) {
        found.extend(children.get(process).cloned().unwrap_or_default());
        next += 1;
    }
    found.split_off(1)
}

/// The processes that run this command and have this variable in the environment with which they started.
pub fn running(command: &[&str], variable: (&str, &str)) -> Vec<u32> {
    let command: String = command.iter().map(|word| format!("{word}\0")).collect();
    let variable = format!("{}={}", variable.0, variable.1);
    let is_one = |pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        words == command.as_bytes() && variables.split(|byte| *byte == 0).any(|other| other == variable.as_bytes())
    };
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_one).collect()
}

/// Returns true if the process runs; a zombie, which waits for its parent, does not.
pub fn is_alive(pid: u32) -> bool {
    fields(pid).is_some_and(|fields| !fields.starts_with('Z'))
}

/// Sends a signal by name to a process, or to several, separated by blanks. Processes that ended already are no error.
pub fn signal(name: &str, pid: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -s {name} -- {pid} 2>/dev/null")]).status();
}

fn parent(pid: u32) -> Option<u32> {
    fields(pid)?.split_whitespace().nth(1)?.parse().ok()
}

/// The fields of `/proc/PID/stat` after the command name: state, parent and so on. The name, in brackets, may hold any
/// bytes.
fn fields(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat[stat.rfind(')')? + 1..].trim_start().to_string())
}
