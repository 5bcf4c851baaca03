// Stands in for the header of Task Bench's core, of which no line is here: what ../main.cc uses of it, with the names
// that the real one declares, and two patterns (stencil_1d, fft), so that CI compiles and runs ../main.cc without it.
// Every point checks what it gets, as the real one does.
#ifndef MOBULA_STUB_OF_TASK_BENCH_CORE_H
#define MOBULA_STUB_OF_TASK_BENCH_CORE_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

struct TaskGraph {
    long graph_index;
    long timesteps;
    long max_width;
    bool is_fft;
    std::size_t output_bytes_per_task;
    std::size_t scratch_bytes_per_task;

    long offset_at_timestep(long) const { return 0; }
    long width_at_timestep(long timestep) const { return timestep < 0 ? 0 : max_width; }
    long dependence_set_at_timestep(long timestep) const { return is_fft ? std::max(timestep - 1, 0L) % levels() : 0; }

    // Intervals of points, both ends within: of those that are not in the row before, the caller takes no notice.
    std::vector<std::pair<long, long>> dependencies(long set, long point) const {
        if (!is_fft) return { { point - 1, point + 1 } };
        const long distance = 1L << set;
        return { { point - distance, point - distance }, { point, point }, { point + distance, point + distance } };
    }

    void execute_point(long timestep, long point, char *output_ptr, std::size_t output_bytes, const char **input_ptr,
                       const std::size_t *input_bytes, std::size_t n_inputs, char *scratch_ptr,
                       std::size_t scratch_bytes) const {
        std::size_t input = 0;
        for (const auto &interval : dependencies(dependence_set_at_timestep(timestep), point)) {
            for (long other = interval.first; timestep > 0 && other <= interval.second; ++other) {
                if (other < 0 || other >= max_width) continue;
                expect(input < n_inputs && input_bytes[input] == output_bytes_per_task, "an input is missing");
                std::int64_t words[2];
                std::memcpy(words, input_ptr[input++], sizeof words);
                expect(words[0] == timestep - 1 && words[1] == other, "an input is that of another point");
            }
        }
        expect(input == n_inputs, "there are more inputs than dependencies");
        expect(scratch_bytes == scratch_bytes_per_task && std::count(scratch_ptr, scratch_ptr + scratch_bytes, 'S') ==
               static_cast<std::ptrdiff_t>(scratch_bytes), "the scratch memory was not prepared");
        expect(output_bytes == output_bytes_per_task && output_bytes >= 16, "the output is too small");
        const std::int64_t words[2] = { timestep, point };
        std::memcpy(output_ptr, words, sizeof words);
    }
    static void prepare_scratch(char *scratch_ptr, std::size_t scratch_bytes) {
        std::fill(scratch_ptr, scratch_ptr + scratch_bytes, 'S');
    }

  private:
    long levels() const {
        long levels = 1;
        while (1L << levels < max_width) ++levels;
        return levels;
    }
    static void expect(bool holds, const char *otherwise) {
        if (holds) return;
        std::fprintf(stderr, "stub of the core: %s\n", otherwise);
        std::abort();
    }
};

struct App {
    std::vector<TaskGraph> graphs;

    // -steps N -width N -type PATTERN -output BYTES -scratch BYTES, and -and before the next graph.
    App(int argc, char **argv) {
        const TaskGraph defaults{ 0, 4, 4, false, 16, 0 };
        graphs.push_back(defaults);
        for (int i = 1; i < argc; ++i) {
            const std::string flag = argv[i];
            TaskGraph &graph = graphs.back();
            if (flag == "-and") {
                graphs.push_back(defaults);
                graphs.back().graph_index = static_cast<long>(graphs.size()) - 1;
                continue;
            }
            const std::string value = ++i < argc ? argv[i] : "";
            if (flag == "-steps") graph.timesteps = std::atol(value.c_str());
            if (flag == "-width") graph.max_width = std::atol(value.c_str());
            if (flag == "-type") graph.is_fft = value == "fft";
            if (flag == "-output") graph.output_bytes_per_task = static_cast<std::size_t>(std::atol(value.c_str()));
            if (flag == "-scratch") graph.scratch_bytes_per_task = static_cast<std::size_t>(std::atol(value.c_str()));
        }
    }
    void display() const { std::printf("stub of the core: %zu graphs\n", graphs.size()); }
    void report_timing(double elapsed_seconds) const { std::printf("Elapsed Time %e seconds\n", elapsed_seconds); }
};

#endif
