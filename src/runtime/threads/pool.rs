//! `mobula::pool()`.

use crate::base::limits::WORKERS_MAX;
use crate::base::{Error, Result};
use crate::runtime::Runtime;
use crate::runtime::tasks::snapshot;
use crate::runtime::threads::pool_cache::{CachedPool, PoolKind, threads_for};
use crate::topology::allowed_cpus;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A rayon pool with a thread for each CPU of a task: what [`pool()`] returns. It is a [`rayon_core::ThreadPool`] by
/// `Deref`. Dropping it lets a later task have its threads.
pub struct Pool {
    /// `None` while it is dropped.
    pool: Option<Arc<CachedPool>>,
    runtime: &'static Runtime,
}

impl Deref for Pool {
    type Target = rayon_core::ThreadPool;
    fn deref(&self) -> &rayon_core::ThreadPool {
        let Some(pool) = &self.pool else { unreachable!("only drop takes it") };
        &pool.threads
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            self.runtime.pools.give_back(pool);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a pool of {} threads", self.current_num_threads())
    }
}

/// A rayon pool of the CPUs of the calling task or actor: as many threads as it requested CPUs, at least one, which may
/// run where the task may. On a driver's thread, and on threads that do not know their task, it has as many as
/// [`available_parallelism`](std::thread::available_parallelism) says.
///
/// What runs in it by the crate `rayon` uses these threads, and [`context()`](crate::context) there is that of the
/// task. A task has its pool for itself; the next task with the same CPUs gets the threads of one that has ended. At
/// most 1024 threads.
///
/// ```
/// use mobula::prelude::*;
/// use rayon::prelude::*;
///
/// #[mobula::remote(num_cpus = 2)]
/// fn norm(data: Vec<f64>) -> mobula::Result<f64> {
///     let pool = mobula::pool()?;
///     assert_eq!(pool.current_num_threads(), 2);
///     Ok(pool.install(|| data.par_iter().map(|x| x * x).sum::<f64>()).sqrt())
/// }
///
/// # let cluster = mobula::init(Config::default().num_cpus(2.0))?;
/// assert_eq!(*norm::remote(vec![3.0, 4.0]).get()?, 5.0);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// [`Error::Config`] without a cluster, and if the system gives no threads.
pub fn pool() -> Result<Pool> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("pool"))?;
    let snapshot = snapshot();
    let threads = match &snapshot.task {
        Some(_) => threads_for(snapshot.cpus),
        None => std::thread::available_parallelism().map_or(1, |cpus| cpus.get().min(WORKERS_MAX)),
    };
    let pool = runtime.pools.take(PoolKind { cpus: allowed_cpus(), threads }, snapshot)?;
    Ok(Pool { pool: Some(pool), runtime })
}
