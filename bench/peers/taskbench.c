/*
 * Task Bench graphs in plain nonblocking MPI: the graphs, kernels and sweep of bench/src/taskbench, number by number.
 *
 *     mpirun -n CORES taskbench PATTERN KERNEL WIDTH SEED TARGET_S STEPS_MAX
 *
 * prints microseconds a task for the empty kernel, else METG(50%) in microseconds. With `checksum` for TARGET_S it
 * prints a checksum of every dependence and every number of iterations of a graph of STEPS_MAX steps. A rank owns a
 * block of every row. The output of a task is its own step and point, which its dependents check.
 */
#include <math.h>
#include <stdint.h>

enum { RADIX = 3, RADIX_RANDOM = 5, PERIOD = 3, NUMBERS = 64, SCRATCH_BYTES = 1 << 20, PIECE_BYTES = 4096, STEPS_MIN = 20, TURNS = 3 };

enum pattern { TRIVIAL, NO_COMM, STENCIL, STENCIL_PERIODIC, DOM, TREE, FFT, ALL_TO_ALL, NEAREST, SPREAD, RANDOM_NEAREST, PATTERNS };
static const char *const pattern_names[] = { "trivial", "no_comm", "stencil_1d", "stencil_1d_periodic", "dom", "tree", "fft",
                                             "all_to_all", "nearest", "spread", "random_nearest" };

enum kernel { EMPTY, COMPUTE, MEMORY, IMBALANCE, KERNELS };
static const char *const kernel_names[] = { "empty", "compute_bound", "memory_bound", "load_imbalance" };

struct graph {
    int pattern, kernel, width, steps;
    long iterations;
    uint64_t seed;
};

struct output {
    int32_t step, point;
};

static int rank, size;
static char *scratch;

static uint64_t mix(uint64_t state)
{
    state += 0x9e3779b97f4a7c15u;
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
    return state ^ (state >> 31);
}

static double uniform(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t mixed = mix(mix(mix(mix(seed) ^ a) ^ b) ^ c);
    return (double)(mixed >> 11) / (double)((uint64_t)1 << 53);
}

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

/* The first point of a row, and the one after its last. */
static int first_of(const struct graph *graph, int step)
{
    return graph->pattern == DOM ? most(0, step + graph->width - graph->steps) : 0;
}

static int end_of(const struct graph *graph, int step)
{
    if (graph->pattern == DOM)
        return first_of(graph, step) + least(graph->width, least(step + 1, graph->steps - step));
    if (graph->pattern == TREE)
        return step < 30 ? least(graph->width, 1 << step) : graph->width;
    return graph->width;
}

/* The points of the row before that a task depends on, in order; how many. */
static int dependencies(const struct graph *graph, int step, int point, int *points)
{
    int found = 0, width = graph->width, levels = 0, distance;
    char *taken;
    if (step == 0)
        return 0;
    switch (graph->pattern) {
    case NO_COMM:
        points[found++] = point;
        break;
    case STENCIL:
    case NEAREST: /* Of radix 3, which is the stencil's. */
        for (int other = most(0, point - 1); other < least(width, point + 2); other++)
            points[found++] = other;
        break;
    case STENCIL_PERIODIC:
    case SPREAD:
        taken = memory(width);
        for (int arm = 0; arm < RADIX; arm++) {
            if (graph->pattern == SPREAD)
                taken[(point + arm * width / RADIX + (arm > 0 ? step % PERIOD : 0)) % width] = 1;
            else
                taken[(point + width + arm - 1) % width] = 1;
        }
        for (int other = 0; other < width; other++)
            if (taken[other])
                points[found++] = other;
        free(taken);
        break;
    case DOM:
        for (int other = most(0, point - 1); other <= point; other++)
            points[found++] = other;
        break;
    case TREE:
        points[found++] = point / 2;
        break;
    case FFT:
        while (1 << levels < width)
            levels++;
        distance = 1 << ((step - 1) % most(levels, 1));
        if (point >= distance)
            points[found++] = point - distance;
        points[found++] = point;
        points[found++] = point + distance;
        break;
    case ALL_TO_ALL:
        for (int other = 0; other < width; other++)
            points[found++] = other;
        break;
    case RANDOM_NEAREST:
        for (int other = most(0, point - RADIX_RANDOM / 2); other < least(width, point + (RADIX_RANDOM + 1) / 2); other++)
            if (other == point || uniform(graph->seed, step % PERIOD, other, point) < 0.5)
                points[found++] = other;
        break;
    }
    int kept = 0;
    for (int index = 0; index < found; index++)
        if (points[index] >= first_of(graph, step - 1) && points[index] < end_of(graph, step - 1))
            points[kept++] = points[index];
    return kept;
}

