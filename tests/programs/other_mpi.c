// Stands for an MPI library, or for a profiler before one (PROFILER), of an ABI that mobula does not know. VERSION is
// what it says of itself, ABI_MAJOR the version of the standard's ABI. mobula must start nothing of it.
#include <stdlib.h>
#include <string.h>

int MPI_Init_thread(void) { abort(); }

#ifndef PROFILER
int PMPI_Init_thread(void) { abort(); }
#endif

int MPI_Get_library_version(char *text, int *length) {
    strcpy(text, VERSION);
    *length = (int)strlen(VERSION);
    return 0;
}

#ifdef ABI_MAJOR
int MPI_Abi_get_version(int *major, int *minor) {
    *major = ABI_MAJOR;
    *minor = ABI_MAJOR < 0 ? -1 : 0;
    return 0;
}
#endif
