/* A child of fork() has the memory of its rank and none of its threads: every call is refused there, whatever is freed
 * there stays with the parent, and the parent goes on. */
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

enum { LONG = 100000 };

static mobula_status actor_new(mobula_call *call, void *user, void **state) {
    (void)call, (void)user, (void)state;
    return MOBULA_OK;
}

static mobula_status nothing(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(nothing)

static const mobula_method methods[] = { { "nothing", nothing, 1 } };

#define FORKED(call, function) FAILS(call, MOBULA_ERR_CONFIG, function ": this process was forked")

static void in_child(mobula_ref *ref, mobula_actor *actor, mobula_buffer *buffer, mobula_view *view) {
    double one = 1.0;
    mobula_ref *other;
    mobula_actor *same;
    mobula_buffer fresh;
    mobula_view late;
    bool ready;
    size_t count;
    FORKED(mobula_init(NULL), "mobula_init");
    FORKED(mobula_serve(), "mobula_serve");
    FORKED(mobula_put(&one, 1, MOBULA_F64, &other), "mobula_put");
    FORKED(mobula_create(1, MOBULA_F64, &fresh), "mobula_create");
    FORKED(mobula_seal(buffer, &other), "mobula_seal");
    FORKED(mobula_get(ref, -1.0, &late), "mobula_get");
    FORKED(mobula_wait(&ref, 1, 1, -1.0, &ready, &count), "mobula_wait");
    FORKED(mobula_cancel(ref), "mobula_cancel");
    FORKED(mobula_ref_clone(ref, &other), "mobula_ref_clone");
    FORKED(mobula_submit("nothing", NULL, 0, NULL, &other, 1), "mobula_submit");
    FORKED(mobula_actor_create("actor", NULL, 0, NULL, &same), "mobula_actor_create");
    FORKED(mobula_actor_call(actor, "nothing", NULL, 0, NULL, 0), "mobula_actor_call");
    FORKED(mobula_actor_find("name", &same), "mobula_actor_find");
    FORKED(mobula_actor_kill(actor), "mobula_actor_kill");
    FORKED(mobula_actor_clone(actor, &same), "mobula_actor_clone");
    FORKED(mobula_shutdown(), "mobula_shutdown");
    CHECK(!mobula_is_initialized() && mobula_size() == 0 && mobula_resource_total("CPU") == 0.0);
    CHECK(((const double *)view->data)[LONG - 1] == 5.0); /* read where it lies */
    mobula_release(view);
    mobula_discard(buffer);
    mobula_ref_free(ref);
    mobula_actor_free(actor);
    printf("ok: child\n");
    exit(0); /* with the handlers of atexit, of which the library has some */
}

/* A task forks: its child is refused as well. */
static mobula_status forks(mobula_call *call, void *user) {
    double code;
    int status;
    pid_t child = fork();
    (void)user;
    CHECK(child >= 0);
    if (child == 0) {
        mobula_ref *other;
        _exit(mobula_put(&code, 1, MOBULA_F64, &other) == MOBULA_ERR_CONFIG ? 7 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    code = WEXITSTATUS(status);
    return mobula_return(call, 0, &code, 1, MOBULA_F64);
}
MOBULA_TASK(forks)

/* A child that returns from the task ends there: it is no worker of the rank. */
static mobula_status forks_and_returns(mobula_call *call, void *user) {
    double code;
    int status;
    pid_t child = fork();
    (void)user;
    CHECK(child >= 0);
    if (child == 0) return MOBULA_OK;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    code = WEXITSTATUS(status);
    return mobula_return(call, 0, &code, 1, MOBULA_F64);
}
MOBULA_TASK(forks_and_returns)

int main(void) {
    mobula_actor_class class = MOBULA_ACTOR_CLASS_INIT;
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_ref *ref, *other;
    mobula_actor *actor;
    mobula_buffer buffer;
    mobula_view view;
    pid_t child;
    int status;
    class.name = "actor";
    class.construct = actor_new;
    class.methods = methods;
    class.num_methods = 1;
    OK(mobula_register_actor(&class));
    OK(mobula_init(NULL));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        return 0;
    }
    OK(mobula_create(LONG, MOBULA_F64, &buffer));
    ((double *)buffer.data)[LONG - 1] = 5.0;
    OK(mobula_seal(&buffer, &ref));
    OK(mobula_get(ref, -1.0, &view));
    OK(mobula_create(LONG, MOBULA_F64, &buffer));
    options.placement = MOBULA_PLACE_RANK;
    options.rank = mobula_size() - 1;
    OK(mobula_actor_create("actor", NULL, 0, &options, &actor));
    fflush(NULL);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) in_child(ref, actor, &buffer, &view);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    /* All is as it was. */
    CHECK(((const double *)view.data)[LONG - 1] == 5.0);
    mobula_release(&view);
    CHECK(number(ref) == 0.0);
    mobula_ref_free(ref);
    OK(mobula_seal(&buffer, &ref));
    mobula_ref_free(ref);
    OK(mobula_actor_call(actor, "nothing", NULL, 0, &other, 1));
    OK(mobula_get(other, -1.0, &view));
    mobula_release(&view);
    mobula_ref_free(other);
    mobula_actor_free(actor);
    OK(mobula_submit("forks", NULL, 0, &options, &other, 1));
    CHECK(number(other) == 7.0);
    mobula_ref_free(other);
    OK(mobula_submit("forks_and_returns", NULL, 0, &options, &other, 1));
    CHECK(number(other) == 1.0);
    mobula_ref_free(other);
    OK(mobula_shutdown());
    printf("ok: forked\n");
    return 0;
}
