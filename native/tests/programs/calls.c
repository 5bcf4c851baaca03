/* Inside of calls: results that are set again, failures of many tasks at once, threads that share a call. */
#include "check.h"
#include <pthread.h>

enum { LONG = 1 << 12, THREADS = 8, MANY = 400 };

/* Sets its result from its own earlier results, and keeps it when what would replace it fails. */
static mobula_status set_again(mobula_call *call, void *user) {
    mobula_ref *lost;
    void *data;
    double *first;
    int i;
    (void)user;
    OK(mobula_return_create(call, 0, LONG, MOBULA_F64, &data));
    first = data;
    for (i = 0; i < LONG; i++) first[i] = i;
    OK(mobula_return(call, 0, first + 1, LONG - 1, MOBULA_F64)); /* read before it is freed */
    FAILS(mobula_return(call, 0, NULL, 1, MOBULA_F64), MOBULA_ERR_INVALID_ARGUMENT, "data is NULL");
    FAILS(mobula_return(call, 0, first, 1, (mobula_type)77), MOBULA_ERR_INVALID_ARGUMENT, "type is 77");
    FAILS(mobula_return_create(call, 0, (size_t)1 << 44, MOBULA_I8, &data), MOBULA_ERR_STORE_FULL, "store");
    OK(mobula_submit("fails", NULL, 0, NULL, &lost, 1));
    FAILS(mobula_return_ref(call, 0, lost), MOBULA_ERR_TASK, "it fails");
    mobula_ref_free(lost);
    OK(mobula_return_create(call, 1, LONG, MOBULA_F64, &data));
    ((double *)data)[0] = 7.0;
    FAILS(mobula_return_create(call, 1, (size_t)1 << 44, MOBULA_I8, &data), MOBULA_ERR_STORE_FULL, "store");
    return MOBULA_OK;
}
MOBULA_TASK_RETURNS(set_again, 2)

static mobula_status fails(mobula_call *call, void *user) {
    (void)user;
    return mobula_fail(call, "it fails");
}
MOBULA_TASK(fails)

static mobula_status wants_two(mobula_call *call, void *user) {
    mobula_view view;
    (void)user;
    return mobula_arg(call, 1, MOBULA_F64, &view);
}
MOBULA_TASK(wants_two)

/* Recovers from a wrong type of its own, and passes on that of another task. */
static mobula_status recovers(mobula_call *call, void *user) {
    mobula_ref *other;
    mobula_view view;
    mobula_status s;
    (void)user;
    FAILS(mobula_arg(call, 5, MOBULA_F64, &view), MOBULA_ERR_TYPE, "recovers: it wants an argument 5");
    OK(mobula_submit("wants_two", NULL, 0, NULL, &other, 1));
    s = mobula_get(other, -1.0, &view);
    mobula_ref_free(other);
    return s;
}
MOBULA_TASK(recovers)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int num_failed;

/* Fails, waits for the reference while the others of its thread fail too, and returns its own failure. */
static mobula_status fails_and_waits(mobula_call *call, void *user) {
    mobula_view number_of;
    mobula_ref *gate;
    mobula_status s;
    const char *text;
    char name[32];
    (void)user;
    OK(mobula_arg(call, 0, MOBULA_I32, &number_of));
    OK(mobula_arg_ref(call, 1, &gate));
    snprintf(name, sizeof name, "unheard_of_%d.", (int)((const int32_t *)number_of.data)[0]);
    s = mobula_submit(name, NULL, 0, NULL, NULL, 0);
    text = mobula_last_error();
    CHECK(s == MOBULA_ERR_UNKNOWN_FUNCTION && strstr(text, name) != NULL);
    pthread_mutex_lock(&mutex);
    num_failed++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    OK(mobula_get(gate, -1.0, &number_of));
    mobula_release(&number_of);
    mobula_ref_free(gate);
    CHECK(mobula_last_error() == text && strstr(text, name) != NULL);
    return s;
}
MOBULA_TASK(fails_and_waits)

typedef struct {
    mobula_call *call;
    size_t index;
} part;

static void *sets_one(void *of) {
    part *own = of;
    mobula_view view;
    void *data;
    int i;
    for (i = 0; i < 50; i++) {
        OK(mobula_arg(own->call, own->index, MOBULA_F64, &view));
        OK(mobula_return(own->call, own->index, view.data, view.count, MOBULA_F64));
        OK(mobula_return_create(own->call, own->index, LONG, MOBULA_F64, &data));
        memcpy(data, view.data, view.count * sizeof(double));
    }
    CHECK(mobula_arg(own->call, 100 + own->index, MOBULA_F64, &view) == MOBULA_ERR_TYPE);
    return NULL;
}

