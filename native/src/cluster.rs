//! Which cluster a handle is of: a process may start several, one after another.

use crate::status::Fault;
use mobula::Error;
use std::fmt::Display;

/// A cluster of this process, unlike every other that it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterId(usize);

impl ClusterId {
    /// The running cluster; one that no handle is usable in if none runs.
    #[inline]
    pub fn current() -> ClusterId {
        ClusterId(mobula::__native::current_cluster().unwrap_or(0))
    }
}

/// The running cluster, which the call needs.
///
/// # Errors
/// `Config` if none runs.
#[inline]
pub fn need_cluster() -> Result<ClusterId, Fault> {
    let running = mobula::__native::current_cluster().map(ClusterId);
    running.ok_or_else(|| {
        refused(if mobula::__native::is_forked() {
            mobula::__native::FORKED
        } else {
            "no cluster runs in this process: call mobula_init first, and mobula_shutdown last"
        })
    })
}

/// That this is no forked child: what it copies or frees, its rank has too.
///
/// # Errors
/// `Config` in one.
pub fn not_forked() -> Result<(), Fault> {
    if mobula::__native::is_forked() { Err(refused(mobula::__native::FORKED)) } else { Ok(()) }
}

/// A call where it cannot be made.
pub fn refused(text: &str) -> Fault {
    Fault::Error(Error::Config { message: text.to_string(), source: None })
}

/// A type of which C has pointers.
pub trait Given {
    /// What begins each value that C has, unlike every other type's.
    const STAMP: u64;
    /// What C calls it.
    const NAME: &'static str;
}

#[cold]
fn of_ended_cluster(argument: &str) -> Fault {
    refused(&format!(
        "{argument} is of a cluster that has ended: it can be freed or discarded, and nothing else; make another in \
         the cluster that runs"
    ))
}

/// What C has of a cluster. It may outlive it, but means nothing in the next one, whose objects have the same numbers
/// and whose stores have other bytes at the same places.
#[derive(Clone)]
#[repr(C)]
pub struct OfCluster<T> {
    /// First, where `malloc` writes into memory that was freed.
    pub(crate) stamp: u64,
    value: T,
    cluster: ClusterId,
}

impl<T: Given> OfCluster<T> {
    /// Of that cluster.
    pub fn new(value: T, cluster: ClusterId) -> OfCluster<T> {
        OfCluster { stamp: T::STAMP, value, cluster }
    }

    /// The value, for a call in the running cluster.
    ///
    /// # Errors
    /// `Config`, with the argument's name, if it is of another cluster.
    #[inline]
    pub fn usable_in(&self, running: ClusterId, argument: impl Display) -> Result<&T, Fault> {
        if self.cluster == running { Ok(&self.value) } else { Err(of_ended_cluster(&argument.to_string())) }
    }

    /// The value, whichever cluster it is of.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value, to be written.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value, given up.
    pub fn into_inner(self) -> T {
        self.value
    }
}
