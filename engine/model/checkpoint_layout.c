/* Where a tensor of a model lies; see checkpoint_layout.h. */
#include "engine/model/checkpoint_layout.h"

#include "engine/model/compvis.h"
#include "engine/base/error.h"
#include "engine/network/text_encoder.h"

#include <string.h>

// the autoencoder's attention before diffusers 0.18
// NULL: a name without attention
static char *old_attention_name(const char *name)
{
    static const char *const pairs[][2] = {{".to_q.", ".query."},
                                           {".to_k.", ".key."},
                                           {".to_v.", ".value."},
                                           {".to_out.0.", ".proj_attn."}};

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        // only the autoencoder's middle has such parts, each once
        const char *at = strstr(name, pairs[i][0]);
        if (at != NULL) {
            return g_strdup_printf("%.*s%s%s", (int)(at - name), name, pairs[i][1],
                                   at + strlen(pairs[i][0]));
        }
    }
    return NULL;
}

// adds PREFIX NAME to the list; takes the name, which may be NULL
static void offer(GPtrArray *keys, const char *prefix, char *name)
{
    if (name != NULL) {
        g_ptr_array_add(keys, g_strconcat(prefix, name, NULL));
    }
    g_free(name);
}

// all spellings, the present one first; *third as in compvis_openclip_name for the last
static GPtrArray *spellings(const struct checkpoint_layout *layout,
                            const struct model_tensor *tensor, int *third)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    const char *name = tensor->name;

    *third = -1;
    if (tensor->component == MODEL_UNET) {
        offer(keys, layout->single ? COMPVIS_UNET_PREFIX : "",
              layout->single ? compvis_unet_name(name, layout->unet) : g_strdup(name));
    } else if (tensor->component == MODEL_VAE) {
        if (!layout->single) {
            offer(keys, "", g_strdup(name));
            offer(keys, "", old_attention_name(name));
        }
        offer(keys, COMPVIS_VAE_PREFIX, compvis_vae_name(name, layout->vae));
        // some files have the autoencoder under its own name, or alone
        offer(keys, "vae.", compvis_vae_name(name, layout->vae));
        offer(keys, "", compvis_vae_name(name, layout->vae));
    } else if (layout->single) {
        offer(keys, COMPVIS_CLIP_PREFIX, g_strdup(name));
        // some old files are without text_model.
        offer(keys, COMPVIS_CLIP_PREFIX, g_strdup(name + strlen(TEXT_ENCODER_MODULE)));
        offer(keys, COMPVIS_OPENCLIP_PREFIX, compvis_openclip_name(name, third));
    } else {
        offer(keys, "", g_strdup(name));
        offer(keys, "", g_strdup(name + strlen(TEXT_ENCODER_MODULE)));
    }
    return keys;
}

// dimensions without the ones that a kernel of 1x1 ends with
static int plain_dims(const int64_t *shape, int n_dims)
{
    while (n_dims > 2 && shape[n_dims - 1] == 1) {
        n_dims--;
    }
    return n_dims;
}

// `parts`: how many of the expected tensors the stored one holds, in its rows
static bool same_shape(const struct model_tensor *expected, const struct safetensors_tensor *stored,
                       int parts)
{
    int n_dims = plain_dims(stored->shape, stored->n_dims);

    if (n_dims != plain_dims(expected->shape, expected->n_dims)) {
        return false;
    }
    for (int i = 0; i < n_dims; i++) {
        if (stored->shape[i] != expected->shape[i] * (i == 0 ? parts : 1)) {
            return false;
        }
    }
    return true;
}

static bool fail_shape(const struct stored_tensor *stored, GError **error)
{
    const struct model_tensor *expected = stored->tensor;
    const struct safetensors_tensor *found = stored->place.tensor;
    g_autofree char *is = safetensors_shape_text(found->shape, found->n_dims);
    g_autofree char *should = safetensors_shape_text(expected->shape, expected->n_dims);

    g_set_error(
        error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
        "%s: tensor %s has shape %s, the model's config asks for %s; weights and config are "
        "of different models.",
        safetensors_path(stored->place.file), found->name, is, should);
    return false;
}

static bool fail_missing(const struct weight_files *weights, const struct model_tensor *tensor,
                         const char *key, GError **error)
{
    return error_failed(error, "%s: tensor %s of the %s is missing; get a whole copy of the model.",
                        weight_files_path(weights), key, model_component_title(tensor->component));
}

bool checkpoint_layout_find(const struct checkpoint_layout *layout,
                            const struct weight_files *weights, struct stored_tensor *stored,
                            GError **error)
{
    int third = -1;
    g_autoptr(GPtrArray) keys = spellings(layout, stored->tensor, &third);

    for (guint i = 0; i < keys->len; i++) {
        // the first spelling that is there: a file has a tensor once
        if (!weight_files_find(weights, g_ptr_array_index(keys, i), &stored->place)) {
            continue;
        }
        // OpenCLIP's name is the last one offered, and the only one that joins
        bool joined = third >= 0 && i == keys->len - 1;
        if (!same_shape(stored->tensor, stored->place.tensor, joined ? 3 : 1)) {
            return fail_shape(stored, error);
        }
        // rows come one after the other, so that a third is a run of values
        stored->first = joined ? third * model_tensor_values(stored->tensor) : 0;
        return true;
    }
    // by its present name, which is what a person finds in descriptions
    return fail_missing(weights, stored->tensor, g_ptr_array_index(keys, 0), error);
}

bool checkpoint_layout_known(const char *name)
{
    // copies for training on, a loss's network, and what follows from the schedule
    static const char *const starts[] = {
        "model_ema.", "first_stage_model.loss.",
        "cond_stage_model.model.transformer.resblocks.", // the last layer, which is not used
    };
    static const char *const whole[] = {
        "cond_stage_model.model.attn_mask",
        "cond_stage_model.model.logit_scale",
        "cond_stage_model.model.text_projection",
        "cond_stage_model.logit_scale",
        "alphas_cumprod",
        "alphas_cumprod_prev",
        "betas",
        "log_one_minus_alphas_cumprod",
        "logvar",
        "lvlb_weights",
        "posterior_log_variance_clipped",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
        "posterior_variance",
        "scale_factor",
        "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod",
        "v_pred",
        "ztsnr",
        NULL,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        if (g_str_has_prefix(name, starts[i])) {
            return true;
        }
    }
    return g_str_has_suffix(name, "position_ids") || weight_scale_is_part(name) ||
           g_strv_contains(whole, name);
}
