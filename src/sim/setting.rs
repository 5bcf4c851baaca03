//! What a run is made of: how many ranks, what weather, which faults, which work. Everything follows from one seed.

use crate::base::Rank;
use crate::sim::network::Weather;
use crate::sim::oracle::answer;
use crate::sim::random::Random;
use crate::sim::script::{Features, Program, SHARED_NAMES, Spec};

/// A run before it begins.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What all draws are made from.
    pub seed: u64,
    /// How many ranks.
    pub ranks: u32,
    /// Workers of each rank.
    pub workers: u32,
    /// The roads.
    pub weather: Weather,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// Ranks that compute this many times slower, and how many times.
    pub slow: Vec<(Rank, u32)>,
    /// The stores.
    pub store: StoreLimit,
    /// What each deed of a script costs, beside what it computes.
    pub costs: Costs,
    /// What the driver, on rank 0, does.
    pub work: Spec,
    /// Whether stores are always full: after each task its rank asks for what others hold of it and can have made again.
    pub crowded: bool,
    /// Whether all that happens is printed.
    pub aloud: bool,
}

/// The store of each rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimit {
    /// How much it should hold, bytes.
    pub bytes: u64,
    /// Whether a block that has no room is not brought: an error, as where nobody makes room in time. Otherwise it is brought all
    /// the same, above the limit, as where somebody does.
    pub strict: bool,
    /// Whether originals can go to disk.
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
    /// To make and queue a task.
    pub spawn_ns: u64,
    /// To begin one.
    pub begin_ns: u64,
    /// To go on after waiting.
    pub resume_ns: u64,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When.
    pub at_ns: u64,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A rank is gone; rank 0 notices it so much later, and each of these ranks by itself, so much later.
    Death {
        /// Who.
        rank: Rank,
        /// When rank 0 finds out.
        noticed_ns: u64,
        /// Who else finds out, and when.
        noticed_by: Vec<(Rank, u64)>,
    },
    /// These ranks and all others do not hear each other for so long.
    Parting {
        /// One side.
        side: Vec<Rank>,
        /// How long.
        lasts_ns: u64,
    },
    /// A rank stands still and then goes on. Where it is still that long, it is declared gone meanwhile.
    Stop {
        /// Who.
        rank: Rank,
        /// How long.
        lasts_ns: u64,
        /// How long after it stopped rank 0 gives it up; `None` where nobody does.
        given_up_ns: Option<u64>,
    },
}

/// A random graph takes as long as this many messages one after the other, beside what it computes: faults are drawn from
/// that time.
const SPAN_MESSAGES: u64 = 20;

/// Ranks that die in a run, at most: fewer than a task is started again.
const DEATHS_MAX: u64 = 3;

/// How often in a thousand clusters of several ranks the rank of the driver dies.
const DRIVER_DIES_PER_MILLE: u32 = 60;

/// Until when all ranks notice that it died.
const DRIVER_NOTICED_NS_MAX: u64 = 60_000;

/// How long a rank stands still, at most.
const STOP_NS_MAX: u64 = 100_000;

/// How long after the driver's rank died the last of the others may end.
pub const ENDS_NS_MAX: u64 = DRIVER_NOTICED_NS_MAX + STOP_NS_MAX;

