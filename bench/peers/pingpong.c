/*
 * Messages between ranks of one host in plain MPI.
 *
 *     mpirun -n 2 pingpong roundtrip BYTES ROUNDS     prints microseconds a round trip
 *     mpirun -n 2 pingpong requests BYTES ROUNDS      prints million requests a second, 64 of them in flight
 *     mpirun -n N pingpong alltoall BYTES ROUNDS      the same, of every rank to every other one, all together
 *
 * A round trip and a request are the same: BYTES go to the other rank, and as many come back.
 */
/* More at once is slower: a message that does not fit into the shared-memory queue is tried again and again. */
enum { TAG = 1, WINDOW = 64 };

/* Responds to ROUNDS messages, one by one. */
static void respond(char *buffer, int bytes, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        MPI_Recv(buffer, bytes, MPI_BYTE, 0, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(buffer, bytes, MPI_BYTE, 0, TAG, MPI_COMM_WORLD);
    }
}

static void request_one_by_one(char *buffer, int bytes, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        MPI_Send(buffer, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD);
        MPI_Recv(buffer, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

/* `buffer` has space for WINDOW responses. */
static void request_many(char *buffer, int bytes, int rounds, const char *request)
{
    MPI_Request requests[2 * WINDOW];
    MPI_Status statuses[2 * WINDOW];
    for (int done = 0; done < rounds; done += WINDOW) {
        int count = rounds - done < WINDOW ? rounds - done : WINDOW;
        for (int slot = 0; slot < count; slot++) {
            char *response = buffer + (size_t)slot * bytes;
            MPI_Irecv(response, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, &requests[2 * slot]);
            MPI_Isend(request, bytes, MPI_BYTE, 1, TAG, MPI_COMM_WORLD, &requests[2 * slot + 1]);
        }
        MPI_Waitall(2 * count, requests, statuses);
    }
}

/* Every rank sends ROUNDS requests to every other one, and responds to theirs. */
static void request_all(char *buffer, int bytes, int rounds, const char *request, int rank, int size)
{
    MPI_Request *requests = memory(2 * (size_t)WINDOW * size * sizeof *requests);
    for (int done = 0; done < rounds; done += WINDOW) {
        int count = rounds - done < WINDOW ? rounds - done : WINDOW;
        /* Requests both ways, then responses both ways. */
        for (int way = 0; way < 2; way++) {
            int posted = 0;
            for (int other = 0; other < size; other++) {
                for (int slot = 0; slot < count && other != rank; slot++) {
                    char *response = buffer + ((size_t)other * WINDOW + slot) * bytes;
                    MPI_Irecv(response, bytes, MPI_BYTE, other, TAG, MPI_COMM_WORLD, &requests[posted++]);
                    MPI_Isend(request, bytes, MPI_BYTE, other, TAG, MPI_COMM_WORLD, &requests[posted++]);
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
    int in_flight = !strcmp(mode, "requests"), all_to_all = !strcmp(mode, "alltoall");
    int bytes = argc == 4 ? atoi(argv[2]) : -1;
    int rounds = argc == 4 ? atoi(argv[3]) : 0;
    if (bytes < 0 || rounds < 1 || (!all_to_all && size != 2) || (!in_flight && !all_to_all && strcmp(mode, "roundtrip"))) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n 2 pingpong roundtrip|requests|alltoall BYTES ROUNDS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    bind_to_core(rank);

    char *buffer = memory((size_t)WINDOW * bytes * size);
    char *request = memory(bytes);

    /* The first pass warms up: connections, caches, clocks. */
    double seconds = 0;
    for (int pass = 0; pass < 2; pass++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        if (all_to_all)
            request_all(buffer, bytes, rounds, request, rank, size);
        else if (rank == 1)
            respond(buffer, bytes, rounds);
        else if (in_flight)
            request_many(buffer, bytes, rounds, request);
        else
            request_one_by_one(buffer, bytes, rounds);
        if (all_to_all)
            MPI_Barrier(MPI_COMM_WORLD);
        seconds = MPI_Wtime() - start;
    }
    double millions = (all_to_all ? (double)size * (size - 1) : 1.0) * rounds / seconds / 1e6;
    if (rank == 0)
        printf("%.6f\n", in_flight || all_to_all ? millions : seconds / rounds * 1e6);
    free(request);
    free(buffer);
    MPI_Finalize();
    return 0;
}
