/* Handles of a cluster that has ended: refused in the next one, and freed. Two threads that start one at a time. */
#include "check.h"
#include <pthread.h>

static mobula_status nothing(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(nothing)

static mobula_status actor_new(mobula_call *call, void *user, void **state) {
    (void)call, (void)user, (void)state;
    return MOBULA_OK;
}

static const mobula_method methods[] = { { "nothing", nothing, 1 } };

#define ENDED(call, parameter) FAILS(call, MOBULA_ERR_CONFIG, parameter " is of a cluster that has ended")

static void every_call(void) {
    static double values[1 << 17]; /* 1 MiB */
    mobula_ref *ref, *clone, *other, *both[2];
    mobula_actor *actor, *same;
    mobula_buffer buffer, empty;
    mobula_view view;
    mobula_arg_value arg;
    mobula_options options = MOBULA_OPTIONS_INIT;
    bool ready[2];
    size_t num_ready;
    OK(mobula_init(NULL));
    OK(mobula_put(values, sizeof values / sizeof *values, MOBULA_F64, &ref));
    OK(mobula_create(1 << 10, MOBULA_F64, &buffer));
    ((double *)buffer.data)[0] = 1.0;
    OK(mobula_create(1, MOBULA_F64, &empty));
    OK(mobula_actor_create("actor", NULL, 0, NULL, &actor));
    OK(mobula_shutdown());

    OK(mobula_init(NULL));
    OK(mobula_ref_clone(ref, &clone));
    OK(mobula_actor_clone(actor, &same));
    ENDED(mobula_get(ref, -1.0, &view), "mobula_get: ref");
    ENDED(mobula_get(clone, 0.0, &view), "mobula_get: ref");
    OK(mobula_put(values, 1, MOBULA_F64, &other));
    both[0] = other;
    both[1] = clone;
    ENDED(mobula_wait(both, 2, 1, -1.0, ready, &num_ready), "mobula_wait: refs[1]");
    ENDED(mobula_cancel(ref), "mobula_cancel: ref");
    ENDED(mobula_seal(&buffer, &other), "mobula_seal: buffer");
    ENDED(mobula_seal(&empty, &other), "mobula_seal: buffer");
    CHECK(((double *)buffer.data)[0] == 1.0); /* still to be discarded */
    arg = MOBULA_REF(ref);
    ENDED(mobula_submit("nothing", &arg, 1, NULL, NULL, 0), "mobula_submit: the handle of args[0]");
    arg = MOBULA_REF_AS_IS(clone);
    ENDED(mobula_submit("nothing", &arg, 1, NULL, NULL, 0), "mobula_submit: the handle of args[0]");
    arg = MOBULA_ACTOR(actor);
    ENDED(mobula_submit("nothing", &arg, 1, NULL, NULL, 0), "mobula_submit: the handle of args[0]");
    options.placement = MOBULA_PLACE_NEAR;
    options.near = ref;
    ENDED(mobula_submit("nothing", NULL, 0, &options, NULL, 0), "mobula_submit: options->near");
    ENDED(mobula_actor_call(same, "nothing", NULL, 0, NULL, 0), "mobula_actor_call: actor");
    ENDED(mobula_actor_kill(actor), "mobula_actor_kill: actor");
    mobula_discard(&buffer);
    mobula_discard(&empty);
    mobula_ref_free(ref);
    mobula_ref_free(clone);
    mobula_actor_free(actor);
    mobula_actor_free(same);
    CHECK(number(other) == 0.0); /* this cluster's own */
    mobula_ref_free(other);
    OK(mobula_shutdown());
}

static pthread_barrier_t meeting;

/* Starts the cluster, or shares it. Returns how many it ended: only the thread that started it may. */
static void *share(void *ended) {
    mobula_config config = MOBULA_CONFIG_INIT;
    config.ignore_reinit = true;
    pthread_barrier_wait(&meeting);
    OK(mobula_init(&config));
    pthread_barrier_wait(&meeting);
    *(int *)ended = mobula_shutdown() == MOBULA_OK;
    return NULL;
}

static void started_by_one_of_two_threads(void) {
    pthread_t threads[2];
    int ended[2], i;
    CHECK(pthread_barrier_init(&meeting, NULL, 2) == 0);
    for (i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, share, &ended[i]) == 0);
    for (i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(ended[0] + ended[1] == 1);
    CHECK(!mobula_is_initialized());
}

int main(void) {
    mobula_actor_class actor = MOBULA_ACTOR_CLASS_INIT;
    actor.name = "actor";
    actor.construct = actor_new;
    actor.methods = methods;
    actor.num_methods = 1;
    OK(mobula_register_actor(&actor));
    every_call();
    started_by_one_of_two_threads();
    printf("ok: ended\n");
    return 0;
}
