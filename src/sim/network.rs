//! Delivery times of messages. Pure: a time and two ranks in, times out.
//!
//! One pair of ranks keeps its order (TRANSPORT-1) and nothing else is promised: messages of different pairs overtake
//! each other, one may come twice, and the messages of a partitioned pair wait until the partition ends. A transport
//! loses messages for good only when a rank dies.

use crate::base::Rank;
use crate::protocol::Message;
use crate::sim::random::Random;
use rustc_hash::FxHashMap;

/// The parameters of a network.
#[derive(Clone, Copy, Debug)]
pub struct NetworkModel {
    /// The least time that a message takes between hosts.
    pub latency_ns: u64,
    /// The same between ranks of a host.
    pub latency_host_ns: u64,
    /// Random delay, on average.
    pub jitter_ns: u64,
    /// Bytes that one pair moves in a microsecond.
    pub bytes_per_us: u64,
    /// How many of a thousand messages come twice.
    pub duplicates_per_mille: u32,
    /// Ranks of a host: `rank / ranks_per_host` is its number.
    pub ranks_per_host: u32,
}

impl NetworkModel {
    /// Returns true if two ranks share the memory of a host.
    pub fn share_a_host(&self, one: Rank, other: Rank) -> bool {
        one / self.ranks_per_host == other / self.ranks_per_host
    }

    /// The ranks of a rank's host.
    pub fn ranks_of_host(&self, rank: Rank) -> std::ops::Range<Rank> {
        let first = rank - rank % self.ranks_per_host;
        first..first + self.ranks_per_host
    }

    /// How long it takes to read so many bytes from another host.
    pub fn read_ns(&self, bytes: u64) -> u64 {
        2 * self.latency_ns + bytes * 1_000 / self.bytes_per_us
    }
}

/// When a message is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryTimes {
    /// The first delivery.
    pub first_ns: u64,
    /// The second delivery of a duplicate.
    pub duplicate_ns: Option<u64>,
}

/// The transports between all ranks.
pub struct Network {
    model: NetworkModel,
    random: Random,
    /// By pair: when its last message arrives. Pairs whose last message has arrived are removed now and then.
    last_ns: FxHashMap<(Rank, Rank), u64>,
    forget_above: usize,
    partitions: Vec<Partition>,
}

/// Two groups of ranks that receive no messages from each other for a while.
#[derive(Clone, Debug)]
pub struct Partition {
    /// The ranks of one side; all others are on the other side.
    pub side: Vec<Rank>,
    /// When it ends.
    pub until_ns: u64,
}

/// How many pairs are kept before idle ones are removed.
const PAIRS_MIN: usize = 1_024;

impl Network {
    /// A network with these parameters.
    pub fn new(model: NetworkModel, seed: u64) -> Network {
        let random = Random::of(seed, 0x6e65_7477);
        Network { model, random, last_ns: FxHashMap::default(), forget_above: PAIRS_MIN, partitions: Vec::new() }
    }

    /// Separates the ranks of `partition.side` from all others, from now on.
    pub fn partition(&mut self, partition: Partition) {
        self.partitions.push(partition);
    }

    /// When a message of so many bytes arrives that `from` sends to `to` now.
    pub fn delivery_times(&mut self, now_ns: u64, from: Rank, to: Rank, bytes: usize) -> DeliveryTimes {
        let model = self.model;
        let latency_ns = if model.share_a_host(from, to) { model.latency_host_ns } else { model.latency_ns };
        let jitter_ns = self.random.exponential(model.jitter_ns as f64) as u64;
        let separating = self.partitions.iter().filter(|partition| partition.separates(from, to));
        let sent_ns = separating.map(|partition| partition.until_ns).fold(now_ns, u64::max);
        let moved_ns = bytes as u64 * 1_000 / model.bytes_per_us;
        let last_ns = self.last_ns.entry((from, to)).or_default();
        let first_ns = (sent_ns + latency_ns + jitter_ns + moved_ns).max(*last_ns + 1);
        let twice = model.duplicates_per_mille > 0 && self.random.chance(model.duplicates_per_mille);
        let duplicate_ns = twice.then(|| first_ns + self.random.below(2) * self.random.below(4 * latency_ns));
        *last_ns = first_ns;
        self.forget_idle_pairs(now_ns);
        DeliveryTimes { first_ns, duplicate_ns }
    }

