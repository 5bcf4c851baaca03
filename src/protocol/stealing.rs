//! Work between ranks: who asks, who gives, who is remembered.

use crate::base::Rank;
use crate::base::sync::{AtomicBool, Ordering, lock};
use crate::protocol::driver::Driver;
use crate::protocol::{Message, Protocol};
use crate::scheduling::{Stealing, Verdict};
use std::sync::Mutex;

/// The stealing of a rank.
pub struct Thieving {
    stealing: Mutex<Stealing>,
    /// Whether another rank is remembered as idle.
    thieves: AtomicBool,
}

impl Thieving {
    /// As `stealing` decides.
    pub fn new(stealing: Stealing) -> Thieving {
        Thieving { stealing: Mutex::new(stealing), thieves: AtomicBool::new(false) }
    }

    /// Another rank says how much work it has.
    pub fn heard(&self, rank: Rank, load: u8) {
        lock(&self.stealing).heard(rank, load);
    }

    /// How much work another rank was last heard to have.
    pub fn load_of(&self, rank: Rank) -> u8 {
        lock(&self.stealing).load_of(rank)
    }

    /// Whether another rank is remembered as idle.
    #[inline]
    pub fn thieves_wait(&self) -> bool {
        self.thieves.load(Ordering::Relaxed)
    }

    fn decide<R>(&self, decision: impl FnOnce(&mut Stealing) -> R) -> R {
        let mut stealing = lock(&self.stealing);
        let decided = decision(&mut stealing);
        self.thieves.store(stealing.has_thieves(), Ordering::Relaxed);
        decided
    }

    /// Who was asked for work and has not answered.
    pub fn awaited(&self) -> Option<Rank> {
        lock(&self.stealing).awaited()
    }

    /// A rank is gone.
    pub fn lost(&self, rank: Rank) {
        self.decide(|stealing| stealing.lost(rank));
    }
}

impl Protocol {
    /// A worker has nothing to do: asks another rank for work, or to be remembered there.
    pub fn ask_for_work(&self, driver: &impl Driver) {
        if self.size < 2 {
            return;
        }
        if let Some((victim, remember)) = self.thieving.decide(Stealing::idle) {
            driver.send(victim, &Message::Steal { remember });
        }
    }

    /// A rank asks for work.
    pub(super) fn on_steal(&self, driver: &impl Driver, thief: Rank, remember: bool) {
        // One is left for each worker that is about to take it: two idle ranks would pass the last one to and fro.
        let surplus = if driver.has_room(thief) { driver.surplus().saturating_sub(driver.resting()) } else { 0 };
        let count = match self.thieving.decide(|stealing| stealing.asked(thief, remember, surplus)) {
            Verdict::Give(count) => count,
            Verdict::Nothing => 0,
        };
        if self.give(driver, thief, count, true) == 0 && remember {
            self.thieving.decide(|stealing| stealing.disappointed(thief));
        }
    }

    /// There may be work for who is remembered.
    pub fn feed_thieves(&self, driver: &impl Driver) {
        // One is left for this rank's own worker.
        let surplus = driver.surplus().saturating_sub(1);
        if surplus == 0 {
            return;
        }
        let Some((thief, count)) = self.thieving.decide(|stealing| stealing.surplus(surplus)) else { return };
        let given = if driver.has_room(thief) { self.give(driver, thief, count, false) } else { 0 };
        if given == 0 {
            self.thieving.decide(|stealing| stealing.disappointed(thief));
        }
    }

    /// Tasks came from `Steal`, or to who is remembered.
    pub(super) fn on_loot(&self, driver: &impl Driver, tasks: usize, answer: bool) {
        if !answer {
            return self.thieving.decide(Stealing::found_work);
        }
        self.thieving.decide(|stealing| stealing.answered(tasks));
        // What came may be done by now, and the worker at rest again: it could not ask while this answer was under way.
        if (tasks == 0 || driver.rests()) && !driver.has_work() {
            self.ask_for_work(driver);
        }
    }
}
