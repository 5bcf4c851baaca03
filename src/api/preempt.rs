//! Notice that the job is about to be ended.

use crate::base::Result;
use crate::runtime::{self, Preempt};

/// Calls `callback` when the job's time nears its end: time to save a checkpoint, or to end with a partial answer.
///
/// The notice is SIGUSR1, which the job requests, here two minutes ahead (Slurm may be up to one minute early):
///
/// ```text
/// #SBATCH --signal=USR1@120       to every rank of every step that srun started, and not to the batch script
/// #SBATCH --signal=B:USR1@120     to the batch script alone, which must pass it on: mpirun hands it to every rank
/// ```
///
/// If the site lets a job of higher priority preempt this one, the signal is also sent then if the site's
/// `PreemptParameters` have `send_user_signal`. `scancel --signal=USR1 JOB` sends it by hand.
///
/// May be called on any rank, before or after [`init`](crate::init), and several times: callbacks run one after the
/// other in the order in which they were given, on a thread of their own, once for each time the signal comes; signals
/// that come close together are one. A handler that the program had for SIGUSR1 is called as before. Without a callback
/// the signal keeps its effect, except on ranks that [`serve`](crate::Cluster::serve): it no longer ends those.
///
/// ```
/// use std::sync::mpsc::channel;
///
/// let (sender, notices) = channel();
/// mobula::on_preempt(move |preempt| {
///     println!("{:?} left", preempt.left);
///     sender.send(preempt.signal).unwrap();
/// })?;
///
/// // As Slurm would:
/// let this = std::process::id().to_string();
/// std::process::Command::new("kill").args(["-s", "USR1", &this]).status().unwrap();
/// assert!(notices.recv().is_ok());
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Error::Config` if the system provides no thread, no descriptor or no signal.
pub fn on_preempt(callback: impl Fn(Preempt) + Send + Sync + 'static) -> Result<()> {
    runtime::on_preempt(callback)
}
