//! The resources that options request, in the units that resources are counted in.

use crate::registry::Options;
use crate::scheduling::{ResourceRequest, UNIT, fixed_of};

/// The resources of a task with these options: one CPU by default.
pub fn request_of(options: &Options) -> ResourceRequest {
    requested_resources(options, UNIT)
}

/// The resources of an actor with these options: no CPU by default.
pub fn request_of_actor(options: &Options) -> ResourceRequest {
    requested_resources(options, 0)
}

fn requested_resources(options: &Options, cpu: i64) -> ResourceRequest {
    let cpu = options.num_cpus.map_or(cpu, fixed_of);
    let bundle_slot = options.bundle_slot();
    ResourceRequest {
        // The CPUs of a bundle are not among the host's any more.
        cpu: if bundle_slot.is_some() { 0 } else { cpu },
        gpu: options.num_gpus.map_or(0, fixed_of),
        custom: options
            .resources
            .iter()
            .map(|(name, amount)| (name.clone(), fixed_of(*amount)))
            // None of a kind is a request that every host meets, also one without the kind.
            .filter(|(_, amount)| *amount != 0)
            .collect(),
        bundle: bundle_slot.map(|bundle_slot| (bundle_slot, cpu)),
    }
}
