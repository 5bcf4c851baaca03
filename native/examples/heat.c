/* heat: 2-D heat in a program of MPI, with the halo exchange by actors. heat_mpi.c is the same in plain MPI.
 *
 * Each rank has some rows of the plate, in several blocks. These are actors: they run in parallel on the threads of
 * the rank, and other ranks can call them. In every step each block is given the last rows of its neighbours, as
 * references: no thread waits for a row, and whichever block has both of them computes. The ranks agree on the largest
 * change by MPI_Allreduce, as before.
 *
 *   mpicc heat.c -o heat $(pkg-config --cflags --libs mobula) -lm
 *   mpirun -n 4 ./heat
 */
#include "heat.h"

#include <mobula_mpi.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 2 /* of each rank: while one waits for a row, another computes */

/* ---- A block: what was the state of a rank ----------------------------------------------------------------------- */

enum { TOP, BOTTOM };

typedef struct {
    int first, rows;
    int64_t steps;      /* that it has made */
    double *now, *next; /* after `steps` steps; after one less, until the next step */
} block;

static mobula_status block_new(mobula_call *call, void *user, void **state) {
    mobula_view rows; /* the first, and how many */
    mobula_status s;
    (void)user;
    if ((s = mobula_arg(call, 0, MOBULA_I32, &rows))) return s;
    const int32_t *given = rows.data;
    block *made = malloc(sizeof *made);
    *made = (block){ given[0], given[1], 0, plate(given[0], given[1]), plate(given[0], given[1]) };
    *state = made;
    return MOBULA_OK;
}

static void block_end(void *state) {
    free(((block *)state)->now);
    free(((block *)state)->next);
    free(state);
}

/* The row at an end of the block, { which, step }. A neighbour may ask when this block is a step further than itself,
 * but no more: there is an MPI_Allreduce between. */
static mobula_status block_edge(mobula_call *call, void *state) {
    block *own = state;
    mobula_view asked;
    mobula_status s;
    if ((s = mobula_arg(call, 0, MOBULA_I64, &asked))) return s;
    const int64_t *which = asked.data;
    if (which[1] != own->steps && which[1] != own->steps - 1) return mobula_fail(call, "edge: that step is over");
    const double *from = which[1] == own->steps ? own->now : own->next;
    return mobula_return(call, 0, from + (which[0] == TOP ? 1 : own->rows) * COLUMNS, COLUMNS, MOBULA_F64);
}

/* One step with the rows above and below; returns the largest change. */
static mobula_status block_step(mobula_call *call, void *state) {
    block *own = state;
    mobula_view above, below;
    mobula_status s;
    if ((s = mobula_arg(call, 0, MOBULA_F64, &above)) || (s = mobula_arg(call, 1, MOBULA_F64, &below))) return s;
    memcpy(own->now, above.data, above.count * sizeof(double)); /* none at the edge of the plate */
    memcpy(own->now + (own->rows + 1) * COLUMNS, below.data, below.count * sizeof(double));
    double change = relax(own->now, own->next, own->first, own->rows), *swap = own->now;
    own->now = own->next;
    own->next = swap;
    own->steps++;
    return mobula_return(call, 0, &change, 1, MOBULA_F64);
}

static mobula_status block_values(mobula_call *call, void *state) {
    block *own = state;
    return mobula_return(call, 0, own->now + COLUMNS, (size_t)(own->rows * COLUMNS), MOBULA_F64);
}

static const mobula_method methods[] = {
    { "edge", block_edge, 1 }, { "step", block_step, 1 }, { "values", block_values, 1 }
};

/* ---- The program ------------------------------------------------------------------------------------------------- */

