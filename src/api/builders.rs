//! The builder methods of tasks' and actors' options: one list for [`TaskOptions`](super::TaskOptions),
//! [`ActorOptions`](super::ActorOptions), and the types that the macros generate for `options()` and `on()`. They
//! forward to the field `options`.
//!
//! The examples stand on the two public types: examples in these macros would be tests of every crate that uses them.

/// Builder methods that tasks and actors share.
#[doc(hidden)]
#[macro_export]
macro_rules! __common_options {
    ($shared:ty) => {
        /// CPUs; may be a fraction. Default: 1 for a task, 0 for an actor, which holds them while it lives.
        ///
        /// The CPUs of what runs at once on a host never exceed the host's. They are counted, not enforced: a task that
        /// starts threads requests as many CPUs.
        pub fn num_cpus(mut self, cpus: f64) -> Self {
            self.options = self.options.num_cpus(cpus);
            self
        }
        /// GPUs: a fraction below 1, or a whole number. Default: 0. `mobula::context().gpus()` gives their numbers.
        pub fn num_gpus(mut self, gpus: f64) -> Self {
            self.options = self.options.num_gpus(gpus);
            self
        }
        /// An amount of a resource that you name; its total is set by `Config::resource` or `MOBULA_RESOURCES`.
        pub fn resource(mut self, name: impl ::core::convert::Into<::std::string::String>, amount: f64) -> Self {
            self.options = self.options.resource(name, amount);
            self
        }
        /// Bytes of memory of the host, which are also the most that the arrays it creates may take in the store at
        /// once: above it, creating one is `Error::MemoryLimit`. Default: none requested, no limit.
        pub fn memory(mut self, bytes: u64) -> Self {
            self.options = self.options.memory(bytes);
            self
        }
        /// A task's name, for errors, graphs and timelines; an actor's, by which `mobula::get_actor` finds it.
        pub fn name(mut self, name: impl ::core::convert::Into<::std::string::String>) -> Self {
            self.options = self.options.name(name);
            self
        }
        /// Where it runs. Default: `Placement::Auto`.
        pub fn place(mut self, place: $crate::Placement) -> Self {
            self.options = self.options.place(place);
            self
        }
        /// Takes over every option that `shared` sets; the others stay as they are.
        pub fn with(mut self, shared: &$shared) -> Self {
            self.options = shared.over(self.options);
            self
        }
    };
}

/// Builder methods of a task.
#[doc(hidden)]
#[macro_export]
macro_rules! __task_options {
    () => {
        $crate::__common_options!($crate::TaskOptions);
        /// How often it is started again when its rank dies, and how often its lost result is computed again.
        /// Default: 3.
        pub fn max_retries(mut self, retries: u32) -> Self {
            self.options = self.options.max_retries(retries);
            self
        }
        /// True if it is also started again, as often as `max_retries` allows, when it panics or returns `Err`.
        /// Default: false.
        pub fn retry_on_error(mut self, retry: bool) -> Self {
            self.options = self.options.retry_on_error(retry);
            self
        }
    };
}

/// Builder methods of an actor.
#[doc(hidden)]
#[macro_export]
macro_rules! __actor_options {
    () => {
        $crate::__common_options!($crate::ActorOptions);
        /// How often it is created again, on another rank, when its rank dies; `u32::MAX`: without a bound.
        /// Default: 0.
        pub fn max_restarts(mut self, restarts: u32) -> Self {
            self.options = self.options.max_restarts(restarts);
            self
        }
        /// How often a call that was in progress when its rank died is made again; `u32::MAX`: without a bound.
        /// Default: 0.
        pub fn max_task_retries(mut self, retries: u32) -> Self {
            self.options = self.options.max_task_retries(retries);
            self
        }
    };
}
