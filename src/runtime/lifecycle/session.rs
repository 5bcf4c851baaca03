//! The end of a cluster: every driver has finished, every rank stops its threads, the ranks meet at a barrier.

use crate::base::log::{Level, log};
use crate::base::panic::catch;
use crate::base::sync::{Ordering, lock};
use crate::base::{Error, Result};
use crate::boot::World;
use crate::protocol::Message;
use crate::runtime::lifecycle::at_exit::is_exiting;
use crate::runtime::output::Capture;
use crate::runtime::{Runtime, membership};
use crate::topology::SavedAffinity;
use std::time::{Duration, Instant};

/// How long the shutdown waits for workers whose task still runs; then it continues without them.
const WORKERS_GRACE: Duration = Duration::from_millis(500);

/// This process's part in a cluster, from `init` to `shutdown`.
pub struct Session {
    runtime: &'static Runtime,
    world: Option<World>,
    /// This rank sent `ShutdownReady`: its driver has finished.
    ready_sent: bool,
    /// What forwards this rank's output, if it began with the rank.
    capture: Option<Capture>,
    /// Restricts the program's thread to the rank's own cores.
    _affinity: Option<SavedAffinity>,
}

impl Session {
    /// For a started `Runtime`.
    pub fn new(
        runtime: &'static Runtime,
        world: World,
        affinity: Option<SavedAffinity>,
        capture: Option<Capture>,
    ) -> Session {
        Session { runtime, world: Some(world), ready_sent: false, capture, _affinity: affinity }
    }

    /// The rank.
    pub fn runtime(&self) -> &'static Runtime {
        self.runtime
    }

    /// True if this rank is the only driver: the others serve, or do within that time.
    pub fn all_others_serve(&self, time: Duration) -> bool {
        let runtime = self.runtime;
        let begun = Instant::now();
        runtime.cluster.rank == 0
            && (1..runtime.cluster.size).all(|other| {
                while !runtime.lifecycle.shutdown.has_sent_ready(other, 1) && begun.elapsed() < time {
                    std::thread::sleep(Duration::from_millis(1));
                }
                runtime.lifecycle.shutdown.has_sent_ready(other, 1)
            })
    }

    /// Serves the other ranks until every driver has finished. The lines that tasks print here go to the driver.
    ///
    /// # Errors
    /// Where the ranks do not shut down cleanly.
    pub fn serve(mut self) -> Result<()> {
        let runtime = self.runtime;
        let capture = match self.capture.take() {
            None if runtime.cluster.rank != 0 => Some(Capture::begin(runtime)?),
            begun => begun,
        };
        self.wait_for_shutdown();
        if let Some(capture) = capture {
            capture.end();
        }
        self.finish()
    }

    /// This rank's driver has finished: waits until all have, then stops.
    ///
    /// # Errors
    /// Where the ranks do not shut down cleanly.
    pub fn shutdown(mut self) -> Result<()> {
        self.wait_for_shutdown();
        self.finish()
    }

    fn wait_for_shutdown(&mut self) {
        if self.ready_sent {
            return;
        }
        self.ready_sent = true;
        let runtime = self.runtime;
        let _ = runtime.lifecycle.shutdown_thread.set(std::thread::current());
        runtime.send(0, &Message::ShutdownReady);
        runtime.prepare_to_sleep();
        while !runtime.stopping() {
            std::thread::park();
        }
    }

    /// Every rank is stopping: ends the threads, handles the remaining messages, and meets the other ranks at a
    /// barrier.
    fn finish(&mut self) -> Result<()> {
        let Some(mut world) = self.world.take() else { return Ok(()) };
        let runtime = self.runtime;
        join_threads(runtime);
        if let Some(error) = runtime.lifecycle.ended_by.get() {
            // The others end by themselves as well, or continue without this rank: it cannot take part in the shutdown.
            membership::flush_final_messages(runtime);
            dismantle(runtime);
            std::mem::forget(world);
            return Err(error.clone());
        }
        if runtime.cluster.size > 1 {
            // A rank's last messages (its last lines) come before its second `ShutdownReady`.
            runtime.send(0, &Message::ShutdownReady);
            let mut monitor = membership::start_failure_detector(runtime);
            while runtime.cluster.rank == 0 && !runtime.lifecycle.shutdown.all_sent_ready(2) {
                // The progress thread, which does so while the cluster runs, has ended.
                membership::detect_failures(runtime, &mut monitor);
                if runtime.poll() == 0 {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            for _ in 0..1000 {
                runtime.poll();
                if !runtime.router.has_queued_messages() {
                    break;
                }
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        (0..runtime.cluster.size).filter(|rank| runtime.is_dead(*rank)).for_each(|rank| world.exchange.exclude(rank));
        // A launcher's library that expects every rank would wait for dead ones.
        let abandons = membership::any_rank_died(runtime) && !world.survives_rank_death;
        let outcome = if abandons { Ok(()) } else { world.exchange.barrier() };
        dismantle(runtime);
        if abandons {
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
        self.wait_for_shutdown();
        if let Err(error) = self.finish() {
            log(Level::Error, || format!("the ranks did not shut down cleanly: {error}"));
        }
    }
}

fn join_threads(runtime: &'static Runtime) {
    let begun = Instant::now();
    let threads = std::mem::take(&mut *lock(&runtime.workers.threads));
    for thread in threads {
        while !thread.is_finished() && begun.elapsed() < WORKERS_GRACE {
            runtime.stop();
            std::thread::sleep(Duration::from_micros(100));
        }
        if thread.is_finished() {
            let _ = thread.join();
        } else if !is_exiting() {
            // Otherwise it is the thread whose task exits.
            let name = thread.thread().name().unwrap_or("a worker").to_string();
            log(Level::Warn, || format!("{name} still runs a task while the cluster stops; its result is lost"));
        }
    }
}

/// Drops what the cluster owned. Arrays and references that the user still has stay readable.
fn dismantle(runtime: &'static Runtime) {
    let work = runtime.workers.queues.clear();
    for work in &work {
        if let crate::runtime::workers::Work::Task(task) = work
            && (task.header().claim() || task.header().claim_waiting())
        {
            task.fail(std::sync::Arc::new(Error::config("the cluster was shut down before the task ran")));
        }
    }
    let _ = catch(|| drop(work));
    let dropped = (
        runtime.protocol.actors.instance.clear(),
        runtime.protocol.actors.owner.clear(),
        runtime.protocol.names.clear(),
    );
    let _ = catch(|| drop(dropped));
    runtime.pools.clear();
    runtime.lifecycle.ended.store(true, Ordering::Release);
    runtime.keep_numbers();
    runtime.uninstall();
    runtime.router.close();
    runtime.memory.close_peers();
    runtime.protocol.objects.copies.clear();
    let _ = catch(|| runtime.protocol.objects.references.clear());
    runtime.memory.close();
}
