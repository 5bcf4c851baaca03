// hot_loop: a program in which one loop takes the time. The loop's iterations become tasks; the rest stays as it is.
//
// A column of air has reactions in each of its cells. How many steps the integration of a cell takes depends on its
// state, so that columns take unequal time, and equal shares of them would leave cores idle.
//
//   c++ -std=c++17 hot_loop.cpp -o hot_loop $(pkg-config --cflags --libs mobula)
//   mpirun -n 4 ./hot_loop
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mobula.hpp>
#include <numeric>
#include <vector>

constexpr std::size_t cells = 40, columns = 150;
constexpr int steps = 5;
constexpr std::size_t chunk = 8; // columns of a task: some hundred microseconds of work or more

// The code that was there before: it knows nothing of tasks.
void react(double *column) {
    for (std::size_t cell = 0; cell < cells; ++cell) {
        double x = column[cell];
        const int substeps = 10 + static_cast<int>(200 * x * x);
        for (int i = 0; i < substeps; ++i) x += 0.5 / substeps * x * (1 - x) * std::exp(-x);
        column[cell] = x;
    }
}
void advect(std::vector<double> &field) {
    std::rotate(field.begin(), field.begin() + static_cast<std::ptrdiff_t>(cells), field.end());
}

// The task: the body of the loop, for some columns.
mobula::buffer<double> react_columns(mobula::array<double> before) {
    mobula::buffer<double> after(before.size());
    std::copy(before.begin(), before.end(), after.begin()); // arguments are only read
    for (std::size_t i = 0; i < after.size(); i += cells) react(after.data() + i);
    return after;
}
MOBULA_REMOTE(react_columns);

// What replaces the loop
//     for (std::size_t j = 0; j < columns; ++j) react(&field[j * cells]);
void react_all(std::vector<double> &field) {
    std::vector<mobula::ref<mobula::array<double>>> refs;
    for (std::size_t first = 0; first < columns; first += chunk) {
        const std::size_t last = std::min(first + chunk, columns);
        const std::vector<double> part(field.data() + first * cells, field.data() + last * cells);
        refs.push_back(mobula::submit(react_columns, part));
    }
    double *to = field.data();
    for (const auto &one : refs) {
        const mobula::array<double> after = one.get(); // waits for this task; the others go on
        to = std::copy(after.begin(), after.end(), to);
    }
}

int main() {
    mobula::cluster cluster; // ranks other than 0 only run tasks

    std::vector<double> field(columns * cells);
    for (std::size_t j = 0; j < columns; ++j)
        for (std::size_t i = 0; i < cells; ++i)
            field[j * cells + i] = 0.01 + static_cast<double>((i + 1) * (j + 1) % 97) / 100.0;
    std::vector<double> expected = field;
    for (int step = 0; step < steps; ++step) {
        advect(field);
        react_all(field);
    }

    for (int step = 0; step < steps; ++step) { // the program as it was
        advect(expected);
        for (std::size_t j = 0; j < columns; ++j) react(&expected[j * cells]);
    }
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (!(std::abs(field[i] - expected[i]) < 1e-12)) { // a NaN is wrong, too
            std::fprintf(stderr, "hot_loop: cell %zu is %.15g instead of %.15g\n", i, field[i], expected[i]);
            return 1;
        }
    }
    std::printf("ok: %zu columns, %d steps, sum %.3f\n", columns, steps,
                std::accumulate(field.begin(), field.end(), 0.0));
}
