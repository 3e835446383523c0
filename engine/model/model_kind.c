/* What a path is; see model_kind.h. The tests stand in the order in which they must be made: a
 * merged file has the keys of several kinds. */
#include "engine/model/model_kind.h"

#include "engine/network/text_encoder.h"
#include "engine/base/error.h"
#include "engine/base/file_magic.h"
#include "engine/base/json.h"
#include "engine/model/weight_files.h"

#include <string.h>

#define MAX_CONFIG_BYTES (1 << 20)

// what diffusers and transformers call the files of their weights
#define UNET_FILE "diffusion_pytorch_model"
#define TEXT_FILE "model"

// how `info` calls a kind, and how a sentence does
static const struct {
    const char *word, *title;
} kinds[] = {
    [MODEL_KIND_FOLDER] = {"model", "a model"},
    [MODEL_KIND_CHECKPOINT] = {"model", "a model"},
    [MODEL_KIND_PART] = {"part", "one network of a model"},
    [MODEL_KIND_SUBJECT] = {"subject", "a subject"},
    [MODEL_KIND_ADAPTER] = {"adapter", "a LoRA"},
    [MODEL_KIND_EMBEDDING] = {"embedding", "a textual inversion"},
    [MODEL_KIND_GGUF] = {"gguf", "a GGUF file"},
    [MODEL_KIND_OTHER] = {"other", "something else"},
};

// the families by the width of the text that their cross attention reads
static const struct {
    int64_t width;
    const char *word, *name;
} families[] = {
    {768, "sd1", "Stable Diffusion 1.x"},
    {1024, "sd2", "Stable Diffusion 2.x"},
    {2048, "sdxl", "Stable Diffusion XL"},
    // the second of XL's two text encoders alone
    {1280, "sdxl-refiner", "Stable Diffusion XL refiner"},
};

const char *model_kind_word(enum model_kind kind)
{
    return kinds[kind].word;
}

const char *model_kind_title(enum model_kind kind)
{
    return kinds[kind].title;
}

const char *model_family_name(const char *family)
{
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        if (g_strcmp0(family, families[i].word) == 0) {
            return families[i].name;
        }
    }
    // a word of its own, "other", or NULL
    return family;
}

const char *model_family_of_width(int64_t width)
{
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        if (width == families[i].width) {
            return families[i].word;
        }
    }
    return "other";
}

typedef gboolean (*name_test)(const char *name, const char *end);

// the first tensor whose name satisfies the test, which gets `end` as well; or NULL
static const struct safetensors_tensor *first_with(const struct safetensors *file, name_test test,
                                                   const char *end)
{
    for (size_t i = 0; i < safetensors_count(file); i++) {
        if (test(safetensors_at(file, i)->name, end)) {
            return safetensors_at(file, i);
        }
    }
    return NULL;
}

/* Whole parts between dots are compared: `model.diffusion_model` has `.diff` in it too. */
static gboolean is_adapter(const char *name, const char *end)
{
    // kohya's, and LyCORIS's kinds: Hadamard and Kronecker products, orthogonal matrices
    static const char *const starts[] = {"lora_", "hada_", "lokr_", "oft_"};
    static const char *const whole[] = {"lora",   "diff",       "diff_b", "w_norm",
                                        "b_norm", "dora_scale", NULL};
    // names differ from trainer to trainer, in what joins them as well: dots part modules in all
    g_auto(GStrv) parts = g_strsplit(name, ".", -1);

    for (char **part = parts; *part != NULL; part++) {
        for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
            if (g_str_has_prefix(*part, starts[i])) {
                return true;
            }
        }
        if (g_strv_contains(whole, *part) || g_str_has_suffix(*part, "_lora")) {
            return true;
        }
    }
    return false;
}

static bool contains_one(const char *name, const char *const *parts)
{
    while (*parts != NULL && strstr(name, *parts) == NULL) {
        parts++;
    }
    return *parts != NULL;
}

// the factor of the cross attention's key whose columns are the width of the text
static gboolean is_adapter_cross_key(const char *name, const char *end)
{
    // kohya writes underscores for dots; diffusers before 0.17 had processors
    static const char *const layers[] = {"attn2_to_k.", "attn2.to_k.", "attn2.processor.to_k_lora.",
                                         NULL};
    // the factor that reads: [rank, width of the text]
    static const char *const factors[] = {"lora_down.", "lora.down.", "lora_A.", "_lora.down.",
                                          NULL};

    return contains_one(name, layers) && contains_one(name, factors);
}

