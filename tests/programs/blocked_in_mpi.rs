//! A rank whose main thread is blocked in the program's own MPI_Recv serves its arrays all the same: a thread of every
//! rank keeps calling MPI, which MPI libraries without hardware support need to serve a read.

mod own_mpi;

use mobula::prelude::*;
use own_mpi::{LEVELS, Mpi};

/// Elements of an array: 16 MiB.
const LENGTH: usize = 2 << 20;

const ARRAYS: u64 = 6;

/// Leaves an array in the store of the rank that runs it.
#[mobula::remote]
fn make(number: u64) -> Vec<u64> {
    (0..LENGTH as u64).map(|index| index ^ number).collect()
}

fn main() -> mobula::Result<()> {
    let mpi = Mpi::load();
    assert_eq!(LEVELS[mpi.init(3)], "MULTIPLE");
    let world = mpi.world();
    let cluster = world.cluster(Config::default().store_bytes(512 << 20))?;
    if world.rank() == 0 {
        for other in 1..cluster.size() {
            let arrays: Vec<_> = (0..ARRAYS).map(|number| make::on(other).remote(number)).collect();
            for (number, array) in arrays.iter().enumerate() {
                let array = array.get()?;
                assert_eq!(array.len(), LENGTH);
                assert!(array.iter().enumerate().all(|(index, value)| *value == index as u64 ^ number as u64));
            }
        }
        // The other ranks return from their receive only now.
        for other in 1..world.size() {
            world.send(7, other);
        }
    } else {
        assert_eq!(world.receive(0), 7);
    }
    cluster.shutdown()?;
    world.barrier();
    if world.rank() == 0 {
        println!("ok: {} ranks", world.size());
    }
    mpi.finalize();
    Ok(())
}
