/* Modules under all their names; see adapter_module.h. */
#include "engine/adapter/adapter_module.h"

#include "engine/model/compvis.h"
#include "engine/network/text_encoder.h"

#include <string.h>

#define WEIGHT  ".weight"
#define BIAS    ".bias"
#define LONGEST 512 // bytes of a name

struct adapter_modules {
    const struct checkpoint *model;
    // spelling to struct adapter_module, owned by `all`
    GHashTable *names[MODEL_COMPONENTS];
    GPtrArray *all;
};

// what programs put before a module's name, and which components it leaves
static const struct {
    const char *text;
    unsigned components; // bits 1 << component; 0: as before
} starts[] = {
    {"lora_unet_", 1u << MODEL_UNET},
    {"lora_te_", 1u << MODEL_TEXT_ENCODER},
    {"lora_te1_", 1u << MODEL_TEXT_ENCODER},
    {"lycoris_", 0},
    {"oft_unet_", 1u << MODEL_UNET},
    {"oft_te_", 1u << MODEL_TEXT_ENCODER},
    {"unet_", 1u << MODEL_UNET},
    {"te_", 1u << MODEL_TEXT_ENCODER},
    {"text_encoder_", 1u << MODEL_TEXT_ENCODER},
    {"base_model_model_", 0},
    {"diffusion_model_", 1u << MODEL_UNET},
    {"model_diffusion_model_", 1u << MODEL_UNET},
    {"cond_stage_model_transformer_", 1u << MODEL_TEXT_ENCODER},
    {"clip_l_transformer_", 1u << MODEL_TEXT_ENCODER},
    {"clip_h_transformer_", 1u << MODEL_TEXT_ENCODER},
};

/* ---- the table ---- */

static char *underscored(const char *name)
{
    return g_strdelimit(g_strdup(name), ".", '_');
}

// the first spelling wins: that of today's programs is added before older ones
static void add_name(GHashTable *names, const char *name, struct adapter_module *module)
{
    // kohya's names have _ for every point, so all are looked up in that spelling
    char *key = underscored(name);

    if (g_hash_table_contains(names, key)) {
        g_free(key);
    } else {
        g_hash_table_insert(names, key, module);
    }
}

// `name` with the part `from` at its end replaced by `to`, as another spelling
static void add_replaced(GHashTable *names, const char *name, const char *from, const char *to,
                         struct adapter_module *module)
{
    if (g_str_has_suffix(name, from)) {
        g_autofree char *other =
            g_strdup_printf("%.*s%s", (int)(strlen(name) - strlen(from)), name, to);
        add_name(names, other, module);
    }
}

static void add_unet(struct adapter_modules *m, const char *name, struct adapter_module *module)
{
    static const char *const pairs[][2] = {{".to_q", ".processor.to_q"},
                                           {".to_k", ".processor.to_k"},
                                           {".to_v", ".processor.to_v"},
                                           {".to_out.0", ".processor.to_out"},
                                           {".to_out.0", ".to_out"}};
    GHashTable *names = m->names[MODEL_UNET];
    g_autofree char *compvis =
        compvis_unet_name(module->weight->name, checkpoint_unet_config(m->model));

    // diffusers' path, then that of the checkpoint that CompVis released, then processors of diffusers until 0.16
    add_name(names, name, module);
    if (compvis != NULL && g_str_has_suffix(compvis, WEIGHT)) {
        compvis[strlen(compvis) - strlen(WEIGHT)] = '\0';
        add_name(names, compvis, module);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        add_replaced(names, name, pairs[i][0], pairs[i][1], module);
    }
}

static void add_text(struct adapter_modules *m, const char *name, struct adapter_module *module)
{
    static const char *const pairs[][2] = {
        {".q_proj", ".to_q"}, {".k_proj", ".to_k"}, {".v_proj", ".to_v"}, {".out_proj", ".to_out"}};
    GHashTable *names = m->names[MODEL_TEXT_ENCODER];

    add_name(names, name, module);
    // transformers 5 leaves text_model. out
    if (g_str_has_prefix(name, TEXT_ENCODER_MODULE)) {
        add_name(names, name + strlen(TEXT_ENCODER_MODULE), module);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        add_replaced(names, name, pairs[i][0], pairs[i][1], module);
    }
}

struct adapter_modules *adapter_modules_create(const struct checkpoint *model)
{
    struct adapter_modules *m = g_new0(struct adapter_modules, 1);
    g_autoptr(GHashTable) own = g_hash_table_new(g_str_hash, g_str_equal);

    m->model = model;
    m->all = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        m->names[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    }
    for (size_t i = 0; i < checkpoint_count(model); i++) {
        const struct model_tensor *t = checkpoint_at(model, i);
        struct adapter_module *module = g_hash_table_lookup(own, t->module);
        // what a subject can shift is what adapters change: weights of layers, norms and embeddings
        if (t->shifts) {
            module = g_new0(struct adapter_module, 1);
            module->weight = t;
            module->weight_index = i;
            g_ptr_array_add(m->all, module);
            g_hash_table_insert(own, t->module, module);
            (t->component == MODEL_UNET ? add_unet : add_text)(m, t->module, module);
        } else if (module != NULL && module->weight->component == t->component &&
                   g_str_has_suffix(t->name, BIAS)) { // a bias comes behind its weight
            module->bias = t;
            module->bias_index = i;
        }
    }
    return m;
}

void adapter_modules_free(struct adapter_modules *m)
{
    if (m == NULL) {
        return;
    }
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        g_hash_table_unref(m->names[i]);
    }
    g_ptr_array_unref(m->all);
    g_free(m);
}

/* ---- looking up ---- */

// `components`: bits 1 << component in which it may be
static const struct adapter_module *find(const struct adapter_modules *m, const char *name,
                                         unsigned components)
{
    // as it stands first: a module's own name may begin like one of those words
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        const struct adapter_module *module =
            components & (1u << i) ? g_hash_table_lookup(m->names[i], name) : NULL;
        if (module != NULL) {
            return module;
        }
    }
    // one beginning after the other: "base_model.model.unet."
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        const unsigned left =
            starts[i].components != 0 ? components & starts[i].components : components;
        if (left != 0 && g_str_has_prefix(name, starts[i].text)) {
            const struct adapter_module *module = find(m, name + strlen(starts[i].text), left);
            if (module != NULL) {
                return module;
            }
        }
    }
    return NULL;
}

const struct adapter_module *adapter_modules_find(const struct adapter_modules *m, const char *name)
{
    g_autofree char *key = underscored(name);

    // longer ones are nobody's, and would be taken apart forever
    return strlen(key) > LONGEST ? NULL : find(m, key, 1u << MODEL_UNET | 1u << MODEL_TEXT_ENCODER);
}
