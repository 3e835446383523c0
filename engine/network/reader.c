/* The tensors of a network: named, then read; see reader.h.
 *
 * PyTorch's convolutions are [out, in, kh, kw]; the engine's are [out, kh, kw, in], the order in
 * which channels-last activations meet them. */
#include "engine/network/reader.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/tape/transfer.h"

#include <string.h>

/* ---- what is to be read ---- */

/* A tensor that is still to be read: `to` is its place on the device, of reals or bfloat16. */
struct reading { // freed with its name
    const struct weight *weight;
    char *name;
    int64_t shape[4]; // as stored, in PyTorch's order
    int n_dims;
    bool is_weight; // else a bias
    enum kernels_type type;
    void *to;
};

static void reading_clear(gpointer p)
{
    g_free(((struct reading *)p)->name);
}

static int64_t reading_count(const struct reading *x)
{
    int64_t count = 1;

    for (int i = 0; i < x->n_dims; i++) {
        count *= x->shape[i];
    }
    return count;
}

/* Lists a tensor, or gives it its memory and a place among those to be read. NULL after a failure,
 * or where tensors are only listed. */
static void *declare(struct reader *r, const struct weight *w, const char *leaf,
                     const int64_t *shape, int n_dims, enum kernels_type type)
{
    struct reading x = {.weight = w,
                        .name = g_strconcat(w->name, leaf, NULL),
                        .n_dims = n_dims,
                        .is_weight = strcmp(leaf, ".weight") == 0,
                        .type = type};

    memcpy(x.shape, shape, (size_t)n_dims * sizeof *shape);
    if (r->source.list != NULL) {
        r->source.list(r->source.user, w, x.name, shape, n_dims);
    } else if (!r->failed) {
        // memory is taken in the order of the modules by this thread alone, read into by several
        x.to = network_alloc(r->net, (size_t)reading_count(&x) * kernels_size(type), r->error);
        r->failed = x.to == NULL;
    }
    if (x.to == NULL || r->source.read == NULL) { // fresh memory is zero
        reading_clear(&x);
        return x.to;
    }
    if (r->readings == NULL) {
        r->readings = g_array_new(FALSE, FALSE, sizeof(struct reading));
        g_array_set_clear_func(r->readings, reading_clear);
    }
    g_array_append_val(r->readings, x);
    return x.to;
}

/* ---- reading ---- */

#define PART 32768 // values that are read at a time, about: they stay in a processor's cache

/* A thread's memory of the host, as large as the largest part that it had so far: fresh memory for
 * each would be cleared by the system each time, which takes longer than reading. */
struct scratch {
    float *values;
    int64_t room;
};

static float *scratch_take(struct scratch *s, int64_t count)
{
    if (s->room < count) {
        g_free(s->values);
        // not realloc: what was there need not be copied
        s->values = g_try_new(float, count);
        s->room = s->values != NULL ? count : 0;
    }
    return s->values;
}

// where values of a tensor from `first` on belong
static void *place_of(const struct reading *x, int64_t first)
{
    return (char *)x->to + first * (int64_t)kernels_size(x->type);
}

// to a device with memory of its own
static void upload(const kernels *k, const struct reading *x, int64_t first, const float *values,
                   int64_t n)
{
    uint16_t part[PART];

    if (x->type == KERNELS_F32) {
#pragma omp critical // a table is one thread's at a time
        transfer_upload(k, place_of(x, first), values, n);
        return;
    }
    for (int64_t i = 0; i < n; i += PART) {
        const int64_t count = MIN(PART, n - i);
        dtype_from_f32(transfer_type(x->type), values + i, part, (size_t)count);
#pragma omp critical
        k->upload(k, place_of(x, first + i), part, (size_t)count * sizeof *part);
    }
}

static bool read_values_of(const struct weight_source *source, const struct reading *x,
                           int64_t first, int64_t n, float *out, GError **error)
{
    return source->read_part != NULL
               ? source->read_part(source->user, x->name, x->shape, x->n_dims, first, n, out, error)
               : source->read(source->user, x->name, x->shape, x->n_dims, out, error);
}

// n values from `first` on, which are whole rows
static bool read_rows(const struct reader *r, const struct reading *x, int64_t first, int64_t n,
                      struct scratch *s, GError **error)
{
    const kernels *k = r->net->k;
    // several threads write into the host's own memory without asking the table
    const bool straight = k->host_memory && x->type == KERNELS_F32 && sizeof(real) == sizeof(float);
    float *values = straight ? place_of(x, first) : scratch_take(s, n);

    if (values == NULL) {
        return error_failed(
            error, "There is no memory to read the tensor %s; close other programs.", x->name);
    }
    if (!read_values_of(&r->source, x, first, n, values, error)) {
        return false;
    }
    // a bias has no columns to be put in order
    if (x->is_weight) {
        weight_to_engine_order(x->weight, values, n / (reading_count(x) / x->shape[0]));
    }
    if (k->host_memory && x->type != KERNELS_F32) {
        dtype_from_f32(transfer_type(x->type), values, place_of(x, first), (size_t)n);
    } else if (!straight) {
        upload(k, x, first, values, n);
    }
    return true;
}

static bool read_one(const struct reader *r, const struct reading *x, struct scratch *s,
                     GError **error)
{
    const int64_t count = reading_count(x), columns = count / x->shape[0];
    const int64_t part = r->source.read_part != NULL ? MAX(PART / columns, 1) * columns : count;

    for (int64_t first = 0; first < count; first += part) {
        if (!read_rows(r, x, first, MIN(part, count - first), s, error)) {
            return false;
        }
    }
    return true;
}

