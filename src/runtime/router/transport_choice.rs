//! Which transport connects two ranks, and why not a better one. Pure; both ranks come to the same result.

use crate::base::Rank;
use crate::base::config::FabricChoice;
use crate::base::error::ErrorSource;
use crate::runtime::router::transport_table::{TABLE_RANKS_MAX, TransportReason, TransportRow, Transports};
use crate::transport::verbs::VerbsAddress;
use serde::{Deserialize, Serialize};

/// A kind of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransportKind {
    /// Shared memory.
    Shm,
    /// RDMA.
    Verbs,
    /// MPI.
    Mpi,
    /// TCP.
    Tcp,
}

impl TransportKind {
    /// Its name in settings, banners and errors.
    pub fn name(self) -> &'static str {
        match self {
            TransportKind::Shm => "shm",
            TransportKind::Verbs => "verbs",
            TransportKind::Mpi => "mpi",
            TransportKind::Tcp => "tcp",
        }
    }
}

/// Why a rank does not offer a transport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotOffered {
    /// The ranks use others.
    #[error("not needed")]
    NotNeeded,
    /// The system does not have it, or the rank cannot use it.
    #[error(transparent)]
    Unusable(ErrorSource),
}

impl NotOffered {
    /// Because of that error.
    pub fn because(error: &(dyn std::error::Error + 'static)) -> NotOffered {
        NotOffered::Unusable(ErrorSource::new(error))
    }
}

/// Which transports a rank has, and why it lacks the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Capabilities {
    /// Its `MOBULA_FABRIC`.
    pub choice: FabricChoice,
    /// Its host, as an index into the list of hosts.
    pub host: usize,
    /// An RDMA device that is open.
    pub verbs: Result<VerbsAddress, NotOffered>,
    /// MPI.
    pub mpi: Result<(), NotOffered>,
    /// A socket that listens.
    pub tcp: Result<(), NotOffered>,
}

impl Capabilities {
    fn has(&self, kind: TransportKind) -> Result<(), &NotOffered> {
        match kind {
            TransportKind::Shm => Ok(()),
            TransportKind::Verbs => self.verbs.as_ref().map(drop),
            TransportKind::Mpi => self.mpi.as_ref().copied(),
            TransportKind::Tcp => self.tcp.as_ref().copied(),
        }
    }
}

/// Why no transport connects two ranks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// Their settings differ.
    #[error("MOBULA_FABRIC is {one:?} on one and {other:?} on the other")]
    DifferentChoices {
        /// The setting of one.
        one: FabricChoice,
        /// The setting of the other.
        other: FabricChoice,
    },
    /// They do not share memory.
    #[error("MOBULA_FABRIC=shm, and they are on different hosts")]
    OtherHost,
    /// Each transport that the setting allows is missing, and why.
    #[error("{}", .0.join("; "))]
    NoneInCommon(Vec<String>),
    /// RDMA connections are set up over another transport.
    #[error("verbs need mpi or tcp to set up their connections")]
    VerbsAlone,
}

/// Returns true if ranks of one host share memory under this setting.
pub fn shares_memory(choice: FabricChoice) -> bool {
    matches!(choice, FabricChoice::Auto | FabricChoice::Shm)
}

/// Returns true if an RDMA device may be used.
pub fn needs_verbs(choice: FabricChoice, hosts: usize) -> bool {
    choice == FabricChoice::Verbs || (choice == FabricChoice::Auto && hosts > 1)
}

/// Returns true if a socket must listen: ranks cannot reach each other otherwise, or fail over to it when verbs fail.
pub fn needs_tcp(choice: FabricChoice, hosts: usize, has_mpi: bool) -> bool {
    match choice {
        FabricChoice::Tcp => true,
        FabricChoice::Verbs => !has_mpi,
        FabricChoice::Auto => hosts > 1 && !has_mpi,
        FabricChoice::Shm | FabricChoice::Mpi => false,
    }
}

/// The transports between two ranks, best first: the next is used when one fails.
///
/// # Errors
/// Why there is none.
pub fn transports_between(one: &Capabilities, other: &Capabilities) -> Result<Vec<TransportKind>, NoRoute> {
    if one.choice != other.choice {
        return Err(NoRoute::DifferentChoices { one: one.choice, other: other.choice });
    }
    let both = |kind: TransportKind| {
        let joined = kind != TransportKind::Verbs || why_unreachable(one, other).is_none();
        one.has(kind).is_ok() && other.has(kind).is_ok() && joined
    };
    let candidates: &[TransportKind] = match one.choice {
        FabricChoice::Auto | FabricChoice::Shm if one.host == other.host => return Ok(vec![TransportKind::Shm]),
        FabricChoice::Shm => return Err(NoRoute::OtherHost),
        FabricChoice::Auto => &[TransportKind::Verbs, TransportKind::Mpi, TransportKind::Tcp],
        FabricChoice::Verbs => &[TransportKind::Verbs],
        FabricChoice::Mpi => &[TransportKind::Mpi],
        FabricChoice::Tcp => &[TransportKind::Tcp],
    };
    let Some(best) = candidates.iter().copied().find(|kind| both(*kind)) else {
        return Err(NoRoute::NoneInCommon(candidates.iter().map(|kind| why_not(*kind, one, other)).collect()));
    };
    // RDMA connections are set up over another transport, which is also the one to fail over to.
    let second = [TransportKind::Mpi, TransportKind::Tcp].into_iter().find(|kind| both(*kind));
    match (best, second) {
        (TransportKind::Verbs, Some(second)) => Ok(vec![best, second]),
        (TransportKind::Verbs, None) => Err(NoRoute::VerbsAlone),
        _ => Ok(vec![best]),
    }
}

