//! What goes wrong, done.

use crate::sim::feats::Feat;
use crate::sim::network::Parting;
use crate::sim::setting::{Fault, FaultKind};
use crate::sim::world::{Event, World};

impl World {
    /// Does it.
    pub fn goes_wrong(&self, fault: &Fault) {
        match &fault.kind {
            FaultKind::Death { rank, noticed_ns, noticed_by } => {
                self.saw(if *rank == 0 { Feat::DriverDeaths } else { Feat::Deaths });
                self.dies(*rank);
                self.later(*noticed_ns, Event::Noticed { by: 0, gone: *rank });
                for (by, after_ns) in noticed_by {
                    self.later(*after_ns, Event::Noticed { by: *by, gone: *rank });
                }
            }
            FaultKind::Parting { side, lasts_ns } => {
                self.saw(Feat::Partings);
                let parting = Parting { side: side.clone(), until_ns: self.now_ns() + lasts_ns };
                self.with_network(|network| network.part(parting));
            }
            FaultKind::Stop { rank, lasts_ns, given_up_ns } => {
                self.saw(Feat::Stops);
                self.site(*rank).stop();
                self.later(*lasts_ns, Event::Resumes(*rank));
                if let Some(given_up_ns) = given_up_ns {
                    self.later(*given_up_ns, Event::Noticed { by: 0, gone: *rank });
                    self.later(*lasts_ns.max(given_up_ns) + self.fenced_after_ns(*rank), Event::Fenced(*rank));
                }
            }
        }
    }
}
