//! The option `memory`: an amount of the host's memory, and a limit of a task's allocations.

use crate::{filled, is_whole};
use mobula::Error;
use mobula::prelude::*;

/// Creates `count` arrays of 8 MiB and keeps them.
#[mobula::remote]
fn hoard(count: u64) -> mobula::Result<u64> {
    let arrays: mobula::Result<Vec<_>> = (0..count).map(filled).collect();
    Ok(arrays?.len() as u64)
}

/// Like `hoard`; each array is dropped before the next.
#[mobula::remote(memory = 10 << 20)]
fn churn(count: u64) -> mobula::Result<u64> {
    (0..count).try_for_each(|mark| filled(mark).map(drop))?;
    Ok(count)
}

pub struct Cabinet {
    kept: Vec<Array<u64>>,
}

#[mobula::actor(memory = 20 << 20)]
impl Cabinet {
    pub fn new() -> Self {
        Cabinet { kept: Vec::new() }
    }
    pub fn keep(&mut self, mark: u64) -> mobula::Result<usize> {
        self.kept.push(filled(mark)?);
        Ok(self.kept.len())
    }
    pub fn clear(&mut self) -> usize {
        let whole = (0..).zip(&self.kept).filter(|(mark, array)| is_whole(array, *mark)).count();
        self.kept.clear();
        whole
    }
}

/// An allocation above the limit fails with an error that names it.
pub fn limits() -> mobula::Result<()> {
    assert_eq!(*hoard::options().memory(20 << 20).remote(2).get()?, 2);
    let error = hoard::options().memory(20 << 20).remote(3).get().unwrap_err();
    println!("error: {error}");
    let text = error.to_string();
    assert!(matches!(
        error,
        Error::MemoryLimit { limit_bytes: 20_971_520, used_bytes: 16_777_216, wanted_bytes: 8_388_608, .. }
    ));
    assert!(text.contains("hoard") && text.contains("20971520") && text.contains("8388608"), "{text}");
    assert_eq!(*churn::remote(50).get()?, 50);
    assert!(matches!(hoard::options().memory(1).remote(1).get(), Err(Error::MemoryLimit { .. })));
    assert_eq!(*hoard::remote(3).get()?, 3, "without the option there is no limit but the store's");

    let cabinet = Cabinet::remote();
    assert_eq!((*cabinet.keep(0).get()?, *cabinet.keep(1).get()?), (1, 2));
    let error = cabinet.keep(2).get().unwrap_err();
    assert!(error.to_string().contains("Cabinet"), "{error}");
    assert_eq!(*cabinet.clear().get()?, 2);
    assert_eq!(*cabinet.keep(2).get()?, 1, "it may allocate again what it dropped");
    Ok(())
}

/// The requested amount is taken from the host's memory while the task runs or the actor lives.
pub fn amounts() -> mobula::Result<()> {
    let whole = mobula::cluster_resources()["memory"];
    assert_eq!(whole, (64u64 << 20) as f64, "as MOBULA_MEMORY_BYTES says");
    let error = hoard::options().memory(65 << 20).remote(1).get().unwrap_err();
    assert!(matches!(error, Error::Unschedulable { .. }) && error.to_string().contains("memory"), "{error}");
    let cabinets: Vec<CabinetHandle> = (0..3).map(|_| Cabinet::remote()).collect();
    for cabinet in &cabinets {
        cabinet.keep(0).get()?;
    }
    assert_eq!(mobula::available_resources()["memory"], whole - 3.0 * (20u64 << 20) as f64);
    Ok(())
}
