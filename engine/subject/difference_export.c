/* Subjects as differences of weights; see difference_export.h. */
#include "engine/subject/difference_export.h"

#include "engine/base/error.h"
#include "engine/subject/adapter_export.h"

#define LEAF ".diff"

// the header, and the indices of its modules in the model
static GArray *plan(const struct merge *m, GArray *indices)
{
    const struct checkpoint *c = m->session->checkpoint;
    GArray *entries = adapter_entries_create();

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        if (!adapter_export_changes(m, t)) {
            continue;
        }
        if (t->kind == WEIGHT_NORM) {
            adapter_entries_add_norm(entries, t);
        } else {
            g_autofree char *module = adapter_export_module(t);
            adapter_entries_add(entries, module, LEAF, t->n_dims, t->shape);
        }
        g_array_append_val(indices, i);
    }
    return entries;
}

static bool write_one(const struct merge *m, struct safetensors_writer *writer, size_t index,
                      GError **error)
{
    const struct model_tensor *t = checkpoint_at(m->session->checkpoint, index);
    g_autofree float *change = adapter_export_change(m, index, error);

    if (change == NULL || t->kind == WEIGHT_NORM) {
        return change != NULL && adapter_export_put_norm(writer, t, change, error);
    }
    g_autofree char *module = adapter_export_module(t);
    g_autofree char *name = g_strconcat(module, LEAF, NULL);
    return safetensors_writer_put(writer, name, change, error);
}

bool difference_export(const struct merge *m, const char *output, const char *base, int *modules,
                       GError **error)
{
    g_autoptr(GArray) indices = g_array_new(FALSE, FALSE, sizeof(size_t));
    g_autoptr(GArray) entries = plan(m, indices);
    g_autoptr(adapter_header) header = adapter_header_of_merge(m, base, "all of an SVDiff subject");

    *modules = (int)indices->len;
    if (entries->len == 0) {
        return error_failed(error,
                            "The subject changes no weight of this model; there is nothing to "
                            "write.");
    }
    adapter_header_add(header, "ss_network_module", "lycoris.kohya");
    adapter_header_add(header, "ss_network_args", "{\"algo\": \"full\", \"train_norm\": \"True\"}");
    g_autoptr(safetensors_writer) writer = adapter_header_begin(header, output, entries, error);
    for (guint i = 0; writer != NULL && i < indices->len; i++) {
        if (!write_one(m, writer, g_array_index(indices, size_t, i), error) ||
            !merge_go_on(m, (int)i + 1, (int)indices->len, error)) {
            return false;
        }
    }
    return writer != NULL && safetensors_writer_commit(writer, error);
}
