/*
 * Calls of MPI_Isend on rank 0 and of MPI_Irecv on rank 1, eight bytes each: callgrind counts those calls alone.
 *
 *     mpirun -n 2 valgrind --tool=callgrind --toggle-collect=MPI_Isend isend CALLS
 *
 * Few are under way at once, so that every message finds space where the receiver looks for it.
 */
enum { TAG = 1, WINDOW = 16 };

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int calls = argc == 2 ? atoi(argv[1]) : 0;
    if (calls < 1 || size != 2) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n 2 isend CALLS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    double numbers[WINDOW] = {0};
    MPI_Request requests[WINDOW];
    for (int done = 0; done < calls; done += WINDOW) {
        int count = calls - done < WINDOW ? calls - done : WINDOW;
        for (int slot = 0; slot < count; slot++) {
            if (rank == 0)
                MPI_Isend(&numbers[slot], 1, MPI_DOUBLE, 1, TAG, MPI_COMM_WORLD, &requests[slot]);
            else
                MPI_Irecv(&numbers[slot], 1, MPI_DOUBLE, 0, TAG, MPI_COMM_WORLD, &requests[slot]);
        }
        MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
