// The header in C++: it compiles without a warning, and its macros too, also where it is included as others are.
#include <cstdio>
extern "C" {
#include <mobula.h>
}

static mobula_status twice(mobula_call *call, void *) {
    mobula_view x;
    mobula_status s = mobula_arg(call, 0, MOBULA_F64, &x);
    if (s != MOBULA_OK) return s;
    double doubled = 2 * static_cast<const double *>(x.data)[0];
    return mobula_return(call, 0, &doubled, 1, MOBULA_F64);
}
MOBULA_TASK(twice)

int main() {
    mobula_config config = MOBULA_CONFIG_INIT;
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_actor_class unused = MOBULA_ACTOR_CLASS_INIT;
    if (mobula_init(&config) != MOBULA_OK || unused.name != nullptr) return 1;
    if (mobula_rank() != 0) return mobula_serve();
    double x = 21.0;
    mobula_arg_value args[] = { MOBULA_VALUE(&x, 1, MOBULA_F64) };
    mobula_ref *ref;
    mobula_view view;
    if (mobula_submit("twice", args, 1, &options, &ref, 1) || mobula_get(ref, -1.0, &view)) return 1;
    std::printf("ok: header %g\n", static_cast<const double *>(view.data)[0]);
    mobula_release(&view);
    mobula_ref_free(ref);
    return mobula_shutdown();
}
