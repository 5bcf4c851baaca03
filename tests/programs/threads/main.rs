//! Threads and processes of tasks: `threads CASE..`, on any number of ranks. Each case ends with `ok: CASE`.

mod contexts;
mod cores;
mod libraries;

/// A case, by its name.
type Case = (&'static str, fn() -> mobula::Result<()>);

/// The last rank: another one, if there are several.
fn far() -> u32 {
    mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or(0)
}

/// The CPUs on which the calling thread may run.
fn cpus_here() -> Vec<u32> {
    cpus_in("/proc/thread-self/status")
}

/// The CPUs of a thread or process, by its file `status`.
fn cpus_in(path: &str) -> Vec<u32> {
    cpus_of(&std::fs::read_to_string(path).expect("it lives"))
}

fn cpus_of(status: &str) -> Vec<u32> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("of every thread");
    let number = |text: &str| text.trim().parse::<u32>().expect("a number");
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        number(first)..=number(last)
    };
    list.trim().split(',').flat_map(range).collect()
}

/// What a task of `count` CPUs gets on a rank that may use `all`, where one of 1 CPU gets `one`.
fn expected(count: usize, one: &[u32], all: &[u32]) -> usize {
    (count * one.len()).min(all.len())
}

fn main() -> mobula::Result<()> {
    // Before the start pins this thread.
    cores::note_all_cpus();
    run()
}

#[mobula::main]
fn run() -> mobula::Result<()> {
    let cases: Vec<Case> = [cores::CASES, libraries::CASES, contexts::CASES].concat();
    for name in std::env::args().skip(1) {
        let Some((_, case)) = cases.iter().find(|(case, _)| *case == name) else { panic!("there is no case {name}") };
        case()?;
        println!("ok: {name}");
    }
    Ok(())
}