/// Why the devices of two ranks cannot reach each other, if both have one.
fn why_unreachable(one: &Capabilities, other: &Capabilities) -> Option<String> {
    let (one, other) = (one.verbs.as_ref().ok()?, other.verbs.as_ref().ok()?);
    one.check_reachable(other).and_then(|()| other.check_reachable(one)).err().map(|error| error.to_string())
}

fn why_not(kind: TransportKind, one: &Capabilities, other: &Capabilities) -> String {
    let missing =
        [one, other].into_iter().find_map(|capabilities| capabilities.has(kind).err()).map(NotOffered::to_string);
    let reason = missing.or_else(|| why_unreachable(one, other)).unwrap_or_else(|| "it is there".to_string());
    format!("no {}: {reason}", kind.name())
}

/// Why the first of these transports is used and not a better one.
fn why_chosen(transports: &[TransportKind], one: &Capabilities, other: &Capabilities) -> String {
    let Some(&best) = transports.first() else { return String::new() };
    if best == TransportKind::Shm {
        return "same host".to_string();
    }
    if one.choice != FabricChoice::Auto {
        return format!("MOBULA_FABRIC={}", best.name());
    }
    let better = [TransportKind::Verbs, TransportKind::Mpi].into_iter().take_while(|kind| *kind != best);
    let reasons: Vec<String> = better.map(|kind| why_not(kind, one, other)).collect();
    let next = transports.get(1).map_or_else(String::new, |next| format!("; {} if it fails", next.name()));
    if reasons.is_empty() { format!("other host{next}") } else { format!("other host; {}{next}", reasons.join("; ")) }
}

