/* The tape: records in order, two arenas, segments; see tape.h.
 *
 *   outer arena   inputs, outputs of segments, and their gradients
 *   inner arena   everything inside the segment that is being run; emptied after it, unless
 *                 segments are kept
 *
 * A segment that is to be replayed is itself one record of the outer list. Its backward runs the
 * function again with recording on, hands the output's gradient over, and walks the inner list. */
#include "engine/tape/tape.h"

#include "engine/base/error.h"
#include "engine/base/machine.h"
#include "engine/tape/transfer.h"

#include <string.h>

// arenas from this size on are weighed against what the machine has
#define LARGE ((size_t)64 << 20)

// of a tape, one part in so many more is left for what the host holds of it
#define HOST_PART 8

// of what a device does by itself: a cancel waits for two of them
#define TICK_SECONDS 0.04

// tensor structs are handed out from slabs, so that their addresses stay
#define SLAB 256

struct slabs {
    GPtrArray *blocks; // struct tensor[SLAB] each
    guint used;
};

struct tape {
    const kernels *k;
    kernels *idle; // takes the place of k after a cancel
    struct tape_options options;
    struct arena outer, inner;
    struct slabs outer_tensors, inner_tensors;
    GArray *outer_records, *inner_records; // struct record
    GPtrArray *kept;                       // host memory of tape_keep
    void *held;                            // of tape_hold
    size_t held_bytes;
    GPtrArray *repeated; // struct kernels_kept *, by the numbers of tape_repeat
    bool inside;         // in a segment: the inner arena is in use
    bool recording;
    bool cancelled;
};

static void slabs_init(struct slabs *s)
{
    s->blocks = g_ptr_array_new_with_free_func(g_free);
    s->used = 0;
}

static struct tensor *slabs_take(struct slabs *s)
{
    if (s->used == s->blocks->len * SLAB) {
        g_ptr_array_add(s->blocks, g_new(struct tensor, SLAB));
    }
    struct tensor *x = (struct tensor *)s->blocks->pdata[s->used / SLAB] + s->used % SLAB;
    s->used++;
    return x;
}

struct tape *tape_create(const kernels *k, struct tape_options options, GError **error)
{
    struct tape *t = g_new0(struct tape, 1);

    t->k = k;
    t->options = options;
    t->recording = options.training;
    slabs_init(&t->outer_tensors);
    slabs_init(&t->inner_tensors);
    t->outer_records = g_array_new(FALSE, FALSE, sizeof(struct record));
    t->inner_records = g_array_new(FALSE, FALSE, sizeof(struct record));
    t->kept = g_ptr_array_new_with_free_func(g_free);
    t->repeated = g_ptr_array_new();
    if (!arena_init(&t->outer, k, options.outer_bytes, error) ||
        !arena_init(&t->inner, k, options.inner_bytes, error)) {
        tape_free(t);
        return NULL;
    }
    return t;
}

void tape_free(struct tape *t)
{
    if (t == NULL) {
        return;
    }
    for (guint i = 0; i < t->repeated->len; i++) {
        t->k->forget(t->k, t->repeated->pdata[i]);
    }
    arena_finish(&t->outer);
    arena_finish(&t->inner);
    t->k->release(t->k, t->held, t->held_bytes);
    g_ptr_array_unref(t->repeated);
    g_ptr_array_unref(t->outer_tensors.blocks);
    g_ptr_array_unref(t->inner_tensors.blocks);
    g_array_unref(t->outer_records);
    g_array_unref(t->inner_records);
    g_ptr_array_unref(t->kept);
    kernels_destroy(t->idle);
    g_free(t);
}

/* Linux promises more memory than there is and kills later, so it is asked before. A device with
 * memory of its own refuses by itself; a counting one has none. */
bool tape_check_memory(const kernels *k, struct tape_options options, size_t freed, GError **error)
{
    const size_t bytes = options.outer_bytes + options.inner_bytes;
    // what goes in and out lies in the host's own memory as well, beside the tape
    const size_t needed = bytes + bytes / HOST_PART;

    return bytes < LARGE || needed < freed || !k->host_memory ||
           machine_check_memory(needed - freed, error);
}

struct tape_options tape_measure(const kernels *k, struct tape_options options,
                                 void (*run)(void *user, struct tape *t), void *user)
{
    g_autoptr(kernels) count = kernels_count(k);
    struct tape_options measuring = options;

    measuring.outer_bytes = measuring.inner_bytes = SIZE_MAX;
    measuring.tick = NULL;
    // a tape that only measures takes no memory, so that it cannot fail
    struct tape *t = tape_create(count, measuring, NULL);
    run(user, t);
    options.outer_bytes = t->outer.peak;
    options.inner_bytes = t->inner.peak;
    options.work = kernels_counted_operations(count);
    tape_free(t);
    return options;
}

