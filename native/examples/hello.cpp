// hello: tasks that run anywhere, references that connect them, and one task on every rank.
//
//   c++ -std=c++17 hello.cpp -o hello $(pkg-config --cflags --libs mobula)
//   ./hello                                    alone
//   mpirun -n 4 ./hello                        or srun -n 4 ./hello
#include <cstdio>
#include <mobula.hpp>
#include <string>

// Ordinary functions, which are tasks as well: the same on every rank.
double add(double a, double b) { return a + b; }
MOBULA_REMOTE(add);

std::string greet(const std::string &name) {
    return "hello " + name + ", from rank " + std::to_string(mobula::rank());
}
MOBULA_REMOTE(greet);

int main() {
    mobula::cluster cluster; // starts here, ends with main; ranks other than 0 run tasks inside of it, and exit

    // A call returns a reference at once; a reference is passed on before its value is there.
    mobula::ref<double> three = mobula::submit(add, 1.0, 2.0);
    mobula::ref<double> thirteen = mobula::submit(add, three, 10.0);

    // One greeting from every rank.
    for (std::uint32_t rank = 0; rank < mobula::size(); ++rank) {
        const auto there = mobula::with(mobula::options{}.on_rank(rank));
        std::printf("%s\n", there.submit(greet, std::string("world")).get().c_str());
    }

    const double sum = thirteen.get(); // waits; a failure of the task is thrown here
    if (sum != 13.0) {
        std::fprintf(stderr, "hello: %g instead of 13\n", sum);
        return 1;
    }
    std::printf("ok: %g\n", sum);
}
