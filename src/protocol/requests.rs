//! What options ask for, in the units that resources are counted in.

use crate::registry::Options;
use crate::sched::{Request, UNIT, fixed_of};

/// What options ask for, of a task: one CPU where they do not say.
pub fn request_of(options: &Options) -> Request {
    Request {
        cpu: options.num_cpus.map_or(UNIT, fixed_of),
        gpu: options.num_gpus.map_or(0, fixed_of),
        custom: options.resources.iter().map(|(name, amount)| (name.clone(), fixed_of(*amount))).collect(),
    }
}

/// What options ask for, of an actor: no CPU where they do not say.
pub fn request_of_actor(options: &Options) -> Request {
    let asked = request_of(options);
    Request { cpu: if options.num_cpus.is_some() { asked.cpu } else { 0 }, ..asked }
}
