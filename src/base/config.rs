//! Every setting, with where its value came from.

mod names;
mod rendezvous;
mod setting;
mod settings;
mod spill;

pub use names::RANK_PROCESS;
pub use rendezvous::{Ports, Rendezvous, SecretSource};
pub use settings::Config;

use crate::base::error::{Error, Result};
use crate::base::limits::RESOURCE_KINDS_MAX;
use serde::{Deserialize, Serialize};
use setting::Setting;
use settings::SETTINGS;
pub use spill::SpillFolder;

/// Which pages the store requests.
///
/// ```
/// use mobula::{Config, Pages};
/// let cluster = mobula::init(Config::default().pages(Pages::Plain).store_bytes(64 << 20))?;
/// assert_eq!(mobula::nodes()[0].pages(), "plain pages");
/// # cluster.shutdown()?;
/// # Ok::<(), mobula::Error>(())
/// ```
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
///
/// ```
/// use mobula::{Config, FabricChoice};
/// let config = Config::default().fabric(FabricChoice::Tcp);
/// # drop(config);
/// ```
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

impl Pages {
    pub(super) fn parse(text: &str) -> Option<Pages> {
        Some(match text {
            "auto" => Pages::Auto,
            "hugetlb" => Pages::Hugetlb,
            "thp" => Pages::Transparent,
            "plain" => Pages::Plain,
            _ => return None,
        })
    }
}

impl FabricChoice {
    pub(super) fn parse(text: &str) -> Option<FabricChoice> {
        Some(match text {
            "auto" => FabricChoice::Auto,
            "shm" => FabricChoice::Shm,
            "mpi" => FabricChoice::Mpi,
            "tcp" => FabricChoice::Tcp,
            "verbs" => FabricChoice::Verbs,
            _ => return None,
        })
    }
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

fn not_allowed(setting: &Setting, set: &str) -> Error {
    Error::config(format!("{set} is not allowed: it takes {}", setting.takes))
}

impl Config {
    /// How long a peer may be silent; `NEVER` where the setting is 0.
    pub(crate) fn peer_timeout(&self) -> std::time::Duration {
        if self.peer_timeout.is_zero() { super::limits::NEVER } else { self.peer_timeout }
    }

