/* Actors: state, order of calls, several results, names, handles as arguments, the end, failures. */
#include "check.h"

typedef struct {
    long value;
} counter_state;

static mobula_status counter_new(mobula_call *call, void *user, void **state) {
    mobula_view start;
    mobula_status s;
    counter_state *counter;
    if ((s = mobula_arg(call, 0, MOBULA_I64, &start))) return s;
    if (((const int64_t *)start.data)[0] < 0) return mobula_fail(call, "a counter begins at 0 or above");
    counter = malloc(sizeof *counter);
    counter->value = (long)((const int64_t *)start.data)[0] + *(const long *)user;
    *state = counter;
    return MOBULA_OK;
}

static mobula_status counter_increment(mobula_call *call, void *state) {
    counter_state *counter = state;
    int64_t value = ++counter->value;
    return mobula_return(call, 0, &value, 1, MOBULA_I64);
}

static mobula_status counter_halves(mobula_call *call, void *state) {
    int64_t value = ((counter_state *)state)->value, halves[2];
    mobula_status s;
    halves[0] = value / 2;
    halves[1] = value - halves[0];
    if ((s = mobula_return(call, 0, &halves[0], 1, MOBULA_I64))) return s;
    return mobula_return(call, 1, &halves[1], 1, MOBULA_I64);
}

static mobula_status counter_add(mobula_call *call, void *state) {
    mobula_view more;
    mobula_status s;
    if ((s = mobula_arg(call, 0, MOBULA_I64, &more))) return s;
    ((counter_state *)state)->value += (long)((const int64_t *)more.data)[0];
    return MOBULA_OK;
}

static mobula_status counter_rank(mobula_call *call, void *state) {
    int64_t rank = mobula_rank();
    (void)state;
    return mobula_return(call, 0, &rank, 1, MOBULA_I64);
}

static mobula_status counter_save(mobula_call *call, void *state) {
    int64_t value = ((counter_state *)state)->value;
    return mobula_return(call, 0, &value, 1, MOBULA_I64);
}

static const mobula_method methods[] = {
    { "increment", counter_increment, 1 },
    { "halves", counter_halves, 2 },
    { "add", counter_add, 0 },
    { "rank", counter_rank, 1 },
};

static int64_t whole(mobula_ref *ref) {
    mobula_view view;
    int64_t value;
    OK(mobula_get(ref, -1.0, &view));
    CHECK(view.type == MOBULA_I64 && view.count == 1);
    value = ((const int64_t *)view.data)[0];
    mobula_release(&view);
    mobula_ref_free(ref);
    return value;
}

static mobula_ref *call0(mobula_actor *actor, const char *method) {
    mobula_ref *ref;
    OK(mobula_actor_call(actor, method, NULL, 0, &ref, 1));
    return ref;
}

/* Increments the counter that it gets a handle of, twice. */
static mobula_status increment_twice(mobula_call *call, void *user) {
    mobula_actor *counter;
    mobula_status s;
    int64_t value;
    (void)user;
    if ((s = mobula_arg_actor(call, 0, &counter))) return s;
    mobula_ref_free(call0(counter, "increment"));
    value = whole(call0(counter, "increment"));
    mobula_actor_free(counter);
    return mobula_return(call, 0, &value, 1, MOBULA_I64);
}
MOBULA_TASK(increment_twice)

/* Finds the counter by its name. */
static mobula_status visit(mobula_call *call, void *user) {
    mobula_actor *counter;
    mobula_status s;
    int64_t value;
    (void)user;
    if ((s = mobula_actor_find("visits", &counter))) return s;
    value = whole(call0(counter, "increment"));
    mobula_actor_free(counter);
    return mobula_return(call, 0, &value, 1, MOBULA_I64);
}
MOBULA_TASK(visit)

static mobula_actor *create(const char *class_name, int64_t start, const mobula_options *options) {
    mobula_arg_value arg = MOBULA_VALUE(&start, 1, MOBULA_I64);
    mobula_actor *actor;
    OK(mobula_actor_create(class_name, &arg, 1, options, &actor));
    return actor;
}

static void on_rank(const char *class_name, uint32_t rank) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_actor *counter, *same;
    mobula_ref *refs[100], *both[2];
    int64_t five = 5;
    mobula_arg_value arg = MOBULA_VALUE(&five, 1, MOBULA_I64);
    int i;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = rank;
    counter = create(class_name, 10, &options);
    for (i = 0; i < 100; i++) refs[i] = call0(counter, "increment");
    for (i = 0; i < 100; i++) CHECK(whole(refs[i]) == 111 + i); /* in the order made */
    CHECK(whole(call0(counter, "rank")) == rank);
    OK(mobula_actor_call(counter, "add", &arg, 1, NULL, 0));
    OK(mobula_actor_call(counter, "halves", NULL, 0, both, 2));
    CHECK(whole(both[0]) == 107 && whole(both[1]) == 108);
    OK(mobula_actor_clone(counter, &same));
    mobula_actor_free(counter);
    arg = MOBULA_ACTOR(same);
    for (options.rank = 0; options.rank < mobula_size(); options.rank++) {
        OK(mobula_submit("increment_twice", &arg, 1, &options, refs, 1));
        CHECK(whole(refs[0]) == 217 + 2 * (int64_t)options.rank);
    }
    mobula_actor_free(same);
}

