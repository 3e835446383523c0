/* Weights of a network: memory, the list; see network.h. */
#include "engine/network/network.h"

#include "engine/base/error.h"
#include "engine/tape/transfer.h"

void network_init(struct network *net, const kernels *k, const char *title)
{
    *net = (struct network){.k = k,
                            .weights = g_ptr_array_new(),
                            .memory = g_hash_table_new(g_direct_hash, g_direct_equal),
                            .title = title};
}

// The table's weights lie in the network's own structs: only their names are freed here.
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
    // release wants the size again
    g_hash_table_insert(net->memory, memory, GSIZE_TO_POINTER(bytes));
    return memory;
}

void network_release(struct network *net, const void *memory)
{
    void *bytes;

    // of any owner: what is not the network's is left alone
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
    // asked of the gains of norms, which are reals on every device
    g_assert(w->dense.data != NULL && w->dense.type == KERNELS_F32);
    transfer_download(net->k, values, w->dense.data, count);
    return values;
}

void network_refresh(struct network *net, real scale)
{
    for (guint i = 0; i < net->weights->len; i++) {
        // frozen ones have nothing to do
        weight_refresh(net->weights->pdata[i], net->k, scale);
    }
}
