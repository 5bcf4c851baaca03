//! `init_with_comm`: clusters inside an MPI program, one after the other, on the world and on halves of it.
//!
//! The argument is the thread level that the program requests from MPI: `single`, as most programs do, `funneled`,
//! `serialized` or `multiple`.

use mobula::Error;
use mobula::prelude::*;
use mpi::Threading;
use mpi::raw::AsRaw;
use mpi::topology::{Color, Communicator};
use mpi::traits::*;

#[mobula::remote]
fn rank() -> u32 {
    mobula::context().rank()
}

#[mobula::remote]
fn total(values: &[u64]) -> u64 {
    values.iter().sum()
}

/// Rank 0 of `comm` drives, the others serve; the program may send its own messages meanwhile.
fn cluster_on(comm: &impl Communicator, round: u64) -> mobula::Result<()> {
    let cluster = mobula::init_with_comm(comm.as_raw(), Config::default().store_bytes(32 << 20))?;
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

fn main() -> mobula::Result<()> {
    let requested = match std::env::args().nth(1).as_deref() {
        Some("single") => Threading::Single,
        Some("funneled") => Threading::Funneled,
        Some("serialized") => Threading::Serialized,
        None | Some("multiple") => Threading::Multiple,
        Some(other) => panic!("{other} is no thread level of MPI"),
    };
    let early = mobula::init_with_comm(mpi::topology::SimpleCommunicator::world().as_raw(), Config::default());
    assert!(matches!(early.map(|_| ()), Err(Error::Config { .. })), "MPI_Init has not been called yet");
    let (universe, given) = mpi::initialize_with_threading(requested).expect("MPI is not initialized yet");
    let world = universe.world();
    if world.rank() == 0 {
        println!("MPI gave {}", format!("{given:?}").to_uppercase());
    }
    for round in 1..4 {
        cluster_on(&world, round)?;
        assert!(!mobula::is_initialized());
        // MPI belongs to the program: it still works, and mobula left no message in its communicator.
        let mut sum = 0;
        world.all_reduce_into(&world.rank(), &mut sum, mpi::collective::SystemOperation::sum());
        assert_eq!(sum, world.size() * (world.size() - 1) / 2);
        assert!(world.any_process().immediate_probe().is_none(), "a stray message");
    }
    let half = world.split_by_color(Color::with_value(world.rank() % 2)).expect("every rank has a colour");
    cluster_on(&half, 5)?;
    world.barrier();
    if world.rank() == 0 {
        println!("ok: {} ranks", world.size());
    }
    Ok(())
}
