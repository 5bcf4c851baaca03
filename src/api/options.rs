//! The options of tasks and actors, as types of their own.

use crate::registry::Options;

/// The options of a task. What `add::options()` and `add::on(rank)` return has these methods, and `remote(..)`, which
/// submits the task.
///
/// They are options of the attribute as well: `#[mobula::remote(num_cpus = 4, max_retries = 0)]`. Those of a call
/// override those of the attribute. Options that several functions share can be made once, and passed to
/// [`with`](TaskOptions::with).
///
/// ```
/// use mobula::TaskOptions;
/// use mobula::prelude::*;
///
/// #[mobula::remote(num_cpus = 2)]
/// fn solve(n: u64) -> u64 {
///     n + 1
/// }
///
/// #[mobula::remote]
/// fn load(path: &str) -> usize {
///     path.len()
/// }
///
/// # let cluster = mobula::init(Config::default().num_cpus(4.0).num_gpus(2.0).resource("Licence", 2.0))?;
/// // Options of one call.
/// let solved = solve::options()
///     .num_cpus(4.0)
///     .num_gpus(0.5)
///     .resource("Licence", 1.0)
///     .memory(64 << 20)
///     .max_retries(0)
///     .retry_on_error(false)
///     .name("solve the first")
///     .place(Placement::Rank(0))
///     .remote(1);
///
/// // Options that two functions share; `solve` keeps its two CPUs.
/// let with_licence = TaskOptions::new().resource("Licence", 1.0).max_retries(5);
/// let second = solve::options().with(&with_licence).remote(2);
/// let loaded = load::options().with(&with_licence).name("load").remote("mesh");
/// assert_eq!((*solved.get()?, *second.get()?, *loaded.get()?), (2, 3, 4));
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
///
/// A function with `num_returns = "many"` has one method more, `num_returns(n)`, which comes before `remote`: see
/// [`remote`](macro@crate::remote).
#[derive(Clone, Default)]
#[must_use]
pub struct TaskOptions {
    #[doc(hidden)]
    pub options: Options,
}

impl TaskOptions {
    /// No option set.
    pub fn new() -> TaskOptions {
        TaskOptions::default()
    }

    mobula_macros::option_methods!(task);
}

/// The options of an actor. What `Counter::options()` and `Counter::on(rank)` return has these methods, and
/// `remote(..)`, which creates the actor.
///
/// They are options of the attribute as well: `#[mobula::actor(num_gpus = 1, max_restarts = 2)]`, which has one more,
/// `checkpoint`: see [`actor`](macro@crate::actor). Those of a call override those of the attribute. Options that
/// several actors share can be made once, and passed to [`with`](ActorOptions::with).
///
/// ```
/// use mobula::ActorOptions;
/// use mobula::prelude::*;
///
/// pub struct Counter {
///     value: u64,
/// }
///
/// #[mobula::actor]
/// impl Counter {
///     pub fn new(start: u64) -> Self {
///         Counter { value: start }
///     }
///     pub fn increment(&mut self) -> u64 {
///         self.value += 1;
///         self.value
///     }
/// }
///
/// # let cluster = mobula::init(Config::default().num_cpus(2.0).num_gpus(2.0))?;
/// // Options of one actor.
/// let counter = Counter::options()
///     .name("visits")
///     .num_cpus(1.0)
///     .num_gpus(1.0)
///     .memory(1 << 20)
///     .max_restarts(2)
///     .max_task_retries(u32::MAX)
///     .place(Placement::Spread)
///     .remote(0);
/// assert_eq!(*counter.increment().get()?, 1);
/// assert_eq!(*mobula::get_actor::<Counter>("visits")?.increment().get()?, 2);
/// counter.kill(); // an actor with a name lives until then, or until the program ends
///
/// // Options that several actors share.
/// let robust = ActorOptions::new().max_restarts(u32::MAX).max_task_retries(3);
/// let counters: Vec<CounterHandle> = (0..3).map(|start| Counter::options().with(&robust).remote(start)).collect();
/// assert_eq!(*counters[2].increment().get()?, 3);
/// # drop(counters);
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct ActorOptions {
    #[doc(hidden)]
    pub options: Options,
}

impl ActorOptions {
    /// No option set.
    pub fn new() -> ActorOptions {
        ActorOptions::default()
    }

    mobula_macros::option_methods!(actor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Placement;

    #[test]
    fn shared_options_override_what_they_set_and_nothing_else() {
        let own = TaskOptions::new().num_cpus(2.0).max_retries(1).resource("A", 1.0).place(Placement::Rank(1));
        let shared = TaskOptions::new().max_retries(5).resource("A", 2.0).resource("B", 3.0).memory(7).name("n");
        let both = own.with(&shared).options;
        assert_eq!((both.num_cpus, both.max_retries, both.name.as_deref()), (Some(2.0), Some(5), Some("n")));
        assert_eq!(both.memory_bytes(), Some(7));
        let amount = |name: &str| both.resources.iter().find(|(own, _)| own == name).map(|(_, amount)| *amount);
        assert_eq!((amount("A"), amount("B")), (Some(2.0), Some(3.0)));
        assert!(matches!(both.place, Placement::Rank(1)));
        let twice = TaskOptions::new().resource("A", 1.0).resource("A", 2.0).memory(1).memory(2).options;
        assert_eq!(twice.resources, [("A".to_string(), 2.0), ("memory".to_string(), 2.0)]);
        let placed = TaskOptions::new().place(Placement::Rank(1)).with(&TaskOptions::new().place(Placement::Spread));
        assert!(matches!(placed.options.place, Placement::Spread));
    }
}
