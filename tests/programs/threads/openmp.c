/* An OpenMP region as a library of a user has it: the sum of the squares below `count`, and by thread how many CPUs it
   may run on. 0 threads are as many as OpenMP chooses. */
#define _GNU_SOURCE
#include <omp.h>
#include <sched.h>

unsigned long squares(unsigned long count, int threads, int *cpus, int threads_max) {
    unsigned long sum = 0;
    if (threads == 0)
        threads = omp_get_max_threads();
#pragma omp parallel reduction(+ : sum) num_threads(threads)
    {
        cpu_set_t set;
        sched_getaffinity(0, sizeof set, &set);
        if (omp_get_thread_num() < threads_max)
            cpus[omp_get_thread_num()] = CPU_COUNT(&set);
#pragma omp for
        for (unsigned long number = 0; number < count; number++)
            sum += number * number;
    }
    return sum;
}
