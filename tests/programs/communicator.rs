//! `init_with_comm`: clusters inside an MPI program, one after the other, on the world and on halves of it.
//!
//! The argument is the thread level that the program requests from MPI: `single`, as most programs do, `funneled`,
//! `serialized` or `multiple`.

mod own_mpi;

use mobula::Error;
use mobula::prelude::*;
use own_mpi::{Comm, LEVELS, Mpi};

#[mobula::remote]
fn rank() -> u32 {
    mobula::context().rank()
}

#[mobula::remote]
fn total(values: &[u64]) -> u64 {
    values.iter().sum()
}

/// Rank 0 of `comm` drives, the others serve; the program may send its own messages meanwhile.
fn cluster_on(comm: Comm, round: u64) -> mobula::Result<()> {
    let cluster = comm.cluster(Config::default().store_bytes(32 << 20))?;
    assert_eq!((cluster.rank() as i32, cluster.size() as i32), (comm.rank(), comm.size()));
    if cluster.rank() != 0 {
        cluster.serve()?;
        return Ok(());
    }
    let array = mobula::put_array(&vec![round; 100_000])?;
    for other in 0..cluster.size() {
        assert_eq!(*rank::on(other).remote().get()?, other);
        assert_eq!(*total::on(other).remote(&array).get()?, 100_000 * round);
    }
    cluster.shutdown()
}

fn refused(started: mobula::Result<Cluster>) -> String {
    match started.map(drop) {
        Err(error @ Error::Config { .. }) => error.to_string(),
        other => panic!("it should have been refused: {other:?}"),
    }
}

fn main() -> mobula::Result<()> {
    let requested = std::env::args().nth(1).unwrap_or("multiple".to_string()).to_uppercase();
    let requested = LEVELS.iter().position(|level| *level == requested).expect("a thread level of MPI");
    let without_library = refused(mobula::init_with_comm(0x4400_0000, Config::default()));
    assert!(without_library.contains("has loaded no MPI library"), "{without_library}");
    let mpi = Mpi::load();
    let world = mpi.world();
    let early = refused(world.cluster(Config::default()));
    assert!(early.contains("call MPI_Init first"), "{early}");
    let given = mpi.init(requested);
    if world.rank() == 0 {
        println!("MPI gave {}", LEVELS[given]);
    }
    let mistaken = refused(world.mistaken_cluster(Config::default()));
    assert!(mistaken.contains("is not one of"), "{mistaken}");
    for round in 1..4 {
        cluster_on(world, round)?;
        assert!(!mobula::is_initialized());
        // MPI belongs to the program: it still works, and mobula left no message in its communicator.
        assert_eq!(world.sum(world.rank()), world.size() * (world.size() - 1) / 2);
        assert!(!world.has_message(), "a stray message");
    }
    cluster_on(world.split(world.rank() % 2), 5)?;
    world.barrier();
    if world.rank() == 0 {
        println!("ok: {} ranks", world.size());
    }
    mpi.finalize();
    Ok(())
}