static long iterations_of(const struct graph *graph, int step, int point)
{
    if (graph->kernel == EMPTY)
        return 0;
    if (graph->kernel == IMBALANCE)
        return lround((double)graph->iterations * (0.5 + uniform(graph->seed, step, point, 1)));
    return graph->iterations;
}

static void compute(long iterations)
{
    static volatile double start = 1.25, result;
    double block[NUMBERS];
    for (int index = 0; index < NUMBERS; index++)
        block[index] = start;
    for (long iteration = 0; iteration < iterations; iteration++) {
        for (int index = 0; index < NUMBERS; index++)
            block[index] = block[index] * 0.5 + 0.5;
        __asm__ volatile("" : : "r"(block) : "memory");
    }
    result = block[NUMBERS - 1];
    (void)result;
}

static void execute(int kernel, long iterations)
{
    const long pieces = SCRATCH_BYTES / 2 / PIECE_BYTES;
    if (kernel == COMPUTE || kernel == IMBALANCE)
        compute(iterations);
    for (long iteration = 0; kernel == MEMORY && iteration < iterations; iteration++) {
        char *from = scratch + iteration % pieces * PIECE_BYTES;
        memcpy(from + SCRATCH_BYTES / 2, from, PIECE_BYTES);
        __asm__ volatile("" : : "r"(scratch) : "memory");
    }
}

/* Seconds of an iteration: the least of a few turns of some milliseconds. */
static double iteration_s(int kernel)
{
    long iterations = 64;
    for (;;) {
        double start = MPI_Wtime(), seconds;
        execute(kernel, iterations);
        seconds = MPI_Wtime() - start;
        for (int turn = 0; seconds > 0.002 && turn < 4; turn++) {
            double again = MPI_Wtime();
            execute(kernel, iterations);
            again = MPI_Wtime() - again;
            if (again < seconds)
                seconds = again;
            if (turn == 3)
                return seconds / (double)iterations;
        }
        iterations *= 2;
    }
}

static int owner(const struct graph *graph, int point)
{
    return (int)((long)point * size / graph->width);
}

static long tasks_of(const struct graph *graph)
{
    long tasks = 0;
    for (int step = 0; step < graph->steps; step++)
        tasks += end_of(graph, step) - first_of(graph, step);
    return tasks;
}

static long total_iterations(const struct graph *graph)
{
    long total = 0;
    for (int step = 0; step < graph->steps; step++)
        for (int point = first_of(graph, step); point < end_of(graph, step); point++)
            total += iterations_of(graph, step, point);
    return total;
}

/*
 * The plan of a graph: the dependences of each row's points, computed before the clock starts. inputs[step][point] are the
 * points, counts[step][point] how many.
 */
struct plan {
    int *inputs, *counts;
};

static struct plan plan_of(const struct graph *graph)
{
    size_t places = (size_t)graph->steps * graph->width;
    struct plan plan = { memory(places * (graph->width + 2) * sizeof(int)), memory(places * sizeof(int)) };
    for (int step = 0; step < graph->steps; step++)
        for (int point = first_of(graph, step); point < end_of(graph, step); point++) {
            size_t place = (size_t)step * graph->width + point;
            plan.counts[place] = dependencies(graph, step, point, plan.inputs + place * (graph->width + 2));
        }
    return plan;
}

