/* What heat.c, heat.cpp and heat_mpi.c share, and what was there before any of them: the plate, a step of some of its
 * rows, and a check. */
#ifndef HEAT_H
#define HEAT_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 64 /* of the plate, with its edge, whose temperature stays */
#define COLUMNS 48
#define STEPS 200     /* at most */
#define STEADY 0.0015 /* a step that changes less is the last */

static inline double initial(int row) { return row == 0 ? 1.0 : 0.0; } /* hot above, cold elsewhere */

/* One step of `rows` rows, of which the first is row `first` of the plate, from `now` to `next`; returns the largest
 * change. Above and below them, in `now`, are the rows of the neighbours. */
static inline double relax(const double *now, double *next, int first, int rows) {
    double change = 0.0;
    memcpy(next + COLUMNS, now + COLUMNS, (size_t)rows * COLUMNS * sizeof(double));
    for (int i = 1; i <= rows; i++) {
        int row = first + i - 1;
        for (int j = 1; j < COLUMNS - 1 && row > 0 && row < ROWS - 1; j++) {
            const double *at = now + i * COLUMNS + j;
            next[i * COLUMNS + j] = 0.25 * (at[-COLUMNS] + at[COLUMNS] + at[-1] + at[1]);
            change = fmax(change, fabs(next[i * COLUMNS + j] - *at));
        }
    }
    return change;
}

/* These rows of the plate at the beginning, with space for the rows above and below them: to be freed. */
static inline double *plate(int first, int rows) {
    double *values = (double *)calloc((size_t)(rows + 2) * COLUMNS, sizeof(double));
    for (int i = 1; i <= rows; i++)
        for (int j = 0; j < COLUMNS; j++) values[i * COLUMNS + j] = initial(first + i - 1);
    return values;
}

/* If the plate is what one process computes in so many steps. */
static inline int is_right(const double *result, int steps) {
    double *now = plate(0, ROWS), *next = plate(0, ROWS), difference = 0.0;
    for (int step = 0; step < steps; step++) {
        relax(now, next, 0, ROWS);
        double *swap = now;
        now = next;
        next = swap;
    }
    for (int i = 0; i < ROWS * COLUMNS; i++) difference = fmax(difference, fabs(result[i] - now[COLUMNS + i]));
    free(now);
    free(next);
    return difference < 1e-12;
}

#endif
