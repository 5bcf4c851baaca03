//! The rank on which an actor is created, or created again.

use crate::base::{Error, Rank, Result};
use crate::lineage::{Deaths, NextStart};
use crate::protocol::actors::owner::owned_actors::{OwnedActors, restart_policy_of};
use crate::protocol::environment::{Messenger, RankSelection};
use crate::registry::{Options, Placement};

impl OwnedActors {
    /// Selects the rank for an actor that is not drawn anywhere by its arguments: the rank that its options name, else
    /// the ranks in turn. An actor that can be restarted and may run anywhere is not put on this rank, its owner's,
    /// where there is another: it would end with it.
    ///
    /// # Errors
    /// As `Environment::select_rank`.
    pub fn select_rank(&self, env: &(impl Messenger + RankSelection), options: &Options, label: &str) -> Result<Rank> {
        let mut requested = requested_of(options);
        let anywhere = matches!(requested.place, Placement::Auto | Placement::Spread);
        if anywhere {
            requested.place = Placement::Spread;
        }
        let select = || env.select_rank(&requested, label).map(|rank| rank.unwrap_or(env.rank()));
        let first = select()?;
        let elsewhere = anywhere && first == env.rank() && restart_policy_of(options, false).is_some();
        if elsewhere { select() } else { Ok(first) }
    }

    /// As `select_rank`, for an actor that is restarted after these deaths: the rank that its options name may be dead,
    /// and one that may have ended a rank must end neither rank 0 nor its owner.
    pub(super) fn select_new_location(
        &self,
        env: &(impl Messenger + RankSelection),
        options: &Options,
        label: &str,
        deaths: &Deaths,
    ) -> Result<Rank> {
        let mut requested = requested_of(options);
        if let Placement::Rank(_) = requested.place {
            requested.place = Placement::Spread;
        }
        let elsewhere = || env.select_rank_without(Some(&requested), [0, env.rank()]);
        let preferred = match deaths.next_start(false) {
            NextStart::Anywhere => None,
            NextStart::PreferablyElsewhere => elsewhere(),
            // How often it is started again, max_restarts says.
            NextStart::Elsewhere | NextStart::Nowhere => Some(elsewhere().ok_or_else(|| {
                Error::config(
                    "it ran there and may have ended it, and only ranks are left that it must not end: rank 0, and its \
                     owner's",
                )
            })?),
        };
        if let Some(rank) = preferred {
            return Ok(rank);
        }
        match self.select_rank(env, options, label) {
            Err(Error::NodeDied { .. }) => {
                self.select_rank(env, &Options { place: Placement::Spread, ..options.clone() }, label)
            }
            selected => selected,
        }
    }
}

/// What an actor requests: no CPU where its options name none.
fn requested_of(options: &Options) -> Options {
    Options { num_cpus: Some(options.num_cpus.unwrap_or(0.0)), ..options.clone() }
}
