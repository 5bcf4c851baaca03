//! Why a way of meeting is not there, or not yet.

use std::io;

/// Why there is no transport over MPI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
// Without the feature `mpi` some of them do not occur.
#[allow(dead_code)]
pub enum NoMpiTransport {
    /// No MPI library was used to start.
    #[error("not started by MPI")]
    NotStarted,
    /// The ranks share memory.
    #[error("all ranks are on one host")]
    OneHost,
    /// The library does not let every thread call it.
    #[error("MPI thread level {level}")]
    ThreadLevel { level: &'static str },
    /// A rank's setting selects another transport.
    #[error("MOBULA_FABRIC excludes it on some rank")]
    Excluded,
}

/// Why the addresses of rank 0 are not known, so far.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// The name of its host cannot be resolved.
    #[error("host {host} is not known: {source}")]
    UnknownHost { host: String, source: io::Error },
    /// The name of its host resolves to nothing.
    #[error("host {host} has no address")]
    NoAddress { host: String },
    /// The file through which the ranks meet does not exist.
    #[error("rank 0 has not written it yet")]
    NotWritten,
    /// No process offers it on this host.
    #[error("rank 0 does not offer it (yet)")]
    NotOffered,
    /// The file cannot be read.
    #[error("{0}")]
    File(#[source] io::Error),
    /// The file is another one.
    #[error("what it holds was not written by rank 0")]
    Malformed,
}
