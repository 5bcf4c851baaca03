/* The paths in C: the same operations as those in Rust, by the functions of mobula.h. */
#include <mobula.h>
#include <stdio.h>
#include <stdlib.h>

#define OK(call) ((call) == MOBULA_OK ? (void)0 : failed(mobula_last_error()))

static void failed(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* What is counted lies between two calls of this: callgrind knows it by name. */
__attribute__((noinline)) void mobula_measured_mark(void) {
    __asm__ volatile("" ::: "memory");
}

static mobula_status add(mobula_call *call, void *user) {
    mobula_view a, b;
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &a)) || (s = mobula_arg(call, 1, MOBULA_F64, &b))) return s;
    double sum = ((const double *)a.data)[0] + ((const double *)b.data)[0];
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(add)

/* Reads its first argument as often as the second says. */
static mobula_status read_often(mobula_call *call, void *user) {
    mobula_view x, times;
    mobula_status s;
    uint64_t sum = 0;
    (void)user;
    if ((s = mobula_arg(call, 1, MOBULA_U64, &times))) return s;
    for (uint64_t i = 0; i < *(const uint64_t *)times.data; i++) {
        if ((s = mobula_arg(call, 0, MOBULA_U64, &x))) return s;
        sum += *(const uint64_t *)x.data;
    }
    return mobula_return(call, 0, &sum, 1, MOBULA_U64);
}
MOBULA_TASK(read_often)

/* Tasks, all of a round submitted before the first result is read; on that rank, unless it is negative. */
void c_tasks(uint64_t round, int32_t rank) {
    mobula_ref **refs = malloc(round * sizeof *refs);
    mobula_options options = MOBULA_OPTIONS_INIT;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = (uint32_t)rank;
    if (refs == NULL) failed("there is no memory");
    for (uint64_t i = 0; i < round; i++) {
        double x = (double)i, y = 1.0;
        mobula_arg_value args[] = { MOBULA_VALUE(&x, 1, MOBULA_F64), MOBULA_VALUE(&y, 1, MOBULA_F64) };
        OK(mobula_submit("add", args, 2, rank < 0 ? NULL : &options, &refs[i], 1));
    }
    for (uint64_t i = 0; i < round; i++) {
        mobula_view view;
        OK(mobula_get(refs[i], -1.0, &view));
        if (*(const double *)view.data != (double)i + 1.0) failed("a sum is wrong");
        mobula_release(&view);
        mobula_ref_free(refs[i]);
    }
    free(refs);
}

void c_ranks(uint64_t round) {
    uint32_t sum = 0;
    for (uint64_t i = 0; i < round; i++) sum += mobula_rank();
    if (sum != 0) failed("this is not rank 0");
}

void c_args(uint64_t round) {
    uint64_t one = 1;
    mobula_ref *ref;
    mobula_view view;
    mobula_arg_value args[] = { MOBULA_VALUE(&one, 1, MOBULA_U64), MOBULA_VALUE(&round, 1, MOBULA_U64) };
    OK(mobula_submit("read_often", args, 2, NULL, &ref, 1));
    OK(mobula_get(ref, -1.0, &view));
    if (*(const uint64_t *)view.data != round) failed("a sum is wrong");
    mobula_release(&view);
    mobula_ref_free(ref);
}

void c_gets(uint64_t round) {
    double x = 1.0;
    mobula_ref *ref;
    OK(mobula_put(&x, 1, MOBULA_F64, &ref));
    for (uint64_t i = 0; i < round; i++) {
        mobula_view view;
        OK(mobula_get(ref, -1.0, &view));
        mobula_release(&view);
    }
    mobula_ref_free(ref);
}

/* Whether mobula_get of an array of so many bytes gives the memory in which it was written. */
int32_t c_gets_in_place(uint64_t bytes, void (*before)(void), void (*after)(void)) {
    mobula_buffer buffer;
    mobula_ref *ref;
    mobula_view view;
    OK(mobula_create(bytes, MOBULA_U8, &buffer));
    const void *written = buffer.data;
    for (uint64_t i = 0; i < bytes; i += 4096) ((unsigned char *)buffer.data)[i] = 1;
    OK(mobula_seal(&buffer, &ref));
    before();
    OK(mobula_get(ref, -1.0, &view));
    after();
    int32_t in_place = view.data == written && view.count == bytes;
    mobula_release(&view);
    mobula_ref_free(ref);
    return in_place;
}
