//! The options of every attribute, one row each. From the table come the keys that an attribute accepts, the builder
//! methods of `TaskOptions`, `ActorOptions` and the generated types, and the fields of the options inside `mobula`.

use crate::options::Attribute;
use proc_macro2::TokenStream;

/// What a key takes after its `=`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A number that may have a fraction.
    Amount,
    /// `{ "name": amount, .. }`
    Amounts,
    /// A whole number.
    Count,
    /// `true` or `false`; the key alone is `true`.
    Flag,
    /// As `Flag`; only the generated code depends on it.
    Mode,
    /// Any expression that the builder method of the same name takes.
    Value,
    /// A whole number that this crate itself needs, so it must be written out; or "many".
    Returns,
    /// A path to the crate `mobula`.
    Path,
    /// The name of a generated type.
    TypeName,
    /// As `Value`; or, in lower case, the name of the generated type.
    NameOrValue,
}

/// One option.
pub struct Row {
    /// Its name in an attribute.
    pub key: &'static str,
    /// What it takes there.
    pub takes: Takes,
    /// The attributes that accept it.
    pub of: &'static [Attribute],
    documentation: &'static [&'static str],
    /// The type of the field of the same name, which is an `Option`.
    field: Option<&'static str>,
    /// The name and the parameters of the builder method; then the field's value, or a call on the options.
    method: Option<(&'static str, &'static str, &'static str)>,
}

macro_rules! table {
    ($(
        $(#[doc = $documentation:literal])*
        $key:ident: $takes:ident of $($attribute:ident)+
        $(, field $field:ty)? $(, fn $method:ident($($parameters:tt)*) { $($body:tt)* })?;
    )*) => {
        /// The table, in the order in which errors list the keys.
        pub const ROWS: &[Row] = &[$(Row {
            key: stringify!($key),
            takes: Takes::$takes,
            of: &[$(Attribute::$attribute),+],
            documentation: &[$($documentation),*],
            field: [$(stringify!($field),)?].as_slice().first().copied(),
            method: [$((stringify!($method), stringify!($($parameters)*), stringify!($($body)*)),)?]
                .as_slice()
                .first()
                .copied(),
        }),*];
    };
}

table! {
    spmd: Mode of Main;
    /// CPUs; may be a fraction. Default: 1 for a task, 0 for an actor, which holds them while it lives.
    ///
    /// The CPUs of what runs at once on a host never exceed the host's. They are counted, not enforced: a task that
    /// starts threads requests as many CPUs.
    num_cpus: Amount of Task Actor Main, field f64, fn num_cpus(cpus: ::core::primitive::f64) { cpus };
    /// GPUs: a fraction below 1, or a whole number. Default: 0. `mobula::context().gpus()` gives their numbers.
    num_gpus: Amount of Task Actor Main, field f64, fn num_gpus(gpus: ::core::primitive::f64) { gpus };
    /// An amount of a resource that you name; its total is set by `Config::resource` or `MOBULA_RESOURCES`.
    resources: Amounts of Task Actor Main,
        fn resource(name: impl ::core::convert::Into<::std::string::String>, amount: ::core::primitive::f64) {
            set_resource(name.into(), amount)
        };
    /// Bytes of memory of the host, which are also the most that the arrays it creates may take in the store at
    /// once: above it, creating one is `Error::MemoryLimit`. Default: none requested, no limit.
    memory: Count of Task Actor, fn memory(bytes: ::core::primitive::u64) { set_memory(bytes) };
    /// How often it is started again when its rank dies, and how often its lost result is computed again.
    /// Default: 3.
    max_retries: Count of Task, field u32, fn max_retries(retries: ::core::primitive::u32) { retries };
    /// True if it is also started again, as often as `max_retries` allows, when it panics or returns `Err`.
    /// Default: false.
    retry_on_error: Flag of Task, field bool, fn retry_on_error(retry: ::core::primitive::bool) { retry };
    /// How many objects the task's list of results becomes, if the function leaves that to its caller.
    num_returns: Returns of Task Method, field usize;
    /// How often it is created again, on another rank, when its rank dies; `u32::MAX`: without a bound.
    /// Default: 0.
    max_restarts: Count of Actor, field u32, fn max_restarts(restarts: ::core::primitive::u32) { restarts };
    /// How often a call that was in progress when its rank died is made again; `u32::MAX`: without a bound.
    /// Default: 0.
    max_task_retries: Count of Actor, field u32,
        fn max_task_retries(retries: ::core::primitive::u32) { retries };
    checkpoint: Mode of Actor;
    leaf: Mode of Task;
    c: Mode of Task;
    /// A task's name, for errors, graphs and timelines; an actor's, by which `mobula::get_actor` finds it.
    name: NameOrValue of Task Actor, field String,
        fn name(name: impl ::core::convert::Into<::std::string::String>) { name.into() };
    /// Where it runs. Default: `Placement::Auto`.
    place: Value of Task Actor, fn place(place: __mobula::Placement) { place = place };
    workers: Count of Main;
    memory_bytes: Count of Main;
    store_bytes: Count of Main;
    store_wait_s: Count of Main;
    spill_dir: Value of Main;
    stack_bytes: Count of Main;
    pin: Flag of Main;
    handle: TypeName of Actor;
    crate: Path of Task Actor Main;
}

/// The rows of an attribute.
pub fn rows(of: Attribute) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.of.contains(&of))
}

/// The builder methods of a type whose field `options` is mobula's `Options`, as the methods of the type `shared`.
pub fn methods(of: Attribute, shared: &str) -> TokenStream {
    let method = |row: &Row| {
        let (name, parameters, body) = row.method?;
        let effect = match row.field {
            Some(_) => format!("{} = ::core::option::Option::Some({body})", row.key),
            None => body.to_string(),
        };
        let documentation = row.documentation();
        Some(format!(
            "{documentation} pub fn {name}(mut self, {parameters}) -> Self {{ self.options.set().{effect}; self }}"
        ))
    };
    let with = format!(
        "/// Takes over every option that `shared` sets; the others stay as they are.
        pub fn with(mut self, shared: &{shared}) -> Self {{
            self.options.take_over(&shared.options);
            self
        }}"
    );
    rust(rows(of).filter_map(method).chain([with]).collect())
}

/// The rows that have a field: `/// CPUs. num_cpus: f64;`
pub fn fields() -> TokenStream {
    let field = |row: &Row| Some(format!("{} {}: {};", row.documentation(), row.key, row.field?));
    rust(ROWS.iter().filter_map(field).collect())
}

impl Row {
    fn documentation(&self) -> String {
        self.documentation.iter().map(|line| format!("#[doc = {line:?}]")).collect()
    }
}

fn rust(source: String) -> TokenStream {
    source.parse().expect("the table is Rust")
}
