//! Placement groups.

use crate::base::{Error, Result};
use crate::registry::{Bundle, PlacementGroup};
use crate::runtime::{self, Runtime, Strategy};
use std::time::Duration;

/// Reserves resources together: every bundle, or none. Returns at once; the group is reserved when
/// [`ready`](PlacementGroup::ready) is complete. Tasks and actors run in it with `Placement::Bundle(&group, index)` or
/// `Placement::Group(&group)`; those submitted earlier wait for it.
///
/// ```
/// use mobula::prelude::*;
/// use mobula::{Bundle, Strategy};
///
/// #[mobula::remote]
/// fn solve() -> u32 {
///     mobula::context().rank()
/// }
///
/// # let cluster = mobula::init(Config::default().num_cpus(2.0))?;
/// let group = mobula::placement_group(vec![Bundle::new().cpus(1.0), Bundle::new().cpus(1.0)], Strategy::Pack)?;
/// let answer = solve::options().place(Placement::Bundle(&group, 1)).remote();
/// assert_eq!(*answer.get()?, 0);
/// group.remove();
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// # Errors
/// `Unschedulable` if no hosts can ever hold the bundles, naming what is missing, bundle by bundle; `Config` for
/// amounts out of range, or outside of a running cluster.
pub fn placement_group(bundles: Vec<Bundle>, strategy: Strategy) -> Result<PlacementGroup> {
    let runtime = Runtime::current().ok_or_else(|| Error::no_cluster("placement_group"))?;
    runtime::create_group(runtime, bundles, strategy)
}

impl PlacementGroup {
    /// Waits until every bundle is reserved; false if that takes longer than `timeout`.
    ///
    /// ```
    /// # use mobula::prelude::*;
    /// use mobula::{Bundle, Strategy};
    ///
    /// # let cluster = mobula::init(Config::default().num_cpus(1.0))?;
    /// let group = mobula::placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    /// assert!(group.wait(None)?);
    /// let second = mobula::placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    /// assert!(!second.wait(Duration::from_millis(10))?, "the first group has the only CPU");
    /// # drop((group, second));
    /// # cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    ///
    /// # Errors
    /// Why the group can never be reserved, if so.
    pub fn wait(&self, timeout: impl Into<Option<Duration>>) -> Result<bool> {
        let outcome = timeout.into().map_or_else(|| self.ready.get(), |timeout| self.ready.get_timeout(timeout));
        match outcome {
            Ok(_) => Ok(true),
            Err(Error::Timeout { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends the group for every holder of a handle. Tasks that have not begun fail, its actors end, tasks that run
    /// continue to their end; the resources are free as soon as they are not in use.
    ///
    /// ```
    /// # use mobula::prelude::*;
    /// use mobula::{Bundle, Strategy};
    ///
    /// # let cluster = mobula::init(Config::default().num_cpus(1.0))?;
    /// let group = mobula::placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    /// let second = mobula::placement_group(vec![Bundle::new().cpus(1.0)], Strategy::Pack)?;
    /// group.remove();
    /// assert!(second.wait(None)?);
    /// # drop((group, second));
    /// # cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    pub fn remove(&self) {
        if let Some(runtime) = Runtime::current() {
            runtime::remove_group(runtime, self.id);
        }
    }
}
