/* What the test programs check with: a failed check prints the line and ends the process. */
#ifndef CHECK_H
#define CHECK_H

#include <mobula.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold; last error: %s\n", __FILE__, __LINE__, #condition,               \
                    mobula_last_error());                                                                              \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        mobula_status status_ = (call);                                                                                \
        if (status_ != MOBULA_OK) {                                                                                    \
            fprintf(stderr, "%s:%d: %s returned %s: %s\n", __FILE__, __LINE__, #call, mobula_status_name(status_),     \
                    mobula_last_error());                                                                              \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The call fails with that status, and its message contains the text. */
#define FAILS(call, wanted, text)                                                                                      \
    do {                                                                                                               \
        mobula_status status_ = (call);                                                                                \
        if (status_ != (wanted) || strstr(mobula_last_error(), (text)) == NULL) {                                      \
            fprintf(stderr, "%s:%d: %s returned %s, wanted %s and \"%s\": %s\n", __FILE__, __LINE__, #call,            \
                    mobula_status_name(status_), mobula_status_name(wanted), (text), mobula_last_error());             \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A null pointer in the place of that parameter is refused, with its name. */
#define REFUSES_NULL(call, parameter) FAILS(call, MOBULA_ERR_INVALID_ARGUMENT, parameter " is NULL")

/* The first double of an object. */
static inline double number(mobula_ref *ref) {
    mobula_view view;
    double value;
    OK(mobula_get(ref, -1.0, &view));
    CHECK(view.type == MOBULA_F64 && view.count >= 1);
    value = ((const double *)view.data)[0];
    mobula_release(&view);
    return value;
}

#endif
