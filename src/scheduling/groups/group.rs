//! One group: where it stands, and what follows from that.

use super::{Action, GroupMessage, HostView};
use crate::base::Rank;
use crate::scheduling::plan::{Strategy, why_never};
use crate::scheduling::{Request, Totals};

/// Where a group stands.
#[derive(Debug, PartialEq)]
pub(super) enum State {
    /// These ranks have not answered; whether one refused.
    Reserving {
        waiting: Vec<Rank>,
        refused: bool,
    },
    /// It tries again at that time.
    Resting {
        until_ns: u64,
    },
    Ready,
}

/// A group as its owner knows it.
#[derive(Debug)]
pub(super) struct Group {
    pub strategy: Strategy,
    pub bundles: Vec<Request>,
    /// By bundle: the rank that holds it, and the attempt by which it came there.
    pub homes: Vec<Option<(Rank, u32)>>,
    pub attempt: u32,
    /// Refusals in a row.
    pub refusals: u32,
    pub state: State,
    /// Why bundles had to be reserved anew, for the error where they cannot.
    pub lost: Option<String>,
    /// For who takes any bundle.
    pub next: u32,
}

impl Group {
    /// By host: how many bundles of the group are there.
    pub fn used(&self, hosts: &[HostView]) -> Vec<u32> {
        let on = |host: &HostView| self.homes.iter().flatten().filter(|(rank, _)| host.ranks.contains(rank)).count();
        hosts.iter().map(|host| on(host) as u32).collect()
    }

    /// Why the bundles, those with a home and those without, can never be together again on hosts that live.
    pub fn never(&self, hosts: &[HostView]) -> Option<String> {
        let wanted: Vec<&Request> =
            self.bundles.iter().zip(&self.homes).filter(|(_, home)| home.is_none()).map(|(bundle, _)| bundle).collect();
        let mut totals = living_totals(hosts);
        for (bundle, home) in self.bundles.iter().zip(&self.homes) {
            let host = home.and_then(|(rank, _)| hosts.iter().position(|host| host.ranks.contains(&rank)));
            if let Some(host) = host {
                totals[host].take(bundle);
            }
        }
        why_never(self.strategy, &wanted, &totals, &self.used(hosts))
    }

    /// The rank of a host that has the fewest bundles of this group; groups begin at different ones.
    pub fn rank_of(&self, ranks: &[Rank], number: u64) -> Option<Rank> {
        let count = |rank: Rank| self.homes.iter().flatten().filter(|(home, _)| *home == rank).count();
        let first = (number % ranks.len().max(1) as u64) as usize;
        (0..ranks.len()).map(|step| ranks[(first + step) % ranks.len()]).min_by_key(|rank| count(*rank))
    }

    /// What `rank` was asked for by that attempt is not there.
    pub fn forget(&mut self, rank: Rank, attempt: u32) {
        self.homes.iter_mut().filter(|home| **home == Some((rank, attempt))).for_each(|home| *home = None);
    }

    pub fn release_all(&self, number: u64) -> Vec<Action> {
        let mut ranks: Vec<Rank> = self.homes.iter().flatten().map(|(rank, _)| *rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
            .into_iter()
            .map(|rank| Action::Send(rank, GroupMessage::Release { group: number, attempt: None }))
            .collect()
    }
}

/// What the hosts have in all; one without a living rank has nothing.
pub fn living_totals(hosts: &[HostView]) -> Vec<Totals> {
    hosts.iter().map(|host| if host.ranks.is_empty() { Totals::default() } else { host.totals.clone() }).collect()
}

/// Whether a bundle could ever hold what is asked for.
pub fn holds(bundle: &Request, request: &Request) -> bool {
    let totals = Totals { cpu: bundle.cpu, gpu: bundle.gpu, custom: bundle.custom.clone() };
    let cpu = request.seat.map_or(request.cpu, |(_, cpu)| cpu);
    totals.missing(&Request { cpu, seat: None, ..request.clone() }).is_none()
}
