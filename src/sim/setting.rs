//! The parameters of a run: ranks, network, faults, work. Everything follows from one seed.

use crate::base::Rank;
use crate::sim::network::NetworkModel;
use crate::sim::random::Random;
use crate::sim::reference_model::reference_answer;
use crate::sim::script::{Features, Program, SHARED_NAMES, Spec};

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct SimSetting {
    /// The seed of all draws.
    pub seed: u64,
    /// How many ranks.
    pub ranks: u32,
    /// Workers of each rank.
    pub workers: u32,
    /// The network.
    pub network: NetworkModel,
    /// Faults, with their times.
    pub faults: Vec<Fault>,
    /// Ranks that compute this many times slower, and how many times.
    pub slow: Vec<(Rank, u32)>,
    /// The stores.
    pub store: StoreLimit,
    /// What each op of a script costs, beside what it computes.
    pub costs: Costs,
    /// What the driver, on rank 0, does.
    pub work: Spec,
    /// True if calls may take the short path.
    pub short_calls: bool,
    /// True if stores are always full: after each task its rank reclaims the blocks that other ranks hold of it and
    /// that can be recomputed.
    pub store_pressure: bool,
    /// True if every event is printed.
    pub verbose: bool,
}

/// The store of each rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimit {
    /// Its limit, bytes.
    pub bytes: u64,
    /// True if a block without space is not fetched: an error, as when no space is freed in time. Otherwise it is
    /// fetched all the same, above the limit, as when space is freed.
    pub strict: bool,
    /// True if originals can be written to disk.
    pub disk: bool,
}

impl StoreLimit {
    /// Stores that hold everything.
    pub const NONE: StoreLimit = StoreLimit { bytes: u64::MAX, strict: false, disk: false };

    /// For work with arrays.
    fn random(random: &mut Random) -> StoreLimit {
        if !random.chance(700) {
            return StoreLimit::NONE;
        }
        let bytes = 1 << (12 + random.below(10));
        StoreLimit { bytes, strict: random.chance(200), disk: random.chance(500) }
    }
}

/// Nanoseconds that the runtime itself takes on a worker.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// To create and queue a task.
    pub spawn_ns: u64,
    /// To begin one.
    pub begin_ns: u64,
    /// To go on after waiting.
    pub resume_ns: u64,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it happens.
    pub at_ns: u64,
    /// What happens.
    pub kind: FaultKind,
}

/// The kinds of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A rank dies; rank 0 notices it so much later, and each of these ranks by itself, so much later.
    Death {
        /// The rank.
        rank: Rank,
        /// When rank 0 notices.
        noticed_ns: u64,
        /// Which other ranks notice by themselves, and when.
        noticed_by: Vec<(Rank, u64)>,
    },
    /// These ranks and all others receive no messages from each other for so long.
    Partition {
        /// One side.
        side: Vec<Rank>,
        /// How long.
        lasts_ns: u64,
    },
    /// A rank stands still and then goes on. If it still stands still by then, it is declared dead meanwhile.
    Stop {
        /// The rank.
        rank: Rank,
        /// How long.
        lasts_ns: u64,
        /// How long after it stopped rank 0 declares it dead; `None` if no rank does.
        declared_dead_ns: Option<u64>,
    },
}

/// A random graph takes as long as this many messages one after the other, beside its compute time: the times of faults
/// are drawn from that span.
const SPAN_MESSAGES: u64 = 20;

/// Ranks that die in a run, at most: fewer than the retries of a task.
const DEATHS_MAX: u64 = 3;

/// In how many of a thousand clusters of several ranks the rank of the driver dies.
const DRIVER_DIES_PER_MILLE: u32 = 60;

/// The time by which all ranks notice that it died.
const DRIVER_NOTICED_NS_MAX: u64 = 60_000;

/// How long a rank stands still, at most.
const STOP_NS_MAX: u64 = 100_000;

/// How long after the death of the driver's rank the last of the others may end.
pub const ENDS_NS_MAX: u64 = DRIVER_NOTICED_NS_MAX + STOP_NS_MAX;

