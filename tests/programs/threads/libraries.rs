//! Threads that a task starts with std and with libraries: on which CPUs they run, and that they may submit and wait.

use crate::{Case, cpus_here, expected, far};
use mobula::prelude::*;
use rayon::prelude::*;
use std::ffi::CString;
use std::sync::Mutex;

pub const CASES: &[Case] = &[
    ("std", || check(std_threads::on(far()).remote())),
    ("scoped", || check(scoped::on(far()).remote())),
    ("rayon-global", || check(rayon_global::on(far()).remote())),
    ("rayon-own", || check(rayon_own::on(far()).remote())),
    ("pool", || check(pool::on(far()).remote())),
    ("tokio", || check(tokio_runtime::on(far()).remote())),
    ("crossbeam", || check(crossbeam::on(far()).remote())),
    ("openmp", openmp),
    ("openmp-after-one-cpu", openmp_after_one_cpu),
];

/// The CPUs of each thread, and what they computed together.
type Ran = (Vec<Vec<u32>>, u64);

/// A task of one CPU: its worker's CPUs.
#[mobula::remote]
fn one() -> Vec<u32> {
    cpus_here()
}

#[mobula::remote]
fn square(number: u64) -> u64 {
    number * number
}

/// What each thread does: it computes by another task, and notes its CPUs.
fn work(context: &mobula::Context, number: u64, seen: &Mutex<Vec<Vec<u32>>>) -> u64 {
    let _entered = context.enter();
    assert_eq!(mobula::context().task(), context.task());
    seen.lock().expect("no panic").push(cpus_here());
    *square::remote(number).get().expect("it is computed")
}

fn check(ran: ObjectRef<Ran>) -> mobula::Result<()> {
    let (seen, sum) = ran.get()?.clone();
    assert_eq!(sum, (0..8).map(|number| number * number).sum::<u64>());
    assert_cpus(&seen)
}

fn assert_cpus(seen: &[Vec<u32>]) -> mobula::Result<()> {
    assert!(!seen.is_empty());
    let (own, all) = (one::on(far()).remote().get()?.clone(), all::on(far()).remote().get()?.clone());
    assert!(seen.iter().all(|cpus| cpus.len() == expected(2, &own, &all)), "{seen:?} of {all:?}, of 1 CPU {own:?}");
    Ok(())
}

#[mobula::remote]
fn all() -> Vec<u32> {
    crate::cores::all_cpus().to_vec()
}

#[mobula::remote(num_cpus = 2)]
fn std_threads() -> Ran {
    let seen: &'static Mutex<Vec<Vec<u32>>> = Box::leak(Box::default());
    let start = |number: u64| {
        let context = mobula::context();
        std::thread::spawn(move || work(&context, number, seen))
    };
    let threads: Vec<_> = (0..8).map(start).collect();
    let sum = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    (seen.lock().expect("no panic").clone(), sum)
}

