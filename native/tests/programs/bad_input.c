/* Wrong calls: each is a status, and a message with function and parameter. */
#include "check.h"
#include <pthread.h>

static mobula_status task(mobula_call *call, void *user) {
    mobula_view view;
    mobula_ref *ref;
    mobula_actor *actor;
    void *data;
    size_t count;
    double one = 1.0;
    (void)user;
    REFUSES_NULL(mobula_arg(NULL, 0, MOBULA_F64, &view), "mobula_arg: call");
    REFUSES_NULL(mobula_arg(call, 0, MOBULA_F64, NULL), "mobula_arg: out");
    FAILS(mobula_arg(call, 0, (mobula_type)77, &view), MOBULA_ERR_INVALID_ARGUMENT, "mobula_arg: type is 77");
    REFUSES_NULL(mobula_arg_any(call, 0, NULL), "mobula_arg_any: out");
    REFUSES_NULL(mobula_arg_count(call, NULL), "mobula_arg_count: out");
    REFUSES_NULL(mobula_arg_count(NULL, &count), "mobula_arg_count: call");
    REFUSES_NULL(mobula_arg_ref(call, 0, NULL), "mobula_arg_ref: out");
    REFUSES_NULL(mobula_arg_actor(call, 0, NULL), "mobula_arg_actor: out");
    FAILS(mobula_arg_ref(call, 0, &ref), MOBULA_ERR_TYPE, "task: argument 0");
    FAILS(mobula_arg_actor(call, 0, &actor), MOBULA_ERR_TYPE, "task: argument 0");
    FAILS(mobula_arg(call, 1, MOBULA_F64, &view), MOBULA_ERR_TYPE, "task: it wants an argument 1");
    REFUSES_NULL(mobula_return(NULL, 0, &one, 1, MOBULA_F64), "mobula_return: call");
    REFUSES_NULL(mobula_return(call, 0, NULL, 1, MOBULA_F64), "mobula_return: data");
    REFUSES_NULL(mobula_return_create(call, 0, 1, MOBULA_F64, NULL), "mobula_return_create: data");
    REFUSES_NULL(mobula_return_ref(call, 0, NULL), "mobula_return_ref: ref");
    REFUSES_NULL(mobula_fail(NULL, "why"), "mobula_fail: call");
    REFUSES_NULL(mobula_fail(call, NULL), "mobula_fail: why");
    FAILS(mobula_return_create(call, 0, (size_t)-1, MOBULA_F64, &data), MOBULA_ERR_INVALID_ARGUMENT, "count is");
    FAILS(mobula_init(NULL), MOBULA_ERR_CONFIG, "a cluster runs in this process already");
    FAILS(mobula_serve(), MOBULA_ERR_CONFIG, "mobula_serve: it was called in a task");
    FAILS(mobula_shutdown(), MOBULA_ERR_CONFIG, "mobula_shutdown: it was called in a task");
    OK(mobula_return_create(call, 0, 1, MOBULA_F64, &data));
    return mobula_return(call, 0, &one, 1, MOBULA_F64); /* in its place */
}
MOBULA_TASK(task)

static void without_cluster(const char *when) {
    double one = 1.0;
    mobula_ref *ref;
    mobula_buffer buffer;
    mobula_actor *actor;
    printf("%s\n", when);
    FAILS(mobula_put(&one, 1, MOBULA_F64, &ref), MOBULA_ERR_CONFIG, "mobula_put: no cluster runs");
    FAILS(mobula_create(1, MOBULA_F64, &buffer), MOBULA_ERR_CONFIG, "mobula_create: no cluster runs");
    FAILS(mobula_submit("task", NULL, 0, NULL, &ref, 1), MOBULA_ERR_CONFIG, "mobula_submit: no cluster runs");
    FAILS(mobula_actor_create("a", NULL, 0, NULL, &actor), MOBULA_ERR_CONFIG, "mobula_actor_create: no cluster runs");
    FAILS(mobula_actor_find("a", &actor), MOBULA_ERR_CONFIG, "mobula_actor_find: no cluster runs");
    FAILS(mobula_serve(), MOBULA_ERR_CONFIG, "mobula_serve: no cluster runs");
    FAILS(mobula_shutdown(), MOBULA_ERR_CONFIG, "mobula_shutdown: no cluster runs");
    CHECK(mobula_rank() == 0 && mobula_size() == 0 && mobula_resource_total("CPU") == 0.0);
}

