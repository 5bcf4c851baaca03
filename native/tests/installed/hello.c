/* A task on the last rank, with the installed library. */
#include <mobula.h>
#include <stdio.h>

static mobula_status twice(mobula_call *call, void *user) {
    mobula_view x;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &x))) return s;
    double doubled = 2.0 * ((const double *)x.data)[0];
    return mobula_return(call, 0, &doubled, 1, MOBULA_F64);
}
MOBULA_TASK(twice)

static int failed(void) {
    fprintf(stderr, "%s\n", mobula_last_error());
    return 1;
}

int main(void) {
    double x = 21.0;
    mobula_ref *y;
    mobula_view view;
    if (mobula_init(NULL)) return failed();
    if (mobula_rank() != 0) return mobula_serve() ? failed() : 0;
    mobula_options options = MOBULA_OPTIONS_INIT;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = mobula_size() - 1;
    mobula_arg_value args[] = { MOBULA_VALUE(&x, 1, MOBULA_F64) };
    if (mobula_submit("twice", args, 1, &options, &y, 1) || mobula_get(y, -1.0, &view)) return failed();
    printf("ok: %g from C, ranks: %u\n", ((const double *)view.data)[0], (unsigned)mobula_size());
    mobula_release(&view);
    mobula_ref_free(y);
    return mobula_shutdown() ? failed() : 0;
}