struct tape *tape_create_measured(const kernels *k, struct tape_options options,
                                  void (*run)(void *user, struct tape *t), void *user,
                                  GError **error)
{
    options = tape_measure(k, options, run, user);
    return tape_check_memory(k, options, 0, error) ? tape_create(k, options, error) : NULL;
}

void tape_set_tick(struct tape *t, tape_tick tick_function, void *user)
{
    t->options.tick = tick_function;
    t->options.user = user;
}

const kernels *tape_kernels(const struct tape *t)
{
    return t->cancelled ? t->idle : t->k;
}

double tape_work(const struct tape *t)
{
    return t->options.work;
}

bool tape_wraps(const struct tape *t)
{
    return t->options.wraps;
}

bool tape_sync(const struct tape *t, GError **error)
{
    return transfer_sync(t->k, error);
}

void *tape_hold(struct tape *t, size_t bytes, GError **error)
{
    if (t->held != NULL && t->held_bytes != bytes) {
        t->k->release(t->k, t->held, t->held_bytes);
        t->held = NULL;
    }
    if (t->held == NULL) {
        t->held = t->k->alloc(t->k, bytes);
        t->held_bytes = bytes;
    }
    if (t->held == NULL) {
        error_failed(error,
                     "There is no memory for %.1f MiB of latents; choose a smaller size, or close "
                     "other programs.",
                     (double)bytes / (1024.0 * 1024.0));
    }
    return t->held;
}

static void empty_inner(struct tape *t)
{
    arena_empty(&t->inner);
    t->inner_tensors.used = 0;
    g_array_set_size(t->inner_records, 0);
}

void tape_reset(struct tape *t)
{
    empty_inner(t);
    arena_empty(&t->outer);
    t->outer_tensors.used = 0;
    g_ptr_array_set_size(t->kept, 0);
    g_array_set_size(t->outer_records, 0);
    t->inside = false;
    t->recording = t->options.training;
}

bool tape_cancelled(const struct tape *t)
{
    return t->cancelled;
}

struct tensor *tape_tensor(struct tape *t, int n, int h, int w, int c)
{
    struct tensor *x = slabs_take(t->inside ? &t->inner_tensors : &t->outer_tensors);

    *x = (struct tensor){.n = n, .h = h, .w = w, .c = c, .outer = !t->inside};
    x->data = tape_cells(t, tensor_count(x));
    return x;
}

struct tensor *tape_view(struct tape *t, const cell *cells, int n, int h, int w, int c)
{
    struct tensor *x = slabs_take(t->inside ? &t->inner_tensors : &t->outer_tensors);

    // nothing writes into an input
    *x = (struct tensor){
        .data = (cell *)(uintptr_t)cells, .n = n, .h = h, .w = w, .c = c, .outer = !t->inside};
    return x;
}

struct tensor *tape_like(struct tape *t, const struct tensor *x)
{
    return tape_tensor(t, x->n, x->h, x->w, x->c);
}

static struct arena *arena_in_use(struct tape *t)
{
    return t->inside ? &t->inner : &t->outer;
}

size_t tape_bytes(const struct tape *t, int64_t count)
{
    return (size_t)count * kernels_size(t->k->activation);
}

cell *tape_cells(struct tape *t, int64_t count)
{
    return arena_alloc(arena_in_use(t), tape_bytes(t, count));
}

real *tape_scratch(struct tape *t, int64_t count)
{
    return arena_alloc(arena_in_use(t), (size_t)count * sizeof(real));
}

real *tape_reals(struct tape *t, const float *values, int64_t count)
{
    real *reals = tape_scratch(t, count);

    transfer_upload(tape_kernels(t), reals, values, count);
    return reals;
}

struct tensor *tape_input(struct tape *t, const float *values, int n, int h, int w, int c,
                          bool needs_gradient)
{
    struct tensor *x = tape_tensor(t, n, h, w, c);

    x->needs_gradient = needs_gradient && t->options.training;
    transfer_upload_cells(tape_kernels(t), x->data, values, tensor_count(x));
    return x;
}

const void *tape_keep(struct tape *t, const void *data, size_t bytes)
{
    void *copy = g_memdup2(data, bytes);

    g_ptr_array_add(t->kept, copy);
    return copy;
}

const int32_t *tape_ids(struct tape *t, const int32_t *ids, int count)
{
    const kernels *k = tape_kernels(t);
    int32_t *device = arena_alloc(arena_in_use(t), count * sizeof(int32_t));

    k->upload(k, device, ids, count * sizeof(int32_t));
    return device;
}

cell *tape_gradient(struct tape *t, struct tensor *x)
{
    if (!x->needs_gradient) {
        return NULL;
    }
    if (x->gradient == NULL) {
        const size_t bytes = tape_bytes(t, tensor_count(x));
        const kernels *k = tape_kernels(t);

        x->gradient = arena_alloc(x->outer ? &t->outer : &t->inner, bytes);
        k->zero(k, x->gradient, bytes);
    }
    return x->gradient;
}

