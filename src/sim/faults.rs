//! Injection of faults.

use crate::sim::coverage::Coverage;
use crate::sim::random::mix;
use crate::sim::setting::{Fault, FaultKind};
use crate::sim::world::{Event, Simulation};

/// How long after it goes on a rank that was declared dead learns of it, at most.
const FENCED_NS_MAX: u64 = 20_000;

impl Simulation {
    /// Makes a fault happen.
    pub fn inject_fault(&self, fault: &Fault) {
        match &fault.kind {
            FaultKind::Death { rank, noticed_ns, noticed_by } => {
                self.covered(if *rank == 0 { Coverage::DriverDeaths } else { Coverage::Deaths });
                self.kill_rank(*rank);
                self.schedule_after(*noticed_ns, Event::DeathNoticed { by: 0, dead: *rank });
                for (by, after_ns) in noticed_by {
                    self.schedule_after(*after_ns, Event::DeathNoticed { by: *by, dead: *rank });
                }
            }
            FaultKind::Partition { side, lasts_ns } => {
                self.covered(Coverage::Partitions);
                self.partition(side.clone(), *lasts_ns);
            }
            FaultKind::Stop { rank, lasts_ns, declared_dead_ns } => {
                self.covered(Coverage::Stops);
                self.node(*rank).stop();
                self.schedule_after(*lasts_ns, Event::Resumes(*rank));
                if let Some(declared_dead_ns) = declared_dead_ns {
                    self.schedule_after(*declared_dead_ns, Event::DeathNoticed { by: 0, dead: *rank });
                    let fenced_ns = mix(self.setting.seed, u64::from(*rank)) % FENCED_NS_MAX;
                    self.schedule_after(*lasts_ns.max(declared_dead_ns) + fenced_ns, Event::Fenced(*rank));
                }
            }
        }
    }
}
