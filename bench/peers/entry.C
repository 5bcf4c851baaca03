/*
 * Entry methods between two processes of one host in Charm++. entry.ci declares them.
 *
 *     charmrun +p2 entry roundtrip COUNT     prints microseconds a round trip
 *     charmrun +p2 entry requests COUNT      prints million requests a second, in COUNT batches of 10,000
 *
 * A request is a call of the group's element on PE 1 with 8 bytes, and its response a call of the element on PE 0 with
 * 8 bytes. PE 0 calls a batch and waits for all of its responses.
 */
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "entry_methods.decl.h"

enum { REQUESTS = 10000, PASSES = 2 };

class Main : public CBase_Main
{
public:
    explicit Main(CkArgMsg *arguments)
    {
        const char *mode = arguments->argc == 3 ? arguments->argv[1] : "";
        bool in_flight = !strcmp(mode, "requests");
        int batches = arguments->argc == 3 ? atoi(arguments->argv[2]) : 0;
        if (batches < 1 || (!in_flight && strcmp(mode, "roundtrip")))
            CkAbort("usage: charmrun +p2 entry roundtrip|requests COUNT");
        if (CkNumPes() != 2 || CkNumNodes() != 2)
            CkAbort("error: it takes two processes of one PE each: use no multicore or smp build of Charm++");
        delete arguments;
        CProxy_Rank ranks = CProxy_Rank::ckNew(in_flight, batches);
        ranks[0].measure();
    }
};

/* One element on each PE. */
class Rank : public CBase_Rank
{
    bool in_flight;
    uint64_t batch, batches;
    int pass = 0;
    uint64_t round_number = 0, answers = 0;
    double start = 0;
    /* The round in which a number was answered last. */
    std::vector<uint64_t> answered;

    void call_batch()
    {
        round_number++;
        answers = 0;
        for (uint64_t number = 0; number < batch; number++)
            thisProxy[1].request(number);
    }

public:
    Rank(bool in_flight, int batches) : in_flight(in_flight), batch(in_flight ? REQUESTS : 1), batches(batches)
    {
        bind_to_core(CkMyPe());
    }

    void measure()
    {
        round_number = 0;
        answered.assign(batch, 0);
        start = CkWallTimer();
        call_batch();
    }

    void request(uint64_t number)
    {
        thisProxy[0].response(number);
    }

    /* Every number of a batch must come back once. */
    void response(uint64_t number)
    {
        if (number >= batch || answered[number] == round_number)
            CkAbort("error: a response is to no request");
        answered[number] = round_number;
        if (++answers < batch)
            return;
        if (round_number < batches) {
            call_batch();
        } else if (++pass < PASSES) { /* The first pass warms up: connections, caches, clocks. */
            measure();
        } else {
            double seconds = CkWallTimer() - start;
            CkPrintf("%.6f\n", in_flight ? batches * batch / seconds / 1e6 : seconds / batches * 1e6);
            CkExit();
        }
    }
};

#include "entry_methods.def.h"
