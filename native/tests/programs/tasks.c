/* Tasks: arguments by value and by reference, several results, options, failures, on every rank. */
#include "check.h"

static mobula_status add(mobula_call *call, void *user) {
    mobula_view a, b;
    mobula_status s;
    double sum;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &a)) || (s = mobula_arg(call, 1, MOBULA_F64, &b))) return s;
    sum = ((const double *)a.data)[0] + ((const double *)b.data)[0];
    mobula_release(&a); /* needless and harmless */
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(add)

/* n doubles, each their position: written in place. */
static mobula_status ramp(mobula_call *call, void *user) {
    mobula_view n;
    mobula_status s;
    void *data;
    size_t count, i;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_U64, &n))) return s;
    count = (size_t)((const uint64_t *)n.data)[0];
    if ((s = mobula_return_create(call, 0, count, MOBULA_F64, &data))) return s;
    for (i = 0; i < count; i++) ((double *)data)[i] = (double)i;
    return MOBULA_OK;
}
MOBULA_TASK(ramp)

/* Sum and number of the elements of an array. */
static mobula_status moments(mobula_call *call, void *user) {
    mobula_view x;
    mobula_status s;
    double sum = 0.0, count;
    size_t i;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &x))) return s;
    for (i = 0; i < x.count; i++) sum += ((const double *)x.data)[i];
    count = (double)x.count;
    if ((s = mobula_return(call, 1, &count, 1, MOBULA_F64))) return s;
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK_RETURNS(moments, 2)

static mobula_status where(mobula_call *call, void *user) {
    double rank = mobula_rank();
    (void)user;
    return mobula_return(call, 0, &rank, 1, MOBULA_F64);
}
MOBULA_TASK(where)

static mobula_status nothing(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(nothing)

static mobula_status scaled(mobula_call *call, void *user) {
    mobula_view x;
    mobula_status s;
    double product;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &x))) return s;
    product = ((const double *)x.data)[0] * *(const double *)user;
    return mobula_return(call, 0, &product, 1, MOBULA_F64);
}

/* Fails as its argument says. */
static mobula_status fails(mobula_call *call, void *user) {
    mobula_view how;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_I32, &how))) return s;
    switch (((const int32_t *)how.data)[0]) {
    case 0: return mobula_fail(call, "the mesh is empty");
    case 1: return -17;
    case 2: (void)mobula_fail(call, "said, and returned as nothing"); return MOBULA_OK;
    case 3: return mobula_arg(call, 1, MOBULA_F64, &how);
    case 4: return mobula_return(call, 3, NULL, 0, MOBULA_F64);
    case 5: return MOBULA_ERR_INTERNAL;
    case 6: return mobula_submit("unheard_of", NULL, 0, NULL, NULL, 0);
    default: return 99;
    }
}
MOBULA_TASK(fails)

/* Fibonacci numbers by tasks that wait for tasks. */
static mobula_status fibonacci(mobula_call *call, void *user) {
    mobula_view n;
    mobula_status s;
    double value, less[2], sum = 0.0;
    mobula_ref *refs[2];
    int i;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &n))) return s;
    value = ((const double *)n.data)[0];
    if (value < 2.0) return mobula_return(call, 0, &value, 1, MOBULA_F64);
    for (i = 0; i < 2; i++) {
        mobula_arg_value args[1];
        less[i] = value - 1 - i;
        args[0] = MOBULA_VALUE(&less[i], 1, MOBULA_F64);
        if ((s = mobula_submit("fibonacci", args, 1, NULL, &refs[i], 1))) return s;
    }
    for (i = 0; i < 2; i++) {
        sum += number(refs[i]);
        mobula_ref_free(refs[i]);
    }
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(fibonacci)

