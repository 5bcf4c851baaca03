//! Chooses how bulk reads are transferred: once, by all ranks together, by measuring both methods.
//!
//! Each rank reads a known pattern through the window from a partner, on another host if possible. If every byte was
//! right on every rank, half of the ranks time both methods against a partner that sleeps between its MPI calls, as a
//! rank does whose threads compute. A library whose gets need the target's help is slow then (MPICH 5 takes 0.1 s a
//! MiB, MPICH 4 some ms), while one whose gets need none is faster than messages (Open MPI 4.1 over shared memory,
//! RDMA).

use super::collective::Allgather;
use super::comm::{Comm, MpiFailure};
use super::reads::MpiReads;
use super::transport::MpiTransport;
use super::window::{RmaWindow, decode_failure, encode_failure};
use crate::base::Rank;
use crate::base::host::host_name;
use crate::memory::{Arena, Block};
use crate::transport::{ReadError, Refusal, RemoteAddress, Transport, TransportEvent};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The method of bulk reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMethod {
    /// The method that is measured to be faster.
    Faster,
    /// One-sided gets, if they work at all.
    Gets,
    /// Request and response messages.
    Messages,
}

/// The length of the longest probe read: more than any library sends eagerly, and many times what libraries that
/// emulate gets send at once.
const PROBE_BYTES: usize = 4 << 20;

/// Start and length of the reads whose bytes are checked.
const PROBES: [(usize, usize); 3] = [(0, 8), (5, 4099), (0, PROBE_BYTES)];

/// The time after which a get counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// Reads that are timed with each method; their median counts. A read that takes longer than the budget is the last.
const TIMED_READS: usize = 3;
const TIMING_BUDGET: Duration = Duration::from_millis(20);

/// How long a partner sleeps between its calls, and for how long it does so before it polls without sleeping: by then
/// both methods were timed, or have turned out slow.
const IDLE_SLEEP: Duration = Duration::from_millis(1);
const IDLE_PHASE: Duration = Duration::from_millis(120);

/// How long a reader sleeps between its own polls while it is timed, as a progress thread does while reads are in
/// flight: emulated gets need the reader's calls too.
const READER_SLEEP: Duration = Duration::from_micros(50);

/// The token of probe reads; no other read has it.
const PROBE_TOKEN: u64 = u64::MAX;

/// The median times of both methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ReadTimes {
    gets: Duration,
    messages: Duration,
}

impl ReadTimes {
    /// If both take equally long, gets are preferred, because they do not use the other rank's threads.
    fn prefers_gets(self) -> bool {
        self.gets <= self.messages
    }

    fn text(self) -> String {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        format!(
            "{} MiB from an idle rank: MPI_Rget {:.2} ms, messages {:.2} ms",
            PROBE_BYTES >> 20,
            ms(self.gets),
            ms(self.messages)
        )
    }
}

/// The partner that each rank reads from, given the hash of each rank's host: the rank half a circle away when the
/// ranks are sorted by host, which is on another host unless one host has more than half of the ranks.
fn partners(hosts: &[u64]) -> Vec<Rank> {
    let mut circle: Vec<Rank> = (0..hosts.len() as Rank).collect();
    circle.sort_by_key(|&rank| (hosts[rank as usize], rank));
    let mut partners = vec![0; circle.len()];
    for (index, &rank) in circle.iter().enumerate() {
        partners[rank as usize] = circle[(index + circle.len() / 2) % circle.len()];
    }
    partners
}

/// Byte `index` of the pattern that `rank` lets its partner read.
fn pattern(rank: Rank, index: usize) -> u8 {
    (rank as usize * 59 + index + (index >> 8) * 13 + 1) as u8
}

/// Why reads use messages.
struct GetsUnusable {
    why: String,
    /// True if a get of some rank does not finish: the window cannot be freed then.
    stuck: bool,
}

/// For a reason that all ranks found at the same step, before any get.
fn unusable(why: impl ToString) -> GetsUnusable {
    GetsUnusable { why: why.to_string(), stuck: false }
}

impl From<MpiFailure> for GetsUnusable {
    fn from(failure: MpiFailure) -> GetsUnusable {
        unusable(failure)
    }
}

/// Chooses the read method; returns it with the reason as text. Collective.
pub fn choose(transport: &MpiTransport, requested: ReadMethod) -> String {
    probe_gets(transport, requested).unwrap_or_else(|GetsUnusable { why, stuck }| {
        transport.with_reads(MpiReads::abandon_gets);
        // All ranks reach the same decision, so either all close their windows or none does.
        match transport.with_reads(MpiReads::take_window).flatten() {
            Some(window) if !stuck => drop(window.close()),
            _ => {}
        }
        format!("messages ({why})")
    })
}

