//! A rank is gone: who finds out tells the others through rank 0, and what waited for it goes on or fails by name.
//!
//! How it is found out, and who believes it:
//!
//! | what | who sees it | what follows |
//! |---|---|---|
//! | its process ended (pidfd) | every rank of its host, at once | each acts on it, and rank 0 is told |
//! | it stands still: no beat (`pulse`) | every rank of its host, after MOBULA_PEER_TIMEOUT_S | rank 0 is told, and tells all |
//! | its line to rank 0 ended | rank 0 | it tells all |
//! | the road to it broke | who used the road | rank 0 is told, and decides (`verdicts`) |
//! | it says nothing though it was asked (`silence`) | ranks of other hosts that await something of it | rank 0 is told, and decides |
//! | any of these, of rank 0 | its host's other ranks; each rank by its own line and road, and by its silence | every rank ends |
//!
//! A rank that was declared gone stays so: nothing that it says later is listened to, what it writes into shared memory is
//! in cells that nobody reads (`board`), and it is told: by rank 0 when it is declared gone, by its bit on its host's
//! board, and as the answer to whatever it says next. Then it ends: it would be half alive otherwise.

use crate::base::log::{Level, say};
use crate::base::sync::lock;
use crate::base::{Error, Rank};
use crate::protocol::{Evidence, Message};
use crate::runtime::Runtime;
use crate::runtime::pulse::Pulse;
use crate::runtime::silence::Silence;
use crate::runtime::verdicts::Sentence;
use std::time::{Duration, Instant};

/// How often rank 0 and the others look whether one of them died.
const VIGIL: Duration = Duration::from_millis(100);

/// How long a rank that ends because rank 0 did goes on sending what tells ranks of other hosts.
const FAREWELL: Duration = Duration::from_millis(200);

/// What the thread that keeps the vigil remembers.
pub(super) struct Vigil {
    looked: Instant,
    /// The last look at the beats of the host's other ranks.
    felt: Instant,
    pulse: Pulse,
    /// The last look at what ranks of other hosts say.
    listened: Instant,
    silence: Silence,
}

impl Runtime {
    /// A peer is gone, for certain or by rank 0's word. Nothing happens the second time.
    pub fn lost(&'static self, peer: Rank, reason: &str) {
        if peer == self.rank {
            return self.given_up(reason);
        }
        if peer >= self.size || !self.roads.bury(peer) {
            return;
        }
        self.parting.gone(peer);
        lock(&self.verdicts).lost(peer);
        if self.stopping() {
            // Ranks leave at the end.
            return;
        }
        let error = Error::NodeDied { rank: peer, host: self.host_of(peer).to_string(), reason: reason.to_string() };
        say(Level::Error, || format!("rank {} on {}: {error}", self.rank, self.host));
        if let Some(place) = self.place_of(peer) {
            self.table.board.give_up(place);
            // What it held is free, and who waits may have looked before.
            self.resources_freed();
        }
        if peer == 0 {
            return self.orphaned(error);
        }
        if self.rank == 0 {
            let died = Message::Died { rank: peer, reason: reason.to_string() };
            (1..self.size).filter(|other| *other != peer).for_each(|other| self.send(other, &died));
            self.roads.tell_the_dead(peer, &died);
        }
        self.groups_lost(peer, &error);
        self.questions.lost(peer, || Err(error.clone()));
        self.handles.lost(peer, || Err(error.to_string()));
        self.protocol.lost(&self, peer, &error);
        self.feed_starved();
        self.stop_when_all_left();
    }

    /// No road leads to a peer any more, which may live: rank 0 decides. What is sent there waits until it has.
    pub(super) fn lost_touch(&'static self, peer: Rank, reason: &str) {
        if self.rank == 0 || peer == 0 || self.stopping() {
            return self.lost(peer, reason);
        }
        if !self.is_dead(peer) {
            self.send(0, &Message::Suspect { rank: peer, reason: reason.to_string(), evidence: Evidence::Road });
        }
    }

