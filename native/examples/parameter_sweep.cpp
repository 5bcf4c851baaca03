// parameter_sweep: runs that take unequal time; a bounded number at a time, results taken as they come.
//
// The runs are logistic maps x -> r x (1 - x) with their own r. The sweep counts those that converge, and finds the
// widest swing.
//
//   c++ -std=c++17 parameter_sweep.cpp -o parameter_sweep $(pkg-config --cflags --libs mobula)
//   mpirun -n 4 ./parameter_sweep
#include <algorithm>
#include <cstdio>
#include <mobula.hpp>
#include <vector>

constexpr int runs = 1500;      // parameters tried: 2.500, 2.501, ... 3.999
constexpr int most_at_work = 16; // runs that are running or queued at any time

// A trivially copyable struct travels as its bytes.
struct outcome {
    double r;
    double swing;
    bool is_steady() const { return swing < 1e-3; }
};

// How far apart the last values of the map lie. The number of steps differs from run to run by a factor of ten.
outcome swing(double r) {
    const long steps = 2000 + static_cast<long>(r * 1000.0) % 10 * 2000;
    double x = 0.5;
    for (long i = 0; i < steps; ++i) x = r * x * (1.0 - x);
    double low = x, high = x;
    for (int i = 0; i < 64; ++i) {
        x = r * x * (1.0 - x);
        low = std::min(low, x);
        high = std::max(high, x);
    }
    return { r, high - low };
}
MOBULA_REMOTE(swing);

double parameter(int run) { return 2.5 + run / 1000.0; }

int main() {
    mobula::cluster cluster;

    std::vector<mobula::ref<outcome>> at_work;
    int submitted = 0, ended = 0, steady = 0;
    outcome widest{ 0.0, 0.0 };
    while (submitted < most_at_work) at_work.push_back(mobula::submit(swing, parameter(submitted++)));
    while (!at_work.empty()) {
        auto [ready, rest] = mobula::wait(at_work, 1); // until at least one is ready
        at_work = std::move(rest);
        for (const auto &one : ready) {
            const outcome found = one.get();
            ++ended;
            steady += found.is_steady();
            if (found.swing > widest.swing) widest = found;
            if (submitted < runs) at_work.push_back(mobula::submit(swing, parameter(submitted++)));
        }
    }

    // The same without tasks: swing is still an ordinary function.
    int expected = 0;
    for (int run = 0; run < runs; ++run) expected += swing(parameter(run)).is_steady();
    std::printf("the widest swing is %.3f, at r = %.3f\n", widest.swing, widest.r);
    if (ended != runs || steady != expected) {
        std::fprintf(stderr, "parameter_sweep: %d runs, %d of them steady, instead of %d\n", ended, steady, expected);
        return 1;
    }
    std::printf("ok: %d runs, %d of them steady\n", ended, steady);
}
