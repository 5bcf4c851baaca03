/*
 * The cost of starting in plain MPI.
 *
 *     mpirun -n N startup time      prints milliseconds from before MPI_Init until every rank has a message of every rank
 *     mpirun -n N startup memory    prints kilobytes that rank 0 has after a message from and to every rank
 */
static long resident_kilobytes(void)
{
    char line[256];
    long kilobytes = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1)
            break;
    if (status)
        fclose(status);
    return kilobytes;
}

int main(int argc, char **argv)
{
    struct timespec before, after;
    int rank, size;
    clock_gettime(CLOCK_MONOTONIC, &before);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    char *in = memory(8 * (size_t)size), *out = memory(8 * (size_t)size);
    MPI_Alltoall(out, 8, MPI_BYTE, in, 8, MPI_BYTE, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int prints_memory = argc == 2 && !strcmp(argv[1], "memory");
    long kilobytes = resident_kilobytes();
    MPI_Finalize();
    double ms = (after.tv_sec - before.tv_sec) * 1e3 + (after.tv_nsec - before.tv_nsec) / 1e6;
    if (rank == 0)
        printf("%.3f\n", prints_memory ? (double)kilobytes : ms);
    return 0;
}
