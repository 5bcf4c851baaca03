/*
 * The start of every peer in C and C++: a core for each rank.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <unistd.h>

/* A core of its own for each rank, also where the process that started us was bound to one core. */
static inline void bind_to_core(int rank)
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
        if (CPU_ISSET(core, &every) && seen++ == rank % CPU_COUNT(&every)) {
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}
