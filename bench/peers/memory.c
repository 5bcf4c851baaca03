/*
 * What every peer in plain MPI begins with, behind cores.c: its headers, and memory or abort.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Cleared memory; the job ends if there is none. */
static inline void *memory(size_t bytes)
{
    void *room = calloc(1, bytes ? bytes : 1);
    if (!room) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return room;
}
