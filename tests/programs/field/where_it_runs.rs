//! What a rank finds where it runs.

use crate::{Case, far};

pub const CASES: &[Case] = &[("found", found)];

#[mobula::remote]
fn answers() -> u32 {
    7
}

/// Prints what the tests compare.
fn found() -> mobula::Result<()> {
    let resources = mobula::cluster_resources();
    assert_eq!(*answers::on(far()).remote().get()?, 7);
    assert_eq!(mobula::put_array(&[1u8, 2, 3])?.get()?.len(), 3);
    let (cpus, memory) = (resources["CPU"], resources["memory"] as u64 >> 20);
    println!("found: hosts={} ranks={} cpus={cpus} memory={memory}", mobula::nodes().len(), far() + 1);
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("its own");
    let allowed = status.lines().find(|line| line.starts_with("Cpus_allowed_list:")).expect("of every thread");
    println!("{allowed}");
    Ok(())
}
