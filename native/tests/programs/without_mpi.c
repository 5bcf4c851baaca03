/* A communicator in a program that has no MPI: built without mpi.h. */
#include "check.h"

int main(void) {
    const char *missing = "mobula_init_with_comm: a communicator was passed, but this program has loaded no MPI library";
    int comm = 0x44000000;
    void *address = &comm;
    FAILS(mobula_init_with_comm_at(&comm, sizeof(comm), NULL), MOBULA_ERR_CONFIG, missing);
    FAILS(mobula_init_with_comm_at(&address, sizeof(address), NULL), MOBULA_ERR_CONFIG, missing);
    FAILS(mobula_init_with_comm_fortran(0, NULL), MOBULA_ERR_CONFIG, missing);
    printf("ok: without MPI\n");
    return 0;
}