/// The transports between all ranks: rank by rank or, for many ranks, host by host.
pub fn table(hosts: &[(String, Vec<Rank>)], capabilities: &[Capabilities]) -> Transports {
    let mut reasons: Vec<TransportReason> = Vec::new();
    let mut between = |one: Rank, other: Rank| {
        if one == other {
            return "self";
        }
        let (one, other) = (&capabilities[one as usize], &capabilities[other as usize]);
        let (transport, reason) = match transports_between(one, other) {
            Ok(transports) => (transports[0].name(), why_chosen(&transports, one, other)),
            Err(reason) => ("none", reason.to_string()),
        };
        let reason = TransportReason { transport, reason };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
        transport
    };
    let mut rows = Vec::new();
    if capabilities.len() <= TABLE_RANKS_MAX {
        let peers: Vec<Rank> = hosts.iter().flat_map(|(_, ranks)| ranks.iter().copied()).collect();
        for (host, rank) in hosts.iter().flat_map(|(host, ranks)| ranks.iter().map(move |rank| (host, *rank))) {
            let transports = peers.iter().map(|peer| between(rank, *peer)).collect();
            rows.push(TransportRow { host: host.clone(), ranks: vec![rank], transports });
        }
    } else {
        // Two ranks represent each pair of hosts; differences within a host are not shown.
        for (host, ranks) in hosts {
            let transports = hosts.iter().map(|(_, others)| {
                between(ranks[0], if others[0] == ranks[0] { *others.last().unwrap_or(&ranks[0]) } else { others[0] })
            });
            rows.push(TransportRow { host: host.clone(), ranks: ranks.clone(), transports: transports.collect() });
        }
    }
    reasons.sort_by(|one, other| one.key().cmp(&other.key()));
    Transports { rows, reasons }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Error;
    use crate::transport::verbs::LinkLayer;

    fn capabilities(host: usize, choice: FabricChoice, has: &[TransportKind]) -> Capabilities {
        let of = |kind, reason: &str| {
            let error = || NotOffered::because(&Error::config(reason));
            if has.contains(&kind) { Ok(()) } else { Err(error()) }
        };
        Capabilities {
            choice,
            host,
            verbs: of(TransportKind::Verbs, "no RDMA device").map(|()| device(LinkLayer::Ethernet)),
            mpi: of(TransportKind::Mpi, "not started by MPI"),
            tcp: of(TransportKind::Tcp, "no socket"),
        }
    }

    fn device(link_layer: LinkLayer) -> VerbsAddress {
        VerbsAddress {
            device: "mlx5_0".to_string(),
            port: 1,
            link_layer,
            lid: 1,
            gid: [1; 16],
            mtu: 5,
            reads_served: 16,
        }
    }

    #[test]
    fn devices_on_different_networks_fall_back_to_tcp() {
        let mut one = capabilities(0, Auto, &[TransportKind::Verbs, TransportKind::Tcp]);
        let other = capabilities(1, Auto, &[TransportKind::Verbs, TransportKind::Tcp]);
        assert_eq!(transports_between(&one, &other), Ok(vec![TransportKind::Verbs, TransportKind::Tcp]));
        one.verbs = Ok(device(LinkLayer::InfiniBand));
        let transports = transports_between(&one, &other).unwrap();
        assert_eq!(transports, [TransportKind::Tcp]);
        assert!(
            why_chosen(&transports, &one, &other).contains("no verbs: mlx5_0 is on InfiniBand"),
            "{}",
            why_chosen(&transports, &one, &other)
        );
    }

    use FabricChoice::{Auto, Mpi, Shm, Tcp, Verbs};

    #[test]
    fn best_transport_of_both_ranks_is_chosen() {
        use TransportKind as Kind;
        let all = [Kind::Verbs, Kind::Mpi, Kind::Tcp];
        let between = |choice, one: &[Kind], other: &[Kind], hosts: (usize, usize)| {
            let (one, other) = (capabilities(hosts.0, choice, one), capabilities(hosts.1, choice, other));
            let (there, back) = (transports_between(&one, &other), transports_between(&other, &one));
            assert_eq!(there.as_ref().ok(), back.as_ref().ok(), "the same from both sides");
            there
        };
        assert_eq!(between(Auto, &all, &all, (0, 0)), Ok(vec![Kind::Shm]));
        assert_eq!(between(Auto, &all, &all, (0, 1)), Ok(vec![Kind::Verbs, Kind::Mpi]));
        assert_eq!(between(Auto, &[Kind::Verbs, Kind::Tcp], &all, (0, 1)), Ok(vec![Kind::Verbs, Kind::Tcp]));
        assert_eq!(between(Auto, &[Kind::Tcp], &all, (0, 1)), Ok(vec![Kind::Tcp]));
        assert_eq!(between(Tcp, &all, &all, (0, 0)), Ok(vec![Kind::Tcp]));
        assert_eq!(between(Mpi, &all, &all, (0, 0)), Ok(vec![Kind::Mpi]));
        assert_eq!(between(Verbs, &all, &all, (0, 0)), Ok(vec![Kind::Verbs, Kind::Mpi]));
        assert!(between(Shm, &all, &all, (0, 1)).unwrap_err().to_string().contains("different hosts"));
        let none = between(Auto, &[], &all, (0, 1)).unwrap_err().to_string();
        for reason in ["no verbs: no RDMA device", "no mpi: not started by MPI", "no tcp: no socket"] {
            assert!(none.contains(reason), "{none}");
        }
        assert!(between(Verbs, &[Kind::Tcp], &all, (0, 0)).unwrap_err().to_string().contains("no RDMA device"));
    }

    #[test]
    fn differing_settings_are_named_in_the_error() {
        let (one, other) = (capabilities(0, Tcp, &[]), capabilities(0, Auto, &[]));
        let error = transports_between(&one, &other).unwrap_err().to_string();
        assert!(error.contains("Tcp") && error.contains("Auto"), "{error}");
    }

    #[test]
    fn tcp_is_needed_only_without_a_better_transport() {
        assert!(!needs_tcp(Auto, 1, false) && !needs_tcp(Auto, 5, true) && needs_tcp(Auto, 5, false));
        assert!(needs_tcp(Tcp, 1, true) && needs_tcp(Verbs, 1, false) && !needs_tcp(Verbs, 1, true));
    }

    #[test]
    fn table_has_a_letter_per_pair_and_a_reason_per_letter() {
        let hosts = [("n1".to_string(), vec![0, 2]), ("n2".to_string(), vec![1])];
        let capabilities: Vec<Capabilities> =
            [0, 1, 0].map(|host| capabilities(host, Auto, &[TransportKind::Tcp])).into();
        let table = table(&hosts, &capabilities).to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "rank host    0  2  1");
        assert_eq!(lines[1], "   0 n1      .  s  t");
        assert_eq!(lines[3], "   1 n2      t  t  .");
        assert_eq!(lines[4], "s = shm: same host");
        assert_eq!(lines[5], "t = tcp: other host; no verbs: no RDMA device; no mpi: not started by MPI");
    }

    #[test]
    fn many_ranks_are_listed_by_host() {
        let hosts: Vec<(String, Vec<Rank>)> =
            (0..10).map(|host| (format!("n{host}"), (host * 4..host * 4 + 4).collect())).collect();
        let capabilities: Vec<Capabilities> =
            (0..40).map(|rank| capabilities(rank / 4, Auto, &[TransportKind::Mpi])).collect();
        let table = table(&hosts, &capabilities).to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "smmmmmmmmm  n0 (ranks 0 to 3)");
        assert_eq!(lines.len(), 12);
    }
}