    /// True if `init` returns the cluster that runs already, where there is one, instead of an error. Default: false.
    /// Only the cluster of the first call ends it.
    ///
    /// ```
    /// # use mobula::prelude::*;
    /// let cluster = mobula::init(Config::default())?;
    /// assert!(mobula::init(Config::default()).is_err());
    /// let same = mobula::init(Config::default().ignore_reinit(true))?;
    /// same.shutdown()?;
    /// assert!(mobula::is_initialized());
    /// cluster.shutdown()?;
    /// # Ok::<(), mobula::Error>(())
    /// ```
    pub fn ignore_reinit(mut self, ignore: bool) -> Self {
        self.ignore_reinit = ignore;
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
        for (name, value) in variables.filter(|(name, _)| name.starts_with("MOBULA_") && name != RANK_PROCESS) {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) else {
                let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.variable).collect();
                if !names::is_of_others(&name, &value, &known) {
                    return Err(Error::config(format!(
                        "{name} is not a setting of mobula; these are: {}",
                        known.join(", ")
                    )));
                }
                continue;
            };
            let was_allowed = (setting.is_allowed)(&self);
            (setting.apply)(&mut self, value.trim()).ok_or_else(|| {
                Error::config(format!("{name}={value} is not understood: it takes {}", setting.takes))
            })?;
            self.sources.insert(setting.variable, ValueSource::Environment);
            if was_allowed && !(setting.is_allowed)(&self) {
                return Err(not_allowed(setting, &format!("the environment's {name}={value}")));
            }
        }
        self.checked()
    }

    /// Refuses values that are not allowed, whoever set them, and settings that contradict each other.
    fn checked(self) -> Result<Config> {
        if let Some(setting) = SETTINGS.iter().find(|setting| !(setting.is_allowed)(&self)) {
            let value = (setting.show)(&self);
            let method = setting.method.split(['`', '(']).nth(1).unwrap_or_default();
            let set = match self.sources.get(setting.variable) {
                Some(ValueSource::Program) => format!("the program's Config::{method}({value})"),
                _ => format!("the environment's {}={value}", setting.variable),
            };
            return Err(not_allowed(setting, &set));
        }
        rendezvous::check(&self)?;
        if self.resources.contains_key(MEMORY) {
            return Err(Error::config(
                "memory is not a resource to name: MOBULA_MEMORY_BYTES (Config::memory_bytes) sets how much a host has",
            ));
        }
        let kinds = self.resources.len() + 3;
        if kinds > RESOURCE_KINDS_MAX {
            return Err(Error::config(format!(
                "{kinds} kinds of resources are more than the {RESOURCE_KINDS_MAX} that a host counts"
            )));
        }
        Ok(self)
    }

    /// Each setting as the banner prints it: variable, value, origin.
    pub(crate) fn lines(&self) -> Vec<String> {
        SETTINGS
            .iter()
            .map(|setting| {
                let source = match self.sources.get(setting.variable).unwrap_or(&ValueSource::Default) {
                    ValueSource::Default => "default",
                    ValueSource::Program => "program",
                    ValueSource::Environment => "environment",
                };
                format!("{}={} ({source})", setting.variable, (setting.show)(self))
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
    fn value_at_a_bound_is_allowed_and_one_beyond_is_refused_from_setter_and_variable() {
        /// A setting's values at its bounds, and those one beyond.
        fn check<T: ToString + Copy>(name: &str, set: fn(Config, T) -> Config, allowed: &[T], refused: &[T]) {
            let variable = format!("MOBULA_{}", name.to_uppercase());
            for value in allowed {
                set(Config::default(), *value).checked().unwrap();
                parsed(&variable, &value.to_string()).unwrap();
                // The variable takes precedence, also over a value that is not allowed.
                let program = set(Config::default(), refused[0]);
                program.with_variables([(variable.clone(), value.to_string())].into_iter()).unwrap();
            }
            for value in refused {
                let program = set(Config::default(), *value).checked().unwrap_err().to_string();
                let environment = parsed(&variable, &value.to_string()).unwrap_err().to_string();
                let (program_set, takes) = program.split_once(": it takes ").unwrap();
                assert!(
                    program_set.contains(&format!("the program's Config::{name}({}", value.to_string())),
                    "{program}"
                );
                let understood = environment.contains(&format!("the environment's {variable}={}", value.to_string()));
                assert!(understood || environment.contains("is not understood"), "{environment}");
                assert!(environment.ends_with(takes), "{environment}");
            }
        }
        check("num_cpus", Config::num_cpus, &[0.0, 1e9], &[-1.0, 1e9 + 1.0, f64::NAN]);
        check("num_gpus", Config::num_gpus, &[0.0, 64.0], &[-1.0, 65.0]);
        check("memory_bytes", Config::memory_bytes, &[0, 800_000_000_000_000], &[800_000_000_000_001]);
        check("store_bytes", Config::store_bytes, &[0, (1 << 62) - 512], &[1 << 62]);
        check("store_wait_s", Config::store_wait_s, &[0, 3600], &[3601, u64::MAX]);
        check("workers", Config::workers, &[1, 1024], &[0, 1025]);
        check("peer_timeout_s", Config::peer_timeout_s, &[0, 3600], &[3601, u64::MAX]);
        check("stack_bytes", Config::stack_bytes, &[64 << 10, 1 << 30], &[(64 << 10) - 1, (1 << 30) + 1]);
        check("stall_s", Config::stall_s, &[0, 86_400], &[86_401]);
        check("trace_tasks", Config::trace_tasks, &[0, 100_000_000], &[100_000_001]);
        check("spill_dir", |config, folder: &str| config.spill_dir(folder), &["/local", "off"], &["scratch", ""]);
        for (variable, allowed, refused) in [
            ("MOBULA_SIZE", ["1", "65536"], ["0", "65537"]),
            ("MOBULA_FIBERS", ["16", "30000"], ["15", "30001"]),
            ("MOBULA_SPIN_US", ["0", "1000000"], ["-1", "1000001"]),
            ("MOBULA_PIN", ["0", "1"], ["-1", "2"]),
        ] {
            let rendezvous = || Config { rendezvous: Rendezvous::parse("n1:5000"), ..Config::default() };
            let set =
                |value: &str| rendezvous().with_variables([(variable.to_string(), value.to_string())].into_iter());
            assert!(allowed.iter().all(|value| set(value).is_ok()), "{variable}");
            assert!(refused.iter().all(|value| set(value).is_err()), "{variable}");
        }
        let named = Config::default().resource("Custom", 1e9).resource("Licence", -1.0).checked().unwrap_err();
        let expected = "the program's Config::resource(Custom=1000000000,Licence=-1) is not allowed: it takes named";
        assert!(named.to_string().contains(expected), "{named}");
    }

    #[test]
    fn peer_timeout_of_0_is_for_ever() {
        assert_eq!(Config::default().peer_timeout_s(0).peer_timeout(), crate::base::limits::NEVER);
        assert_eq!(Config::default().peer_timeout_s(7).peer_timeout(), std::time::Duration::from_secs(7));
    }

    #[test]
    fn spill_folder_of_the_program_is_absolute_or_off() {
        let started = |folder: &str| Config::default().spill_dir(folder).with_variables(std::iter::empty());
        let message = started("scratch").unwrap_err().to_string();
        assert!(message.contains("spill_dir(scratch)") && message.contains("absolute"), "{message}");
        assert!(started("").is_err());
        assert_eq!(started("off").unwrap().spill, SpillFolder::Off);
        assert_eq!(started("/local").unwrap().spill, SpillFolder::At("/local".into()));
        let overridden = Config::default().spill_dir("scratch");
        let variable = ("MOBULA_SPILL_DIR".to_string(), "/local".to_string());
        assert!(overridden.with_variables([variable].into_iter()).is_ok());
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
