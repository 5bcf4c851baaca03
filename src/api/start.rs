//! Starting and stopping.

use crate::base::forked::{FORKED, is_forked};
use crate::base::log::print_whole;
use crate::base::sync::lock;
use crate::base::{Config, Error, Result};
use crate::boot::{self, World};
use crate::runtime::{self, Runtime, Session};
use std::marker::PhantomData;
use std::sync::Mutex;

/// A running cluster, as the process that started it holds it. Dropping it is `shutdown`.
///
/// ```
/// # use mobula::prelude::*;
/// let cluster = mobula::init(Config::default())?;
/// assert_eq!((cluster.rank(), cluster.size()), (0, 1));
/// cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
pub struct Cluster {
    /// False if `init` returned a cluster that was already running: only its starter stops it.
    is_starter: bool,
    runtime: &'static Runtime,
    /// MPI ends on the thread that began it.
    thread: PhantomData<*const ()>,
}

/// Held during a start, so that two threads do not start two clusters.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts the cluster of the ranks that the launcher started; without a launcher, a cluster of this process.
///
/// Ranks other than the drivers then call [`Cluster::serve`]. [`#[mobula::main]`](macro@crate::main) does all of this.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn rank() -> u32 {
///     mobula::context().rank()
/// }
///
/// fn main() -> mobula::Result<()> {
///     let cluster = mobula::init(Config::default().num_cpus(8.0).store_bytes(256 << 20))?;
///     if cluster.rank() != 0 {
///         return cluster.serve(); // until rank 0 shuts down
///     }
///     for other in 0..cluster.size() {
///         assert_eq!(*rank::on(other).remote().get()?, other);
///     }
///     cluster.shutdown()
/// }
/// ```
///
/// # Errors
/// `Error::Config` for a wrong setting, or a second call while a cluster runs, unless [`Config::ignore_reinit`] allows
/// it; `Error::Fabric` if the ranks cannot be connected.
pub fn init(config: Config) -> Result<Cluster> {
    begin(config, boot::join)
}

/// As [`init`], inside a program that runs MPI itself: the ranks of `comm`, which is duplicated.
///
/// `comm` is an `MPI_Comm` of the library that the program has loaded, as C has it or as the crate `mpi` returns it
/// from `as_raw`: a pointer with Open MPI, a C `int` with MPICH, or a type that holds only one of them. The compiler
/// refuses types of other sizes.
///
/// Every rank is a driver; one that submits nothing may call [`Cluster::serve`]. The program shuts the cluster down
/// before it finalizes MPI.
///
/// ```
/// use mobula::prelude::*;
///
/// fn on_ranks_of<Comm: Copy + 'static>(comm: Comm) -> mobula::Result<u32> {
///     let cluster = mobula::init_with_comm(comm, Config::default())?; // by every rank, after MPI_Init
///     let rank = cluster.rank(); // the same as in the communicator
///     cluster.shutdown()?; // by every rank, before MPI_Finalize
///     Ok(rank)
/// }
/// # // Here is no MPI.
/// # assert!(matches!(on_ranks_of(0x4400_0000), Err(mobula::Error::Config { .. })));
/// ```
///
/// # Errors
/// As `init`; `Error::Config` if MPI is not initialised, or if the communicator is null, an intercommunicator, or not
/// one of the library that the program has loaded.
#[cfg(feature = "mpi")]
pub fn init_with_comm<Comm: Copy + 'static>(comm: Comm, config: Config) -> Result<Cluster> {
    begin(config, |config| boot::mpi::join_comm(boot::mpi::RawComm::of(comm), config))
}

/// As [`init_with_comm`], with the communicator's number in Fortran.
#[cfg(feature = "mpi")]
pub fn init_with_fortran_comm(comm: i32, config: Config) -> Result<Cluster> {
    begin(config, |config| boot::mpi::join_comm(boot::mpi::RawComm::Fortran(comm), config))
}

fn begin(config: Config, join: impl FnOnce(&Config) -> Result<World>) -> Result<Cluster> {
    refuse_forked()?;
    let _starting = lock(&STARTING);
    if let Some(runtime) = Runtime::current() {
        if config.ignore_reinit {
            return Ok(Cluster { is_starter: false, runtime, thread: PhantomData });
        }
        return Err(Error::config(
            "a cluster runs in this process already: shut it down first, or set Config::ignore_reinit(true) to share \
             it",
        ));
    }
    let config = config.with_environment()?;
    let world = join(&config)?;
    let session = runtime::start(world, config)?;
    let runtime = session.runtime();
    runtime::end_at_exit(session);
    Ok(Cluster { is_starter: true, runtime, thread: PhantomData })
}

/// # Errors
/// `Config` in a forked child.
fn refuse_forked() -> Result<()> {
    if is_forked() { Err(Error::config(FORKED)) } else { Ok(()) }
}

/// True if a cluster runs in this process.
///
/// ```
/// # use mobula::prelude::*;
/// assert!(!mobula::is_initialized());
/// let cluster = mobula::init(Config::default())?;
/// assert!(mobula::is_initialized());
/// cluster.shutdown()?;
/// assert!(!mobula::is_initialized());
/// # Ok::<(), mobula::Error>(())
/// ```
pub fn is_initialized() -> bool {
    Runtime::current().is_some()
}

impl Cluster {
    /// This process's rank.
    pub fn rank(&self) -> u32 {
        self.runtime.cluster.rank
    }

    /// How many ranks there are.
    pub fn size(&self) -> u32 {
        self.runtime.cluster.size
    }

    /// Serves the drivers until all of them have finished. What tasks print here is shown by the driver of rank 0.
    /// SIGUSR1 does not end this rank from here on: see [`on_preempt`](crate::on_preempt).
    ///
    /// ```
    /// # use mobula::prelude::*;
    /// let cluster = mobula::init(Config::default())?;
    /// if cluster.rank() != 0 {
    ///     return cluster.serve();
    /// }
    /// // Rank 0 submits tasks here.
    /// cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the ranks do not shut down cleanly.
    pub fn serve(mut self) -> Result<()> {
        refuse_forked()?;
        runtime::ignore_sigusr1();
        self.take_session().map_or(Ok(()), Session::serve)
    }

    /// Declares this rank's driver finished, as does `std::process::exit` of the only one. Returns when all are, and
    /// the cluster is stopped. Another [`init`] may follow, unless MPI was finalized with the cluster.
    ///
    /// ```
    /// # use mobula::prelude::*;
    /// mobula::init(Config::default())?.shutdown()?;
    /// mobula::init(Config::default())?.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the ranks do not shut down cleanly.
    pub fn shutdown(mut self) -> Result<()> {
        refuse_forked()?;
        self.take_session().map_or(Ok(()), Session::shutdown)
    }

    fn take_session(&mut self) -> Option<Session> {
        if std::mem::take(&mut self.is_starter) { runtime::take_session() } else { None }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.take_session());
    }
}

/// The expansion of `#[mobula::main]`: rank 0 runs `body`, the others serve; with `spmd` every rank runs it.
pub fn run_main<R>(spmd: bool, mut config: Config, body: fn() -> R) -> R {
    config.one_driver = !spmd;
    let exit = |error: Error| -> ! {
        print_whole(&format!("mobula: {error}\n"));
        std::process::exit(1)
    };
    let cluster = init(config).unwrap_or_else(|error| exit(error));
    if !spmd && cluster.rank() != 0 {
        cluster.serve().unwrap_or_else(|error| exit(error));
        std::process::exit(0);
    }
    let returned = body();
    if let Err(error) = cluster.shutdown() {
        print_whole(&format!("mobula: {error}\n"));
    }
    returned
}