fn probe_gets(transport: &MpiTransport, requested: ReadMethod) -> Result<String, GetsUnusable> {
    if requested == ReadMethod::Messages {
        return Err(unusable("as requested"));
    }
    let comm = transport.with_reads(|reads| reads.comm().clone());
    let comm = comm.ok_or_else(|| unusable("the transport is closed"))?;
    let mut hasher = DefaultHasher::new();
    host_name().hash(&mut hasher);
    // Space for the pattern that the partner reads and for the blocks that this rank's probe reads fill.
    let store = transport.arena().and_then(|arena| {
        let (source, _for_reads) = (arena.allocate(PROBE_BYTES)?, arena.allocate(PROBE_BYTES)?);
        Some((arena, source))
    });
    let mine = store.as_ref().map_or([0, 0], |(arena, source)| [arena.bytes(), source.offset()]);
    let stores = Allgather::start(&comm, [mine[0], mine[1], hasher.finish()])?.wait()?;
    let lacking = stores.iter().position(|[bytes, ..]| *bytes == 0);
    let (None, Some((arena, mut source))) = (lacking, store) else {
        let rank = lacking.unwrap_or_default();
        return Err(unusable(format!("rank {rank} has no {} bytes of its store left for a probe", 2 * PROBE_BYTES)));
    };
    source.as_mut_slice().iter_mut().enumerate().for_each(|(index, byte)| *byte = pattern(transport.rank(), index));

    let window = RmaWindow::create(&comm, arena.clone(), stores.iter().map(|[bytes, ..]| *bytes).collect());
    let why = window.as_ref().map_or_else(|why| encode_failure(*why), |_| [0, 0]);
    let outcomes = Allgather::start(&comm, why)?.wait()?;
    let failed = outcomes.iter().enumerate().find_map(|(rank, words)| Some((rank, decode_failure(*words)?)));
    let window = match (failed, window) {
        (None, Ok(window)) => window,
        (Some((rank, why)), _) => return Err(unusable(format!("rank {rank}: {why}"))),
        (None, Err(why)) => return Err(unusable(why)),
    };
    transport.with_reads(|reads| reads.set_window(window));

    let hosts: Vec<u64> = stores.iter().map(|[.., host]| *host).collect();
    let partner = partners(&hosts)[transport.rank() as usize];
    let mut probe = ReadProbe {
        transport,
        comm: &comm,
        arena,
        partner,
        pattern_offset: stores[partner as usize][1],
        failures: Vec::new(),
    };
    let outcome = probe.run(requested);
    probe.failures.into_iter().for_each(|(peer, reason)| transport.requeue(TransportEvent::LinkDown { peer, reason }));
    outcome
}

/// The probe reads of one rank.
struct ReadProbe<'a> {
    transport: &'a MpiTransport,
    comm: &'a Comm,
    arena: Arc<Arena>,
    partner: Rank,
    /// The offset of the pattern in the partner's store.
    pattern_offset: u64,
    failures: Vec<(Rank, String)>,
}

/// The result of a rank's gets.
const RIGHT: u64 = 0;
const WRONG: u64 = 1;
const STUCK: u64 = 2;