impl SimSetting {
    /// A small cluster with a random graph of tasks.
    pub fn random(seed: u64) -> SimSetting {
        let mut random = Random::of(seed, 0x7365_7474);
        let ranks = 1 + random.below(8) as u32;
        let network = NetworkModel {
            latency_ns: 500 + random.below(5_000),
            latency_host_ns: 100 + random.below(500),
            jitter_ns: if random.chance(300) { 50_000 } else { random.below(3_000) },
            bytes_per_us: 1_000 + random.below(20_000),
            duplicates_per_mille: if random.chance(500) { random.below(200) as u32 } else { 0 },
            ranks_per_host: 1 + random.below(4) as u32,
        };
        let mut features = Features::choose(|| random.chance(600));
        if random.chance(500) {
            features = Features::LOSABLE.into_iter().fold(features, Features::without);
        }
        let budget = 10 + random.below(150) as u32;
        let program = if features.have(Features::NAMES) && random.chance(500) {
            let (names, children, features) = (SHARED_NAMES, 2 + budget / 40, features.with(Features::SHARED));
            Program::Broadcast { names, children, budget: budget / children, features }
        } else {
            Program::RandomWorkload { budget, features }
        };
        let work = Spec::new(random.number(), program);
        let slow = (0..ranks).filter(|_| random.chance(100)).map(|rank| (rank, 10)).collect();
        let span_ns =
            reference_answer(&work).total_compute_ns() / 2 + SPAN_MESSAGES * (network.latency_ns + network.jitter_ns);
        let faults = if ranks > 1 && random.chance(700) { faults(&mut random, ranks, span_ns) } else { Vec::new() };
        let costs = Costs { spawn_ns: 140, begin_ns: 60, resume_ns: 100 };
        let workers = 1 + random.below(2) as u32;
        let store = StoreLimit::random(&mut Random::of(seed, 0x7374_6f72));
        let (store_pressure, verbose) = (false, false);
        // Drawn from the seed itself: the other draws are the same with both paths.
        let short_calls = !seed.is_multiple_of(4);
        let setting = SimSetting {
            seed,
            ranks,
            workers,
            network,
            faults,
            slow,
            store,
            costs,
            work,
            short_calls,
            store_pressure,
            verbose,
        };
        SimSetting { store_pressure: setting.survives_deaths() && random.chance(500), ..setting }
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> u32 {
        self.ranks.div_ceil(self.network.ranks_per_host)
    }

    /// The ranks that die before the end, or are declared dead.
    pub fn failing_ranks(&self) -> Vec<Rank> {
        let failing = self.faults.iter().filter_map(|fault| match fault.kind {
            FaultKind::Death { rank, .. } | FaultKind::Stop { rank, declared_dead_ns: Some(_), .. } => Some(rank),
            _ => None,
        });
        failing.collect()
    }

    /// Returns true if tasks are cancelled: those may run or not.
    pub fn cancels(&self) -> bool {
        self.features().have(Features::CANCELLED)
    }

    /// What may occur in the work.
    pub fn features(&self) -> Features {
        match self.work.program {
            Program::RandomWorkload { features, .. } | Program::Broadcast { features, .. } => features,
            _ => Features::default(),
        }
    }

    /// Returns true if there are actors.
    pub fn makes_actors(&self) -> bool {
        [Features::ACTORS, Features::RESTARTED, Features::NAMES]
            .into_iter()
            .any(|feature| self.features().have(feature))
    }

    /// Returns true if the rank of the driver dies, and the cluster with it.
    pub fn driver_dies(&self) -> bool {
        self.failing_ranks().contains(&0)
    }

    /// Returns true if the answers must be right although ranks die: the work keeps nothing that can be lost for good.
    pub fn survives_deaths(&self) -> bool {
        !self.features().can_lose_work()
    }
}

/// Faults of a cluster of more than one rank.
fn faults(random: &mut Random, ranks: u32, span_ns: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut living: Vec<Rank> = (1..ranks).collect();
    for _ in 0..random.below(DEATHS_MAX + 1) {
        if living.is_empty() {
            break;
        }
        let rank = living.swap_remove(random.index(living.len()));
        let at_ns = random.below(span_ns);
        let others = (1..ranks).filter(|other| *other != rank);
        let noticed_ns = |random: &mut Random| if random.chance(300) { Some(random.below(40_000)) } else { None };
        let noticed_by = others.filter_map(|other| Some((other, noticed_ns(random)?))).collect();
        let kind = if random.chance(250) {
            let lasts_ns = random.below(STOP_NS_MAX);
            FaultKind::Stop { rank, lasts_ns, declared_dead_ns: random.chance(700).then(|| random.below(100_000)) }
        } else {
            FaultKind::Death { rank, noticed_ns: random.below(60_000), noticed_by }
        };
        faults.push(Fault { at_ns, kind });
    }
    if random.chance(DRIVER_DIES_PER_MILLE) {
        // Each rank notices by itself: on its host, by its own connection and transport.
        let noticed_by = (1..ranks).map(|other| (other, random.below(DRIVER_NOTICED_NS_MAX))).collect();
        let kind = FaultKind::Death { rank: 0, noticed_ns: 0, noticed_by };
        faults.push(Fault { at_ns: random.below(2 * span_ns), kind });
    }
    for _ in 0..random.below(3) {
        let side = (0..ranks).filter(|_| random.chance(500)).collect();
        let kind = FaultKind::Partition { side, lasts_ns: random.below(50_000) };
        faults.push(Fault { at_ns: random.below(span_ns), kind });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_occurs() {
        let all: Vec<SimSetting> = (0..2_000).map(SimSetting::random).collect();
        assert!(all.iter().filter(|setting| setting.driver_dies()).count() > 30);
        let kinds = |matches_kind: fn(&FaultKind) -> bool| {
            all.iter().flat_map(|setting| &setting.faults).filter(|fault| matches_kind(&fault.kind)).count()
        };
        assert!(kinds(|kind| matches!(kind, FaultKind::Death { .. })) > 500);
        assert!(kinds(|kind| matches!(kind, FaultKind::Partition { .. })) > 500);
        assert!(kinds(|kind| matches!(kind, FaultKind::Stop { declared_dead_ns: Some(_), .. })) > 100);
        assert!(kinds(|kind| matches!(kind, FaultKind::Stop { declared_dead_ns: None, .. })) > 50);
        assert!(
            all.iter().filter(|setting| !setting.failing_ranks().is_empty() && setting.survives_deaths()).count() > 30
        );
    }
}
