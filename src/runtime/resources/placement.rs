//! On which rank a task or an actor is placed, as far as its options say.

use crate::base::config::MEMORY;
use crate::base::limits::{NAME_BYTES_MAX, NAME_SHOWN_BYTES, RESOURCES_REQUESTED_MAX, RETURNS_MAX};
use crate::base::parse::{is_amount, is_memory};
use crate::base::sync::Ordering;
use crate::base::text::cut;
use crate::base::{Error, Rank, Result};
use crate::protocol::request_of;
use crate::registry::{Options, Placement};
use crate::runtime::Runtime;
use crate::runtime::resources::bundle_dispatch::group_owner;
use crate::scheduling::ResourceRequest;

/// The rank to which the options send a task, or `None` for any rank with free resources.
///
/// # Errors
/// Where no host can ever run it.
pub fn choose_rank(runtime: &Runtime, options: &Options, name: &str) -> Result<Option<Rank>, Error> {
    check_options(options, name)?;
    if let Some(slot) = options.bundle_slot() {
        return group_owner(runtime, slot);
    }
    let request = request_of(options);
    let fits = |rank: Rank| !runtime.is_dead(rank) && runtime.cluster.totals_of(rank).missing(&request).is_none();
    let refuse = |missing: String| Err(Error::Unschedulable { task: name.to_string(), missing });
    let rank = match &options.place {
        Placement::Rank(rank) if *rank >= runtime.cluster.size => {
            return Err(Error::config(format!(
                "there is no rank {rank}: the ranks are 0 to {}",
                runtime.cluster.size - 1
            )));
        }
        Placement::Rank(rank) if runtime.is_dead(*rank) => return Err(runtime.death_of(*rank)),
        Placement::Rank(rank) => Some(*rank),
        Placement::OnHost(host) => match runtime.cluster.ranks_of_host(host) {
            Some(ranks) if ranks.contains(&runtime.cluster.rank) => Some(runtime.cluster.rank),
            Some(ranks) => {
                let live: Vec<Rank> = ranks.iter().copied().filter(|rank| !runtime.is_dead(*rank)).collect();
                match live.len() {
                    0 => return Err(runtime.death_of(ranks[0])),
                    count => Some(live[runtime.resources.next_spread.fetch_add(1, Ordering::Relaxed) as usize % count]),
                }
            }
            None => {
                return Err(Error::config(format!(
                    "there is no host {}: the hosts are {}",
                    cut(host.clone(), NAME_SHOWN_BYTES),
                    runtime.cluster.host_names()
                )));
            }
        },
        Placement::NearTo(object) => Some(object.0.remote_id().map_or(runtime.cluster.rank, |id| id.owner))
            .filter(|rank| !runtime.is_dead(*rank)),
        // Scarce resources belong to hosts: hosts in turn, and not all ranks of one host before those of the next.
        Placement::Spread if request.gpu > 0 || !request.custom.is_empty() => find_fitting_rank(runtime, fits),
        Placement::Spread => {
            let first = runtime.resources.next_spread.fetch_add(1, Ordering::Relaxed) + runtime.cluster.rank;
            (0..runtime.cluster.size)
                .map(|step| (first + step) % runtime.cluster.size)
                .find(|rank| !runtime.is_dead(*rank))
        }
        _ => None,
    };
    match rank {
        Some(rank) if fits(rank) => Ok(Some(rank)),
        Some(rank) if !matches!(options.place, Placement::Spread) => refuse(format!(
            "rank {rank} is on host {}: {}",
            runtime.cluster.host_of(rank),
            runtime.cluster.totals_of(rank).missing(&request).unwrap_or_default()
        )),
        _ if fits(runtime.cluster.rank) => Ok(None),
        _ => match find_fitting_rank(runtime, fits) {
            Some(rank) => Ok(Some(rank)),
            None => refuse(runtime.cluster.totals_of(runtime.cluster.rank).missing(&request).unwrap_or_default()),
        },
    }
}