/* Waits for a reference that it got as it is, and returns its object without a copy. */
static mobula_status forward(mobula_call *call, void *user) {
    mobula_ref *ref;
    mobula_status s;
    size_t count;
    (void)user;
    if ((s = mobula_arg_count(call, &count))) return s;
    if (count != 1) return mobula_fail(call, "it takes one argument");
    if ((s = mobula_arg_ref(call, 0, &ref))) return s;
    s = mobula_return_ref(call, 0, ref);
    mobula_ref_free(ref);
    return s;
}
MOBULA_TASK(forward)

static mobula_status type_of(mobula_call *call, void *user) {
    mobula_view any;
    mobula_status s;
    double type;
    (void)user;
    if ((s = mobula_arg_any(call, 0, &any))) return s;
    type = any.type;
    return mobula_return(call, 0, &type, 1, MOBULA_F64);
}
MOBULA_TASK(type_of)

/* Fails when it runs for the first time on a rank. */
static mobula_status second_time(mobula_call *call, void *user) {
    static int times;
    double value = ++times;
    (void)user;
    if (times < 2) return mobula_fail(call, "the first time");
    return mobula_return(call, 0, &value, 1, MOBULA_F64);
}
MOBULA_TASK(second_time)

/* Waits for a reference; returns what its wait failed with, after another task of the thread has failed meanwhile. */
static mobula_status hold(mobula_call *call, void *user) {
    mobula_ref *ref, *other;
    mobula_view view;
    mobula_status s;
    bool ready;
    size_t count;
    int32_t how = 0;
    mobula_arg_value arg = MOBULA_VALUE(&how, 1, MOBULA_I32);
    (void)user;
    if ((s = mobula_arg_ref(call, 0, &ref))) return s;
    s = mobula_get(ref, -1.0, &view);
    mobula_ref_free(ref);
    if (s == MOBULA_ERR_CANCELLED) return s;
    CHECK(strstr(mobula_last_error(), "the mesh is empty") != NULL);
    OK(mobula_submit("fails", &arg, 1, NULL, &other, 1));
    OK(mobula_wait(&other, 1, 1, -1.0, &ready, &count)); /* others run on this thread, and fail */
    mobula_ref_free(other);
    CHECK(strstr(mobula_last_error(), "the mesh is empty") != NULL);
    return s;
}
MOBULA_TASK(hold)

static mobula_ref *submit1(const char *name, mobula_arg_value arg, const mobula_options *options) {
    mobula_ref *ref;
    OK(mobula_submit(name, &arg, 1, options, &ref, 1));
    return ref;
}

static void values_and_references(void) {
    double one = 1.0, ten = 10.0, two = 2.0;
    mobula_ref *x, *y, *z;
    mobula_arg_value args[] = { MOBULA_VALUE(&one, 1, MOBULA_F64), MOBULA_VALUE(&two, 1, MOBULA_F64) };
    OK(mobula_submit("add", args, 2, NULL, &x, 1));
    args[0] = MOBULA_REF(x);
    args[1] = MOBULA_VALUE(&ten, 1, MOBULA_F64);
    OK(mobula_submit("add", args, 2, NULL, &y, 1));
    CHECK(number(y) == 13.0 && number(x) == 3.0);
    z = submit1("scaled by three", MOBULA_REF(y), NULL);
    CHECK(number(z) == 39.0);
    mobula_ref_free(x);
    mobula_ref_free(y);
    mobula_ref_free(z);
}

