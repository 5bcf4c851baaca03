//! The environment variables that set something, each with what it accepts.

use super::rendezvous::{Ports, Rendezvous, SecretSource};
use super::{Config, FabricChoice, Pages, SpillFolder};
use crate::base::ids::Rank;
use crate::base::limits::RANKS_MAX;
use crate::base::log::Level;
use crate::base::parse::{amount, bytes, whole};

/// A setting's environment variable, what it accepts, and the function that parses it.
pub(super) struct ConfigVariable {
    pub(super) variable: &'static str,
    pub(super) takes: &'static str,
    pub(super) apply: fn(&mut Config, &str) -> Option<()>,
}

pub(super) const CONFIG_VARIABLES: &[ConfigVariable] = &[
    ConfigVariable {
        variable: "MOBULA_NUM_CPUS",
        takes: "a number of CPUs a host, e.g. 8 or 2.5",
        apply: |config, value| {
            config.num_cpus = Some(amount(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_NUM_GPUS",
        takes: "a number of GPUs a host, e.g. 2",
        apply: |config, value| {
            config.num_gpus = Some(amount(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_RESOURCES",
        takes: "names with amounts a host, e.g. Custom=2,Licence=0.5",
        apply: |config, value| {
            for pair in value.split(',').filter(|pair| !pair.is_empty()) {
                let (name, number) = pair.split_once('=')?;
                config.resources.insert(name.trim().to_string(), amount(number)?);
            }
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_MEMORY_BYTES",
        takes: "bytes of memory of a host that tasks may request, e.g. 64G",
        apply: |config, value| {
            config.memory_bytes = Some(bytes(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_STORE_BYTES",
        takes: "bytes of store a rank, e.g. 4G, 512M or 1073741824",
        apply: |config, value| {
            config.store_bytes = Some(bytes(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_STORE_WAIT_S",
        takes: "seconds that an array waits for space in a full store, 0 to 3600",
        apply: |config, value| {
            config.store_wait = std::time::Duration::from_secs(whole(value, 0, 3600)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_SPILL_DIR",
        takes: "the absolute path of the folder for arrays that do not fit into the store, e.g. /local/scratch; \
                off writes none",
        apply: |config, value| {
            config.spill = SpillFolder::parse(value)?;
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_WORKERS",
        takes: "a number of worker threads a rank, 1 to 1024",
        apply: |config, value| {
            config.workers = Some(whole(value, 1, crate::base::limits::WORKERS_MAX as u64)? as usize);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_PIN",
        takes: "1 to pin workers to cores and keep the program's thread to its rank's share of them, 0 not to",
        apply: |config, value| {
            config.pin = whole(value, 0, 1)? == 1;
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_PAGES",
        takes: "auto, hugetlb, thp or plain",
        apply: |config, value| {
            config.pages = match value {
                "auto" => Pages::Auto,
                "hugetlb" => Pages::Hugetlb,
                "thp" => Pages::Transparent,
                "plain" => Pages::Plain,
                _ => return None,
            };
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_FABRIC",
        takes: "auto, shm, mpi, tcp or verbs",
        apply: |config, value| {
            config.fabric = match value {
                "auto" => FabricChoice::Auto,
                "shm" => FabricChoice::Shm,
                "mpi" => FabricChoice::Mpi,
                "tcp" => FabricChoice::Tcp,
                "verbs" => FabricChoice::Verbs,
                _ => return None,
            };
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_RENDEZVOUS",
        takes: "where the ranks meet: host:port or [IPv6 address]:port on rank 0's host, or the path of a file that all \
                see, e.g. n1:5000 or /scratch/me/run1.meet",
        apply: |config, value| {
            config.rendezvous = Some(Rendezvous::parse(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_RANK",
        takes: "this process's number, from 0, with MOBULA_RENDEZVOUS",
        apply: |config, value| {
            config.rank = Some(whole(value, 0, u64::from(RANKS_MAX) - 1)? as Rank);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_SIZE",
        takes: "how many ranks meet, 1 to 65536, with MOBULA_RENDEZVOUS",
        apply: |config, value| {
            config.size = Some(whole(value, 1, u64::from(RANKS_MAX))? as u32);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_INTERFACE",
        takes: "the network interface that peers reach this host by: its name or how it begins, an address, or a \
                subnet, e.g. ib0, 10.1.2.3 or 10.1.0.0/16",
        apply: |config, value| {
            config.interface = Some(value.to_string()).filter(|interface| !interface.is_empty());
            config.interface.is_some().then_some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_PORTS",
        takes: "the TCP ports that may be listened on, first-last, e.g. 20000-20999",
        apply: |config, value| {
            config.ports = Some(Ports::parse(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_SECRET",
        takes: "a secret text that all ranks of the job share, or @ and the path of a file that holds one",
        apply: |config, value| {
            config.secret = Some(SecretSource::parse(value)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_PEER_TIMEOUT_S",
        takes: "seconds that a peer may be silent before it counts as dead, 1 to 3600; 0 for ever, e.g. for a debugger",
        apply: |config, value| {
            config.set_peer_timeout_s(whole(value, 0, 3600)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_STACK_BYTES",
        takes: "bytes of stack a fiber, 64K to 1G, e.g. 1M",
        apply: |config, value| {
            let stack_bytes = bytes(value)?;
            (64 << 10..=1 << 30).contains(&stack_bytes).then_some(())?;
            config.stack_bytes = stack_bytes as usize;
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_FIBERS",
        takes: "tasks that may be blocked at once on a rank, 16 to 30000",
        apply: |config, value| {
            config.fibers = whole(value, 16, 30_000)? as usize;
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_SPIN_US",
        takes: "microseconds that a waiting thread spins before it blocks, 0 to 1000000",
        apply: |config, value| {
            config.spin_us = Some(whole(value, 0, 1_000_000)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_STALL_S",
        takes: "seconds without any progress after which the waiting tasks are reported, 1 to 86400; 0 never",
        apply: |config, value| {
            config.stall = std::time::Duration::from_secs(whole(value, 0, 86_400)?);
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_TRACE_TASKS",
        takes: "tasks of each rank that are recorded for graphs and timelines, from the first; 0 records none",
        apply: |config, value| {
            config.trace_tasks = whole(value, 0, 100_000_000)? as usize;
            Some(())
        },
    },
    ConfigVariable {
        variable: "MOBULA_LOG",
        takes: "off, error, warn, info or debug",
        apply: |config, value| {
            config.log = match value {
                "off" => Level::Off,
                "error" => Level::Error,
                "warn" => Level::Warn,
                "info" => Level::Info,
                "debug" => Level::Debug,
                _ => return None,
            };
            Some(())
        },
    },
];
