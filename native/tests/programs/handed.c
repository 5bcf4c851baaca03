/* Actors as results, arguments that outlive their task, failures with a status and a text of the program, and failures of two actors' `save` at once. */
#include "check.h"

static mobula_status counter_new(mobula_call *call, void *user, void **state) {
    (void)call, (void)user;
    *state = calloc(1, sizeof(double));
    return MOBULA_OK;
}

static mobula_status increment(mobula_call *call, void *state) {
    double *value = state;
    *value += 1.0;
    return mobula_return(call, 0, value, 1, MOBULA_F64);
}

static const mobula_method counter_methods[] = { { "increment", increment, 1 } };

static mobula_status creates(mobula_call *call, void *user) {
    mobula_actor *actor;
    mobula_status s = mobula_actor_create("counter", NULL, 0, NULL, &actor);
    (void)user;
    if (s != MOBULA_OK) return s;
    s = mobula_return_actor(call, 0, actor);
    FAILS(mobula_return_actor(call, 1, actor), MOBULA_ERR_TYPE, "creates: it returns a result 1");
    mobula_actor_free(actor);
    return s;
}
MOBULA_TASK(creates)

static mobula_status uses(mobula_call *call, void *user) {
    mobula_actor *actor;
    mobula_view view;
    mobula_ref *ref;
    double value;
    mobula_status s = mobula_arg_actor(call, 0, &actor);
    (void)user;
    if (s != MOBULA_OK) return s;
    FAILS(mobula_arg(call, 0, MOBULA_F64, &view), MOBULA_ERR_TYPE, "argument 0: it wants MOBULA_F64, and got an actor");
    FAILS(mobula_arg_any(call, 0, &view), MOBULA_ERR_TYPE, "argument 0: it wants an array, and got an actor");
    OK(mobula_actor_call(actor, "increment", NULL, 0, &ref, 1));
    value = number(ref);
    mobula_ref_free(ref);
    mobula_actor_free(actor);
    return mobula_return(call, 0, &value, 1, MOBULA_F64);
}
MOBULA_TASK(uses)

static mobula_status fails(mobula_call *call, void *user) {
    mobula_view how;
    mobula_status s = mobula_arg(call, 0, MOBULA_I32, &how);
    (void)user;
    if (s != MOBULA_OK) return s;
    s = ((const int32_t *)how.data)[0];
    REFUSES_NULL(mobula_set_last_error(s, NULL), "mobula_set_last_error: message");
    FAILS(mobula_set_last_error(MOBULA_OK, "why"), MOBULA_ERR_INVALID_ARGUMENT, "status is MOBULA_OK");
    CHECK(mobula_set_last_error(s, "the mesh is \xff") == s);
    return s;
}
MOBULA_TASK(fails)

static void actors_as_results(uint32_t rank) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_actor *actor;
    mobula_ref *made, *ref;
    mobula_view view;
    mobula_arg_value arg;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = rank;
    OK(mobula_submit("creates", NULL, 0, &options, &made, 1));
    arg = MOBULA_REF(made);
    OK(mobula_submit("uses", &arg, 1, &options, &ref, 1));
    CHECK(number(ref) == 1.0);
    FAILS(mobula_get_actor(ref, -1.0, &actor), MOBULA_ERR_TYPE, "mobula_get_actor: the object is an array");
    mobula_ref_free(ref);
    FAILS(mobula_get(made, -1.0, &view), MOBULA_ERR_TYPE, "mobula_get: the object is an actor");
    REFUSES_NULL(mobula_get_actor(NULL, -1.0, &actor), "mobula_get_actor: ref");
    REFUSES_NULL(mobula_get_actor(made, -1.0, NULL), "mobula_get_actor: out");
    OK(mobula_get_actor(made, -1.0, &actor));
    mobula_ref_free(made);
    arg = MOBULA_ACTOR(actor); /* its own handle */
    OK(mobula_submit("uses", &arg, 1, &options, &ref, 1));
    CHECK(number(ref) == 2.0);
    mobula_ref_free(ref);
    mobula_actor_free(actor);
}

