//! The builder methods of the types that `options()` and `on()` return: they forward to the field `options`.

/// Builder methods that tasks and actors share.
#[doc(hidden)]
#[macro_export]
macro_rules! __common_options {
    () => {
        /// CPUs; may be a fraction.
        pub fn num_cpus(mut self, cpus: f64) -> Self {
            self.options = self.options.num_cpus(cpus);
            self
        }
        /// GPUs; may be a fraction.
        pub fn num_gpus(mut self, gpus: f64) -> Self {
            self.options = self.options.num_gpus(gpus);
            self
        }
        /// An amount of a resource that you name.
        pub fn resource(mut self, name: impl ::core::convert::Into<::std::string::String>, amount: f64) -> Self {
            self.options = self.options.resource(name, amount);
            self
        }
        /// Bytes of memory of its host, which are also the most that the arrays it creates may take in the store at
        /// once.
        pub fn memory(mut self, bytes: u64) -> Self {
            self.options = self.options.memory(bytes);
            self
        }
        /// A task's name, for errors and graphs; an actor's, by which `get_actor` finds it.
        pub fn name(mut self, name: impl ::core::convert::Into<::std::string::String>) -> Self {
            self.options = self.options.name(name);
            self
        }
        /// Where it goes.
        pub fn place(mut self, place: $crate::Placement) -> Self {
            self.options = self.options.place(place);
            self
        }
    };
}

/// Builder methods of a task.
#[doc(hidden)]
#[macro_export]
macro_rules! __task_options {
    () => {
        $crate::__common_options!();
        /// How often it is restarted when its rank dies.
        pub fn max_retries(mut self, retries: u32) -> Self {
            self.options = self.options.max_retries(retries);
            self
        }
        /// If it is also restarted when it fails by itself.
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
        $crate::__common_options!();
        /// How often it is restarted when its rank dies.
        pub fn max_restarts(mut self, restarts: u32) -> Self {
            self.options = self.options.max_restarts(restarts);
            self
        }
        /// How often a call is retried when its rank dies.
        pub fn max_task_retries(mut self, retries: u32) -> Self {
            self.options = self.options.max_task_retries(retries);
            self
        }
    };
}
