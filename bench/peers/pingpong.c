/*
 * Messages between ranks of one host in plain MPI.
 *
 *     mpirun -n 2 pingpong roundtrip BYTES ROUNDS     prints microseconds a round trip
 *     mpirun -n 2 pingpong requests BYTES ROUNDS      prints million requests a second, 64 of them in flight
 *     mpirun -n N pingpong alltoall BYTES ROUNDS      the same, of every rank to every other one, all together
 *
 * A round trip and a request are the same: BYTES go to the other rank, and as many come back.
 */
/* More at once is slower: what finds no room in the shared-memory queue is tried again and again. */
enum { TAG = 1, WINDOW = 64 };

/* Answers ROUNDS messages, one by one. */
static void answer(char *buffer, int bytes, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        MPI_Recv(buffer, bytes, MPI_BYTE, 0, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(buffer, bytes, MPI_BYTE, 0, TAG, MPI_COMM_WORLD);
    }
}

static void ask_one_by_one(char *buffer, int bytes, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        MPI_Send(buffer, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD);
        MPI_Recv(buffer, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

/* `buffer` has room for WINDOW answers. */
static void ask_many(char *buffer, int bytes, int rounds, const char *question)
{
    MPI_Request requests[2 * WINDOW];
    MPI_Status statuses[2 * WINDOW];
    for (int done = 0; done < rounds; done += WINDOW) {
        int count = rounds - done < WINDOW ? rounds - done : WINDOW;
        for (int slot = 0; slot < count; slot++) {
            char *room = buffer + (size_t)slot * bytes;
            MPI_Irecv(room, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, &requests[2 * slot]);
            MPI_Isend(question, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, &requests[2 * slot + 1]);
        }
        MPI_Waitall(2 * count, requests, statuses);
    }
}

/* Every rank asks every other one ROUNDS times; whoever asks also answers. */
static void ask_everybody(char *buffer, int bytes, int rounds, const char *question, int rank, int size)
{
    MPI_Request *requests = memory(2 * (size_t)WINDOW * size * sizeof *requests);
    for (int done = 0; done < rounds; done += WINDOW) {
        int count = rounds - done < WINDOW ? rounds - done : WINDOW;
        /* Questions both ways, then answers both ways. */
        for (int way = 0; way < 2; way++) {
            int posted = 0;
            for (int other = 0; other < size; other++) {
                for (int slot = 0; slot < count && other != rank; slot++) {
                    char *room = buffer + ((size_t)other * WINDOW + slot) * bytes;
                    MPI_Irecv(room, bytes, MPI_BYTE, other, TAG, MPI_COMM_WORLD, &requests[posted++]);
                    MPI_Isend(question, bytes, MPI_BYTE, other, TAG, MPI_COMM_WORLD, &requests[posted++]);
                }
            }
            MPI_Waitall(posted, requests, MPI_STATUSES_IGNORE);
        }
    }
    free(requests);
}

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const char *mode = argc == 4 ? argv[1] : "";
    int in_flight = !strcmp(mode, "requests"), everybody = !strcmp(mode, "alltoall");
    int bytes = argc == 4 ? atoi(argv[2]) : -1;
    int rounds = argc == 4 ? atoi(argv[3]) : 0;
    if (bytes < 0 || rounds < 1 || (!everybody && size != 2) || (!in_flight && !everybody && strcmp(mode, "roundtrip"))) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n 2 pingpong roundtrip|requests|alltoall BYTES ROUNDS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    bind_to_core(rank);

    char *buffer = memory((size_t)WINDOW * bytes * size);
    char *question = memory(bytes);

    /* The first pass warms up: connections, caches, clocks. */
    double seconds = 0;
    for (int pass = 0; pass < 2; pass++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        if (everybody)
            ask_everybody(buffer, bytes, rounds, question, rank, size);
        else if (rank == 1)
            answer(buffer, bytes, rounds);
        else if (in_flight)
            ask_many(buffer, bytes, rounds, question);
        else
            ask_one_by_one(buffer, bytes, rounds);
        if (everybody)
            MPI_Barrier(MPI_COMM_WORLD);
        seconds = MPI_Wtime() - start;
    }
    double millions = (everybody ? (double)size * (size - 1) : 1.0) * rounds / seconds / 1e6;
    if (rank == 0)
        printf("%.6f\n", in_flight || everybody ? millions : seconds / rounds * 1e6);
    free(question);
    free(buffer);
    MPI_Finalize();
    return 0;
}
