//! Joins the tasks of a step of `srun` without PMI: they meet over TCP at the first task.
//!
//! Rank 0 runs on the first host of the step, `SLURM_STEP_NODELIST`, with every distribution of tasks but `arbitrary`,
//! for which MOBULA_RENDEZVOUS must be set. (`SLURM_LAUNCH_NODE_IPADDR` is the host of `srun` itself.) Rank 0 cannot
//! send the others a port, so each rank derives the same candidate ports from the job's secret, and rank 0 takes the
//! first that is free. Job, step and restart are part of the derivation: two jobs of one user never meet, whatever
//! their ports.

mod grant;
mod hosts;
mod join;
mod left_over;
mod step;

pub use grant::{JobGrant, job_grant};
pub use join::join;
pub use left_over::is_left_over;
pub use step::step;