static void on_every_rank(void) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    uint32_t rank;
    options.placement = MOBULA_PLACE_RANK;
    for (rank = 0; rank < mobula_size(); rank++) {
        uint64_t lengths[] = { 3, 100000 };
        int i;
        mobula_ref *at;
        options.rank = rank;
        OK(mobula_submit("where", NULL, 0, &options, &at, 1));
        CHECK(number(at) == rank);
        mobula_ref_free(at);
        for (i = 0; i < 2; i++) { /* an array of any length, made there, summed there and here */
            mobula_ref *array = submit1("ramp", MOBULA_VALUE(&lengths[i], 1, MOBULA_U64), &options), *sums[2];
            mobula_arg_value arg = MOBULA_REF(array);
            double n = (double)lengths[i];
            mobula_view view;
            OK(mobula_submit("moments", &arg, 1, &options, sums, 2));
            CHECK(number(sums[0]) == n * (n - 1) / 2 && number(sums[1]) == n);
            OK(mobula_get(array, -1.0, &view));
            CHECK(view.count == lengths[i] && ((const double *)view.data)[view.count - 1] == n - 1);
            mobula_release(&view);
            mobula_ref_free(array);
            mobula_ref_free(sums[0]);
            mobula_ref_free(sums[1]);
        }
    }
    options.rank = mobula_size();
    {
        mobula_ref *at;
        mobula_view view;
        OK(mobula_submit("where", NULL, 0, &options, &at, 1));
        FAILS(mobula_get(at, -1.0, &view), MOBULA_ERR_CONFIG, "there is no rank");
        mobula_ref_free(at);
    }
}

static void long_value_and_nested_tasks(void) {
    double values[5000], n = 12.0, sum = 0.0;
    int i;
    mobula_ref *sums[2], *tree;
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_arg_value arg = MOBULA_VALUE(values, 5000, MOBULA_F64);
    for (i = 0; i < 5000; i++) sum += values[i] = i * 0.5;
    options.placement = MOBULA_PLACE_SPREAD;
    for (i = 0; i < 4; i++) {
        OK(mobula_submit("moments", &arg, 1, &options, sums, 2));
        CHECK(number(sums[0]) == sum && number(sums[1]) == 5000.0);
        mobula_ref_free(sums[0]);
        mobula_ref_free(sums[1]);
    }
    tree = submit1("fibonacci", MOBULA_VALUE(&n, 1, MOBULA_F64), NULL);
    CHECK(number(tree) == 144.0);
    mobula_ref_free(tree);
}

static void references_as_they_are(void) {
    double values[] = { 1, 2, 3, 4, 5, 6 };
    mobula_ref *array, *same;
    mobula_view one, other;
    mobula_options options = MOBULA_OPTIONS_INIT;
    uint32_t rank;
    OK(mobula_put(values, 6, MOBULA_F64, &array));
    options.placement = MOBULA_PLACE_RANK;
    for (rank = 0; rank < mobula_size(); rank++) {
        options.rank = rank;
        same = submit1("forward", MOBULA_REF_AS_IS(array), &options);
        OK(mobula_get(array, -1.0, &one));
        OK(mobula_get(same, -1.0, &other));
        CHECK(other.count == 6 && memcmp(other.data, values, sizeof values) == 0);
        CHECK(rank != 0 || other.data == one.data);
        mobula_release(&one);
        mobula_release(&other);
        mobula_ref_free(same);
    }
    same = submit1("forward", MOBULA_REF(array), NULL);
    FAILS(mobula_get(same, -1.0, &one), MOBULA_ERR_TYPE, "forward: argument 0: it wants a reference");
    mobula_ref_free(same);
    mobula_ref_free(array);
}

static void failing(void) {
    static const struct {
        int32_t how;
        mobula_status status;
        const char *text;
    } cases[] = {
        { 0, MOBULA_ERR_TASK, "the mesh is empty" },
        { 1, MOBULA_ERR_TASK, "-17" },
        { 2, MOBULA_ERR_TASK, "said, and returned as nothing" },
        { 3, MOBULA_ERR_TYPE, "fails: it wants an argument 1, and got 1 arguments" },
        { 4, MOBULA_ERR_TYPE, "fails: it returns a result 3, and has 1 results" },
        { 5, MOBULA_ERR_TASK, "MOBULA_ERR_INTERNAL" },
        { 6, MOBULA_ERR_TASK, "no function named \"unheard_of\" is registered" },
        { 7, MOBULA_ERR_TASK, "99" },
    };
    mobula_options options = MOBULA_OPTIONS_INIT;
    size_t i;
    uint32_t rank;
    options.placement = MOBULA_PLACE_RANK;
    for (rank = 0; rank < mobula_size(); rank++) {
        options.rank = rank;
        for (i = 0; i < sizeof cases / sizeof *cases; i++) {
            double one = 1.0;
            mobula_view view;
            mobula_ref *failed = submit1("fails", MOBULA_VALUE(&cases[i].how, 1, MOBULA_I32), &options), *next;
            mobula_arg_value args[] = { MOBULA_REF(failed), MOBULA_VALUE(&one, 1, MOBULA_F64) };
            FAILS(mobula_get(failed, -1.0, &view), cases[i].status, cases[i].text);
            OK(mobula_submit("add", args, 2, NULL, &next, 1)); /* and so does what depends on it */
            FAILS(mobula_get(next, -1.0, &view), cases[i].status, cases[i].text);
            mobula_ref_free(failed);
            mobula_ref_free(next);
        }
    }
}

