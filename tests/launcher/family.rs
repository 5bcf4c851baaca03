//! Who descends from a process, and signals to it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The processes that descend from `pid`, itself left out.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = parent(child) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        family.extend(children.get(member).cloned().unwrap_or_default());
        next += 1;
    }
    family.split_off(1)
}

/// Whether a process is there and runs: one that has ended and waits for its parent does not.
pub fn is_alive(pid: u32) -> bool {
    fields(pid).is_some_and(|fields| !fields.starts_with('Z'))
}

/// Sends a signal by name to a process, or several with blanks between; one that is gone already is no error.
pub fn signal(name: &str, pid: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -s {name} -- {pid} 2>/dev/null")]).status();
}

fn parent(pid: u32) -> Option<u32> {
    fields(pid)?.split_whitespace().nth(1)?.parse().ok()
}

/// State, parent and so on. The command's name before them, in brackets, may hold anything.
fn fields(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat[stat.rfind(')')? + 1..].trim_start().to_string())
}
