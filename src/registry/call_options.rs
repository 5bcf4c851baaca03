//! The options of one call of a function: most calls have none but perhaps a rank, which needs no box.

use crate::base::Rank;
use crate::registry::{Options, Placement};

/// The options of one call.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// The rank, while no other option is set.
    rank: Option<Rank>,
    /// All options, once another one is set.
    set: Option<Box<Options>>,
}

impl CallOptions {
    /// These options, with that rank for the place.
    #[inline]
    #[must_use]
    pub fn on(mut self, rank: Rank) -> CallOptions {
        match &mut self.set {
            Some(options) => options.place = Placement::Rank(rank),
            None => self.rank = Some(rank),
        }
        self
    }

    /// The options, to set one.
    pub fn set(&mut self) -> &mut Options {
        let rank = self.rank.take();
        self.set.get_or_insert_with(|| Box::new(of_rank(rank)))
    }

    /// As `Options::take_over`.
    pub fn take_over(&mut self, shared: &Options) {
        self.set().take_over(shared);
    }

    /// The rank, if nothing else is requested.
    #[inline]
    pub fn only_rank(&self) -> Option<Rank> {
        match &self.set {
            None => self.rank,
            Some(options) => match options.place {
                Placement::Rank(rank) if options.requests_nothing() => Some(rank),
                _ => None,
            },
        }
    }

    /// True if nothing is set.
    #[inline]
    pub fn is_none(&self) -> bool {
        self.set.is_none() && self.rank.is_none()
    }

    /// The options as a value.
    pub fn into_options(mut self) -> Options {
        std::mem::take(self.set())
    }

    /// The options as a task has them; `None` if none is set.
    pub fn into_box(self) -> Option<Box<Options>> {
        match (self.set, self.rank) {
            (Some(options), _) => (!options.is_unset()).then_some(options),
            (None, Some(rank)) => Some(Box::new(of_rank(Some(rank)))),
            (None, None) => None,
        }
    }
}

impl From<Options> for CallOptions {
    fn from(options: Options) -> CallOptions {
        CallOptions { rank: None, set: Some(Box::new(options)) }
    }
}

fn of_rank(rank: Option<Rank>) -> Options {
    Options { place: rank.map_or_else(Placement::default, Placement::Rank), ..Options::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank_of(options: CallOptions) -> Option<Rank> {
        options.into_box().and_then(|options| options.just_rank())
    }

    #[test]
    fn rank_is_kept_with_and_without_other_options() {
        let on_rank = CallOptions::default().on(3);
        assert_eq!((on_rank.only_rank(), rank_of(on_rank.clone())), (Some(3), Some(3)));
        let mut retried = on_rank;
        retried.set().max_retries = Some(1);
        assert_eq!((retried.only_rank(), rank_of(retried.clone())), (None, Some(3)));
        assert_eq!(rank_of(retried.on(4)), Some(4), "the last one counts");
        let mut placed = CallOptions::default();
        placed.set().place = Placement::Rank(5);
        assert_eq!(placed.only_rank(), Some(5), "however it was set");
    }

    #[test]
    fn options_that_set_nothing_are_none() {
        let mut unset = CallOptions::default();
        assert!(unset.clone().into_box().is_none() && unset.only_rank().is_none());
        unset.set();
        assert!(unset.into_box().is_none());
    }

    #[test]
    fn shared_options_complete_or_replace_those_of_the_call() {
        let shared = Options { num_cpus: Some(2.0), ..Options::default() };
        let mut call = CallOptions::default().on(3);
        call.take_over(&shared);
        assert_eq!((call.set().num_cpus, rank_of(CallOptions { rank: Some(9), set: None })), (Some(2.0), Some(9)));
        assert!(matches!(call.set().place, Placement::Rank(3)));
    }
}
