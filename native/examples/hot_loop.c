/* hot_loop: a program in which one loop takes the time. The loop's iterations become tasks; the rest stays as it is.
 *
 * A column of air has reactions in each of its cells. How many steps the integration of a cell takes depends on its
 * state, so that columns take unequal time, and equal shares of them would leave cores idle.
 *
 *   cc hot_loop.c -o hot_loop $(pkg-config --cflags --libs mobula) -lm
 *   mpirun -n 4 ./hot_loop
 */
#include <math.h>
#include <mobula.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 40
#define COLUMNS 150
#define STEPS 5
#define CHUNK 8 /* columns of a task: some hundred microseconds of work or more */
#define CHUNKS ((COLUMNS + CHUNK - 1) / CHUNK)

/* The code that was there before: it knows nothing of tasks. */
static void react(double *column) {
    for (int cell = 0; cell < CELLS; cell++) {
        int steps = 10 + (int)(200 * column[cell] * column[cell]);
        double x = column[cell];
        for (int i = 0; i < steps; i++) x += 0.5 / steps * x * (1 - x) * exp(-x);
        column[cell] = x;
    }
}

static void advect(double *field) {
    double first[CELLS];
    memcpy(first, field, sizeof first);
    memmove(field, field + CELLS, (COLUMNS - 1) * CELLS * sizeof(double));
    memcpy(field + (COLUMNS - 1) * CELLS, first, sizeof first);
}

/* The task: the body of the loop, for some columns. */
static mobula_status react_columns(mobula_call *call, void *user) {
    mobula_view before;
    mobula_status s;
    void *after;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &before))) return s;
    if ((s = mobula_return_create(call, 0, before.count, MOBULA_F64, &after))) return s;
    memcpy(after, before.data, before.count * sizeof(double)); /* arguments are only read */
    for (size_t i = 0; i < before.count; i += CELLS) react((double *)after + i);
    return MOBULA_OK;
}
MOBULA_TASK(react_columns)

static void check(mobula_status status) {
    if (status == MOBULA_OK) return;
    fprintf(stderr, "hot_loop: %s: %s\n", mobula_status_name(status), mobula_last_error());
    exit(1);
}

/* What replaces the loop
 *     for (int j = 0; j < COLUMNS; j++) react(field + j * CELLS);
 */
static void react_all(double *field) {
    mobula_ref *refs[CHUNKS];
    for (int i = 0; i < CHUNKS; i++) {
        int columns = i < CHUNKS - 1 ? CHUNK : COLUMNS - i * CHUNK;
        mobula_arg_value arg = MOBULA_VALUE(field + i * CHUNK * CELLS, (size_t)(columns * CELLS), MOBULA_F64);
        check(mobula_submit("react_columns", &arg, 1, NULL, &refs[i], 1));
    }
    for (int i = 0; i < CHUNKS; i++) {
        mobula_view after;
        check(mobula_get(refs[i], -1.0, &after)); /* waits for this task; the others go on */
        memcpy(field + i * CHUNK * CELLS, after.data, after.count * sizeof(double));
        mobula_release(&after);
        mobula_ref_free(refs[i]);
    }
}

int main(void) {
    static double field[COLUMNS * CELLS], expected[COLUMNS * CELLS];
    check(mobula_init(NULL));
    if (mobula_rank() != 0) return mobula_serve(); /* ranks other than 0 only run tasks */

    for (int j = 0; j < COLUMNS; j++)
        for (int i = 0; i < CELLS; i++) field[j * CELLS + i] = 0.01 + (i + 1) * (j + 1) % 97 / 100.0;
    memcpy(expected, field, sizeof field);
    for (int step = 0; step < STEPS; step++) {
        advect(field);
        react_all(field);
    }
    check(mobula_shutdown());

    for (int step = 0; step < STEPS; step++) { /* the program as it was */
        advect(expected);
        for (int j = 0; j < COLUMNS; j++) react(expected + j * CELLS);
    }
    double sum = 0.0;
    for (int i = 0; i < COLUMNS * CELLS; i++) {
        if (!(fabs(field[i] - expected[i]) < 1e-12)) { /* a NaN is wrong, too */
            fprintf(stderr, "hot_loop: cell %d is %.15g instead of %.15g\n", i, field[i], expected[i]);
            return 1;
        }
        sum += field[i];
    }
    printf("ok: %d columns, %d steps, sum %.3f\n", COLUMNS, STEPS, sum);
    return 0;
}
