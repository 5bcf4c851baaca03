/* The part in C: tasks that Rust calls, and calls of those of Rust. */
#include <mobula.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mobula_status add(mobula_call *call, void *user) {
    mobula_view a, b;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &a)) || (s = mobula_arg(call, 1, MOBULA_F64, &b))) return s;
    double sum = ((const double *)a.data)[0] + ((const double *)b.data)[0];
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(add)

/* The array times a number, written in place, and its address as the task saw it. */
static mobula_status scaled(mobula_call *call, void *user) {
    mobula_view x, factor;
    mobula_status s;
    void *to;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &x)) || (s = mobula_arg(call, 1, MOBULA_F64, &factor))) return s;
    if ((s = mobula_return_create(call, 0, x.count, MOBULA_F64, &to))) return s;
    for (size_t i = 0; i < x.count; i++) {
        ((double *)to)[i] = ((const double *)x.data)[i] * ((const double *)factor.data)[0];
    }
    uint64_t address = (uint64_t)(uintptr_t)x.data;
    return mobula_return(call, 1, &address, 1, MOBULA_U64);
}

static mobula_status greet(mobula_call *call, void *user) {
    mobula_view name;
    mobula_status s;
    char text[64];
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_BYTES, &name))) return s;
    int length = snprintf(text, sizeof text, "hello %.*s", (int)name.count, (const char *)name.data);
    return mobula_return(call, 0, text, (size_t)length, MOBULA_BYTES);
}

static mobula_status fails(mobula_call *call, void *user) {
    (void)user;
    return mobula_fail(call, "on purpose");
}

static mobula_status nothing(mobula_call *call, void *user) {
    (void)call;
    (void)user;
    return MOBULA_OK;
}

static mobula_status no_state(mobula_call *call, void *user, void **state) {
    (void)call, (void)user, (void)state;
    return MOBULA_OK;
}

static mobula_status gives_actor(mobula_call *call, void *user) {
    mobula_actor *actor;
    mobula_status s = mobula_actor_create("stateless", NULL, 0, NULL, &actor);
    (void)user;
    if (s != MOBULA_OK) return s;
    s = mobula_return_actor(call, 0, actor);
    mobula_actor_free(actor);
    return s;
}

void register_tasks(void) {
    mobula_actor_class stateless = MOBULA_ACTOR_CLASS_INIT;
    stateless.name = "stateless";
    stateless.construct = no_state;
    if (mobula_register("mixed::solver::root", add, NULL, 1) != MOBULA_ERR_CONFIG ||
        !strstr(mobula_last_error(), "is the path of a function of Rust")) {
        fprintf(stderr, "the path of a function of Rust was taken: %s\n", mobula_last_error());
        exit(1);
    }
    if (mobula_register_actor(&stateless) || mobula_register("gives_actor", gives_actor, NULL, 1) ||
        mobula_register("linear::scaled", scaled, NULL, 2) || mobula_register("greet", greet, NULL, 1) ||
        mobula_register("fails", fails, NULL, 1) || mobula_register("nothing", nothing, NULL, 0)) {
        fprintf(stderr, "%s\n", mobula_last_error());
        exit(1);
    }
}

#define OK(call) check((call), __LINE__)
#define CHECK(condition) ((condition) ? (void)0 : failed(#condition, __LINE__))

static void failed(const char *what, int line) {
    fprintf(stderr, "tasks.c:%d: %s\n", line, what);
    exit(1);
}

static void check(mobula_status status, int line) {
    if (status != MOBULA_OK) failed(mobula_last_error(), line);
}

/* The one number of type F64 that a call returns. */
static double number(const char *name, const mobula_arg_value *args, size_t count, const mobula_options *options) {
    mobula_ref *ref;
    mobula_view view;
    double value;
    OK(mobula_submit(name, args, count, options, &ref, 1));
    OK(mobula_get(ref, -1.0, &view));
    CHECK(view.count == 1 && view.type == MOBULA_F64);
    value = *(const double *)view.data;
    mobula_release(&view);
    mobula_ref_free(ref);
    return value;
}

/* A call that fails when its result is waited for, with that status and a message with each of these texts. */
static void fails_with(mobula_status status, const char *name, const mobula_arg_value *args, size_t count,
                       const char *const *texts) {
    mobula_ref *ref;
    mobula_view view;
    OK(mobula_submit(name, args, count, NULL, &ref, 1));
    mobula_status got = mobula_get(ref, -1.0, &view);
    if (got != status) fprintf(stderr, "%d: %s\n", (int)got, mobula_last_error());
    CHECK(got == status);
    for (; *texts != NULL; texts++) {
        if (strstr(mobula_last_error(), *texts) == NULL) failed(mobula_last_error(), __LINE__);
    }
    mobula_ref_free(ref);
}