static void nulls(void) {
    double one = 1.0;
    mobula_ref *ref, *none[1] = { NULL };
    mobula_buffer buffer;
    mobula_view view;
    bool ready;
    size_t count;
    mobula_arg_value arg = MOBULA_VALUE(NULL, 1, MOBULA_F64);
    REFUSES_NULL(mobula_put(NULL, 1, MOBULA_F64, &ref), "mobula_put: data");
    REFUSES_NULL(mobula_put(&one, 1, MOBULA_F64, NULL), "mobula_put: out");
    FAILS(mobula_put(&one, (size_t)-1, MOBULA_F64, &ref), MOBULA_ERR_INVALID_ARGUMENT, "mobula_put: count is");
    FAILS(mobula_put(&one, 1, (mobula_type)-1, &ref), MOBULA_ERR_INVALID_ARGUMENT, "no mobula_type");
    REFUSES_NULL(mobula_create(1, MOBULA_F64, NULL), "mobula_create: out");
    OK(mobula_create(1, MOBULA_F64, &buffer));
    REFUSES_NULL(mobula_seal(NULL, &ref), "mobula_seal: buffer");
    REFUSES_NULL(mobula_seal(&buffer, NULL), "mobula_seal: out");
    mobula_discard(&buffer);
    mobula_discard(NULL);
    mobula_release(NULL);
    mobula_ref_free(NULL);
    mobula_actor_free(NULL);
    OK(mobula_put(&one, 1, MOBULA_F64, &ref));
    REFUSES_NULL(mobula_get(NULL, -1.0, &view), "mobula_get: ref");
    REFUSES_NULL(mobula_get(ref, -1.0, NULL), "mobula_get: out");
    FAILS(mobula_get(ref, 0.0 / 0.0 * one, &view), MOBULA_ERR_INVALID_ARGUMENT, "timeout_s is not a number");
    REFUSES_NULL(mobula_wait(NULL, 1, 1, -1.0, &ready, &count), "mobula_wait: refs");
    REFUSES_NULL(mobula_wait(none, 1, 1, -1.0, &ready, &count), "mobula_wait: refs[0]");
    REFUSES_NULL(mobula_wait(&ref, 1, 1, -1.0, NULL, &count), "mobula_wait: ready");
    REFUSES_NULL(mobula_wait(&ref, 1, 1, -1.0, &ready, NULL), "mobula_wait: num_ready");
    REFUSES_NULL(mobula_cancel(NULL), "mobula_cancel: ref");
    REFUSES_NULL(mobula_ref_clone(NULL, none), "mobula_ref_clone: ref");
    REFUSES_NULL(mobula_ref_clone(ref, NULL), "mobula_ref_clone: out");
    REFUSES_NULL(mobula_submit(NULL, NULL, 0, NULL, none, 1), "mobula_submit: name");
    REFUSES_NULL(mobula_submit("task", NULL, 1, NULL, none, 1), "mobula_submit: args");
    REFUSES_NULL(mobula_submit("task", NULL, 0, NULL, NULL, 1), "mobula_submit: out");
    REFUSES_NULL(mobula_submit("task", &arg, 1, NULL, none, 1), "mobula_submit: args[0]: data");
    arg = MOBULA_REF(NULL);
    REFUSES_NULL(mobula_submit("task", &arg, 1, NULL, none, 1), "the handle of args[0]");
    arg = MOBULA_REF_AS_IS(NULL);
    REFUSES_NULL(mobula_submit("task", &arg, 1, NULL, none, 1), "the handle of args[0]");
    arg = MOBULA_ACTOR(NULL);
    REFUSES_NULL(mobula_submit("task", &arg, 1, NULL, none, 1), "the handle of args[0]");
    arg.kind = 9;
    FAILS(mobula_submit("task", &arg, 1, NULL, none, 1), MOBULA_ERR_INVALID_ARGUMENT, "args[0].kind is 9");
    FAILS(mobula_submit("\xff", NULL, 0, NULL, none, 1), MOBULA_ERR_INVALID_ARGUMENT, "name is not UTF-8");
    REFUSES_NULL(mobula_actor_create(NULL, NULL, 0, NULL, NULL), "mobula_actor_create: class_name");
    REFUSES_NULL(mobula_actor_create("a", NULL, 0, NULL, NULL), "mobula_actor_create: out");
    REFUSES_NULL(mobula_actor_call(NULL, "a", NULL, 0, NULL, 0), "mobula_actor_call: actor");
    REFUSES_NULL(mobula_actor_find(NULL, NULL), "mobula_actor_find: name");
    REFUSES_NULL(mobula_actor_kill(NULL), "mobula_actor_kill: actor");
    REFUSES_NULL(mobula_actor_clone(NULL, NULL), "mobula_actor_clone: actor");
    CHECK(mobula_resource_total(NULL) == 0.0 && mobula_resource_available(NULL) == 0.0);
    mobula_ref_free(ref);
}

