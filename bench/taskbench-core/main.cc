// Task Bench (github.com/StanfordLegion/task-bench) by mobula: a task for each point of a graph, over the C interface.
//
// Its core defines the graphs, the kernels and the command line, validates what every task gets, and reports. Here is
// what each system brings itself: who submits tasks, what they are given, where they run. Rank 0 submits all points,
// row by row; the inputs of a point are references to the outputs of the row before. A point runs on the rank that owns
// it, as with MPI. bench/peers/README.md says how to build it with the real core; CI builds it with the one in stub/.
#include "core.h"

#include <mobula.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

namespace {

// Rows that may be submitted before the oldest has to be complete.
constexpr std::size_t rows_ahead = 64;

// The graphs of the command line: the same on every rank, set before the start.
std::vector<TaskGraph> graphs;

// Points that this process has executed.
std::atomic<std::int64_t> executed{ 0 };

void check(mobula_status status) {
    if (status == MOBULA_OK) return;
    std::fprintf(stderr, "task-bench: %s: %s\n", mobula_status_name(status), mobula_last_error());
    std::exit(1);
}

// Outputs are pairs of integers for the core: whole words, so that they are aligned.
std::size_t words_of(const TaskGraph &graph) { return (graph.output_bytes_per_task + 7) / 8; }

// Scratch memory of a thread that runs tasks: a point does not wait, so that no other task of the thread uses it.
char *scratch_of(const TaskGraph &graph) {
    thread_local std::vector<std::vector<char>> of_graphs;
    of_graphs.resize(graphs.size());
    std::vector<char> &scratch = of_graphs[static_cast<std::size_t>(graph.graph_index)];
    if (scratch.size() != graph.scratch_bytes_per_task) {
        scratch.resize(graph.scratch_bytes_per_task);
        TaskGraph::prepare_scratch(scratch.data(), scratch.size());
    }
    return scratch.data();
}

// The task: argument 0 is { graph, timestep, point }, the others are the outputs of the points that it depends on.
mobula_status execute(mobula_call *call, void *) {
    mobula_view where, input;
    std::size_t num_args;
    void *output;
    mobula_status s;
    if ((s = mobula_arg_count(call, &num_args)) || (s = mobula_arg(call, 0, MOBULA_I64, &where))) return s;
    const std::int64_t *numbers = static_cast<const std::int64_t *>(where.data);
    const TaskGraph &graph = graphs[static_cast<std::size_t>(numbers[0])];
    std::vector<const char *> inputs;
    for (std::size_t i = 1; i < num_args; ++i) {
        if ((s = mobula_arg(call, i, MOBULA_I64, &input))) return s;
        if (input.count != words_of(graph)) return mobula_fail(call, "an input is not as long as an output");
        inputs.push_back(static_cast<const char *>(input.data));
    }
    const std::vector<std::size_t> input_bytes(inputs.size(), graph.output_bytes_per_task);
    if ((s = mobula_return_create(call, 0, words_of(graph), MOBULA_I64, &output))) return s;
    graph.execute_point(numbers[1], numbers[2], static_cast<char *>(output), graph.output_bytes_per_task, inputs.data(),
                        input_bytes.data(), inputs.size(), scratch_of(graph), graph.scratch_bytes_per_task);
    executed.fetch_add(1, std::memory_order_relaxed);
    return MOBULA_OK;
}

mobula_status count_executed(mobula_call *call, void *) {
    const std::int64_t count = executed.load();
    return mobula_return(call, 0, &count, 1, MOBULA_I64);
}

// The outputs of a timestep, by point from `offset` on.
struct row {
    long offset = 0;
    std::vector<mobula_ref *> outputs;
};

mobula_ref *submit_point(const TaskGraph &graph, long timestep, long point, const row &before) {
    const std::int64_t where[] = { graph.graph_index, timestep, point };
    std::vector<mobula_arg_value> args{ MOBULA_VALUE(where, 3, MOBULA_I64) };
    for (const auto &interval : graph.dependencies(graph.dependence_set_at_timestep(timestep), point)) {
        const long last = std::min(interval.second, before.offset + static_cast<long>(before.outputs.size()) - 1);
        for (long other = std::max(interval.first, before.offset); other <= last; ++other) {
            args.push_back(MOBULA_REF(before.outputs[static_cast<std::size_t>(other - before.offset)]));
        }
    }
    mobula_options options = MOBULA_OPTIONS_INIT;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = static_cast<std::uint32_t>(point * static_cast<long>(mobula_size()) / graph.max_width);
    mobula_ref *output;
    check(mobula_submit("execute", args.data(), args.size(), &options, &output, 1));
    return output;
}

row submit_row(const TaskGraph &graph, long timestep, const row &before) {
    row submitted;
    submitted.offset = graph.offset_at_timestep(timestep);
    const long end = submitted.offset + graph.width_at_timestep(timestep);
    for (long point = submitted.offset; point < end; ++point) {
        submitted.outputs.push_back(submit_point(graph, timestep, point, before));
    }
    return submitted;
}

void complete(row &done) {
    const std::size_t n = done.outputs.size();
    const std::unique_ptr<bool[]> ready(new bool[n]);
    std::size_t num_ready;
    if (n > 0) check(mobula_wait(done.outputs.data(), n, n, -1.0, ready.get(), &num_ready));
    for (mobula_ref *output : done.outputs) mobula_ref_free(output);
}

// Runs all graphs, interleaved; returns how many points they have.
std::int64_t run() {
    std::int64_t points = 0;
    long timesteps = 0;
    std::vector<std::deque<row>> submitted(graphs.size());
    for (const TaskGraph &graph : graphs) timesteps = std::max(timesteps, graph.timesteps);
    for (long timestep = 0; timestep < timesteps; ++timestep) {
        for (const TaskGraph &graph : graphs) {
            std::deque<row> &rows = submitted[static_cast<std::size_t>(graph.graph_index)];
            if (timestep >= graph.timesteps) continue;
            rows.push_back(submit_row(graph, timestep, rows.empty() ? row() : rows.back()));
            points += static_cast<std::int64_t>(rows.back().outputs.size());
            if (rows.size() > rows_ahead) {
                complete(rows.front());
                rows.pop_front();
            }
        }
    }
    for (auto &rows : submitted)
        for (row &last : rows) complete(last);
    return points;
}

// Points that all ranks have executed: those of a failed task are missing.
std::int64_t executed_by_all() {
    std::int64_t sum = 0;
    mobula_options options = MOBULA_OPTIONS_INIT;
    options.placement = MOBULA_PLACE_RANK;
    for (options.rank = 0; options.rank < mobula_size(); ++options.rank) {
        mobula_ref *count;
        mobula_view view;
        check(mobula_submit("count_executed", nullptr, 0, &options, &count, 1));
        check(mobula_get(count, -1.0, &view));
        sum += *static_cast<const std::int64_t *>(view.data);
        mobula_release(&view);
        mobula_ref_free(count);
    }
    return sum;
}

} // namespace

int main(int argc, char **argv) {
    App app(argc, argv);
    graphs = app.graphs;
    check(mobula_register("execute", execute, nullptr, 1));
    check(mobula_register("count_executed", count_executed, nullptr, 1));
    check(mobula_init(nullptr));
    if (mobula_rank() != 0) return mobula_serve();

    app.display();
    double seconds = 0.0;
    std::int64_t points = 0;
    for (int turn = 0; turn < 2; ++turn) { // the second is reported: the first pays for what is set up once
        const auto start = std::chrono::steady_clock::now();
        points += run();
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    const std::int64_t sum = executed_by_all();
    check(mobula_shutdown());
    if (sum != points) {
        std::fprintf(stderr, "task-bench: %lld points were executed, of %lld\n", static_cast<long long>(sum),
                     static_cast<long long>(points));
        return 1;
    }
    app.report_timing(seconds);
}
