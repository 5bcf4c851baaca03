//! What can go wrong, as the user sees it.

use crate::base::forked::{FORKED, is_forked};
use crate::base::ids::Rank;
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::time::Duration;

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: what happened, where, and what to do about it.
///
/// A task's error is passed on, unchanged, to every task that depends on it and to every `get` of its results.
///
/// ```
/// use mobula::prelude::*;
///
/// #[mobula::remote]
/// fn half(x: u64) -> Result<u64, String> {
///     if x % 2 == 0 { Ok(x / 2) } else { Err(format!("{x} is odd")) }
/// }
///
/// # let cluster = mobula::init(Config::default())?;
/// let failed = half::remote(3);
/// let dependent = half::remote(&failed); // never runs
/// match dependent.get().unwrap_err() {
///     Error::Task { task, rank, message, .. } => assert_eq!((&*task, rank, &*message), ("half", 0, "3 is odd")),
///     Error::NodeDied { rank, .. } => println!("rank {rank} died"),
///     other => println!("{other}"), // the enum is non-exhaustive
/// }
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A task panicked or returned `Err`.
    #[error("task {task} failed (rank={rank} host={host} pid={pid}): {message}")]
    Task {
        /// The function's name.
        task: String,
        /// The rank that ran it.
        rank: Rank,
        /// The host of that rank.
        host: String,
        /// The process of that rank.
        pid: u32,
        /// The panic's message and location, or the `Err` as text.
        message: String,
    },
    /// Not ready in the time given.
    #[error("{what} was not ready within {waited:?}")]
    Timeout {
        /// The time given.
        waited: Duration,
        /// What was waited for.
        what: String,
    },
    /// The task was cancelled before it ended.
    #[error("task {task} was cancelled")]
    Cancelled {
        /// The function's name.
        task: String,
    },
    /// The actor has died, or was never created, or no actor has the name.
    #[error("actor {actor} is not alive: {reason}")]
    ActorDied {
        /// The actor's type, and its name where it has one.
        actor: String,
        /// Why there is no such actor: how it died, or what is wrong with the name.
        reason: String,
    },
    /// A rank has died.
    #[error("rank {rank} on host {host} died: {reason}")]
    NodeDied {
        /// The rank that died.
        rank: Rank,
        /// Its host.
        host: String,
        /// How its death was detected.
        reason: String,
    },
    /// The object's value is not available any more, or could not be moved or decoded.
    #[error("object {object} is lost: {reason}")]
    ObjectLost {
        /// The object.
        object: String,
        /// What happened to it.
        reason: String,
    },
    /// The store has too little free space.
    #[error(
        "the store of rank {rank} is full: {wanted_bytes} bytes requested, {used_bytes} of {store_bytes} in use; drop \
         references, or raise MOBULA_STORE_BYTES{}",
        listed(holders)
    )]
    StoreFull {
        /// Bytes requested.
        wanted_bytes: u64,
        /// Bytes in use.
        used_bytes: u64,
        /// Size of the store of this rank, bytes.
        store_bytes: u64,
        /// The rank whose store it is.
        rank: Rank,
        /// What uses it, the largest first, one line each.
        holders: Vec<String>,
    },
    /// A task, or an actor, uses as much of the store as its option `memory` allows.
    #[error(
        "{task} has reached its limit of {limit_bytes} bytes in the store: {wanted_bytes} bytes requested, \
         {used_bytes} in use; drop arrays, or raise its option `memory`"
    )]
    MemoryLimit {
        /// The function's or actor's name.
        task: String,
        /// Its limit, bytes.
        limit_bytes: u64,
        /// What it uses, bytes.
        used_bytes: u64,
        /// Bytes requested.
        wanted_bytes: u64,
    },
    /// No host can ever meet the request.
    #[error("no host can ever run {task}: {missing}")]
    Unschedulable {
        /// The task or actor.
        task: String,
        /// What is missing, and what the largest host has.
        missing: String,
    },
    /// A setting is wrong, or a call was made where it cannot be.
    #[error("{message}")]
    Config {
        /// What is wrong and what would be right.
        message: String,
        /// The error that led to it, where there is one. `message` includes its text.
        source: Option<ErrorSource>,
    },
    /// The ranks could not be connected, or a transport between them failed.
    #[error("{message}")]
    Fabric {
        /// What happened, between which ranks.
        message: String,
        /// The error that led to it, where there is one. `message` includes its text.
        source: Option<ErrorSource>,
    },
    /// A function of C was called with another number of arguments, or an argument of another type, than it takes.
    #[error("{function}: {mismatch}")]
    Type {
        /// The function's name.
        function: String,
        /// Which argument or result, what was wanted and what it got.
        mismatch: String,
    },
}

