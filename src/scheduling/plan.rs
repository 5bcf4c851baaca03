//! Which host each bundle of a placement group goes to.

use crate::scheduling::{Request, Totals};
use serde::{Deserialize, Serialize};

/// How the bundles of a placement group lie to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// On as few hosts as will do.
    #[default]
    Pack,
    /// On as many hosts as there are.
    Spread,
    /// On one host, or nowhere.
    StrictPack,
    /// Each on a host of its own, or nowhere.
    StrictSpread,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// By bundle: its host.
    Found(Vec<usize>),
    /// There is no way.
    Never,
    /// None was found in the time that a search may take.
    Unknown,
}

/// Steps that a search may take: groups of up to ten bundles are searched to the end.
const STEPS_MAX: usize = 50_000;

struct Searching<'a> {
    strategy: Strategy,
    bundles: &'a [&'a Request],
    /// The bundles, largest first: what fits nowhere is found early.
    order: Vec<usize>,
    /// By host: what is left, and how many bundles of the group are there.
    room: Vec<Totals>,
    used: Vec<u32>,
    chosen: Vec<usize>,
    steps: usize,
}

/// Seats `bundles` on hosts with so much `room`; a host without any takes none. `used` tells, by host, how many bundles of the
/// same group are there already.
pub fn plan(strategy: Strategy, bundles: &[&Request], room: &[Totals], used: &[u32]) -> Search {
    let mut order: Vec<usize> = (0..bundles.len()).collect();
    order.sort_by_key(|index| {
        let bundle = bundles[*index];
        std::cmp::Reverse((bundle.custom.len(), bundle.gpu, bundle.cpu))
    });
    let mut searching = Searching {
        strategy,
        bundles,
        order,
        room: room.to_vec(),
        used: used.to_vec(),
        chosen: vec![usize::MAX; bundles.len()],
        steps: 0,
    };
    if searching.seat(0) {
        Search::Found(searching.chosen)
    } else if searching.steps > STEPS_MAX {
        Search::Unknown
    } else {
        Search::Never
    }
}

impl Searching<'_> {
    /// Seats the bundles from the one at `depth` of the order on.
    fn seat(&mut self, depth: usize) -> bool {
        let Some(&bundle) = self.order.get(depth) else { return true };
        let mut tried: Vec<(Totals, u32)> = Vec::new();
        for host in self.candidates() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return false;
            }
            // Two hosts alike: what failed on one fails on the other.
            let state = (self.room[host].clone(), self.used[host]);
            if tried.contains(&state) || !self.room[host].take(self.bundles[bundle]) {
                continue;
            }
            tried.push(state);
            self.used[host] += 1;
            self.chosen[bundle] = host;
            if self.seat(depth + 1) {
                return true;
            }
            self.used[host] -= 1;
            self.room[host].give(self.bundles[bundle]);
        }
        false
    }

    /// The hosts that the next bundle may go to, best first.
    fn candidates(&self) -> Vec<usize> {
        let mut hosts: Vec<usize> = (0..self.room.len()).collect();
        let begun = self.used.iter().any(|used| *used > 0);
        match self.strategy {
            // Those that have some of the group, then those with most room.
            Strategy::Pack => hosts.sort_by_key(|host| {
                (self.used[*host] == 0, std::cmp::Reverse((self.room[*host].gpu, self.room[*host].cpu)))
            }),
            Strategy::Spread => hosts.sort_by_key(|host| self.used[*host]),
            Strategy::StrictPack => hosts.retain(|host| !begun || self.used[*host] > 0),
            Strategy::StrictSpread => hosts.retain(|host| self.used[*host] == 0),
        }
        hosts
    }
}

