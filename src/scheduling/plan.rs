//! Which host each bundle of a placement group goes to.

use crate::scheduling::{ResourceRequest, Totals};
use serde::{Deserialize, Serialize};

/// How the bundles of a placement group are distributed: see [`placement_group`](crate::placement_group).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// On as few hosts as possible.
    #[default]
    Pack,
    /// On as many hosts as possible.
    Spread,
    /// On one host, or not at all.
    StrictPack,
    /// Each on a host of its own, or not at all.
    StrictSpread,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanSearch {
    /// By bundle: its host.
    Found(Vec<usize>),
    /// There is no solution.
    Never,
    /// None was found within the step limit.
    Unknown,
}

/// Steps that a search may take: groups of up to ten bundles are searched exhaustively.
const STEPS_MAX: usize = 50_000;

struct Planner<'a> {
    strategy: Strategy,
    bundles: &'a [&'a ResourceRequest],
    /// The bundles, largest first: a bundle that fits nowhere is found early.
    order: Vec<usize>,
    /// By host: what is left, and how many bundles of the group are there.
    free: Vec<Totals>,
    used: Vec<u32>,
    chosen: Vec<usize>,
    steps: usize,
}

/// The hosts that a bundle may still go to, and what those that were tried had.
struct Choice {
    hosts: std::vec::IntoIter<usize>,
    tried: Vec<(Totals, u32)>,
}

/// Assigns `bundles` to hosts with these `free` amounts; a host without any takes none. `used` tells, by host, how many
/// bundles of the same group are there already.
pub fn plan(strategy: Strategy, bundles: &[&ResourceRequest], free: &[Totals], used: &[u32]) -> PlanSearch {
    let mut order: Vec<usize> = (0..bundles.len()).collect();
    order.sort_by_key(|index| {
        let bundle = bundles[*index];
        std::cmp::Reverse((bundle.custom.len(), bundle.gpu, bundle.cpu))
    });
    let mut searching = Planner {
        strategy,
        bundles,
        order,
        free: free.to_vec(),
        used: used.to_vec(),
        chosen: vec![usize::MAX; bundles.len()],
        steps: 0,
    };
    if searching.assign() {
        PlanSearch::Found(searching.chosen)
    } else if searching.steps > STEPS_MAX {
        PlanSearch::Unknown
    } else {
        PlanSearch::Never
    }
}

impl Planner<'_> {
    /// Assigns every bundle: depth first, without recursion, because a group may have thousands.
    fn assign(&mut self) -> bool {
        let mut choices: Vec<Choice> = Vec::new();
        while choices.len() < self.order.len() {
            choices.push(Choice { hosts: self.candidates().into_iter(), tried: Vec::new() });
            // The last bundle that has another host left gets it; those behind it begin anew.
            loop {
                let Some(depth) = choices.len().checked_sub(1) else { return false };
                if self.take_next(self.order[depth], &mut choices[depth]) {
                    break;
                }
                if self.steps > STEPS_MAX {
                    return false;
                }
                choices.pop();
                if depth > 0 {
                    self.give_back(self.order[depth - 1]);
                }
            }
        }
        true
    }

    /// Takes the bundle's resources from the next host that has them; false if none is left.
    fn take_next(&mut self, bundle: usize, choice: &mut Choice) -> bool {
        for host in choice.hosts.by_ref() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return false;
            }
            // Two equal hosts: an assignment that failed on one fails on the other.
            let state = (self.free[host].clone(), self.used[host]);
            if choice.tried.contains(&state) || !self.free[host].take(self.bundles[bundle]) {
                continue;
            }
            choice.tried.push(state);
            self.used[host] += 1;
            self.chosen[bundle] = host;
            return true;
        }
        false
    }

    fn give_back(&mut self, bundle: usize) {
        let host = self.chosen[bundle];
        self.used[host] -= 1;
        self.free[host].give(self.bundles[bundle]);
    }

    /// The hosts that the next bundle may go to, best first.
    fn candidates(&self) -> Vec<usize> {
        let mut hosts: Vec<usize> = (0..self.free.len()).collect();
        let begun = self.used.iter().any(|used| *used > 0);
        match self.strategy {
            // Those that have some of the group, then those with most free resources.
            Strategy::Pack => hosts.sort_by_key(|host| {
                (self.used[*host] == 0, std::cmp::Reverse((self.free[*host].gpu, self.free[*host].cpu)))
            }),
            Strategy::Spread => hosts.sort_by_key(|host| self.used[*host]),
            Strategy::StrictPack => hosts.retain(|host| !begun || self.used[*host] > 0),
            Strategy::StrictSpread => hosts.retain(|host| self.used[*host] == 0),
        }
        hosts
    }
}

