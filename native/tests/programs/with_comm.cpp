// A program of C++ that uses MPI itself.
#include <cstdio>
#include <mobula.hpp>
#include <mpi.h>

#include "check.hpp"

double add(double a, double b) { return a + b; }
MOBULA_REMOTE(add);

static int sum_of_ones() {
    int one = 1, sum = 0;
    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

int main(int argc, char **argv) {
    int level = 0, rank = 0, size = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(sum_of_ones() == size);
    THROWS(mobula::config_error, "is MPI_COMM_NULL", mobula::cluster(MPI_COMM_NULL));
    {
        mobula::cluster cluster(MPI_COMM_WORLD, mobula::config{}.workers(1));
        CHECK(mobula::rank() == static_cast<std::uint32_t>(rank));
        const auto next = mobula::options{}.on_rank((mobula::rank() + 1) % mobula::size());
        mobula::ref<double> y = mobula::with(next).submit(add, rank, 2.0);
        CHECK(sum_of_ones() == size);
        CHECK(y.get() == rank + 2.0);
    }
    CHECK(sum_of_ones() == size);
    MPI_Finalize();
    if (rank == 0) std::printf("ok: C++ with a communicator of %d ranks\n", size);
}
