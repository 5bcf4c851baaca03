//! The calls that an actor has not run yet, in an order that preserves each caller's own (SCHEDULING-3).

use rustc_hash::FxHashMap as HashMap;
use std::collections::VecDeque;
use std::hash::Hash;

/// Calls `C` of callers `K`.
#[derive(Debug)]
pub struct Mailbox<K, C> {
    /// By caller that waits for an argument of its first call: all of its calls, that one first.
    blocked: HashMap<K, VecDeque<(C, bool)>>,
    /// Calls that may run, in the order in which they became ready.
    ready: VecDeque<C>,
}

impl<K, C> Default for Mailbox<K, C> {
    fn default() -> Self {
        Mailbox { blocked: HashMap::default(), ready: VecDeque::new() }
    }
}

impl<K: Copy + Eq + Hash, C> Mailbox<K, C> {
    /// A call arrives; `complete` says if its arguments are there.
    pub fn push(&mut self, caller: K, call: C, complete: bool) {
        if let Some(queue) = self.blocked.get_mut(&caller) {
            queue.push_back((call, complete));
        } else if complete {
            self.ready.push_back(call);
        } else {
            self.blocked.insert(caller, VecDeque::from([(call, false)]));
        }
    }

    /// The arguments of a call of `caller` that arrived incomplete are there now.
    pub fn completed(&mut self, caller: K, is_it: impl Fn(&C) -> bool) {
        let Some(queue) = self.blocked.get_mut(&caller) else { return };
        if let Some(entry) = queue.iter_mut().find(|(call, _)| is_it(call)) {
            entry.1 = true;
        }
        while queue.front().is_some_and(|(_, complete)| *complete) {
            self.ready.extend(queue.pop_front().map(|(call, _)| call));
        }
        if queue.is_empty() {
            self.blocked.remove(&caller);
        }
    }

    /// The next call that may run, without removing it.
    pub fn first(&self) -> Option<&C> {
        self.ready.front()
    }

    /// The next call that may run.
    pub fn pop(&mut self) -> Option<C> {
        self.ready.pop_front()
    }

    /// True if a call may run.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Removes every call, ready or not: the actor has ended.
    pub fn drain(&mut self) -> Vec<C> {
        let held = std::mem::take(&mut self.blocked).into_values().flatten().map(|(call, _)| call);
        std::mem::take(&mut self.ready).into_iter().chain(held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_with_missing_arguments_delays_only_its_caller() {
        let mut mailbox = Mailbox::default();
        mailbox.push('a', 1, false);
        mailbox.push('a', 2, true);
        mailbox.push('b', 3, true);
        assert_eq!((mailbox.first().copied(), mailbox.pop()), (Some(3), Some(3)));
        assert_eq!((mailbox.first().copied(), mailbox.pop()), (None, None));
        mailbox.completed('a', |call| *call == 1);
        assert_eq!((mailbox.pop(), mailbox.pop(), mailbox.pop()), (Some(1), Some(2), None));
    }

    #[test]
    fn completions_out_of_order_keep_the_call_order() {
        let mut mailbox = Mailbox::default();
        mailbox.push('a', 1, false);
        mailbox.push('a', 2, false);
        mailbox.push('a', 3, true);
        mailbox.completed('a', |call| *call == 2);
        assert!(!mailbox.has_ready());
        mailbox.completed('a', |call| *call == 1);
        assert_eq!((mailbox.pop(), mailbox.pop(), mailbox.pop()), (Some(1), Some(2), Some(3)));
        mailbox.push('a', 4, true);
        assert_eq!(mailbox.pop(), Some(4));
    }
}
