//! What options ask for, in the units that resources are counted in.

use crate::registry::Options;
use crate::scheduling::{Request, UNIT, fixed_of};

/// What options ask for, of a task: one CPU where they do not say.
pub fn request_of(options: &Options) -> Request {
    asked(options, UNIT)
}

/// What options ask for, of an actor: no CPU where they do not say.
pub fn request_of_actor(options: &Options) -> Request {
    asked(options, 0)
}

fn asked(options: &Options, cpu: i64) -> Request {
    let cpu = options.num_cpus.map_or(cpu, fixed_of);
    let seat = options.seat();
    Request {
        // The CPUs of a bundle are the host's no more.
        cpu: if seat.is_some() { 0 } else { cpu },
        gpu: options.num_gpus.map_or(0, fixed_of),
        custom: options.resources.iter().map(|(name, amount)| (name.clone(), fixed_of(*amount))).collect(),
        seat: seat.map(|seat| (seat, cpu)),
    }
}
