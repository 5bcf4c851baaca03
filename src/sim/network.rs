//! When a message arrives. Pure: a time and two ranks in, times out.
//!
//! One pair of ranks keeps its order (F1) and nothing else is promised: messages of different pairs overtake each other, one
//! may come twice, and while a pair is parted its messages wait. What a road loses for good is a rank that died.

use crate::base::Rank;
use crate::protocol::Message;
use crate::sim::random::Random;
use rustc_hash::FxHashMap;

/// How a network behaves.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The least time that a message takes between hosts.
    pub latency_ns: u64,
    /// The same between ranks of a host.
    pub latency_host_ns: u64,
    /// What is added at random, on average.
    pub jitter_ns: u64,
    /// Bytes that one pair moves in a microsecond.
    pub bytes_per_us: u64,
    /// How many of a thousand messages come twice.
    pub twice_per_mille: u32,
    /// Ranks of a host: `rank / ranks_per_host` is its number.
    pub ranks_per_host: u32,
}

impl Weather {
    /// Whether two ranks share the memory of a host.
    pub fn share_a_host(&self, one: Rank, other: Rank) -> bool {
        one / self.ranks_per_host == other / self.ranks_per_host
    }

    /// The ranks of a rank's host.
    pub fn host_of(&self, rank: Rank) -> std::ops::Range<Rank> {
        let first = rank - rank % self.ranks_per_host;
        first..first + self.ranks_per_host
    }

    /// How long it takes to read so many bytes of another host.
    pub fn read_ns(&self, bytes: u64) -> u64 {
        2 * self.latency_ns + bytes * 1_000 / self.bytes_per_us
    }
}

/// Times of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// When the message comes.
    pub first_ns: u64,
    /// When it comes once more.
    pub again_ns: Option<u64>,
}

/// The roads between all ranks.
pub struct Network {
    weather: Weather,
    random: Random,
    /// By pair: when its last message arrives. Pairs whose last message came are forgotten now and then.
    last_ns: FxHashMap<(Rank, Rank), u64>,
    forget_above: usize,
    partings: Vec<Parting>,
}

/// Two groups of ranks that do not hear each other for a while.
#[derive(Clone, Debug)]
pub struct Parting {
    /// The ranks of one side; all others are on the other side.
    pub side: Vec<Rank>,
    /// Until when.
    pub until_ns: u64,
}

/// How many pairs are remembered before those that are silent are forgotten.
const PAIRS_MIN: usize = 1_024;

impl Network {
    /// Roads in that weather.
    pub fn new(weather: Weather, seed: u64) -> Network {
        let random = Random::of(seed, 0x6e65_7477);
        Network { weather, random, last_ns: FxHashMap::default(), forget_above: PAIRS_MIN, partings: Vec::new() }
    }

    /// The ranks of `parting.side` hear nothing of the others from now on, nor the others of them.
    pub fn part(&mut self, parting: Parting) {
        self.partings.push(parting);
    }

    /// When the message of so many bytes arrives that `from` sends to `to` now.
    pub fn sent(&mut self, now_ns: u64, from: Rank, to: Rank, bytes: usize) -> Arrivals {
        let weather = self.weather;
        let latency_ns = if weather.share_a_host(from, to) { weather.latency_host_ns } else { weather.latency_ns };
        let jitter_ns = self.random.exponential(weather.jitter_ns as f64) as u64;
        let sent_ns = self.partings.iter().filter(|parting| parting.parts(from, to)).map(|parting| parting.until_ns);
        let sent_ns = sent_ns.fold(now_ns, u64::max);
        let moved_ns = bytes as u64 * 1_000 / weather.bytes_per_us;
        let last_ns = self.last_ns.entry((from, to)).or_default();
        let first_ns = (sent_ns + latency_ns + jitter_ns + moved_ns).max(*last_ns + 1);
        let twice = weather.twice_per_mille > 0 && self.random.chance(weather.twice_per_mille);
        let again_ns = twice.then(|| first_ns + self.random.below(2) * self.random.below(4 * latency_ns));
        *last_ns = first_ns;
        self.forget_silent(now_ns);
        Arrivals { first_ns, again_ns }
    }

    fn forget_silent(&mut self, now_ns: u64) {
        if self.last_ns.len() > self.forget_above {
            self.last_ns.retain(|_, last_ns| *last_ns >= now_ns);
            self.forget_above = (2 * self.last_ns.len()).max(PAIRS_MIN);
            self.partings.retain(|parting| parting.until_ns > now_ns);
        }
    }
}

impl Parting {
    fn parts(&self, one: Rank, other: Rank) -> bool {
        self.side.contains(&one) != self.side.contains(&other)
    }
}

/// What went over the roads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Messages.
    pub messages: u64,
    /// Their bytes, envelopes included.
    pub bytes: u64,
    /// Requests for work.
    pub steals: u64,
    /// Tasks that were sent away.
    pub runs: u64,
    /// Requests that were answered with tasks, and tasks that came without one.
    pub loots: u64,
    /// Words to a task's owner about where it is.
    pub moved: u64,
    /// Words about counts of references.
    pub counts: u64,
}

impl Traffic {
    /// A message goes.
    pub fn count(&mut self, message: &Message<'_>, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
        match message {
            Message::Steal { .. } => self.steals += 1,
            Message::Run(_) | Message::Call(_) => self.runs += 1,
            Message::Loot { runs, ahead, .. } => {
                self.runs += runs.len() as u64;
                self.loots += u64::from(!runs.is_empty() || *ahead > 0);
            }
            Message::Moved { .. } => self.moved += 1,
            Message::Count(_) => self.counts += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEATHER: Weather = Weather {
        latency_ns: 2_000,
        latency_host_ns: 300,
        jitter_ns: 5_000,
        bytes_per_us: 10_000,
        twice_per_mille: 200,
        ranks_per_host: 2,
    };

    #[test]
    fn a_pair_keeps_its_order_and_pairs_do_not() {
        let mut network = Network::new(WEATHER, 1);
        let (mut last, mut overtaken, mut twice) = ([0; 4], 0, 0);
        for step in 0..2_000u64 {
            let to = 1 + (step % 3) as usize;
            let arrivals = network.sent(step, 0, to as Rank, 10);
            assert!(arrivals.first_ns > last[to], "in the order sent");
            assert!(arrivals.again_ns.is_none_or(|again| again >= arrivals.first_ns));
            last[to] = arrivals.first_ns;
            overtaken += u32::from(last[1..].iter().any(|other| *other > arrivals.first_ns));
            twice += u32::from(arrivals.again_ns.is_some());
        }
        assert!(overtaken > 500 && twice > 200, "{overtaken} overtaken, {twice} twice");
    }

    #[test]
    fn who_is_parted_is_heard_when_that_is_over() {
        let mut network = Network::new(WEATHER, 1);
        network.part(Parting { side: vec![2, 3], until_ns: 1_000_000 });
        assert!(network.sent(0, 0, 2, 1).first_ns > 1_000_000);
        assert!(network.sent(0, 3, 1, 1).first_ns > 1_000_000);
        assert!(network.sent(0, 2, 3, 1).first_ns < 1_000_000);
    }

    #[test]
    fn silent_pairs_are_forgotten() {
        let mut network = Network::new(WEATHER, 1);
        for step in 0..100_000u64 {
            network.sent(step * 1_000, (step % 300) as Rank, (step * 7 % 301) as Rank, 1);
        }
        assert!(network.last_ns.len() <= 2 * PAIRS_MIN, "{}", network.last_ns.len());
    }
}
