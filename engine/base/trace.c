/* Collecting tensors for a trace file; see trace.h. */
#include "engine/base/trace.h"

#include "engine/base/channels.h"
#include "engine/base/safetensors_write.h"

#include <string.h>

// a tensor, with its own name and values
struct kept {
    struct safetensors_entry entry;
    float *values;
};

struct trace {
    // no order is kept: the writer has its own
    GHashTable *tensors; // name -> struct kept
    GHashTable *notes;   // key -> text
};

static void kept_free(void *data)
{
    struct kept *k = data;

    g_free((char *)k->entry.name);
    g_free(k->values);
    g_free(k);
}

struct trace *trace_create(void)
{
    struct trace *t = g_new0(struct trace, 1);

    t->tensors = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, kept_free);
    t->notes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return t;
}

void trace_free(struct trace *t)
{
    if (t != NULL) {
        g_hash_table_unref(t->tensors);
        g_hash_table_unref(t->notes);
        g_free(t);
    }
}

// takes name and values over
static void keep(struct trace *t, char *name, float *values, const int64_t *shape, int n_dims)
{
    struct kept *k = g_new0(struct kept, 1);

    // all of a trace is f32, whatever the run computed in
    k->entry = (struct safetensors_entry){.name = name, .dtype = DTYPE_F32, .n_dims = n_dims};
    memcpy(k->entry.shape, shape, (size_t)n_dims * sizeof *shape);
    k->values = values;
    // a later one takes the place of the earlier, which is freed with its name
    g_hash_table_replace(t->tensors, name, k);
}

void trace_add(struct trace *t, const float *values, const int64_t *shape, int n_dims,
               const char *name, ...)
{
    va_list arguments;
    int64_t count = 1;

    if (t == NULL) {
        return;
    }
    // how many values there are is said by the shape alone
    for (int i = 0; i < n_dims; i++) {
        count *= shape[i];
    }
    va_start(arguments, name);
    // a copy: the next step writes over what it was given
    keep(t, g_strdup_vprintf(name, arguments), g_memdup2(values, (size_t)count * sizeof *values),
         shape, n_dims);
    va_end(arguments);
}

void trace_add_image(struct trace *t, const float *values, int n, int h, int w, int c,
                     const char *name, ...)
{
    const int64_t shape[] = {n, c, h, w};
    va_list arguments;

    if (t == NULL) {
        return;
    }
    // in PyTorch's order, so that who compares need not know ours
    float *planes = g_new(float, (size_t)n *c *h *w);
    channels_to_planes(values, n, h * w, c, planes);
    va_start(arguments, name);
    keep(t, g_strdup_vprintf(name, arguments), planes, shape, 4);
    va_end(arguments);
}

void trace_note(struct trace *t, const char *key, const char *format, ...)
{
    va_list arguments;

    if (t != NULL) {
        va_start(arguments, format);
        g_hash_table_replace(t->notes, g_strdup(key), g_strdup_vprintf(format, arguments));
        va_end(arguments);
    }
}

static bool put_all(const struct trace *t, struct safetensors_writer *writer, GError **error)
{
    GHashTableIter iter;
    void *value;

    // in any order: each is put at the place that the writer gave its name
    g_hash_table_iter_init(&iter, t->tensors);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct kept *k = value;
        if (!safetensors_writer_put(writer, k->entry.name, k->values, error)) {
            return false;
        }
    }
    return safetensors_writer_commit(writer, error);
}

bool trace_write(const struct trace *t, const char *path, GError **error)
{
    const guint n = g_hash_table_size(t->tensors);
    g_autofree struct safetensors_entry *entries = g_new0(struct safetensors_entry, n);
    // keys and texts run side by side; the texts are borrowed from the table
    g_autofree const char **keys = (const char **)g_hash_table_get_keys_as_array(t->notes, NULL);
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    GHashTableIter iter;
    void *value;
    size_t i = 0;

    g_hash_table_iter_init(&iter, t->tensors);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        entries[i++] = ((const struct kept *)value)->entry;
    }
    for (const char **key = keys; *key != NULL; key++) {
        g_ptr_array_add(texts, g_hash_table_lookup(t->notes, *key));
    }
    g_ptr_array_add(texts, NULL);
    struct safetensors_writer *writer =
        safetensors_writer_create(path, entries, n, keys, (const char *const *)texts->pdata, error);
    const bool written = writer != NULL && put_all(t, writer, error);
    safetensors_writer_close(writer);
    return written;
}