impl Error {
    /// A wrong setting, or a call made where it cannot be.
    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::Config { message: message.into(), source: None }
    }

    /// A wrong setting, or an unusable system, that an inner error reports.
    pub(crate) fn config_from(error: &(dyn StdError + 'static)) -> Error {
        Error::Config { message: error.to_string(), source: error.source().map(ErrorSource::new) }
    }

    /// The memory that it takes, bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let source_bytes = |source: &Option<ErrorSource>| {
            let chain = std::iter::successors(source.as_ref(), |source| source.next.as_deref());
            chain.map(|source| size_of::<ErrorSource>() + source.text.len()).sum::<usize>()
        };
        let own = match self {
            Error::Task { task, host, message, .. } => task.len() + host.len() + message.len(),
            Error::Timeout { what: text, .. } | Error::Cancelled { task: text } => text.len(),
            Error::ActorDied { actor: name, reason }
            | Error::NodeDied { host: name, reason, .. }
            | Error::ObjectLost { object: name, reason }
            | Error::Unschedulable { task: name, missing: reason } => name.len() + reason.len(),
            Error::StoreFull { holders, .. } => {
                holders.iter().map(|holder| size_of::<String>() + holder.len()).sum::<usize>()
            }
            Error::MemoryLimit { task, .. } => task.len(),
            Error::Type { function, mismatch } => function.len() + mismatch.len(),
            Error::Config { message, source } | Error::Fabric { message, source } => {
                message.len() + source_bytes(source)
            }
        };
        size_of::<Error>() + own
    }

    /// A failure between ranks.
    pub(crate) fn fabric(message: impl Into<String>) -> Error {
        Error::Fabric { message: message.into(), source: None }
    }

    /// A failure between ranks that an inner error reports.
    pub(crate) fn fabric_from(error: &(dyn StdError + 'static)) -> Error {
        Error::Fabric { message: error.to_string(), source: error.source().map(ErrorSource::new) }
    }

    /// The same error, of the kind `Config` or `Fabric`, with the error that led to it.
    pub(crate) fn caused_by(mut self, cause: &(dyn StdError + 'static)) -> Error {
        if let Error::Config { source, .. } | Error::Fabric { source, .. } = &mut self {
            *source = Some(ErrorSource::new(cause));
        }
        self
    }

    /// The call needs a running cluster.
    pub(crate) fn no_cluster(call: &str) -> Error {
        if is_forked() {
            return Error::config(format!("{call}: {FORKED}"));
        }
        Error::config(format!(
            "{call} was called outside a running cluster: put #[mobula::main] on main, or call mobula::init first"
        ))
    }
}

fn listed(holders: &[String]) -> String {
    if holders.is_empty() { String::new() } else { format!(". It holds: {}", holders.join("; ")) }
}

/// The error that led to another one, as text, so that it can be sent to other ranks, cloned and compared; its own
/// [`source`](StdError::source) is the error that led to it.
///
/// ```
/// use mobula::prelude::*;
/// use std::error::Error as _;
///
/// fn print(error: &Error) {
///     println!("{error}");
///     let mut source = error.source();
///     while let Some(cause) = source {
///         println!("  because of: {cause}");
///         source = cause.source();
///     }
/// }
/// print(&mobula::put(7).unwrap_err()); // no cluster runs
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
#[error("{text}")]
pub struct ErrorSource {
    text: String,
    #[source]
    next: Option<Box<ErrorSource>>,
}

/// Errors of a chain that are kept, the outermost ones. Bytes of a peer could hold a chain of any length.
const SOURCES_MAX: usize = 8;

impl ErrorSource {
    /// The texts of `error` and of the errors that led to it.
    pub fn new(error: &(dyn StdError + 'static)) -> ErrorSource {
        ErrorSource::chain(
            std::iter::successors(Some(error), |error: &&(dyn StdError + 'static)| (*error).source())
                .map(ToString::to_string),
        )
    }

    fn chain(texts: impl Iterator<Item = String>) -> ErrorSource {
        let texts: Vec<String> = texts.take(SOURCES_MAX).collect();
        let link = |next: Option<Box<ErrorSource>>, text| Some(Box::new(ErrorSource { text, next }));
        let first = texts.into_iter().rev().fold(None, link);
        first.map_or_else(|| ErrorSource { text: String::new(), next: None }, |first| *first)
    }
}

/// The text of an error, and of those that led to it, unless it ends with them already.
pub(crate) fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    for _ in 0..SOURCES_MAX {
        let Some(error) = cause else { break };
        let reason = error.to_string();
        if !text.ends_with(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}

impl From<Vec<String>> for ErrorSource {
    fn from(texts: Vec<String>) -> ErrorSource {
        ErrorSource::chain(texts.into_iter())
    }
}

impl From<ErrorSource> for Vec<String> {
    fn from(first: ErrorSource) -> Vec<String> {
        std::iter::successors(Some(&first), |source| source.next.as_deref()).map(|source| source.text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("no thread: {0}")]
    struct NoThread(#[source] io::Error);

    #[test]
    fn error_sent_to_another_rank_returns_the_same_chain_of_sources() {
        let inner = NoThread(io::Error::from_raw_os_error(libc::EAGAIN));
        let error = Error::config(format!("the cluster cannot start: {inner}")).caused_by(&inner);
        let bytes = postcard::to_allocvec(&error).unwrap();
        let received: Error = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(received, error);
        let source = received.source().expect("the thread's error");
        assert_eq!(source.to_string(), inner.to_string());
        let system = source.source().expect("the system's error");
        assert!(system.to_string().contains("os error 11") && system.source().is_none(), "{system}");
    }

    #[test]
    fn error_converted_from_an_inner_one_has_its_text_and_source() {
        let inner = NoThread(io::Error::from_raw_os_error(libc::EAGAIN));
        let error = Error::fabric_from(&inner);
        assert_eq!(error.to_string(), inner.to_string());
        assert!(error.source().is_some_and(|source| source.to_string().contains("os error 11")));
        assert!(Error::fabric("alone").source().is_none());
    }

    #[test]
    fn long_chain_of_sources_from_a_peer_is_cut() {
        let bytes = postcard::to_allocvec(&vec!["again".to_string(); 10_000]).unwrap();
        let source: ErrorSource = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(Vec::from(source).len(), SOURCES_MAX);
    }

    #[test]
    fn error_of_an_unknown_actor_name_names_no_death() {
        let reason = "no actor has the name \"x\"".to_string();
        let text = Error::ActorDied { actor: "Counter \"x\"".to_string(), reason }.to_string();
        assert_eq!(text, "actor Counter \"x\" is not alive: no actor has the name \"x\"");
    }
}
