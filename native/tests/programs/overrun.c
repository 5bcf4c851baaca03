/* A task that waits, and then reads beyond an array on its stack: on rank 1, where it runs on a fiber. */
#include "check.h"

static mobula_status overrun(mobula_call *call, void *user) {
    volatile double values[4] = { 0 }, *beyond = values;
    double sum;
    mobula_ref *ref;
    (void)user;
    OK(mobula_submit("nothing", NULL, 0, NULL, &ref, 1));
    {
        mobula_view view;
        OK(mobula_get(ref, -1.0, &view));
        mobula_release(&view);
        mobula_ref_free(ref);
    }
    beyond += 4;
    sum = *beyond;
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(overrun)

static mobula_status nothing(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(nothing)

int main(void) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_ref *ref;
    mobula_view view;
    OK(mobula_init(NULL));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    options.placement = MOBULA_PLACE_RANK;
    options.rank = 1;
    options.max_retries = 0;
    OK(mobula_submit("overrun", NULL, 0, &options, &ref, 1));
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_NODE_DIED, "rank 1");
    mobula_ref_free(ref);
    OK(mobula_shutdown());
    printf("ok: overrun\n");
    return 0;
}