static void types_and_counts(void) {
    float single = 1.0f;
    double one = 1.0;
    mobula_view view;
    mobula_ref *ref, *two[2];
    mobula_arg_value args[] = { MOBULA_VALUE(&one, 1, MOBULA_F64), MOBULA_VALUE(&single, 1, MOBULA_F32) };
    OK(mobula_submit("add", args, 2, NULL, &ref, 1));
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_TYPE, "add: argument 1: it wants MOBULA_F64, and got MOBULA_F32");
    mobula_ref_free(ref);
    ref = submit1("type_of", args[1], NULL);
    CHECK(number(ref) == MOBULA_F32);
    mobula_ref_free(ref);
    FAILS(mobula_submit("add", args, 2, NULL, two, 2), MOBULA_ERR_TYPE, "add: it has 1 results, and was called for 2");
    FAILS(mobula_submit("moments", args, 1, NULL, two, 1), MOBULA_ERR_TYPE, "moments: it has 2 results");
    FAILS(mobula_submit("unheard_of", args, 1, NULL, two, 1), MOBULA_ERR_UNKNOWN_FUNCTION,
          "mobula_submit: no function named \"unheard_of\" is registered");
    OK(mobula_submit("nothing", NULL, 0, NULL, NULL, 0)); /* nobody wants its result */
    OK(mobula_submit("nothing", NULL, 0, NULL, &ref, 1));
    OK(mobula_get(ref, -1.0, &view));
    CHECK(view.count == 0 && view.type == MOBULA_BYTES && view.data != NULL);
    mobula_release(&view);
    mobula_ref_free(ref);
}

static void retried_and_cancelled(void) {
    mobula_options options = MOBULA_OPTIONS_INIT;
    int32_t how = 0;
    mobula_ref *ref, *waits, *never;
    mobula_view view;
    bool ready = true;
    size_t num_ready = 7;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = mobula_size() - 1;
    options.retry_on_error = true;
    options.max_retries = 1;
    OK(mobula_submit("second_time", NULL, 0, &options, &ref, 1));
    CHECK(number(ref) == 2.0);
    mobula_ref_free(ref);

    ref = submit1("fails", MOBULA_VALUE(&how, 1, MOBULA_I32), NULL);
    waits = submit1("hold", MOBULA_REF_AS_IS(ref), NULL);
    FAILS(mobula_get(waits, -1.0, &view), MOBULA_ERR_TASK, "the mesh is empty"); /* the message of its own wait */
    mobula_ref_free(ref);
    mobula_ref_free(waits);

    options.retry_on_error = false;
    options.max_retries = -1;
    options.rank = 0;
    options.resources = "Custom=2";
    {
        mobula_actor *holder; /* it has the resources for as long as it lives */
        OK(mobula_actor_create("holder", NULL, 0, &options, &holder));
        OK(mobula_actor_call(holder, "ready", NULL, 0, &ref, 1));
        OK(mobula_get(ref, -1.0, &view));
        mobula_release(&view);
        mobula_ref_free(ref);
        OK(mobula_submit("where", NULL, 0, &options, &never, 1));
        FAILS(mobula_get(never, 0.01, &view), MOBULA_ERR_TIMEOUT, "mobula_get");
        OK(mobula_wait(&never, 1, 1, 0.0, &ready, &num_ready));
        CHECK(num_ready == 0 && !ready);
        waits = submit1("hold", MOBULA_REF_AS_IS(never), NULL);
        OK(mobula_cancel(waits));
        FAILS(mobula_get(waits, -1.0, &view), MOBULA_ERR_CANCELLED, "hold");
        OK(mobula_cancel(never));
        FAILS(mobula_get(never, -1.0, &view), MOBULA_ERR_CANCELLED, "where");
        mobula_ref_free(waits);
        mobula_ref_free(never);
        mobula_actor_free(holder);
    }
}

