/* One file in the CompVis layout of a model with subjects in it; see merge.h.
 *
 * From a folder the names come from compvis.h: SD 1's text encoder is CLIP, SD 2's is OpenCLIP
 * (told apart by the activation), whose query, key and value are one tensor. From a single file
 * every tensor keeps its name, type and shape. */
#include "engine/subject/merge.h"

#include "engine/model/compvis.h"
#include "engine/model/weight_scale.h"
#include "engine/base/error.h"

#include <string.h>

#define AVERAGES "model_ema." // of training, without the subject
#define V_MARK   "v_pred"

/* Where the tensor goes: its name, newly allocated, and the third of it that this is, or -1. */
static char *target_name(const struct checkpoint *c, size_t index, int *third)
{
    const struct model_tensor *t = checkpoint_at(c, index);
    g_autofree char *name = NULL;

    *third = -1;
    if (checkpoint_is_single(c)) {
        const struct safetensors_tensor *stored = checkpoint_stored(c, index);
        // a file that keeps the three apart has each under its own name
        if (stored->values == 3 * model_tensor_values(t)) {
            name = compvis_openclip_name(t->name, third);
        }
        return g_strdup(stored->name);
    }
    if (t->component == MODEL_UNET) {
        name = compvis_unet_name(t->name, checkpoint_unet_config(c));
        return g_strconcat(COMPVIS_UNET_PREFIX, name, NULL);
    }
    if (t->component == MODEL_VAE) {
        name = compvis_vae_name(t->name, checkpoint_vae_config(c));
        return g_strconcat(COMPVIS_VAE_PREFIX, name, NULL);
    }
    if (checkpoint_text_config(c)->quick_gelu) {
        return g_strconcat(COMPVIS_CLIP_PREFIX, t->name, NULL);
    }
    name = compvis_openclip_name(t->name, third);
    return g_strconcat(COMPVIS_OPENCLIP_PREFIX, name, NULL);
}

// the autoencoder's attention is linear in diffusers and a kernel of 1x1 here
static bool is_kernel(const struct model_tensor *t, const char *name)
{
    return t->component == MODEL_VAE && t->n_dims == 2 && g_str_has_suffix(name, ".weight");
}

static struct merge_tensor plan_fresh(const struct checkpoint *c, size_t index, const char *name,
                                      int third)
{
    struct merge_tensor result = merge_as_named(c, index, name);

    // [out, in] becomes [out, in, 1, 1]
    if (is_kernel(checkpoint_at(c, index), name)) {
        result.entry.shape[result.entry.n_dims++] = 1;
        result.entry.shape[result.entry.n_dims++] = 1;
    }
    if (third >= 0) {
        result.entry.shape[0] *= 3;
    }
    return result;
}

static struct merge_tensor *find(GArray *tensors, const char *name)
{
    for (guint i = tensors->len; i-- > 0;) { // thirds come one soon after another
        struct merge_tensor *t = &g_array_index(tensors, struct merge_tensor, i);
        if (strcmp(t->entry.name, name) == 0) {
            return t;
        }
    }
    return NULL;
}

/* query, key, value are written in this order of rows, whatever the order of the modules */
static void add_part(struct merge_tensor *t, size_t index, int third)
{
    t->parts[MAX(third, 0)] = index;
    t->n_parts++;
}

static void add_network(const struct checkpoint *c, size_t index, GArray *tensors)
{
    const bool single = checkpoint_is_single(c);
    int third;
    g_autofree char *name = target_name(c, index, &third);
    // the first third of the three begins the tensor
    struct merge_tensor *found = third >= 0 ? find(tensors, name) : NULL;

    if (found == NULL) {
        const struct merge_tensor t = single ? merge_as_stored(checkpoint_stored(c, index))
                                             : plan_fresh(c, index, name, third);
        g_array_append_val(tensors, t);
        found = &g_array_index(tensors, struct merge_tensor, tensors->len - 1);
    }
    add_part(found, index, third);
}

// of a single file: the tensors that belong to no network
static void add_foreign(const struct checkpoint *c, const struct safetensors *file, GArray *tensors)
{
    const bool v = checkpoint_schedule_config(c)->prediction_type == PREDICTION_V;
    // names that were written already; thousands, so they are hashed
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < tensors->len; i++) {
        g_hash_table_add(known, (char *)g_array_index(tensors, struct merge_tensor, i).entry.name);
    }
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *s = safetensors_at(file, i);
        if (s->dtype == DTYPE_OTHER || g_str_has_prefix(s->name, AVERAGES) ||
            (!v && strcmp(s->name, V_MARK) == 0) || weight_scale_is_part(s->name) ||
            g_hash_table_contains(known, s->name)) {
            continue;
        }
        struct merge_tensor t = merge_as_stored(s);
        t.file = file;
        t.other = s;
        g_array_append_val(tensors, t);
    }
}

// an empty tensor whose name says what the schedule is: there is no config beside the file
static void add_mark(GArray *tensors, bool wanted, const char *name)
{
    const struct merge_tensor t = {.entry = {.name = name, .n_dims = 1}};

    if (wanted && find(tensors, name) == NULL) {
        g_array_append_val(tensors, t);
        g_array_index(tensors, struct merge_tensor, tensors->len - 1).entry.name = g_strdup(name);
    }
}

static bool write_all(const struct merge *m, const char *path, const GArray *tensors,
                      GError **error)
{
    const struct checkpoint *c = m->session->checkpoint;
    const bool v = checkpoint_schedule_config(c)->prediction_type == PREDICTION_V;
    const char *const keys[] = {"format", "modelspec.sai_model_spec", "modelspec.architecture",
                                "modelspec.prediction_type", NULL};
    const char *const texts[] = {"pt", "1.0.0", merge_architecture(c), v ? "v" : "epsilon", NULL};

    return merge_write(m, path, tensors, keys, texts, 0, (int)tensors->len, error);
}

bool merge_checkpoint(struct merge *m, const char *path, GError **error)
{
    const struct checkpoint *c = m->session->checkpoint;
    const struct schedule_config *noise = checkpoint_schedule_config(c);
    g_autoptr(GArray) tensors = merge_tensors_create();
    g_autoptr(safetensors) file = NULL;

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        add_network(c, i, tensors);
    }
    if (checkpoint_is_single(c)) {
        file = safetensors_open(checkpoint_path(c), error);
        if (file == NULL) {
            return false;
        }
        add_foreign(c, file, tensors);
    }
    // marks that ComfyUI and others read
    add_mark(tensors, noise->prediction_type == PREDICTION_V, V_MARK);
    add_mark(tensors, noise->rescale_betas_zero_snr, "ztsnr");
    return write_all(m, path, tensors, error);
}
