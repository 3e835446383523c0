/* Weights of a network: reading, memory, the list; see network.h.
 *
 * PyTorch's convolutions are [out, in, kh, kw]; the engine's are [out, kh, kw, in], the order in
 * which channels-last activations meet them. */
#include "engine/network/network.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/tape/transfer.h"

#include <string.h>

void network_init(struct network *net, const kernels *k, const char *title)
{
    *net = (struct network){.k = k,
                            .weights = g_ptr_array_new(),
                            .memory = g_hash_table_new(g_direct_hash, g_direct_equal),
                            .title = title};
}

void network_finish(struct network *net)
{
    GHashTableIter iter;
    void *memory, *bytes;

    if (net->memory == NULL) {
        return;
    }
    g_hash_table_iter_init(&iter, net->memory);
    while (g_hash_table_iter_next(&iter, &memory, &bytes)) {
        net->k->release(net->k, memory, GPOINTER_TO_SIZE(bytes));
    }
    for (guint i = 0; i < net->weights->len; i++) {
        struct weight *w = net->weights->pdata[i];
        g_free(w->name);
    }
    g_hash_table_unref(net->memory);
    g_ptr_array_unref(net->weights);
    *net = (struct network){0};
}

void *network_alloc(struct network *net, size_t bytes, GError **error)
{
    void *memory = net->k->alloc(net->k, bytes);

    if (memory == NULL) {
        error_failed(error,
                     "There is no memory for the weights of the %s; close other programs or choose "
                     "a smaller model.",
                     net->title);
        return NULL;
    }
    g_hash_table_insert(net->memory, memory, GSIZE_TO_POINTER(bytes));
    return memory;
}

void network_release(struct network *net, const void *memory)
{
    void *bytes;

    if (memory != NULL && g_hash_table_steal_extended(net->memory, memory, NULL, &bytes)) {
        net->k->release(net->k, (void *)memory, GPOINTER_TO_SIZE(bytes));
    }
}

size_t network_bytes(const struct network *net)
{
    GHashTableIter iter;
    void *bytes;
    size_t sum = 0;

    g_hash_table_iter_init(&iter, net->memory);
    while (g_hash_table_iter_next(&iter, NULL, &bytes)) {
        sum += GPOINTER_TO_SIZE(bytes);
    }
    return sum;
}

/* ---- reading ---- */