    /// A rank is lost to `from`.
    pub(super) fn on_suspect(&'static self, from: Rank, rank: Rank, reason: &str, evidence: Evidence) {
        let neighbours =
            self.ranks.get(from as usize).map(|(host, _)| host) == self.ranks.get(rank as usize).map(|(host, _)| host);
        if evidence == Evidence::Process && neighbours && (self.rank == 0 || rank == 0) {
            return self.lost(rank, reason);
        }
        if rank == 0 && self.rank != 0 && evidence == Evidence::Silence {
            return self.doubt_driver(reason);
        }
        if self.rank != 0 || rank == 0 || from == 0 || self.is_dead(rank) {
            return;
        }
        let round = lock(&self.verdicts).suspect(from, rank, reason, evidence);
        if let Some(round) = round {
            say(Level::Warn, || format!("rank {from} does not reach rank {rank} ({reason}): asking both"));
            [from, rank].into_iter().for_each(|rank| self.send(rank, &Message::Probe { round }));
        }
    }

    /// A rank answered `Probe`.
    pub(super) fn on_alive(&'static self, from: Rank, round: u64) {
        let sentence = lock(&self.verdicts).answered(from, round);
        self.carry_out(sentence);
    }

    fn carry_out(&'static self, sentences: impl IntoIterator<Item = Sentence>) {
        sentences.into_iter().for_each(|(rank, reason)| self.lost(rank, &reason));
    }

    /// The rank whose driver decides when the cluster ends is gone, and with it the cluster.
    fn orphaned(&'static self, error: Error) {
        // It may only have been stopped: when it goes on, it is not to go on alone.
        self.roads.tell_the_dead(0, &Message::Died { rank: 0, reason: error.to_string() });
        // Ranks of other hosts may not see what those of its own do; one of them tells.
        let teller = self.host_ranks().iter().find(|rank| !self.is_dead(**rank));
        if self.place_of(0).is_some() && teller == Some(&self.rank) {
            let reason = error.to_string();
            let others = (1..self.size).filter(|other| *other != self.rank && self.place_of(*other).is_none());
            others.for_each(|other| {
                self.send(other, &Message::Suspect { rank: 0, reason: reason.clone(), evidence: Evidence::Process })
            });
        }
        let _ = self.orphaned.set(error);
        self.stop();
    }

    /// The others go on without this rank: it ends.
    fn given_up(&'static self, reason: &str) {
        if self.stopping() {
            return;
        }
        let reason = format!(
            "the other ranks gave it up and go on without it: {reason}. What they asked of it is done elsewhere or failed; \
             this process ends. A rank may stand still for MOBULA_PEER_TIMEOUT_S, with 0 for ever"
        );
        let error = Error::NodeDied { rank: self.rank, host: self.host.clone(), reason };
        say(Level::Error, || error.to_string());
        let _ = self.orphaned.set(error);
        self.stop();
    }

    /// Who was given up says something: it is told.
    pub(super) fn refuse_the_dead(&'static self, from: Rank) {
        if !self.stopping() {
            let reason = "it was declared dead before".to_string();
            self.roads.tell_the_dead(from, &Message::Died { rank: from, reason });
        }
    }

    /// Why nothing more can be waited for.
    pub(super) fn why_it_ended(&self) -> Error {
        let otherwise = || Error::config("the cluster was shut down while something was waited for");
        self.orphaned.get().cloned().unwrap_or_else(otherwise)
    }