static void check(mobula_status status) {
    if (status == MOBULA_OK) return;
    fprintf(stderr, "heat: %s: %s\n", mobula_status_name(status), mobula_last_error());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static mobula_actor *create(int number, int num_blocks, int rank) {
    int32_t first = number * ROWS / num_blocks, rows[] = { first, (number + 1) * ROWS / num_blocks - first };
    mobula_arg_value arg = MOBULA_VALUE(rows, 2, MOBULA_I32);
    mobula_options options = MOBULA_OPTIONS_INIT;
    mobula_actor *actor, *found;
    char name[40];
    snprintf(name, sizeof name, "block %d", number);
    options.name = name;
    options.placement = MOBULA_PLACE_RANK;
    options.rank = (uint32_t)rank;
    check(mobula_actor_create("block", &arg, 1, &options, &actor));
    check(mobula_actor_find(name, &found)); /* then every rank finds it */
    mobula_actor_free(found);
    return actor;
}

/* A block of another rank; NULL beyond the plate. */
static mobula_actor *find(int number, int num_blocks) {
    mobula_actor *actor;
    char name[40];
    if (number < 0 || number == num_blocks) return NULL;
    snprintf(name, sizeof name, "block %d", number);
    check(mobula_actor_find(name, &actor));
    return actor;
}

static mobula_ref *edge(mobula_actor *actor, int64_t which, int64_t step) {
    int64_t asked[] = { which, step };
    mobula_arg_value arg = MOBULA_VALUE(asked, 2, MOBULA_I64);
    mobula_ref *row;
    if (actor == NULL) {
        check(mobula_put(NULL, 0, MOBULA_F64, &row));
    } else {
        check(mobula_actor_call(actor, "edge", &arg, 1, &row, 1));
    }
    return row;
}

/* One step of this rank's blocks, actors[1] to actors[BLOCKS], between their neighbours; the largest change. */
static double step_blocks(mobula_actor *const *actors, int step) {
    mobula_ref *above[BLOCKS], *below[BLOCKS], *changed[BLOCKS];
    double change = 0.0;
    for (int i = 0; i < BLOCKS; i++) {
        above[i] = edge(actors[i], BOTTOM, step);
        below[i] = edge(actors[i + 2], TOP, step);
    }
    for (int i = 0; i < BLOCKS; i++) { /* runs when its two rows are there */
        mobula_arg_value args[] = { MOBULA_REF(above[i]), MOBULA_REF(below[i]) };
        check(mobula_actor_call(actors[i + 1], "step", args, 2, &changed[i], 1));
        mobula_ref_free(above[i]);
        mobula_ref_free(below[i]);
    }
    for (int i = 0; i < BLOCKS; i++) {
        mobula_view view;
        check(mobula_get(changed[i], -1.0, &view));
        change = fmax(change, ((const double *)view.data)[0]);
        mobula_release(&view);
        mobula_ref_free(changed[i]);
    }
    return change;
}

int main(int argc, char **argv) {
    int rank, size, step, level;
    double change = 1.0;
    mobula_actor_class class = MOBULA_ACTOR_CLASS_INIT;
    class.name = "block";
    class.construct = block_new;
    class.destroy = block_end;
    class.methods = methods;
    class.num_methods = sizeof methods / sizeof *methods;
    check(mobula_register_actor(&class)); /* before the start, on every rank */

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level); /* less works, too: see the guide */
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size * BLOCKS > ROWS) MPI_Abort(MPI_COMM_WORLD, 2); /* a block has a row at least */
    check(mobula_init_with_comm(MPI_COMM_WORLD, NULL)); /* each rank drives its own blocks, and serves the others */

    mobula_actor *actors[BLOCKS + 2];
    for (int i = 0; i < BLOCKS; i++) actors[i + 1] = create(rank * BLOCKS + i, size * BLOCKS, rank);
    MPI_Barrier(MPI_COMM_WORLD); /* all blocks are there */
    actors[0] = find(rank * BLOCKS - 1, size * BLOCKS);
    actors[BLOCKS + 1] = find((rank + 1) * BLOCKS, size * BLOCKS);

    for (step = 0; step < STEPS && change > STEADY; step++) {
        double own_change = step_blocks(actors, step);
        MPI_Allreduce(&own_change, &change, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    }

    int counts[size], starts[size], right = 1, own_values = 0;
    static double own[ROWS * COLUMNS], whole[ROWS * COLUMNS];
    for (int i = 1; i <= BLOCKS; i++) {
        mobula_ref *values;
        mobula_view view;
        check(mobula_actor_call(actors[i], "values", NULL, 0, &values, 1));
        check(mobula_get(values, -1.0, &view));
        memcpy(own + own_values, view.data, view.count * sizeof(double));
        own_values += (int)view.count;
        mobula_release(&view);
        mobula_ref_free(values);
    }
    for (int r = 0; r < size; r++) {
        starts[r] = r * BLOCKS * ROWS / (size * BLOCKS) * COLUMNS;
        counts[r] = (r + 1) * BLOCKS * ROWS / (size * BLOCKS) * COLUMNS - starts[r];
    }
    MPI_Gatherv(own, own_values, MPI_DOUBLE, whole, counts, starts, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    for (int i = 0; i < BLOCKS + 2; i++) mobula_actor_free(actors[i]);
    check(mobula_shutdown()); /* all ranks together, and before MPI_Finalize */
    if (rank == 0) right = is_right(whole, step);
    const char *found = right ? "ok" : "heat: wrong";
    if (rank == 0) printf("%s: %d steps on %d ranks, the last changed %.6f\n", found, step, size, change);
    MPI_Finalize();
    return !right;
}