/* A tensor that is still to be read: `to` is its place on the device, of reals or bfloat16. */
struct reading {
    const struct weight *weight;
    char *name;
    int64_t shape[4];
    int n_dims;
    bool is_weight, bf16; // is_weight: else a bias
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
                     const int64_t *shape, int n_dims, bool bf16)
{
    struct reading x = {.weight = w,
                        .name = g_strconcat(w->name, leaf, NULL),
                        .n_dims = n_dims,
                        .is_weight = strcmp(leaf, ".weight") == 0,
                        .bf16 = bf16};

    memcpy(x.shape, shape, (size_t)n_dims * sizeof *shape);
    if (r->source.list != NULL) {
        r->source.list(r->source.user, w, x.name, shape, n_dims);
    } else if (!r->failed) {
        const size_t size = bf16 ? sizeof(uint16_t) : sizeof(real);
        x.to = network_alloc(r->net, (size_t)reading_count(&x) * size, r->error);
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

/* A thread's memory of the host, as large as the largest tensor that it had so far: fresh memory
 * for each would be cleared by the system each time, which takes longer than reading. */
struct scratch {
    float *values;
    int64_t room;
};

static float *scratch_take(struct scratch *s, int64_t count)
{
    if (s->room < count) {
        g_free(s->values);
        s->values = g_try_new(float, count);
        s->room = s->values != NULL ? count : 0;
    }
    return s->values;
}

#define PART 32768 // values that are rounded at a time

static void upload_bf16(const kernels *k, uint16_t *to, const float *values, int64_t count)
{
    uint16_t part[PART];

    for (int64_t i = 0; i < count; i += PART) {
        const int64_t n = MIN(PART, count - i);
        dtype_from_f32(DTYPE_BF16, values + i, part, (size_t)n);
#pragma omp critical // a table is one thread's at a time
        k->upload(k, to + i, part, (size_t)n * sizeof *part);
    }
}

static bool read_one(const struct reader *r, const struct reading *x, struct scratch *s,
                     GError **error)
{
    const int64_t count = reading_count(x);
    float *values = scratch_take(s, count);

    if (values == NULL) {
        return error_failed(
            error, "There is no memory to read the tensor %s; close other programs.", x->name);
    }
    if (!r->source.read(r->source.user, x->name, x->shape, x->n_dims, values, error)) {
        return false;
    }
    if (x->is_weight) {
        weight_to_engine_order(x->weight, values, x->weight->out);
    }
    if (x->bf16) {
        upload_bf16(r->net->k, x->to, values, count);
    } else {
#pragma omp critical
        transfer_upload(r->net->k, x->to, values, count);
    }
    return true;
}

#define READERS 4 // threads: more would wait for the file, and each takes a tensor's memory

bool read_end(struct reader *r)
{
    const guint n = r->failed || r->readings == NULL ? 0 : r->readings->len;
    const int threads = r->source.serial || n == 0 ? 1 : MIN(r->net->k->threads, READERS);

#pragma omp parallel num_threads(threads)
    {
        struct scratch s = {0};
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

static void read_bias(struct reader *r, const struct weight *w, real **bias)
{
    const int64_t shape[] = {w->out};

    *bias = declare(r, w, ".bias", shape, 1, false);
}

static void begin(struct reader *r, struct weight *w, enum weight_kind kind, const char *name,
                  va_list arguments)
{
    *w = (struct weight){.kind = kind, .kh = 1, .kw = 1, .name = g_strdup_vprintf(name, arguments)};
    g_ptr_array_add(r->net->weights, w);
}

static void read_values(struct reader *r, struct weight *w, const int64_t *shape, int n_dims)
{
    const bool multiplied = w->kind == WEIGHT_LINEAR || w->kind == WEIGHT_CONV;
    // where tensors are only listed there may be no device
    const bool bf16 = r->source.list == NULL && multiplied && r->net->k->precision == KERNELS_BF16;

    w->dense = (struct kernels_weight){.data = declare(r, w, ".weight", shape, n_dims, bf16),
                                       .type = bf16 ? KERNELS_BF16 : KERNELS_F32};
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

void read_conv(struct reader *r, struct weight *w, int in, int out, int kernel, const char *name,
               ...)
{
    const int64_t shape[] = {out, in, kernel, kernel};
    va_list arguments;

    va_start(arguments, name);
    begin(r, w, WEIGHT_CONV, name, arguments);
    va_end(arguments);
    w->in = in;
    w->out = out;
    w->kh = w->kw = kernel;
    read_values(r, w, shape, 4);
    read_bias(r, w, &w->bias);
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
    norm->gain.in = 1;
    norm->gain.out = c;
    read_values(r, &norm->gain, shape, 1);
    read_bias(r, &norm->gain, &norm->bias);
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

/* ---- values ---- */

float *network_values(const struct network *net, const struct weight *w, GError **error)
{
    const int64_t count = weight_count(w);
    float *values = g_try_new(float, count);

    if (values == NULL) {
        error_failed(error, "There is no memory for a copy of the weight %s; close other programs.",
                     w->name);
        return NULL;
    }
    g_assert(w->dense.data != NULL && w->dense.type == KERNELS_F32);
    transfer_download(net->k, values, w->dense.data, count);
    return values;
}

void network_refresh(struct network *net, real scale)
{
    for (guint i = 0; i < net->weights->len; i++) {
        weight_refresh(net->weights->pdata[i], net->k, scale);
    }
}
