//! Threads that tasks start and that wait in `get`, `wait` or `.await`, while their task waits for them in the system.

use crate::{Case, far};
use mobula::prelude::*;
use mobula::{Bundle, Strategy};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::{JoinHandle, scope, spawn};
use std::time::Instant;

pub const CASES: &[Case] = &[
    ("scoped-threads", scoped_threads),
    ("threads-of-tasks-of-threads", threads_of_tasks_of_threads),
    ("joined-threads", joined_threads),
    ("channels-of-threads", channels_of_threads),
    ("conditions-of-threads", conditions_of_threads),
    ("polled-threads", polled_threads),
    ("pipes-of-threads", pipes_of_threads),
    ("detached-threads", detached_threads),
    ("threads-of-actors", threads_of_actors),
    ("threads-that-wait-for-some", threads_that_wait_for_some),
    ("threads-with-a-deadline", threads_with_a_deadline),
    ("threads-of-async-tasks", threads_of_async_tasks),
    ("tasks-with-all-cpus", tasks_with_all_cpus),
    ("threads-of-tasks-in-bundles", threads_of_tasks_in_bundles),
    ("several-tasks-with-threads", several_tasks_with_threads),
    ("threads-that-wait-for-groups", threads_that_wait_for_groups),
    ("executors-of-other-crates", executors_of_other_crates),
    ("cpus-are-free-again", cpus_are_free_again),
];

#[mobula::remote]
fn child(x: u64) -> u64 {
    x + 1
}

