//! Waiting: a fiber gives its thread and its CPUs back, a thread looks at the roads for a moment and then blocks.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, Result};
use crate::objects::{AnySlot, Object, ObjectRef, Ref, Waiter, in_context};
use crate::runtime::Runtime;
use crate::runtime::context;
use crate::runtime::event::Event;
use crate::runtime::fiber::{self, Pause};
use crate::runtime::in_place::replace_driver_cpu;
use crate::runtime::worker::{self, Worker};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Waits until the object is complete; runs its task here and now where it has not begun.
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
    // A time-out beyond what a clock can tell is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        if deadline.is_none() {
            runtime.help(&reference.any());
        }
        if let Some(outcome) = reference.ready() {
            return outcome.map_err(|error| (*error).clone());
        }
        let slot = reference.any();
        runtime.want(&slot);
        if worker::here().is_none()
            && deadline.is_none()
            && runtime.watch_roads(|| slot.core().is_complete())
            && !runtime.stopping()
        {
            // A driver that waits for a short answer needs no event.
            continue;
        }
        context::awaiting(&|visit| visit(&slot), || {
            runtime.block(1, deadline, |event| match deadline {
                None => slot.core().when_complete(event.clone()),
                // It may look again, as often as it likes.
                Some(_) => slot.core().when_complete_instead(event.clone()),
            })
        })?;
        if reference.ready().is_none() && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::Timeout { waited: timeout.unwrap_or_default(), what: format!("{reference:?}") });
        }
    }
}

