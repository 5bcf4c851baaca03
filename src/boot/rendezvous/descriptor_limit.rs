//! The limit of open descriptors, which rank 0 raises: it has a connection to each rank.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::io::{Error, Result};

/// The descriptors already open are far fewer than this.
const OTHERS: u64 = 512;

/// Raises the limit of open descriptors by `more`, if the hard limit allows it.
///
/// # Errors
/// Where it does not, with what the user can do.
pub fn allow_descriptors(more: u64) -> Result<()> {
    let (mut limit, needed) = (getrlimit(Resource::Nofile), more + OTHERS);
    // A missing limit is unlimited.
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = limit.maximum.filter(|maximum| *maximum < needed) {
        let text = format!("{needed} open files are needed and {maximum} are allowed: raise ulimit -n");
        return Err(Error::other(text));
    }
    limit.current = Some(needed);
    Ok(setrlimit(Resource::Nofile, limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_descriptors_than_allowed_is_an_error_with_the_command() {
        allow_descriptors(1).unwrap();
        assert!(allow_descriptors(1 << 40).unwrap_err().to_string().contains("ulimit -n"));
    }
}
