/*
 * mobula: tasks, actors and shared immutable arrays inside MPI and Slurm jobs. The C interface.
 *
 * C99, and C++ in `extern "C"`. Link with -lmobula.
 *
 * Conventions
 * - A call returns a mobula_status: MOBULA_OK is 0, positive values are the library's, negative ones belong to the
 *   program's own functions. mobula_last_error() is the whole message of the calling thread's last failure. What a call
 *   writes through its `out` parameters is written only when it returns MOBULA_OK.
 * - A pointer is not NULL unless its description allows it; NULL is MOBULA_ERR_INVALID_ARGUMENT, which names the
 *   function and the parameter. A pointer to memory that is not valid, or not of that type, is undefined behaviour.
 * - A handle, buffer or view that was freed, and a handle of another type, are refused in the same way, and functions
 *   without a status print it; but memory that malloc has used again may look as the handle that is there now. For
 *   certainty use a build of the library with debug assertions, or compile the program with -fsanitize=address.
 * - Handles (mobula_ref, mobula_actor) are owned by who got them: each is freed once, by its `_free`; a `_clone` is one
 *   more handle of the same thing. Those of a cluster that has ended, and its buffers, can be cloned, freed and
 *   discarded; every other call refuses them with MOBULA_ERR_CONFIG, also while the next cluster runs.
 * - Texts are UTF-8 and end with a zero byte; the library copies those that it keeps.
 * - Structs with a member `size` are set up by their `MOBULA_..._INIT` and then changed member by member: so a program
 *   that was compiled with an older header runs with a newer library.
 * - Time-outs are in seconds; a negative one means for ever.
 * - Every function may be called from any thread, at the same time, also from threads that the program starts, but
 *   mobula_serve and mobula_shutdown only by the thread that called mobula_init, and all three outside of tasks. None
 *   may be called from a signal handler.
 * - In a child after fork() every call is refused with MOBULA_ERR_CONFIG, and what is freed stays with the parent; views
 *   are readable. The child of a task ends by exec or _exit.
 * - Tasks run on stacks of their own (MOBULA_STACK_BYTES), on threads of the library. They may block in any call
 *   of this header; they may not longjmp out of themselves. A C++ exception out of a MOBULA_TASK, compiled as C++, is a
 *   failure of the task; out of any other function it ends the process.
 */
#ifndef MOBULA_H
#define MOBULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Statuses and errors ------------------------------------------------------------------------------------- */

/* What a call returns. */
typedef int32_t mobula_status;

enum {
    MOBULA_OK = 0,
    MOBULA_ERR_CONFIG = 1,           /* a wrong setting, or a call where it cannot be made */
    MOBULA_ERR_FABRIC = 2,           /* the ranks could not be connected, or a transport failed */
    MOBULA_ERR_TASK = 3,             /* the task failed */
    MOBULA_ERR_TIMEOUT = 4,          /* not ready in the time given */
    MOBULA_ERR_CANCELLED = 5,        /* the task was cancelled */
    MOBULA_ERR_ACTOR_DIED = 6,       /* the actor is not alive, or no actor has the name */
    MOBULA_ERR_NODE_DIED = 7,        /* a rank has died */
    MOBULA_ERR_OBJECT_LOST = 8,      /* the object's bytes are not available any more */
    MOBULA_ERR_STORE_FULL = 9,       /* too little space in the store, or the task's limit of memory */
    MOBULA_ERR_UNSCHEDULABLE = 10,   /* no host can ever meet the request */
    MOBULA_ERR_INVALID_ARGUMENT = 11,/* NULL, or a value that the parameter cannot have */
    MOBULA_ERR_UNKNOWN_FUNCTION = 12,/* nothing is registered under the name */
    MOBULA_ERR_TYPE = 13,            /* another type, or another number, of arguments or results */
    MOBULA_ERR_INTERNAL = 14         /* a bug of the library */
};

