/* hello: tasks that run anywhere, references that connect them, and one task on every rank.
 *
 *   cc hello.c -o hello $(pkg-config --cflags --libs mobula)
 *   ./hello                                    alone
 *   mpirun -n 4 ./hello                        or srun -n 4 ./hello
 */
#include <mobula.h>
#include <stdio.h>
#include <stdlib.h>

/* A task: the same function on every rank. Its arguments and results are arrays; a number is an array of one. */
static mobula_status add(mobula_call *call, void *user) {
    mobula_view a, b;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &a)) || (s = mobula_arg(call, 1, MOBULA_F64, &b))) return s;
    double sum = ((const double *)a.data)[0] + ((const double *)b.data)[0];
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(add) /* registered before main, on every rank alike */

static mobula_status greet(mobula_call *call, void *user) {
    mobula_view name;
    mobula_status s;
    char text[100];
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_BYTES, &name))) return s;
    int length = snprintf(text, sizeof text, "hello %.*s, from rank %u", (int)name.count, (const char *)name.data,
                          (unsigned)mobula_rank());
    return mobula_return(call, 0, text, (size_t)length, MOBULA_BYTES);
}
MOBULA_TASK(greet)

static void check(mobula_status status) {
    if (status == MOBULA_OK) return;
    fprintf(stderr, "hello: %s: %s\n", mobula_status_name(status), mobula_last_error());
    exit(1);
}

int main(void) {
    check(mobula_init(NULL));
    if (mobula_rank() != 0) return mobula_serve(); /* runs tasks until rank 0 is through */

    /* A call returns a reference at once; a reference is passed on before its value is there. */
    double one = 1.0, two = 2.0, ten = 10.0;
    mobula_ref *three, *thirteen;
    mobula_arg_value numbers[] = { MOBULA_VALUE(&one, 1, MOBULA_F64), MOBULA_VALUE(&two, 1, MOBULA_F64) };
    check(mobula_submit("add", numbers, 2, NULL, &three, 1));
    mobula_arg_value more[] = { MOBULA_REF(three), MOBULA_VALUE(&ten, 1, MOBULA_F64) };
    check(mobula_submit("add", more, 2, NULL, &thirteen, 1));

    /* One greeting from every rank. */
    mobula_options on_rank = MOBULA_OPTIONS_INIT;
    mobula_arg_value name = MOBULA_VALUE("world", 5, MOBULA_BYTES);
    mobula_view view;
    on_rank.placement = MOBULA_PLACE_RANK;
    for (on_rank.rank = 0; on_rank.rank < mobula_size(); on_rank.rank++) {
        mobula_ref *greeting;
        check(mobula_submit("greet", &name, 1, &on_rank, &greeting, 1));
        check(mobula_get(greeting, -1.0, &view));
        printf("%.*s\n", (int)view.count, (const char *)view.data);
        mobula_release(&view);
        mobula_ref_free(greeting);
    }

    check(mobula_get(thirteen, -1.0, &view)); /* waits, and reads in place */
    double sum = ((const double *)view.data)[0];
    mobula_release(&view);
    mobula_ref_free(three);
    mobula_ref_free(thirteen);
    check(mobula_shutdown());
    if (sum != 13.0) {
        fprintf(stderr, "hello: %g instead of 13\n", sum);
        return 1;
    }
    printf("ok: %g\n", sum);
    return 0;
}
