//! References as futures, and futures that a task or driver runs to their end.

use crate::base::sync::{AtomicUsize, Ordering, lock};
use crate::base::{Error, Result};
use crate::objects::{Object, ObjectRef, Ref, Waiter};
use crate::runtime::Runtime;
use crate::runtime::tasks::context;
use crate::runtime::waiting::event::WaitEvent;
use crate::runtime::waiting::wait::{failure, here};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

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
            return Poll::Ready(outcome.map_err(failure));
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
