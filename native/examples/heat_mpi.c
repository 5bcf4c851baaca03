/* heat_mpi: 2-D heat in plain MPI, as heat.c was before mobula. Each rank has some rows of the plate; in every step it
 * exchanges the rows at the ends of its own with its neighbours (halo), and all ranks agree on the largest change.
 *
 *   mpicc heat_mpi.c -o heat_mpi -lm
 *   mpirun -n 4 ./heat_mpi
 */
#include "heat.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int rank, size, step;
    double change = 1.0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size > ROWS) MPI_Abort(MPI_COMM_WORLD, 2); /* a rank has a row at least */

    int first = rank * ROWS / size, rows = (rank + 1) * ROWS / size - first;
    int up = rank > 0 ? rank - 1 : MPI_PROC_NULL, down = rank + 1 < size ? rank + 1 : MPI_PROC_NULL;
    double *now = plate(first, rows), *next = plate(first, rows);

    for (step = 0; step < STEPS && change > STEADY; step++) {
        double own_change, *last_row = now + rows * COLUMNS;
        MPI_Sendrecv(now + COLUMNS, COLUMNS, MPI_DOUBLE, up, 0, last_row + COLUMNS, COLUMNS, MPI_DOUBLE, down, 0,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Sendrecv(last_row, COLUMNS, MPI_DOUBLE, down, 1, now, COLUMNS, MPI_DOUBLE, up, 1, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        own_change = relax(now, next, first, rows);
        MPI_Allreduce(&own_change, &change, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        double *swap = now;
        now = next;
        next = swap;
    }

    int counts[size], starts[size], right = 1;
    static double whole[ROWS * COLUMNS];
    for (int r = 0; r < size; r++) {
        starts[r] = r * ROWS / size * COLUMNS;
        counts[r] = (r + 1) * ROWS / size * COLUMNS - starts[r];
    }
    MPI_Gatherv(now + COLUMNS, rows * COLUMNS, MPI_DOUBLE, whole, counts, starts, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    free(now);
    free(next);
    if (rank == 0) right = is_right(whole, step);
    const char *found = right ? "ok" : "heat_mpi: wrong";
    if (rank == 0) printf("%s: %d steps on %d ranks, the last changed %.6f\n", found, step, size, change);
    MPI_Finalize();
    return !right;
}
