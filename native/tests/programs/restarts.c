/* A rank is killed: its actor goes on from the state that was saved; a task that only it may run fails. */
#include "check.h"
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

static mobula_status total_new(mobula_call *call, void *user, void **state) {
    mobula_view start;
    mobula_status s;
    double *total;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &start))) return s;
    total = malloc(sizeof *total);
    *total = ((const double *)start.data)[0];
    *state = total;
    return MOBULA_OK;
}

static mobula_status total_add(mobula_call *call, void *state) {
    mobula_view x;
    mobula_status s;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &x))) return s;
    *(double *)state += ((const double *)x.data)[0];
    return mobula_return(call, 0, state, 1, MOBULA_F64);
}

static mobula_status total_save(mobula_call *call, void *state) { return mobula_return(call, 0, state, 1, MOBULA_F64); }

static mobula_status process(mobula_call *call, void *state) {
    double pid = (double)getpid();
    (void)state;
    return mobula_return(call, 0, &pid, 1, MOBULA_F64);
}

static mobula_status where(mobula_call *call, void *user) {
    double rank = mobula_rank();
    (void)user;
    return mobula_return(call, 0, &rank, 1, MOBULA_F64);
}
MOBULA_TASK(where)

static double call(mobula_actor *total, const char *method, double x) {
    mobula_arg_value arg = MOBULA_VALUE(&x, 1, MOBULA_F64);
    mobula_ref *ref;
    double value;
    OK(mobula_actor_call(total, method, &arg, 1, &ref, 1));
    value = number(ref);
    mobula_ref_free(ref);
    return value;
}

int main(void) {
    static const mobula_method methods[] = { { "add", total_add, 1 }, { "process", process, 1 } };
    mobula_actor_class class_ = MOBULA_ACTOR_CLASS_INIT;
    mobula_options options = MOBULA_OPTIONS_INIT;
    double start = 10.0;
    mobula_arg_value arg = MOBULA_VALUE(&start, 1, MOBULA_F64);
    mobula_actor *total;
    mobula_ref *ref;
    mobula_view view;
    class_.name = "total";
    class_.construct = class_.restore = total_new;
    class_.save = total_save;
    class_.destroy = free;
    class_.methods = methods;
    class_.num_methods = 2;
    OK(mobula_register_actor(&class_));
    OK(mobula_init(NULL));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    options.max_restarts = 1;
    options.max_task_retries = MOBULA_UNBOUNDED;
    options.placement = MOBULA_PLACE_SPREAD;
    do { /* on rank 1 */
        OK(mobula_actor_create("total", &arg, 1, &options, &total));
        if (call(total, "process", 0.0) != (double)getpid()) break;
        mobula_actor_free(total);
    } while (true);
    CHECK(call(total, "add", 5.0) == 15.0 && call(total, "add", 7.0) == 22.0);
    CHECK(kill((pid_t)call(total, "process", 0.0), SIGKILL) == 0);
    CHECK(call(total, "add", 8.0) == 30.0);
    CHECK(call(total, "process", 0.0) == (double)getpid());
    OK(mobula_actor_kill(total));
    mobula_actor_free(total);
    options.max_restarts = options.max_task_retries = -1;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = 1; /* dead */
    OK(mobula_submit("where", NULL, 0, &options, &ref, 1));
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_NODE_DIED, "rank 1");
    mobula_ref_free(ref);
    options.placement = MOBULA_PLACE_AUTO;
    OK(mobula_submit("where", NULL, 0, &options, &ref, 1));
    CHECK(number(ref) == 0.0);
    mobula_ref_free(ref);
    OK(mobula_shutdown());
    printf("ok: restarts\n");
    return 0;
}