bool tape_wants(struct tape *t, struct tensor *y, bool learns, const struct tensor *a,
                const struct tensor *b)
{
    // a forward that will be replayed still has to know which outputs need a gradient
    y->needs_gradient = t->options.training && (learns || (a != NULL && a->needs_gradient) ||
                                                (b != NULL && b->needs_gradient));
    return y->needs_gradient && t->recording;
}

void tape_record(struct tape *t, struct record r)
{
    g_array_append_val(t->inside ? t->inner_records : t->outer_records, r);
}

static void walk_back(struct tape *t, GArray *records)
{
    for (guint i = records->len; i > 0; i--) {
        const struct record r = g_array_index(records, struct record, i - 1);

        // an output that nothing asked for has no gradient to pass on
        if (r.y->gradient != NULL) {
            r.backward(t, &r);
        }
    }
}

static void tick(struct tape *t)
{
    if (t->options.tick == NULL || t->cancelled || t->options.tick(t->options.user)) {
        return;
    }
    t->idle = kernels_count(t->k);
    t->cancelled = true;
}

static struct tensor *run_inside(struct tape *t, segment_function fn, const void *context,
                                 struct tensor *const *in)
{
    t->inside = true;
    struct tensor *y = fn(t, context, in);
    t->inside = false;
    return y;
}

static void segment_backward(struct tape *t, const struct record *r)
{
    // once more, this time leaving records; the output takes over the gradient that came in
    t->recording = true;
    struct tensor *y = run_inside(t, r->segment, r->object, r->x);
    y->gradient = r->y->gradient;
    t->inside = true;
    walk_back(t, t->inner_records);
    t->inside = false;
    empty_inner(t);
    tick(t);
}

// the output of a segment, carried over into the outer arena
static struct tensor *carry_out(struct tape *t, const struct tensor *y)
{
    const kernels *k = tape_kernels(t);
    struct tensor *copy = tape_like(t, y);

    copy->needs_gradient = y->needs_gradient;
    k->copy(k, copy->data, y->data, tape_bytes(t, tensor_count(y)));
    return copy;
}

// over: what of in[] the output may take the memory of; NULL: nothing
static struct tensor *run_segment(struct tape *t, segment_function fn, const void *context,
                                  struct tensor *const *in, int n_in, const struct tensor *over)
{
    g_assert(n_in <= TAPE_INPUTS && !t->inside);
    if (t->options.training && !t->options.replay) {
        // kept: its records simply join the others
        struct tensor *y = fn(t, context, in);
        tick(t);
        return y;
    }
    t->recording = false;
    struct tensor *inside = run_inside(t, fn, context, in);
    if (over != NULL && !t->options.training) {
        arena_take_back(&t->outer, over->data, tape_bytes(t, tensor_count(over)));
    }
    struct tensor *y = carry_out(t, inside);
    t->recording = t->options.training;
    empty_inner(t);
    if (y->needs_gradient) {
        struct record r = {.backward = segment_backward, .y = y, .segment = fn, .object = context};
        memcpy(r.x, in, (size_t)n_in * sizeof *in);
        tape_record(t, r);
    }
    tick(t);
    return y;
}

struct tensor *tape_segment(struct tape *t, segment_function fn, const void *context,
                            struct tensor *const *in, int n_in)
{
    return run_segment(t, fn, context, in, n_in, NULL);
}

struct tensor *tape_chain(struct tape *t, segment_function fn, const void *context,
                          struct tensor *x)
{
    return run_segment(t, fn, context, &x, 1, x);
}

struct repeated {
    struct tape *t;
    void (*run)(void *user, struct tape *t);
    void *user;
};

static bool run_repeated(void *user)
{
    const struct repeated *r = user;

    tape_reset(r->t);
    r->run(r->user, r->t);
    return !r->t->cancelled;
}

static bool goes_on(void *user)
{
    struct repeated *r = user;

    tick(r->t);
    return !r->t->cancelled;
}

bool tape_repeat(struct tape *t, guint number, void (*run)(void *user, struct tape *t), void *user)
{
    struct repeated r = {t, run, user};
    const struct kernels_work work = {
        .run = run_repeated, .goes_on = goes_on, .seconds = TICK_SECONDS, .user = &r};

    if (number >= t->repeated->len) {
        g_ptr_array_set_size(t->repeated, (int)number + 1);
    }
    return !t->cancelled &&
           t->k->repeat(t->k, (struct kernels_kept **)&t->repeated->pdata[number], &work);
}

void tape_backward(struct tape *t, struct tensor *y, const float *dy)
{
    if (dy != NULL && tape_gradient(t, y) != NULL) {
        transfer_upload_cells(tape_kernels(t), y->gradient, dy, tensor_count(y));
    }
    walk_back(t, t->outer_records);
}

void tape_download(const struct tape *t, const struct tensor *x, float *out)
{
    transfer_download_cells(tape_kernels(t), out, x->data, tensor_count(x));
}
