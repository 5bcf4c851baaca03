//! The end of a cluster: every driver is through, every rank stops, the ranks part.

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, Result};
use crate::boot::World;
use crate::runtime::Node;
use crate::runtime::output::Capture;
use crate::protocol::Message;
use crate::topology::Kept;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long stopping waits for workers whose task goes on; then it goes on without them.
const WORKERS_GRACE: Duration = Duration::from_millis(500);

/// This process's part in a cluster: what `init` gives and `shutdown` takes.
pub struct Session {
    node: &'static Node,
    world: Option<World>,
    /// This rank's driver has said that it is through.
    left: bool,
    /// The program's thread is kept to the rank's own cores until then.
    _kept: Option<Kept>,
}

impl Session {
    /// Of a started node.
    pub(super) fn new(node: &'static Node, world: World, kept: Option<Kept>) -> Session {
        Session { node, world: Some(world), left: false, _kept: kept }
    }

    /// The rank.
    pub fn node(&self) -> &'static Node {
        self.node
    }

    /// Serves the others until every driver is through. What tasks print here goes to the driver.
    ///
    /// # Errors
    /// Where the ranks do not part cleanly.
    pub fn serve(mut self) -> Result<()> {
        let node = self.node;
        let capture = if node.rank == 0 { None } else { Some(Capture::begin(node)?) };
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
        let node = self.node;
        let _ = node.leaver.set(std::thread::current());
        node.send(0, &Message::Leave);
        node.leave_roads();
        while !node.stopping() {
            std::thread::park();
        }
    }

    /// Every rank is stopping: threads end, what is left of messages is taken, the ranks part.
    fn part(&mut self) -> Result<()> {
        let Some(mut world) = self.world.take() else { return Ok(()) };
        let node = self.node;
        join_threads(node);
        if let Some(error) = node.orphaned.get() {
            // The others end by themselves as well, or go on without this rank: it cannot part in order.
            node.say_farewell();
            node.dismantle();
            std::mem::forget(world);
            return Err(error.clone());
        }
        if node.size > 1 {
            // Whatever a rank had to say (its last lines) is before its second Leave.
            node.send(0, &Message::Leave);
            let mut vigil = node.begin_vigil();
            while node.rank == 0 && !node.parting.all_left(2) {
                // The progress thread, which does so while the cluster runs, has ended.
                node.keep_vigil(&mut vigil);
                if node.poll() == 0 {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            for _ in 0..1000 {
                node.poll();
                if !node.has_mail_waiting() {
                    break;
                }
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        (0..node.size).filter(|rank| node.is_dead(*rank)).for_each(|rank| world.exchange.forget(rank));
        let outcome = if node.mourns() && !world.outlives { Ok(()) } else { world.exchange.barrier() };
        node.dismantle();
        if node.mourns() && !world.outlives {
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

fn join_threads(node: &'static Node) {
    let begun = Instant::now();
    let threads = std::mem::take(&mut *lock(&node.threads));
    for thread in threads {
        while !thread.is_finished() && begun.elapsed() < WORKERS_GRACE {
            node.stop();
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

impl Node {
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