static const char *family_of_weights(const struct safetensors *file)
{
    const struct safetensors_tensor *tensor =
        first_with(file, g_str_has_suffix, "attn2.to_k.weight");

    // a text encoder alone has no cross attention, but makes what it reads
    if (tensor == NULL) {
        tensor = first_with(file, g_str_has_suffix, "token_embedding.weight");
    }
    // of [out, in] the second
    return tensor != NULL && tensor->n_dims >= 2 ? model_family_of_width(tensor->shape[1]) : NULL;
}

/* Shifts have the smaller of a weight's two sides: the largest among the keys of the cross
 * attention is min(1280, width of the text). */
static const char *family_of_shifts(const struct safetensors *file)
{
    int64_t largest = 0;

    for (size_t i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);
        if (g_str_has_suffix(tensor->name, "attn2.to_k.delta") ||
            g_str_has_suffix(tensor->name, "token_embedding.delta")) {
            largest = MAX(largest, tensor->values);
        }
    }
    // SD 1.x's and 2.x's text is narrower than their widest layer, XL's is wider
    return largest == 0 ? NULL : largest == 1280 ? "sdxl" : model_family_of_width(largest);
}

static void describe_subject(const struct safetensors *file, struct model_info *info)
{
    // svdiff-pytorch writes no metadata
    const char *format = safetensors_metadata(file, "format");

    info->kind = MODEL_KIND_SUBJECT;
    info->format =
        format != NULL && g_str_has_prefix(format, "svdiff") ? "svdiff" : "svdiff-pytorch";
    info->family = family_of_shifts(file);
}

static void describe_adapter(const struct safetensors *file, struct model_info *info)
{
    // all names of a file are of one kind, so that any of them tells
    const char *first = first_with(file, is_adapter, NULL)->name;
    const struct safetensors_tensor *cross = first_with(file, is_adapter_cross_key, NULL);

    info->kind = MODEL_KIND_ADAPTER;
    info->format = g_str_has_prefix(first, "lora_")      ? "kohya"
                   : g_str_has_prefix(first, "lycoris_") ? "lycoris"
                   : strstr(first, ".lora_A.") != NULL   ? "peft"
                   : strstr(first, "_lora.") != NULL     ? "diffusers-0.16"
                   : strstr(first, ".lora") != NULL      ? "diffusers"
                                                         : "other";
    // one that leaves the cross attention alone fits several families: none is told
    if (cross != NULL && cross->n_dims >= 2) {
        info->family = model_family_of_width(cross->shape[1]);
    }
}

bool model_kind_list_token(const struct safetensors *file, GPtrArray *tensors, const char **word)
{
    const size_t n = safetensors_count(file);

    // the shortest begins all others
    *word = n > 0 ? safetensors_at(file, 0)->name : NULL;
    for (size_t i = 1; i < n; i++) {
        if (strlen(safetensors_at(file, i)->name) < strlen(*word)) {
            *word = safetensors_at(file, i)->name;
        }
    }
    for (size_t i = 0; i < n && i < MODEL_TOKEN_VECTORS + 1; i++) {
        g_autofree char *name = i == 0 ? g_strdup(*word) : g_strdup_printf("%s_%d", *word, (int)i);
        const struct safetensors_tensor *t = safetensors_find(file, name);
        if (t == NULL) {
            return false;
        }
        g_ptr_array_add(tensors, (void *)t);
    }
    // one more of another name, and it is no file of one token
    return n > 0 && tensors->len == n;
}

// of [vectors, width] or [width] the last; 0 of others
static int64_t vector_width(const struct safetensors_tensor *t)
{
    return t->n_dims == 1 || t->n_dims == 2 ? t->shape[t->n_dims - 1] : 0;
}

