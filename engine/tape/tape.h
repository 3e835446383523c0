/* tape.h: runs operations at once and remembers them for the way back.
 *
 *   forward   each op computes its output and, where a gradient is wanted, leaves one record
 *   backward  the records are walked in reverse; each adds into the gradients of its inputs
 *
 * A segment is a piece of a network with one output. When segments are replayed, the forward keeps
 * only their outputs (outer arena); the backward runs a segment once more, this time recording,
 * walks its records, and empties the inner arena (gradient checkpointing, Chen et al. 2016). When
 * they are kept, every record stays. Both give the same bits, because kernels do.
 *
 * Nothing is recorded for tensors that need no gradient, so sampling is the same code without
 * records. Each segment is also a tick of progress and the point where a run can be cancelled. */
#pragma once

#include "engine/tape/arena.h"

/* Activations [n, h, w, c] on the device. A list of tokens is [n, 1, t, c]. Lives in an arena of
 * the tape, as do its values; nobody frees one. */
struct tensor {
    cell *data;
    cell *gradient; // same shape; NULL until something asked for it
    int n, h, w, c;
    bool needs_gradient;
    bool outer; // lives in the outer arena
};

#define TAPE_INPUTS 4

struct record;
struct tape;
typedef void (*record_backward)(struct tape *t, const struct record *r);

/* A piece of a network: reads in[0 .. n_in), returns one tensor made with ops of t. context is the
 * network's own and outlives the run. It must compute the same when called again. */
typedef struct tensor *(*segment_function)(struct tape *t, const void *context,
                                           struct tensor *const *in);

/* One operation that was run: what its backward needs to know. */
struct record {
    record_backward backward;
    struct tensor *y;
    struct tensor *x[TAPE_INPUTS];
    const void *object;       // the weight of an op, the context of a segment
    segment_function segment; // to be run again
    void *saved[2];           // arrays of the forward, in the arena
    const int32_t *ids;
    int number[4];
    double factor;
};

/* Called at each segment; false cancels the run. */
typedef bool (*tape_tick)(void *user);

struct tape_options {
    bool training; // records are made; otherwise nothing is kept
    bool replay;   // training: segments are run again instead of being kept
    bool wraps;    // behind an edge of a picture lies its other side: convolutions pad with that
    size_t outer_bytes, inner_bytes; // arena sizes; SIZE_MAX measures (counting device only)
    double work;                     // floating-point operations of a run, by tape_measure
    tape_tick tick;                  // may be NULL
    void *user;
};

/* A tape on device k (borrowed). NULL with SVDIFF_ERROR_FAILED when the arenas find no memory.
 * Owned by the caller. */
struct tape *tape_create(const kernels *k, struct tape_options options, GError **error);
void tape_free(struct tape *t); // accepts NULL

/* Options of a tape that fits a run: `run` is called once with a tape that only measures (values it
 * downloads are zeros) and finds sizes and work. The sizes in options are ignored. */
struct tape_options tape_measure(const kernels *k, struct tape_options options,
                                 void (*run)(void *user, struct tape *t), void *user);

/* Whether the machine has the memory that such a tape takes, beside what it has now and the bytes
 * that will be freed before. False with what is needed and what is there. */
bool tape_check_memory(const kernels *k, struct tape_options options, size_t freed, GError **error);

/* Measured, checked and created, in one. */
struct tape *tape_create_measured(const kernels *k, struct tape_options options,
                                  void (*run)(void *user, struct tape *t), void *user,
                                  GError **error);

/* Who is told at each segment from now on. */
void tape_set_tick(struct tape *t, tape_tick tick, void *user);

/* The device that ops call. After a cancel it is one that computes nothing. */
const kernels *tape_kernels(const struct tape *t);

/* Floating-point operations of matrix products in the run that it was measured with; 0 without. */
double tape_work(const struct tape *t);

// whether convolutions pad with the other side
bool tape_wraps(const struct tape *t);

