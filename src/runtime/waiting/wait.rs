//! Waiting: a fiber gives its thread and its CPUs back; a thread polls the transports for a short time and then blocks.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, Result};
use crate::objects::{AnySlot, Object, ObjectRef, Ref, Waiter, in_context};
use crate::runtime::Runtime;
use crate::runtime::tasks::{self, context, replace_driver_cpu};
use crate::runtime::waiting::blocked_fibers::record_parked_driver;
use crate::runtime::waiting::event::WaitEvent;
use crate::runtime::waiting::stall::watch_for_stall;
use crate::runtime::workers::fiber::{self, Pause};
use crate::runtime::workers::worker::{self, Worker};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Waits until the object is complete; runs its task in place if it has not begun.
#[inline]
pub fn get<T: Object>(reference: &ObjectRef<T>, timeout: Option<Duration>) -> Result<Ref<T>> {
    match reference.ready() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err((*error).clone()),
        None => wait_and_get(reference, timeout),
    }
}

#[inline(never)]
fn wait_and_get<T: Object>(reference: &ObjectRef<T>, timeout: Option<Duration>) -> Result<Ref<T>> {
    let runtime = here("get")?;
    // A time-out beyond the clock's range is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        if deadline.is_none() {
            tasks::try_run_in_place(runtime, &reference.any());
        }
        if let Some(outcome) = reference.ready() {
            return outcome.map_err(|error| (*error).clone());
        }
        let slot = reference.any();
        runtime.request_value(&slot);
        if worker::here().is_none()
            && deadline.is_none()
            && runtime.poll_until(|| slot.core().is_complete())
            && !runtime.stopping()
        {
            // A driver that waits for a short answer needs no event.
            continue;
        }
        context::while_awaiting(&|visit| visit(&slot), || {
            runtime.block(1, deadline, |event| match deadline {
                None => slot.core().when_complete(event.clone()),
                // The caller may call again, as often as it likes.
                Some(_) => slot.core().when_complete_pruning(event.clone()),
            })
        })?;
        if reference.ready().is_none() && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::Timeout { waited: timeout.unwrap_or_default(), what: format!("{reference:?}") });
        }
    }
}

/// Waits until `count` of the objects are complete, or the deadline; true if they are.
pub fn wait_for<T: Object>(references: &[ObjectRef<T>], count: usize, deadline: Option<Instant>) -> Result<bool> {
    let ready = || references.iter().filter(|reference| reference.is_ready()).take(count).count() >= count;
    if ready() {
        return Ok(true);
    }
    let runtime = here("wait")?;
    references.iter().for_each(|reference| runtime.request_value(&reference.any()));
    loop {
        // Complete objects fire the event at once, so that it counts all of them. Each other object keeps at most one
        // waiter of an ended wait: a program that waits for one of many, again and again, leaves no more behind.
        let register = |event: &Arc<WaitEvent>| {
            for reference in references {
                reference.slot.core().when_complete_pruning(event.clone());
            }
        };
        let awaited = |visit: &mut dyn FnMut(&Arc<dyn AnySlot>)| references.iter().for_each(|one| visit(&one.any()));
        context::while_awaiting(&awaited, || runtime.block(count, deadline, register))?;
        if ready() {
            return Ok(true);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(false);
        }
    }
}

fn here(call: &str) -> Result<&'static Runtime> {
    if in_context() {
        return Err(Error::config(format!(
            "{call} was called inside a Serialize or Deserialize, where nothing can wait"
        )));
    }
    Runtime::current().ok_or_else(|| Error::no_cluster(call))
}

impl Runtime {
    /// Requests an object's value for a local waiter.
    pub fn request_value(&'static self, slot: &Arc<dyn AnySlot>) {
        slot.request();
        self.protocol.objects.request(&self, slot);
    }

