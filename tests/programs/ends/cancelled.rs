//! A call that the driver's own thread runs is cancelled by another thread meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest wait: a case that goes wrong fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(40);

/// The only worker runs a task.
static IS_BUSY: AtomicBool = AtomicBool::new(false);
/// The call has begun.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
/// Both may end.
static IS_CANCELLED: AtomicBool = AtomicBool::new(false);

/// Does not sleep: for a worker that sleeps, another one starts.
fn spin_until(flag: &AtomicBool) {
    let deadline = Instant::now() + PATIENCE;
    while !flag.load(Ordering::Acquire) {
        assert!(Instant::now() < deadline, "the flag is set in time");
        std::hint::spin_loop();
    }
}

#[mobula::remote]
fn keeps_the_worker() {
    IS_BUSY.store(true, Ordering::Release);
    spin_until(&IS_CANCELLED);
}

pub struct Slow;

#[mobula::actor]
impl Slow {
    pub fn new() -> Self {
        Slow
    }

    pub fn until_cancelled(&self) {
        println!("the call runs on worker {}", mobula::context().worker());
        HAS_BEGUN.store(true, Ordering::Release);
        spin_until(&IS_CANCELLED);
    }

    pub fn answers(&self) -> u32 {
        42
    }
}

pub fn call() {
    let slow = Slow::remote();
    assert_eq!(*slow.answers().get().expect("it lives"), 42);
    let busy = keeps_the_worker::remote();
    spin_until(&IS_BUSY);
    let call = slow.until_cancelled();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            spin_until(&HAS_BEGUN);
            mobula::cancel(&call);
            IS_CANCELLED.store(true, Ordering::Release);
        });
        println!("the call: {}", call.get().expect_err("it was cancelled"));
    });
    busy.get().expect("it ends");
    assert_eq!(*slow.answers().get().expect("it lives on"), 42);
}
