// The second file of a program: see first.cpp.
#include "shared.hpp"

static int local(int x) { return x * 10; }
MOBULA_REMOTE(local);
#ifdef TWICE
namespace other {
static int local(int x) { return x; }
} // namespace other
MOBULA_REMOTE_AS("local", other::local);
#endif

int from_second() {
    const auto there = mobula::with(mobula::options{}.spread());
    return there.submit(shared, 1).get() + there.submit(local, 3).get() +
           there.actor<shared_state>().call(&shared_state::get).get();
}
