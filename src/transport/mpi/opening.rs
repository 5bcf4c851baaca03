//! How bulk reads come: decided once by all ranks together, by trying both ways.
//!
//! Each rank reads a known pattern from a partner, on another host where it can, through the window. Where every byte was
//! right on every rank, half of them then time both ways against a partner that rests between its calls of MPI, as a rank
//! does whose threads compute: a library whose gets need the target's help is slow then (MPICH 5 takes 0.1 s a MiB, MPICH 4 some ms), while
//! one that gets by itself is faster than any answer (Open MPI 4.1 over shared memory, RDMA).

use super::collective::Gather;
use super::comm::{Comm, Failure};
use super::reads::Reads;
use super::road::MpiFabric;
use super::window::{NoWindow, Window};
use crate::base::Rank;
use crate::memory::{Arena, Block};
use crate::transport::{Event, Fabric, Place, Refusal};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How bulk reads are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadsBy {
    /// As is found to be faster.
    Faster,
    /// By gets where they work at all.
    Gets,
    /// In answers to messages.
    Answers,
}

/// What the longest trial read brings: more than any library sends without asking first, and many times what those that
/// emulate gets send at once.
const TRIAL_BYTES: usize = 4 << 20;

/// Start and length of the reads whose bytes are looked at.
const TRIALS: [(usize, usize); 3] = [(0, 8), (5, 4099), (0, TRIAL_BYTES)];

/// After which a get is taken to be stuck.
const STUCK: Duration = Duration::from_secs(5);

/// Reads of each way that are timed, their median counts. Where one takes longer than the budget, it is the last.
const TIMED: usize = 3;
const TIMED_BUDGET: Duration = Duration::from_millis(20);

/// How long a partner rests between its calls, and for how long it goes on like that before it polls without rest: then
/// both ways were timed, or have shown that they are slow.
const REST: Duration = Duration::from_millis(1);
const RESTING: Duration = Duration::from_millis(120);

/// How long a reader that is timed rests between its own looks, as a progress thread does while reads are under way:
/// emulated gets need the reader's calls too.
const READER_REST: Duration = Duration::from_micros(50);

/// One that no read of a rank's own has.
const TRIAL_TOKEN: u64 = u64::MAX;

/// Both ways and what they took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    gets: Duration,
    answers: Duration,
}

impl Times {
    /// Where both are alike, gets leave the other rank's threads alone.
    fn for_gets(self) -> bool {
        self.gets <= self.answers
    }

    fn text(self) -> String {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        format!(
            "{} MiB from a rank at rest: MPI_Rget {:.2} ms, answers {:.2} ms",
            TRIAL_BYTES >> 20,
            ms(self.gets),
            ms(self.answers)
        )
    }
}

/// Whom each rank reads from, given the hash of each rank's host: the rank half a circle away when hosts lie one after
/// the other, which is another host unless one host has more than half of the ranks.
fn partners(hosts: &[u64]) -> Vec<Rank> {
    let mut circle: Vec<Rank> = (0..hosts.len() as Rank).collect();
    circle.sort_by_key(|&rank| (hosts[rank as usize], rank));
    let mut partners = vec![0; circle.len()];
    for (place, &rank) in circle.iter().enumerate() {
        partners[rank as usize] = circle[(place + circle.len() / 2) % circle.len()];
    }
    partners
}

/// Byte `index` of what `rank` lets its partner read.
fn pattern(rank: Rank, index: usize) -> u8 {
    (rank as usize * 59 + index + (index >> 8) * 13 + 1) as u8
}

/// Why reads come in answers.
struct NoGets {
    why: String,
    /// Somewhere a get is under way that does not end: the window cannot be freed.
    stuck: bool,
}

impl From<String> for NoGets {
    fn from(why: String) -> NoGets {
        NoGets { why, stuck: false }
    }
}

impl From<Failure> for NoGets {
    fn from(failure: Failure) -> NoGets {
        failure.to_string().into()
    }
}

/// Decides how reads come, and says what was decided and why. Collective.
pub fn open(road: &MpiFabric, wanted: ReadsBy) -> String {
    decide(road, wanted).unwrap_or_else(|NoGets { why, stuck }| {
        road.with_reads(Reads::leave_gets);
        // All ranks have come to the same end, so all close their windows or none does.
        match road.with_reads(Reads::take_window).flatten() {
            Some(window) if !stuck => drop(window.close()),
            _ => {}
        }
        format!("answers to messages ({why})")
    })
}

