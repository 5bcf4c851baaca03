"""The cases of Ray's published microbenchmark, one at a time.

    python ray_cases.py driver|client

reads lines `SECONDS PART CASE`, and prints for each a line `RESPONSE RATE`: how often a second the case ran in so many
seconds, or `RESPONSE` and the error. Counts in thousands are divided by PART.
Before the first, once Ray is up, it prints `RESPONSE ready`. It ends when its input does.
"""

import multiprocessing
import sys
import threading
import time

import numpy
import ray

BATCH = 1000
PART = 1
HALF_OF_THE_CORES = max(1, multiprocessing.cpu_count() // 2)


def respond(text):
    print("RESPONSE", str(text).replace("\n", " ")[:300], flush=True)


def part_of(count):
    return max(1, count // PART)


def rate(seconds, multiplier, act):
    """How often a second, each time counting for `multiplier`."""
    act()
    start, count = time.perf_counter(), 0
    while True:
        act()
        count += 1
        spent = time.perf_counter() - start
        if spent >= seconds:
            return count * multiplier / spent


@ray.remote
def small_value():
    return b"ok"


@ray.remote(num_cpus=0)
class Small:
    def small_value(self):
        return b"ok"

    def small_value_with(self, _):
        return b"ok"

    def tasks(self, count):
        ray.get([small_value.remote() for _ in range(count)])


@ray.remote(num_cpus=0)
class SmallLater:
    async def small_value(self):
        return b"ok"

    async def small_value_with(self, _):
        return b"ok"


@ray.remote(num_cpus=0)
class Caller:
    def __init__(self, servers):
        self.servers = servers

    def calls(self, count):
        ray.get([server.small_value.remote() for server in self.servers for _ in range(count)])

    def calls_with(self, count):
        argument = ray.put(0)
        ray.get([server.small_value_with.remote(argument) for server in self.servers for _ in range(count)])


@ray.remote
def work(actors, calls):
    ray.get([actors[call % len(actors)].small_value.remote() for call in range(calls)])


@ray.remote
def put_small():
    for _ in range(100):
        ray.put(0)


@ray.remote
def put_parts(count):
    for _ in range(count):
        ray.put(numpy.zeros(10 * 1024 * 1024, dtype=numpy.int64))


@ray.remote
def with_references():
    return [ray.put(1) for _ in range(10000)]


def get_calls(seconds):
    value = ray.put(0)
    return rate(seconds, 1, lambda: ray.get(value))


def put_calls(seconds):
    return rate(seconds, 1, lambda: ray.put(0))


def put_by_many(seconds):
    return rate(seconds, 1000, lambda: ray.get([put_small.remote() for _ in range(10)]))


def put_gigabytes(seconds):
    array = numpy.zeros(100 * 1024 * 1024, dtype=numpy.int64)
    return rate(seconds, array.nbytes / 1e9, lambda: ray.put(array))


def put_gigabytes_by_many(seconds):
    parts = part_of(10)
    gigabytes = 10 * parts * 10 * 1024 * 1024 * 8 / 1e9
    return rate(seconds, gigabytes, lambda: ray.get([put_parts.remote(parts) for _ in range(10)]))


def batch(seconds):
    return rate(seconds, 1, lambda: ray.get([small_value.remote() for _ in range(BATCH)]))


def get_with_references(seconds):
    container = with_references.remote()
    return rate(seconds, 1, lambda: ray.get(container))


def core_worker():
    worker = ray._private.worker.global_worker.core_worker
    if not hasattr(worker, "add_object_out_of_scope_callback"):
        raise RuntimeError(f"Ray {ray.__version__} has no out-of-scope callbacks")
    return worker


def register_callback(seconds):
    worker = core_worker()
    return rate(seconds, 1, lambda: worker.add_object_out_of_scope_callback(ray.put(0), lambda _: None))


def fire_callbacks(seconds):
    worker = core_worker()

    def act():
        lock, done, left = threading.Lock(), threading.Event(), [BATCH]

        def dropped(_):
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    done.set()

        references = [ray.put(0) for _ in range(BATCH)]
        for reference in references:
            worker.add_object_out_of_scope_callback(reference, dropped)
        del reference, references
        if not done.wait(timeout=30):
            raise TimeoutError("a callback was not called")

    return rate(seconds, BATCH, act)


def wait_one_by_one(seconds):
    def act():
        remaining, fetch = [small_value.remote() for _ in range(BATCH)], True
        while remaining:
            _, remaining = ray.wait(remaining, fetch_local=fetch)
            fetch = False

    return rate(seconds, 1, act)


def tasks_sync(seconds):
    return rate(seconds, 1, lambda: ray.get(small_value.remote()))


def tasks_async(seconds):
    return BATCH * batch(seconds)


def tasks_by_actors(seconds):
    actors = [Small.remote() for _ in range(4)]
    count = part_of(10000)
    return rate(seconds, 4 * count, lambda: ray.get([actor.tasks.remote(count) for actor in actors]))


def calls_sync(actor, seconds):
    return rate(seconds, 1, lambda: ray.get(actor.small_value.remote()))


def calls_async(actor, seconds):
    return rate(seconds, BATCH, lambda: ray.get([actor.small_value.remote() for _ in range(BATCH)]))


def calls_with_arguments(actor, seconds):
    return rate(seconds, BATCH, lambda: ray.get([actor.small_value_with.remote(n) for n in range(BATCH)]))


def one_to_many(kind, seconds):
    servers = [kind.remote() for _ in range(HALF_OF_THE_CORES)]
    caller = Caller.remote(servers)
    count = part_of(5000)
    return rate(seconds, count * len(servers), lambda: ray.get(caller.calls.remote(count)))


def many_to_many(kind, seconds):
    servers = [kind.remote() for _ in range(HALF_OF_THE_CORES)]
    count = part_of(5000)
    return rate(seconds, 4 * count, lambda: ray.get([work.remote(servers, count) for _ in range(4)]))


def many_to_many_by_reference(seconds):
    servers = [Small.remote() for _ in range(HALF_OF_THE_CORES)]
    callers = [Caller.remote([server]) for server in servers]
    count = part_of(1000)
    return rate(seconds, count * len(callers), lambda: ray.get([caller.calls_with.remote(count) for caller in callers]))


def groups(seconds):
    def act():
        created = [ray.util.placement_group(bundles=[{"custom": 0.001}]) for _ in range(100)]
        for group in created:
            group.wait(timeout_seconds=30)
        for group in created:
            ray.util.remove_placement_group(group)

    return rate(seconds, 100, act)


def concurrent():
    return Small.options(max_concurrency=16).remote()


CASES = {
    "single client get calls": get_calls,
    "single client put calls": put_calls,
    "multi client put calls": put_by_many,
    "single client put gigabytes": put_gigabytes,
    "single client tasks and get batch": batch,
    "multi client put gigabytes": put_gigabytes_by_many,
    "single client get object containing 10k refs": get_with_references,
    "out-of-scope callback registration": register_callback,
    "out-of-scope callback fire 1k batch": fire_callbacks,
    "single client wait 1k refs": wait_one_by_one,
    "single client tasks sync": tasks_sync,
    "single client tasks async": tasks_async,
    "multi client tasks async": tasks_by_actors,
    "1:1 actor calls sync": lambda seconds: calls_sync(Small.remote(), seconds),
    "1:1 actor calls async": lambda seconds: calls_async(Small.remote(), seconds),
    "1:1 actor calls concurrent": lambda seconds: calls_async(concurrent(), seconds),
    "1:n actor calls async": lambda seconds: one_to_many(Small, seconds),
    "n:n actor calls async": lambda seconds: many_to_many(Small, seconds),
    "n:n actor calls with arg async": many_to_many_by_reference,
    "1:1 async-actor calls sync": lambda seconds: calls_sync(SmallLater.remote(), seconds),
    "1:1 async-actor calls async": lambda seconds: calls_async(SmallLater.remote(), seconds),
    "1:1 async-actor calls with args async": lambda seconds: calls_with_arguments(SmallLater.remote(), seconds),
    "1:n async-actor calls async": lambda seconds: one_to_many(SmallLater, seconds),
    "n:n async-actor calls async": lambda seconds: many_to_many(SmallLater, seconds),
    "placement group create/removal": groups,
    "client: get calls": get_calls,
    "client: put calls": put_calls,
    "client: remote put calls": put_by_many,
    "client: 1:1 actor calls sync": lambda seconds: calls_sync(Small.remote(), seconds),
    "client: 1:1 actor calls async": lambda seconds: calls_async(Small.remote(), seconds),
    "client: 1:1 actor calls concurrent": lambda seconds: calls_async(concurrent(), seconds),
}


def serve():
    global PART
    respond("ready")
    for line in sys.stdin:
        seconds, part, case = line.strip().split(" ", 2)
        PART = int(part)
        try:
            respond(CASES[case](float(seconds)))
        except Exception as error:  # Any exception of Ray is a response as well.
            respond(f"{type(error).__name__}: {error}")


def main():
    if sys.argv[1:] == ["client"]:
        from ray.util.client.ray_client_helpers import ray_start_client_server

        with ray_start_client_server():
            serve()
    else:
        ray.init(resources={"custom": 100}, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
        serve()
        ray.shutdown()


try:
    main()
except Exception as error:
    respond(f"{type(error).__name__}: {error}")
