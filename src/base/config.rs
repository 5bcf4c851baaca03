//! Every setting, with where its value came from.

mod variables;
mod rendezvous;
mod spill;

pub use rendezvous::{Ports, Rendezvous, SecretSource};

use crate::base::error::{Error, Result};
use crate::base::ids::Rank;
use crate::base::limits::NEVER;
use crate::base::log::Level;
use crate::base::parse::{is_amount, is_memory};
use variables::CONFIG_VARIABLES;
use serde::{Deserialize, Serialize};
pub use spill::SpillFolder;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Which pages the store requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// hugetlb, else transparent huge pages, else plain ones.
    Auto,
    /// hugetlb or an error.
    Hugetlb,
    /// Transparent huge pages where the kernel allows them.
    Transparent,
    /// Pages of the system's base size.
    Plain,
}

/// The transport that is forced between ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FabricChoice {
    /// The fastest for each pair: shared memory within a host, else the best of those that reach the peer.
    Auto,
    /// Shared memory only: all ranks must be on one host.
    Shm,
    /// MPI between all ranks, also those of one host.
    Mpi,
    /// TCP between all ranks, also those of one host.
    Tcp,
    /// Queue pairs of InfiniBand or RoCE between all ranks, also those of one host.
    Verbs,
}

/// Where a value came from, for the banner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueSource {
    Default,
    Program,
    Environment,
}

/// The name of memory among the resources of a host, in bytes.
pub const MEMORY: &str = "memory";

/// The settings of a cluster. The environment (`MOBULA_*`) overrides the program.
///
/// ```
/// let config = mobula::Config::default().num_cpus(8.0).num_gpus(2.0).resource("Custom", 2.0).workers(2);
/// assert!(format!("{config:?}").contains("Custom"));
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) num_cpus: Option<f64>,
    pub(crate) num_gpus: Option<f64>,
    pub(crate) resources: BTreeMap<String, f64>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) store_bytes: Option<u64>,
    pub(crate) store_wait: Duration,
    pub(crate) spill: SpillFolder,
    pub(crate) workers: Option<usize>,
    pub(crate) pin: bool,
    pub(crate) pages: Pages,
    pub(crate) fabric: FabricChoice,
    pub(crate) rendezvous: Option<Rendezvous>,
    pub(crate) rank: Option<Rank>,
    pub(crate) size: Option<u32>,
    pub(crate) interface: Option<String>,
    pub(crate) ports: Option<Ports>,
    pub(crate) secret: Option<SecretSource>,
    pub(crate) peer_timeout: Duration,
    pub(crate) stack_bytes: usize,
    pub(crate) fibers: usize,
    pub(crate) spin_us: Option<u64>,
    pub(crate) stall: Duration,
    pub(crate) trace_tasks: usize,
    pub(crate) log: Level,
    pub(crate) ignore_reinit: bool,
    sources: BTreeMap<&'static str, ValueSource>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            num_cpus: None,
            num_gpus: None,
            resources: BTreeMap::new(),
            memory_bytes: None,
            store_bytes: None,
            store_wait: Duration::from_secs(10),
            spill: SpillFolder::JobDisk,
            workers: None,
            pin: true,
            pages: Pages::Auto,
            fabric: FabricChoice::Auto,
            rendezvous: None,
            rank: None,
            size: None,
            interface: None,
            ports: None,
            secret: None,
            peer_timeout: Duration::from_secs(30),
            stack_bytes: 1 << 20,
            fibers: 16_384,
            spin_us: None,
            stall: Duration::from_secs(30),
            trace_tasks: 10_000,
            log: Level::Warn,
            ignore_reinit: false,
            sources: BTreeMap::new(),
        }
    }
}

impl Config {
    /// CPUs of a host; default: those that the launcher bound its ranks to.
    pub fn num_cpus(mut self, cpus: f64) -> Self {
        self.num_cpus = Some(cpus);
        self.set_by_program("MOBULA_NUM_CPUS")
    }

    /// GPUs of a host; default: those found.
    pub fn num_gpus(mut self, gpus: f64) -> Self {
        self.num_gpus = Some(gpus);
        self.set_by_program("MOBULA_NUM_GPUS")
    }