fn decide(road: &MpiFabric, wanted: ReadsBy) -> Result<String, NoGets> {
    if wanted == ReadsBy::Answers {
        return Err("as asked for".to_string().into());
    }
    let comm = road.with_reads(|reads| reads.comm().clone()).ok_or_else(|| "the road is closed".to_string())?;
    let mut hasher = DefaultHasher::new();
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().hash(&mut hasher);
    // Room for the pattern that is read here and, while it is looked for, for what is read elsewhere.
    let store = road.arena().and_then(|arena| {
        let (source, _room) = (arena.allocate(TRIAL_BYTES)?, arena.allocate(TRIAL_BYTES)?);
        Some((arena, source))
    });
    let mine = store.as_ref().map_or([0, 0], |(arena, source)| [arena.bytes(), source.offset()]);
    let cards = Gather::start(&comm, [mine[0], mine[1], hasher.finish()])?.wait()?;
    let lacking = cards.iter().position(|[bytes, ..]| *bytes == 0);
    let (None, Some((arena, mut source))) = (lacking, store) else {
        let rank = lacking.unwrap_or_default();
        return Err(format!("rank {rank} has no {} bytes of its store left for a trial", 2 * TRIAL_BYTES).into());
    };
    source.as_mut_slice().iter_mut().enumerate().for_each(|(index, byte)| *byte = pattern(road.rank(), index));

    let window = Window::create(&comm, arena.clone(), cards.iter().map(|[bytes, ..]| *bytes).collect());
    let why = window.as_ref().map_or_else(|why| why.encode(), |_| [0, 0]);
    let outcomes = Gather::start(&comm, why)?.wait()?;
    let failed = outcomes.iter().enumerate().find_map(|(rank, words)| Some((rank, NoWindow::decode(*words)?)));
    let window = match (failed, window) {
        (None, Ok(window)) => window,
        (Some((rank, why)), _) => return Err(format!("rank {rank}: {why}").into()),
        (None, Err(why)) => return Err(why.to_string().into()),
    };
    road.with_reads(|reads| {
        reads.set_window(window);
        reads.use_gets(true);
    });

    let hosts: Vec<u64> = cards.iter().map(|[.., host]| *host).collect();
    let partner = partners(&hosts)[road.rank() as usize];
    let mut trial = Trial { road, comm: &comm, arena, partner, place: cards[partner as usize][1], lost: Vec::new() };
    let outcome = trial.run(wanted);
    road.repeat_losses(trial.lost);
    outcome
}

/// One rank's trial reads.
struct Trial<'a> {
    road: &'a MpiFabric,
    comm: &'a Comm,
    arena: Arc<Arena>,
    partner: Rank,
    /// Where the partner's pattern lies.
    place: u64,
    lost: Vec<(Rank, String)>,
}

/// What a rank says of its gets.
const RIGHT: u64 = 0;
const WRONG: u64 = 1;
const ENDLESS: u64 = 2;

/// How a trial read ended: what it took and brought, or nothing where it did not end.
type Tried = Option<Result<(Duration, Block), String>>;

