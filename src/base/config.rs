//! Every setting, with where its value came from.

mod rendezvous;
mod settings;
mod spill;

pub use rendezvous::{Ports, Rendezvous, SecretSource};
pub use settings::Config;

use crate::base::error::{Error, Result};
use crate::base::parse::{is_amount, is_memory};
use serde::{Deserialize, Serialize};
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

impl Config {
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
        for (name, value) in variables.filter(|(name, _)| name.starts_with("MOBULA_")) {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) else {
                let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.variable).collect();
                return Err(Error::config(format!(
                    "{name} is not a setting of mobula; these are: {}",
                    known.join(", ")
                )));
            };
            (setting.apply)(&mut self, value.trim()).ok_or_else(|| {
                Error::config(format!("{name}={value} is not understood: it takes {}", setting.takes))
            })?;
            self.sources.insert(setting.variable, ValueSource::Environment);
        }
        self.checked()
    }

    /// Refuses impossible amounts, and settings that contradict each other.
    fn checked(self) -> Result<Config> {
        rendezvous::check(&self)?;
        if !self.spill.is_valid() {
            return Err(Error::config(format!(
                "Config::spill_dir({:?}): it takes an absolute path, or `off`",
                self.spill.to_string()
            )));
        }
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
    fn relative_spill_folder_of_the_program_is_refused_as_that_of_the_environment() {
        let started = |folder: &str| Config::default().spill_dir(folder).with_variables(std::iter::empty());
        let message = started("scratch").unwrap_err().to_string();
        assert!(message.contains("spill_dir(\"scratch\")") && message.contains("absolute"), "{message}");
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
