/*
 * Messages between two processes of one host in Converse, the layer below Charm++.
 *
 *     charmrun +p2 converse roundtrip COUNT     prints microseconds a round trip
 *     charmrun +p2 converse requests COUNT      prints million requests a second, in COUNT batches of 10,000
 *
 * A request has 8 bytes behind Converse's header, and so has its response. PE 0 sends a batch and waits for all of its
 * responses; PE 1 sends each message back. Both run Converse's scheduler.
 */
#include <converse.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

enum { REQUESTS = 10000, PASSES = 2 };

struct Message {
    char header[CmiMsgHeaderSizeBytes];
    uint64_t number;
};

/* The numbers of the handlers. Each process has one PE, so they need not be variables of a PE. */
static int on_request, on_response, on_stop;

/* The measurement of PE 0. */
static int in_flight;
static uint64_t batch, batches;
static int pass;
static uint64_t round_number, answers;
static double start;
/* The round in which a number was answered last. */
static std::vector<uint64_t> answered;
/* Messages that came back, for the next requests. */
static std::vector<Message *> spare;

static void send_batch()
{
    round_number++;
    answers = 0;
    for (uint64_t number = 0; number < batch; number++) {
        Message *message;
        if (spare.empty()) {
            message = (Message *)CmiAlloc(sizeof(Message));
        } else {
            message = spare.back();
            spare.pop_back();
        }
        message->number = number;
        CmiSetHandler(message, on_request);
        CmiSyncSendAndFree(1, sizeof(Message), message);
    }
}

static void begin_pass()
{
    round_number = 0;
    answered.assign(batch, 0);
    start = CmiWallTimer();
    send_batch();
}

/* On PE 1. */
static void request(void *message)
{
    CmiSetHandler(message, on_response);
    CmiSyncSendAndFree(0, sizeof(Message), message);
}

static void end()
{
    double seconds = CmiWallTimer() - start;
    CmiPrintf("%.6f\n", in_flight ? batches * batch / seconds / 1e6 : seconds / batches * 1e6);
    for (Message *message : spare)
        CmiFree(message);
    Message *stop = (Message *)CmiAlloc(sizeof(Message));
    CmiSetHandler(stop, on_stop);
    CmiSyncBroadcastAllAndFree(sizeof(Message), stop);
}

/* On PE 0. Every number of a batch must come back once. */
static void response(void *data)
{
    Message *message = (Message *)data;
    uint64_t number = message->number;
    if (number >= batch || answered[number] == round_number)
        CmiAbort("error: a response is to no request");
    answered[number] = round_number;
    spare.push_back(message);
    if (++answers < batch)
        return;
    if (round_number < batches)
        send_batch();
    else if (++pass < PASSES) /* The first pass warms up: connections, caches, clocks. */
        begin_pass();
    else
        end();
}

static void stop(void *message)
{
    CmiFree(message);
    CsdExitScheduler();
}

static void begin(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[1] : "";
    in_flight = !strcmp(mode, "requests");
    int count = argc == 3 ? atoi(argv[2]) : 0;
    if (count < 1 || (!in_flight && strcmp(mode, "roundtrip")))
        CmiAbort("usage: charmrun +p2 converse roundtrip|requests COUNT");
    if (CmiNumPes() != 2 || CmiNumNodes() != 2)
        CmiAbort("error: it takes two processes of one PE each: use no multicore or smp build of Charm++");
    bind_to_core(CmiMyPe());
    batches = count;
    batch = in_flight ? REQUESTS : 1;
    on_request = CmiRegisterHandler(request);
    on_response = CmiRegisterHandler(response);
    on_stop = CmiRegisterHandler(stop);
    if (CmiMyPe() == 0)
        begin_pass();
}

int main(int argc, char **argv)
{
    ConverseInit(argc, argv, begin, 0, 0);
    return 0;
}