impl Setting {
    /// A small cluster with a random graph of tasks.
    pub fn random(seed: u64) -> Setting {
        let mut random = Random::of(seed, 0x7365_7474);
        let ranks = 1 + random.below(8) as u32;
        let weather = Weather {
            latency_ns: 500 + random.below(5_000),
            latency_host_ns: 100 + random.below(500),
            jitter_ns: if random.chance(300) { 50_000 } else { random.below(3_000) },
            bytes_per_us: 1_000 + random.below(20_000),
            twice_per_mille: if random.chance(500) { random.below(200) as u32 } else { 0 },
            ranks_per_host: 1 + random.below(4) as u32,
        };
        let mut features = Features::choose(|| random.chance(600));
        if random.chance(500) {
            features = Features::MORTAL.into_iter().fold(features, Features::without);
        }
        let budget = 10 + random.below(150) as u32;
        let program = if features.have(Features::NAMES) && random.chance(500) {
            let (names, children, features) = (SHARED_NAMES, 2 + budget / 40, features.with(Features::SHARED));
            Program::Herald { names, children, budget: budget / children, features }
        } else {
            Program::Wander { budget, features }
        };
        let work = Spec::new(random.number(), program);
        let slow = (0..ranks).filter(|_| random.chance(100)).map(|rank| (rank, 10)).collect();
        let span_ns = answer(&work).burnt_ns() / 2 + SPAN_MESSAGES * (weather.latency_ns + weather.jitter_ns);
        let faults = if ranks > 1 && random.chance(700) { faults(&mut random, ranks, span_ns) } else { Vec::new() };
        let costs = Costs { spawn_ns: 140, begin_ns: 60, resume_ns: 100 };
        let workers = 1 + random.below(2) as u32;
        let store = StoreLimit::random(&mut Random::of(seed, 0x7374_6f72));
        let (crowded, aloud) = (false, false);
        let setting = Setting { seed, ranks, workers, weather, faults, slow, store, costs, work, crowded, aloud };
        Setting { crowded: setting.outlives_deaths() && random.chance(500), ..setting }
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> u32 {
        self.ranks.div_ceil(self.weather.ranks_per_host)
    }

    /// The ranks that are gone before the end, or given up.
    pub fn doomed(&self) -> Vec<Rank> {
        let doomed = self.faults.iter().filter_map(|fault| match fault.kind {
            FaultKind::Death { rank, .. } | FaultKind::Stop { rank, given_up_ns: Some(_), .. } => Some(rank),
            _ => None,
        });
        doomed.collect()
    }

    /// Whether tasks are cancelled: those may run or not.
    pub fn cancels(&self) -> bool {
        self.features().have(Features::STRAYS)
    }

    /// What may occur in the work.
    pub fn features(&self) -> Features {
        match self.work.program {
            Program::Wander { features, .. } | Program::Herald { features, .. } => features,
            _ => Features::default(),
        }
    }

    /// Whether there are actors.
    pub fn makes_actors(&self) -> bool {
        [Features::ACTORS, Features::LASTING, Features::NAMES].into_iter().any(|feature| self.features().have(feature))
    }

    /// Whether the rank of the driver dies, and with it the cluster.
    pub fn driver_dies(&self) -> bool {
        self.doomed().contains(&0)
    }

    /// Whether the answers must be right although ranks die: the work holds on to nothing that can be lost for good.
    pub fn outlives_deaths(&self) -> bool {
        !self.features().are_mortal()
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
        let mut noticed_by = Vec::new();
        for other in others {
            if random.chance(300) {
                noticed_by.push((other, random.below(40_000)));
            }
        }
        let kind = if random.chance(250) {
            let (lasts_ns, given_up_ns) =
                (random.below(STOP_NS_MAX), random.chance(700).then(|| random.below(100_000)));
            FaultKind::Stop { rank, lasts_ns, given_up_ns }
        } else {
            FaultKind::Death { rank, noticed_ns: random.below(60_000), noticed_by }
        };
        faults.push(Fault { at_ns, kind });
    }
    if random.chance(DRIVER_DIES_PER_MILLE) {
        // Each rank by itself: on its host, by its own line and road.
        let noticed_by = (1..ranks).map(|other| (other, random.below(DRIVER_NOTICED_NS_MAX))).collect();
        let kind = FaultKind::Death { rank: 0, noticed_ns: 0, noticed_by };
        faults.push(Fault { at_ns: random.below(2 * span_ns), kind });
    }
    for _ in 0..random.below(3) {
        let side = (0..ranks).filter(|_| random.chance(500)).collect();
        let kind = FaultKind::Parting { side, lasts_ns: random.below(50_000) };
        faults.push(Fault { at_ns: random.below(span_ns), kind });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_occurs() {
        let all: Vec<Setting> = (0..2_000).map(Setting::random).collect();
        assert!(all.iter().filter(|setting| setting.driver_dies()).count() > 30);
        let kinds = |wanted: fn(&FaultKind) -> bool| {
            all.iter().flat_map(|setting| &setting.faults).filter(|fault| wanted(&fault.kind)).count()
        };
        assert!(kinds(|kind| matches!(kind, FaultKind::Death { .. })) > 500);
        assert!(kinds(|kind| matches!(kind, FaultKind::Parting { .. })) > 500);
        assert!(kinds(|kind| matches!(kind, FaultKind::Stop { given_up_ns: Some(_), .. })) > 100);
        assert!(kinds(|kind| matches!(kind, FaultKind::Stop { given_up_ns: None, .. })) > 50);
        assert!(all.iter().filter(|setting| !setting.doomed().is_empty() && setting.outlives_deaths()).count() > 30);
    }
}
