/* LoRA files; see lora_file.h. */
#include "engine/subject/lora_file.h"

#include "engine/network/text_encoder.h"

#include <string.h>

// what the parts of a module are called; alpha NULL: it stands in the header
static const struct {
    const char *up, *down, *alpha;
} leaves[] = {
    [LORA_KEYS_KOHYA] = {".lora_up.weight", ".lora_down.weight", ".alpha"},
    [LORA_KEYS_DIFFUSERS] = {".lora_B.weight", ".lora_A.weight", NULL},
};

/* ---- names ---- */

// kernels of 1x1 are linear weights, whatever their shape says
static bool is_kernel(const struct model_tensor *t)
{
    return t->n_dims == 4 && t->shape[2] * t->shape[3] > 1;
}

// diffusers' word for the network that a tensor is of
static const char *component_of(const struct model_tensor *t)
{
    return t->component == MODEL_TEXT_ENCODER ? "text_encoder" : "unet";
}

/* What kohya's scripts learn without a rank for kernels, what they call so by classes shows in the modules'
 * names; or what they learn with one. */
bool lora_has_place(bool text, const char *module, bool conv)
{
    if (text) {
        return strstr(module, ".self_attn.") != NULL || strstr(module, ".mlp.") != NULL;
    }
    return strstr(module, ".attentions.") != NULL ||
           (conv && (strstr(module, ".resnets.") != NULL || strstr(module, "samplers.") != NULL));
}

// diffusers has a name for every weight of the UNet
static bool has_place(const struct model_tensor *t, const struct lora_options *o)
{
    const bool text = t->component == MODEL_TEXT_ENCODER, conv = o->rank_conv > 0;

    return lora_has_place(text, t->name, conv) || (!text && conv && o->keys == LORA_KEYS_DIFFUSERS);
}

// of a weight that has a place
static char *name_of(const struct model_tensor *t, const struct lora_options *o)
{
    if (o->keys == LORA_KEYS_KOHYA) {
        return adapter_export_module(t);
    }
    return g_strconcat(component_of(t), ".", t->module, NULL);
}

char *lora_module(const struct model_tensor *t, const struct lora_options *o, int *rank)
{
    if (t->n_dims < 2 || !g_str_has_suffix(t->name, ".weight") || !has_place(t, o)) {
        return NULL;
    }
    // of a block without --rank-conv nothing gets here
    *rank = is_kernel(t) ? o->rank_conv : o->rank;
    return name_of(t, o);
}

/* ---- the header ---- */

/* PEFT's settings of what is in the file (diffusers' lora_adapter_metadata): for each network r, lora_alpha, the
 * modules, and those whose rank, which is their alpha, is another. */
static void plan_settings(JsonObject *settings, const struct lora_options *o,
                          const struct model_tensor *t, int rank)
{
    const char *component = component_of(t), *path = t->module;
    // names are found by their ends; transformers' models have no text_model. any more
    path += g_str_has_prefix(path, TEXT_ENCODER_MODULE) ? strlen(TEXT_ENCODER_MODULE) : 0;
    g_autofree char *modules = g_strconcat(component, ".target_modules", NULL);
    g_autofree char *r = g_strconcat(component, ".r", NULL);
    g_autofree char *alpha = g_strconcat(component, ".lora_alpha", NULL);
    const char *const patterns[] = {".rank_pattern", ".alpha_pattern"};

    if (!json_object_has_member(settings, modules)) {
        json_object_set_array_member(settings, modules, json_array_new());
        json_object_set_int_member(settings, r, o->rank);
        json_object_set_int_member(settings, alpha, o->rank);
    }
    json_array_add_string_element(json_object_get_array_member(settings, modules), path);
    for (size_t i = 0; i < G_N_ELEMENTS(patterns) && rank != o->rank; i++) {
        g_autofree char *key = g_strconcat(component, patterns[i], NULL);
        if (!json_object_has_member(settings, key)) {
            json_object_set_object_member(settings, key, json_object_new());
        }
        json_object_set_int_member(json_object_get_object_member(settings, key), path, rank);
    }
}

void lora_plan(const struct lora_options *o, const struct model_tensor *t, int rank,
               GArray *entries, JsonObject *settings)
{
    const struct weight w = model_tensor_weight(t);
    g_autofree char *module = name_of(t, o);

    adapter_entries_add(entries, module, leaves[o->keys].up, t->n_dims,
                        (const int64_t[4]){w.out, rank, 1, 1});
    adapter_entries_add(entries, module, leaves[o->keys].down, t->n_dims,
                        (const int64_t[4]){rank, w.in, w.kh, w.kw});
    if (leaves[o->keys].alpha != NULL) {
        adapter_entries_add(entries, module, leaves[o->keys].alpha, 0, NULL);
    }
    plan_settings(settings, o, t, rank);
}

static double alpha_of(const struct lora_options *o)
{
    return o->alpha > 0 ? o->alpha : o->rank;
}

void lora_header(struct adapter_header *h, const struct lora_options *o, JsonObject *settings)
{
    // diffusers' names have each module's rank for it
    const double alpha = o->keys == LORA_KEYS_KOHYA ? alpha_of(o) : o->rank;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *rank = g_strdup_printf("%d", o->rank);
    g_ascii_formatd(number, sizeof number, "%.10g", alpha);
    // as LyCORIS and kohya's scripts write it
    g_autofree char *conv =
        g_strdup_printf("{\"conv_dim\": \"%d\", \"conv_alpha\": \"%s\"%s}", o->rank_conv, number,
                        o->norms ? ", \"train_norm\": \"True\"" : "");

    adapter_header_add(h, "ss_network_dim", rank);
    adapter_header_add(h, "ss_network_alpha", number);
    // norms are LyCORIS' own
    adapter_header_add(h, "ss_network_module", o->norms ? "lycoris.kohya" : "networks.lora");
    if (o->rank_conv > 0 || o->norms) {
        adapter_header_add(h, "ss_network_args", conv);
    }
    if (o->keys == LORA_KEYS_DIFFUSERS) {
        g_autofree char *text = adapter_export_print(settings);
        adapter_header_add(h, "lora_adapter_metadata", text);
    }
}

/* ---- tensors ---- */

double lora_scale(const struct lora_options *o, int rank)
{
    return leaves[o->keys].alpha != NULL ? alpha_of(o) / rank : 1;
}

static bool put(struct safetensors_writer *writer, const char *module, const char *leaf,
                const float *values, GError **error)
{
    g_autofree char *name = g_strconcat(module, leaf, NULL);

    return safetensors_writer_put(writer, name, values, error);
}

bool lora_put(struct safetensors_writer *writer, const struct lora_options *o,
              const struct model_tensor *t, const float *up, const float *down, GError **error)
{
    // of every module, so that a program that reads one alpha for all is right
    const float alpha = (float)alpha_of(o);
    g_autofree char *module = name_of(t, o);

    return put(writer, module, leaves[o->keys].up, up, error) &&
           put(writer, module, leaves[o->keys].down, down, error) &&
           (leaves[o->keys].alpha == NULL ||
            put(writer, module, leaves[o->keys].alpha, &alpha, error));
}
