/* farm: a master that hands out work with arrays, and takes the results in the order in which they are ready.
 *
 * The work is a matrix product A B = C. B is put once, and every task reads it in place: each host gets one copy, not
 * each task. A task gets some rows of A and returns those rows of C.
 *
 *   cc farm.c -o farm $(pkg-config --cflags --libs mobula)
 *   mpirun -n 4 ./farm
 */
#include <mobula.h>
#include <stdio.h>
#include <stdlib.h>

#define N 240          /* of the matrices, N x N, row by row */
#define ROWS 10        /* rows of a task */
#define TASKS (N / ROWS)

/* rows of C = rows of A times B */
static void multiply(size_t rows, const double *a, const double *b, double *c) {
    for (size_t i = 0; i < rows; i++) {
        double *row = c + i * N;
        for (size_t j = 0; j < N; j++) row[j] = 0.0;
        for (size_t k = 0; k < N; k++)
            for (size_t j = 0; j < N; j++) row[j] += a[i * N + k] * b[k * N + j];
    }
}

/* The task: both arguments are views of the store, and the result is written where it stays. */
static mobula_status product(mobula_call *call, void *user) {
    mobula_view a, b;
    mobula_status s;
    void *c;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &a)) || (s = mobula_arg(call, 1, MOBULA_F64, &b))) return s;
    if (a.count % N != 0 || b.count != N * N) return mobula_fail(call, "product: these are no rows of A, or no B");
    if ((s = mobula_return_create(call, 0, a.count, MOBULA_F64, &c))) return s;
    multiply(a.count / N, a.data, b.data, c);
    return MOBULA_OK;
}
MOBULA_TASK(product)

static void check(mobula_status status) {
    if (status == MOBULA_OK) return;
    fprintf(stderr, "farm: %s: %s\n", mobula_status_name(status), mobula_last_error());
    exit(1);
}

static void fill(double *matrix, int factor) {
    for (int i = 0; i < N * N; i++) matrix[i] = (double)(i * factor % 101 - 50) / 50.0;
}

int main(void) {
    check(mobula_init(NULL));
    if (mobula_rank() != 0) return mobula_serve();

    static double a[N * N], c[N * N], expected[N * N];
    fill(a, 7);

    /* B is written in place, in the store. From mobula_seal on it is immutable. */
    mobula_buffer buffer;
    mobula_ref *b;
    check(mobula_create(N * N, MOBULA_F64, &buffer));
    fill(buffer.data, 13);
    check(mobula_seal(&buffer, &b));

    mobula_ref *parts[TASKS];
    int first_row[TASKS], num_parts = 0;
    for (int task = 0; task < TASKS; task++) {
        first_row[task] = task * ROWS;
        mobula_arg_value args[] = { MOBULA_VALUE(a + first_row[task] * N, ROWS * N, MOBULA_F64), MOBULA_REF(b) };
        check(mobula_submit("product", args, 2, NULL, &parts[num_parts++], 1));
    }

    /* Whatever is ready is taken; the others go on. */
    while (num_parts > 0) {
        bool ready[TASKS];
        size_t num_ready;
        int kept = 0;
        check(mobula_wait(parts, (size_t)num_parts, 1, -1.0, ready, &num_ready));
        for (int i = 0; i < num_parts; i++) {
            if (ready[i]) {
                mobula_view view;
                check(mobula_get(parts[i], -1.0, &view));
                const double *rows = view.data;
                for (size_t k = 0; k < view.count; k++) c[first_row[i] * N + (int)k] = rows[k];
                mobula_release(&view);
                mobula_ref_free(parts[i]);
            } else {
                first_row[kept] = first_row[i];
                parts[kept++] = parts[i];
            }
        }
        num_parts = kept;
    }

    mobula_view view;
    check(mobula_get(b, -1.0, &view));
    multiply(N, a, view.data, expected);
    mobula_release(&view);
    mobula_ref_free(b);
    check(mobula_shutdown());
    for (int i = 0; i < N * N; i++) {
        double difference = c[i] - expected[i];
        if (!(difference < 1e-12 && difference > -1e-12)) { /* a NaN is wrong, too */
            fprintf(stderr, "farm: C(%d, %d) is %.15g instead of %.15g\n", i / N, i % N, c[i], expected[i]);
            return 1;
        }
    }
    printf("ok: %d x %d matrices, %d tasks\n", N, N, TASKS);
    return 0;
}