static mobula_view long_one, short_one;

/* Keeps views of its arguments; `reads` reads them, and releases them. */
static mobula_status keeps(mobula_call *call, void *user) {
    mobula_view view;
    (void)user;
    REFUSES_NULL(mobula_arg_keep(NULL, 0, &view), "mobula_arg_keep: call");
    REFUSES_NULL(mobula_arg_keep(call, 0, NULL), "mobula_arg_keep: out");
    REFUSES_NULL(mobula_return_actor(call, 0, NULL), "mobula_return_actor: actor");
    FAILS(mobula_arg_keep(call, 2, &view), MOBULA_ERR_TYPE, "keeps: it wants an argument 2");
    OK(mobula_arg_keep(call, 0, &long_one));
    OK(mobula_arg(call, 0, MOBULA_F64, &view));
    CHECK(view.data == long_one.data);
    return mobula_arg_keep(call, 1, &short_one);
}
MOBULA_TASK(keeps)

static mobula_status reads(mobula_call *call, void *user) {
    double sum = ((const double *)long_one.data)[999] + ((const double *)short_one.data)[2];
    (void)user;
    CHECK(long_one.count == 1000 && short_one.count == 3 && short_one.type == MOBULA_F64);
    mobula_release(&long_one);
    mobula_release(&short_one);
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(reads)

static void kept_arguments(uint32_t rank) {
    static double values[1000];
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_ref *ref;
    mobula_view view;
    mobula_arg_value args[2];
    options.placement = MOBULA_PLACE_RANK;
    options.rank = rank;
    values[2] = 1.0;
    values[999] = 7.0;
    args[0] = MOBULA_VALUE(values, 1000, MOBULA_F64);
    args[1] = MOBULA_VALUE(values, 3, MOBULA_F64);
    OK(mobula_submit("keeps", args, 2, &options, &ref, 1));
    OK(mobula_get(ref, -1.0, &view));
    mobula_release(&view);
    mobula_ref_free(ref);
    OK(mobula_submit("reads", NULL, 0, &options, &ref, 1));
    CHECK(number(ref) == 8.0);
    mobula_ref_free(ref);
}

static void own_failures(uint32_t rank) {
    static const struct {
        int32_t status;
        mobula_status arrives;
        const char *text;
    } cases[] = {
        { MOBULA_ERR_TYPE, MOBULA_ERR_TYPE, "fails: the mesh is" },
        { MOBULA_ERR_CONFIG, MOBULA_ERR_CONFIG, "fails: the mesh is" },
        { MOBULA_ERR_TIMEOUT, MOBULA_ERR_TASK, "the mesh is" },
        { -17, MOBULA_ERR_TASK, "(status -17)" },
    };
    mobula_options options = MOBULA_OPTIONS_INIT;
    size_t i;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = rank;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        mobula_arg_value arg = MOBULA_VALUE(&cases[i].status, 1, MOBULA_I32);
        mobula_ref *ref;
        mobula_view view;
        OK(mobula_submit("fails", &arg, 1, &options, &ref, 1));
        FAILS(mobula_get(ref, -1.0, &view), cases[i].arrives, cases[i].text);
        mobula_ref_free(ref);
    }
}

/* On rank 1, whose only worker runs both actors. */
static int num_saving;

typedef struct {
    int32_t number_of;
    mobula_ref *pending;
} saver;

static mobula_status saver_new(mobula_call *call, void *user, void **state) {
    mobula_view number_of;
    saver *made = calloc(1, sizeof *made);
    (void)user;
    OK(mobula_arg(call, 0, MOBULA_I32, &number_of));
    OK(mobula_arg_ref(call, 1, &made->pending));
    made->number_of = ((const int32_t *)number_of.data)[0];
    *state = made;
    return MOBULA_OK;
}

static void saver_destroy(void *state) {
    mobula_ref_free(((saver *)state)->pending);
    free(state);
}