/// Waits until `count` of the objects are complete, or the deadline; true where they are.
pub fn wait_for<T: Object>(references: &[ObjectRef<T>], count: usize, deadline: Option<Instant>) -> Result<bool> {
    let ready = || references.iter().filter(|reference| reference.is_ready()).take(count).count() >= count;
    if ready() {
        return Ok(true);
    }
    let runtime = here("wait")?;
    references.iter().for_each(|reference| runtime.want(&reference.any()));
    loop {
        // Those that are complete tell the event at once, so that it counts all of them. Each of the others has room for one
        // wait that is over: a program that waits for one of many, again and again, leaves no more behind.
        let register = |event: &Arc<Event>| {
            for reference in references {
                reference.slot.core().when_complete_instead(event.clone());
            }
        };
        let awaited = |visit: &mut dyn FnMut(&Arc<dyn AnySlot>)| references.iter().for_each(|one| visit(&one.any()));
        context::awaiting(&awaited, || runtime.block(count, deadline, register))?;
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
    /// Somebody here waits for an object: its value is on its way here from now on.
    pub fn want(&'static self, slot: &Arc<dyn AnySlot>) {
        slot.request();
        self.protocol.want(&self, slot);
    }

    /// Waits for `count` calls of the event that `register` hands out, or the deadline.
    ///
    /// # Errors
    /// `Cancelled` where the waiting task was asked to end; `Config` where too many tasks are blocked already.
    pub fn block(
        &'static self,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<Event>),
    ) -> Result<()> {
        if let Some(task) = context::cancelled() {
            return Err(Error::Cancelled { task });
        }
        if self.stopping() {
            return Err(self.why_it_ended());
        }
        match (worker::here(), fiber::stack_left()) {
            (Some(worker), Some(_)) => self.block_fiber(worker, count, deadline, register)?,
            _ => self.block_thread(count, deadline, register),
        }
        if self.stopping() {
            return Err(self.why_it_ended());
        }
        match context::cancelled() {
            Some(task) => Err(Error::Cancelled { task }),
            None => Ok(()),
        }
    }

    /// As `pause_fiber`; a task of a placement group lends its bundle's CPUs to others meanwhile.
    fn block_fiber(
        &'static self,
        worker: &'static Worker,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<Event>),
    ) -> Result<()> {
        let Some((seat, cpu)) = context::seat() else { return self.pause_fiber(worker, count, deadline, register) };
        self.table.lend_cpu(seat, cpu);
        self.resources_freed();
        let outcome = self.pause_fiber(worker, count, deadline, register);
        let mut is_back = false;
        while !is_back && !self.stopping() {
            let waited = self.pause_fiber(worker, 1, None, |event| {
                is_back = self.table.take_back_cpu(seat, cpu, || event.clone());
                if is_back {
                    event.clone().ready();
                }
            });
            if waited.is_err() {
                // Too many wait already: it goes on, and its bundle hands out less until it ends.
                self.table.owe_cpu(seat, cpu);
                break;
            }
        }
        outcome
    }

    fn pause_fiber(
        &'static self,
        worker: &'static Worker,
        count: usize,
        deadline: Option<Instant>,
        register: impl FnOnce(&Arc<Event>),
    ) -> Result<()> {
        if self.blocked.load(Ordering::Relaxed) >= self.config.fibers {
            return Err(Error::config(format!(
                "{} tasks of rank {} are blocked in get or wait, as many as it may have: raise MOBULA_FIBERS, or nest less deep",
                self.config.fibers, self.rank
            )));
        }
        let slot = worker.reserve_slot();
        let event = Event::of_fiber(count, worker.shared, slot);
        register(&event);
        if let Some(deadline) = deadline
            && self.timers.add(deadline, Arc::downgrade(&event))
        {
            self.roads.bell.ring();
        }
        if !event.fall_asleep() {
            worker.return_slot(slot);
            return Ok(());
        }
        self.blocked.fetch_add(1, Ordering::Relaxed);
        let aside = context::put_aside(slot);
        fiber::pause(Pause::Blocked(slot));
        drop(aside);
        self.blocked.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    fn block_thread(&'static self, count: usize, deadline: Option<Instant>, register: impl FnOnce(&Arc<Event>)) {
        let event = Event::of_thread(count);
        register(&event);
        // A task that runs in place on a driver's stack gives its CPU back while it waits.
        let held = replace_driver_cpu(0);
        if held > 0 {
            self.give_back_cpu(held);
        }
        if !self.watch_roads(|| event.fired() || deadline.is_some_and(|deadline| Instant::now() >= deadline))
            || !event.fired()
        {
            self.leave_roads();
            self.park_until(&event, deadline);
        }
        event.end();
        if held > 0 {
            self.retake_cpu_on_thread(held);
            replace_driver_cpu(held);
        }
    }

    /// As `block_thread`, for a thread that looks after others and holds nothing.
    pub(super) fn wait_on_thread(&'static self, count: usize, deadline: Instant, register: impl FnOnce(&Arc<Event>)) {
        let event = Event::of_thread(count);
        register(&event);
        if !self.watch_roads(|| event.fired() || Instant::now() >= deadline) || !event.fired() {
            self.leave_roads();
            self.park_until(&event, Some(deadline));
        }
    }

    fn park_until(&'static self, event: &Event, deadline: Option<Instant>) {
        let mut parked = None;
        while event.fall_asleep() || !event.fired() {
            match deadline {
                None => std::thread::park_timeout(STOP_LOOK),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    std::thread::park_timeout(left.min(STOP_LOOK));
                }
            }
            if self.stopping() {
                return;
            }
            if !event.fired() && !self.stall.is_asking() {
                // It waits for longer than most: from now on others may see what for.
                parked.get_or_insert_with(|| self.driver_parks());
                self.watch_for_stall();
            }
        }
    }

    fn retake_cpu_on_thread(&'static self, amount: i64) {
        while !self.table.take_cpu(amount) && !self.stopping() {
            self.table.wait();
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

/// How often a blocked driver looks whether the cluster is stopping.
const STOP_LOOK: Duration = Duration::from_millis(250);

/// Runs a future to its end, waiting like `get` does while it is not ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let flag = Arc::new(Flag { event: std::sync::Mutex::new(None), woken: AtomicUsize::new(0) });
    // One waker for all polls, so that what is polled again knows it.
    let waker = Waker::from(flag.clone());
    loop {
        flag.woken.store(0, Ordering::Release);
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => flag.wait(),
        }
    }
}

/// What a future wakes.
struct Flag {
    event: std::sync::Mutex<Option<Arc<Event>>>,
    woken: AtomicUsize,
}

impl Flag {
    fn wait(self: &Arc<Self>) {
        let Some(runtime) = Runtime::current() else {
            // A future that has nothing to do with a cluster.
            while self.woken.load(Ordering::Acquire) == 0 {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            return;
        };
        // A cancelled task or a stopping cluster: the future is polled again, and its own waits say so.
        let _ = runtime.block(1, None, |event| {
            let mut place = lock(&self.event);
            if self.woken.load(Ordering::Acquire) > 0 {
                event.clone().ready();
            } else {
                *place = Some(event.clone());
            }
        });
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        let mut place = lock(&self.event);
        self.woken.store(1, Ordering::Release);
        if let Some(event) = place.take() {
            drop(place);
            event.ready();
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
            runtime.want(&self.any());
        }
        self.slot.core().when_complete_instead(Arc::new(WakeWhenReady(polled.waker().clone())));
        Poll::Pending
    }
}

struct WakeWhenReady(Waker);

impl Waiter for WakeWhenReady {
    fn ready(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
    fn key(&self) -> Option<(usize, usize)> {
        // While it is registered its waker lives, and no other has the same data.
        Some((self.0.data().addr(), std::ptr::from_ref(self.0.vtable()).addr()))
    }
}
