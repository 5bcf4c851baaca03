//! Tests with real devices: `tests/rdma/run` starts them in a virtual machine that has some, one after the other.

mod harness;
mod two_processes;

use super::control::ControlMessage;
use crate::base::Rank;
use crate::base::clock::now_ns;
use crate::base::limits::MESSAGE_BYTES_MAX;
use crate::memory::STORE;
use crate::transport::{Refusal, RemoteAddress, Transport, TransportEvent, Unacked, conformance};
use harness::{TestRank, ranks_with_links_max, ranks_with_timeout, readable, test_ranks, until};
use std::process::Command;
use std::time::Duration;

fn conforms(size: u32) {
    let ranks = test_ranks(size);
    std::thread::scope(|scope| {
        let ranks: Vec<_> =
            ranks.iter().map(|rank| scope.spawn(move || conformance::run(rank, rank.me, size, &rank.arena))).collect();
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

/// Message `number` of `from`: every size that takes a path of its own.
fn message(from: Rank, number: u64) -> Vec<u8> {
    let lengths = [8, 0, 100, 4088, 4089, 20_000, 1, MESSAGE_BYTES_MAX];
    let length = lengths[number as usize % lengths.len()];
    (0..length).map(|at| (u64::from(from) * 131 + number * 7 + at as u64) as u8).collect()
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn send_to_full_peer_is_refused_until_it_delivers() {
    let ranks = test_ranks(2);
    ranks[0].open(&ranks[1]);
    for _ in 0..3 {
        let mut sent = 0;
        while ranks[0].transport.send(1, &[&message(0, sent)]).is_ok() {
            sent += 1;
            assert!(sent < 1000, "accepted without bound");
        }
        let mut got = 0;
        until("all arrived", || {
            ranks[1].transport.poll(&mut |event| {
                assert!(
                    matches!(event, TransportEvent::Message { from: 0, bytes } if bytes == message(0, got)),
                    "{got}"
                );
                got += 1;
            });
            ranks[0].transport.poll(&mut |_| {});
            got == sent
        });
    }
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn message_wakes_a_sleeper_and_arm_sees_earlier_messages() {
    let ranks = test_ranks(2);
    ranks[0].open(&ranks[1]);
    let sleeper = &ranks[1].transport;
    let mut got = 0;
    for round in 0..50_u64 {
        until("it may sleep", || {
            sleeper.poll(&mut |_| {});
            sleeper.arm()
        });
        ranks[0].transport.send(1, &[&round.to_le_bytes()]).expect("space");
        assert!(readable(&ranks[1], 60_000), "round {round}: it was not woken");
        until("the message is there", || {
            sleeper.poll(&mut |_| got += 1);
            got == round + 1
        });
        // Sent after the last `arm` and not yet polled: the sleeper would miss it if `arm` did not check.
        ranks[0].transport.send(1, &[b"early"]).expect("space");
        until("`arm` refuses to sleep", || !sleeper.arm());
        until("it is delivered", || sleeper.poll(&mut |_| {}) > 0);
        ranks[0].transport.poll(&mut |_| {});
    }
    // An event that another thread queues wakes the sleeper too, without the device.
    until("it may sleep", || sleeper.arm());
    let empty = ranks[1].arena.allocate(0).expect("an empty block");
    sleeper.read(0, RemoteAddress::in_store(0), empty, 9).map_err(|(refusal, _)| refusal).expect("space");
    assert!(readable(&ranks[1], 60_000), "a read that finished at once did not wake it");
    until("it is reported", || {
        sleeper.poll(&mut |event| assert!(matches!(event, TransportEvent::ReadDone { token: 9, .. }))) == 1
    });
}

/// Both ends send and deliver; then `cut` is called. The messages delivered and those left unacknowledged must be all
/// messages, each once.
fn assert_nothing_lost_or_repeated(cut: impl FnOnce()) {
    let ranks = ranks_with_timeout(2, Duration::from_secs(3));
    let mut sent = [0_u64; 2];
    let mut delivered = [0_u64; 2];
    let mut failure = [None, None];
    let mut exchange = |me: usize, send: bool, delivered: &mut [u64; 2], failure: &mut [Option<String>; 2]| {
        let peer = 1 - me;
        if send && ranks[me].send(peer as Rank, &[&message(me as Rank, sent[me])]).is_ok() {
            sent[me] += 1;
        }
        ranks[me].poll(&mut |event| match event {
            TransportEvent::Message { bytes, .. } => {
                assert_eq!(bytes, message(peer as Rank, delivered[me]), "message {} at {me}", delivered[me]);
                delivered[me] += 1;
            }
            TransportEvent::LinkDown { reason, .. } => failure[me] = Some(reason),
            TransportEvent::ReadDone { .. } => panic!("nothing was read"),
        });
        sent[me]
    };
    until("both delivered many", || {
        exchange(0, true, &mut delivered, &mut failure);
        exchange(1, true, &mut delivered, &mut failure);
        delivered.iter().all(|count| *count > 200)
    });
    cut();
    // From here on rank 1 delivers nothing until all windows are full, so that many messages are in flight.
    let mut rounds = 0;
    until("both links have failed", || {
        exchange(0, true, &mut delivered, &mut failure);
        rounds += 1;
        if rounds > 100 {
            exchange(1, true, &mut delivered, &mut failure);
        }
        failure.iter().all(Option::is_some)
    });
    for (me, reason) in failure.into_iter().flatten().enumerate() {
        assert!(reason.contains(&format!("rank {} cannot be reached from rank {me}", 1 - me)), "{reason}");
        eprintln!("{reason}");
    }
    let left = [0, 1].map(|me: usize| ranks[me].transport.take_unacked(1 - me as Rank).expect("it is known"));
    for me in 0..2 {
        let (mine, theirs) = (&left[me], &left[1 - me]);
        assert_eq!(theirs.delivered, delivered[1 - me]);
        assert!(mine.first <= theirs.delivered, "a gap: {} and {}", mine.first, theirs.delivered);
        assert_eq!(mine.first + mine.messages.len() as u64, sent[me]);
        for (number, bytes) in (mine.first..).zip(&mine.messages) {
            assert!(*bytes == message(me as Rank, number), "message {number} of rank {me} has other bytes");
        }
        eprintln!(
            "rank {me}: {} sent, {} delivered, {} unacknowledged",
            sent[me],
            theirs.delivered,
            mine.messages.len()
        );
        assert_eq!(ranks[me].transport.take_unacked(1 - me as Rank), None, "can be taken once");
        assert_eq!(ranks[me].send(1 - me as Rank, &[b"late"]), Err(Refusal::Lost));
    }
}

fn system(command: &str) {
    let mut words = command.split(' ');
    let done = Command::new(words.next().expect("a program")).args(words).status();
    assert!(done.expect("it can be started").success(), "{command}");
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn cut_wire_fails_the_link_and_loses_no_message() {
    assert_nothing_lost_or_repeated(|| system("ip link set rx0 down"));
    system("ip link set rx0 up");
    until("the link is up again", || super::endpoint::VerbsEndpoint::open_named("rxe0").is_ok());
}

/// Unlike a cut wire, no device detects it: packets are sent and not answered.
#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn dropped_packets_fail_the_link_and_lose_no_message() {
    assert_nothing_lost_or_repeated(|| system("tc qdisc add dev rx0 root netem loss 100%"));
    system("tc qdisc del dev rx0 root");
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn peer_that_vanishes_without_notice_is_lost() {
    let mut ranks = ranks_with_timeout(2, Duration::from_secs(3));
    ranks[0].open(&ranks[1]);
    let block = ranks[0].arena.allocate(8 << 20).expect("space");
    // As when its process is killed: its queue pairs vanish, and no control message is sent.
    drop(ranks.pop());
    ranks[0].transport.send(1, &[b"to a dead peer"]).expect("space");
    let (mut read_failed, mut failure) = (None, None);
    ranks[0].transport.read(1, RemoteAddress::in_store(0), block, 7).map_err(|(refusal, _)| refusal).expect("space");
    until("the failure is reported", || {
        ranks[0].poll(&mut |event| match event {
            TransportEvent::ReadDone { token: 7, block: Err(reason) } => read_failed = Some(reason),
            TransportEvent::LinkDown { peer: 1, reason } => failure = Some(reason),
            _ => panic!("another event"),
        });
        failure.is_some()
    });
    let (reason, read) = (failure.expect("failed"), read_failed.expect("the read failed before"));
    assert!(reason.contains("rank 1") && reason.contains("rxe"), "{reason}");
    assert!(read.to_string().contains("rank 1"), "{read}");
    eprintln!("{reason}");
    let left = ranks[0].transport.take_unacked(1).expect("it is known");
    assert_eq!(left.messages.last().map(Vec::as_slice), Some(b"to a dead peer".as_slice()));
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn peer_that_never_answers_is_lost() {
    let ranks = ranks_with_timeout(2, Duration::from_millis(500));
    assert_eq!(ranks[0].transport.send(1, &[b"hello"]), Err(Refusal::Full));
    let mut failure = None;
    until("the failure is reported", || {
        ranks[0].transport.poll(&mut |event| {
            if let TransportEvent::LinkDown { peer: 1, reason } = event {
                failure = Some(reason);
            }
        });
        failure.is_some()
    });
    assert!(failure.expect("failed").contains("did not answer"));
    let left = ranks[0].transport.take_unacked(1).expect("it is known");
    assert_eq!((left.delivered, left.first, left.messages.len()), (0, 0, 0));
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn link_beyond_the_limit_is_refused_and_others_keep_working() {
    let ranks = ranks_with_links_max(3, harness::PEER_TIMEOUT, 1);
    ranks[0].open(&ranks[1]);
    let refused = ranks[0].transport.check_reachable(2).expect_err("one link is the limit");
    assert!(refused.to_string().contains("all 1 links of this rank"), "{refused}");
    ranks[0].transport.check_reachable(1).expect("it has the link");
    let mut failure = None;
    assert_eq!(ranks[2].send(0, &[b"me too"]), Err(Refusal::Full));
    until("the rank that connected is notified", || {
        ranks[0].poll(&mut |event| assert!(matches!(event, TransportEvent::LinkDown { peer: 2, .. })));
        ranks[2].poll(&mut |event| match event {
            TransportEvent::LinkDown { peer: 0, reason } => failure = Some(reason),
            _ => panic!("another event"),
        });
        failure.is_some()
    });
    assert!(failure.expect("failed").contains("all 1 links of this rank over rxe0 are taken"));
    assert_eq!(
        ranks[2].transport.take_unacked(0),
        Some(Unacked::default()),
        "nothing was sent, so nothing is unacknowledged"
    );
    ranks[1].send(0, &[b"as before"]).expect("space");
    until("it is delivered", || ranks[0].poll(&mut |_| {}) > 0);
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn malformed_control_message_fails_the_link_at_both_ends() {
    for malformed in [vec![9, 9, 9], ControlMessage::Ready.encode()] {
        let ranks = test_ranks(2);
        ranks[0].transport.on_control_message(1, &malformed);
        let failure = |rank: &TestRank| {
            let mut failure = false;
            rank.poll(&mut |event| failure |= matches!(event, TransportEvent::LinkDown { .. }));
            failure
        };
        until("the receiver's link has failed", || failure(&ranks[0]));
        until("the sender's link has failed", || failure(&ranks[1]));
        assert_eq!(ranks[1].transport.send(0, &[b"?"]), Err(Refusal::Lost));
    }
}

#[test]
#[ignore = "needs RDMA devices: tests/rdma/run"]
fn read_outside_a_region_fails_and_the_link_keeps_working() {
    let ranks = test_ranks(2);
    ranks[0].open(&ranks[1]);
    let read = |from: RemoteAddress| {
        let block = ranks[0].arena.allocate(64).expect("space");
        assert!(ranks[0].transport.read(1, from, block, 1).is_ok());
        let mut over = None;
        until("the read has finished", || {
            ranks[0].transport.poll(&mut |event| {
                if let TransportEvent::ReadDone { block, .. } = event {
                    over = Some(block.map(drop));
                }
            });
            over.is_some()
        });
        over.expect("finished")
    };
    assert!(read(RemoteAddress { region: STORE + 5, offset: 0 }).unwrap_err().to_string().contains("no region 5"));
    assert!(read(RemoteAddress { region: STORE, offset: u64::MAX - 8 }).unwrap_err().to_string().contains("outside"));
    read(RemoteAddress::in_store(0)).expect("the link still works");
}

/// `tests/rdma/run` starts it with 64 KiB of lockable memory, which other users' jobs may have.
#[test]
#[ignore = "needs RDMA devices and a low limit on locked memory: tests/rdma/run"]
fn low_limit_on_locked_memory_is_named_in_the_error() {
    let reason = harness::try_rank_with_store(16 << 20).err().expect("64 KiB are not enough").to_string();
    eprintln!("{reason}");
    assert!(reason.contains("RLIMIT_MEMLOCK is 65536 bytes") && reason.contains("ulimit -l unlimited"), "{reason}");
}

/// Not a check: prints MiB/s of reads of 1 MiB, which `tests/rdma/run figures` compares with those of perftest.
#[test]
#[ignore = "figures: tests/rdma/run figures"]
fn figures_of_reads() {
    const READ_BYTES: usize = 1 << 20;
    let ranks = test_ranks(2);
    ranks[0].open(&ranks[1]);
    let (mut done, mut started, reads, at_once) = (0, 0, 60, 16);
    let mut blocks: Vec<_> = (0..at_once).map(|_| ranks[0].arena.allocate(READ_BYTES).expect("space")).collect();
    let mut empty_polls = 0;
    let began = now_ns();
    while done < reads {
        while started < reads {
            let Some(block) = blocks.pop() else { break };
            ranks[0]
                .transport
                .read(1, RemoteAddress::in_store(0), block, 0)
                .map_err(|(refusal, _)| refusal)
                .expect("space");
            started += 1;
        }
        let found = ranks[0].transport.poll(&mut |event| {
            if let TransportEvent::ReadDone { block, .. } = event {
                blocks.push(block.expect("read"));
                done += 1;
            }
        });
        // Sleeps as ranks do: a software device needs the processor that a reader would spin on.
        empty_polls = if found == 0 { empty_polls + 1 } else { 0 };
        if empty_polls > 20 && done < reads && ranks[0].transport.arm() {
            readable(&ranks[0], 60_000);
        }
    }
    let seconds = (now_ns() - began) as f64 * 1e-9;
    println!("figure: {:.1}", reads as f64 * (READ_BYTES >> 20) as f64 / seconds);
}

/// Not a check either: prints the median of half a round trip of 8 bytes, us.
#[test]
#[ignore = "figures: tests/rdma/run figures"]
fn figures_of_round_trips() {
    let ranks = test_ranks(2);
    ranks[0].open(&ranks[1]);
    let (rounds, warm) = (1000, 100);
    let mut halves: Vec<f64> = Vec::with_capacity(rounds);
    std::thread::scope(|scope| {
        let echo = &ranks[1].transport;
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
            ranks[0].transport.send(1, &[&[7; 8]]).expect("space");
            while ranks[0].transport.poll(&mut |_| {}) == 0 {}
            if round >= warm {
                halves.push((now_ns() - began) as f64 * 0.5e-3);
            }
        }
    });
    halves.sort_by(f64::total_cmp);
    println!("figure: {:.1}", halves[rounds / 2]);
}