/* Calls functions of Rust. */
void call_rust(uint32_t last_rank) {
    static const char *const positions[] = { "mixed::norm", "argument 1", "one MOBULA_F64", "1 of MOBULA_I32",
                                             NULL };
    static const char *const counts[] = { "mixed::norm", "it wants 2 arguments, and got 1", NULL };
    static const char *const many[] = { "argument 1: it wants one MOBULA_F64, and got 1000 of MOBULA_F64", NULL };
    static const char *const refused[] = { "mixed::solver::root", "-1 has no root", NULL };
    static const char *const panics[] = { "mixed::panics", "a panic of Rust", NULL };
    double values[1000], p = 2.0, three = 3.0, minus = -1.0;
    int32_t wrong = 2;
    mobula_ref *x, *results[2];
    mobula_view view, other;
    mobula_options options = MOBULA_OPTIONS_INIT;
    for (int i = 0; i < 1000; i++) values[i] = 2.0;
    OK(mobula_put(values, 1000, MOBULA_F64, &x));
    options.placement = MOBULA_PLACE_RANK;
    options.rank = last_rank;

    /* By its path, by the path's last part, and on another rank; an array in the store, and one of a few elements. */
    mobula_arg_value stored[] = { MOBULA_REF(x), MOBULA_VALUE(&p, 1, MOBULA_F64) };
    mobula_arg_value few[] = { MOBULA_VALUE(values, 4, MOBULA_F64), MOBULA_VALUE(&p, 1, MOBULA_F64) };
    double expected = sqrt(4000.0);
    CHECK(fabs(number("mixed::norm", stored, 2, NULL) - expected) < 1e-9);
    CHECK(fabs(number("norm", stored, 2, &options) - expected) < 1e-9);
    CHECK(number("mixed::norm", few, 2, &options) == 4.0);
    mobula_arg_value root[] = { MOBULA_VALUE(&three, 1, MOBULA_F64) };
    CHECK(number("mixed::solver::root", root, 1, &options) == sqrt(3.0));

    /* The options of the attribute, and others. */
    CHECK(number("mixed::solver::cpus", NULL, 0, NULL) == 0.25 && number("mixed::solver::cpus", NULL, 0, &options) == 0.25);
    options.num_cpus = 0.5;
    CHECK(number("mixed::solver::cpus", NULL, 0, &options) == 0.5);
    options.num_cpus = -1.0;

    /* An array in place, the same that it was given. */
    OK(mobula_submit("mixed::same", stored, 1, NULL, results, 1));
    OK(mobula_get(results[0], -1.0, &view));
    OK(mobula_get(x, -1.0, &other));
    CHECK(view.data == other.data && view.count == 1000 && view.type == MOBULA_F64);
    mobula_release(&view);
    mobula_release(&other);
    mobula_ref_free(results[0]);
    OK(mobula_submit("mixed::same", few, 1, &options, results, 1));
    OK(mobula_get(results[0], -1.0, &view));
    CHECK(view.count == 4 && ((const double *)view.data)[3] == 2.0);
    mobula_release(&view);
    mobula_ref_free(results[0]);

    /* Several results, of which one is a list of numbers, the other a text. */
    OK(mobula_submit("mixed::described", stored, 1, &options, results, 2));
    OK(mobula_get(results[0], -1.0, &view));
    CHECK(view.count == 2 && view.type == MOBULA_F64 && ((const double *)view.data)[1] == 2.0);
    mobula_release(&view);
    OK(mobula_get(results[1], -1.0, &view));
    CHECK(view.type == MOBULA_BYTES && view.count == 13 && memcmp(view.data, "1000 elements", 13) == 0);
    mobula_release(&view);
    mobula_ref_free(results[0]);
    mobula_ref_free(results[1]);

    /* Wrong calls, and functions that fail. */
    mobula_arg_value wrong_type[] = { MOBULA_REF(x), MOBULA_VALUE(&wrong, 1, MOBULA_I32) };
    fails_with(MOBULA_ERR_TYPE, "mixed::norm", wrong_type, 2, positions);
    fails_with(MOBULA_ERR_TYPE, "mixed::norm", stored, 1, counts);
    mobula_arg_value twice[] = { MOBULA_REF(x), MOBULA_REF(x) };
    fails_with(MOBULA_ERR_TYPE, "norm", twice, 2, many);
    mobula_arg_value negative[] = { MOBULA_VALUE(&minus, 1, MOBULA_F64) };
    fails_with(MOBULA_ERR_TASK, "mixed::solver::root", negative, 1, refused);
    fails_with(MOBULA_ERR_TASK, "mixed::panics", NULL, 0, panics);
    CHECK(mobula_submit("twice", NULL, 0, NULL, results, 1) == MOBULA_ERR_UNKNOWN_FUNCTION);
    CHECK(mobula_submit("mixed::described", stored, 1, NULL, results, 1) == MOBULA_ERR_TYPE);
    mobula_ref_free(x);
}

/* Doubles what a reference of Rust refers to, in a call of C; the address at which C reads it is written. */
mobula_ref *scaled_by_c(mobula_ref *x, uint64_t *address) {
    double two = 2.0;
    mobula_ref *results[2];
    mobula_view view;
    mobula_arg_value args[] = { MOBULA_REF(x), MOBULA_VALUE(&two, 1, MOBULA_F64) };
    OK(mobula_get(x, -1.0, &view));
    *address = (uint64_t)(uintptr_t)view.data;
    mobula_release(&view);
    OK(mobula_submit("linear::scaled", args, 2, NULL, results, 2));
    mobula_ref_free(results[1]);
    return results[0];
}
