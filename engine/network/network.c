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

/* ---- reading ---- */

// a tensor of w as floats on the host; NULL after a failure, or where tensors are only listed
static float *read_host(struct reader *r, const struct weight *w, const char *leaf,
                        const int64_t *shape, int n_dims)
{
    g_autofree char *name = g_strconcat(w->name, leaf, NULL);
    int64_t count = 1;

    for (int i = 0; i < n_dims; i++) {
        count *= shape[i];
    }
    if (r->source.list != NULL) {
        r->source.list(r->source.user, w, name, shape, n_dims);
        return NULL;
    }
    if (r->failed) {
        return NULL;
    }
    float *values = g_try_new0(float, count);
    if (values == NULL) {
        g_set_error(r->error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "There is no memory to read the tensor %s; close other programs.", name);
        r->failed = true;
        return NULL;
    }
    if (r->source.read != NULL &&
        !r->source.read(r->source.user, name, shape, n_dims, values, r->error)) {
        r->failed = true;
        g_free(values);
        return NULL;
    }
    return values;
}

static real *store_reals(struct reader *r, const float *values, int64_t count)
{
    real *device = network_alloc(r->net, (size_t)count * sizeof(real), r->error);

    if (device == NULL) {
        r->failed = true;
        return NULL;
    }
    transfer_upload(r->net->k, device, values, count);
    return device;
}

static void store_bf16(struct reader *r, struct weight *w, const float *values, int64_t count)
{
    const kernels *k = r->net->k;
    uint16_t *device = network_alloc(r->net, (size_t)count * sizeof *device, r->error);
    real *full = k->alloc(k, (size_t)count * sizeof(real));

    if (device == NULL || full == NULL) {
        r->failed = true;
        return;
    }
    transfer_upload(k, full, values, count);
    k->to_bf16(k, count, full, device);
    k->release(k, full, (size_t)count * sizeof(real));
    w->dense = (struct kernels_weight){.data = device, .type = KERNELS_BF16};
}

static void store(struct reader *r, struct weight *w, const float *values)
{
    const int64_t count = weight_count(w);
    const bool multiplied = w->kind == WEIGHT_LINEAR || w->kind == WEIGHT_CONV;

    if (multiplied && r->net->k->precision == KERNELS_BF16) {
        store_bf16(r, w, values, count);
        return;
    }
    w->dense = (struct kernels_weight){.data = store_reals(r, values, count)};
}

static void read_bias(struct reader *r, const struct weight *w, real **bias)
{
    const int64_t shape[] = {w->out};
    g_autofree float *values = read_host(r, w, ".bias", shape, 1);

    if (values != NULL) {
        *bias = store_reals(r, values, w->out);
    }
}

static void begin(struct reader *r, struct weight *w, enum weight_kind kind, const char *name,
                  va_list arguments)
{
    *w = (struct weight){.kind = kind, .kh = 1, .kw = 1, .name = g_strdup_vprintf(name, arguments)};
    g_ptr_array_add(r->net->weights, w);
}

static void read_values(struct reader *r, struct weight *w, const int64_t *shape, int n_dims)
{
    g_autofree float *values = read_host(r, w, ".weight", shape, n_dims);

    if (values != NULL) {
        if (r->source.read != NULL) { // else all are zero
            weight_to_engine_order(w, values, w->out);
        }
        store(r, w, values);
    }
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
