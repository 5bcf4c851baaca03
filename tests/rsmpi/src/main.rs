//! mobula inside an MPI program: the program keeps its communicator and goes on calling MPI while tasks run.
//!
//! Every rank here is an ordinary MPI rank and a driver of its own. mobula duplicates the communicator that it is
//! given, so that the two never see each other's messages. mobula stops before MPI does.
//!
//! ```text
//! cargo build --release -p mobula-test-rsmpi
//! mpirun -n 4 target/release/mpi_coexist
//! ```

use mobula::prelude::*;
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::point_to_point::send_receive;
use mpi::raw::AsRaw;
use mpi::traits::*;

/// Tasks that each rank starts, and messages that it sends meanwhile.
const ROUNDS: u64 = 200;

/// The sum of `begin..end`, slow enough to overlap with the messages.
#[mobula::remote]
fn sum(begin: u64, end: u64) -> u64 {
    (begin..end).map(std::hint::black_box).sum()
}

fn main() -> mobula::Result<()> {
    // Both sides call MPI from threads of their own.
    let Some((universe, Threading::Multiple)) = mpi::initialize_with_threading(Threading::Multiple) else {
        panic!("this MPI does not offer MPI_THREAD_MULTIPLE");
    };
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let cluster = mobula::init_with_comm(world.as_raw(), Config::default())?;
    assert_eq!((cluster.rank(), cluster.size()), (rank as u32, size as u32));

    // Work for mobula, which may run on any rank ...
    let width = 10_000;
    let tasks: Vec<ObjectRef<u64>> = (0..ROUNDS).map(|task| sum::remote(task * width, (task + 1) * width)).collect();

    // ... while this thread passes a number around the ring and adds up over all ranks.
    let (next, before) = (world.process_at_rank((rank + 1) % size), world.process_at_rank((rank + size - 1) % size));
    let mut around = rank as u64;
    for _ in 0..ROUNDS {
        (around, _) = send_receive(&(around + 1), &next, &before);
    }
    let mut by_mpi = 0u64;
    world.all_reduce_into(&around, &mut by_mpi, SystemOperation::sum());

    let by_tasks: u64 = mobula::get_all(&tasks)?.iter().map(|part| **part).sum();

    // Each number went ROUNDS steps, so that the ranks' numbers are 0, 1, ... plus ROUNDS each.
    let size = size as u64;
    assert_eq!(by_mpi, size * (size - 1) / 2 + size * ROUNDS);
    assert_eq!(by_tasks, (ROUNDS * width) * (ROUNDS * width - 1) / 2);
    cluster.shutdown()?;

    // MPI still works.
    world.barrier();
    if rank == 0 {
        println!("ok: MPI {by_mpi}, tasks {by_tasks}, {size} ranks");
    }
    Ok(())
}