/* The message of the last failure of the calling thread, or, in a task, of the task: function, what happened, where,
 * what to do. "" if there was none. Valid until the next failure of the same thread or task, or until the task ends. */
const char *mobula_last_error(void);

/* Makes `message` the last failure of the calling thread or task, as if a call had returned that status, also a negative
 * one of the program. A task that returns the status then fails with the message: as MOBULA_ERR_TYPE and
 * MOBULA_ERR_CONFIG if it is one of them, and with MOBULA_ERR_TASK otherwise. Returns status:
 * `return mobula_set_last_error(-3, "the mesh is empty")`. Errors: MOBULA_ERR_INVALID_ARGUMENT for MOBULA_OK. */
mobula_status mobula_set_last_error(mobula_status status, const char *message);

/* "MOBULA_ERR_TIMEOUT" and so on; never NULL. Static. */
const char *mobula_status_name(mobula_status status);

/* ---- Start and end ------------------------------------------------------------------------------------------- */

/* Settings of the start. The variables MOBULA_* of the environment override them: see docs/settings.md. */
typedef struct {
    size_t size;
    double num_cpus;       /* CPUs of each host; negative: as found */
    double num_gpus;       /* GPUs of each host; negative: as found */
    const char *resources; /* other resources of each host, "Custom=2,Licence=1"; NULL: none */
    uint64_t store_bytes;  /* size of a rank's store, bytes; 0: the default */
    int32_t workers;       /* threads that run tasks, of each rank; 0: the default */
    bool ignore_reinit;    /* a second mobula_init while a cluster runs is no error, and needs no end of its own */
    uint8_t reserved[3];   /* 0 */
} mobula_config;

#define MOBULA_CONFIG_INIT { sizeof(mobula_config), -1.0, -1.0, NULL, 0, 0, false, { 0, 0, 0 } }

/* Starts the cluster of the ranks that the launcher started (mpirun, srun, or MOBULA_RENDEZVOUS); without one, a
 * cluster of this process. Every rank calls it; functions and actor classes are registered before it, the same on every
 * rank. config: NULL for the defaults. Errors: MOBULA_ERR_CONFIG for a wrong setting, while a cluster runs, and for a
 * MOBULA_TASK that could not be registered; MOBULA_ERR_FABRIC if the ranks cannot be connected, or have registered
 * different functions, the first of which it names. */
mobula_status mobula_init(const mobula_config *config);

/* What mobula_init_with_comm calls, which is declared in mobula_mpi.h, beside the MPI_Comm that this library does not
 * know: the handle at an address, of sizeof(MPI_Comm) bytes; and, for Fortran, the integer that the handle is there. */
mobula_status mobula_init_with_comm_at(const void *comm, size_t comm_bytes, const mobula_config *config);
mobula_status mobula_init_with_comm_fortran(int32_t comm, const mobula_config *config);

/* Serves the ranks that drive, until all of them are through; then the cluster is stopped in this process, as after
 * mobula_shutdown. For ranks that submit nothing by themselves. Errors: as mobula_shutdown. */
mobula_status mobula_serve(void);

/* Declares this rank's own work finished; returns when all ranks have, and the cluster is stopped. Another mobula_init
 * may follow, unless MPI was finalized with the cluster. Errors: MOBULA_ERR_CONFIG if no cluster runs, or if another
 * thread started it. */
mobula_status mobula_shutdown(void);

uint32_t mobula_rank(void);        /* of this process, from 0; 0 while no cluster runs */
uint32_t mobula_size(void);        /* how many ranks; 0 while no cluster runs */
bool mobula_is_initialized(void);  /* true while a cluster runs in this process */

/* The amount of "CPU", "GPU" or another resource on all hosts together, in all and at the moment; 0 for NULL, for a
 * name that no host has, and while no cluster runs. */
double mobula_resource_total(const char *name);
double mobula_resource_available(const char *name);

