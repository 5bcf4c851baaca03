/* What was freed, sealed, released or returned already, and what is of another type: refused by name, not used. Valid
 * where the library keeps the memory of freed handles: with debug assertions, or under AddressSanitizer. */
#include "check.h"

#define STALE(call, parameter) FAILS(call, MOBULA_ERR_INVALID_ARGUMENT, parameter)
#define SAYS(text) CHECK(strstr(mobula_last_error(), (text)) != NULL)

static mobula_call *kept;

static mobula_status keeps(mobula_call *call, void *user) {
    (void)user;
    kept = call;
    return MOBULA_OK;
}
MOBULA_TASK(keeps)

static mobula_status actor_new(mobula_call *call, void *user, void **state) {
    (void)call, (void)user, (void)state;
    return MOBULA_OK;
}

static const mobula_method methods[] = { { "keeps", keeps, 1 } };

static void references(void) {
    double one = 1.0;
    mobula_ref *ref, *other, *both[2];
    mobula_view view;
    mobula_arg_value arg;
    mobula_options options = MOBULA_OPTIONS_INIT;
    bool ready[2];
    size_t count;
    OK(mobula_put(&one, 1, MOBULA_F64, &ref));
    mobula_ref_free(ref);
    OK(mobula_put(&one, 1, MOBULA_F64, &other));
    STALE(mobula_get(ref, -1.0, &view), "mobula_get: ref is no mobula_ref, or was freed already");
    STALE(mobula_cancel(ref), "mobula_cancel: ref is no mobula_ref");
    STALE(mobula_ref_clone(ref, &both[0]), "mobula_ref_clone: ref is no mobula_ref");
    both[0] = other;
    both[1] = ref;
    STALE(mobula_wait(both, 2, 1, -1.0, ready, &count), "mobula_wait: refs[1] is no mobula_ref");
    arg = MOBULA_REF(ref);
    STALE(mobula_submit("keeps", &arg, 1, NULL, NULL, 0), "mobula_submit: the handle of args[0] is no mobula_ref");
    arg = MOBULA_REF_AS_IS(ref);
    STALE(mobula_submit("keeps", &arg, 1, NULL, NULL, 0), "mobula_submit: the handle of args[0] is no mobula_ref");
    arg = MOBULA_ACTOR(other);
    STALE(mobula_submit("keeps", &arg, 1, NULL, NULL, 0), "mobula_submit: the handle of args[0] is no mobula_actor");
    options.placement = MOBULA_PLACE_NEAR;
    options.near = ref;
    STALE(mobula_submit("keeps", NULL, 0, &options, NULL, 0), "mobula_submit: options->near is no mobula_ref");
    STALE(mobula_get((mobula_ref *)(void *)((char *)other + 1), -1.0, &view), "ref is no mobula_ref");
    mobula_ref_free(ref); /* does nothing, and says so */
    SAYS("mobula_ref_free: ref is no mobula_ref, or was freed already");
    CHECK(number(other) == 1.0);
    mobula_ref_free(other);
}

static void actors(void) {
    mobula_actor *actor, *other;
    mobula_view view;
    OK(mobula_actor_create("actor", NULL, 0, NULL, &actor));
    STALE(mobula_get((mobula_ref *)(void *)actor, -1.0, &view), "mobula_get: ref is no mobula_ref");
    mobula_actor_free(actor);
    STALE(mobula_actor_call(actor, "keeps", NULL, 0, NULL, 0), "mobula_actor_call: actor is no mobula_actor");
    STALE(mobula_actor_kill(actor), "mobula_actor_kill: actor is no mobula_actor");
    STALE(mobula_actor_clone(actor, &other), "mobula_actor_clone: actor is no mobula_actor");
    mobula_actor_free(actor);
    SAYS("mobula_actor_free: actor is no mobula_actor, or was freed already");
}