#[mobula::remote(num_cpus = 2)]
fn scoped() -> Ran {
    let (seen, context) = (Mutex::default(), mobula::context());
    let sum = std::thread::scope(|scope| {
        let start = |number: u64| {
            let (seen, context) = (&seen, &context);
            scope.spawn(move || work(context, number, seen))
        };
        let threads: Vec<_> = (0..8).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    (seen.into_inner().expect("no panic"), sum)
}

#[mobula::remote(num_cpus = 2)]
fn rayon_global() -> Ran {
    let (seen, context) = (Mutex::default(), mobula::context());
    assert_eq!(rayon::current_num_threads(), cpus_here().len(), "the pool is first used here");
    let sum = (0..8u64).into_par_iter().map(|number| work(&context, number, &seen)).sum();
    seen.lock().expect("no panic").extend(rayon::broadcast(|_| cpus_here()));
    (seen.into_inner().expect("no panic"), sum)
}

#[mobula::remote(num_cpus = 2)]
fn rayon_own() -> Ran {
    let (seen, context) = (Mutex::default(), mobula::context());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    let sum = pool.install(|| (0..8u64).into_par_iter().map(|number| work(&context, number, &seen)).sum());
    seen.lock().expect("no panic").extend(pool.broadcast(|_| cpus_here()));
    (seen.into_inner().expect("no panic"), sum)
}

/// Nobody enters the context here: the threads of the pool have it.
#[mobula::remote(num_cpus = 2)]
fn pool() -> mobula::Result<Ran> {
    let pool = mobula::pool()?;
    assert_eq!(pool.current_num_threads(), 2);
    let rank = mobula::context().rank();
    let compute = |number: u64| {
        let context = mobula::context();
        assert_eq!((context.task(), context.cpus(), context.rank()), (Some("pool"), 2.0, rank));
        *square::remote(number).get().expect("it is computed")
    };
    let sum = pool.install(|| (0..8u64).into_par_iter().map(compute).sum());
    // A pool within the pool is the same.
    let nested = pool.install(|| mobula::pool().map(|nested| nested.install(rayon::current_thread_index)))?;
    assert!(nested.is_some());
    Ok((pool.broadcast(|_| cpus_here()), sum))
}

#[mobula::remote(num_cpus = 2)]
fn tokio_runtime() -> Ran {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("two threads");
    let seen: &'static Mutex<Vec<Vec<u32>>> = Box::leak(Box::default());
    let context = mobula::context();
    // An ObjectRef is a future: nothing blocks tokio's workers.
    let awaited = |number: u64| {
        runtime.spawn(async move {
            seen.lock().expect("no panic").push(cpus_here());
            *square::remote(number).await.expect("it is computed")
        })
    };
    let blocking = |number: u64| {
        let context = context.clone();
        runtime.spawn_blocking(move || work(&context, number, seen))
    };
    let parts: Vec<_> = (0..8).map(|number| if number % 2 == 0 { awaited(number) } else { blocking(number) }).collect();
    let sum = runtime.block_on(async {
        let mut sum = 0;
        for part in parts {
            sum += part.await.expect("no panic");
        }
        sum
    });
    (seen.lock().expect("no panic").clone(), sum)
}

#[mobula::remote(num_cpus = 2)]
fn crossbeam() -> Ran {
    let (seen, context) = (Mutex::default(), mobula::context());
    let sum = crossbeam_utils::thread::scope(|scope| {
        let start = |number: u64| {
            let (seen, context) = (&seen, &context);
            scope.spawn(move |_| work(context, number, seen))
        };
        let threads: Vec<_> = (0..8).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    (seen.into_inner().expect("no panic"), sum.expect("no panic"))
}

/// The function `squares` of the library, in so many threads: a sum, and how many CPUs each thread has.
#[mobula::remote(num_cpus = 2)]
fn in_openmp(library: &str, threads: i32) -> (u64, Vec<i32>) {
    let path = CString::new(library).expect("no zero");
    // SAFETY: the library is the test's own; the function is as declared below, and the buffer is as long as is said.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null(), "{library} does not load");
        let symbol = libc::dlsym(handle, c"squares".as_ptr());
        assert!(!symbol.is_null());
        type Squares = unsafe extern "C" fn(u64, i32, *mut i32, i32) -> u64;
        let squares = std::mem::transmute::<*mut libc::c_void, Squares>(symbol);
        let mut cpus = vec![-1; 64];
        let sum = squares(8, threads, cpus.as_mut_ptr(), cpus.len() as i32);
        cpus.retain(|count| *count >= 0);
        (sum, cpus)
    }
}

fn library() -> String {
    std::env::var("THREADS_OPENMP").expect("the test names the library")
}

fn assert_region(ran: ObjectRef<(u64, Vec<i32>)>) -> mobula::Result<()> {
    let (sum, cpus) = ran.get()?.clone();
    assert_eq!(sum, 140);
    let (own, all) = (one::on(far()).remote().get()?.clone(), all::on(far()).remote().get()?.clone());
    let count = expected(2, &own, &all);
    assert_eq!(cpus, vec![count as i32; count], "a thread for each CPU that it may use");
    Ok(())
}

fn openmp() -> mobula::Result<()> {
    assert_region(in_openmp::on(far()).remote(library(), 0))
}

/// OpenMP counts CPUs when it is loaded: later tasks say the number of threads.
fn openmp_after_one_cpu() -> mobula::Result<()> {
    let first = in_openmp::options().num_cpus(1.0).place(Placement::Rank(far())).remote(library(), 1);
    assert_eq!(first.get()?.1.len(), 1);
    let available = all::on(far()).remote().get()?.len().min(2);
    assert_region(in_openmp::on(far()).remote(library(), available as i32))
}