/* ---- Objects: immutable arrays of plain data ------------------------------------------------------------------ */

/* The type of an array's elements. */
typedef enum {
    MOBULA_BYTES, /* bytes without a meaning: structs, texts */
    MOBULA_I8,
    MOBULA_U8,
    MOBULA_I16,
    MOBULA_U16,
    MOBULA_I32,
    MOBULA_U32,
    MOBULA_I64,
    MOBULA_U64,
    MOBULA_F32,
    MOBULA_F64,
    MOBULA_C64, /* two floats: the real part first */
    MOBULA_C128 /* two doubles */
} mobula_type;

/* A reference to an object, which may not exist yet: an array that was put, or that a task returns. Opaque. */
typedef struct mobula_ref mobula_ref;

/* An array that is being written. */
typedef struct {
    void *data;   /* `count` elements, aligned for their type; not NULL */
    size_t count;
    mobula_type type;
    void *internal; /* the library's */
} mobula_buffer;

/* An array that is read in place. */
typedef struct {
    const void *data; /* `count` elements, aligned for their type; not NULL */
    size_t count;
    mobula_type type;
    void *internal; /* the library's */
} mobula_view;

/* Creates an object of `count` elements: one copy. data may be NULL if count is 0. Errors: MOBULA_ERR_STORE_FULL;
 * MOBULA_ERR_CONFIG while no cluster runs. */
mobula_status mobula_put(const void *data, size_t count, mobula_type type, mobula_ref **out);

/* Sets up a buffer of `count` elements in the store, to be written in place; it is not cleared. It ends with mobula_seal
 * or mobula_discard. Errors: as mobula_put. */
mobula_status mobula_create(size_t count, mobula_type type, mobula_buffer *out);

/* Turns a buffer into an object, without a copy. `buffer->data` is not written any more, and the struct is cleared.
 * Errors: MOBULA_ERR_INVALID_ARGUMENT for a buffer that was sealed or discarded; MOBULA_ERR_CONFIG while no cluster
 * runs, and then the buffer is still to be discarded. */
mobula_status mobula_seal(mobula_buffer *buffer, mobula_ref **out);

/* Gives a buffer's memory back and clears the struct. NULL, and a buffer that was sealed, are allowed. */
void mobula_discard(mobula_buffer *buffer);

/* Waits for the object, and sets up a view of its elements: no copy, the bytes stay in place until mobula_release. A
 * task that waits lets others run. timeout_s: seconds, 0 to look only, negative for ever. Errors: MOBULA_ERR_TIMEOUT,
 * and the task goes on; the failure of the task that returns the object: MOBULA_ERR_TASK and others; MOBULA_ERR_TYPE for
 * an object that is an actor. */
mobula_status mobula_get(mobula_ref *ref, double timeout_s, mobula_view *out);

/* Ends a view and clears the struct. NULL, a released view, and a view of an argument are allowed. */
void mobula_release(mobula_view *view);

/* Waits until `num_returns` (1 to n) of the n references are ready, or timeout_s seconds have passed, which is no error.
 * A failure is ready too. ready[i]: if refs[i] is; num_ready: how many are. */
mobula_status mobula_wait(mobula_ref *const *refs, size_t n, size_t num_returns, double timeout_s, bool *ready,
                          size_t *num_ready);

/* Cancels the task that returns the object: if it has not begun it never does; if it runs, its waits fail from now on.
 * Its results are MOBULA_ERR_CANCELLED. An object that is complete stays. */
mobula_status mobula_cancel(mobula_ref *ref);

mobula_status mobula_ref_clone(const mobula_ref *ref, mobula_ref **out);
void mobula_ref_free(mobula_ref *ref); /* NULL is allowed; the object lives while any reference on any rank does */

/* ---- Actor handles ------------------------------------------------------------------------------------------- */

