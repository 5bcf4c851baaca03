//! Injection of faults.

use crate::sim::coverage::Coverage;
use crate::sim::network::Partition;
use crate::sim::setting::{Fault, FaultKind};
use crate::sim::world::{Event, Simulation};

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
                let partition = Partition { side: side.clone(), until_ns: self.now_ns() + lasts_ns };
                self.with_network(|network| network.partition(partition));
            }
            FaultKind::Stop { rank, lasts_ns, declared_dead_ns } => {
                self.covered(Coverage::Stops);
                self.node(*rank).stop();
                self.schedule_after(*lasts_ns, Event::Resumes(*rank));
                if let Some(declared_dead_ns) = declared_dead_ns {
                    self.schedule_after(*declared_dead_ns, Event::DeathNoticed { by: 0, dead: *rank });
                    self.schedule_after(
                        *lasts_ns.max(declared_dead_ns) + self.fenced_after_ns(*rank),
                        Event::Fenced(*rank),
                    );
                }
            }
        }
    }
}