#define READERS 4 // threads: more would wait for the file

// The first failure of any thread is the one that is told; the others stop at their next tensor.
bool read_end(struct reader *r)
{
    const guint n = r->failed || r->readings == NULL ? 0 : r->readings->len;
    const int threads = r->source.serial || n == 0 ? 1 : MIN(r->net->k->threads, READERS);

#pragma omp parallel num_threads(threads)
    {
        struct scratch s = {0};
        // tensors differ in size by a thousand times and more
#pragma omp for schedule(dynamic, 1)
        for (guint i = 0; i < n; i++) {
            GError *problem = NULL;
            bool stopped;
#pragma omp atomic read
            stopped = r->failed;
            if (!stopped &&
                !read_one(r, &g_array_index(r->readings, struct reading, i), &s, &problem)) {
#pragma omp critical
                {
                    if (!r->failed) {
                        g_propagate_error(r->error, problem);
                    } else {
                        g_clear_error(&problem);
                    }
#pragma omp atomic write
                    r->failed = true;
                }
            }
        }
        g_free(s.values);
    }
    g_clear_pointer(&r->readings, g_array_unref);
    return !r->failed;
}

/* ---- naming ---- */

static void read_bias(struct reader *r, const struct weight *w, real **bias)
{
    const int64_t shape[] = {w->out};

    *bias = declare(r, w, ".bias", shape, 1, KERNELS_F32);
}

// kind and name; sizes are set by the reader that knows them, before memory is taken
static void begin(struct reader *r, struct weight *w, enum weight_kind kind, const char *name,
                  va_list arguments)
{
    *w = (struct weight){.kind = kind, .kh = 1, .kw = 1, .name = g_strdup_vprintf(name, arguments)};
    g_ptr_array_add(r->net->weights, w);
}

static void read_values(struct reader *r, struct weight *w, const int64_t *shape, int n_dims)
{
    // norms and embeddings are added or looked up: rounding them would save nothing
    const bool multiplied = w->kind == WEIGHT_LINEAR || w->kind == WEIGHT_CONV;
    // where tensors are only listed there may be no device
    const enum kernels_type type =
        r->source.list == NULL && multiplied ? r->net->k->weight : KERNELS_F32;

    w->dense = (struct kernels_weight){.data = declare(r, w, ".weight", shape, n_dims, type),
                                       .type = type};
}

void read_linear(struct reader *r, struct weight *w, int in, int out, bool bias, const char *name,
                 ...)
{
    const int64_t shape[] = {out, in};
    va_list arguments;

    va_start(arguments, name);
    begin(r, w, WEIGHT_LINEAR, name, arguments);
    va_end(arguments);
    w->in = in;
    w->out = out;
    read_values(r, w, shape, 2);
    if (bias) {
        read_bias(r, w, &w->bias);
    }
}

// all of a convolution but its bias
static void begin_conv(struct reader *r, struct weight *w, int in, int out, int kernel,
                       const char *name, va_list arguments)
{
    const int64_t shape[] = {out, in, kernel, kernel};

    begin(r, w, WEIGHT_CONV, name, arguments);
    w->in = in;
    w->out = out;
    w->kh = w->kw = kernel;
    read_values(r, w, shape, 4);
}

void read_conv(struct reader *r, struct weight *w, int in, int out, int kernel, const char *name,
               ...)
{
    va_list arguments;

    va_start(arguments, name);
    begin_conv(r, w, in, out, kernel, name, arguments);
    va_end(arguments);
    read_bias(r, w, &w->bias);
}

void read_patches(struct reader *r, struct weight *w, int in, int out, int kernel, const char *name,
                  ...)
{
    va_list arguments;

    va_start(arguments, name);
    begin_conv(r, w, in, out, kernel, name, arguments);
    va_end(arguments);
}

void read_norm(struct reader *r, struct norm *norm, int c, int groups, double epsilon,
               const char *name, ...)
{
    const int64_t shape[] = {c};
    va_list arguments;

    *norm = (struct norm){.groups = groups, .epsilon = epsilon};
    va_start(arguments, name);
    begin(r, &norm->gain, WEIGHT_NORM, name, arguments);
    va_end(arguments);
    // a vector: out is what its length is called everywhere
    norm->gain.in = 1;
    norm->gain.out = c;
    read_values(r, &norm->gain, shape, 1);
    read_bias(r, &norm->gain, &norm->gain.bias);
}

void read_embedding(struct reader *r, struct weight *w, int vocabulary, int width, const char *name,
                    ...)
{
    const int64_t shape[] = {vocabulary, width};
    va_list arguments;

    va_start(arguments, name);
    begin(r, w, WEIGHT_EMBEDDING, name, arguments);
    va_end(arguments);
    w->out = vocabulary;
    w->in = width;
    read_values(r, w, shape, 2);
}

void read_row(struct reader *r, struct weight *w, int width, const char *name, ...)
{
    const int64_t shape[] = {width};
    va_list arguments;

    va_start(arguments, name);
    begin(r, w, WEIGHT_EMBEDDING, name, arguments);
    va_end(arguments);
    w->out = 1;
    w->in = width;
    // a parameter of the module itself: it has no leaf
    w->dense = (struct kernels_weight){.data = declare(r, w, "", shape, 1, KERNELS_F32),
                                       .type = KERNELS_F32};
}
