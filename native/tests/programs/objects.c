/* Objects: every type, short and long ones, written in place, read without a copy, waited for. */
#include "check.h"

static void every_type(void) {
    static const size_t sizes[] = { 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16 };
    unsigned char bytes[64 * 16];
    size_t i;
    int type;
    for (i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7);
    for (type = MOBULA_BYTES; type <= MOBULA_C128; type++) {
        size_t counts[] = { 0, 1, 2, 64 };
        for (i = 0; i < 4; i++) {
            mobula_ref *ref;
            mobula_view view;
            OK(mobula_put(bytes, counts[i], (mobula_type)type, &ref));
            OK(mobula_get(ref, -1.0, &view));
            CHECK(view.type == (mobula_type)type && view.count == counts[i] && view.data != NULL);
            CHECK((size_t)view.data % sizes[type] == 0 || sizes[type] == 16);
            CHECK(memcmp(view.data, bytes, counts[i] * sizes[type]) == 0);
            mobula_release(&view);
            CHECK(view.data == NULL && view.internal == NULL);
            mobula_release(&view);
            mobula_ref_free(ref);
        }
    }
}

static void written_in_place(void) {
    enum { COUNT = 1 << 20 };
    mobula_buffer buffer;
    mobula_view one, other;
    mobula_ref *ref, *same;
    const void *written;
    size_t i;
    OK(mobula_create(COUNT, MOBULA_F64, &buffer));
    CHECK(buffer.count == COUNT && buffer.type == MOBULA_F64);
    for (i = 0; i < COUNT; i++) ((double *)buffer.data)[i] = (double)i;
    written = buffer.data;
    OK(mobula_seal(&buffer, &ref));
    CHECK(buffer.data == NULL);
    FAILS(mobula_seal(&buffer, &same), MOBULA_ERR_INVALID_ARGUMENT, "mobula_seal: buffer was sealed or discarded");
    OK(mobula_ref_clone(ref, &same));
    OK(mobula_get(ref, 0.0, &one));
    OK(mobula_get(same, -1.0, &other));
    CHECK(one.data == written && other.data == written); /* no copy */
    mobula_ref_free(ref);
    mobula_ref_free(same);
    CHECK(((const double *)one.data)[COUNT - 1] == COUNT - 1); /* the view keeps the bytes */
    mobula_release(&one);
    mobula_release(&other);

    OK(mobula_create(3, MOBULA_F64, &buffer));
    mobula_discard(&buffer);
    mobula_discard(&buffer);
    FAILS(mobula_seal(&buffer, &ref), MOBULA_ERR_INVALID_ARGUMENT, "sealed or discarded");
    FAILS(mobula_create((size_t)-1, MOBULA_F64, &buffer), MOBULA_ERR_INVALID_ARGUMENT, "mobula_create: count is");
    FAILS(mobula_create((size_t)1 << 63, MOBULA_I8, &buffer), MOBULA_ERR_INVALID_ARGUMENT, "mobula_create: count is");
    FAILS(mobula_create(1, (mobula_type)13, &buffer), MOBULA_ERR_INVALID_ARGUMENT, "type is 13");
    FAILS(mobula_create((size_t)1 << 44, MOBULA_BYTES, &buffer), MOBULA_ERR_STORE_FULL, "store");
}

static void waited_for(void) {
    mobula_ref *refs[2];
    bool ready[2] = { false, false };
    size_t num_ready = 7;
    double one = 1.0;
    OK(mobula_put(&one, 1, MOBULA_F64, &refs[0]));
    OK(mobula_put(&one, 1, MOBULA_F64, &refs[1]));
    OK(mobula_wait(refs, 2, 2, 10.0, ready, &num_ready));
    CHECK(num_ready == 2 && ready[0] && ready[1]);
    OK(mobula_wait(NULL, 0, 0, -1.0, NULL, &num_ready));
    CHECK(num_ready == 0);
    FAILS(mobula_wait(refs, 2, 3, -1.0, ready, &num_ready), MOBULA_ERR_INVALID_ARGUMENT, "num_returns is 3");
    FAILS(mobula_wait(refs, 2, 0, -1.0, ready, &num_ready), MOBULA_ERR_INVALID_ARGUMENT, "num_returns is 0");
    OK(mobula_cancel(refs[0])); /* complete: it stays */
    CHECK(number(refs[0]) == 1.0);
    mobula_ref_free(refs[0]);
    mobula_ref_free(refs[1]);
}

int main(void) {
    mobula_config config = MOBULA_CONFIG_INIT;
    mobula_view kept;
    mobula_ref *ref;
    double values[100];
    bool is_alone;
    int i;
    config.num_cpus = 2.0;
    config.resources = "Custom=2, Licence=1";
    config.store_bytes = (uint64_t)64 << 20;
    CHECK(!mobula_is_initialized() && mobula_size() == 0);
    OK(mobula_init(&config));
    if (mobula_rank() != 0) {
        OK(mobula_serve());
        CHECK(!mobula_is_initialized());
        return 0;
    }
    is_alone = mobula_size() == 1;
    CHECK(mobula_is_initialized() && mobula_rank() == 0);
    CHECK(mobula_resource_total("CPU") == 2.0 && mobula_resource_total("Custom") == 2.0);
    CHECK(mobula_resource_available("Licence") == 1.0 && mobula_resource_total("Other") == 0.0);
    every_type();
    written_in_place();
    waited_for();
    for (i = 0; i < 100; i++) values[i] = i;
    OK(mobula_put(values, 100, MOBULA_F64, &ref));
    OK(mobula_get(ref, -1.0, &kept));
    OK(mobula_shutdown());
    CHECK(!mobula_is_initialized());
    CHECK(((const double *)kept.data)[99] == 99.0); /* a view outlives the cluster, and so do handles */
    FAILS(mobula_get(ref, -1.0, &kept), MOBULA_ERR_CONFIG, "mobula_get: no cluster runs");
    mobula_release(&kept);
    mobula_ref_free(ref);
    if (is_alone) { /* another start may follow, of all ranks */
        OK(mobula_init(&config));
        OK(mobula_shutdown());
    }
    printf("ok: objects\n");
    return 0;
}