static void buffers_and_views(void) {
    mobula_buffer buffer, same;
    mobula_view view, again;
    mobula_ref *ref, *other;
    OK(mobula_create(1000, MOBULA_F64, &buffer));
    same = buffer;
    OK(mobula_seal(&buffer, &ref));
    STALE(mobula_seal(&buffer, &other), "mobula_seal: buffer was sealed or discarded already");
    STALE(mobula_seal(&same, &other), "mobula_seal: buffer is no mobula_buffer, or was freed already");
    mobula_discard(&buffer); /* allowed */
    mobula_discard(&same);
    SAYS("mobula_discard: buffer is no mobula_buffer");
    OK(mobula_get(ref, -1.0, &view));
    again = view;
    mobula_release(&view);
    mobula_release(&view); /* allowed */
    mobula_release(&again);
    SAYS("mobula_release: view is no mobula_view, or was freed already");
    mobula_ref_free(ref);
}

static void call_that_ended(void) {
    mobula_ref *ref;
    mobula_view view;
    size_t count;
    mobula_options options = MOBULA_OPTIONS_INIT;
    options.placement = MOBULA_PLACE_RANK; /* `kept` is of this process */
    options.rank = mobula_rank();
    OK(mobula_submit("keeps", NULL, 0, &options, &ref, 1));
    OK(mobula_get(ref, -1.0, &view));
    mobula_release(&view);
    mobula_ref_free(ref);
    STALE(mobula_arg_count(kept, &count), "mobula_arg_count: call is none that runs");
    STALE(mobula_fail(kept, "late"), "mobula_fail: call is none that runs");
}

/* No cluster runs: every call that needs one says so, and views are still read. */
static void after_the_end(mobula_ref *ref, mobula_actor *actor, mobula_buffer *buffer, mobula_view *view) {
    mobula_ref *other;
    mobula_view late;
    bool ready;
    size_t count;
    const char *none = "no cluster runs";
    FAILS(mobula_get(ref, -1.0, &late), MOBULA_ERR_CONFIG, none);
    FAILS(mobula_wait(&ref, 1, 1, -1.0, &ready, &count), MOBULA_ERR_CONFIG, none);
    FAILS(mobula_cancel(ref), MOBULA_ERR_CONFIG, none);
    FAILS(mobula_seal(buffer, &other), MOBULA_ERR_CONFIG, none);
    FAILS(mobula_actor_call(actor, "keeps", NULL, 0, NULL, 0), MOBULA_ERR_CONFIG, none);
    FAILS(mobula_actor_kill(actor), MOBULA_ERR_CONFIG, none);
    FAILS(mobula_register("late", keeps, NULL, 1), MOBULA_ERR_CONFIG, "late is registered too late");
    CHECK(((const double *)view->data)[99999] == 5.0);
    mobula_release(view);
    mobula_discard(buffer);
    mobula_ref_free(ref);
    mobula_actor_free(actor);
}

int main(void) {
    mobula_actor_class actor = MOBULA_ACTOR_CLASS_INIT;
    mobula_config config = MOBULA_CONFIG_INIT;
    mobula_ref *ref;
    mobula_actor *handle;
    mobula_buffer buffer;
    mobula_view view;
    actor.size = offsetof(mobula_actor_class, save); /* as a program with an older header has it */
    actor.name = "actor";
    actor.construct = actor_new;
    actor.methods = methods;
    actor.num_methods = 1;
    OK(mobula_register_actor(&actor));
    config.size = offsetof(mobula_config, store_bytes);
    OK(mobula_init(&config));
    references();
    actors();
    buffers_and_views();
    call_that_ended();
    OK(mobula_create(100000, MOBULA_F64, &buffer));
    ((double *)buffer.data)[99999] = 5.0;
    OK(mobula_seal(&buffer, &ref));
    OK(mobula_get(ref, -1.0, &view));
    OK(mobula_create(1, MOBULA_F64, &buffer));
    OK(mobula_actor_create("actor", NULL, 0, NULL, &handle));
    OK(mobula_shutdown());
    after_the_end(ref, handle, &buffer, &view);
    printf("ok: freed\n");
    return 0;
}
