/* The functions of C that languages.f90 calls, and calls of those of Fortran. */
#include "check.h"

static mobula_status c_sum(mobula_call *call, void *user) {
    size_t count, i, k;
    double sum = 0.0;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg_count(call, &count))) return s;
    if (count != 2) return mobula_fail(call, "it has other arguments than Fortran passed");
    for (i = 0; i < 2; i++) {
        mobula_view x;
        if ((s = mobula_arg(call, i, MOBULA_F64, &x))) return s;
        for (k = 0; k < x.count; k++) sum += ((const double *)x.data)[k];
    }
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}

static mobula_status c_ramp(mobula_call *call, void *user) {
    static const double values[6] = { 0, 1, 2, 3, 4, 5 };
    (void)user;
    return mobula_return(call, 0, values, 6, MOBULA_F64);
}

static mobula_status c_text(mobula_call *call, void *user) {
    (void)user;
    return mobula_return(call, 0, "hi", 2, MOBULA_BYTES);
}

static mobula_status total_new(mobula_call *call, void *user, void **state) {
    mobula_view start;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &start))) return s;
    *state = malloc(sizeof(double));
    memcpy(*state, start.data, sizeof(double));
    return MOBULA_OK;
}

static mobula_status total_add(mobula_call *call, void *state) {
    mobula_view more;
    mobula_status s;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &more))) return s;
    *(double *)state += ((const double *)more.data)[0];
    return mobula_return(call, 0, state, 1, MOBULA_F64);
}

void register_c(void) {
    static const mobula_method methods[] = { { "add", total_add, 1 } };
    mobula_actor_class class_ = MOBULA_ACTOR_CLASS_INIT;
    OK(mobula_register("c_sum", c_sum, NULL, 1));
    OK(mobula_register("c_ramp", c_ramp, NULL, 1));
    OK(mobula_register("c_text", c_text, NULL, 1));
    class_.name = "c_total";
    class_.construct = total_new;
    class_.destroy = free;
    class_.methods = methods;
    class_.num_methods = 1;
    OK(mobula_register_actor(&class_));
}

void call_fortran(void) {
    double values[4] = { 1, 2, 3, 4 };
    mobula_arg_value arg = MOBULA_VALUE(values, 4, MOBULA_F64);
    mobula_actor *actor;
    mobula_ref *ref;
    mobula_view view;
    int i;
    OK(mobula_submit("doubled", &arg, 1, NULL, &ref, 1));
    OK(mobula_get(ref, -1.0, &view));
    CHECK(view.count == 4 && view.type == MOBULA_F64);
    for (i = 0; i < 4; i++) CHECK(((const double *)view.data)[i] == 2.0 * values[i]);
    mobula_release(&view);
    mobula_ref_free(ref);
    arg = MOBULA_VALUE(values, 1, MOBULA_F64);
    OK(mobula_actor_create("total", &arg, 1, NULL, &actor));
    OK(mobula_actor_call(actor, "add", &arg, 1, &ref, 1));
    CHECK(number(ref) == 2.0);
    mobula_ref_free(ref);
    mobula_actor_free(actor);
}