    /// Before a rank that does not part in order is taken apart: what it told others is on its way.
    pub(super) fn say_farewell(&'static self) {
        if self.hosts.len() < 2 {
            return;
        }
        let begun = Instant::now();
        while begun.elapsed() < FAREWELL {
            self.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether this rank was told, or found out, that a peer is gone.
    pub(super) fn is_dead(&self, rank: Rank) -> bool {
        self.roads.is_dead(rank)
    }

    /// The error of what needs a rank that is gone.
    pub(super) fn death_of(&self, rank: Rank) -> Error {
        let reason = "it died while the cluster ran".to_string();
        Error::NodeDied { rank, host: self.host_of(rank).to_string(), reason }
    }

    /// Whether any rank has died.
    pub(super) fn mourns(&self) -> bool {
        (0..self.size).any(|rank| self.is_dead(rank))
    }

    /// A rank's place on this host, where it runs here.
    fn place_of(&self, rank: Rank) -> Option<usize> {
        self.host_ranks().iter().position(|other| *other == rank)
    }

    /// The vigil begins now: nothing before it counts.
    pub(super) fn begin_vigil(&self) -> Vigil {
        let pulse = Pulse::new(self.host_ranks().len(), self.config.peer_timeout);
        let silence = Silence::new(self.config.peer_timeout);
        let now = Instant::now();
        Vigil { looked: now, felt: now, pulse, listened: now, silence }
    }

    /// Looks for ranks that died: every `VIGIL`, and at once where a process of this host ended.
    pub(super) fn keep_vigil(&'static self, vigil: &mut Vigil) {
        if self.size < 2 {
            return;
        }
        if self.table.board.is_given_up(self.table.board.place) {
            return self.given_up("it stood still, or its road to another rank broke");
        }
        let ended = self.roads.sentry.as_ref().map_or_else(Vec::new, |sentry| sentry.ended());
        ended.into_iter().for_each(|rank| self.process_ended(rank));
        if vigil.looked.elapsed() < VIGIL {
            return;
        }
        let since = vigil.looked.elapsed();
        vigil.looked = Instant::now();
        let departed = lock(&self.vigil).as_mut().map_or_else(Vec::new, |vigil| vigil.departed());
        if !departed.is_empty() {
            // That this rank was given up while it stood still, for instance.
            self.hear_last_words();
        }
        departed.into_iter().for_each(|(rank, reason)| self.lost(rank, &reason));
        let overdue = lock(&self.verdicts).overdue(since, self.config.peer_timeout);
        self.carry_out(overdue);
        self.listen_afar(&mut vigil.silence, &mut vigil.listened);
        if vigil.felt.elapsed() >= vigil.pulse.interval() {
            self.feel_pulse(vigil);
        }
    }

    /// What a rank said comes before its end is acted upon: that the cluster ends, for instance, and why its process did.
    fn hear_last_words(&'static self) {
        for _ in 0..1000 {
            if self.poll() == 0 && !self.roads.pending() {
                break;
            }
        }
    }

    /// The process of a rank of this host ended.
    fn process_ended(&'static self, rank: Rank) {
        self.hear_last_words();
        if self.is_dead(rank) {
            return;
        }
        let reason = format!("its process ({}) ended", self.pid_of(rank));
        self.lost(rank, &reason);
        self.tell_rank_0(rank, reason);
    }

    /// Counts this rank's own beat, and looks at those of its host's others.
    fn feel_pulse(&'static self, vigil: &mut Vigil) {
        let since = vigil.felt.elapsed();
        vigil.felt = Instant::now();
        let board = &self.table.board;
        board.beat();
        for place in vigil.pulse.look(since, |place| board.beats_of(place)) {
            let rank = self.host_ranks()[place];
            // Who has parted beats no more.
            if rank == self.rank || self.is_dead(rank) || (self.stopping() && self.parting.has_parted(rank)) {
                continue;
            }
            let reason = format!(
                "its process ({}) stands still: no sign of life for {} s (MOBULA_PEER_TIMEOUT_S)",
                self.pid_of(rank),
                self.config.peer_timeout.as_secs_f64()
            );
            if self.rank == 0 || rank == 0 {
                self.lost(rank, &reason);
            } else {
                self.tell_rank_0(rank, reason);
            }
        }
    }

    /// What this rank knows for certain of another of its host.
    fn tell_rank_0(&'static self, rank: Rank, reason: String) {
        if self.rank != 0 && rank != 0 && !self.stopping() {
            self.send(0, &Message::Suspect { rank, reason, evidence: Evidence::Process });
        }
    }
}
