//! The end of a cluster: every driver is through, every rank stops, the ranks part.

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, Result};
use crate::boot::World;
use crate::protocol::Message;
use crate::runtime::Runtime;
use crate::runtime::output::Capture;
use crate::topology::Kept;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long stopping waits for workers whose task goes on; then it goes on without them.
const WORKERS_GRACE: Duration = Duration::from_millis(500);

/// This process's part in a cluster: what `init` gives and `shutdown` takes.
pub struct Session {
    runtime: &'static Runtime,
    world: Option<World>,
    /// This rank's driver has said that it is through.
    left: bool,
    /// The program's thread is kept to the rank's own cores until then.
    _kept: Option<Kept>,
}

impl Session {
    /// Of a started node.
    pub(super) fn new(runtime: &'static Runtime, world: World, kept: Option<Kept>) -> Session {
        Session { runtime, world: Some(world), left: false, _kept: kept }
    }

    /// The rank.
    pub fn runtime(&self) -> &'static Runtime {
        self.runtime
    }

    /// Serves the others until every driver is through. What tasks print here goes to the driver.
    ///
    /// # Errors
    /// Where the ranks do not part cleanly.
    pub fn serve(mut self) -> Result<()> {
        let runtime = self.runtime;
        let capture = if runtime.rank == 0 { None } else { Some(Capture::begin(runtime)?) };
        self.leave();
        if let Some(capture) = capture {
            capture.end();
        }
        self.part()
    }

    /// This rank's driver is through: waits until all are, then stops.
    ///
    /// # Errors
    /// Where the ranks do not part cleanly.
    pub fn shutdown(mut self) -> Result<()> {
        self.leave();
        self.part()
    }

    fn leave(&mut self) {
        if self.left {
            return;
        }
        self.left = true;
        let runtime = self.runtime;
        let _ = runtime.leaver.set(std::thread::current());
        runtime.send(0, &Message::Leave);
        runtime.leave_roads();
        while !runtime.stopping() {
            std::thread::park();
        }
    }

    /// Every rank is stopping: threads end, what is left of messages is taken, the ranks part.
    fn part(&mut self) -> Result<()> {
        let Some(mut world) = self.world.take() else { return Ok(()) };
        let runtime = self.runtime;
        join_threads(runtime);
        if let Some(error) = runtime.orphaned.get() {
            // The others end by themselves as well, or go on without this rank: it cannot part in order.
            runtime.say_farewell();
            runtime.dismantle();
            std::mem::forget(world);
            return Err(error.clone());
        }
        if runtime.size > 1 {
            // Whatever a rank had to say (its last lines) is before its second Leave.
            runtime.send(0, &Message::Leave);
            let mut vigil = runtime.begin_vigil();
            while runtime.rank == 0 && !runtime.parting.all_left(2) {
                // The progress thread, which does so while the cluster runs, has ended.
                runtime.keep_vigil(&mut vigil);
                if runtime.poll() == 0 {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            for _ in 0..1000 {
                runtime.poll();
                if !runtime.has_mail_waiting() {
                    break;
                }
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        (0..runtime.size).filter(|rank| runtime.is_dead(*rank)).for_each(|rank| world.exchange.forget(rank));
        let outcome = if runtime.mourns() && !world.outlives { Ok(()) } else { world.exchange.barrier() };
        runtime.dismantle();
        if runtime.mourns() && !world.outlives {
            // A launcher's library that counts on every rank would wait for the dead.
            std::mem::forget(world);
        }
        outcome
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.world.is_none() {
            return;
        }
        self.leave();
        if let Err(error) = self.part() {
            say(Level::Error, || format!("the ranks did not part cleanly: {error}"));
        }
    }
}

fn join_threads(runtime: &'static Runtime) {
    let begun = Instant::now();
    let threads = std::mem::take(&mut *lock(&runtime.threads));
    for thread in threads {
        while !thread.is_finished() && begun.elapsed() < WORKERS_GRACE {
            runtime.stop();
            std::thread::sleep(Duration::from_micros(100));
        }
        if thread.is_finished() {
            let _ = thread.join();
        } else {
            let name = thread.thread().name().unwrap_or("a worker").to_string();
            say(Level::Warn, || format!("{name} still runs a task while the cluster stops; its result is lost"));
        }
    }
}

impl Runtime {
    /// Drops what the cluster held. What the user still holds (arrays, references) stays readable.
    fn dismantle(&'static self) {
        let work = self.queues.clear();
        for work in &work {
            if let crate::runtime::queues::Work::Task(task) = work
                && (task.header().claim() || task.header().claim_waiting())
            {
                task.fail(std::sync::Arc::new(Error::config("the cluster was shut down before the task ran")));
            }
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
        let held = (self.protocol.actors.clear(), self.protocol.made.clear(), self.protocol.names.clear());
        let _ = catch_unwind(AssertUnwindSafe(|| drop(held)));
        self.uninstall();
        if let Some(sentry) = &self.roads.sentry {
            sentry.dismiss();
        }
        self.roads.all.iter().for_each(|road| road.close());
        lock(&self.arenas).clear();
        self.protocol.copies.clear();
        let _ = catch_unwind(AssertUnwindSafe(|| self.protocol.references.clear()));
        self.spill.clear();
        *self.arena.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
