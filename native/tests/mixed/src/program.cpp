/* A program in C++ that calls functions of Rust by their paths, from a static library. */
#include <mobula.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

int main() {
    mobula::cluster cluster;
    const mobula::function<double(mobula::array<double>, double)> norm("mixed::norm");
    const mobula::function<double(double)> root("mixed::solver::root");
    const mobula::function<mobula::array<double>(mobula::array<double>)> same("mixed::same");
    const mobula::ref<mobula::array<double>> x = mobula::put(std::vector<double>(1000, 2.0));
    const mobula::array<double> array = x.get(), again = mobula::submit(same, x).get();
    const auto there = mobula::with(mobula::options{}.on_rank(mobula::size() - 1));
    bool is_ok = std::fabs(there.submit(norm, x, 2.0).get() - std::sqrt(4000.0)) < 1e-9;
    is_ok = is_ok && there.submit(root, there.submit(root, 16.0)).get() == 2.0 && again.data() == array.data();
    try {
        there.submit(root, -1.0).get();
        is_ok = false;
    } catch (const mobula::task_error &error) {
        is_ok = is_ok && std::string(error.what()).find("-1 has no root") != std::string::npos;
    }
    std::printf("%s: Rust in C++\n", is_ok ? "ok" : "wrong");
    return is_ok ? 0 : 1;
}
