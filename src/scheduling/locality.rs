//! Where a task without a placement goes: to its arguments, unless too many other tasks went there.
//!
//! The cost of a rank is the time until the task's arguments are there and the tasks before it are finished: `missing
//! bytes / bandwidth + tasks before it * mean length of a task`. A task stays on its submitting rank unless its bytes
//! elsewhere exceed those here by more than a threshold, and going there costs less. So a task goes after its bytes,
//! and the thousandth with the same bytes does not: by then it is cheaper to move them.

use crate::base::Rank;

/// The parameters of the cost model.
#[derive(Clone, Copy, Debug)]
pub struct PlacementCosts {
    /// Bytes per second from another host.
    pub bytes_per_s: u64,
    /// The mean length of a task, as far as known.
    pub task_ns: u64,
    /// Excess of bytes elsewhere over those here for which a task leaves.
    pub threshold_bytes: u64,
}

impl Default for PlacementCosts {
    fn default() -> PlacementCosts {
        PlacementCosts { bytes_per_s: 5_000_000_000, task_ns: 1_000_000, threshold_bytes: 256 << 10 }
    }
}

/// A rank that a task may go to.
#[derive(Clone, Copy, Debug)]
pub struct PlacementCandidate {
    /// The rank.
    pub rank: Rank,
    /// Bytes of the arguments that it can read without a copy: those on its host.
    pub bytes: u64,
    /// Tasks queued there before this one.
    pub queued: u64,
    /// How many tasks run at once there.
    pub workers: u64,
}

/// Where a task with `total_bytes` of arguments goes, submitted on the rank of `here`; `None` for any rank with free
/// capacity, as for a task without arguments. `others` are the ranks on whose hosts some of the bytes are.
pub fn choose_rank(
    here: PlacementCandidate,
    others: &[PlacementCandidate],
    total_bytes: u64,
    costs: PlacementCosts,
) -> Option<Rank> {
    let cost_ns = |candidate: &PlacementCandidate| {
        let lacking = u128::from(total_bytes.saturating_sub(candidate.bytes));
        let moving_ns = lacking * 1_000_000_000 / u128::from(costs.bytes_per_s.max(1));
        let waiting_ns =
            u128::from(candidate.queued) * u128::from(costs.task_ns) / u128::from(candidate.workers.max(1));
        moving_ns + waiting_ns
    };
    let worth = |candidate: &&PlacementCandidate| candidate.bytes > here.bytes.saturating_add(costs.threshold_bytes);
    let best = others.iter().filter(worth).min_by_key(|candidate| (cost_ns(candidate), candidate.rank))?;
    (cost_ns(best) < cost_ns(&here)).then_some(best.rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rank: Rank, bytes: u64, queued: u64) -> PlacementCandidate {
        PlacementCandidate { rank, bytes, queued, workers: 1 }
    }

    const MIB: u64 = 1 << 20;

    #[test]
    fn task_goes_to_most_of_its_bytes_but_not_for_a_few() {
        let costs = PlacementCosts::default();
        assert_eq!(choose_rank(at(0, 0, 0), &[at(1, 64 * MIB, 0), at(2, MIB, 0)], 65 * MIB, costs), Some(1));
        assert_eq!(
            choose_rank(at(0, 0, 0), &[at(1, 256 << 10, 0)], 256 << 10, costs),
            None,
            "at the threshold it stays"
        );
        assert_eq!(choose_rank(at(0, 64 * MIB, 9), &[at(1, 64 * MIB, 0)], 128 * MIB, costs), None, "as much here");
        assert_eq!(choose_rank(at(0, 0, 0), &[], 0, costs), None);
    }

    #[test]
    fn least_loaded_rank_of_a_host_is_chosen() {
        let others = [at(4, 64 * MIB, 3), at(5, 64 * MIB, 1), at(6, 64 * MIB, 2)];
        assert_eq!(choose_rank(at(0, 0, 0), &others, 64 * MIB, PlacementCosts::default()), Some(5));
    }

    #[test]
    fn task_stays_when_the_queue_costs_more_than_the_bytes() {
        // 64 MiB take 13 ms; 14 tasks of 1 ms before it take longer.
        let costs = PlacementCosts::default();
        assert_eq!(choose_rank(at(0, 0, 0), &[at(1, 64 * MIB, 13)], 64 * MIB, costs), Some(1));
        assert_eq!(choose_rank(at(0, 0, 0), &[at(1, 64 * MIB, 14)], 64 * MIB, costs), None);
        let slow = PlacementCosts { bytes_per_s: 100_000_000, ..costs };
        assert_eq!(choose_rank(at(0, 0, 0), &[at(1, 64 * MIB, 14)], 64 * MIB, slow), Some(1));
    }

    /// Ten thousand tasks that all read the same 8 MiB of rank 1: those that stay are spread by stealing over the other
    /// 15.
    #[test]
    fn thousands_of_tasks_with_large_arguments_are_spread() {
        let costs = PlacementCosts { task_ns: 500_000, ..PlacementCosts::default() };
        let (mut moved, mut stayed) = (0u64, 0u64);
        let mut longest = 0;
        for task in 0..10_000u64 {
            match choose_rank(at(0, 0, stayed / 15), &[at(1, 8 * MIB, moved)], 8 * MIB, costs) {
                Some(1) => moved += 1,
                _ => stayed += 1,
            }
            longest = longest.max(moved.saturating_sub(task / 16));
        }
        assert!((500..=800).contains(&moved), "a sixteenth of them, and a few for the bytes: {moved}");
        assert!(longest <= 8, "never more than the bytes are worth ahead of the others: {longest}");
    }
}
