// What tasks return besides values: actors, references to references, and failures with a status of their own.
#include "check.hpp"

class counter {
  public:
    explicit counter(long first) : value_(first) {}
    long add(long n) { return value_ += n; }

  private:
    long value_;
};
MOBULA_ACTOR(counter, (long), &counter::add);

mobula::actor<counter> creates(long first) {
    mobula::actor<counter> made(first);
    made.call(&counter::add, 1);
    return made;
}
MOBULA_REMOTE(creates);

mobula::actor<counter> passes_on(mobula::actor<counter> one) { return one; }
MOBULA_REMOTE(passes_on);

long adds(mobula::actor<counter> one, long n) { return one.call(&counter::add, n).get(); }
MOBULA_REMOTE(adds);

mobula::ref<double> twice(double x) { return mobula::put(2.0 * x); }
MOBULA_REMOTE(twice);

double first_of(mobula::ref<double> x) { return x.get(); }
MOBULA_REMOTE(first_of);

mobula::ref<double> again(mobula::ref<double> x) { return x; }
MOBULA_REMOTE(again);

// Fails as its argument says.
int fails(int how) {
    switch (how) {
    case 0: throw mobula::type_error("the mesh has triangles");
    case 1: throw mobula::config_error("no mesh is loaded");
    case 2: throw mobula::error(-17, "the mesh is empty");
    case 3: throw mobula::timeout("the mesh did not come");
    case 4:
        try {
            mobula::submit(fails, 0).get();
        } catch (const mobula::type_error &thrown) {
            try {
                mobula::submit(fails, 3).get(); // another failure of this task
            } catch (const mobula::task_error &) {
            }
            throw;
        }
        return 0;
    default: return how;
    }
}
MOBULA_REMOTE(fails);

mobula::array<double> kept, few;
const double *address;

// Keeps its arguments beyond its end.
void keeps(mobula::array<double> values, mobula::array<double> three) {
    kept = values;
    few = three;
    address = values.data();
}
MOBULA_REMOTE(keeps);

// They are where they were.
double reads_kept() {
    return kept.size() == 1000 && kept.data() == address && few.size() == 3 ? kept[999] + few[2] : -1.0;
}
MOBULA_REMOTE(reads_kept);

int main() {
    mobula::cluster cluster;
    for (std::uint32_t rank = 0; rank < mobula::size(); ++rank) {
        const auto there = mobula::with(mobula::options{}.on_rank(rank));
        const mobula::ref<mobula::actor<counter>> coming = there.submit(creates, 10);
        CHECK(there.submit(adds, coming, 5).get() == 16);       // as an argument, when it is there
        const mobula::actor<counter> one = coming.get();
        CHECK(one.call(&counter::add, 4).get() == 20);
        CHECK(there.submit(passes_on, there.submit(passes_on, one)).get().call(&counter::add, 1).get() == 21);
        THROWS(mobula::type_error, "the object is an actor", mobula::ref<double>::adopt([&] {
                   mobula_ref *same = nullptr;
                   mobula_ref_clone(coming.handle(), &same);
                   return same;
               }()).get());

        const mobula::ref<double> x = there.submit(twice, 3.0);
        CHECK(x.get() == 6.0 && there.submit(first_of, x).get() == 6.0);
        CHECK(there.submit(again, there.submit(again, x)).get() == 6.0);

        THROWS(mobula::type_error, "fails: the mesh has triangles", there.submit(fails, 0).get());
        THROWS(mobula::config_error, "fails: no mesh is loaded", there.submit(fails, 1).get());
        THROWS(mobula::task_error, "the mesh is empty (status -17)", there.submit(fails, 2).get());
        THROWS(mobula::task_error, "the mesh did not come", there.submit(fails, 3).get());
        THROWS(mobula::type_error, "the mesh has triangles", there.submit(fails, 4).get());

        there.submit(keeps, std::vector<double>(1000, 7.0), std::vector<double>(3, 1.0)).get();
        CHECK(there.submit(reads_kept).get() == 8.0);
    }
    kept = few = {};
    std::printf("ok: results\n");
    return 0;
}