/* Runs a graph; its seconds on the slowest rank. */
static double run(const struct graph *graph)
{
    int width = graph->width, begin = 0, end = 0;
    while (begin < width && owner(graph, begin) < rank)
        begin++;
    for (end = begin; end < width && owner(graph, end) == rank;)
        end++;
    struct plan plan = plan_of(graph);
    struct output *before = memory(width * sizeof *before), *now = memory(width * sizeof *now);
    struct output *received = memory((size_t)width * width * sizeof *received);
    MPI_Request *receives = memory((size_t)width * width * sizeof *receives);
    MPI_Request *sends = memory((size_t)width * width * sizeof *sends);
    int *counts = memory(width * sizeof *counts);

    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    for (int step = 0; step < graph->steps; step++) {
        int sent = 0;
        for (int point = first_of(graph, step); point < end_of(graph, step); point++) {
            size_t place = (size_t)step * width + point;
            const int *inputs = plan.inputs + place * (width + 2);
            int own = point >= begin && point < end;
            counts[point] = 0;
            for (int index = 0; index < plan.counts[place]; index++) {
                int other = inputs[index], others = other < begin || other >= end, tag = other * width + point;
                if (own && others)
                    MPI_Irecv(&received[point * width + index], sizeof *received, MPI_BYTE, owner(graph, other), tag,
                              MPI_COMM_WORLD, &receives[point * width + counts[point]++]);
                else if (own)
                    received[point * width + index] = before[other];
                else if (!others)
                    MPI_Isend(&before[other], sizeof *before, MPI_BYTE, owner(graph, point), tag, MPI_COMM_WORLD,
                              &sends[sent++]);
            }
        }
        for (int point = most(begin, first_of(graph, step)); point < least(end, end_of(graph, step)); point++) {
            size_t place = (size_t)step * width + point;
            MPI_Waitall(counts[point], receives + point * width, MPI_STATUSES_IGNORE);
            for (int index = 0; index < plan.counts[place]; index++) {
                struct output input = received[point * width + index];
                if (input.step != step - 1 || input.point != plan.inputs[place * (width + 2) + index]) {
                    fprintf(stderr, "taskbench: task %d of step %d was given %d of %d\n", point, step, input.point, input.step);
                    MPI_Abort(MPI_COMM_WORLD, 1);
                }
            }
            execute(graph->kernel, iterations_of(graph, step, point));
            now[point] = (struct output){ step, point };
        }
        MPI_Waitall(sent, sends, MPI_STATUSES_IGNORE);
        struct output *swap = before;
        before = now;
        now = swap;
    }
    double seconds = MPI_Wtime() - start, slowest;
    MPI_Allreduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    free(counts), free(sends), free(receives), free(received), free(now), free(before);
    free(plan.inputs), free(plan.counts);
    return slowest;
}

static double us_a_task(struct graph graph, int steps_max)
{
    graph.steps = STEPS_MIN;
    run(&graph);
    graph.steps = steps_max;
    return run(&graph) / (double)tasks_of(&graph) * 1e6;
}

/* Seconds of the fastest of a few turns: a disturbance of one is the machine's. */
static double fastest_s(const struct graph *graph)
{
    double best_s = 1e9;
    for (int turn = 0; turn < TURNS; turn++)
        best_s = fmin(best_s, run(graph));
    return best_s;
}

