//! The protocol alone, and whole clusters of it under a clock of their own.

mod cluster;

use super::*;
use cluster::{Cluster, Shape, Work};

#[test]
fn an_idle_rank_falls_silent_after_its_lifelines() {
    let mut thief = Stealing::new(3, 16, 7);
    let mut remembered = Vec::new();
    while let Some((victim, remember)) = thief.idle() {
        assert_ne!(victim, 3);
        assert!(thief.idle().is_none(), "one request at a time (D2)");
        if remember {
            remembered.push(victim);
        }
        thief.answered(0);
    }
    assert_eq!(remembered, [4, 5, 7, 11]);
    thief.found_work();
    assert!(thief.idle().is_some());
}

#[test]
fn who_asked_in_vain_hears_when_there_is_work_once() {
    let mut victim = Stealing::new(0, 2, 1);
    assert_eq!(victim.asked(1, true, 0), Verdict::Nothing);
    assert_eq!(victim.asked(1, true, 0), Verdict::Nothing);
    assert_eq!(victim.surplus(5), Some((1, 3)));
    assert_eq!(victim.surplus(5), None);
}

#[test]
fn all_who_are_remembered_get_the_same() {
    let mut victim = Stealing::new(0, 64, 1);
    for thief in 1..4 {
        assert_eq!(victim.asked(thief, true, 0), Verdict::Nothing);
    }
    let mut left = 40;
    let mut shares = Vec::new();
    while let Some((_, count)) = victim.surplus(left) {
        left -= count;
        shares.push(count);
    }
    assert_eq!((shares, left), (vec![10, 10, 10], 10));
}

#[test]
fn a_rank_known_to_have_work_is_asked_first_and_of_the_own_host_above_all() {
    let mut thief = Stealing::new(3, 64, 7).on_host(&[2, 3]);
    thief.heard(40, 9);
    thief.heard(2, 1);
    assert_eq!(thief.idle(), Some((2, false)));
    thief.answered(5);
    assert_eq!(thief.load_of(2), 3, "it gave five, and has as many");
    assert_eq!(thief.idle(), Some((2, false)));
    thief.answered(0);
    assert_eq!(thief.idle(), Some((40, false)));
    thief.answered(0);
    assert_eq!(thief.idle(), Some((2, false)), "now at random, first of the host");
    thief.heard(3, 9);
    thief.heard(64, 9);
    assert!(thief.hints.is_empty(), "neither of itself nor of what is no rank");
}

#[test]
fn what_is_known_is_bounded_and_the_most_is_kept() {
    let mut rank = Stealing::new(0, 10_000, 1);
    for other in 1..1000 {
        rank.heard(other, (other % 20) as u8);
    }
    assert_eq!(rank.hints.len(), HINTS_MAX);
    assert!(rank.hints.iter().all(|(_, class)| *class == 19), "{:?}", rank.hints);
}

/// Two ranks that each believe the other has work would send a thief to and fro for ever.
#[test]
fn old_news_does_not_keep_a_thief_asking() {
    let mut thief = Stealing::new(0, 64, 1);
    let mut requests = 0;
    while let Some((victim, _)) = thief.idle() {
        requests += 1;
        assert!(requests < 100, "it must fall silent");
        thief.answered(0);
        thief.heard(if victim == 1 { 2 } else { 1 }, 5);
    }
    assert!(requests <= LED_TRIES + RANDOM_TRIES + 6);
}

/// A rank whose request a dead one owed an answer, or whose lifelines were all gone, was never given work again.
#[test]
fn an_idle_rank_begins_anew_when_another_is_gone() {
    let mut thief = Stealing::new(3, 5, 7);
    while thief.idle().is_some() {
        thief.answered(0);
    }
    let asked_after = |thief: &mut Stealing, gone| {
        thief.lost(gone);
        let mut remembered = Vec::new();
        while let Some((victim, remember)) = thief.idle() {
            remembered.extend(remember.then_some(victim));
            thief.answered(0);
        }
        remembered
    };
    assert_eq!(thief.lifelines, [4, 0, 2]);
    assert_eq!(asked_after(&mut thief, 4), [0, 2]);
    assert_eq!(asked_after(&mut thief, 0), [1, 2]);
    assert_eq!(asked_after(&mut thief, 2), [1]);
    thief.found_work();
    let (victim, _) = thief.idle().unwrap();
    assert_eq!(victim, 1);
    assert!(asked_after(&mut thief, 1).is_empty());
    assert_eq!(thief.idle(), None, "it is alone");
}

#[test]
fn a_rank_alone_asks_nobody() {
    assert_eq!(Stealing::new(0, 1, 1).idle(), None);
}

#[test]
fn every_rank_is_the_lifeline_of_some_rank() {
    for size in 2..40u32 {
        let mut reached = vec![false; size as usize];
        for me in 0..size {
            for neighbour in Stealing::new(me, size, 1).lifelines {
                assert_ne!(neighbour, me);
                reached[neighbour as usize] = true;
            }
        }
        assert!(reached.iter().all(|reached| *reached), "size {size}");
    }
}

/// 100 tasks a rank, of 1 ms in the mean; a message takes 10 us. Nobody knows how long a task is, so that no order is better
/// than that of one queue for all; and the longest of all may begin last.
#[test]
fn heavy_tailed_tasks_take_little_more_than_from_one_queue_for_all() {
    for ranks in [64, 256, 1000] {
        for work in [Work::OnOneRank, Work::Spread] {
            for most in [10.0, 100.0] {
                let outcome = Cluster::new(ranks, 8, 42, Shape::HeavyTailed(most), work, 100).run();
                println!("{ranks} ranks, tail to {most}, {work:?}: {outcome}");
                let bound = if most > 10.0 { outcome.mean_ns + outcome.longest_ns } else { outcome.one_queue_ns };
                assert!(outcome.makespan_ns as f64 <= 1.10 * bound as f64, "{ranks} ranks, {work:?}: {outcome}");
                assert!(outcome.all_done, "a cluster without work sends nothing (D2), and none is left over");
                assert!(outcome.remembered_max <= 16, "only by those whose lifeline it is: {outcome}");
            }
        }
    }
}

#[test]
fn tasks_of_one_length_and_a_tree_of_tasks_come_close_to_the_ideal() {
    for shape in [Shape::Uniform, Shape::Tree] {
        for work in [Work::OnOneRank, Work::Spread] {
            let outcome = Cluster::new(256, 4, 7, shape, work, 100).run();
            println!("{shape:?}, {work:?}: {outcome}");
            assert!(outcome.makespan_ns as f64 <= 1.10 * outcome.mean_ns as f64, "{shape:?}, {work:?}: {outcome}");
            assert!(outcome.all_done);
        }
    }
}
