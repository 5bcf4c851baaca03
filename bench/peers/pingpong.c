/*
 * Messages between two ranks of one host in plain MPI.
 *
 *     mpirun -n 2 pingpong roundtrip BYTES ROUNDS     prints microseconds a round trip
 *     mpirun -n 2 pingpong requests BYTES ROUNDS      prints million requests a second, 64 of them in flight
 *
 * A round trip and a request are the same: BYTES go to rank 1, and as many come back.
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More at once is slower: what finds no room in the shared-memory queue is tried again and again. */
enum { TAG = 1, WINDOW = 64 };

/* A core of its own for each rank, also where the process that started us was bound to one core. */
static void bind_to_core(int rank)
{
    cpu_set_t every, one;
    int seen = 0;
    CPU_ZERO(&every);
    for (long core = 0; core < sysconf(_SC_NPROCESSORS_CONF) && core < CPU_SETSIZE; core++)
        CPU_SET(core, &every);
    /* The kernel leaves out what this process may never use. */
    if (sched_setaffinity(0, sizeof every, &every) || sched_getaffinity(0, sizeof every, &every))
        return;
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &every) && seen++ == rank) {
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}

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

int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int in_flight = argc == 4 && !strcmp(argv[1], "requests");
    int bytes = argc == 4 ? atoi(argv[2]) : 0;
    int rounds = argc == 4 ? atoi(argv[3]) : 0;
    if (size != 2 || bytes < 1 || rounds < 1 || (!in_flight && strcmp(argv[1], "roundtrip"))) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n 2 pingpong roundtrip|requests BYTES ROUNDS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    bind_to_core(rank);

    char *buffer = calloc(WINDOW, bytes);
    char *question = calloc(1, bytes);
    if (!buffer || !question) {
        fprintf(stderr, "pingpong: no memory for %d messages of %d bytes\n", WINDOW, bytes);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }

    /* The first pass warms up: connections, caches, clocks. */
    double seconds = 0;
    for (int pass = 0; pass < 2; pass++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        if (rank == 1)
            answer(buffer, bytes, rounds);
        else if (in_flight)
            ask_many(buffer, bytes, rounds, question);
        else
            ask_one_by_one(buffer, bytes, rounds);
        seconds = MPI_Wtime() - start;
    }
    if (rank == 0)
        printf("%.6f\n", in_flight ? rounds / seconds / 1e6 : seconds / rounds * 1e6);
    free(question);
    free(buffer);
    MPI_Finalize();
    return 0;
}