/* A handle of an actor: a state that lives on one rank, and is used by one call at a time. Opaque. */
typedef struct mobula_actor mobula_actor;

/* ---- Tasks ---------------------------------------------------------------------------------------------------- */

/* A call that runs: valid until the function that got it returns. Threads that the function starts, and joins, may use
 * it at the same time, for different results. Opaque. */
typedef struct mobula_call mobula_call;

/* A task. Returns MOBULA_OK, or why it failed: a status that a call of this header returned to it, which is passed on
 * with its message, or a negative one of its own. */
typedef mobula_status (*mobula_task_function)(mobula_call *call, void *user);

/* Registers a function by name, before the first mobula_init of the process and on every rank alike. `user` is passed
 * to each call on this rank. A call has num_returns results. name: up to 100 bytes. Errors: MOBULA_ERR_CONFIG if the
 * name is taken, or after the first mobula_init. */
mobula_status mobula_register(const char *name, mobula_task_function function, void *user, uint32_t num_returns);

/* Registers a function of this file under its own name before main, with one result or with `num_returns`. Stands at
 * file scope, without a semicolon. If it fails, so does mobula_init, and says why. */
#define MOBULA_TASK(function) MOBULA_TASK_RETURNS(function, 1)
#define MOBULA_TASK_RETURNS(function, num_returns)                                                                     \
    __attribute__((constructor)) static void mobula_registers_##function(void) {                                       \
        mobula_register_before_main(#function, MOBULA_CATCHES(function), num_returns);                                 \
    }

/* The function itself; in C++, one that turns its exceptions into failures. */
#if defined(__cplusplus) && __cplusplus >= 201103L && defined(__cpp_exceptions)
#define MOBULA_CATCHES(function) mobula_catches<function>
#else
#define MOBULA_CATCHES(function) function
#endif

/* What MOBULA_TASK calls. */
void mobula_register_before_main(const char *name, mobula_task_function function, uint32_t num_returns);

/* One argument of a call: made by the macros below. What it points to is read by the call and not kept. */
typedef struct {
    const void *data;
    size_t count;
    mobula_type type;
    uint32_t kind;
    const void *handle;
} mobula_arg_value;

/* What MOBULA_VALUE and the others call. */
static inline mobula_arg_value mobula_make_arg(const void *data, size_t count, mobula_type type, uint32_t kind,
                                               const void *handle) {
    mobula_arg_value value;
    value.data = data;
    value.count = count;
    value.type = type;
    value.kind = kind;
    value.handle = handle;
    return value;
}

/* `count` elements, by value. */
#define MOBULA_VALUE(data, count, type) mobula_make_arg((data), (count), (type), 0u, NULL)
/* An object: the call runs when it is complete; its failure is the call's. */
#define MOBULA_REF(ref) mobula_make_arg(NULL, 0, MOBULA_BYTES, 1u, (ref))
/* A reference itself: the call runs without waiting for the object, and gets it by mobula_arg_ref. */
#define MOBULA_REF_AS_IS(ref) mobula_make_arg(NULL, 0, MOBULA_BYTES, 2u, (ref))
/* An actor's handle: the call gets it by mobula_arg_actor. */
#define MOBULA_ACTOR(actor) mobula_make_arg(NULL, 0, MOBULA_BYTES, 3u, (actor))

/* Where a task or an actor goes. */
typedef enum {
    MOBULA_PLACE_AUTO,   /* the library chooses */
    MOBULA_PLACE_SPREAD, /* over the ranks in turn */
    MOBULA_PLACE_RANK,   /* to the rank options.rank */
    MOBULA_PLACE_HOST,   /* to a rank of the host options.host */
    MOBULA_PLACE_NEAR    /* to the rank that owns the object options.near */
} mobula_placement;

/* As a number of retries or restarts: as often as it takes. */
#define MOBULA_UNBOUNDED INT32_MAX

