//! The CPUs on which tasks and actors may run, and what they start.

use crate::{Case, cpus_here, cpus_of, expected, far};
use mobula::prelude::*;
use mobula::{Bundle, Strategy};
use std::process::Command;
use std::sync::OnceLock;

pub const CASES: &[Case] = &[
    ("task", task),
    ("fractions", fractions),
    ("waiting-task", waiting_task),
    ("failed-task", failed_task),
    ("bundle", bundle),
    ("actor", actor),
    ("many-tasks", many_tasks),
    ("unpinned", unpinned),
];

static ALL: OnceLock<Vec<u32>> = OnceLock::new();

/// Notes the CPUs of the process.
pub fn note_all_cpus() {
    ALL.get_or_init(cpus_here);
}

/// The CPUs of the process.
pub fn all_cpus() -> &'static [u32] {
    ALL.get().expect("noted")
}

/// What a task sees: its thread's CPUs, those of a thread and of a process that it starts, and those of its rank.
type Seen = (Vec<u32>, Vec<u32>, Vec<u32>, Vec<u32>);

fn see() -> Seen {
    let of_thread = std::thread::spawn(cpus_here).join().expect("no panic");
    let child = Command::new("cat").arg("/proc/self/status").output().expect("cat");
    let of_child = cpus_of(&String::from_utf8_lossy(&child.stdout));
    (cpus_here(), of_thread, of_child, all_cpus().to_vec())
}

#[mobula::remote]
fn one() -> Seen {
    see()
}

#[mobula::remote(num_cpus = 2)]
fn two() -> Seen {
    see()
}

#[mobula::remote(num_cpus = 2)]
async fn two_async() -> Seen {
    see()
}

#[mobula::remote(num_cpus = 2)]
fn fails() -> Result<(), String> {
    Err(format!("{} CPUs", see().0.len()))
}

#[mobula::remote(num_cpus = 2)]
fn panics() {
    panic!("{} CPUs", see().0.len());
}

/// What it sees before and after it waits, and what a task of 1 CPU sees meanwhile, on the only worker.
#[mobula::remote(num_cpus = 2)]
fn waits() -> mobula::Result<(Seen, Seen, Seen)> {
    let before = see();
    let child = one::on(mobula::context().rank()).remote().get()?.clone();
    Ok((before, child, see()))
}

fn assert_count(count: usize, seen: &Seen) -> mobula::Result<()> {
    let own = one::on(far()).remote().get()?.clone();
    assert!(own.0 == own.1 && own.0 == own.2, "{own:?}");
    let (here, thread, child, all) = seen;
    assert_eq!(here.len(), expected(count, &own.0, all), "{here:?} of {all:?}, of 1 CPU {:?}", own.0);
    assert!(here == thread && here == child, "{seen:?}");
    assert!(here.iter().all(|cpu| all.contains(cpu)), "{seen:?}");
    Ok(())
}

fn task() -> mobula::Result<()> {
    for _ in 0..3 {
        assert_count(1, &*one::on(far()).remote().get()?)?;
        assert_count(2, &*two::on(far()).remote().get()?)?;
        assert_count(2, &*two_async::on(far()).remote().get()?)?;
    }
    Ok(())
}

fn fractions() -> mobula::Result<()> {
    for (cpus, count) in [(0.0, 1), (0.5, 1), (1.0, 1), (1.5, 2), (2.0, 2)] {
        let seen = one::options().num_cpus(cpus).place(Placement::Rank(far())).remote();
        assert_count(count, &*seen.get()?)?;
    }
    Ok(())
}

fn waiting_task() -> mobula::Result<()> {
    let (before, child, after) = waits::on(far()).remote().get()?.clone();
    assert_count(2, &before)?;
    assert_count(1, &child)?;
    assert_eq!(before, after, "its threads keep their cores");
    Ok(())
}

fn failed_task() -> mobula::Result<()> {
    for _ in 0..3 {
        let (failed, panicked) = (fails::on(far()).remote().get(), panics::on(far()).remote().get());
        assert!(failed.is_err() && panicked.is_err());
        assert_count(1, &*one::on(far()).remote().get()?)?;
    }
    Ok(())
}

fn bundle() -> mobula::Result<()> {
    let group = mobula::placement_group(vec![Bundle::new().cpus(2.0)], Strategy::StrictPack)?;
    assert!(group.wait(Duration::from_secs(60))?);
    for (cpus, count) in [(1.0, 1), (2.0, 2)] {
        let seen = one::options().num_cpus(cpus).place(Placement::Bundle(&group, 0)).remote().get()?.clone();
        let all = all_cpus();
        let own = one::options().num_cpus(0.0).remote().get()?.0.len();
        assert_eq!(seen.0.len(), (count * own).min(all.len()), "{seen:?}");
    }
    Ok(())
}

pub struct Solver {
    at_start: Seen,
    helper: std::sync::mpsc::Sender<std::sync::mpsc::Sender<Vec<u32>>>,
}

#[mobula::actor(num_cpus = 2)]
impl Solver {
    pub fn new() -> Self {
        let (helper, requests) = std::sync::mpsc::channel::<std::sync::mpsc::Sender<Vec<u32>>>();
        std::thread::spawn(move || requests.iter().for_each(|answer| answer.send(cpus_here()).expect("it waits")));
        Solver { at_start: see(), helper }
    }
    /// What it sees now, and what its constructor saw.
    pub fn see(&self) -> (Seen, Seen) {
        (see(), self.at_start.clone())
    }
    /// The CPUs of the thread that the constructor started.
    pub fn of_helper(&self) -> Vec<u32> {
        let (sender, answer) = std::sync::mpsc::channel();
        self.helper.send(sender).expect("it lives");
        answer.recv().expect("it answers")
    }
    pub fn wait(&self) -> mobula::Result<(Seen, Seen)> {
        let child = one::options().num_cpus(0.0).place(Placement::Rank(mobula::context().rank())).remote();
        Ok((child.get()?.clone(), see()))
    }
}

fn actor() -> mobula::Result<()> {
    let solver = Solver::options().place(Placement::Rank(far())).remote();
    let own = || one::options().num_cpus(0.0).place(Placement::Rank(far())).remote();
    for _ in 0..3 {
        // The driver may run a call itself.
        let (now, at_start) = solver.see().get()?.clone();
        assert_eq!(now, at_start);
        let (child, after) = solver.wait().get()?.clone();
        assert_eq!(after, at_start);
        assert_eq!(*solver.of_helper().get()?, at_start.0);
        let own = own().get()?.clone();
        assert_eq!(at_start.0.len(), expected(2, &own.0, &at_start.3), "{at_start:?}");
        assert_eq!(child.0.len(), own.0.len());
    }
    Ok(())
}

/// Cores come back: after thousands of tasks, also such that wait at once, each gets as many.
fn many_tasks() -> mobula::Result<()> {
    let waiting: Vec<ObjectRef<(Seen, Seen, Seen)>> = (0..20).map(|_| waits::on(far()).remote()).collect();
    for seen in mobula::get_all(&waiting)? {
        assert_count(2, &seen.0)?;
        assert_eq!(seen.0, seen.2);
    }
    (0..200).try_for_each(|_| assert_count(2, &*two::on(far()).remote().get()?))
}

/// Where workers are not pinned, a task has the CPUs of its process.
fn unpinned() -> mobula::Result<()> {
    for seen in [one::on(far()).remote(), two::on(far()).remote()] {
        let (here, thread, child, all) = seen.get()?.clone();
        assert!(here == all && thread == all && child == all);
    }
    Ok(())
}