static mobula_status by_threads(mobula_call *call, void *user) {
    pthread_t threads[THREADS];
    part parts[THREADS];
    size_t i;
    (void)user;
    for (i = 0; i < THREADS; i++) {
        parts[i].call = call;
        parts[i].index = i;
        CHECK(pthread_create(&threads[i], NULL, sets_one, &parts[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    return MOBULA_OK;
}
MOBULA_TASK_RETURNS(by_threads, THREADS)

static mobula_status opens(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(opens)

static mobula_status holder_new(mobula_call *call, void *user, void **state) {
    (void)call, (void)user, (void)state;
    return MOBULA_OK;
}

static const mobula_method holder_methods[] = { { "ready", opens, 1 } };

static void on_rank(uint32_t rank) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_ref *refs[THREADS];
    mobula_view view;
    double values[THREADS][LONG];
    mobula_arg_value args[THREADS];
    int i;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = rank;
    OK(mobula_submit("set_again", NULL, 0, &options, refs, 2));
    OK(mobula_get(refs[0], -1.0, &view));
    CHECK(view.count == LONG - 1 && ((const double *)view.data)[0] == 1.0);
    CHECK(((const double *)view.data)[LONG - 2] == LONG - 1);
    mobula_release(&view);
    OK(mobula_get(refs[1], -1.0, &view));
    CHECK(view.count == LONG && ((const double *)view.data)[0] == 7.0);
    mobula_release(&view);
    mobula_ref_free(refs[0]);
    mobula_ref_free(refs[1]);

    OK(mobula_submit("recovers", NULL, 0, &options, refs, 1));
    FAILS(mobula_get(refs[0], -1.0, &view), MOBULA_ERR_TYPE, "wants_two: it wants an argument 1");
    mobula_ref_free(refs[0]);

    for (i = 0; i < THREADS; i++) {
        values[i][0] = i;
        values[i][LONG - 1] = 100 + i;
        args[i] = MOBULA_VALUE(values[i], LONG, MOBULA_F64);
    }
    OK(mobula_submit("by_threads", args, THREADS, &options, refs, THREADS));
    for (i = 0; i < THREADS; i++) {
        OK(mobula_get(refs[i], -1.0, &view));
        CHECK(((const double *)view.data)[0] == i && ((const double *)view.data)[LONG - 1] == 100 + i);
        mobula_release(&view);
        mobula_ref_free(refs[i]);
    }
}

/* More tasks of one thread than any bound that would forget their failures. */
static void many_failures(void) {
    mobula_options options = MOBULA_OPTIONS_INIT, gated = MOBULA_OPTIONS_INIT;
    mobula_actor *holder;
    mobula_ref *gate, *refs[MANY];
    mobula_view view;
    char name[32];
    int32_t i;
    gated.placement = options.placement = MOBULA_PLACE_RANK;
    gated.resources = "Gate=1";
    OK(mobula_actor_create("holder", NULL, 0, &gated, &holder)); /* it has the resource for as long as it lives */
    OK(mobula_actor_call(holder, "ready", NULL, 0, &gate, 1));
    OK(mobula_get(gate, -1.0, &view));
    mobula_release(&view);
    mobula_ref_free(gate);
    OK(mobula_submit("opens", NULL, 0, &gated, &gate, 1));
    for (i = 0; i < MANY; i++) {
        mobula_arg_value args[2];
        args[0] = MOBULA_VALUE(&i, 1, MOBULA_I32);
        args[1] = MOBULA_REF_AS_IS(gate);
        OK(mobula_submit("fails_and_waits", args, 2, &options, &refs[i], 1));
    }
    pthread_mutex_lock(&mutex);
    while (num_failed < MANY) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    mobula_actor_free(holder);
    mobula_ref_free(gate);
    for (i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "unheard_of_%d.", (int)i);
        FAILS(mobula_get(refs[i], -1.0, &view), MOBULA_ERR_TASK, name);
        mobula_ref_free(refs[i]);
    }
}

int main(void) {
    mobula_config config = MOBULA_CONFIG_INIT;
    mobula_actor_class holder = MOBULA_ACTOR_CLASS_INIT;
    uint32_t rank;
    config.workers = 1;
    config.resources = "Gate=1";
    holder.name = "holder";
    holder.construct = holder_new;
    holder.methods = holder_methods;
    holder.num_methods = 1;
    OK(mobula_register_actor(&holder));
    OK(mobula_init(&config));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    for (rank = 0; rank < mobula_size(); rank++) on_rank(rank);
    many_failures();
    OK(mobula_shutdown());
    printf("ok: calls\n");
    return 0;
}
