//! What users write around a remote function or an actor, under lints that refuse every warning.
// What clippy says of the functions themselves.
#![allow(
    clippy::just_underscores_and_digits,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::unnecessary_wraps,
    clippy::used_underscore_binding
)]

/// Names that generated code must not take or mean.
pub mod names {
    /// Takes the name `solve`.
    pub mod solve {
        /// The work.
        pub fn inner() -> u32 {
            7
        }
    }

    /// Its type has another name, because `solve` is a module.
    #[hpc::remote(name = solve_task)]
    pub fn solve() -> u32 {
        solve::inner()
    }

    /// A raw identifier.
    #[hpc::remote]
    pub fn r#type(r#fn: u32) -> u32 {
        r#fn
    }

    /// Parameters named as things of generated code.
    #[hpc::remote]
    pub fn parameters(options: u32, rank: u32, args: u32, arguments: u32, state: u32, _: u32, _1: u32) -> u32 {
        options + rank + args + arguments + state + _1
    }

    /// A function named as a generated one.
    #[hpc::remote]
    pub fn remote(remote: u32) -> u32 {
        remote
    }
}

/// The names of the standard library mean something else here.
pub mod shadowed {
    #![allow(dead_code, missing_debug_implementations, missing_docs, non_camel_case_types)]

    pub struct Option;
    pub struct String;
    pub struct Box;
    pub struct Some;
    pub struct Ok;
    pub struct Err;
    pub struct f64;
    pub struct Default;
    pub mod core {}
    pub mod std {}
    pub mod mobula {}
    pub mod hpc {}

    /// Takes and returns what has no shadowed name.
    #[::hpc::remote(num_cpus = 1, name = "shown")]
    pub fn doubled(value: u32) -> ::core::result::Result<::std::vec::Vec<u32>, ::std::string::String> {
        ::core::result::Result::Ok(::std::vec![value, value])
    }
}

/// Attributes of functions.
pub mod attributes {
    /// Old.
    #[hpc::remote]
    #[deprecated(note = "call another")]
    pub fn old() -> u32 {
        1
    }

    /// A parameter that is not there.
    #[hpc::remote]
    pub fn partial(#[cfg(feature = "extra")] absent: u32, value: u32, #[cfg(not(feature = "extra"))] more: u32) -> u32 {
        #[cfg(feature = "extra")]
        let more = absent;
        value + more
    }

    /// A function that is not there.
    #[hpc::remote]
    #[cfg(feature = "extra")]
    pub fn missing() -> Absent {
        Absent
    }

    /// Several attributes, a mutable parameter and a pattern.
    #[hpc::remote]
    #[must_use]
    #[inline]
    #[track_caller]
    #[doc(hidden)]
    #[allow(non_snake_case)]
    pub fn attributed(mut A: u32, (b, _c): (u32, u32)) -> u32 {
        A += b;
        A
    }

    /// An ABI and a linker's name.
    #[hpc::remote]
    pub extern "C" fn foreign(value: u32) -> u32 {
        value
    }

    /// An expectation that must be met.
    #[hpc::remote]
    #[expect(unused_variables)]
    pub(crate) fn expecting(unused: u32) -> u32 {
        3
    }

    macro_rules! function {
        ($name:ident($argument:ident: $parameter:ty) -> $result:ty $body:block) => {
            /// Made by a macro.
            #[hpc::remote]
            pub fn $name($argument: $parameter) -> $result $body
        };
    }

    function!(length(text: &str) -> Result<usize, std::num::ParseIntError> {
        text.parse()
    });
    function!(total(values: Vec<u32>) -> u32 {
        values.iter().sum()
    });

    /// A function in a function.
    pub fn local() -> hpc::ObjectRef<u32> {
        #[hpc::remote]
        fn inner() -> u32 {
            5
        }
        inner::remote()
    }
}

/// Actors.
pub mod actors {
    /// A counter.
    #[derive(Debug)]
    pub struct Counter {
        value: u32,
    }

    /// Takes the name of the handle.
    #[derive(Debug)]
    pub struct CounterHandle;

    #[hpc::actor(handle = CounterRef)]
    #[cfg(not(feature = "extra"))]
    impl Counter {
        /// Starts at a number.
        pub fn new(#[cfg(feature = "extra")] absent: Absent, start: u32) -> Self {
            Counter { value: start }
        }

        /// Adds.
        #[deprecated]
        pub fn add(&mut self, #[cfg(feature = "extra")] absent: Absent, amount: u32) -> u32 {
            self.value += amount;
            self.value
        }

        /// The value.
        pub fn value(&self) -> u32 {
            self.value
        }
    }
}

/// mobula as the facade has it.
pub mod facade {
    use mobula_test_facade::mobula;

    /// One more.
    #[mobula::remote(crate = mobula_test_facade::mobula)]
    pub fn increment(value: u32) -> u32 {
        value + 1
    }

    /// An actor.
    #[derive(Debug)]
    pub struct Holder(u32);

    #[mobula::actor(crate = "mobula_test_facade::mobula")]
    impl Holder {
        /// Holds a number.
        pub fn new(value: u32) -> Self {
            Holder(value)
        }

        /// The number.
        pub fn value(&self) -> u32 {
            self.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(deprecated)]
    fn each_function_and_actor_runs_as_a_task() -> hpc::Result<()> {
        let cluster = hpc::init(hpc::Config::default().num_cpus(2.0))?;
        assert_eq!((*names::solve_task::remote().get()?, names::solve()), (7, 7));
        assert_eq!(*names::r#type::remote(8).get()?, 8);
        assert_eq!(*names::parameters::remote(1, 2, 3, 4, 5, 6, 7).get()?, 22);
        assert_eq!(*names::remote::on(0).remote(9).get()?, 9);
        assert_eq!(*shadowed::doubled::remote(4).get()?, [4, 4]);
        assert_eq!(*attributes::old::remote().get()?, 1);
        assert_eq!(*attributes::partial::remote(2, 3).get()?, 5);
        assert_eq!(*attributes::attributed::remote(1, (2, 3)).get()?, 3);
        assert_eq!(*attributes::expecting::remote(1).get()?, 3);
        assert_eq!(*attributes::length::remote("12").get()?, 12);
        assert!(attributes::length::remote("x").get().is_err());
        let parts = [hpc::put(1_u32)?, hpc::put(2_u32)?];
        assert_eq!(*attributes::total::remote(&parts).get()?, 3);
        assert_eq!(*attributes::local().get()?, 5);
        let counter: actors::CounterRef = actors::Counter::remote(1);
        assert_eq!((*counter.add(2).get()?, *counter.value().get()?), (3, 3));
        assert_eq!(*facade::increment::remote(4).get()?, 5);
        assert_eq!(*facade::Holder::remote(6).value().get()?, 6);
        cluster.shutdown()
    }
}