/* Options of one call, or of one actor. */
typedef struct {
    size_t size;
    double num_cpus;          /* CPUs that it requests; negative: 1 for a task, 0 for an actor */
    double num_gpus;          /* GPUs; negative: none */
    const char *resources;    /* amounts of other resources, "Custom=1"; NULL: none */
    uint64_t memory;          /* bytes that its arrays may take in the store; 0: no request and no limit */
    int32_t max_retries;      /* task: how often it is started again when its rank dies; negative: 3 */
    int32_t max_restarts;     /* actor: how often it is created again when its rank dies; negative: 0 */
    int32_t max_task_retries; /* actor: how often a call in progress at a death is made again; negative: 0 */
    bool retry_on_error;      /* task: started again also when it fails by itself */
    const char *name;         /* task: for errors and timelines; actor: by which mobula_actor_find finds it; or NULL */
    mobula_placement placement;
    uint32_t rank;
    const char *host;
    const mobula_ref *near;
} mobula_options;

#define MOBULA_OPTIONS_INIT                                                                                            \
    { sizeof(mobula_options), -1.0, -1.0, NULL, 0, -1, -1, -1, false, NULL, MOBULA_PLACE_AUTO, 0, NULL, NULL }

/* Submits a task; writes references to its results at once. args: may be NULL if num_args is 0. options: NULL for the
 * defaults. out: num_returns references, as many as the function has results; or NULL and 0 for a task whose results
 * nobody wants. Errors: MOBULA_ERR_UNKNOWN_FUNCTION, MOBULA_ERR_TYPE for another number of results. What fails later
 * fails at mobula_get. */
mobula_status mobula_submit(const char *name, const mobula_arg_value *args, size_t num_args,
                            const mobula_options *options, mobula_ref **out, size_t num_returns);

/* ---- Inside of a task: arguments and results, counted from 0 --------------------------------------------------- */

/* Views an argument of that type in place; it needs no release, and is valid until the task returns. Errors:
 * MOBULA_ERR_TYPE if there is no such argument, or if it is of another type; a task that returns it fails with it. */
mobula_status mobula_arg(mobula_call *call, size_t index, mobula_type type, mobula_view *out);

/* As mobula_arg, for an array of any type: out->type says which. */
mobula_status mobula_arg_any(mobula_call *call, size_t index, mobula_view *out);

/* As mobula_arg_any, for a view that outlives the task: its elements stay until mobula_release. No copy, but of an array
 * of up to 32 bytes, which is a value: its view has another address than that of mobula_arg. */
mobula_status mobula_arg_keep(mobula_call *call, size_t index, mobula_view *out);

/* How many arguments there are. */
mobula_status mobula_arg_count(mobula_call *call, size_t *out);

/* A reference that was passed with MOBULA_REF_AS_IS; and a handle that was passed with MOBULA_ACTOR, or as MOBULA_REF to
 * an object that is an actor: to be freed. */
mobula_status mobula_arg_ref(mobula_call *call, size_t index, mobula_ref **out);
mobula_status mobula_arg_actor(mobula_call *call, size_t index, mobula_actor **out);

/* Sets a result: one copy. One that a task does not set is an empty array of MOBULA_BYTES. Errors: MOBULA_ERR_TYPE if
 * the function has no such result; MOBULA_ERR_STORE_FULL. */
mobula_status mobula_return(mobula_call *call, size_t index, const void *data, size_t count, mobula_type type);

/* As mobula_return, for a result that the task writes in place before it returns: `count` elements at *data, not
 * cleared. */
mobula_status mobula_return_create(mobula_call *call, size_t index, size_t count, mobula_type type, void **data);

/* Sets a result to the elements of an object, without a copy: waits for it. */
mobula_status mobula_return_ref(mobula_call *call, size_t index, mobula_ref *ref);

/* Sets a result to an actor: mobula_get_actor gets it, and a call that has the result as an argument by
 * mobula_arg_actor. The actor lives while the object does. */
