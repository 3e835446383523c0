/* A diffusers folder of a model with subjects in it; see merge.h.
 *
 * All that is no weights of the three networks is copied: configs, tokenizer, scheduler, whatever
 * else lies there. The folder is filled under a hidden name beside its place and renamed. */
#include "engine/subject/merge.h"

#include "engine/base/atomic_file.h"
#include "engine/model/checkpoint_configs.h"
#include "engine/base/error.h"
#include "engine/base/folder_copy.h"
#include "engine/base/json.h"

#include <string.h>

/* Weights in any format, in the model's folder itself or in those of the networks: these are
 * written anew, and a copy of another variant would be of the model without the subject. */
static bool skip_weights(const char *relative)
{
    static const char *const ends[] = {".safetensors", ".bin", ".ckpt", ".pt",        ".pth",
                                       ".msgpack",     ".h5",  ".onnx", ".onnx_data", ".gguf"};
    g_autofree char *folder = g_path_get_dirname(relative);
    bool own = strcmp(folder, ".") == 0;

    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        // deeper folders may hold weights of something else, which stay
        own = own || strcmp(folder, model_component_folder((enum model_component)i)) == 0;
    }
    if (!own) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (g_str_has_suffix(relative, ends[i])) {
            return true;
        }
    }
    return strstr(relative, ".safetensors.index.") != NULL ||
           strstr(relative, ".bin.index.") != NULL;
}

/* ---- weights ---- */

static struct merge_tensor plan_tensor(const struct checkpoint *c, size_t index)
{
    struct merge_tensor result = checkpoint_is_single(c)
                                     ? merge_as_named(c, index, checkpoint_at(c, index)->name)
                                     : merge_as_stored(checkpoint_stored(c, index));

    result.parts[0] = index;
    result.n_parts = 1;
    return result;
}

/* The weights of one network under the name that diffusers or transformers look for, by component.
 * done: tensors that were written before, for the progress. */
static bool write_component(const struct merge *m, enum model_component component,
                            const char *folder, int *done, GError **error)
{
    static const char *const files[] = {"diffusion_pytorch_model.safetensors", "model.safetensors",
                                        "diffusion_pytorch_model.safetensors"};
    static const char *const keys[] = {"format", NULL}, *const texts[] = {"pt", NULL};
    const struct checkpoint *c = m->session->checkpoint;
    g_autofree char *path =
        g_build_filename(folder, model_component_folder(component), files[component], NULL);
    g_autoptr(GArray) tensors = merge_tensors_create();

    for (size_t i = 0; i < checkpoint_count(c); i++) {
        if (checkpoint_at(c, i)->component == component) {
            const struct merge_tensor t = plan_tensor(c, i);
            g_array_append_val(tensors, t);
        }
    }
    // all components count as one piece of work
    const int first = *done;
    *done += (int)tensors->len;
    return merge_write(m, path, tensors, keys, texts, first, (int)checkpoint_count(c), error);
}

/* ---- everything else ---- */

static bool store_json(const char *path, JsonNode *root, GError **error)
{
    g_autofree char *text = json_to_string(root, TRUE);

    return atomic_file_store(path, text, strlen(text), error);
}

// the class that the scheduler's config names
static char *scheduler_class(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "scheduler", "scheduler_config.json", NULL);
    g_autoptr(JsonNode) root = json_read_file(path, 1 << 20, NULL);
    JsonObject *object = root != NULL ? json_root_object(root, path, NULL) : NULL;
    // of a scheduler that says nothing: the sampler that is ours, too, where none is asked for
    const char *name = "DDIMScheduler";

    if (object != NULL) {
        json_get_string(object, path, "_class_name", JSON_OPTIONAL, &name, NULL);
    }
    return g_strdup(name);
}

