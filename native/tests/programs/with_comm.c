/* A program that uses MPI itself: collectives before, during and after its clusters. With an argument it has begun MPI
 * without threads. */
#include <mobula_mpi.h>

#include "check.h"

static mobula_status add(mobula_call *call, void *user) {
    mobula_view a, b;
    mobula_status s;
    double sum;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &a)) || (s = mobula_arg(call, 1, MOBULA_F64, &b))) return s;
    sum = ((const double *)a.data)[0] + ((const double *)b.data)[0];
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(add)

/* A collective of the program's own. */
static void sums_to(MPI_Comm comm, int expected) {
    int one = 1, sum = 0;
    CHECK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm) == MPI_SUCCESS && sum == expected);
}

/* A cluster of the ranks of `comm`: each sends a task to the next one, and joins a collective before the result. */
static void cluster_of(MPI_Comm comm) {
    int rank, size;
    double x, two = 2.0;
    mobula_ref *y;
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_arg_value args[2];
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    OK(mobula_init_with_comm(comm, NULL));
    CHECK(mobula_rank() == (uint32_t)rank && mobula_size() == (uint32_t)size);
    FAILS(mobula_init_with_comm(comm, NULL), MOBULA_ERR_CONFIG, "mobula_init_with_comm: a cluster runs");
    x = rank;
    args[0] = MOBULA_VALUE(&x, 1, MOBULA_F64);
    args[1] = MOBULA_VALUE(&two, 1, MOBULA_F64);
    options.placement = MOBULA_PLACE_RANK;
    options.rank = (uint32_t)((rank + 1) % size);
    OK(mobula_submit("add", args, 2, &options, &y, 1));
    sums_to(comm, size);
    CHECK(number(y) == rank + 2.0);
    mobula_ref_free(y);
    sums_to(comm, size);
    OK(mobula_shutdown());
    sums_to(comm, size);
}

/* Two groups of ranks and what is between them, where there are two. */
static void refuses_intercommunicators(int rank, int size) {
    MPI_Comm mine, between;
    if (size < 2) return;
    MPI_Comm_split(MPI_COMM_WORLD, rank == 0, rank, &mine);
    MPI_Intercomm_create(mine, 0, MPI_COMM_WORLD, rank == 0 ? 1 : 0, 7, &between);
    FAILS(mobula_init_with_comm(between, NULL), MOBULA_ERR_CONFIG, "is an intercommunicator");
    MPI_Comm_free(&between);
    MPI_Comm_free(&mine);
}

int main(int argc, char **argv) {
    int rank, size, level = MPI_THREAD_SINGLE;
    MPI_Comm reversed, world;
    FAILS(mobula_init_with_comm(MPI_COMM_WORLD, NULL), MOBULA_ERR_CONFIG, "MPI is not initialized: call MPI_Init");
    if (argc > 1) {
        MPI_Init(&argc, &argv);
    } else {
        MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sums_to(MPI_COMM_WORLD, size);

    world = MPI_COMM_WORLD;
    FAILS(mobula_init_with_comm(MPI_COMM_NULL, NULL), MOBULA_ERR_CONFIG, "mobula_init_with_comm: the communicator");
    FAILS(mobula_init_with_comm(MPI_COMM_NULL, NULL), MOBULA_ERR_CONFIG, "is MPI_COMM_NULL");
    FAILS(mobula_init_with_comm((MPI_Comm)0, NULL), MOBULA_ERR_CONFIG, "is MPI_COMM_NULL");
    FAILS(mobula_init_with_comm_at(&world, 3, NULL), MOBULA_ERR_INVALID_ARGUMENT, "comm_bytes is 3");
    REFUSES_NULL(mobula_init_with_comm_at(NULL, sizeof(world), NULL), "mobula_init_with_comm: comm");
    refuses_intercommunicators(rank, size);

    cluster_of(MPI_COMM_WORLD);
    MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &reversed);
    cluster_of(reversed);
    MPI_Comm_free(&reversed);
    cluster_of(MPI_COMM_SELF);

    sums_to(MPI_COMM_WORLD, size);
    MPI_Finalize();
    FAILS(mobula_init_with_comm(MPI_COMM_WORLD, NULL), MOBULA_ERR_CONFIG, "MPI was already finalized");
    if (rank == 0) printf("ok: with a communicator of %d ranks\n", size);
    return 0;
}