    fn forget_idle_pairs(&mut self, now_ns: u64) {
        if self.last_ns.len() > self.forget_above {
            self.last_ns.retain(|_, last_ns| *last_ns >= now_ns);
            self.forget_above = (2 * self.last_ns.len()).max(PAIRS_MIN);
            self.partitions.retain(|partition| partition.until_ns > now_ns);
        }
    }
}

impl Partition {
    fn separates(&self, one: Rank, other: Rank) -> bool {
        self.side.contains(&one) != self.side.contains(&other)
    }
}

/// Messages that were sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Messages.
    pub messages: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Steal requests.
    pub steals: u64,
    /// Tasks that were sent to other ranks.
    pub runs: u64,
    /// Steal requests answered with tasks, and tasks that came without a request.
    pub steal_replies: u64,
    /// Messages to a task's owner about its location.
    pub moved: u64,
    /// Messages about reference counts.
    pub counts: u64,
}

impl Traffic {
    /// Counts a message.
    pub fn count(&mut self, message: &Message<'_>, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
        match message {
            Message::Steal { .. } => self.steals += 1,
            Message::Task(_) | Message::CompactTask(_) => self.runs += 1,
            Message::StealReply { tasks: runs, sent_ahead: ahead, .. } => {
                self.runs += runs.len() as u64;
                self.steal_replies += u64::from(!runs.is_empty() || *ahead > 0);
            }
            Message::TasksMoved { .. } => self.moved += 1,
            Message::Count(_) => self.counts += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: NetworkModel = NetworkModel {
        latency_ns: 2_000,
        latency_host_ns: 300,
        jitter_ns: 5_000,
        bytes_per_us: 10_000,
        duplicates_per_mille: 200,
        ranks_per_host: 2,
    };

    #[test]
    fn messages_of_a_pair_stay_in_order_and_pairs_overtake_each_other() {
        let mut network = Network::new(MODEL, 1);
        let (mut last, mut overtaken, mut twice) = ([0; 4], 0, 0);
        for step in 0..2_000u64 {
            let to = 1 + (step % 3) as usize;
            let times = network.delivery_times(step, 0, to as Rank, 10);
            assert!(times.first_ns > last[to], "in the order sent");
            assert!(times.duplicate_ns.is_none_or(|again| again >= times.first_ns));
            last[to] = times.first_ns;
            overtaken += u32::from(last[1..].iter().any(|other| *other > times.first_ns));
            twice += u32::from(times.duplicate_ns.is_some());
        }
        assert!(overtaken > 500 && twice > 200, "{overtaken} overtaken, {twice} twice");
    }

    #[test]
    fn partitioned_messages_arrive_after_the_partition() {
        let mut network = Network::new(MODEL, 1);
        network.partition(Partition { side: vec![2, 3], until_ns: 1_000_000 });
        assert!(network.delivery_times(0, 0, 2, 1).first_ns > 1_000_000);
        assert!(network.delivery_times(0, 3, 1, 1).first_ns > 1_000_000);
        assert!(network.delivery_times(0, 2, 3, 1).first_ns < 1_000_000);
    }

    #[test]
    fn idle_pairs_are_removed() {
        let mut network = Network::new(MODEL, 1);
        for step in 0..100_000u64 {
            network.delivery_times(step * 1_000, (step % 300) as Rank, (step * 7 % 301) as Rank, 1);
        }
        assert!(network.last_ns.len() <= 2 * PAIRS_MIN, "{}", network.last_ns.len());
    }
}
