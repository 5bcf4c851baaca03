//! References as futures, and futures that a task or driver runs to their end.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, Result};
use crate::objects::{Object, ObjectRef, Ref, Waiter};
use crate::runtime::Runtime;
use crate::runtime::tasks::context;
use crate::runtime::waiting::event::WaitEvent;
use crate::runtime::waiting::wait::{failure, here};
use crate::runtime::workers::OutsideWait;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, RawWakerVTable, Wake, Waker};
use std::time::Duration;

/// Runs a future to its end; waits as `get` does while it is not ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let future_waker = Arc::new(FutureWaker { event: std::sync::Mutex::new(None), woken: AtomicUsize::new(0) });
    // One waker for all polls, so that a future that is polled again recognises it.
    let waker = future_waker.clone().into_waker();
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

/// The table of a `FutureWaker`'s waker.
static OWN_WAKERS: OnceLock<&'static RawWakerVTable> = OnceLock::new();

impl FutureWaker {
    /// Not inlined into `block_on` of each type of future: so there is one table of the waker.
    #[inline(never)]
    fn into_waker(self: Arc<Self>) -> Waker {
        let waker = Waker::from(self);
        let _ = OWN_WAKERS.set(waker.vtable());
        waker
    }

    fn wait(self: &Arc<Self>) {
        let Some(runtime) = Runtime::current() else {
            // A future without a cluster.
            while self.woken.load(Ordering::Acquire) == 0 {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            return;
        };
        // A cancelled task or a stopping cluster: the future is polled again, and its own waits return the error.
        let _ = runtime.block_user(&|| false, 1, None, |event| {
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
            return Poll::Ready(outcome.map_err(failure));
        }
        if let Err(error) = here("await") {
            return Poll::Ready(Err(error));
        }
        if let Some(task) = context::cancelled() {
            return Poll::Ready(Err(Error::Cancelled { task }));
        }
        let mut outside = None;
        if let Some(runtime) = Runtime::current() {
            runtime.request_value(&self.any());
            // Another executor blocks its thread, or others of its threads, where `block_on` yields the CPUs.
            let is_own = OWN_WAKERS.get().is_some_and(|own| std::ptr::eq(*own, polled.waker().vtable()));
            outside = (!is_own && !runtime.lifecycle.is_init_thread()).then(|| runtime.wait_outside());
        }
        let waker = polled.waker().clone();
        self.slot.core().when_complete_pruning(Arc::new(WakeWhenReady { waker, _outside: outside }));
        Poll::Pending
    }
}

struct WakeWhenReady {
    waker: Waker,
    _outside: Option<OutsideWait>,
}

impl Waiter for WakeWhenReady {
    fn notify(self: Arc<Self>) {
        self.waker.wake_by_ref();
    }
    fn key(&self) -> Option<(usize, usize)> {
        // While it is registered its waker lives, and no other waker has the same data.
        Some((self.waker.data().addr(), std::ptr::from_ref(self.waker.vtable()).addr()))
    }
}