static mobula_status works(mobula_call *call, void *state) {
    return mobula_return(call, 0, &((saver *)state)->number_of, 1, MOBULA_I32);
}

/* Fails, and returns that only after the other actor of the thread has failed as well. */
static mobula_status saver_save(mobula_call *call, void *state) {
    saver *own = state;
    mobula_status s;
    char name[32];
    (void)call;
    snprintf(name, sizeof name, "unheard_of_%d.", (int)own->number_of);
    s = mobula_submit(name, NULL, 0, NULL, NULL, 0);
    num_saving++;
    while (num_saving < 2) {
        bool ready;
        size_t count;
        OK(mobula_wait(&own->pending, 1, 1, 0.001, &ready, &count)); /* the other runs meanwhile */
    }
    CHECK(strstr(mobula_last_error(), name) != NULL);
    return s;
}

static const mobula_method saver_methods[] = { { "works", works, 1 } };

static void two_saves_on_one_thread(void) {
    mobula_options gated = MOBULA_OPTIONS_INIT, saved = MOBULA_OPTIONS_INIT;
    mobula_actor *holder, *savers[2];
    mobula_ref *pending, *refs[2];
    mobula_view view;
    char name[32];
    int32_t i;
    saved.placement = gated.placement = MOBULA_PLACE_RANK;
    saved.rank = 1;
    saved.max_restarts = 1;
    gated.resources = "Gate=1";
    OK(mobula_actor_create("counter", NULL, 0, &gated, &holder)); /* it has the resource for as long as it lives */
    OK(mobula_actor_call(holder, "increment", NULL, 0, &pending, 1));
    CHECK(number(pending) == 1.0);
    mobula_ref_free(pending);
    OK(mobula_submit("opens", NULL, 0, &gated, &pending, 1));
    for (i = 0; i < 2; i++) {
        mobula_arg_value args[2];
        args[0] = MOBULA_VALUE(&i, 1, MOBULA_I32);
        args[1] = MOBULA_REF_AS_IS(pending);
        OK(mobula_actor_create("saver", args, 2, &saved, &savers[i]));
        OK(mobula_actor_call(savers[i], "works", NULL, 0, &refs[i], 1));
    }
    for (i = 0; i < 2; i++) {
        if (mobula_get(refs[i], -1.0, &view) == MOBULA_OK) mobula_release(&view); /* the call itself did not fail */
        mobula_ref_free(refs[i]);
        OK(mobula_actor_call(savers[i], "works", NULL, 0, &refs[i], 1));
        snprintf(name, sizeof name, "unheard_of_%d.", (int)i);
        FAILS(mobula_get(refs[i], -1.0, &view), MOBULA_ERR_ACTOR_DIED, name);
        mobula_ref_free(refs[i]);
        mobula_actor_free(savers[i]);
    }
    mobula_actor_free(holder);
    mobula_ref_free(pending);
}

static mobula_status opens(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(opens)

int main(void) {
    mobula_config config = MOBULA_CONFIG_INIT;
    mobula_actor_class counter = MOBULA_ACTOR_CLASS_INIT, saves = MOBULA_ACTOR_CLASS_INIT;
    uint32_t rank;
    config.workers = 1;
    config.resources = "Gate=1";
    counter.name = "counter";
    counter.construct = counter_new;
    counter.destroy = free;
    counter.methods = counter_methods;
    counter.num_methods = 1;
    OK(mobula_register_actor(&counter));
    saves.name = "saver";
    saves.construct = saves.restore = saver_new;
    saves.destroy = saver_destroy;
    saves.methods = saver_methods;
    saves.num_methods = 1;
    saves.save = saver_save;
    OK(mobula_register_actor(&saves));
    OK(mobula_init(&config));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    for (rank = 0; rank < mobula_size(); rank++) {
        actors_as_results(rank);
        kept_arguments(rank);
        own_failures(rank);
    }
    if (mobula_size() > 1) two_saves_on_one_thread();
    OK(mobula_shutdown());
    printf("ok: handed\n");
    return 0;
}