// *width: of its vectors
static bool is_token_of_diffusers(const struct safetensors *file, int64_t *width)
{
    g_autoptr(GPtrArray) tensors = g_ptr_array_new();
    const char *word;
    bool all = model_kind_list_token(file, tensors, &word);

    *width = all ? vector_width(tensors->pdata[0]) : 0;
    for (guint i = 0; i < tensors->len; i++) {
        all = all && vector_width(tensors->pdata[i]) == *width && *width > 0;
    }
    // a name may be that of anything, unless it is one that only words have
    const bool bracketed = all && word[0] == '<' && g_str_has_suffix(word, ">");
    return all && (bracketed || *width == 768 || *width == 1024 || *width == 1280);
}

static bool describe_embedding(const struct safetensors *file, struct model_info *info)
{
    // XL has two text encoders, and so two embeddings
    bool sdxl =
        safetensors_find(file, "clip_l") != NULL && safetensors_find(file, "clip_g") != NULL;
    const struct safetensors_tensor *kohya = safetensors_find(file, "emb_params");
    int64_t width = kohya != NULL ? vector_width(kohya) : 0;

    if (!sdxl && kohya == NULL && !is_token_of_diffusers(file, &width)) {
        return false;
    }
    info->kind = MODEL_KIND_EMBEDDING;
    info->format = sdxl ? "sdxl" : kohya != NULL ? "kohya" : "diffusers";
    info->family = sdxl ? "sdxl" : width == 1280 ? "other" : model_family_of_width(width);
    return true;
}

// the networks of a model, whole or alone, by a tensor that only they have
static void describe_weights(const struct safetensors *file, struct model_info *info)
{
    // whole models first: their parts have the parts' own tensors in them
    static const struct {
        const char *name;
        enum model_kind kind;
        const char *format;
    } marks[] = {
        {"model.diffusion_model.input_blocks.0.0.weight", MODEL_KIND_CHECKPOINT, "compvis"},
        {"input_blocks.0.0.weight", MODEL_KIND_PART, "compvis"},
        {"down_blocks.0.resnets.0.conv1.weight", MODEL_KIND_PART, "diffusers"},
        {"encoder.down.0.block.0.conv1.weight", MODEL_KIND_PART, "compvis"},
        {"first_stage_model.encoder.conv_in.weight", MODEL_KIND_PART, "compvis"},
        {"encoder.down_blocks.0.resnets.0.conv1.weight", MODEL_KIND_PART, "diffusers"},
        {TEXT_ENCODER_MODULE "embeddings.token_embedding.weight", MODEL_KIND_PART, "diffusers"},
        {"embeddings.token_embedding.weight", MODEL_KIND_PART, "diffusers"},
    };

    // until a mark is found
    info->kind = MODEL_KIND_OTHER;
    info->format = "other";
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (safetensors_find(file, marks[i].name) != NULL) {
            info->kind = marks[i].kind;
            info->format = marks[i].format;
            info->family = family_of_weights(file);
            return;
        }
    }
}

void model_kind_of_file(const struct safetensors *file, struct model_info *info)
{
    *info = (struct model_info){.tensors = (int64_t)safetensors_count(file),
                                .bytes = safetensors_file(file)->size};
    for (size_t i = 0; i < safetensors_count(file); i++) {
        info->values += safetensors_at(file, i)->values;
    }
    // a subject or an adapter that was merged into a model has the model's keys as well
    if (first_with(file, g_str_has_suffix, ".delta") != NULL) {
        describe_subject(file, info);
    } else if (first_with(file, is_adapter, NULL) != NULL) {
        describe_adapter(file, info);
    } else if (!describe_embedding(file, info)) {
        describe_weights(file, info);
    }
}

static bool examine_safetensors(const char *path, struct model_info *info, GError **error)
{
    g_autoptr(safetensors) file = safetensors_open(path, error);

    if (file != NULL) {
        model_kind_of_file(file, info);
    }
    return file != NULL;
}

static void add_weights(const weight_files *weights, struct model_info *info)
{
    info->tensors += (int64_t)weight_files_count(weights);
    for (size_t i = 0; i < weight_files_count(weights); i++) {
        info->values += weight_files_at(weights, i).tensor->values;
    }
    const GPtrArray *files = weight_files_list(weights);
    for (guint i = 0; i < files->len; i++) {
        info->bytes += safetensors_file(g_ptr_array_index(files, i))->size;
    }
}

