//! The protocol alone, and whole clusters of it under a simulated clock.

mod sim;

use super::*;
use sim::{StealSim, TaskLengths, TaskOrigin};

#[test]
fn idle_rank_stops_asking_after_its_lifelines() {
    let mut stealer = StealState::new(3, 16, 7);
    let mut remembered = Vec::new();
    while let Some((victim, remember)) = stealer.next_victim() {
        assert_ne!(victim, 3);
        assert!(stealer.next_victim().is_none(), "one request at a time (SCHEDULING-2)");
        if remember {
            remembered.push(victim);
        }
        stealer.on_reply(0);
    }
    assert_eq!(remembered, [4, 5, 7, 11]);
    stealer.found_work();
    assert!(stealer.next_victim().is_some());
}

#[test]
fn refused_stealer_is_sent_work_once() {
    let mut victim = StealState::new(0, 2, 1);
    assert_eq!(victim.on_request(1, true, 0), StealDecision::Nothing);
    assert_eq!(victim.on_request(1, true, 0), StealDecision::Nothing);
    assert_eq!(victim.next_share(5), Some((1, 3)));
    assert_eq!(victim.next_share(5), None);
}

#[test]
fn remembered_stealers_get_equal_shares() {
    let mut victim = StealState::new(0, 64, 1);
    for stealer in 1..4 {
        assert_eq!(victim.on_request(stealer, true, 0), StealDecision::Nothing);
    }
    let mut left = 40;
    let mut shares = Vec::new();
    while let Some((_, count)) = victim.next_share(left) {
        left -= count;
        shares.push(count);
    }
    assert_eq!((shares, left), (vec![10, 10, 10], 10));
}

#[test]
fn rank_with_known_surplus_is_asked_first_own_host_before_others() {
    let mut stealer = StealState::new(3, 64, 7).on_host(&[2, 3]);
    stealer.record_load(40, 9);
    stealer.record_load(2, 1);
    assert_eq!(stealer.next_victim(), Some((2, false)));
    stealer.on_reply(5);
    assert_eq!(stealer.load_of(2), 3, "it gave five, and has as many");
    assert_eq!(stealer.next_victim(), Some((2, false)));
    stealer.on_reply(0);
    assert_eq!(stealer.next_victim(), Some((40, false)));
    stealer.on_reply(0);
    assert_eq!(stealer.next_victim(), Some((2, false)), "now at random, first of the host");
    stealer.record_load(3, 9);
    stealer.record_load(64, 9);
    assert!(stealer.hints.is_empty(), "neither of itself nor of a rank out of range");
}

#[test]
fn hints_are_bounded_and_largest_classes_kept() {
    let mut rank = StealState::new(0, 10_000, 1);
    for other in 1..1000 {
        rank.record_load(other, (other % 20) as u8);
    }
    assert_eq!(rank.hints.len(), HINTS_MAX);
    assert!(rank.hints.iter().all(|(_, class)| *class == 19), "{:?}", rank.hints);
}

/// Two ranks that each believe the other has work would send a stealer to and fro for ever.
#[test]
fn outdated_hints_do_not_keep_a_stealer_asking() {
    let mut stealer = StealState::new(0, 64, 1);
    let mut requests = 0;
    while let Some((victim, _)) = stealer.next_victim() {
        requests += 1;
        assert!(requests < 100, "it must stop asking");
        stealer.on_reply(0);
        stealer.record_load(if victim == 1 { 2 } else { 1 }, 5);
    }
    assert!(requests <= HINT_TRIES + RANDOM_TRIES + 6);
}

/// A rank that waited for a dead rank's reply, or whose lifelines were all dead, was never given work again.
#[test]
fn idle_rank_asks_again_after_a_death() {
    let mut stealer = StealState::new(3, 5, 7);
    while stealer.next_victim().is_some() {
        stealer.on_reply(0);
    }
    let remembered_after = |stealer: &mut StealState, dead| {
        stealer.on_rank_failed(dead);
        let mut remembered = Vec::new();
        while let Some((victim, remember)) = stealer.next_victim() {
            remembered.extend(remember.then_some(victim));
            stealer.on_reply(0);
        }
        remembered
    };
    assert_eq!(stealer.lifelines, [4, 0, 2]);
    assert_eq!(remembered_after(&mut stealer, 4), [0, 2]);
    assert_eq!(remembered_after(&mut stealer, 0), [1, 2]);
    assert_eq!(remembered_after(&mut stealer, 2), [1]);
    stealer.found_work();
    let (victim, _) = stealer.next_victim().unwrap();
    assert_eq!(victim, 1);
    assert!(remembered_after(&mut stealer, 1).is_empty());
    assert_eq!(stealer.next_victim(), None, "it is alone");
}

#[test]
fn single_rank_asks_no_rank() {
    assert_eq!(StealState::new(0, 1, 1).next_victim(), None);
}

#[test]
fn every_rank_is_the_lifeline_of_some_rank() {
    for size in 2..40u32 {
        let mut reached = vec![false; size as usize];
        for me in 0..size {
            for neighbour in StealState::new(me, size, 1).lifelines {
                assert_ne!(neighbour, me);
                reached[neighbour as usize] = true;
            }
        }
        assert!(reached.iter().all(|reached| *reached), "size {size}");
    }
}

/// 100 tasks per rank, of 1 ms on average; a message takes 10 us. Task lengths are unknown, so no order is better than
/// that of one queue for all; and the longest task may begin last.
#[test]
fn heavy_tailed_tasks_finish_within_10_percent_of_one_shared_queue() {
    for ranks in [64, 256, 1000] {
        for work in [TaskOrigin::OnOneRank, TaskOrigin::Spread] {
            for most in [10.0, 100.0] {
                let outcome = StealSim::new(ranks, 8, 42, TaskLengths::HeavyTailed(most), work, 100).run();
                println!("{ranks} ranks, tail to {most}, {work:?}: {outcome}");
                let bound = if most > 10.0 { outcome.mean_ns + outcome.longest_ns } else { outcome.one_queue_ns };
                assert!(outcome.makespan_ns as f64 <= 1.10 * bound as f64, "{ranks} ranks, {work:?}: {outcome}");
                assert!(outcome.all_done, "a cluster without work sends nothing (SCHEDULING-2), and none is left over");
                assert!(outcome.waiting_max <= 16, "only stealers that have it as a lifeline: {outcome}");
            }
        }
    }
}

#[test]
fn uniform_tasks_and_task_trees_finish_within_10_percent_of_ideal() {
    for shape in [TaskLengths::Uniform, TaskLengths::Tree] {
        for work in [TaskOrigin::OnOneRank, TaskOrigin::Spread] {
            let outcome = StealSim::new(256, 4, 7, shape, work, 100).run();
            println!("{shape:?}, {work:?}: {outcome}");
            assert!(outcome.makespan_ns as f64 <= 1.10 * outcome.mean_ns as f64, "{shape:?}, {work:?}: {outcome}");
            assert!(outcome.all_done);
        }
    }
}