/// Why hosts with these totals can never hold the bundles, bundle by bundle; `None` where they may.
pub fn why_never(strategy: Strategy, bundles: &[&Request], totals: &[Totals], used: &[u32]) -> Option<String> {
    if plan(strategy, bundles, totals, used) != Search::Never {
        return None;
    }
    let lacking = |bundle: &Request| {
        // The host that lacks least stands for all.
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
    let asked: Vec<String> =
        bundles.iter().enumerate().map(|(index, bundle)| format!("bundle {index}: {}", bundle.shown())).collect();
    let there: Vec<String> = totals.iter().map(shown).collect();
    let rule = match strategy {
        Strategy::StrictPack => "no one host holds all of them (StrictPack)",
        Strategy::StrictSpread => "each needs a host of its own (StrictSpread)",
        Strategy::Pack | Strategy::Spread => "the hosts do not hold them at the same time",
    };
    Some(format!("{rule}: {}; the hosts have {}", asked.join("; "), there.join(" | ")))
}

fn shown(totals: &Totals) -> String {
    Request { cpu: totals.cpu, gpu: totals.gpu, custom: totals.custom.clone(), seat: None }.shown()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduling::UNIT;

    fn hosts(cpus: &[i64]) -> Vec<Totals> {
        cpus.iter().map(|cpus| Totals { cpu: cpus * UNIT, ..Totals::default() }).collect()
    }

    fn cpus(cpus: &[i64]) -> Vec<Request> {
        cpus.iter().map(|cpus| Request { cpu: cpus * UNIT, ..Request::default() }).collect()
    }

    fn planned(strategy: Strategy, bundles: &[i64], room: &[i64], used: &[u32]) -> Search {
        let bundles = cpus(bundles);
        plan(strategy, &bundles.iter().collect::<Vec<_>>(), &hosts(room), used)
    }

    #[test]
    fn each_strategy_lays_bundles_as_it_says() {
        use Strategy::{Pack, Spread, StrictPack, StrictSpread};
        assert_eq!(planned(Pack, &[1, 1, 1], &[2, 4, 4], &[0; 3]), Search::Found(vec![1, 1, 1]));
        assert_eq!(planned(Spread, &[1, 1, 1], &[4, 4], &[0; 2]), Search::Found(vec![0, 1, 0]));
        assert_eq!(planned(StrictPack, &[2, 2], &[3, 4], &[0; 2]), Search::Found(vec![1, 1]));
        assert_eq!(planned(StrictPack, &[2, 2], &[3, 3], &[0; 2]), Search::Never);
        assert_eq!(planned(StrictSpread, &[1, 3], &[3, 1], &[0; 2]), Search::Found(vec![1, 0]));
        assert_eq!(planned(StrictSpread, &[1, 1, 1], &[9, 9], &[0; 2]), Search::Never);
    }

    #[test]
    fn bundles_that_are_there_already_bind_the_rest() {
        assert_eq!(planned(Strategy::StrictPack, &[1], &[9, 9], &[0, 1]), Search::Found(vec![1]));
        assert_eq!(planned(Strategy::StrictSpread, &[1], &[9, 9], &[1, 0]), Search::Found(vec![1]));
        assert_eq!(planned(Strategy::StrictSpread, &[1], &[9, 9], &[1, 1]), Search::Never);
    }

    /// First fit takes 3 to the first host and finds no room for 4.
    #[test]
    fn a_way_that_is_hard_to_find_is_found() {
        let found = planned(Strategy::Pack, &[3, 3, 2, 2, 2], &[6, 6], &[0; 2]);
        assert_eq!(found, Search::Found(vec![0, 0, 1, 1, 1]));
        assert_eq!(planned(Strategy::Pack, &[4, 4, 4], &[6, 6], &[0; 2]), Search::Never);
    }

    #[test]
    fn many_bundles_on_many_hosts_are_seated_at_once_and_a_hopeless_search_ends() {
        assert!(matches!(planned(Strategy::Spread, &[1; 400], &[4; 100], &[0; 100]), Search::Found(_)));
        // Thirds of ten, and no two hosts alike: far too many ways to try them all.
        let room: Vec<i64> = (0..20).map(|host| 1000 + host).collect();
        let odd: Vec<i64> = (0..60).map(|bundle| 340 + bundle % 7).collect();
        assert_eq!(planned(Strategy::Pack, &odd, &room, &[0; 20]), Search::Unknown);
    }

    #[test]
    fn what_is_missing_is_named_bundle_by_bundle() {
        let wants = |bundles: &[i64], strategy| {
            let bundles = cpus(bundles);
            why_never(strategy, &bundles.iter().collect::<Vec<_>>(), &hosts(&[4, 4]), &[0, 0])
        };
        assert_eq!(wants(&[4, 4], Strategy::Pack), None);
        assert_eq!(wants(&[1, 5], Strategy::Pack).unwrap(), "bundle 1: 5 CPU wanted, 4 there");
        let packed = wants(&[3, 2], Strategy::StrictPack).unwrap();
        assert!(packed.contains("StrictPack") && packed.contains("bundle 1: 2 CPU"), "{packed}");
        let spread = wants(&[1, 1, 1], Strategy::StrictSpread).unwrap();
        assert!(spread.contains("StrictSpread") && spread.contains("4 CPU | 4 CPU"), "{spread}");
    }
}
