/* parameter_sweep: runs that take unequal time; a bounded number at a time, results taken as they come.
 *
 * The runs are logistic maps x -> r x (1 - x) with their own r. The sweep counts those that converge, and finds the
 * widest swing.
 *
 *   cc parameter_sweep.c -o parameter_sweep $(pkg-config --cflags --libs mobula)
 *   mpirun -n 4 ./parameter_sweep
 */
#include <mobula.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS 1500   /* parameters tried: 2.500, 2.501, ... 3.999 */
#define AT_WORK 16  /* runs that are running or queued at any time */
#define STEADY 1e-3 /* a run with a smaller swing has converged */

/* How far apart the last values of the map lie. The number of steps differs from run to run by a factor of ten. */
static double swing_of(double r) {
    long steps = 2000 + (long)(r * 1000.0) % 10 * 2000;
    double x = 0.5;
    for (long i = 0; i < steps; i++) x = r * x * (1.0 - x);
    double low = x, high = x;
    for (int i = 0; i < 64; i++) {
        x = r * x * (1.0 - x);
        if (x < low) low = x;
        if (x > high) high = x;
    }
    return high - low;
}

static double parameter(int run) { return 2.5 + run / 1000.0; }

/* The task: from r to an array of two, { r, swing }. */
static mobula_status swing(mobula_call *call, void *user) {
    mobula_view r;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &r))) return s;
    double outcome[2] = { ((const double *)r.data)[0], 0.0 };
    outcome[1] = swing_of(outcome[0]);
    return mobula_return(call, 0, outcome, 2, MOBULA_F64);
}
MOBULA_TASK(swing)

static void check(mobula_status status) {
    if (status == MOBULA_OK) return;
    fprintf(stderr, "parameter_sweep: %s: %s\n", mobula_status_name(status), mobula_last_error());
    exit(1);
}

static mobula_ref *submit(int run) {
    double r = parameter(run);
    mobula_arg_value arg = MOBULA_VALUE(&r, 1, MOBULA_F64); /* copied by the call */
    mobula_ref *ref;
    check(mobula_submit("swing", &arg, 1, NULL, &ref, 1));
    return ref;
}

int main(void) {
    check(mobula_init(NULL));
    if (mobula_rank() != 0) return mobula_serve();

    mobula_ref *at_work[AT_WORK];
    bool ready[AT_WORK];
    int submitted = 0, num_at_work = 0, runs = 0, steady = 0;
    double widest[2] = { 0.0, 0.0 };
    while (num_at_work < AT_WORK) at_work[num_at_work++] = submit(submitted++);
    while (num_at_work > 0) {
        size_t num_ready;
        int kept = 0, begun = num_at_work;
        check(mobula_wait(at_work, (size_t)begun, 1, -1.0, ready, &num_ready)); /* until at least one is ready */
        for (int i = 0; i < begun; i++) {
            if (!ready[i]) {
                at_work[kept++] = at_work[i];
                continue;
            }
            mobula_view view;
            check(mobula_get(at_work[i], -1.0, &view));
            const double *outcome = view.data;
            runs++;
            steady += outcome[1] < STEADY;
            if (outcome[1] > widest[1]) widest[0] = outcome[0], widest[1] = outcome[1];
            mobula_release(&view);
            mobula_ref_free(at_work[i]);
            if (submitted < RUNS) at_work[kept++] = submit(submitted++); /* a new run for each one that ends */
        }
        num_at_work = kept;
    }
    check(mobula_shutdown());

    /* The same without tasks. */
    int expected = 0;
    for (int run = 0; run < RUNS; run++) expected += swing_of(parameter(run)) < STEADY;
    printf("the widest swing is %.3f, at r = %.3f\n", widest[1], widest[0]);
    if (runs != RUNS || steady != expected) {
        fprintf(stderr, "parameter_sweep: %d runs, %d of them steady, instead of %d\n", runs, steady, expected);
        return 1;
    }
    printf("ok: %d runs, %d of them steady\n", runs, steady);
    return 0;
}
