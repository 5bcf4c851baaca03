/*
 * Reads and broadcasts in plain MPI.
 *
 *     mpirun -n 2 one_sided get BYTES ROUNDS          prints microseconds of an MPI_Get and the flush that ends it
 *     mpirun -n N one_sided broadcast BYTES ROUNDS    prints microseconds of an MPI_Bcast and the barrier that ends it
 *
 * The bytes are compared after the last round.
 */
enum { FILL = 7 };

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int get = argc == 4 && !strcmp(argv[1], "get");
    int bytes = argc == 4 ? atoi(argv[2]) : 0;
    int rounds = argc == 4 ? atoi(argv[3]) : 0;
    if (size < 2 || bytes < 1 || rounds < 1 || (!get && strcmp(argv[1], "broadcast"))) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n 2 one_sided get|broadcast BYTES ROUNDS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    bind_to_core(rank);

    char *window, *here = memory(bytes);
    MPI_Win win;
    MPI_Win_allocate(bytes, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window, &win);
    memset(window, rank == 0 ? 0 : FILL, bytes);
    memset(here, get || rank != 0 ? 0 : FILL, bytes);
    MPI_Win_lock_all(0, win);
    MPI_Win_sync(win);

    /* The first pass warms up. */
    double seconds = 0;
    for (int pass = 0; pass < 2; pass++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        for (int round = 0; round < rounds; round++) {
            if (!get) {
                MPI_Bcast(here, bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
                MPI_Barrier(MPI_COMM_WORLD);
            } else if (rank == 0) {
                MPI_Get(here, bytes, MPI_BYTE, 1, 0, bytes, MPI_BYTE, win);
                MPI_Win_flush(1, win);
            }
        }
        seconds = MPI_Wtime() - start;
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Win_unlock_all(win);
    if ((!get || rank == 0) && (here[0] != FILL || here[bytes - 1] != FILL)) {
        fprintf(stderr, "one_sided: the bytes came as others\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (rank == 0)
        printf("%.6f\n", seconds / rounds * 1e6);
    MPI_Win_free(&win);
    free(here);
    MPI_Finalize();
    return 0;
}
