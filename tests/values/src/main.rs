//! Values of many types. `values` sends each as an argument, gets it as a result, and keeps it as an actor's state.
//! `values refused` sends those that cannot be sent.
//! `values restored`, where no launcher ends the job, also kills the rank of the actors. Each group of types ends with
//! `ok: GROUP`.

mod attributes;
mod checked;
mod crates;
mod enums;
mod flattened;
mod long;
mod refused;
mod standard;

use std::process::{Command, ExitCode};

/// A group of types, by its name: sends the values to a rank; returns the actor there.
pub type Group = (&'static str, fn(u32) -> mobula::Result<IsKept>);

/// Whether the state of an actor is what it was.
pub type IsKept = Box<dyn Fn() -> mobula::Result<bool>>;

/// `group { name: Type = [value, ..]; .. }`.
///
/// A variant's value is written as it would be alone. So one remote function and one actor do for a group: one for each
/// type would be a minute of the compiler's time.
macro_rules! values {
    ($group:ident { $($name:ident: $type:ty = $values:expr;)* }) => {
        /// A value of one of the types.
        #[allow(non_camel_case_types, clippy::large_enum_variant)]
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum One { $($name($type)),* }

        #[mobula::remote]
        fn back(value: One) -> One {
            value
        }

        pub struct Holder(Vec<One>);

        #[mobula::actor(max_restarts = 1, max_task_retries = 1, checkpoint)]
        impl Holder {
            pub fn new(all: Vec<One>) -> Self {
                Holder(all)
            }
            pub fn all(&self) -> Vec<One> {
                self.0.clone()
            }
            fn save(&self) -> Vec<One> {
                self.0.clone()
            }
            fn restore(all: Vec<One>) -> Self {
                Holder(all)
            }
        }

        fn all() -> Vec<One> {
            let mut all = Vec::new();
            $(all.extend(<Vec<$type>>::from($values).into_iter().map(One::$name));)*
            all
        }

        fn send(rank: u32) -> mobula::Result<crate::IsKept> {
            for value in all() {
                let result = back::on(rank).remote(value.clone()).get();
                let result = result.unwrap_or_else(|error| panic!("{value:?}: {error}"));
                assert_eq!(*result, value);
                let object = mobula::put(value.clone())?;
                assert_eq!(*back::on(rank).remote(&object).get()?, value, "an object");
            }
            let holder = Holder::on(rank).remote(all());
            Ok(Box::new(move || Ok(*holder.all().get()? == all())))
        }

        pub const GROUP: crate::Group = (stringify!($group), send);
    };
}
pub(crate) use values;

const GROUPS: &[Group] =
    &[standard::GROUP, checked::GROUP, enums::GROUP, attributes::GROUP, flattened::GROUP, crates::GROUP, long::GROUP];

#[mobula::remote]
fn process() -> u32 {
    std::process::id()
}

fn run(mode: &str) -> mobula::Result<()> {
    let far = mobula::nodes().iter().flat_map(|node| node.ranks().to_vec()).max().unwrap_or(0);
    if mode == "refused" {
        let here = refused::all(0)?;
        if far != 0 {
            assert_eq!(refused::all(far)?, here);
        }
        here.iter().for_each(|text| println!("refused: {text}"));
        println!("ok: refused");
        return Ok(());
    }
    let mut holders = Vec::new();
    for (name, send) in GROUPS {
        for rank in [0, far] {
            let is_kept = send(rank)?;
            assert!(is_kept()?, "{name}: the state of an actor on rank {rank}");
            holders.push((name, is_kept));
        }
        println!("ok: {name}");
    }
    if mode == "restored" {
        let process = process::on(far).remote().get()?.to_string();
        let killed = Command::new("kill").args(["-s", "KILL", &process]).status();
        assert!(killed.is_ok_and(|killed| killed.success()), "rank {far} is killed");
        for (name, is_kept) in holders {
            assert!(is_kept()?, "{name}: the state of a restored actor");
            println!("restored: {name}");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let run = || {
        let cluster = mobula::init(mobula::Config::default())?;
        if cluster.rank() != 0 {
            return cluster.serve();
        }
        run(&mode)?;
        cluster.shutdown()
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}
