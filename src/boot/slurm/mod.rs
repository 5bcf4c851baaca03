//! Joining the tasks of a step of `srun` that speaks no PMI: they meet over TCP at the first one.
//!
//! Rank 0 runs on the first host of the step, `SLURM_STEP_NODELIST`: so with every distribution of tasks but `arbitrary`,
//! where MOBULA_RENDEZVOUS helps. (`SLURM_LAUNCH_NODE_IPADDR` is the host of `srun` itself.) There is no way to tell the
//! others a port, so each works out the same candidates from the job's secret, and rank 0 takes the first that is free.
//! Job, step and restart are in the secret's derivation: two jobs of one user never meet, on whatever ports.

mod hosts;
mod join;
mod step;

pub use join::join;
pub use step::step;
