//! The table of settings: each row gives the field of [`Config`], its default, the environment variable with what it
//! accepts, how it is parsed and shown, and the setter for programs. `docs/settings.md` shows the same rows.

use super::rendezvous::{Ports, Rendezvous, SecretSource};
use super::setting::Setting;
use super::{FabricChoice, Pages, SpillFolder, ValueSource};
use crate::base::ids::Rank;
use crate::base::limits::{GPUS_PER_HOST_MAX, RANKS_MAX, WORKERS_MAX};
use crate::base::log::{Level, parse_level};
use crate::base::parse::{
    auto, bytes, is_amount, is_memory, lower_case, number, parse_resources, seconds, show_resources, show_seconds,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

macro_rules! settings {
    ($(
        $field:ident: $type:ty = $initial:expr;
        $variable:literal
        takes $takes:literal
        default $default:literal
        in $method:literal
        parse $parse:expr;
        $(allow $allow:expr;)?
        show $show:expr;
        $(
            $(#[$documentation:meta])+
            fn $setter:ident($argument:ident: $argument_type:ty) = $value:expr;
        )?
    )*) => {
        /// The settings of a cluster. The environment (`MOBULA_*`) overrides the program; some settings are variables
        /// only. `docs/settings.md` lists all of them.
        ///
        /// ```
        /// use mobula::prelude::*;
        /// use mobula::{FabricChoice, Pages};
        ///
        /// let host = Config::default().num_cpus(8.0).num_gpus(2.0).resource("Licence", 2.0).memory_bytes(4 << 30);
        /// let config = host
        ///     // Its ranks' stores.
        ///     .store_bytes(256 << 20)
        ///     .store_wait_s(5)
        ///     .spill_dir("/tmp")
        ///     .pages(Pages::Auto)
        ///     .workers(2)
        ///     .pin(false)
        ///     .stack_bytes(2 << 20)
        ///     .fabric(FabricChoice::Auto)
        ///     .peer_timeout_s(60)
        ///     .stall_s(10)
        ///     .trace_tasks(1000)
        ///     .ignore_reinit(true);
        /// let cluster = mobula::init(config)?;
        /// assert_eq!(mobula::cluster_resources()["Licence"], 2.0);
        /// # cluster.shutdown()?;
        /// # Ok::<(), mobula::Error>(())
        /// ```
        #[derive(Clone, Debug)]
        pub struct Config {
            $(pub(crate) $field: $type,)*
            pub(crate) ignore_reinit: bool,
            /// A rank other than 0 has no driver, and forwards what it prints from its start on.
            pub(crate) one_driver: bool,
            /// Of each variable that was set: who set it.
            pub(super) sources: BTreeMap<&'static str, ValueSource>,
        }

        impl Default for Config {
            fn default() -> Self {
                Config { $($field: $initial,)* ignore_reinit: false, one_driver: false, sources: BTreeMap::new() }
            }
        }

        impl Config {
            $($(
                $(#[$documentation])+
                pub fn $setter(mut self, $argument: $argument_type) -> Self {
                    self.$field = $value;
                    self.set_by_program($variable)
                }
            )?)*
        }

        pub(super) const SETTINGS: &[Setting] = &[$(Setting {
            variable: $variable,
            takes: $takes,
            default: $default,
            method: $method,
            apply: |config, text| {
                let parse: fn(&$type, &str) -> Option<$type> = $parse;
                config.$field = parse(&config.$field, text)?;
                Some(())
            },
            is_allowed: |_config| {
                $(
                    let allow: fn(&$type) -> bool = $allow;
                    if !allow(&_config.$field) {
                        return false;
                    }
                )?
                true
            },
            show: |config| {
                let show: fn(&$type) -> String = $show;
                show(&config.$field)
            },
        }),*];
    };
}

settings! {
    num_cpus: Option<f64> = None;
        "MOBULA_NUM_CPUS"
        takes "CPUs per host, `8` or `2.5`, at most 1e9; may exceed the real cores"
        default "the cores that the launcher bound the host's ranks to, fewer under a quota of CPU time or where \
            Slurm granted fewer"
        in "`num_cpus` *"
        parse |_, text| number(text).map(Some);
        allow |cpus| cpus.is_none_or(is_amount);
        show auto;
        /// CPUs of a host; default: those that the launcher bound its ranks to.
        fn num_cpus(cpus: f64) = Some(cpus);

    num_gpus: Option<f64> = None;
        "MOBULA_NUM_GPUS"
        takes "GPUs per host, at most 64"
        default "those found"
        in "`num_gpus` *"
        parse |_, text| number(text).map(Some);
        allow |gpus| gpus.is_none_or(|gpus| (0.0..=GPUS_PER_HOST_MAX as f64).contains(&gpus));
        show auto;
        /// GPUs of a host; default: those found.
        fn num_gpus(gpus: f64) = Some(gpus);

    resources: BTreeMap<String, f64> = BTreeMap::new();
        "MOBULA_RESOURCES"
        takes "named amounts per host, each at most 1e9, `Custom=2,Licence=0.5`"
        default "none"
        in "`resource(name, amount)` *"
        parse parse_resources;
        allow |resources| resources.values().copied().all(is_amount);
        show show_resources;

    memory_bytes: Option<u64> = None;
        "MOBULA_MEMORY_BYTES"
        takes "bytes per host that tasks and actors may ask for with `memory`, at most 800 TB"
        default "what the host's ranks may use"
        in "`memory_bytes` *"
        parse |_, text| bytes(text).map(Some);
        allow |bytes| bytes.is_none_or(|bytes| is_memory(bytes as f64));
        show auto;
        /// Bytes of memory of a host, which tasks and actors request by their option `memory`; default: what
        /// its ranks may use.
        fn memory_bytes(bytes: u64) = Some(bytes);

    store_bytes: Option<u64> = None;
        "MOBULA_STORE_BYTES"
        takes "bytes of store per rank, `4G` or `512M`, less than 2^62"
        default "30 % of the memory that the job may use of the host, divided among its ranks; less under `ulimit \
            -v` or `-f`"
        in "`store_bytes` *"
        parse |_, text| bytes(text).map(Some);
        allow |bytes| bytes.is_none_or(|bytes| bytes < 1 << 62);
        show auto;
        /// Bytes of store a rank; default: 30 % of the host's memory, divided among its ranks.
        fn store_bytes(bytes: u64) = Some(bytes);

    store_wait: Duration = Duration::from_secs(10);
        "MOBULA_STORE_WAIT_S"
        takes "seconds that an allocation waits for space in a full store, 0 to 3600"
        default "`10`"
        in "`store_wait_s` *"
        parse |_, text| seconds(text);
        allow |wait| wait.as_secs() <= 3600;
        show show_seconds;
        /// Seconds that an array waits for space in a full store before that is an error; default: 10.
        fn store_wait_s(seconds: u64) = Duration::from_secs(seconds);

    spill: SpillFolder = SpillFolder::JobDisk;
        "MOBULA_SPILL_DIR"
        takes "absolute path of the directory for spilled arrays; `off` disables spilling"
        default "the first of `$SLURM_TMPDIR`, `$TMPDIR`, `/tmp`, `/var/tmp` that can be written and is not in memory"
        in "`spill_dir` *"
        parse |_, text| Some(SpillFolder::named(text.into()));
        allow SpillFolder::is_valid;
        show SpillFolder::to_string;
        /// The absolute path of the folder for arrays that do not fit into the store, or `off`; default: the first
        /// of `$SLURM_TMPDIR`, `$TMPDIR`, `/tmp`, `/var/tmp` that can be written and is not in memory. A relative path
        /// is an error at the start.
        fn spill_dir(folder: impl Into<PathBuf>) = SpillFolder::named(folder.into());

    workers: Option<usize> = None;
        "MOBULA_WORKERS"
        takes "worker threads per rank, 1 to 1024"
        default "the host's CPUs divided among its ranks"
        in "`workers` *"
        parse |_, text| number(text).map(Some);
        allow |workers| workers.is_none_or(|workers| (1..=WORKERS_MAX).contains(&workers));
        show auto;
        /// Worker threads a rank; default: the host's CPUs divided among its ranks. More are started for
        /// tasks that block.
        fn workers(workers: usize) = Some(workers);

    pin: bool = true;
        "MOBULA_PIN"
        takes "`1`: pin workers to cores, and keep the thread that starts the cluster, and threads that it starts \
            later, to the rank's share; `0`: leave all threads alone"
        default "`1`"
        in "`pin` *"
        parse |_, text| number(text).filter(|pin: &u8| *pin <= 1).map(|pin| pin == 1);
        show |pin| u8::from(*pin).to_string();
        /// True if workers are pinned to cores; default: true.
        fn pin(pin: bool) = pin;

    pages: Pages = Pages::Auto;
        "MOBULA_PAGES"
        takes "`auto`, `hugetlb` (or fail), `thp`, `plain`"
        default "`auto`: hugetlb, else transparent, else plain"
        in "`pages`"
        parse |_, text| Pages::parse(text);
        show lower_case;
        /// The pages that the store requests; default: the largest there are.
        fn pages(pages: Pages) = pages;

    fabric: FabricChoice = FabricChoice::Auto;
        "MOBULA_FABRIC"
        takes "the transport between ranks: `auto`, `shm`, `verbs`, `mpi`, `tcp`"
        default "`auto`: the best for each pair"
        in "`fabric`"
        parse |_, text| FabricChoice::parse(text);
        show lower_case;
        /// The transport that is forced between ranks; default: the fastest for each pair.
        fn fabric(fabric: FabricChoice) = fabric;

    rendezvous: Option<Rendezvous> = None;
        "MOBULA_RENDEZVOUS"
        takes "`host:port` or `[v6]:port` of rank 0's host, or the path of a file that all ranks see (a path has \
            a `/`)"
        default "none: the launcher says"
        in ""
        parse |_, text| Rendezvous::parse(text).map(Some);
        show |place| place.as_ref().map_or("none".to_string(), Rendezvous::to_string);

    rank: Option<Rank> = None;
        "MOBULA_RANK"
        takes "this rank's number, 0 to 65535, with `MOBULA_RENDEZVOUS`"
        default "what the launcher says"
        in ""
        parse |_, text| number(text).map(Some);
        allow |rank| rank.is_none_or(|rank| rank < RANKS_MAX);
        show auto;

    size: Option<u32> = None;
        "MOBULA_SIZE"
        takes "how many ranks there are, 1 to 65536, with `MOBULA_RENDEZVOUS`"
        default "what the launcher says"
        in ""
        parse |_, text| number(text).map(Some);
        allow |size| size.is_none_or(|size| (1..=RANKS_MAX).contains(&size));
        show auto;

    mpi_library: Option<PathBuf> = None;
        "MOBULA_MPI_LIBRARY"
        takes "the MPI library's file (`/opt/mpi/lib/libmpi.so`), where a program does not use MPI itself"
        default "that of the launcher"
        in ""
        parse |_, text| (!text.is_empty()).then(|| Some(PathBuf::from(text)));
        show |path| path.as_ref().map_or("auto".to_string(), |path| path.display().to_string());

    interface: Option<String> = None;
        "MOBULA_INTERFACE"
        takes "a network interface or RDMA device (`ib0`, `mlx5_1`) or how its name begins, an address, or a \
            subnet (`10.1.0.0/16`)"
        default "the fastest"
        in ""
        parse |_, text| (!text.is_empty()).then(|| Some(text.to_string()));
        show auto;

    ports: Option<Ports> = None;
        "MOBULA_PORTS"
        takes "TCP ports that may be listened on, `20000-20999`"
        default "any free one"
        in ""
        parse |_, text| Ports::parse(text).map(Some);
        show auto;

    secret: Option<SecretSource> = None;
        "MOBULA_SECRET"
        takes "a text that all ranks share, or `@/path` of a file with one that only you can read"
        default "`$HOME/.mobula/secret`, created where it is missing"
        in ""
        parse |_, text| SecretSource::parse(text).map(Some);
        show auto;

    peer_timeout: Duration = Duration::from_secs(30);
        "MOBULA_PEER_TIMEOUT_S"
        takes "seconds that a peer may be silent or stand still, at start and later, 1 to 3600; `0`: without end, \
            for a debugger"
        default "`30`"
        in "`peer_timeout_s`"
        parse |_, text| seconds(text);
        allow |timeout| timeout.as_secs() <= 3600;
        show show_seconds;
        /// Seconds that a peer may be silent, at the start and later, before it counts as dead; default: 30.
        /// A stopped process is silent too: 0 lets it be silent for ever, e.g. for a debugger.
        fn peer_timeout_s(seconds: u64) = Duration::from_secs(seconds);

    stack_bytes: usize = 1 << 20;
        "MOBULA_STACK_BYTES"
        takes "bytes of stack per task, 64K to 1G"
        default "`1M`; only touched pages take memory"
        in "`stack_bytes` *"
        parse |_, text| bytes(text).map(|bytes| bytes as usize);
        allow |bytes| (64 << 10..=1 << 30).contains(bytes);
        show usize::to_string;
        /// Bytes of stack of a task; default: 1 MiB, of which only the touched pages take memory.
        fn stack_bytes(bytes: usize) = bytes;

    fibers: usize = 16_384;
        "MOBULA_FIBERS"
        takes "tasks that may be blocked at once on a rank, 16 to 30000"
        default "`16384`"
        in ""
        parse |_, text| number(text);
        allow |fibers| (16..=30_000).contains(fibers);
        show usize::to_string;

    spin_us: Option<u64> = None;
        "MOBULA_SPIN_US"
        takes "microseconds that a waiting thread polls before it sleeps, 0 to 1000000"
        default "`50` where every rank of the host has a core of its own, else `0`"
        in ""
        parse |_, text| number(text).map(Some);
        allow |spin| spin.is_none_or(|microseconds| microseconds <= 1_000_000);
        show auto;

    short_calls: bool = true;
        "MOBULA_SHORT_CALLS"
        takes "`0`: calls of a few numbers take the path of all others, for a comparison; `1`: a shorter one"
        default "`1`"
        in ""
        parse |_, text| number(text).filter(|on: &u8| *on <= 1).map(|on| on == 1);
        show |on| u8::from(*on).to_string();

    stall: Duration = Duration::from_secs(30);
        "MOBULA_STALL_S"
        takes "seconds without progress after which rank 0 prints what waits for what, 1 to 86400; `0`: never"
        default "`30`"
        in "`stall_s`"
        parse |_, text| seconds(text);
        allow |stall| stall.as_secs() <= 86_400;
        show show_seconds;
        /// Seconds without any progress after which a waiting driver reports what waits for what; default:
        /// 30, 0 never.
        fn stall_s(seconds: u64) = Duration::from_secs(seconds);

    trace_tasks: usize = 10_000;
        "MOBULA_TRACE_TASKS"
        takes "tasks per rank, from the first, that are recorded for `visualize` and `timeline`, at most 100000000; \
            `0`: none"
        default "`10000`"
        in "`trace_tasks`"
        parse |_, text| number(text);
        allow |tasks| *tasks <= 100_000_000;
        show usize::to_string;
        /// Tasks a rank that are recorded, from the first, for pictures and timelines; default: 10,000.
        fn trace_tasks(tasks: usize) = tasks;

    log: Level = Level::Warn;
        "MOBULA_LOG"
        takes "`off`, `error`, `warn`, `info` (the banner), `debug`"
        default "`warn`"
        in ""
        parse |_, text| parse_level(text);
        show lower_case;
}

impl Config {
    /// An amount of a resource that the program names, for each host; default: no such resource.
    pub fn resource(mut self, name: impl Into<String>, amount: f64) -> Self {
        self.resources.insert(name.into(), amount);
        self.set_by_program("MOBULA_RESOURCES")
    }

    fn set_by_program(mut self, variable: &'static str) -> Self {
        self.sources.insert(variable, ValueSource::Program);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_shows_each_setting_as_the_table_has_it() {
        let page = include_str!("../../../docs/settings.md");
        let row = |it: &Setting| {
            let method = if it.method.is_empty() { String::new() } else { format!("{} ", it.method) };
            format!("| `{}` | {} | {} | {method}|", it.variable, it.takes, it.default)
        };
        let missing: Vec<String> = SETTINGS.iter().map(row).filter(|row| !page.contains(row.as_str())).collect();
        assert!(missing.is_empty(), "docs/settings.md lacks\n{}", missing.join("\n"));
    }
}
