/*
 * Active messages between two processes of one host in LCI 2.
 *
 *     lci roundtrip COUNT     prints microseconds a round trip
 *     lci requests COUNT      prints million requests a second, in COUNT batches of 10,000
 *
 * A request has 8 bytes, and so has its response. Rank 0 posts a batch and waits for all of its responses; as much of
 * it is in flight as LCI takes. Rank 1 responds. Each rank polls from its only thread.
 */
#include <lci.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

enum { REQUESTS = 10000, PASSES = 2 };

/* Numbers that arrived and were not looked at. */
static std::vector<uint64_t> arrived;

/* Where the other rank's messages arrive. */
static lci::rcomp_t destination;

static void arrives(lci::status_t status)
{
    uint64_t number;
    memcpy(&number, status.buffer, sizeof number);
    arrived.push_back(number);
    /* It was allocated for this message. */
    free(status.buffer);
}

/* Returns when `number` may change: LCI has copied it. */
static void post(int rank, uint64_t number)
{
    while (lci::post_am(rank, &number, sizeof number, lci::COMP_NULL_RETRY, destination).is_retry())
        lci::progress();
}

/* Responds to so many requests. */
static void respond(uint64_t requests)
{
    for (uint64_t done = 0; done < requests;) {
        lci::progress();
        /* More may arrive while one is posted. */
        for (size_t next = 0; next < arrived.size(); next++)
            post(0, arrived[next]);
        done += arrived.size();
        arrived.clear();
    }
}

/* Every number of a batch must come back once. */
static void request(uint64_t batches, uint64_t batch)
{
    std::vector<uint64_t> answered(batch, 0);
    for (uint64_t round = 1; round <= batches; round++) {
        for (uint64_t number = 0; number < batch; number++)
            post(1, number);
        while (arrived.size() < batch)
            lci::progress();
        for (uint64_t number : arrived) {
            if (number >= batch || answered[number] == round) {
                fprintf(stderr, "error: the response %llu is to no request\n", (unsigned long long)number);
                exit(1);
            }
            answered[number] = round;
        }
        arrived.clear();
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[1] : "";
    bool in_flight = !strcmp(mode, "requests");
    int batches = argc == 3 ? atoi(argv[2]) : 0;
    if (batches < 1 || (!in_flight && strcmp(mode, "roundtrip"))) {
        fprintf(stderr, "usage: lci roundtrip|requests COUNT, in two processes\n");
        return 2;
    }
    lci::g_runtime_init();
    int rank = lci::get_rank_me();
    if (lci::get_rank_n() != 2) {
        fprintf(stderr, "error: there are %d ranks of LCI, and not two\n", lci::get_rank_n());
        return 2;
    }
    bind_to_core(rank);
    uint64_t batch = in_flight ? REQUESTS : 1;
    arrived.reserve(REQUESTS);
    lci::comp_t handler = lci::alloc_handler(arrives);
    destination = lci::register_rcomp(handler);

    /* The first pass warms up: connections, caches, clocks. */
    double seconds = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        lci::barrier();
        auto start = std::chrono::steady_clock::now();
        if (rank == 0)
            request(batches, batch);
        else
            respond(batches * batch);
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    if (rank == 0)
        printf("%.6f\n", in_flight ? batches * batch / seconds / 1e6 : seconds / batches * 1e6);
    lci::barrier();
    lci::free_comp(&handler);
    lci::g_runtime_fina();
    return 0;
}