/* A thread that the library never saw: its failures are its own. */
static void *on_own_thread(void *unused) {
    double one = 1.0;
    mobula_arg_value arg = MOBULA_VALUE(&one, 1, MOBULA_F64);
    mobula_ref *ref;
    (void)unused;
    CHECK(strcmp(mobula_last_error(), "") == 0);
    OK(mobula_submit("task", &arg, 1, NULL, &ref, 1));
    CHECK(number(ref) == 1.0);
    mobula_ref_free(ref);
    FAILS(mobula_shutdown(), MOBULA_ERR_CONFIG, "another thread started the cluster");
    return NULL;
}

int main(void) {
    mobula_config config = MOBULA_CONFIG_INIT;
    pthread_t thread;
    REFUSES_NULL(mobula_register(NULL, task, NULL, 1), "mobula_register: name");
    REFUSES_NULL(mobula_register("other", NULL, NULL, 1), "mobula_register: function");
    FAILS(mobula_register("", task, NULL, 1), MOBULA_ERR_CONFIG, "cannot be registered");
    FAILS(mobula_register("task", task, NULL, 1), MOBULA_ERR_CONFIG, "a function named task is registered already");
    FAILS(mobula_register("many", task, NULL, UINT32_MAX), MOBULA_ERR_CONFIG, "many has 4294967295 results");
    without_cluster("before the start");
    config.size = 3;
    FAILS(mobula_init(&config), MOBULA_ERR_INVALID_ARGUMENT, "mobula_init: config: its size is 3");
    config.size = sizeof config;
    config.resources = "x";
    FAILS(mobula_init(&config), MOBULA_ERR_INVALID_ARGUMENT, "config->resources");
    config.resources = NULL;
    config.reserved[2] = 1;
    FAILS(mobula_init(&config), MOBULA_ERR_INVALID_ARGUMENT, "config->reserved is not 0");
    config.reserved[2] = 0;
    config.num_cpus = 1e12;
    FAILS(mobula_init(&config), MOBULA_ERR_CONFIG, "num_cpus");
    config.num_cpus = -1.0;
    OK(mobula_init(&config));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    FAILS(mobula_init(&config), MOBULA_ERR_CONFIG, "a cluster runs in this process already");
    config.ignore_reinit = true;
    OK(mobula_init(&config));
    FAILS(mobula_register("late", task, NULL, 1), MOBULA_ERR_CONFIG, "late is registered too late");
    nulls();
    CHECK(pthread_create(&thread, NULL, on_own_thread, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(strcmp(mobula_status_name(MOBULA_ERR_NODE_DIED), "MOBULA_ERR_NODE_DIED") == 0);
    CHECK(strcmp(mobula_status_name(-4), "a status of the program") == 0);
    CHECK(strcmp(mobula_status_name(1000), "no status of mobula") == 0);
    OK(mobula_shutdown());
    without_cluster("after the end");
    printf("ok: bad input\n");
    return 0;
}