    /// Waits for `count` calls of the event that `register` passes on, or the deadline.
    ///
    /// # Errors
    /// `Cancelled` if the waiting task was cancelled; `Config` if too many tasks are blocked already.
    pub fn block(
        &'static self,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<WaitEvent>),
    ) -> Result<()> {
        if let Some(task) = context::cancelled() {
            return Err(Error::Cancelled { task });
        }
        if self.stopping() {
            return Err(self.lifecycle.end_reason());
        }
        match (worker::here(), fiber::stack_left()) {
            (Some(worker), Some(_)) => block_fiber(self, worker, count, deadline, register)?,
            _ => block_thread(self, count, deadline, register),
        }
        if self.stopping() {
            return Err(self.lifecycle.end_reason());
        }
        match context::cancelled() {
            Some(task) => Err(Error::Cancelled { task }),
            None => Ok(()),
        }
    }
}

/// As `pause_fiber`; a task of a placement group yields its bundle's CPUs to others meanwhile.
fn block_fiber(
    runtime: &'static Runtime,
    worker: &'static Worker,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) -> Result<()> {
    let Some((slot, cpu)) = context::bundle_slot() else {
        return pause_fiber(runtime, worker, count, deadline, register);
    };
    runtime.resources.table().yield_cpu(slot, cpu);
    runtime.resources_freed();
    let outcome = pause_fiber(runtime, worker, count, deadline, register);
    let mut is_back = false;
    while !is_back && !runtime.stopping() {
        let waited = pause_fiber(runtime, worker, 1, None, |event| {
            is_back = runtime.resources.table().try_reacquire_cpu(slot, cpu, || event.clone());
            if is_back {
                event.clone().notify();
            }
        });
        if waited.is_err() {
            // Too many tasks wait already: it continues, and its bundle grants less until it ends.
            runtime.resources.table().reacquire_cpu(slot, cpu);
            break;
        }
    }
    outcome
}

fn pause_fiber(
    runtime: &'static Runtime,
    worker: &'static Worker,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) -> Result<()> {
    if runtime.waiting.blocked_count.load(Ordering::Relaxed) >= runtime.cluster.config.fibers {
        return Err(Error::config(format!(
            "{} tasks of rank {} are blocked in get or wait, as many as it may have: raise MOBULA_FIBERS, or nest \
             less deep",
            runtime.cluster.config.fibers, runtime.cluster.rank
        )));
    }
    let slot = worker.reserve_slot();
    let event = WaitEvent::of_fiber(count, worker.shared, slot);
    register(&event);
    if let Some(deadline) = deadline
        && runtime.waiting.timers.add(deadline, Arc::downgrade(&event))
    {
        runtime.router.doorbell().notify_always();
    }
    if !event.try_sleep() {
        worker.return_slot(slot);
        return Ok(());
    }
    runtime.waiting.blocked_count.fetch_add(1, Ordering::Relaxed);
    let suspended = context::suspend(slot);
    fiber::pause(Pause::Blocked(slot));
    drop(suspended);
    runtime.waiting.blocked_count.fetch_sub(1, Ordering::Relaxed);
    Ok(())
}

fn block_thread(
    runtime: &'static Runtime,
    count: usize,
    deadline: Option<Instant>,
    register: impl FnOnce(&Arc<WaitEvent>),
) {
    let event = WaitEvent::of_thread(count);
    register(&event);
    // A task that runs in place on a driver's stack gives its CPU back while it waits.
    let held = replace_driver_cpu(0);
    if held > 0 {
        runtime.give_back_cpu(held);
    }
    if !runtime.poll_until(|| event.fired() || deadline.is_some_and(|deadline| Instant::now() >= deadline))
        || !event.fired()
    {
        runtime.prepare_to_sleep();
        park_until(runtime, &event, deadline);
    }
    event.cancel();
    if held > 0 {
        retake_cpu_on_thread(runtime, held);
        replace_driver_cpu(held);
    }
}

