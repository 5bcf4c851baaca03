//! Which road leads from a rank to another, and why not a better one. Pure, and the same seen from either side.

use crate::base::Rank;
use crate::base::config::FabricChoice;
use crate::transport::verbs::VerbsCard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A kind of road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoadKind {
    /// Shared memory.
    Shm,
    /// RDMA.
    Verbs,
    /// MPI.
    Mpi,
    /// TCP.
    Tcp,
}

impl RoadKind {
    /// As it is called in settings, banners and errors.
    pub fn name(self) -> &'static str {
        match self {
            RoadKind::Shm => "shm",
            RoadKind::Verbs => "verbs",
            RoadKind::Mpi => "mpi",
            RoadKind::Tcp => "tcp",
        }
    }
}

/// What a rank has of each road, or why it has it not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// Its `MOBULA_FABRIC`.
    pub choice: FabricChoice,
    /// Its host, by place in the list of hosts.
    pub host: usize,
    /// An RDMA device that is open.
    pub verbs: Result<VerbsCard, String>,
    /// The road over MPI.
    pub mpi: Result<(), String>,
    /// A socket that listens.
    pub tcp: Result<(), String>,
}

impl Standing {
    fn has(&self, kind: RoadKind) -> Result<(), &str> {
        let found = match kind {
            RoadKind::Shm => return Ok(()),
            RoadKind::Verbs => return self.verbs.as_ref().map(drop).map_err(String::as_str),
            RoadKind::Mpi => &self.mpi,
            RoadKind::Tcp => &self.tcp,
        };
        found.as_ref().copied().map_err(String::as_str)
    }
}

/// Whether ranks of one host share memory under this setting.
pub fn shares_memory(choice: FabricChoice) -> bool {
    matches!(choice, FabricChoice::Auto | FabricChoice::Shm)
}

/// Whether an RDMA device may be of use.
pub fn wants_verbs(choice: FabricChoice, hosts: usize) -> bool {
    choice == FabricChoice::Verbs || (choice == FabricChoice::Auto && hosts > 1)
}

/// Whether a socket must listen: where ranks cannot reach each other otherwise, or go on over it when verbs fail.
pub fn wants_tcp(choice: FabricChoice, hosts: usize, has_mpi: bool) -> bool {
    match choice {
        FabricChoice::Tcp => true,
        FabricChoice::Verbs => !has_mpi,
        FabricChoice::Auto => hosts > 1 && !has_mpi,
        FabricChoice::Shm | FabricChoice::Mpi => false,
    }
}

/// The roads between two ranks, best first: the next is taken when one fails.
///
/// # Errors
/// Why there is none.
pub fn way(one: &Standing, other: &Standing) -> Result<Vec<RoadKind>, String> {
    if one.choice != other.choice {
        return Err(format!("MOBULA_FABRIC is {:?} on one and {:?} on the other", one.choice, other.choice));
    }
    let both = |kind: RoadKind| {
        let joined = kind != RoadKind::Verbs || unjoined(one, other).is_none();
        one.has(kind).is_ok() && other.has(kind).is_ok() && joined
    };
    let wanted: &[RoadKind] = match one.choice {
        FabricChoice::Auto | FabricChoice::Shm if one.host == other.host => return Ok(vec![RoadKind::Shm]),
        FabricChoice::Shm => return Err("MOBULA_FABRIC=shm, and they are on different hosts".to_string()),
        FabricChoice::Auto => &[RoadKind::Verbs, RoadKind::Mpi, RoadKind::Tcp],
        FabricChoice::Verbs => &[RoadKind::Verbs],
        FabricChoice::Mpi => &[RoadKind::Mpi],
        FabricChoice::Tcp => &[RoadKind::Tcp],
    };
    let Some(best) = wanted.iter().copied().find(|kind| both(*kind)) else {
        return Err(wanted.iter().map(|kind| lacks(*kind, one, other)).collect::<Vec<_>>().join("; "));
    };
    // RDMA connections are agreed upon over another road, which also goes on when they fail.
    let second = [RoadKind::Mpi, RoadKind::Tcp].into_iter().find(|kind| both(*kind));
    match (best, second) {
        (RoadKind::Verbs, Some(second)) => Ok(vec![best, second]),
        (RoadKind::Verbs, None) => Err("verbs need mpi or tcp beside them to be agreed upon".to_string()),
        _ => Ok(vec![best]),
    }
}

/// Why the devices of two ranks cannot be joined, where both have one.
fn unjoined(one: &Standing, other: &Standing) -> Option<String> {
    let (one, other) = (one.verbs.as_ref().ok()?, other.verbs.as_ref().ok()?);
    one.reaches(other).and_then(|()| other.reaches(one)).err()
}

