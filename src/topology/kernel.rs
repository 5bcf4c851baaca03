//! What the kernel reports of the host beyond the topology: its memory.

use super::error::TopologyError;
use std::fs;
use std::sync::Arc;

/// Memory of the host, bytes. Its memory nodes need not add up to it: memory that was plugged in later may belong to
/// none.
pub(super) fn memory_bytes() -> Result<u64, TopologyError> {
    let meminfo = fs::read_to_string("/proc/meminfo").map_err(|error| TopologyError::Meminfo(Arc::new(error)))?;
    total_bytes(&meminfo).ok_or(TopologyError::NoMemTotal)
}

/// Bytes of the line `... MemTotal: N kB` of a meminfo file.
pub(super) fn total_bytes(meminfo: &str) -> Option<u64> {
    let (_, rest) = meminfo.split_once("MemTotal:")?;
    let kib: u64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_total_is_converted_from_kib() {
        assert_eq!(total_bytes("Node 0 MemTotal:       1024 kB\nNode 0 MemFree: 1 kB"), Some(1 << 20));
        assert_eq!(total_bytes("MemFree: 1 kB"), None);
    }
}
