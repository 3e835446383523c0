/* Subjects as differences of weights; see difference_export.h. */
#include "engine/subject/difference_export.h"

#include "engine/base/error.h"
#include "engine/subject/shift_set.h"

#include <string.h>

// whether some subject shifts the weight, in either form, or rows of it
static bool is_changed(const struct merge *m, const struct model_tensor *t)
{
    const struct weight w = model_tensor_weight(t);

    if (!t->shifts) {
        return false;
    }
    const int count = (int)weight_shift_count(&w, false);
    g_autofree double *sum = g_new(double, MAX(count, 1));
    g_autofree char *shift = shift_name(&w);
    return bake_shift(&m->bake, shift, count, sum) || bake_shift(&m->bake, shift, 1, sum) ||
           (w.kind == WEIGHT_EMBEDDING && bake_rows(&m->bake, &w, NULL) > 0);
}

static char *name_of(const struct model_tensor *t)
{
    const char *start = t->component == MODEL_TEXT_ENCODER ? "lora_te_" : "lora_unet_";
    g_autofree char *module = g_strdelimit(g_strconcat(start, t->module, NULL), ".", '_');

    return g_strconcat(module, t->kind == WEIGHT_NORM ? ".w_norm" : ".diff", NULL);
}

static void clear_entry(void *data)
{
    g_free((char *)((struct safetensors_entry *)data)->name);
}

// the header, and the indices of its tensors in the model
static GArray *plan(const struct merge *m, GArray *indices)
{
    const struct checkpoint *c = m->session->checkpoint;
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(struct safetensors_entry));

    g_array_set_clear_func(entries, clear_entry);
    for (size_t i = 0; i < checkpoint_count(c); i++) {
        const struct model_tensor *t = checkpoint_at(c, i);
        if (is_changed(m, t)) {
            struct safetensors_entry entry = {
                .name = name_of(t), .dtype = DTYPE_F32, .n_dims = t->n_dims};
            memcpy(entry.shape, t->shape, sizeof t->shape);
            g_array_append_val(entries, entry);
            g_array_append_val(indices, i);
        }
    }
    return entries;
}

static struct safetensors_writer *begin(const struct merge *m, const char *output, const char *base,
                                        const GArray *entries, GError **error)
{
    const struct checkpoint *c = m->session->checkpoint;
    g_autofree char *valid = g_utf8_make_valid(base, -1);
    g_autofree char *architecture = g_strconcat(merge_architecture(c), "/lora", NULL);
    const bool v = checkpoint_schedule_config(c)->prediction_type == PREDICTION_V;
    const char *const keys[] = {"format",
                                "modelspec.architecture",
                                "modelspec.prediction_type",
                                "modelspec.sai_model_spec",
                                "ss_base_model_version",
                                "ss_network_args",
                                "ss_network_module",
                                "ss_sd_model_name",
                                "ss_training_comment",
                                NULL};
    const char *const texts[] = {"pt",
                                 architecture,
                                 v ? "v" : "epsilon",
                                 "1.0.0",
                                 merge_base_version(c),
                                 "{\"algo\": \"full\", \"train_norm\": \"True\"}",
                                 "lycoris.kohya",
                                 valid,
                                 "all of an SVDiff subject",
                                 NULL};

    return safetensors_writer_create(output, (const void *)entries->data, entries->len, keys, texts,
                                     error);
}

// with the subjects minus without
static bool write_one(const struct merge *m, struct safetensors_writer *writer, size_t index,
                      const char *name, GError **error)
{
    const struct checkpoint *c = m->session->checkpoint;
    const int64_t n = model_tensor_values(checkpoint_at(c, index));
    g_autofree float *before = g_try_new(float, n), *after = g_try_new(float, n);

    if (before == NULL || after == NULL) {
        return error_failed(error, "There is no memory for the tensor %s; close other programs.",
                            name);
    }
    if (!checkpoint_read_part(c, index, 0, n, before, error) ||
        !merge_read(m, index, after, error)) {
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        after[i] -= before[i];
    }
    return safetensors_writer_put(writer, name, after, error);
}

bool difference_export(const struct merge *m, const char *output, const char *base, int *modules,
                       GError **error)
{
    g_autoptr(GArray) indices = g_array_new(FALSE, FALSE, sizeof(size_t));
    g_autoptr(GArray) entries = plan(m, indices);

    *modules = (int)entries->len;
    if (entries->len == 0) {
        return error_failed(error,
                            "The subject changes no weight of this model; there is nothing to "
                            "write.");
    }
    g_autoptr(safetensors_writer) writer = begin(m, output, base, entries, error);
    for (guint i = 0; writer != NULL && i < entries->len; i++) {
        const char *name = g_array_index(entries, struct safetensors_entry, i).name;
        if (!write_one(m, writer, g_array_index(indices, size_t, i), name, error) ||
            !merge_go_on(m, (int)i + 1, (int)entries->len, error)) {
            return false;
        }
    }
    return writer != NULL && safetensors_writer_commit(writer, error);
}