fn lacks(kind: RoadKind, one: &Standing, other: &Standing) -> String {
    let missing = [one, other].into_iter().find_map(|standing| standing.has(kind).err()).map(str::to_string);
    let reason = missing.or_else(|| unjoined(one, other)).unwrap_or_else(|| "it is there".to_string());
    format!("no {}: {reason}", kind.name())
}

/// Why the first of a way is taken and not a better one.
fn why(way: &[RoadKind], one: &Standing, other: &Standing) -> String {
    let Some(&best) = way.first() else { return String::new() };
    if best == RoadKind::Shm {
        return "same host".to_string();
    }
    if one.choice != FabricChoice::Auto {
        return format!("MOBULA_FABRIC={}", best.name());
    }
    let better = [RoadKind::Verbs, RoadKind::Mpi].into_iter().take_while(|kind| *kind != best);
    let reasons: Vec<String> = better.map(|kind| lacks(kind, one, other)).collect();
    let next = way.get(1).map_or_else(String::new, |next| format!("; {} if it fails", next.name()));
    if reasons.is_empty() { format!("other host{next}") } else { format!("other host; {}{next}", reasons.join("; ")) }
}

/// Ranks up to which the table has a row for each.
const TABLE_RANKS_MAX: usize = 32;

/// The roads between all ranks, as lines: a table of letters, rank by rank or, for many ranks, host by host; then what
/// each letter stands for, and why.
pub fn table(hosts: &[(String, Vec<Rank>)], standings: &[Standing]) -> Vec<String> {
    let mut reasons: BTreeMap<(char, String), usize> = BTreeMap::new();
    let mut letter = |one: Rank, other: Rank| {
        if one == other {
            return '.';
        }
        let (one, other) = (&standings[one as usize], &standings[other as usize]);
        let (letter, reason) = match way(one, other) {
            Ok(way) => (way[0].name().as_bytes()[0] as char, format!("{}: {}", way[0].name(), why(&way, one, other))),
            Err(reason) => ('!', format!("none: {reason}")),
        };
        *reasons.entry((letter, reason)).or_default() += 1;
        letter
    };
    let mut lines = Vec::new();
    if standings.len() <= TABLE_RANKS_MAX {
        let width = hosts.iter().map(|(name, _)| name.len()).chain(["host".len()]).max().unwrap_or(0);
        let places: Vec<(Rank, &str)> =
            hosts.iter().flat_map(|(name, ranks)| ranks.iter().map(|rank| (*rank, name.as_str()))).collect();
        let heading: String = places.iter().map(|(rank, _)| format!("{rank:>3}")).collect();
        lines.push(format!("rank {:width$}  {heading}", "host"));
        for (rank, host) in &places {
            let row: String = places.iter().map(|(other, _)| format!("{:>3}", letter(*rank, *other))).collect();
            lines.push(format!("{rank:>4} {host:width$}  {row}"));
        }
    } else {
        // Two ranks stand for each pair of hosts: what differs within a host is said by the reasons of those that do.
        for (name, ranks) in hosts {
            let row: String = hosts
                .iter()
                .map(|(_, others)| {
                    letter(
                        ranks[0],
                        if others[0] == ranks[0] { *others.last().unwrap_or(&ranks[0]) } else { others[0] },
                    )
                })
                .collect();
            lines.push(format!("{row}  {name} (ranks {} to {})", ranks[0], ranks[ranks.len() - 1]));
        }
    }
    lines.extend(reasons.keys().map(|(letter, reason)| format!("{letter} = {reason}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::verbs::LinkLayer;

    fn standing(host: usize, choice: FabricChoice, has: &[RoadKind]) -> Standing {
        let of = |kind, reason: &str| if has.contains(&kind) { Ok(()) } else { Err(reason.to_string()) };
        Standing {
            choice,
            host,
            verbs: of(RoadKind::Verbs, "no RDMA device").map(|()| device(LinkLayer::Ethernet)),
            mpi: of(RoadKind::Mpi, "not started by MPI"),
            tcp: of(RoadKind::Tcp, "no socket"),
        }
    }

    fn device(link_layer: LinkLayer) -> VerbsCard {
        VerbsCard { device: "mlx5_0".to_string(), port: 1, link_layer, lid: 1, gid: [1; 16], mtu: 5, reads_served: 16 }
    }

    #[test]
    fn devices_that_are_plugged_into_different_networks_are_not_joined() {
        let mut one = standing(0, Auto, &[RoadKind::Verbs, RoadKind::Tcp]);
        let other = standing(1, Auto, &[RoadKind::Verbs, RoadKind::Tcp]);
        assert_eq!(way(&one, &other), Ok(vec![RoadKind::Verbs, RoadKind::Tcp]));
        one.verbs = Ok(device(LinkLayer::InfiniBand));
        let way = way(&one, &other).unwrap();
        assert_eq!(way, [RoadKind::Tcp]);
        assert!(why(&way, &one, &other).contains("no verbs: mlx5_0 is on InfiniBand"), "{}", why(&way, &one, &other));
    }

    use FabricChoice::{Auto, Mpi, Shm, Tcp, Verbs};

    #[test]
    fn the_best_road_that_both_have_is_taken() {
        use RoadKind as Kind;
        let all = [Kind::Verbs, Kind::Mpi, Kind::Tcp];
        let between = |choice, one: &[Kind], other: &[Kind], hosts: (usize, usize)| {
            let (one, other) = (standing(hosts.0, choice, one), standing(hosts.1, choice, other));
            let (there, back) = (way(&one, &other), way(&other, &one));
            assert_eq!(there.as_ref().ok(), back.as_ref().ok(), "seen from both sides");
            there
        };
        assert_eq!(between(Auto, &all, &all, (0, 0)), Ok(vec![Kind::Shm]));
        assert_eq!(between(Auto, &all, &all, (0, 1)), Ok(vec![Kind::Verbs, Kind::Mpi]));
        assert_eq!(between(Auto, &[Kind::Verbs, Kind::Tcp], &all, (0, 1)), Ok(vec![Kind::Verbs, Kind::Tcp]));
        assert_eq!(between(Auto, &[Kind::Tcp], &all, (0, 1)), Ok(vec![Kind::Tcp]));
        assert_eq!(between(Tcp, &all, &all, (0, 0)), Ok(vec![Kind::Tcp]));
        assert_eq!(between(Mpi, &all, &all, (0, 0)), Ok(vec![Kind::Mpi]));
        assert_eq!(between(Verbs, &all, &all, (0, 0)), Ok(vec![Kind::Verbs, Kind::Mpi]));
        assert!(between(Shm, &all, &all, (0, 1)).unwrap_err().contains("different hosts"));
        let none = between(Auto, &[], &all, (0, 1)).unwrap_err();
        for reason in ["no verbs: no RDMA device", "no mpi: not started by MPI", "no tcp: no socket"] {
            assert!(none.contains(reason), "{none}");
        }
        assert!(between(Verbs, &[Kind::Tcp], &all, (0, 0)).unwrap_err().contains("no RDMA device"));
    }

    #[test]
    fn settings_that_differ_are_named() {
        let error = way(&standing(0, Tcp, &[]), &standing(0, Auto, &[])).unwrap_err();
        assert!(error.contains("Tcp") && error.contains("Auto"), "{error}");
    }

    #[test]
    fn sockets_are_opened_only_where_they_are_needed() {
        assert!(!wants_tcp(Auto, 1, false) && !wants_tcp(Auto, 5, true) && wants_tcp(Auto, 5, false));
        assert!(wants_tcp(Tcp, 1, true) && wants_tcp(Verbs, 1, false) && !wants_tcp(Verbs, 1, true));
    }

    #[test]
    fn the_table_has_a_letter_a_pair_and_a_reason_a_letter() {
        let hosts = [("n1".to_string(), vec![0, 2]), ("n2".to_string(), vec![1])];
        let standings: Vec<Standing> = [0, 1, 0].map(|host| standing(host, Auto, &[RoadKind::Tcp])).into();
        let lines = table(&hosts, &standings);
        assert_eq!(lines[0], "rank host    0  2  1");
        assert_eq!(lines[1], "   0 n1      .  s  t");
        assert_eq!(lines[3], "   1 n2      t  t  .");
        assert_eq!(lines[4], "s = shm: same host");
        assert_eq!(lines[5], "t = tcp: other host; no verbs: no RDMA device; no mpi: not started by MPI");
    }

    #[test]
    fn many_ranks_are_shown_host_by_host() {
        let hosts: Vec<(String, Vec<Rank>)> =
            (0..10).map(|host| (format!("n{host}"), (host * 4..host * 4 + 4).collect())).collect();
        let standings: Vec<Standing> = (0..40).map(|rank| standing(rank / 4, Auto, &[RoadKind::Mpi])).collect();
        let lines = table(&hosts, &standings);
        assert_eq!(lines[0], "smmmmmmmmm  n0 (ranks 0 to 3)");
        assert_eq!(lines.len(), 12);
    }
}