// model_index.json, which says to diffusers what the folder is; a single file has none
static bool write_index(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "model_index.json", NULL);
    g_autofree char *scheduler = scheduler_class(folder);
    const struct {
        const char *name, *library, *class; // NULL: the model has none
    } parts[] = {{"feature_extractor", NULL, NULL},
                 {"safety_checker", NULL, NULL},
                 {"scheduler", "diffusers", scheduler},
                 {"text_encoder", "transformers", "CLIPTextModel"},
                 {"tokenizer", "transformers", "CLIPTokenizer"},
                 {"unet", "diffusers", "UNet2DConditionModel"},
                 {"vae", "diffusers", "AutoencoderKL"}};

    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        return true;
    }
    g_autoptr(JsonObject) index = json_object_new();
    json_object_set_string_member(index, "_class_name", "StableDiffusionPipeline");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        JsonArray *part = json_array_new();
        json_array_add_string_element(part, parts[i].library);
        json_array_add_string_element(part, parts[i].class);
        json_object_set_array_member(index, parts[i].name, part);
    }
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), index);
    return store_json(path, root, error);
}

// the tokenizer comes from where this run had it
static bool skip_known(const char *relative)
{
    return skip_weights(relative) || g_str_has_prefix(relative, "tokenizer/");
}

// what counted in this run, into a config that may say another; a missing file only if needed
static bool write_member(const char *folder, const char *name, bool needed, const char *key,
                         const char *value, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS) && !needed) {
        return true;
    }
    g_autoptr(JsonNode) root = g_file_test(path, G_FILE_TEST_EXISTS)
                                   ? json_read_file(path, 1 << 20, error)
                                   : json_from_string("{}", error);
    JsonObject *object = root != NULL ? json_root_object(root, path, error) : NULL;
    if (object == NULL) {
        return false;
    }
    json_object_set_string_member(object, key, value);
    return store_json(path, root, error);
}

// and what fills prompts up, where this run knew it better than the tokenizer's files
static bool copy_tokenizer(const struct tokenizer_place *from, const char *to, GError **error)
{
    return folder_copy(from->folder, to, skip_weights, error) &&
           (!from->pad_counts ||
            (write_member(to, "tokenizer_config.json", true, "pad_token", from->pad, error) &&
             write_member(to, "special_tokens_map.json", false, "pad_token", from->pad, error)));
}

// what --prediction said, since the folder is for the weights as they were used
static bool copy_schedule(const svdiff *s, const char *to, GError **error)
{
    const bool v = checkpoint_schedule_config(s->checkpoint)->prediction_type == PREDICTION_V;

    return s->options.prediction == SVDIFF_PREDICTION_MODEL ||
           write_member(to, "scheduler/scheduler_config.json", true, "prediction_type",
                        v ? "v_prediction" : "epsilon", error);
}

static bool copy_rest(const svdiff *s, const char *to, GError **error)
{
    const struct checkpoint *c = s->checkpoint;
    const char *from = checkpoint_config_folder(c);

    // of a single file they are built in, not written anywhere
    if (!checkpoint_configs_complete(from)) {
        return error_failed(
            error,
            "%s: a folder needs the model's configs; put unet/config.json, "
            "text_encoder/config.json, vae/config.json and scheduler/scheduler_config.json of a "
            "diffusers copy of the model into %s.",
            checkpoint_path(c), from);
    }
    g_autofree char *place = g_build_filename(to, "tokenizer", NULL);
    return folder_copy(from, to, skip_known, error) &&
           copy_tokenizer(&s->vocabulary, place, error) && copy_schedule(s, to, error);
}

static bool fill(const struct merge *m, const char *folder, GError **error)
{
    int done = 0;

    // configs first: without them the weights would be of no use
    if (!copy_rest(m->session, folder, error) || !write_index(folder, error)) {
        return false;
    }
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        if (!write_component(m, (enum model_component)i, folder, &done, error)) {
            return false;
        }
    }
    return true;
}

// "out/" is "out"
static char *without_slashes(const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return g_strndup(path, length);
}

bool merge_folder_check(const char *path, GError **error)
{
    g_autofree char *place = without_slashes(path);
    g_autofree char *temporary = folder_begin(place, error);

    if (temporary != NULL) {
        folder_remove(temporary);
    }
    return temporary != NULL;
}

bool merge_folder(struct merge *m, const char *path, GError **error)
{
    g_autofree char *place = without_slashes(path);
    g_autofree char *temporary = folder_begin(place, error);

    if (temporary == NULL) {
        return false;
    }
    // a folder of that name is there whole or not at all
    const bool done = fill(m, temporary, error) && folder_commit(temporary, place, error);
    if (!done) {
        folder_remove(temporary);
    }
    return done;
}
