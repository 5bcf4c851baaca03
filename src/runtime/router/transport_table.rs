//! The transports between all ranks, as data and as a table to print.

use crate::base::Rank;
use std::fmt;

/// Ranks up to which the table has a row for each; above, it has one for each host.
pub const TABLE_RANKS_MAX: usize = 32;

/// The transports that the ranks use to reach each other: what [`transports`](crate::transports) returns. `Display`
/// prints it as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transports {
    /// One row for each rank, host by host; in a cluster of more than 32 ranks, one row for each host. Empty outside of
    /// a running cluster.
    pub rows: Vec<TransportRow>,
    /// The transports that occur in the rows, each with the reason why it is used, sorted by their letter in the table.
    pub reasons: Vec<TransportReason>,
}

/// The transports of one rank, or of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportRow {
    /// The host's name.
    pub host: String,
    /// The rank, or the ranks of the host.
    pub ranks: Vec<Rank>,
    /// By peer, in the order of the rows: `"shm"`, `"verbs"`, `"mpi"` or `"tcp"`; `"self"` for the rank itself;
    /// `"none"` if the two cannot reach each other. In a row of a host, one pair of ranks stands for the two hosts.
    pub transports: Vec<&'static str>,
}

/// Why a transport is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportReason {
    /// `"shm"`, `"verbs"`, `"mpi"`, `"tcp"` or `"none"`, as in the rows.
    pub transport: &'static str,
    /// Why this one, and not a better one.
    pub reason: String,
}

/// A transport's letter in the table.
fn letter(transport: &str) -> char {
    match transport {
        "self" => '.',
        "none" => '!',
        name => name.chars().next().unwrap_or('?'),
    }
}

impl TransportReason {
    /// The order of the reasons: by letter, then by text.
    pub fn key(&self) -> (char, &'static str, &str) {
        (letter(self.transport), self.transport, &self.reason)
    }
}

impl fmt::Display for Transports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        let ranks: usize = self.rows.iter().map(|row| row.ranks.len()).sum();
        if ranks <= TABLE_RANKS_MAX && !self.rows.is_empty() {
            let width = self.rows.iter().map(|row| row.host.len()).chain(["host".len()]).max().unwrap_or(0);
            let heading: String = self.rows.iter().map(|row| format!("{:>3}", row.ranks[0])).collect();
            lines.push(format!("rank {:width$}  {heading}", "host"));
            for TransportRow { host, ranks, transports } in &self.rows {
                let row: String = transports.iter().map(|transport| format!("{:>3}", letter(transport))).collect();
                lines.push(format!("{:>4} {host:width$}  {row}", ranks[0]));
            }
        } else {
            for TransportRow { host, ranks, transports } in &self.rows {
                let row: String = transports.iter().map(|transport| letter(transport)).collect();
                lines.push(format!("{row}  {host} (ranks {} to {})", ranks[0], ranks[ranks.len() - 1]));
            }
        }
        let reasons = self.reasons.iter();
        lines.extend(
            reasons
                .map(|TransportReason { transport, reason }| format!("{} = {transport}: {reason}", letter(transport))),
        );
        formatter.write_str(&lines.join("\n"))
    }
}
