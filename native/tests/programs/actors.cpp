// Actors in C++: state, order of calls, names, handles as arguments, arrays that are kept, the end, failures.
#include "check.hpp"
#include <algorithm>

class counter {
  public:
    explicit counter(long start) : value_(start) {
        if (start < 0) throw std::invalid_argument("a counter begins at 0 or above");
    }
    long increment() { return ++value_; }
    long value() const noexcept { return value_; }
    void add(const std::vector<long> &all) {
        for (long one : all) value_ += one;
    }
    std::uint32_t rank() const { return mobula::rank(); }
    void fail() { throw std::runtime_error("the counter at " + std::to_string(value_) + " is stuck"); }
    long not_listed() { return 0; }

  private:
    long value_;
};
MOBULA_ACTOR(counter, (long), &counter::increment, &counter::value, &counter::add, &counter::rank, &counter::fail);

namespace shapes {
// A base's method, an overload, no move, and an array of a call that the state keeps.
struct named {
    std::string name = "unnamed";
    const std::string &get_name() const { return name; }
};
class polygon : public named {
  public:
    polygon() = default;
    polygon(const polygon &) = delete;
    void set(mobula::array<double> corners) { corners_ = corners; }
    void set(std::string text) { name = std::move(text); }
    double sum() const {
        double total = 0;
        for (double x : corners_) total += x;
        return total;
    }
    mobula::array<double> corners() const { return corners_; }

  private:
    mobula::array<double> corners_;
};
using set_corners = void (polygon::*)(mobula::array<double>);
MOBULA_ACTOR(polygon, (), &polygon::get_name, static_cast<set_corners>(&polygon::set), &polygon::sum,
             &polygon::corners);
} // namespace shapes

namespace outside {
struct pair_of {
    std::pair<int, std::string> parts;
    pair_of(int number, const std::string &text) : parts(number, text) {}
    std::pair<int, std::string> get() const { return parts; }
};
} // namespace outside
MOBULA_ACTOR(outside::pair_of, (int, const std::string &), &outside::pair_of::get);

// Handles as arguments, alone and within values.
long increment_twice(mobula::actor<counter> counter) {
    counter.call(&counter::increment);
    return counter.call(&counter::increment).get();
}
long sum_of(const std::vector<std::pair<std::string, mobula::actor<counter>>> &all) {
    long total = 0;
    for (const auto &one : all) total += one.second.call(&counter::value).get();
    return total;
}
long visit() { return mobula::find_actor<counter>("visits").call(&counter::increment).get(); }
MOBULA_REMOTE(increment_twice);
MOBULA_REMOTE(sum_of);
MOBULA_REMOTE(visit);

static void on_rank(std::uint32_t rank) {
    const auto there = mobula::with(mobula::options{}.on_rank(rank));
    auto c = there.actor<counter>(0);
    CHECK(c.call(&counter::rank).get() == rank);
    mobula::ref<long> n;
    for (int i = 0; i < 100; ++i) n = c.call(&counter::increment);
    CHECK(n.get() == 100);
    c.call(&counter::add, std::vector<long>{ 1, 2, 3 });
    c.call(&counter::add, mobula::put(std::vector<long>(1000, 1)));
    CHECK(c.call(&counter::value).get() == 1106);
    const mobula::actor<counter> same = c;
    CHECK(there.submit(increment_twice, same).get() == 1108);
    const std::vector<std::pair<std::string, mobula::actor<counter>>> all{ { "a", c },
                                                                           { "b", mobula::actor<counter>(n) } };
    CHECK(there.submit(sum_of, all).get() == 1208);
    THROWS(mobula::task_error, "the counter at 1108 is stuck", c.call(&counter::fail).get());
    CHECK(c.call(&counter::value).get() == 1108);
    THROWS(mobula::unknown_function, "MOBULA_ACTOR of counter", c.call(&counter::not_listed));
    c.kill();
    THROWS(mobula::actor_died, "killed", c.call(&counter::value).get());
    THROWS(mobula::actor_died, "begins at 0 or above", there.actor<counter>(-1).call(&counter::value).get());

    auto polygon = there.actor<shapes::polygon>();
    CHECK(polygon.call(&shapes::polygon::get_name).get() == "unnamed");
    const auto set = static_cast<shapes::set_corners>(&shapes::polygon::set);
    for (std::size_t size : { 3u, 4u, 100000u }) { // in the call itself, and in the store
        polygon.call(set, std::vector<double>(size, 2.0));
        polygon.call(set, mobula::put(std::vector<double>(size, 2.0)));
        CHECK(polygon.call(&shapes::polygon::sum).get() == 2.0 * static_cast<double>(size));
        CHECK(polygon.call(&shapes::polygon::corners).get().size() == size);
    }
    CHECK(there.actor<outside::pair_of>(3, "three").call(&outside::pair_of::get).get().second == "three");
}

int main() {
    mobula::cluster cluster;
    for (std::uint32_t rank = 0; rank < mobula::size(); ++rank) on_rank(rank);
    auto c = mobula::actor<counter>(0);
    mobula::ref<long> n = c.call(&counter::increment);
    CHECK(n.get() == 1);
    const auto named = mobula::options{}.name("visits").max_restarts(mobula::unbounded);
    const auto visits = mobula::with(named).actor<counter>(5);
    std::vector<mobula::ref<long>> all;
    for (int i = 0; i < 8; ++i) all.push_back(mobula::with(mobula::options{}.spread()).submit(visit));
    long last = 0;
    for (const auto &one : all) last = std::max(last, one.get());
    CHECK(last == 13);
    visits.kill();
    THROWS(mobula::actor_died, "visits", mobula::find_actor<counter>("visits"));
    const mobula_arg_value by_hand = MOBULA_ACTOR(c.handle());
    CHECK(by_hand.handle == c.handle());
    cluster.shutdown();
    CHECK(!mobula::is_initialized());
    THROWS(mobula::config_error, "no cluster runs", mobula::put(1));
    std::printf("ok: C++ actors\n");
}