/// The sum of what four threads get, each of a child of its own.
fn four_threads() -> u64 {
    scope(|scope| {
        let threads: Vec<_> = (0..4).map(|x| scope.spawn(move || *child::remote(x).get().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[mobula::remote]
fn scoped() -> u64 {
    four_threads()
}

fn scoped_threads() -> mobula::Result<()> {
    assert_eq!(*scoped::remote().get()?, 10);
    for rank in [0, far()] {
        assert_eq!(*scoped::on(rank).remote().get()?, 10);
    }
    Ok(())
}

/// The number of leaves of a tree whose inner tasks each start two threads.
#[mobula::remote]
fn leaves(depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(move || *leaves::remote(depth - 1).get().unwrap()));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn threads_of_tasks_of_threads() -> mobula::Result<()> {
    assert_eq!(*leaves::remote(6).get()?, 64);
    assert_eq!(*leaves::on(far()).remote(4).get()?, 16);
    Ok(())
}

#[mobula::remote]
fn joined(rank: u32) -> u64 {
    let threads: Vec<JoinHandle<u64>> =
        (0..3).map(|x| spawn(move || *child::on(rank).remote(x).get().unwrap())).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
}

fn joined_threads() -> mobula::Result<()> {
    for (at, children_at) in [(0, 0), (0, far()), (far(), 0), (far(), far())] {
        assert_eq!(*joined::on(at).remote(children_at).get()?, 6);
    }
    Ok(())
}

#[mobula::remote]
fn receives(count: u64) -> u64 {
    let (sender, receiver) = channel();
    for x in 0..count {
        let sender = sender.clone();
        spawn(move || sender.send(*child::remote(x).get().unwrap()));
    }
    drop(sender);
    receiver.iter().sum()
}

fn channels_of_threads() -> mobula::Result<()> {
    assert_eq!(*receives::remote(5).get()?, 15);
    assert_eq!(*receives::on(far()).remote(5).get()?, 15);
    Ok(())
}

#[mobula::remote]
fn waits_for_a_condition() -> u64 {
    let shared = Arc::new((Mutex::new(None), Condvar::new()));
    let of_thread = shared.clone();
    spawn(move || {
        let value = *child::remote(41).get().unwrap();
        *of_thread.0.lock().unwrap() = Some(value);
        of_thread.1.notify_all();
    });
    let value = shared.1.wait_while(shared.0.lock().unwrap(), |value| value.is_none()).unwrap();
    value.unwrap()
}

fn conditions_of_threads() -> mobula::Result<()> {
    assert_eq!(*waits_for_a_condition::on(far()).remote().get()?, 42);
    Ok(())
}

#[mobula::remote]
fn polls() -> u64 {
    let value = Arc::new(OnceLock::new());
    let of_thread = value.clone();
    spawn(move || of_thread.set(*child::remote(6).get().unwrap()));
    loop {
        match value.get() {
            Some(value) => return *value,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn polled_threads() -> mobula::Result<()> {
    assert_eq!(*polls::on(far()).remote().get()?, 7);
    Ok(())
}

#[mobula::remote]
fn reads_a_pipe() -> u8 {
    use std::io::{Read, Write};
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let thread = spawn(move || writer.write_all(&[*child::remote(8).get().unwrap() as u8]));
    let mut bytes = [0];
    reader.read_exact(&mut bytes).unwrap();
    thread.join().unwrap().unwrap();
    bytes[0]
}

fn pipes_of_threads() -> mobula::Result<()> {
    assert_eq!(*reads_a_pipe::on(far()).remote().get()?, 9);
    Ok(())
}

static DETACHED: Mutex<Option<Receiver<u64>>> = Mutex::new(None);

/// Its thread begins to wait after it has ended.
#[mobula::remote]
fn detaches() {
    let (running, ended) = channel::<()>();
    let (sender, receiver) = channel();
    spawn(move || {
        let _ = ended.recv();
        sender.send(scope(|scope| scope.spawn(|| *child::remote(1).get().unwrap()).join().unwrap())).unwrap();
    });
    *DETACHED.lock().unwrap() = Some(receiver);
    drop(running);
}

/// Waits for what the thread gets, and needs the CPU that the thread's child needs.
#[mobula::remote]
fn receives_of_the_detached() -> u64 {
    let receiver = DETACHED.lock().unwrap().take().unwrap();
    receiver.recv().unwrap()
}

fn detached_threads() -> mobula::Result<()> {
    for rank in [0, far()] {
        detaches::on(rank).remote().get()?;
        assert_eq!(*receives_of_the_detached::on(rank).remote().get()?, 2);
    }
    Ok(())
}

pub struct Starter {
    calls: u64,
}

#[mobula::actor]
impl Starter {
    pub fn new() -> Starter {
        Starter { calls: 0 }
    }
    pub fn sum(&mut self) -> u64 {
        self.calls += 1;
        four_threads() + self.calls
    }
}

#[mobula::remote]
fn calls_an_actor(starter: StarterHandle) -> u64 {
    scope(|scope| scope.spawn(|| *starter.sum().get().unwrap()).join().unwrap())
}

fn threads_of_actors() -> mobula::Result<()> {
    for rank in [0, far()] {
        let starter = Starter::on(rank).remote();
        assert_eq!(*starter.sum().get()?, 11);
        assert_eq!(*calls_an_actor::remote(&starter).get()?, 12);
    }
    Ok(())
}

#[mobula::remote]
fn waits_for_some() -> u64 {
    let thread = spawn(|| {
        let mut left: Vec<ObjectRef<u64>> = (0..4).map(child::remote).collect();
        let mut sum = 0;
        while !left.is_empty() {
            let (ready, others) = mobula::wait(&left, 1, None).unwrap();
            sum += ready.iter().map(|one| *one.get().unwrap()).sum::<u64>();
            left = others;
        }
        sum
    });
    thread.join().unwrap()
}

fn threads_that_wait_for_some() -> mobula::Result<()> {
    assert_eq!(*waits_for_some::on(far()).remote().get()?, 10);
    Ok(())
}

#[mobula::remote]
fn waits_with_a_deadline() -> u64 {
    let wait = || loop {
        match child::remote(2).get_timeout(Duration::from_secs(100)) {
            Err(Error::Timeout { .. }) => {}
            outcome => return *outcome.unwrap(),
        }
    };
    spawn(wait).join().unwrap()
}

fn threads_with_a_deadline() -> mobula::Result<()> {
    assert_eq!(*waits_with_a_deadline::on(far()).remote().get()?, 3);
    Ok(())
}

#[mobula::remote]
async fn awaits() -> u64 {
    let got = spawn(|| *child::remote(3).get().unwrap()).join().unwrap();
    got + *child::remote(4).await.unwrap()
}

fn threads_of_async_tasks() -> mobula::Result<()> {
    assert_eq!(*awaits::on(far()).remote().get()?, 9);
    Ok(())
}

#[mobula::remote]
fn scoped_with(cpus: f64) -> u64 {
    scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|x| scope.spawn(move || *child::options().num_cpus(cpus).remote(x).get().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn tasks_with_all_cpus() -> mobula::Result<()> {
    let all = mobula::cluster_resources()["CPU"];
    for cpus in [all, all / 2.0] {
        assert_eq!(*scoped_with::options().num_cpus(all).remote(cpus).get()?, 10);
    }
    Ok(())
}

#[mobula::remote]
fn nested_in_bundle(group: mobula::PlacementGroup) -> u64 {
    scope(|scope| {
        let get = |x| *child::options().place(Placement::Bundle(&group, 0)).remote(x).get().unwrap();
        let threads: Vec<_> = (0..4).map(|x| scope.spawn(move || get(x))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn threads_of_tasks_in_bundles() -> mobula::Result<()> {
    let group = mobula::placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    assert!(group.wait(None)?);
    for _ in 0..2 {
        assert_eq!(*nested_in_bundle::options().place(Placement::Bundle(&group, 0)).remote(group.clone()).get()?, 10);
    }
    group.remove();
    Ok(())
}

fn several_tasks_with_threads() -> mobula::Result<()> {
    let all: Vec<_> = (0..6).map(|at| if at % 2 == 0 { scoped::remote() } else { receives::remote(4) }).collect();
    for one in all {
        assert_eq!(*one.get()?, 10);
    }
    Ok(())
}

#[mobula::remote]
fn reserves() -> bool {
    let all = mobula::cluster_resources()["CPU"];
    let reserve = move || {
        let group = mobula::placement_group(vec![Bundle::new().cpus(all)], Strategy::Pack).unwrap();
        group.wait(None).unwrap()
    };
    spawn(reserve).join().unwrap()
}

fn threads_that_wait_for_groups() -> mobula::Result<()> {
    assert!(*reserves::on(far()).remote().get()?);
    Ok(())
}

/// Polls a future on this thread and blocks it meanwhile, as runtimes of other crates do.
fn block_elsewhere<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[mobula::remote]
fn awaits_elsewhere() -> u64 {
    let of_thread = spawn(|| block_elsewhere(async { *child::remote(1).await.unwrap() }));
    block_elsewhere(async { *child::remote(2).await.unwrap() }) + of_thread.join().unwrap()
}

fn executors_of_other_crates() -> mobula::Result<()> {
    assert_eq!(*awaits_elsewhere::on(far()).remote().get()?, 5);
    Ok(())
}

fn cpus_are_free_again() -> mobula::Result<()> {
    scoped::on(far()).remote().get()?;
    let (total, begun) = (mobula::cluster_resources()["CPU"], Instant::now());
    // A worker keeps its CPU until it finds that there is nothing to do.
    while mobula::available_resources()["CPU"] < total {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", mobula::available_resources());
        std::thread::yield_now();
    }
    assert_eq!(mobula::available_resources()["CPU"], total);
    Ok(())
}
