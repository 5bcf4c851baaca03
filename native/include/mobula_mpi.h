/*
 * mobula inside a program that uses MPI itself. The C interface; for C++ see mobula::cluster in mobula.hpp.
 *
 * The program is compiled and linked with its own MPI, of whichever library: libmobula is the same file for all. It finds
 * the functions of the library that the program has loaded, which must be a shared one.
 */
#ifndef MOBULA_MPI_H
#define MOBULA_MPI_H

#include <mobula.h>
#include <mpi.h>

/* Starts the cluster of the ranks of an intracommunicator, each of which calls it, after MPI_Init: a rank of the cluster
 * is the one of the communicator. The communicator is duplicated: the program uses its own, and MPI altogether, as
 * before, on any thread that MPI_Init_thread allows. With MPI_THREAD_MULTIPLE tasks and objects may travel over MPI;
 * below that the library calls MPI at start and end only, on this thread. Every rank drives; one that submits nothing
 * may call mobula_serve. The cluster is shut down before MPI_Finalize; another may follow. config: NULL for the defaults.
 *
 * Tasks that call MPI themselves need MPI_THREAD_MULTIPLE, and a communicator of their own.
 *
 * Errors: those of mobula_init. MOBULA_ERR_CONFIG before MPI_Init and after MPI_Finalize, for MPI_COMM_NULL, for an
 * intercommunicator, and in a program that has loaded no MPI library, or another than the one whose mpi.h this is. */
static inline mobula_status mobula_init_with_comm(MPI_Comm comm, const mobula_config *config) {
    return mobula_init_with_comm_at(&comm, sizeof(comm), config);
}

#endif
