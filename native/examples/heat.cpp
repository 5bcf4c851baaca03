// heat: 2-D heat in a program of MPI, with the halo exchange by actors. heat_mpi.c is the same in plain MPI.
//
// Each rank has some rows of the plate, in several blocks. These are actors: they run in parallel on the threads of the
// rank, and other ranks can call them. In every step each block is given the last rows of its neighbours, as
// references: no thread waits for a row, and whichever block has both of them computes. The ranks agree on the largest
// change by MPI_Allreduce, as before.
//
//   mpicxx -std=c++17 heat.cpp -o heat $(pkg-config --cflags --libs mobula)
//   mpirun -n 4 ./heat
#include "heat.h"

#include <algorithm>
#include <cstdio>
#include <mobula.hpp>
#include <mpi.h>
#include <stdexcept>
#include <string>
#include <vector>

constexpr int num_blocks = 2; // of each rank: while one waits for a row, another computes

enum end : int { top, bottom };

// What was the state of a rank.
class block {
  public:
    block(int first, int rows)
        : first_(first), rows_(rows), now_(static_cast<std::size_t>((rows + 2) * COLUMNS)), next_(now_) {
        for (int i = 1; i <= rows; ++i) std::fill_n(row(now_, i), COLUMNS, initial(first + i - 1));
    }

    // The row at an end of the block after that step. A neighbour may ask when this block is a step further than
    // itself, but no more: there is an MPI_Allreduce between.
    std::vector<double> edge(end which, int step) {
        if (step != steps_ && step != steps_ - 1) throw std::logic_error("that step is over");
        const double *from = row(step == steps_ ? now_ : next_, which == top ? 1 : rows_);
        return std::vector<double>(from, from + COLUMNS);
    }

    // One step with the rows above and below, of which there are none at the edge of the plate; the largest change.
    double step(mobula::array<double> above, mobula::array<double> below) {
        std::copy(above.begin(), above.end(), row(now_, 0));
        std::copy(below.begin(), below.end(), row(now_, rows_ + 1));
        const double change = relax(now_.data(), next_.data(), first_, rows_);
        now_.swap(next_);
        ++steps_;
        return change;
    }

    std::vector<double> values() { return std::vector<double>(row(now_, 1), row(now_, rows_ + 1)); }

  private:
    static double *row(std::vector<double> &values, int i) { return values.data() + i * COLUMNS; }

    int first_, rows_;
    int steps_ = 0;                  // that it has made
    std::vector<double> now_, next_; // after `steps_` steps; after one less, until the next step
};
MOBULA_ACTOR(block, (int, int), &block::edge, &block::step, &block::values);

using block_actor = mobula::actor<block>;
using row_ref = mobula::ref<mobula::array<double>>;

std::string name_of(int number) { return "block " + std::to_string(number); }

// The first row of a block, of so many on all ranks.
int first_row(int number, int size) { return number * ROWS / (size * num_blocks); }

row_ref edge(const std::vector<block_actor> &neighbour, end which, int step) {
    if (neighbour.empty()) return mobula::put(std::vector<double>());
    return neighbour.front().call(&block::edge, which, step);
}

// This rank's blocks, and those before and after them, which are other ranks': none at the edge of the plate.
struct own_blocks {
    std::vector<block_actor> blocks, above, below;

    // One step of these blocks; the largest change.
    double step(int step) const {
        std::vector<row_ref> rows;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            rows.push_back(edge(i == 0 ? above : std::vector{ blocks[i - 1] }, bottom, step));
            rows.push_back(edge(i + 1 == blocks.size() ? below : std::vector{ blocks[i + 1] }, top, step));
        }
        std::vector<mobula::ref<double>> changes;
        for (std::size_t i = 0; i < blocks.size(); ++i) { // runs when its two rows are there
            changes.push_back(blocks[i].call(&block::step, rows[2 * i], rows[2 * i + 1]));
        }
        double change = 0.0;
        for (const auto &one : changes) change = std::max(change, one.get());
        return change;
    }
};

// Runs on every rank; returns if the result is right.
bool heat(int rank, int size) {
    own_blocks own;
    for (int number = rank * num_blocks; number < (rank + 1) * num_blocks; ++number) {
        const auto options = mobula::options{}.name(name_of(number)).on_rank(static_cast<std::uint32_t>(rank));
        const int first = first_row(number, size), rows = first_row(number + 1, size) - first;
        own.blocks.push_back(mobula::with(options).actor<block>(first, rows));
        mobula::find_actor<block>(name_of(number)); // then every rank finds it
    }
    MPI_Barrier(MPI_COMM_WORLD); // all blocks are there
    if (rank > 0) own.above = { mobula::find_actor<block>(name_of(rank * num_blocks - 1)) };
    if (rank + 1 < size) own.below = { mobula::find_actor<block>(name_of((rank + 1) * num_blocks)) };

    int step = 0;
    double change = 1.0;
    for (; step < STEPS && change > STEADY; ++step) {
        const double own_change = own.step(step);
        MPI_Allreduce(&own_change, &change, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    }

    std::vector<double> values, whole(ROWS * COLUMNS);
    for (const block_actor &one : own.blocks) {
        const std::vector<double> part = one.call(&block::values).get();
        values.insert(values.end(), part.begin(), part.end());
    }
    std::vector<int> counts, starts;
    for (int r = 0; r < size; ++r) {
        starts.push_back(first_row(r * num_blocks, size) * COLUMNS);
        counts.push_back(first_row((r + 1) * num_blocks, size) * COLUMNS - starts.back());
    }
    MPI_Gatherv(values.data(), static_cast<int>(values.size()), MPI_DOUBLE, whole.data(), counts.data(), starts.data(),
                MPI_DOUBLE, 0, MPI_COMM_WORLD);
    const bool right = rank != 0 || is_right(whole.data(), step);
    const char *found = right ? "ok" : "heat: wrong";
    if (rank == 0) std::printf("%s: %d steps on %d ranks, the last changed %.6f\n", found, step, size, change);
    return right;
}

int main(int argc, char **argv) {
    int rank, size, level;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level); // less works, too: see the guide
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size * num_blocks > ROWS) MPI_Abort(MPI_COMM_WORLD, 2); // a block has a row at least
    bool right = false;
    try {
        mobula::cluster cluster(MPI_COMM_WORLD); // each rank drives its own blocks, and serves the others
        right = heat(rank, size);
    } catch (const mobula::error &error) {
        std::fprintf(stderr, "heat: %s\n", error.what());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Finalize();
    return right ? 0 : 1;
}