static mobula_status holder_new(mobula_call *call, void *user, void **state) {
    (void)call, (void)user, (void)state;
    return MOBULA_OK;
}

static const mobula_method holder_methods[] = { { "ready", nothing, 1 } };

static void options_of_a_call(void) {
    double one = 1.0;
    int32_t how = 0;
    mobula_ref *ref, *array;
    mobula_view view;
    mobula_options options = MOBULA_OPTIONS_INIT;
    options.num_cpus = 2.0;
    options.resources = "Custom=1";
    options.memory = 1 << 20;
    options.name = "the first sum";
    options.retry_on_error = true;
    options.max_retries = 2;
    ref = submit1("fails", MOBULA_VALUE(&how, 1, MOBULA_I32), &options);
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_TASK, "the first sum");
    mobula_ref_free(ref);
    options.resources = "Other=1";
    ref = submit1("scaled by three", MOBULA_VALUE(&one, 1, MOBULA_F64), &options);
    FAILS(mobula_get(ref, -1.0, &view), MOBULA_ERR_UNSCHEDULABLE, "Other");
    mobula_ref_free(ref);
    OK(mobula_put(&one, 1, MOBULA_F64, &array));
    options.resources = NULL;
    options.placement = MOBULA_PLACE_NEAR;
    FAILS(mobula_submit("where", NULL, 0, &options, &ref, 1), MOBULA_ERR_INVALID_ARGUMENT, "options->near is NULL");
    options.near = array;
    OK(mobula_submit("where", NULL, 0, &options, &ref, 1));
    CHECK(number(ref) == 0.0);
    mobula_ref_free(ref);
    mobula_ref_free(array);
    options.size = offsetof(mobula_options, resources); /* as an older program has it */
    OK(mobula_submit("where", NULL, 0, &options, &ref, 1));
    mobula_ref_free(ref);
    options.size = sizeof options + 8;
    FAILS(mobula_submit("where", NULL, 0, &options, &ref, 1), MOBULA_ERR_INVALID_ARGUMENT, "options: its size is");
    options.size = sizeof options;
    options.placement = (mobula_placement)5;
    FAILS(mobula_submit("where", NULL, 0, &options, &ref, 1), MOBULA_ERR_INVALID_ARGUMENT, "options->placement is 5");
    options.placement = MOBULA_PLACE_AUTO;
    options.resources = "Custom";
    FAILS(mobula_submit("where", NULL, 0, &options, &ref, 1), MOBULA_ERR_INVALID_ARGUMENT, "not of the form Name=1");
}

int main(void) {
    static double three = 3.0;
    mobula_config config = MOBULA_CONFIG_INIT;
    mobula_actor_class holder = MOBULA_ACTOR_CLASS_INIT;
    config.num_cpus = 4.0;
    config.resources = "Custom=2";
    OK(mobula_register("scaled by three", scaled, &three, 1));
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
    values_and_references();
    on_every_rank();
    long_value_and_nested_tasks();
    references_as_they_are();
    failing();
    types_and_counts();
    retried_and_cancelled();
    options_of_a_call();
    OK(mobula_shutdown());
    printf("ok: tasks\n");
    return 0;
}