static void by_name(uint32_t rank) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_actor *counter, *found;
    mobula_ref *ref;
    mobula_view view;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = rank;
    options.name = "visits";
    FAILS(mobula_actor_find("visits", &found), MOBULA_ERR_ACTOR_DIED, "no actor has the name \"visits\"");
    counter = create("counter", 0, &options);
    mobula_actor_free(counter); /* it lives on: it has a name */
    options.name = NULL;
    for (options.rank = 0; options.rank < mobula_size(); options.rank++) {
        OK(mobula_submit("visit", NULL, 0, &options, &ref, 1));
        CHECK(whole(ref) == 101 + (int64_t)options.rank);
    }
    OK(mobula_actor_find("visits", &found));
    CHECK(whole(call0(found, "increment")) == 101 + (int64_t)mobula_size());
    OK(mobula_actor_kill(found));
    ref = call0(found, "increment");
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_ACTOR_DIED, "counter");
    mobula_ref_free(ref);
    mobula_actor_free(found);
}

static void failing(void) {
    mobula_actor *counter;
    mobula_ref *ref;
    mobula_view view;
    double wrong = 1.0;
    mobula_arg_value arg = MOBULA_VALUE(&wrong, 1, MOBULA_F64);
    counter = create("counter", -1, NULL);
    ref = call0(counter, "increment");
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_ACTOR_DIED, "a counter begins at 0 or above");
    mobula_ref_free(ref);
    mobula_actor_free(counter);
    FAILS(mobula_actor_create("account", &arg, 1, NULL, &counter), MOBULA_ERR_UNKNOWN_FUNCTION,
          "no actor class named \"account\" is registered");
    counter = create("counter", 0, NULL);
    FAILS(mobula_actor_call(counter, "decrement", NULL, 0, &ref, 1), MOBULA_ERR_UNKNOWN_FUNCTION,
          "counter has no method named \"decrement\"");
    FAILS(mobula_actor_call(counter, "halves", NULL, 0, &ref, 1), MOBULA_ERR_TYPE, "counter.halves: it has 2 results");
    OK(mobula_actor_call(counter, "increment", NULL, 0, &ref, 1));
    CHECK(whole(ref) == 101);
    mobula_actor_free(counter);
    (void)arg;
}

static void wrong_classes(void) {
    mobula_actor_class class_ = MOBULA_ACTOR_CLASS_INIT;
    static const mobula_method twice[] = { { "a", counter_rank, 1 }, { "a", counter_rank, 1 } };
    static const mobula_method nameless[] = { { NULL, counter_rank, 1 } }, bodiless[] = { { "a", NULL, 1 } };
    REFUSES_NULL(mobula_register_actor(NULL), "mobula_register_actor: actor_class");
    REFUSES_NULL(mobula_register_actor(&class_), "actor_class->name");
    class_.name = "wrong";
    REFUSES_NULL(mobula_register_actor(&class_), "actor_class->construct");
    class_.construct = counter_new;
    class_.num_methods = 1;
    REFUSES_NULL(mobula_register_actor(&class_), "actor_class->methods");
    class_.methods = nameless;
    REFUSES_NULL(mobula_register_actor(&class_), "actor_class->methods[0].name");
    class_.methods = bodiless;
    REFUSES_NULL(mobula_register_actor(&class_), "actor_class->methods[0].call");
    class_.num_methods = 2;
    class_.methods = twice;
    FAILS(mobula_register_actor(&class_), MOBULA_ERR_CONFIG, "wrong has two methods named a");
    class_.save = counter_save;
    FAILS(mobula_register_actor(&class_), MOBULA_ERR_INVALID_ARGUMENT, "actor_class->restore");
    class_.save = NULL;
    class_.size = 0;
    FAILS(mobula_register_actor(&class_), MOBULA_ERR_INVALID_ARGUMENT, "actor_class: its size is 0");
    class_.size = sizeof class_;
    class_.name = "counter";
    class_.num_methods = 0;
    FAILS(mobula_register_actor(&class_), MOBULA_ERR_CONFIG, "an actor class named counter is registered already");
}

int main(void) {
    static long base = 100;
    mobula_actor_class counter = MOBULA_ACTOR_CLASS_INIT;
    uint32_t rank;
    counter.name = "counter";
    counter.construct = counter_new;
    counter.user = &base;
    counter.destroy = free;
    counter.methods = methods;
    counter.num_methods = sizeof methods / sizeof *methods;
    OK(mobula_register_actor(&counter));
    counter.name = "saved counter";
    counter.save = counter_save;
    counter.restore = counter_new;
    OK(mobula_register_actor(&counter));
    wrong_classes();
    OK(mobula_init(NULL));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    for (rank = 0; rank < mobula_size(); rank++) {
        on_rank("counter", rank);
        on_rank("saved counter", rank);
        by_name(rank);
    }
    failing();
    OK(mobula_shutdown());
    printf("ok: actors\n");
    return 0;
}
