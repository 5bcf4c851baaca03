// A task on the last rank, with the installed library.
#include <iostream>
#include <mobula.hpp>

double twice(double x) { return 2.0 * x; }
MOBULA_REMOTE(twice);

int main() {
    mobula::cluster cluster;
    const auto last = mobula::options{}.on_rank(mobula::size() - 1);
    const double y = mobula::with(last).submit(twice, 21.0).get();
    std::cout << "ok: " << y << " from C++, ranks: " << mobula::size() << std::endl;
}