// adds the weights of the components' folders; those that a model does not have count nothing
static void add_components(const char *path, struct model_info *info)
{
    static const struct {
        const char *folder, *base;
    } components[] = {{"unet", UNET_FILE},
                      {"text_encoder", TEXT_FILE},
                      {"text_encoder_2", TEXT_FILE},
                      {"vae", UNET_FILE}};

    for (size_t i = 0; i < G_N_ELEMENTS(components); i++) {
        g_autofree char *folder = g_build_filename(path, components[i].folder, NULL);
        g_autoptr(weight_files) weights =
            weight_files_open_folder(folder, components[i].base, NULL);
        if (weights != NULL) {
            add_weights(weights, info);
        }
    }
}

// the folder of one network: its files are one set, and the first that knows the family tells it
static bool examine_part(const char *path, struct model_info *info, GError **error)
{
    g_autoptr(weight_files) weights = weight_files_open_folder(path, UNET_FILE, NULL);

    if (weights == NULL) {
        weights = weight_files_open_folder(path, TEXT_FILE, error);
    }
    if (weights == NULL) {
        return false;
    }
    // by the folder's form; the tensors tell only the family
    *info = (struct model_info){.kind = MODEL_KIND_PART, .format = "diffusers"};
    const GPtrArray *files = weight_files_list(weights);
    // a part in several files has its cross attention in only one of them
    for (guint i = 0; i < files->len && info->family == NULL; i++) {
        struct model_info one;
        model_kind_of_file(g_ptr_array_index(files, i), &one);
        info->family = one.family;
    }
    add_weights(weights, info);
    return true;
}

static const char *family_of_folder(const char *path)
{
    g_autofree char *config = g_build_filename(path, "unet", "config.json", NULL);
    g_autoptr(JsonNode) root = json_read_file(config, MAX_CONFIG_BYTES, NULL);
    JsonObject *object = root == NULL ? NULL : json_root_object(root, config, NULL);
    int64_t width = 0;

    // a UNet without such a width is of another kind, and is left unnamed
    if (object == NULL || !json_get_int(object, config, "cross_attention_dim", JSON_REQUIRED, 1,
                                        G_MAXINT, &width, NULL)) {
        return NULL;
    }
    return model_family_of_width(width);
}

static bool examine_folder(const char *path, struct model_info *info, GError **error)
{
    g_autofree char *index = g_build_filename(path, "model_index.json", NULL);
    // svdiff-pytorch's pair of files, of which this one is always there
    g_autofree char *shifts = g_build_filename(path, "spectral_shifts.safetensors", NULL);
    g_autofree char *config = g_build_filename(path, "config.json", NULL);

    if (g_file_test(index, G_FILE_TEST_EXISTS)) {
        *info = (struct model_info){.kind = MODEL_KIND_FOLDER, .format = "diffusers"};
        info->family = family_of_folder(path);
        add_components(path, info);
        return true;
    }
    if (g_file_test(shifts, G_FILE_TEST_EXISTS)) {
        return examine_safetensors(shifts, info, error);
    }
    if (g_file_test(config, G_FILE_TEST_EXISTS)) {
        return examine_part(path, info, error);
    }
    return model_kind_refuse_folder(path, error);
}

bool model_kind_examine(const char *path, struct model_info *info, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return examine_folder(path, info, error);
    }
    g_autoptr(regular_file) raw = regular_file_open(path, error);
    if (raw == NULL) {
        return false;
    }
    // the first bytes before any parser
    enum file_magic magic = file_magic_of(raw);
    if (magic == FILE_MAGIC_GGUF) {
        *info = (struct model_info){.kind = MODEL_KIND_GGUF, .format = "gguf", .bytes = raw->size};
        return true;
    }
    return examine_safetensors(path, info, error);
}

bool model_kind_refuse_folder(const char *path, GError **error)
{
    return error_failed(error,
                        "%s: this folder has no model_index.json; give the folder of a diffusers "
                        "model or a .safetensors file.",
                        path);
}

void model_kind_refuse(const struct safetensors *file, bool want_subject, GError **error)
{
    struct model_info info;

    // told what it is, a person knows where it belongs
    model_kind_of_file(file, &info);
    error_failed(error, "%s: this is %s, %s is needed here.", safetensors_path(file),
                 kinds[info.kind].title,
                 want_subject ? "a subject file with SVDiff shifts"
                              : "a whole Stable Diffusion 1.x or 2.x model");
}