/* Seconds that a core takes for an iteration while all compute and nothing depends on anything. */
static double peak_iteration_s(struct graph free, double target_s)
{
    double own_s = iteration_s(free.kernel), per_s;
    MPI_Allreduce(&own_s, &per_s, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    free.pattern = TRIVIAL, free.steps = STEPS_MIN;
    free.iterations = most(1, (int)ceil(target_s * size / (free.width * STEPS_MIN) / per_s));
    return fastest_s(&free) * size / (double)total_iterations(&free);
}

static double metg_us(struct graph graph, double target_s, int steps_max)
{
    const double grain_most_s = 0.02, asked = 0.5;
    double grain_s = 0.25e-6, low_s = 0, low_efficiency = 0;
    struct graph warm = graph;
    warm.kernel = EMPTY, warm.steps = STEPS_MIN;
    run(&warm);
    double per_s = peak_iteration_s(graph, target_s);
    while (grain_s < grain_most_s) {
        graph.iterations = most(1, (int)ceil(grain_s / per_s));
        double task_s = low_s > grain_s ? low_s : grain_s;
        double steps = target_s * size / (graph.width * task_s);
        graph.steps = most(STEPS_MIN, steps > steps_max ? steps_max : (int)steps);
        double core_s = fastest_s(&graph) * size, granularity_s = core_s / (double)tasks_of(&graph);
        double efficiency = (double)total_iterations(&graph) * per_s / core_s;
        if (efficiency >= asked) {
            if (low_s == 0 || low_efficiency >= efficiency)
                return granularity_s * 1e6;
            double part = (asked - low_efficiency) / (efficiency - low_efficiency);
            return exp(log(low_s) + part * (log(granularity_s) - log(low_s))) * 1e6;
        }
        low_s = granularity_s, low_efficiency = efficiency;
        grain_s = fmax((double)graph.iterations * per_s * 2, grain_s * 2);
    }
    fprintf(stderr, "taskbench: no grain is long enough\n");
    MPI_Abort(MPI_COMM_WORLD, 1);
    return 0;
}

static double checksum(struct graph graph, int steps)
{
    const uint64_t mask = ((uint64_t)1 << 48) - 1;
    int *points = memory((graph.width + 2) * sizeof *points);
    uint64_t sum = 0;
    graph.steps = steps, graph.iterations = 1000;
    for (int step = 0; step < steps; step++)
        for (int point = first_of(&graph, step); point < end_of(&graph, step); point++) {
            int count = dependencies(&graph, step, point, points);
            sum = (sum * 31 + (uint64_t)point) & mask;
            for (int index = 0; index < count; index++)
                sum = (sum * 31 + (uint64_t)points[index] + 1) & mask;
            sum = (sum * 31 + (uint64_t)iterations_of(&graph, step, point)) & mask;
        }
    free(points);
    return (double)sum;
}

static int named(const char *name, const char *const *names, int count)
{
    for (int index = 0; index < count; index++)
        if (!strcmp(name, names[index]))
            return index;
    return -1;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct graph graph = { -1, -1, 0, 0, 0, 0 };
    if (argc == 7) {
        graph.pattern = named(argv[1], pattern_names, PATTERNS);
        graph.kernel = named(argv[2], kernel_names, KERNELS);
        graph.width = atoi(argv[3]);
        graph.seed = strtoull(argv[4], NULL, 10);
    }
    if (graph.pattern < 0 || graph.kernel < 0 || graph.width < size) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n CORES taskbench PATTERN KERNEL WIDTH SEED TARGET_S STEPS_MAX\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    bind_to_core(rank);
    scratch = memory(SCRATCH_BYTES);
    memset(scratch, 1, SCRATCH_BYTES);
    double target_s = atof(argv[5]);
    int steps_max = atoi(argv[6]);
    double number;
    if (!strcmp(argv[5], "checksum"))
        number = checksum(graph, steps_max);
    else
        number = graph.kernel == EMPTY ? us_a_task(graph, steps_max) : metg_us(graph, target_s, steps_max);
    if (rank == 0)
        printf("%.6f\n", number);
    free(scratch);
    MPI_Finalize();
    return 0;
}
