// Exceptions of C++ that leave tasks of the C interface, and those that cross waits of C++ tasks.
#include "check.hpp"
#include <stdexcept>

static mobula_status throws(mobula_call *, void *) { throw std::runtime_error("the mesh is empty"); }
MOBULA_TASK(throws)

static mobula_status throws_a_number(mobula_call *, void *) { throw 3; }
MOBULA_TASK(throws_a_number)

static mobula_status adds_one(mobula_call *call, void *) {
    mobula_view x;
    const mobula_status s = mobula_arg(call, 0, MOBULA_F64, &x);
    if (s != MOBULA_OK) return s;
    const double sum = static_cast<const double *>(x.data)[0] + 1.0;
    return mobula_return(call, 0, &sum, 1, MOBULA_F64);
}
MOBULA_TASK(adds_one)

int fails_at(int depth) {
    if (depth == 0) throw std::logic_error("at the bottom");
    try {
        return mobula::submit(fails_at, depth - 1).get();
    } catch (const mobula::task_error &) {
        throw; // after a wait in which other tasks ran on this thread
    }
}
MOBULA_REMOTE(fails_at);

int main() {
    mobula::cluster cluster;
    for (std::uint32_t rank = 0; rank < mobula::size(); ++rank) {
        const auto there = mobula::with(mobula::options{}.on_rank(rank));
        const mobula::function<double()> throwing("throws"), number("throws_a_number");
        const mobula::function<double(double)> add("adds_one");
        THROWS(mobula::task_error, "the mesh is empty", there.submit(throwing).get());
        THROWS(mobula::task_error, "it threw something that is no std::exception", there.submit(number).get());
        CHECK(there.submit(add, 1.0).get() == 2.0);
        THROWS(mobula::task_error, "at the bottom", there.submit(fails_at, 5).get());
    }
    std::printf("ok: exceptions\n");
    return 0;
}