/// Why hosts with these totals can never hold the bundles, bundle by bundle; `None` if they may.
pub fn why_infeasible(
    strategy: Strategy,
    bundles: &[&ResourceRequest],
    totals: &[Totals],
    used: &[u32],
) -> Option<String> {
    if plan(strategy, bundles, totals, used) != PlanSearch::Never {
        return None;
    }
    let lacking = |bundle: &ResourceRequest| {
        // The host that lacks least is reported for all.
        let missing = totals.iter().map(|host| host.missing(bundle)).collect::<Option<Vec<String>>>()?;
        missing.into_iter().min_by_key(String::len)
    };
    let alone: Vec<String> = bundles
        .iter()
        .enumerate()
        .filter_map(|(index, bundle)| lacking(bundle).map(|missing| format!("bundle {index}: {missing}")))
        .collect();
    if !alone.is_empty() {
        return Some(alone.join("; "));
    }
    let requested: Vec<String> =
        bundles.iter().enumerate().map(|(index, bundle)| format!("bundle {index}: {}", bundle.displayed())).collect();
    let there: Vec<String> = totals.iter().map(displayed).collect();
    let rule = match strategy {
        Strategy::StrictPack => "no one host holds all of them (StrictPack)",
        Strategy::StrictSpread => "each needs a host of its own (StrictSpread)",
        Strategy::Pack | Strategy::Spread => "the hosts do not hold them at the same time",
    };
    Some(format!("{rule}: {}; the hosts have {}", requested.join("; "), there.join(" | ")))
}

fn displayed(totals: &Totals) -> String {
    ResourceRequest { cpu: totals.cpu, gpu: totals.gpu, custom: totals.custom.clone(), bundle: None }.displayed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduling::UNIT;

    fn hosts(cpus: &[i64]) -> Vec<Totals> {
        cpus.iter().map(|cpus| Totals { cpu: cpus * UNIT, ..Totals::default() }).collect()
    }

    fn cpus(cpus: &[i64]) -> Vec<ResourceRequest> {
        cpus.iter().map(|cpus| ResourceRequest { cpu: cpus * UNIT, ..ResourceRequest::default() }).collect()
    }

    fn planned(strategy: Strategy, bundles: &[i64], free: &[i64], used: &[u32]) -> PlanSearch {
        let bundles = cpus(bundles);
        plan(strategy, &bundles.iter().collect::<Vec<_>>(), &hosts(free), used)
    }

    #[test]
    fn strategies_distribute_bundles_as_documented() {
        use Strategy::{Pack, Spread, StrictPack, StrictSpread};
        assert_eq!(planned(Pack, &[1, 1, 1], &[2, 4, 4], &[0; 3]), PlanSearch::Found(vec![1, 1, 1]));
        assert_eq!(planned(Spread, &[1, 1, 1], &[4, 4], &[0; 2]), PlanSearch::Found(vec![0, 1, 0]));
        assert_eq!(planned(StrictPack, &[2, 2], &[3, 4], &[0; 2]), PlanSearch::Found(vec![1, 1]));
        assert_eq!(planned(StrictPack, &[2, 2], &[3, 3], &[0; 2]), PlanSearch::Never);
        assert_eq!(planned(StrictSpread, &[1, 3], &[3, 1], &[0; 2]), PlanSearch::Found(vec![1, 0]));
        assert_eq!(planned(StrictSpread, &[1, 1, 1], &[9, 9], &[0; 2]), PlanSearch::Never);
    }

    #[test]
    fn placed_bundles_constrain_the_others() {
        assert_eq!(planned(Strategy::StrictPack, &[1], &[9, 9], &[0, 1]), PlanSearch::Found(vec![1]));
        assert_eq!(planned(Strategy::StrictSpread, &[1], &[9, 9], &[1, 0]), PlanSearch::Found(vec![1]));
        assert_eq!(planned(Strategy::StrictSpread, &[1], &[9, 9], &[1, 1]), PlanSearch::Never);
    }

    /// First fit assigns 3 to the first host and finds no space for 4.
    #[test]
    fn packing_that_first_fit_misses_is_found() {
        let found = planned(Strategy::Pack, &[3, 3, 2, 2, 2], &[6, 6], &[0; 2]);
        assert_eq!(found, PlanSearch::Found(vec![0, 0, 1, 1, 1]));
        assert_eq!(planned(Strategy::Pack, &[4, 4, 4], &[6, 6], &[0; 2]), PlanSearch::Never);
    }

    #[test]
    fn many_bundles_are_assigned_quickly_and_a_hopeless_search_ends() {
        assert!(matches!(planned(Strategy::Spread, &[1; 400], &[4; 100], &[0; 100]), PlanSearch::Found(_)));
        // Bundles of about a third of a host, and no two hosts alike: far too many combinations to try them all.
        let free: Vec<i64> = (0..20).map(|host| 1000 + host).collect();
        let odd: Vec<i64> = (0..60).map(|bundle| 340 + bundle % 7).collect();
        assert_eq!(planned(Strategy::Pack, &odd, &free, &[0; 20]), PlanSearch::Unknown);
    }

    #[test]
    fn missing_resources_are_named_by_bundle() {
        let missing = |bundles: &[i64], strategy| {
            let bundles = cpus(bundles);
            why_infeasible(strategy, &bundles.iter().collect::<Vec<_>>(), &hosts(&[4, 4]), &[0, 0])
        };
        assert_eq!(missing(&[4, 4], Strategy::Pack), None);
        assert_eq!(missing(&[1, 5], Strategy::Pack).unwrap(), "bundle 1: 5 CPU requested, 4 available");
        let packed = missing(&[3, 2], Strategy::StrictPack).unwrap();
        assert!(packed.contains("StrictPack") && packed.contains("bundle 1: 2 CPU"), "{packed}");
        let spread = missing(&[1, 1, 1], Strategy::StrictSpread).unwrap();
        assert!(spread.contains("StrictSpread") && spread.contains("4 CPU | 4 CPU"), "{spread}");
    }
}
