/* A model with subjects and adapters in its weights: what folder and single file have in common; see merge.h. */
#include "engine/subject/merge.h"

#include "engine/base/error.h"
#include "engine/subject/subject_basis.h"

#include <string.h>

bool merge_open(struct merge *m, svdiff *s, const struct bake_subject *subjects, int n_subjects,
                const struct adapter_list *adapters, progress_function progress, void *user,
                GError **error)
{
    *m = (struct merge){.session = s, .type = DTYPE_OTHER, .progress = progress, .user = user};
    if (!subject_basis(subjects, n_subjects, adapters, false, &m->basis, error)) {
        return false;
    }
    // of the whole model, from the cache where they are kept; which of them are read, the subjects say
    if (n_subjects > 0) {
        m->spectrum = model_spectrum_open(s, &m->basis, progress, user, error);
    }
    m->bake = (struct bake){.session = s,
                            .spectrum = m->spectrum,
                            .subjects = subjects,
                            .n_subjects = n_subjects,
                            .adapters = adapters};
    return n_subjects == 0 || m->spectrum != NULL;
}

void merge_close(struct merge *m)
{
    model_spectrum_close(m->spectrum);
    m->spectrum = NULL;
    g_clear_pointer(&m->basis.items, g_free);
}

bool merge_read(const struct merge *m, size_t index, float *out, GError **error)
{
    const struct checkpoint *c = m->session->checkpoint;
    const struct model_tensor *t = checkpoint_at(c, index);

    return checkpoint_read_part(c, index, 0, model_tensor_values(t), out, error) &&
           bake_add(&m->bake, t, out, error);
}

// the words of Stability's model spec, by what SD 1 and 2 differ in
const char *merge_architecture(const struct checkpoint *c)
{
    if (checkpoint_text_config(c)->quick_gelu) {
        return "stable-diffusion-v1";
    }
    return checkpoint_schedule_config(c)->prediction_type == PREDICTION_V
               ? "stable-diffusion-v2-768-v"
               : "stable-diffusion-v2-512";
}

const char *merge_base_version(const struct checkpoint *c)
{
    // OpenAI's CLIP has it, OpenCLIP of SD 2 has not
    const bool sd1 = checkpoint_text_config(c)->quick_gelu;
    const bool v = checkpoint_schedule_config(c)->prediction_type == PREDICTION_V;

    return sd1 ? (v ? "sd_v1_v" : "sd_v1") : (v ? "sd_v2_v" : "sd_v2");
}

/* ---- writing ---- */

// entries of a header own nothing, so the array does
static void clear_tensor(void *data)
{
    struct merge_tensor *t = data;

    g_free((char *)t->entry.name);
}

GArray *merge_tensors_create(void)
{
    GArray *tensors = g_array_new(FALSE, TRUE, sizeof(struct merge_tensor));

    g_array_set_clear_func(tensors, clear_tensor);
    return tensors;
}

// 8-bit weights are written in 16: what is added to them needs the room (dtype_written)
struct merge_tensor merge_as_stored(const struct safetensors_tensor *stored)
{
    struct merge_tensor t = {.entry = {.name = g_strdup(stored->name),
                                       .dtype = dtype_written(stored->dtype),
                                       .n_dims = stored->n_dims}};

    memcpy(t.entry.shape, stored->shape, sizeof stored->shape);
    return t;
}

struct merge_tensor merge_as_named(const struct checkpoint *c, size_t index, const char *name)
{
    const struct model_tensor *own = checkpoint_at(c, index);
    struct merge_tensor t = {.entry = {.name = g_strdup(name),
                                       .dtype = dtype_written(checkpoint_stored(c, index)->dtype),
                                       .n_dims = own->n_dims}};

    memcpy(t.entry.shape, own->shape, sizeof own->shape);
    return t;
}

// all values of a tensor, into out
static bool read_values(const struct merge *m, const struct merge_tensor *t, float *out,
                        GError **error)
{
    // a tensor that belongs to no network is copied
    if (t->n_parts == 0) {
        return safetensors_read_f32(t->file, t->other, out, error);
    }
    // query, key and value of OpenCLIP are thirds of one tensor, as rows
    for (int i = 0; i < t->n_parts; i++) {
        if (!merge_read(m, t->parts[i], out, error)) {
            return false;
        }
        out += model_tensor_values(checkpoint_at(m->session->checkpoint, t->parts[i]));
    }
    return true;
}

// one tensor in memory at a time, so that any model fits
static bool write_tensor(const struct merge *m, struct safetensors_writer *writer,
                         const struct merge_tensor *t, GError **error)
{
    int64_t values = 1;

    // of all parts together, as it will be written
    for (int i = 0; i < t->entry.n_dims; i++) {
        values *= t->entry.shape[i];
    }
    if (t->n_parts == 0 && t->other == NULL) { // a mark without values
        return safetensors_writer_put(writer, t->entry.name, (float[1]){0}, error);
    }
    g_autofree float *data = g_try_new(float, MAX(values, 1));
    if (data == NULL) {
        return error_failed(error, "There is no memory for the tensor %s; close other programs.",
                            t->entry.name);
    }
    return read_values(m, t, data, error) &&
           safetensors_writer_put(writer, t->entry.name, data, error);
}

// asked after each tensor: nothing has its name yet, so stopping leaves nothing
bool merge_go_on(const struct merge *m, int done, int all, GError **error)
{
    const struct progress p = {
        .phase = "write", .step = done, .steps = all, .loss = -1, .seconds_left = -1};

    if (m->progress == NULL || m->progress(m->user, &p)) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED,
                "Cancelled while writing; nothing was kept.");
    return false;
}

bool merge_write(const struct merge *m, const char *path, const GArray *tensors,
                 const char *const *keys, const char *const *texts, int done, int all,
                 GError **error)
{
    g_autofree struct safetensors_entry *entries = g_new(struct safetensors_entry, tensors->len);

    for (guint i = 0; i < tensors->len; i++) {
        // the writer copies them
        entries[i] = g_array_index(tensors, struct merge_tensor, i).entry;
        if (m->type != DTYPE_OTHER && entries[i].dtype != DTYPE_OTHER) {
            entries[i].dtype = m->type;
        }
    }
    g_autoptr(safetensors_writer) writer =
        safetensors_writer_create(path, entries, tensors->len, keys, texts, error);
    if (writer == NULL) {
        return false;
    }
    for (guint i = 0; i < tensors->len; i++) {
        if (!write_tensor(m, writer, &g_array_index(tensors, struct merge_tensor, i), error) ||
            !merge_go_on(m, done + (int)i + 1, all, error)) {
            return false;
        }
    }
    return safetensors_writer_commit(writer, error);
}