/// A living rank that may run a task with these options, none of `excluded`; of those that fit, one after the other.
pub fn choose_rank_without(runtime: &Runtime, options: Option<&Options>, excluded: [Rank; 2]) -> Option<Rank> {
    let request = options.map_or_else(ResourceRequest::one_cpu, request_of);
    let may_run = |rank: Rank| match options.map(|options| &options.place) {
        Some(Placement::Rank(only)) => rank == *only,
        Some(Placement::OnHost(host)) => runtime.cluster.host_of(rank) == host,
        // Its bundle may be on an excluded rank.
        Some(Placement::InGroup(_)) => false,
        _ => true,
    };
    let fits = |rank: Rank| {
        !excluded.contains(&rank)
            && !runtime.is_dead(rank)
            && may_run(rank)
            && runtime.cluster.totals_of(rank).missing(&request).is_none()
    };
    find_fitting_rank(runtime, fits)
}

/// A rank that fits, of the hosts in turn: what only some hosts can run is spread over those.
fn find_fitting_rank(runtime: &Runtime, fits: impl Fn(Rank) -> bool) -> Option<Rank> {
    let turn = runtime.resources.next_spread.fetch_add(1, Ordering::Relaxed) as usize;
    let hosts = &runtime.cluster.hosts;
    let host_count = hosts.len();
    let mut hosts = (0..hosts.len()).map(|step| &hosts[(turn + step) % hosts.len()]);
    let of_host = |ranks: &[Rank]| {
        // In each round over the hosts, the next rank of each.
        let first = turn / host_count;
        (0..ranks.len()).map(|step| ranks[(first + step) % ranks.len()]).find(|rank| fits(*rank))
    };
    hosts.find_map(|host| of_host(&host.ranks))
}

/// Refuses names and amounts that cannot be meant.
pub fn check_options(options: &Options, name: &str) -> Result<()> {
    let refuse = |what: String| {
        let name = cut(name.replace(char::is_control, "?"), NAME_SHOWN_BYTES);
        Err(Error::config(format!("{name} {what}")))
    };
    if let Some(reason) = options.name.as_deref().and_then(unusable_name) {
        return refuse(format!("has a name that {reason}"));
    }
    if options.resources.len() > RESOURCES_REQUESTED_MAX {
        let count = options.resources.len();
        return refuse(format!("requests {count} kinds of resources: at most {RESOURCES_REQUESTED_MAX} are possible"));
    }
    if let Some(returns) = options.num_returns.filter(|returns| *returns > RETURNS_MAX) {
        return refuse(format!("is called with num_returns {returns}: at most {RETURNS_MAX} are possible"));
    }
    for (kind, amount) in &options.resources {
        if let Some(reason) = unusable_name(kind).or_else(|| kind.is_empty().then(|| "is empty".to_string())) {
            return refuse(format!("requests a resource whose name {reason}"));
        }
        if kind == MEMORY && !is_memory(*amount) {
            return refuse(format!("requests {amount:?} bytes of memory: the amount is 0 to 8e14"));
        }
    }
    let custom =
        options.resources.iter().map(|(kind, amount)| (kind.as_str(), *amount)).filter(|(kind, _)| *kind != MEMORY);
    let mut all =
        custom.chain(options.num_cpus.map(|cpus| ("CPUs", cpus))).chain(options.num_gpus.map(|gpus| ("GPUs", gpus)));
    match all.find(|(_, amount)| !is_amount(*amount)) {
        Some((kind, amount)) => refuse(format!("requests {amount:?} {kind}: an amount is 0 to 1e9")),
        None => Ok(()),
    }
}

/// Why no task, actor or resource can have that name.
fn unusable_name(name: &str) -> Option<String> {
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("is {} bytes long: at most {NAME_BYTES_MAX} are possible", name.len()));
    }
    name.chars().find(|c| c.is_control()).map(|c| format!("has the control character {c:?}"))
}