// transfer_sync of the tape's device
bool tape_sync(const struct tape *t, GError **error);

/* Runs a piece of work that comes again and again on this tape, which it resets first: `number` tells
 * it from others. Its calls are the same each time, but for values of the host; a device may keep them
 * and not be asked one by one. It may be called more than once for one time that it is done, and must
 * neither download nor wait. False where the run was cancelled. */
bool tape_repeat(struct tape *t, guint number, void (*run)(void *user, struct tape *t), void *user);

/* Memory of the device that no reset takes and that goes with the tape: zeros when it is asked for first, then the same
 * again for as many bytes. NULL with a sentence. */
void *tape_hold(struct tape *t, size_t bytes, GError **error);

/* Forgets everything: both arenas and all records. Tensors made before are gone. */
void tape_reset(struct tape *t);

/* True once tick has answered false: all results since are undefined. */
bool tape_cancelled(const struct tape *t);

/* An undefined tensor in the arena in use. */
struct tensor *tape_tensor(struct tape *t, int n, int h, int w, int c);
struct tensor *tape_like(struct tape *t, const struct tensor *x);

/* A tensor of cells that lie elsewhere, [n, h, w, c], and stay until the tape is reset; without a gradient. */
struct tensor *tape_view(struct tape *t, const cell *cells, int n, int h, int w, int c);

/* A tensor that holds values of the host, [n, h, w, c] floats. */
struct tensor *tape_input(struct tape *t, const float *values, int n, int h, int w, int c,
                          bool needs_gradient);

/* Scratch of count cells, or reals, in the arena in use; kept as long as the records of the
 * segment. */
cell *tape_cells(struct tape *t, int64_t count);
real *tape_scratch(struct tape *t, int64_t count);

/* The same, of floats of the host. */
real *tape_reals(struct tape *t, const float *values, int64_t count);

/* Bytes of count cells on the tape's device. */
size_t tape_bytes(const struct tape *t, int64_t count);

/* A copy of host memory that stays until the tape is reset: contexts of segments. */
const void *tape_keep(struct tape *t, const void *data, size_t bytes);

/* Token ids on the device, [count], values of the host copied in. */
const int32_t *tape_ids(struct tape *t, const int32_t *ids, int count);

/* The gradient of x, zeroed the first time; NULL when x needs none. */
cell *tape_gradient(struct tape *t, struct tensor *x);

/* True when an op over these inputs (NULLs allowed) and a weight that learns or not has to be
 * recorded; marks y accordingly. */
bool tape_wants(struct tape *t, struct tensor *y, bool learns, const struct tensor *a,
                const struct tensor *b);

/* Appends a record; only after tape_wants said true. */
void tape_record(struct tape *t, struct record r);

/* Runs fn over in[0 .. n_in), n_in at most TAPE_INPUTS. Segments do not nest. */
struct tensor *tape_segment(struct tape *t, segment_function fn, const void *context,
                            struct tensor *const *in, int n_in);

/* The same over one input that nothing else reads: outside of training the output takes its memory,
 * so that a chain of segments needs no more than its largest one. */
struct tensor *tape_chain(struct tape *t, segment_function fn, const void *context,
                          struct tensor *x);

/* Walks back from y, whose gradient was filled by a loss (or is filled here from dy [n, h, w, c] of
 * the host when dy is not NULL). */
void tape_backward(struct tape *t, struct tensor *y, const float *dy);

/* Values of a tensor to the host as floats. */
void tape_download(const struct tape *t, const struct tensor *x, float *out);

static inline int64_t tensor_tokens(const struct tensor *x)
{
    return (int64_t)x->h * x->w;
}

static inline int64_t tensor_rows(const struct tensor *x)
{
    return (int64_t)x->n * x->h * x->w;
}

static inline int64_t tensor_count(const struct tensor *x)
{
    return tensor_rows(x) * x->c;
}