    /// An amount, on each host, of a resource that you name.
    pub fn resource(mut self, name: impl Into<String>, amount: f64) -> Self {
        self.resources.insert(name.into(), amount);
        self.set_by_program("MOBULA_RESOURCES")
    }

    /// Bytes of memory of a host, which tasks and actors request by their option `memory`; default: what its ranks may
    /// use.
    pub fn memory_bytes(mut self, bytes: u64) -> Self {
        self.memory_bytes = Some(bytes);
        self.set_by_program("MOBULA_MEMORY_BYTES")
    }

    /// Bytes of store of each rank; default: 30 % of the host's memory, divided among its ranks.
    pub fn store_bytes(mut self, bytes: u64) -> Self {
        self.store_bytes = Some(bytes);
        self.set_by_program("MOBULA_STORE_BYTES")
    }

    /// Seconds that an array waits for space in a full store before the call fails; default: 10.
    pub fn store_wait_s(mut self, seconds: u64) -> Self {
        self.store_wait = Duration::from_secs(seconds);
        self.set_by_program("MOBULA_STORE_WAIT_S")
    }

    /// The folder for arrays that do not fit into the store; default: the job's local disk (`$SLURM_TMPDIR`, `$TMPDIR`,
    /// else `/tmp`).
    pub fn spill_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spill = SpillFolder::At(folder.into());
        self.set_by_program("MOBULA_SPILL_DIR")
    }

    /// Worker threads of each rank; default: the host's CPUs divided among its ranks. More are started for tasks that
    /// block.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self.set_by_program("MOBULA_WORKERS")
    }

    /// Pins workers to cores; default: yes.
    pub fn pin(mut self, pin: bool) -> Self {
        self.pin = pin;
        self.set_by_program("MOBULA_PIN")
    }

    /// Which pages the store requests; default: the largest available.
    pub fn pages(mut self, pages: Pages) -> Self {
        self.pages = pages;
        self.set_by_program("MOBULA_PAGES")
    }

    /// Which transport is forced between ranks; default: the fastest for each pair.
    pub fn fabric(mut self, fabric: FabricChoice) -> Self {
        self.fabric = fabric;
        self.set_by_program("MOBULA_FABRIC")
    }

    /// Seconds that a peer may be silent, at the start and later, before it counts as dead; default: 30. A stopped
    /// process is silent too: with 0 it may stay so for ever, which a debugger needs.
    pub fn peer_timeout_s(mut self, seconds: u64) -> Self {
        self.set_peer_timeout_s(seconds);
        self.set_by_program("MOBULA_PEER_TIMEOUT_S")
    }

    fn set_peer_timeout_s(&mut self, seconds: u64) {
        self.peer_timeout = if seconds == 0 { NEVER } else { Duration::from_secs(seconds).min(NEVER) };
    }

    /// Bytes of stack of a task; default: 1 MiB, of which only the touched part takes memory.
    pub fn stack_bytes(mut self, bytes: usize) -> Self {
        self.stack_bytes = bytes;
        self.set_by_program("MOBULA_STACK_BYTES")
    }

    /// Seconds without any progress after which a waiting driver reports what each task waits for; default: 30, 0
    /// never.
    pub fn stall_s(mut self, seconds: u64) -> Self {
        self.stall = Duration::from_secs(seconds);
        self.set_by_program("MOBULA_STALL_S")
    }

    /// Tasks of each rank that are recorded, from the first, for graphs and timelines; default: 10,000.
    pub fn trace_tasks(mut self, tasks: usize) -> Self {
        self.trace_tasks = tasks;
        self.set_by_program("MOBULA_TRACE_TASKS")
    }

    /// A second `init` returns the running cluster instead of an error.
    pub fn ignore_reinit(mut self, ignore: bool) -> Self {
        self.ignore_reinit = ignore;
        self
    }

    fn set_by_program(mut self, variable: &'static str) -> Self {
        self.sources.insert(variable, ValueSource::Program);
        self
    }

    /// This configuration, overridden by the environment.
    pub(crate) fn with_environment(self) -> Result<Config> {
        self.with_variables(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))),
        )
    }

    /// As `with_environment`, for given variables; those without the prefix are ignored.
    fn with_variables(mut self, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        for (name, value) in variables.filter(|(name, _)| name.starts_with("MOBULA_")) {
            let Some(setting) = CONFIG_VARIABLES.iter().find(|setting| setting.variable == name) else {
                let known: Vec<&str> = CONFIG_VARIABLES.iter().map(|setting| setting.variable).collect();
                return Err(Error::config(format!(
                    "{name} is not a setting of mobula; these are: {}",
                    known.join(", ")
                )));
            };
            (setting.apply)(&mut self, value.trim())
                .ok_or_else(|| Error::config(format!("{name}={value} is not understood: it takes {}", setting.takes)))?;
            self.sources.insert(setting.variable, ValueSource::Environment);
        }
        self.checked()
    }

    /// Refuses impossible amounts, and settings that contradict each other.
    fn checked(self) -> Result<Config> {
        rendezvous::check(&self)?;
        let amounts = self.resources.iter().map(|(name, amount)| (name.as_str(), *amount));
        let all = amounts.chain(self.num_cpus.map(|cpus| ("CPU", cpus))).chain(self.num_gpus.map(|gpus| ("GPU", gpus)));
        for (name, amount) in all {
            if !is_amount(amount) {
                return Err(Error::config(format!("{amount} is not an amount of {name}: it takes 0 to 1e9")));
            }
        }
        if self.num_gpus.is_some_and(|gpus| gpus > crate::base::limits::GPUS_PER_HOST_MAX as f64) {
            return Err(Error::config(format!("a host has at most {} GPUs", crate::base::limits::GPUS_PER_HOST_MAX)));
        }
        if self.resources.contains_key(MEMORY) {
            return Err(Error::config(
                "memory is not a resource to name: MOBULA_MEMORY_BYTES (Config::memory_bytes) sets how much a host has",
            ));
        }
        if self.memory_bytes.is_some_and(|bytes| !is_memory(bytes as f64)) {
            return Err(Error::config("a host's memory is at most 800 TB"));
        }
        if self.resources.len() + 3 > crate::base::limits::RESOURCE_KINDS_MAX {
            return Err(Error::config(format!(
                "{} kinds of resources are more than the {} that a host counts",
                self.resources.len() + 3,
                crate::base::limits::RESOURCE_KINDS_MAX
            )));
        }
        Ok(self)
    }

    /// Each setting as the banner prints it: variable, value, source.
    pub(crate) fn lines(&self) -> Vec<String> {
        let auto = |value: Option<String>| value.unwrap_or_else(|| "auto".to_string());
        let value_of = |variable: &str| match variable {
            "MOBULA_NUM_CPUS" => auto(self.num_cpus.map(|cpus| cpus.to_string())),
            "MOBULA_NUM_GPUS" => auto(self.num_gpus.map(|gpus| gpus.to_string())),
            "MOBULA_RESOURCES" => {
                let pairs: Vec<String> =
                    self.resources.iter().map(|(name, amount)| format!("{name}={amount}")).collect();
                if pairs.is_empty() { "none".to_string() } else { pairs.join(",") }
            }
            "MOBULA_MEMORY_BYTES" => auto(self.memory_bytes.map(|bytes| bytes.to_string())),
            "MOBULA_STORE_BYTES" => auto(self.store_bytes.map(|bytes| bytes.to_string())),
            "MOBULA_STORE_WAIT_S" => self.store_wait.as_secs().to_string(),
            "MOBULA_SPILL_DIR" => self.spill.to_string(),
            "MOBULA_WORKERS" => auto(self.workers.map(|workers| workers.to_string())),
            "MOBULA_PIN" => u8::from(self.pin).to_string(),
            "MOBULA_PAGES" => format!("{:?}", self.pages).to_lowercase(),
            "MOBULA_FABRIC" => format!("{:?}", self.fabric).to_lowercase(),
            "MOBULA_RENDEZVOUS" => self.rendezvous.as_ref().map_or("none".to_string(), Rendezvous::to_string),
            "MOBULA_RANK" => auto(self.rank.map(|rank| rank.to_string())),
            "MOBULA_SIZE" => auto(self.size.map(|size| size.to_string())),
            "MOBULA_INTERFACE" => auto(self.interface.clone()),
            "MOBULA_PORTS" => auto(self.ports.map(|ports| ports.to_string())),
            "MOBULA_SECRET" => auto(self.secret.as_ref().map(SecretSource::to_string)),
            "MOBULA_PEER_TIMEOUT_S" => match self.peer_timeout {
                NEVER => "0".to_string(),
                timeout => timeout.as_secs().to_string(),
            },
            "MOBULA_STACK_BYTES" => self.stack_bytes.to_string(),
            "MOBULA_FIBERS" => self.fibers.to_string(),
            "MOBULA_SPIN_US" => auto(self.spin_us.map(|spin| spin.to_string())),
            "MOBULA_STALL_S" => self.stall.as_secs().to_string(),
            "MOBULA_TRACE_TASKS" => self.trace_tasks.to_string(),
            _ => format!("{:?}", self.log).to_lowercase(),
        };
        CONFIG_VARIABLES
            .iter()
            .map(|setting| {
                let source = match self.sources.get(setting.variable).unwrap_or(&ValueSource::Default) {
                    ValueSource::Default => "default",
                    ValueSource::Program => "program",
                    ValueSource::Environment => "environment",
                };
                format!("{}={} ({source})", setting.variable, value_of(setting.variable))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, value: &str) -> Result<Config> {
        Config::default().with_variables([(name.to_string(), value.to_string())].into_iter())
    }

    #[test]
    fn unknown_variable_error_lists_known_variables() {
        let message = parsed("MOBULA_WORKER", "2").unwrap_err().to_string();
        assert!(message.contains("MOBULA_WORKER is not") && message.contains("MOBULA_WORKERS"), "{message}");
    }

    #[test]
    fn wrong_value_error_says_what_is_accepted() {
        for (name, value) in [
            ("MOBULA_WORKERS", "0"),
            ("MOBULA_PAGES", "giant"),
            ("MOBULA_FABRIC", "carrier-pigeon"),
            ("MOBULA_RESOURCES", "Custom"),
            ("MOBULA_STACK_BYTES", "1K"),
            ("MOBULA_NUM_CPUS", "-1"),
            ("MOBULA_RENDEZVOUS", "n1"),
            ("MOBULA_RANK", "first"),
            ("MOBULA_SIZE", "0"),
            ("MOBULA_PORTS", "5000"),
            ("MOBULA_SECRET", ""),
            ("MOBULA_PEER_TIMEOUT_S", "3601"),
            ("MOBULA_STORE_WAIT_S", "3601"),
            ("MOBULA_MEMORY_BYTES", "2000T"),
            ("MOBULA_RESOURCES", "memory=1"),
            ("MOBULA_SPILL_DIR", ""),
            ("MOBULA_SPILL_DIR", "scratch"),
        ] {
            assert!(matches!(parsed(name, value), Err(Error::Config { .. })), "{name}={value}");
        }
    }

    #[test]
    fn environment_overrides_program_and_is_shown() {
        let config = Config::default()
            .workers(3)
            .num_cpus(4.0)
            .with_variables([("MOBULA_WORKERS".to_string(), "2".to_string())].into_iter())
            .unwrap();
        assert_eq!(config.workers, Some(2));
        let lines = config.lines().join("\n");
        assert!(lines.contains("MOBULA_WORKERS=2 (environment)"), "{lines}");
        assert!(lines.contains("MOBULA_NUM_CPUS=4 (program)"), "{lines}");
        assert!(lines.contains("MOBULA_PIN=1 (default)"), "{lines}");
    }

    #[test]
    fn secret_is_never_shown() {
        let config = parsed("MOBULA_SECRET", "hunter2").unwrap();
        let lines = config.lines().join("\n");
        assert!(lines.contains("MOBULA_SECRET=given (environment)"), "{lines}");
        assert!(!lines.contains("hunter2") && !format!("{config:?}").contains("hunter2"), "{lines}");
        let lines = parsed("MOBULA_SECRET", "@/etc/secret").unwrap().lines().join("\n");
        assert!(lines.contains("MOBULA_SECRET=@/etc/secret"), "the name of a file is no secret: {lines}");
    }
}
