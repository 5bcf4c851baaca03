// farm: a master that hands out work with arrays, and takes the results in the order in which they are ready.
//
// The work is a matrix product A B = C. B is put once, and every task reads it in place: each host gets one copy, not
// each task. A task gets some rows of A and returns those rows of C.
//
//   c++ -std=c++17 farm.cpp -o farm $(pkg-config --cflags --libs mobula)
//   mpirun -n 4 ./farm
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mobula.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

constexpr std::size_t n = 240;   // of the matrices, n x n, row by row
constexpr std::size_t rows = 10; // rows of a task

// Rows of C = rows of A times B.
void multiply(std::size_t num_rows, const double *a, const double *b, double *c) {
    for (std::size_t i = 0; i < num_rows; ++i) {
        double *row = c + i * n;
        std::fill(row, row + n, 0.0);
        for (std::size_t k = 0; k < n; ++k)
            for (std::size_t j = 0; j < n; ++j) row[j] += a[i * n + k] * b[k * n + j];
    }
}

// The task: both arguments are views of the store, and the result is written where it stays.
mobula::buffer<double> product(mobula::array<double> a, mobula::array<double> b) {
    if (a.size() % n != 0 || b.size() != n * n) throw std::invalid_argument("these are no rows of A, or no B");
    mobula::buffer<double> c(a.size());
    multiply(a.size() / n, a.data(), b.data(), c.data());
    return c;
}
MOBULA_REMOTE(product);

double element(std::size_t i, std::size_t factor) { return (static_cast<double>(i * factor % 101) - 50.0) / 50.0; }

struct part {
    std::size_t first_row;
    mobula::ref<mobula::array<double>> values;
};

void wait_for_one(const std::vector<part> &parts) {
    std::vector<mobula::ref<mobula::array<double>>> all;
    for (const part &one : parts) all.push_back(one.values);
    mobula::wait(all, 1);
}

int main() {
    mobula::cluster cluster;

    std::vector<double> a(n * n), c(n * n), expected(n * n);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = element(i, 7);

    // B is written in place, in the store. From seal() on it is immutable.
    mobula::buffer<double> written(n * n);
    for (std::size_t i = 0; i < written.size(); ++i) written[i] = element(i, 13);
    const mobula::ref<mobula::array<double>> b = written.seal();

    std::vector<part> parts;
    for (std::size_t row = 0; row < n; row += rows) {
        const double *first = a.data() + row * n;
        parts.push_back({ row, mobula::submit(product, std::vector<double>(first, first + rows * n), b) });
    }

    // Whatever is ready is taken; the others go on.
    while (!parts.empty()) {
        wait_for_one(parts);
        const auto is_at_work = [](const part &one) { return !one.values.ready(); };
        const auto ready = std::partition(parts.begin(), parts.end(), is_at_work);
        for (auto one = ready; one != parts.end(); ++one) {
            const mobula::array<double> values = one->values.get(); // in place
            std::copy(values.begin(), values.end(), c.data() + one->first_row * n);
        }
        parts.erase(ready, parts.end());
    }

    multiply(n, a.data(), b.get().data(), expected.data());
    for (std::size_t i = 0; i < c.size(); ++i) {
        if (!(std::abs(c[i] - expected[i]) < 1e-12)) { // a NaN is wrong, too
            std::fprintf(stderr, "farm: C(%zu, %zu) is %.15g instead of %.15g\n", i / n, i % n, c[i], expected[i]);
            return 1;
        }
    }
    std::printf("ok: %zu x %zu matrices, %zu tasks\n", n, n, n / rows);
}