mobula_status mobula_return_actor(mobula_call *call, size_t index, mobula_actor *actor);

/* Makes the task fail with this text: `return mobula_fail(call, "why")`. Returns MOBULA_ERR_TASK. */
mobula_status mobula_fail(mobula_call *call, const char *why);

/* ---- Actors ---------------------------------------------------------------------------------------------------- */

/* Creates a state from the arguments of the call, and writes its address. It has no results. */
typedef mobula_status (*mobula_constructor)(mobula_call *call, void *user, void **state);

/* A method: as a task, with the actor's state. One call at a time uses a state. */
typedef struct {
    const char *name;
    mobula_status (*call)(mobula_call *call, void *state);
    uint32_t num_returns;
} mobula_method;

/* A class of actors. */
typedef struct {
    size_t size;
    const char *name;
    mobula_constructor construct;
    void *user;                    /* passed to construct and restore */
    void (*destroy)(void *state);  /* NULL: a state needs no end */
    const mobula_method *methods;
    size_t num_methods;
    /* Both or neither. save returns the state as result 0 of its call; it runs after each call of a method, and a result
     * is delivered when the state is safe on the rank that created the actor. restore is a constructor whose argument 0
     * is what save returned: for an actor whose rank died, where options.max_restarts allows. */
    mobula_status (*save)(mobula_call *call, void *state);
    mobula_constructor restore;
} mobula_actor_class;

#define MOBULA_ACTOR_CLASS_INIT { sizeof(mobula_actor_class), NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL }

/* Registers a class, before the first mobula_init of the process and on every rank alike. The struct is copied. Errors:
 * as mobula_register. */
mobula_status mobula_register_actor(const mobula_actor_class *actor_class);

/* Creates an actor somewhere in the cluster; its handle is there at once. It ends when its last handle on any rank is
 * freed, one with a name only by mobula_actor_kill. Errors: MOBULA_ERR_UNKNOWN_FUNCTION. A constructor that fails fails
 * the actor's calls, with MOBULA_ERR_ACTOR_DIED. */
mobula_status mobula_actor_create(const char *class_name, const mobula_arg_value *args, size_t num_args,
                                  const mobula_options *options, mobula_actor **out);

/* Calls a method; as mobula_submit. The calls of one caller run in the order made. */
mobula_status mobula_actor_call(mobula_actor *actor, const char *method, const mobula_arg_value *args, size_t num_args,
                                mobula_ref **out, size_t num_returns);

/* The actor that was created with that name, by any rank. Errors: MOBULA_ERR_ACTOR_DIED if there is none. */
mobula_status mobula_actor_find(const char *name, mobula_actor **out);

/* Ends an actor: calls that have not run, and later ones, fail with MOBULA_ERR_ACTOR_DIED. */
mobula_status mobula_actor_kill(mobula_actor *actor);

/* As mobula_get, for an object that is an actor, by mobula_return_actor: to be freed. Errors: MOBULA_ERR_TYPE if it is an
 * array. */
mobula_status mobula_get_actor(mobula_ref *ref, double timeout_s, mobula_actor **out);

mobula_status mobula_actor_clone(const mobula_actor *actor, mobula_actor **out);
void mobula_actor_free(mobula_actor *actor); /* NULL is allowed */

#ifdef __cplusplus
}
#endif

#if defined(__cplusplus) && __cplusplus >= 201103L && defined(__cpp_exceptions)
/* Also where this header is included within extern "C". */
extern "C++" {
#include <exception>

/* What MOBULA_CATCHES makes of a function. */
template <mobula_task_function Function> mobula_status mobula_catches(mobula_call *call, void *user) {
    try {
        return Function(call, user);
    } catch (const std::exception &thrown) {
        return mobula_fail(call, thrown.what());
    } catch (...) {
        return mobula_fail(call, "it threw something that is no std::exception");
    }
}
}
#endif

#endif