/// As `block_thread`, for a service thread that holds no resources.
pub fn wait_on_thread(
    runtime: &'static Runtime,
    count: usize,
    deadline: Instant,
    register: impl FnOnce(&Arc<WaitEvent>),
) {
    let event = WaitEvent::of_thread(count);
    register(&event);
    if !runtime.poll_until(|| event.fired() || Instant::now() >= deadline) || !event.fired() {
        runtime.prepare_to_sleep();
        park_until(runtime, &event, Some(deadline));
    }
}

fn park_until(runtime: &'static Runtime, event: &WaitEvent, deadline: Option<Instant>) {
    let mut parked = None;
    while event.try_sleep() || !event.fired() {
        match deadline {
            None => std::thread::park_timeout(STOP_CHECK_INTERVAL),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                std::thread::park_timeout(left.min(STOP_CHECK_INTERVAL));
            }
        }
        if runtime.stopping() {
            return;
        }
        if !event.fired() && !runtime.waiting.stall.is_collecting() {
            // It waits for longer than most: from now on other ranks can see for what.
            parked.get_or_insert_with(|| record_parked_driver(runtime));
            watch_for_stall(runtime);
        }
    }
}

fn retake_cpu_on_thread(runtime: &'static Runtime, amount: i64) {
    while !runtime.resources.table().take_cpu(amount) && !runtime.stopping() {
        runtime.resources.table().set_waiting();
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// How often a blocked driver checks whether the cluster is stopping.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Runs a future to its end; waits as `get` does while it is not ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let future_waker = Arc::new(FutureWaker { event: std::sync::Mutex::new(None), woken: AtomicUsize::new(0) });
    // One waker for all polls, so that a future that is polled again recognises it.
    let waker = Waker::from(future_waker.clone());
    loop {
        future_waker.woken.store(0, Ordering::Release);
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => future_waker.wait(),
        }
    }
}

/// The waker of a future.
struct FutureWaker {
    event: std::sync::Mutex<Option<Arc<WaitEvent>>>,
    woken: AtomicUsize,
}

impl FutureWaker {
    fn wait(self: &Arc<Self>) {
        let Some(runtime) = Runtime::current() else {
            // A future without a cluster.
            while self.woken.load(Ordering::Acquire) == 0 {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            return;
        };
        // A cancelled task or a stopping cluster: the future is polled again, and its own waits return the error.
        let _ = runtime.block(1, None, |event| {
            let mut waiter = lock(&self.event);
            if self.woken.load(Ordering::Acquire) > 0 {
                event.clone().notify();
            } else {
                *waiter = Some(event.clone());
            }
        });
    }
}

impl Wake for FutureWaker {
    fn wake(self: Arc<Self>) {
        let mut waiter = lock(&self.event);
        self.woken.store(1, Ordering::Release);
        if let Some(event) = waiter.take() {
            drop(waiter);
            event.notify();
        }
    }
}

impl<T: Object> Future for ObjectRef<T> {
    type Output = Result<Ref<T>>;
    fn poll(self: std::pin::Pin<&mut Self>, polled: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.ready() {
            return Poll::Ready(outcome.map_err(|error| (*error).clone()));
        }
        if let Err(error) = here("await") {
            return Poll::Ready(Err(error));
        }
        if let Some(task) = context::cancelled() {
            return Poll::Ready(Err(Error::Cancelled { task }));
        }
        if let Some(runtime) = Runtime::current() {
            runtime.request_value(&self.any());
        }
        self.slot.core().when_complete_pruning(Arc::new(WakeWhenReady(polled.waker().clone())));
        Poll::Pending
    }
}

struct WakeWhenReady(Waker);

impl Waiter for WakeWhenReady {
    fn notify(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
    fn key(&self) -> Option<(usize, usize)> {
        // While it is registered its waker lives, and no other waker has the same data.
        Some((self.0.data().addr(), std::ptr::from_ref(self.0.vtable()).addr()))
    }
}
