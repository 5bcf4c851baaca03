//! Against devices: `tests/rdma/run` starts these in a machine that has some, one after the other.

mod apart;
mod laid;

use super::greeting::Word;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::memory::STORE;
use crate::transport::{Event, Fabric, Place, Refusal, Salvage, conformance};
use laid::{End, ends, ends_bounded, ends_with, readable, until};
use std::process::Command;
use std::time::Duration;

fn conforms(size: u32) {
    let ends = ends(size);
    std::thread::scope(|scope| {
        let ranks: Vec<_> =
            ends.iter().map(|end| scope.spawn(move || conformance::run(end, end.me, size, &end.arena))).collect();
        for (rank, thread) in ranks.into_iter().enumerate() {
            thread.join().expect("no panic").unwrap_or_else(|error| panic!("rank {rank}: {error}"));
        }
    });
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn two_ranks_conform() {
    conforms(2);
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn three_ranks_conform() {
    conforms(3);
}

/// Message `number` of `from`: every size that has a path of its own.
fn message(from: Rank, number: u64) -> Vec<u8> {
    let lengths = [8, 0, 100, 4088, 4089, 20_000, 1, MESSAGE_BYTES_MAX];
    let length = lengths[number as usize % lengths.len()];
    (0..length).map(|at| (u64::from(from) * 131 + number * 7 + at as u64) as u8).collect()
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn what_is_full_is_refused_whole_and_has_room_again_later() {
    let ends = ends(2);
    ends[0].open(&ends[1]);
    for _ in 0..3 {
        let mut sent = 0;
        while ends[0].fabric.send(1, &[&message(0, sent)]).is_ok() {
            sent += 1;
            assert!(sent < 1000, "taken without bound");
        }
        let mut got = 0;
        until("all arrived", || {
            ends[1].fabric.poll(&mut |event| {
                assert!(matches!(event, Event::Message { from: 0, bytes } if bytes == message(0, got)), "{got}");
                got += 1;
            });
            ends[0].fabric.poll(&mut |_| {});
            got == sent
        });
    }
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn who_sleeps_is_woken_by_a_message_and_not_put_to_sleep_over_one() {
    let ends = ends(2);
    ends[0].open(&ends[1]);
    let sleeper = &ends[1].fabric;
    let mut got = 0;
    for round in 0..50_u64 {
        until("it may sleep", || {
            sleeper.poll(&mut |_| {});
            sleeper.arm()
        });
        ends[0].fabric.send(1, &[&round.to_le_bytes()]).expect("room");
        assert!(readable(&ends[1], 60_000), "round {round}: nobody rang");
        until("the message is there", || {
            sleeper.poll(&mut |_| got += 1);
            got == round + 1
        });
        // Came after the last `arm` and was not looked at: a sleeper would miss it, had `arm` not looked.
        ends[0].fabric.send(1, &[b"early"]).expect("room");
        until("it is refused sleep", || !sleeper.arm());
        until("it is taken", || sleeper.poll(&mut |_| {}) > 0);
        ends[0].fabric.poll(&mut |_| {});
    }
    // What another thread leaves wakes as well, though no device has to do with it.
    until("it may sleep", || sleeper.arm());
    let empty = ends[1].arena.allocate(0).expect("nothing is always there");
    sleeper.read(0, Place::in_store(0), empty, 9).map_err(|(refusal, _)| refusal).expect("room");
    assert!(readable(&ends[1], 60_000), "a read that is over at once did not ring");
    until("it is told", || sleeper.poll(&mut |event| assert!(matches!(event, Event::ReadDone { token: 9, .. }))) == 1);
}

/// Both ends send and deliver; then `cut` strikes. Between them, what was delivered and what is left is everything, once.
fn nothing_is_lost_or_repeated(cut: impl FnOnce()) {
    let ends = ends_with(2, Duration::from_secs(3));
    let mut sent = [0_u64; 2];
    let mut delivered = [0_u64; 2];
    let mut lost = [None, None];
    let mut turn = |me: usize, send: bool, delivered: &mut [u64; 2], lost: &mut [Option<String>; 2]| {
        let peer = 1 - me;
        if send && ends[me].send(peer as Rank, &[&message(me as Rank, sent[me])]).is_ok() {
            sent[me] += 1;
        }
        ends[me].poll(&mut |event| match event {
            Event::Message { bytes, .. } => {
                assert_eq!(bytes, message(peer as Rank, delivered[me]), "message {} at {me}", delivered[me]);
                delivered[me] += 1;
            }
            Event::Lost { reason, .. } => lost[me] = Some(reason),
            Event::ReadDone { .. } => panic!("nothing was read"),
        });
        sent[me]
    };
    until("both delivered many", || {
        turn(0, true, &mut delivered, &mut lost);
        turn(1, true, &mut delivered, &mut lost);
        delivered.iter().all(|count| *count > 200)
    });
    cut();
    // From here on rank 1 delivers nothing until all windows are full, so that much is under way.
    let mut rounds = 0;
    until("both ends know", || {
        turn(0, true, &mut delivered, &mut lost);
        rounds += 1;
        if rounds > 100 {
            turn(1, true, &mut delivered, &mut lost);
        }
        lost.iter().all(Option::is_some)
    });
    for (me, reason) in lost.into_iter().flatten().enumerate() {
        assert!(reason.contains(&format!("rank {} cannot be reached from rank {me}", 1 - me)), "{reason}");
        eprintln!("{reason}");
    }
    let left = [0, 1].map(|me: usize| ends[me].fabric.salvage(1 - me as Rank).expect("it can tell"));
    for me in 0..2 {
        let (mine, theirs) = (&left[me], &left[1 - me]);
        assert_eq!(theirs.delivered, delivered[1 - me]);
        assert!(mine.first <= theirs.delivered, "a gap: {} and {}", mine.first, theirs.delivered);
        assert_eq!(mine.first + mine.unconfirmed.len() as u64, sent[me]);
        for (number, bytes) in (mine.first..).zip(&mine.unconfirmed) {
            assert!(*bytes == message(me as Rank, number), "message {number} of rank {me} is another");
        }
        eprintln!("rank {me}: {} sent, {} delivered, {} kept", sent[me], theirs.delivered, mine.unconfirmed.len());
        assert_eq!(ends[me].fabric.salvage(1 - me as Rank), None, "it is taken once");
        assert_eq!(ends[me].send(1 - me as Rank, &[b"late"]), Err(Refusal::Lost));
    }
}

fn system(command: &str) {
    let mut words = command.split(' ');
    let done = Command::new(words.next().expect("a program")).args(words).status();
    assert!(done.expect("it is there").success(), "{command}");
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn a_cut_wire_loses_the_peer_and_no_message() {
    nothing_is_lost_or_repeated(|| system("ip link set rx0 down"));
    system("ip link set rx0 up");
    until("the link is up again", || super::VerbsEndpoint::open_named("rxe0").is_ok());
}

/// Unlike a cut wire, no device sees it: packets leave and nobody answers.
#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn dropped_packets_lose_the_peer_and_no_message() {
    nothing_is_lost_or_repeated(|| system("tc qdisc add dev rx0 root netem loss 100%"));
    system("tc qdisc del dev rx0 root");
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn an_end_that_vanishes_is_lost_though_nobody_says_so() {
    let mut ends = ends_with(2, Duration::from_secs(3));
    ends[0].open(&ends[1]);
    let block = ends[0].arena.allocate(8 << 20).expect("room");
    // As when its process is killed: its queue pairs are gone, and no word is said.
    drop(ends.pop());
    ends[0].fabric.send(1, &[b"to nobody"]).expect("room");
    let (mut read_failed, mut lost) = (None, None);
    ends[0].fabric.read(1, Place::in_store(0), block, 7).map_err(|(refusal, _)| refusal).expect("room");
    until("it is noticed", || {
        ends[0].poll(&mut |event| match event {
            Event::ReadDone { token: 7, block: Err(reason) } => read_failed = Some(reason),
            Event::Lost { peer: 1, reason } => lost = Some(reason),
            _ => panic!("nothing else"),
        });
        lost.is_some()
    });
    let (reason, read) = (lost.expect("lost"), read_failed.expect("the block came back before"));
    assert!(reason.contains("rank 1") && reason.contains("rxe"), "{reason}");
    assert!(read.contains("rank 1"), "{read}");
    eprintln!("{reason}");
    let left = ends[0].fabric.salvage(1).expect("it can tell");
    assert_eq!(left.unconfirmed.last().map(Vec::as_slice), Some(b"to nobody".as_slice()));
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn a_peer_that_never_answers_is_lost() {
    let ends = ends_with(2, Duration::from_millis(500));
    assert_eq!(ends[0].fabric.send(1, &[b"hello"]), Err(Refusal::Full));
    let mut lost = None;
    until("it is noticed", || {
        ends[0].fabric.poll(&mut |event| {
            if let Event::Lost { peer: 1, reason } = event {
                lost = Some(reason);
            }
        });
        lost.is_some()
    });
    assert!(lost.expect("lost").contains("did not answer"));
    let left = ends[0].fabric.salvage(1).expect("it can tell");
    assert_eq!((left.delivered, left.first, left.unconfirmed.len()), (0, 0, 0));
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn a_link_too_many_is_refused_and_the_others_live_on() {
    let ends = ends_bounded(3, laid::SILENCE, 1);
    ends[0].open(&ends[1]);
    let refused = ends[0].fabric.reaches(2).expect_err("one is the most");
    assert!(refused.contains("all 1 links of rank 0"), "{refused}");
    ends[0].fabric.reaches(1).expect("it is one of them");
    let mut lost = None;
    assert_eq!(ends[2].send(0, &[b"me too"]), Err(Refusal::Full));
    until("the one that asked is told", || {
        ends[0].poll(&mut |event| assert!(matches!(event, Event::Lost { peer: 2, .. })));
        ends[2].poll(&mut |event| match event {
            Event::Lost { peer: 0, reason } => lost = Some(reason),
            _ => panic!("nothing else"),
        });
        lost.is_some()
    });
    assert!(lost.expect("lost").contains("all 1 links of this rank over rxe0 are taken"));
    assert_eq!(ends[2].fabric.salvage(0), Some(Salvage::default()), "nothing went, so nothing is to be saved");
    ends[1].send(0, &[b"as before"]).expect("room");
    until("it came", || ends[0].poll(&mut |_| {}) > 0);
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn nonsense_over_the_side_road_ends_the_link_at_both_ends() {
    for nonsense in [vec![9, 9, 9], Word::Ready.encode()] {
        let ends = ends(2);
        ends[0].fabric.side_message(1, &nonsense);
        let lost = |end: &End| {
            let mut lost = false;
            end.poll(&mut |event| lost |= matches!(event, Event::Lost { .. }));
            lost
        };
        until("the one that heard it", || lost(&ends[0]));
        until("the one that is told", || lost(&ends[1]));
        assert_eq!(ends[1].fabric.send(0, &[b"?"]), Err(Refusal::Lost));
    }
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn what_cannot_be_read_is_said_and_the_link_lives_on() {
    let ends = ends(2);
    ends[0].open(&ends[1]);
    let read = |from: Place| {
        let block = ends[0].arena.allocate(64).expect("room");
        assert!(ends[0].fabric.read(1, from, block, 1).is_ok());
        let mut over = None;
        until("it is over", || {
            ends[0].fabric.poll(&mut |event| {
                if let Event::ReadDone { block, .. } = event {
                    over = Some(block.map(drop));
                }
            });
            over.is_some()
        });
        over.expect("over")
    };
    assert!(read(Place { region: STORE + 5, offset: 0 }).unwrap_err().contains("no region 5"));
    assert!(read(Place { region: STORE, offset: u64::MAX - 8 }).unwrap_err().contains("outside"));
    read(Place::in_store(0)).expect("the link is as good as before");
}

/// `tests/rdma/run` starts it with 64 KiB of lockable memory, as another user's job may have.
#[test]
#[ignore = "needs RDMA devices and a low limit on locked memory: tests/rdma/run"]
fn a_limit_on_locked_memory_is_named() {
    let reason = laid::try_end_with_store(16 << 20).err().expect("64 KiB are not enough");
    eprintln!("{reason}");
    assert!(reason.contains("RLIMIT_MEMLOCK is 65536 bytes") && reason.contains("ulimit -l unlimited"), "{reason}");
}

/// Not a check: prints MiB/s of reads of 1 MiB, which `tests/rdma/run figures` sets beside those of perftest.
#[test]
#[ignore = "figures: tests/rdma/run figures"]
fn figures_of_reads() {
    const READ_BYTES: usize = 1 << 20;
    let ends = ends(2);
    ends[0].open(&ends[1]);
    let (mut done, mut started, reads, at_once) = (0, 0, 60, 16);
    let mut blocks: Vec<_> = (0..at_once).map(|_| ends[0].arena.allocate(READ_BYTES).expect("room")).collect();
    let mut empty_polls = 0;
    let began = now_ns();
    while done < reads {
        while started < reads {
            let Some(block) = blocks.pop() else { break };
            ends[0].fabric.read(1, Place::in_store(0), block, 0).map_err(|(refusal, _)| refusal).expect("room");
            started += 1;
        }
        let found = ends[0].fabric.poll(&mut |event| {
            if let Event::ReadDone { block, .. } = event {
                blocks.push(block.expect("read"));
                done += 1;
            }
        });
        // As ranks wait: a software device needs the processor that a reader would spin on.
        empty_polls = if found == 0 { empty_polls + 1 } else { 0 };
        if empty_polls > 20 && done < reads && ends[0].fabric.arm() {
            readable(&ends[0], 60_000);
        }
    }
    let seconds = (now_ns() - began) as f64 * 1e-9;
    println!("figure: {:.1}", reads as f64 * (READ_BYTES >> 20) as f64 / seconds);
}

/// As above: the median of half a round trip of 8 bytes, us.
#[test]
#[ignore = "figures: tests/rdma/run figures"]
fn figures_of_round_trips() {
    let ends = ends(2);
    ends[0].open(&ends[1]);
    let (rounds, warm) = (1000, 100);
    let mut halves: Vec<f64> = Vec::with_capacity(rounds);
    std::thread::scope(|scope| {
        let echo = &ends[1].fabric;
        scope.spawn(move || {
            let mut echoed = 0;
            while echoed < rounds + warm {
                let mut got = 0;
                echo.poll(&mut |_| got += 1);
                (0..got).for_each(|_| while echo.send(0, &[&[7; 8]]).is_err() {});
                echoed += got;
            }
        });
        for round in 0..rounds + warm {
            let began = now_ns();
            ends[0].fabric.send(1, &[&[7; 8]]).expect("room");
            while ends[0].fabric.poll(&mut |_| {}) == 0 {}
            if round >= warm {
                halves.push((now_ns() - began) as f64 * 0.5e-3);
            }
        }
    });
    halves.sort_by(f64::total_cmp);
    println!("figure: {:.1}", halves[rounds / 2]);
}