impl Trial<'_> {
    fn run(&mut self, wanted: ReadsBy) -> Result<String, NoGets> {
        let mine = if self.partner == self.road.rank() { RIGHT } else { self.check() };
        let said = self.serve_until(Gather::start(self.comm, [mine])?, Duration::ZERO)?;
        let stuck = said.contains(&[ENDLESS]);
        let decided = match said.iter().position(|[said]| *said != RIGHT) {
            Some(rank) if said[rank] == [WRONG] => {
                Err(NoGets { why: format!("rank {rank} got wrong bytes, or none, by MPI_Rget"), stuck })
            }
            Some(rank) => Err(NoGets { why: format!("an MPI_Rget of rank {rank} did not end in {STUCK:?}"), stuck }),
            None if wanted == ReadsBy::Gets => Ok("MPI_Rget (as asked for)".to_string()),
            None => self.time(),
        };
        // Everybody was served: from here on nobody polls until all are here, and what comes then is no trial's.
        Gather::start(self.comm, [0])?.wait()?;
        decided
    }

    /// Reads by gets and looks at the bytes.
    fn check(&mut self) -> u64 {
        for (start, length) in TRIALS {
            let block = match self.read(start, length, Duration::ZERO) {
                None => return ENDLESS,
                Some(Err(_)) => return WRONG,
                Some(Ok((_, block))) => block,
            };
            let mut bytes = block.as_slice().iter().enumerate();
            let right = bytes.all(|(at, byte)| *byte == pattern(self.partner, start + at));
            if !right || self.road.with_reads(|reads| reads.refused(self.partner)) != Some(false) {
                return WRONG;
            }
        }
        RIGHT
    }

    /// Some ranks time both ways, the others rest; the slowest of them decides.
    fn time(&mut self) -> Result<String, NoGets> {
        // In a pair that reads from each other, one. The last rank times nothing, so somebody reads from one at rest.
        let times = self.road.rank() < self.partner;
        // Gets first: where they take all the time that the partner rests, it is no matter what answers take after that.
        let mine = if times { [self.median(true), self.median(false)] } else { [Duration::ZERO; 2] };
        let rest = if times { Duration::ZERO } else { REST };
        let gather = Gather::start(self.comm, mine.map(|time| time.as_nanos() as u64))?;
        let said = self.serve_until(gather, rest)?;
        let slowest = |way: usize| Duration::from_nanos(said.iter().map(|said| said[way]).max().unwrap_or(0));
        let times = Times { gets: slowest(0), answers: slowest(1) };
        let stuck = times.gets >= STUCK;
        if times.for_gets() && !stuck {
            Ok(format!("MPI_Rget ({})", times.text()))
        } else {
            Err(NoGets { why: times.text(), stuck })
        }
    }

    fn median(&mut self, by_gets: bool) -> Duration {
        self.road.with_reads(|reads| reads.use_gets(by_gets));
        let mut took = Vec::with_capacity(TIMED);
        let began = Instant::now();
        while took.len() < TIMED && began.elapsed() < TIMED_BUDGET {
            took.push(match self.read(0, TRIAL_BYTES, READER_REST) {
                Some(Ok((time, _))) => time,
                _ => STUCK,
            });
        }
        self.road.with_reads(|reads| reads.use_gets(true));
        took.sort_unstable();
        took[took.len() / 2]
    }

    /// A read as any other.
    fn read(&mut self, start: usize, length: usize, rest: Duration) -> Tried {
        let Some(mut into) = self.arena.allocate(length) else { return Some(Err("no room".to_string())) };
        let began = Instant::now();
        let place = Place::in_store(self.place + start as u64);
        while let Err((refusal, block)) = self.road.read(self.partner, place, into, TRIAL_TOKEN) {
            if refusal == Refusal::Lost || began.elapsed() > STUCK {
                return Some(Err(format!("{refusal:?}")));
            }
            into = block;
            self.poll();
        }
        while began.elapsed() < STUCK {
            if let Some(over) = self.poll() {
                return Some(over.map(|block| (began.elapsed(), block)));
            }
            if rest.is_zero() {
                std::thread::yield_now();
            } else {
                std::thread::sleep(rest);
            }
        }
        None
    }

    /// Serves the others and takes what came; nobody sends messages yet.
    fn poll(&mut self) -> Option<Result<Block, String>> {
        let (mut over, lost) = (None, &mut self.lost);
        self.road.poll(&mut |event| match event {
            Event::ReadDone { block, .. } => over = Some(block),
            Event::Lost { peer, reason } => lost.push((peer, reason)),
            Event::Message { .. } => {}
        });
        over
    }

    /// Serves the others until all have said what they have to say; at first it rests between its calls.
    fn serve_until<const N: usize>(&mut self, mut gather: Gather<N>, rest: Duration) -> Result<Vec<[u64; N]>, Failure> {
        let began = Instant::now();
        while !gather.is_over()? {
            self.poll();
            if rest.is_zero() || began.elapsed() > RESTING {
                std::thread::yield_now();
            } else {
                std::thread::sleep(rest);
            }
        }
        gather.wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_on_other_hosts_where_they_can_be() {
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
    fn the_faster_way_is_taken_and_both_are_said() {
        let times =
            |gets, answers| Times { gets: Duration::from_micros(gets), answers: Duration::from_micros(answers) };
        assert!(times(168, 1285).for_gets() && times(1248, 1248).for_gets());
        assert!(!times(2331, 1218).for_gets() && !times(139_000, 1238).for_gets());
        let text = times(139_000, 1238).text();
        assert_eq!(text, "4 MiB from a rank at rest: MPI_Rget 139.00 ms, answers 1.24 ms");
    }
}