impl ReadProbe<'_> {
    fn run(&mut self, requested: ReadMethod) -> Result<String, GetsUnusable> {
        let mine = if self.partner == self.transport.rank() { RIGHT } else { self.check() };
        let results = self.serve_until(Allgather::start(self.comm, [mine])?, Duration::ZERO)?;
        let stuck = results.contains(&[STUCK]);
        let decided = match results.iter().position(|[result]| *result != RIGHT) {
            Some(rank) if results[rank] == [WRONG] => {
                Err(GetsUnusable { why: format!("rank {rank} got wrong bytes, or none, by MPI_Rget"), stuck })
            }
            Some(rank) => {
                Err(GetsUnusable { why: format!("an MPI_Rget of rank {rank} did not end in {STUCK_AFTER:?}"), stuck })
            }
            None if requested == ReadMethod::Gets => Ok("MPI_Rget (as requested)".to_string()),
            None => self.time(),
        };
        // All ranks were served: from here on no rank polls until all have come, and later events belong to no probe.
        Allgather::start(self.comm, [0])?.wait()?;
        decided
    }

    /// Reads by gets and checks the bytes.
    fn check(&mut self) -> u64 {
        for (start, length) in PROBES {
            let block = match self.read(start, length, Duration::ZERO) {
                Err(result) => return result,
                Ok((_, block)) => block,
            };
            let mut bytes = block.as_slice().iter().enumerate();
            let right = bytes.all(|(at, byte)| *byte == pattern(self.partner, start + at));
            if !right || self.transport.with_reads(|reads| reads.gets_failed(self.partner)) != Some(false) {
                return WRONG;
            }
        }
        RIGHT
    }

    /// Some ranks time both methods while the others idle; the slowest of them decides.
    fn time(&mut self) -> Result<String, GetsUnusable> {
        // Of two ranks that read from each other, one measures. The last rank never does, so some reader's partner
        // idles.
        let times = self.transport.rank() < self.partner;
        // Gets first: if they take longer than the partner idles, it does not matter how long messages take after that.
        let mine = if times { [self.median(true), self.median(false)] } else { [Duration::ZERO; 2] };
        let sleep = if times { Duration::ZERO } else { IDLE_SLEEP };
        let gather = Allgather::start(self.comm, mine.map(|time| time.as_nanos() as u64))?;
        let results = self.serve_until(gather, sleep)?;
        let slowest = |field: usize| Duration::from_nanos(results.iter().map(|times| times[field]).max().unwrap_or(0));
        let times = ReadTimes { gets: slowest(0), messages: slowest(1) };
        let stuck = times.gets >= STUCK_AFTER;
        if times.prefers_gets() && !stuck {
            Ok(format!("MPI_Rget ({})", times.text()))
        } else {
            Err(GetsUnusable { why: times.text(), stuck })
        }
    }

    fn median(&mut self, by_gets: bool) -> Duration {
        self.transport.with_reads(|reads| reads.use_gets(by_gets));
        let mut took = Vec::with_capacity(TIMED_READS);
        let began = Instant::now();
        while took.len() < TIMED_READS && began.elapsed() < TIMING_BUDGET {
            took.push(self.read(0, PROBE_BYTES, READER_SLEEP).map_or(STUCK_AFTER, |(time, _)| time));
        }
        self.transport.with_reads(|reads| reads.use_gets(true));
        took.sort_unstable();
        took[took.len() / 2]
    }

    /// Reads as any other reader does; returns the time that it took and the block, or else `WRONG` or `STUCK`.
    fn read(&mut self, start: usize, length: usize, sleep: Duration) -> Result<(Duration, Block), u64> {
        let mut into = self.arena.allocate(length).ok_or(WRONG)?;
        let began = Instant::now();
        let from = RemoteAddress::in_store(self.pattern_offset + start as u64);
        while let Err((refusal, block)) = self.transport.read(self.partner, from, into, PROBE_TOKEN) {
            if refusal == Refusal::Lost || began.elapsed() > STUCK_AFTER {
                return Err(WRONG);
            }
            into = block;
            self.poll();
        }
        while began.elapsed() < STUCK_AFTER {
            if let Some(result) = self.poll() {
                return result.map(|block| (began.elapsed(), block)).map_err(|_| WRONG);
            }
            pause(sleep);
        }
        Err(STUCK)
    }

    /// Serves the other ranks and takes the events that came; no rank sends messages yet.
    fn poll(&mut self) -> Option<Result<Block, ReadError>> {
        let (mut done, failures) = (None, &mut self.failures);
        self.transport.poll(&mut |event| match event {
            TransportEvent::ReadDone { block, .. } => done = Some(block),
            TransportEvent::LinkDown { peer, reason } => failures.push((peer, reason)),
            TransportEvent::Message { .. } => {}
        });
        done
    }

    /// Serves the other ranks until all have sent their results; at first it sleeps between its calls.
    fn serve_until<const N: usize>(
        &mut self,
        mut gather: Allgather<N>,
        sleep: Duration,
    ) -> Result<Vec<[u64; N]>, MpiFailure> {
        let began = Instant::now();
        while !gather.is_over()? {
            self.poll();
            pause(if began.elapsed() > IDLE_PHASE { Duration::ZERO } else { sleep });
        }
        gather.wait()
    }
}

fn pause(sleep: Duration) {
    if sleep.is_zero() {
        std::thread::yield_now();
    } else {
        std::thread::sleep(sleep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_on_other_hosts_if_possible() {
        assert_eq!(partners(&[7, 7]), [1, 0]);
        assert_eq!(partners(&[9, 5, 9, 5]).len(), 4);
        for hosts in [vec![9, 5, 9, 5], vec![1, 1, 2, 2], vec![3, 1, 2], vec![1, 2, 3, 1, 2, 3]] {
            for (rank, partner) in partners(&hosts).into_iter().enumerate() {
                assert_ne!(hosts[rank], hosts[partner as usize], "{hosts:?}");
            }
        }
        let mut read_from = partners(&[1, 1, 1, 2, 1]);
        read_from.sort_unstable();
        assert_eq!(read_from, [0, 1, 2, 3, 4], "each is read from once");
    }

    #[test]
    fn faster_method_is_preferred_and_text_names_both_times() {
        let times =
            |gets, messages| ReadTimes { gets: Duration::from_micros(gets), messages: Duration::from_micros(messages) };
        assert!(times(168, 1285).prefers_gets() && times(1248, 1248).prefers_gets());
        assert!(!times(2331, 1218).prefers_gets() && !times(139_000, 1238).prefers_gets());
        let text = times(139_000, 1238).text();
        assert_eq!(text, "4 MiB from an idle rank: MPI_Rget 139.00 ms, messages 1.24 ms");
    }
}
