/* A model on disk; see checkpoint.h. Finding files is here; names and shapes of tensors
 * are model_tensors.c's, how they are stored is checkpoint_layout.c's. */
#include "engine/model/checkpoint.h"

#include "engine/model/checkpoint_configs.h"
#include "engine/model/checkpoint_layout.h"
#include "engine/model/compvis_config.h"
#include "engine/base/error.h"
#include "engine/model/model_kind.h"
#include "engine/model/vae_files.h"

#include <string.h>

struct checkpoint {
    char *path;
    bool single;         // one file, not a folder
    char *config_folder; // it need not exist for a single file
    char *tokenizer;     // its folder or NULL
    struct checkpoint_configs config;
    struct weight_files *weights[MODEL_COMPONENTS]; // a single file: the same several times
    bool other_vae;                        // the autoencoder is of a file or folder of its own
    GPtrArray *lists[MODEL_COMPONENTS];    // owners of the struct model_tensor
    GArray *stored;                        // struct stored_tensor
    GHashTable *by_name[MODEL_COMPONENTS]; // name -> index in stored, plus 1
    GPtrArray *notices;                    // char *, NULL-terminated
};

static bool exists(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool open_folder(struct checkpoint *model, GError **error)
{
    // in the order of the components: how each names its weights
    static const char *const bases[] = {"diffusion_pytorch_model", "model",
                                        "diffusion_pytorch_model"};

    model->config_folder = g_strdup(model->path);
    // first what the folder is, so that another pipeline is named and not one of its missing files
    if (!checkpoint_index_check(model->path, error) ||
        !checkpoint_configs_read(model->config_folder, false, &model->config, error)) {
        return false;
    }
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        const char *name = model_component_folder((enum model_component)i);
        g_autofree char *folder = g_build_filename(model->path, name, NULL);
        model->weights[i] = weight_files_open_folder(folder, bases[i], error);
        if (model->weights[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool open_single(struct checkpoint *model, GError **error)
{
    model->single = true;
    model->config_folder = compvis_config_folder(model->path);
    struct weight_files *weights = weight_files_open_file(model->path, error);
    if (weights == NULL) {
        return false;
    }
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        // the same three times, closed once
        model->weights[i] = weights;
    }

    struct model_info info;
    const struct safetensors *file = g_ptr_array_index(weight_files_list(weights), 0);
    model_kind_of_file(file, &info);
    if (info.kind != MODEL_KIND_CHECKPOINT) {
        model_kind_refuse(file, false, error);
        return false;
    }
    // the constants are needed unless every config is there
    struct checkpoint_configs *c = &model->config;
    return (checkpoint_configs_complete(model->config_folder) ||
            compvis_config_infer(weights, &c->unet, &c->text, &c->vae, &c->schedule, error)) &&
           checkpoint_configs_read(model->config_folder, true, c, error);
}

// whether a component's weights are none that were met before
static bool has_own_weights(const struct checkpoint *model, int component)
{
    return component == 0 || model->weights[component] != model->weights[0];
}

static bool open_vae(struct checkpoint *model, const char *path, GError **error)
{
    struct weight_files *weights = vae_files_open(path, &model->config.vae, error);

    if (weights == NULL) {
        return false;
    }
    if (has_own_weights(model, MODEL_VAE)) {
        weight_files_close(model->weights[MODEL_VAE]);
    }
    model->weights[MODEL_VAE] = weights;
    model->other_vae = true;
    return true;
}

// a usable type, or false with a sentence
static bool check_dtype(const struct weight_place *place, GError **error)
{
    if (place->tensor->dtype != DTYPE_OTHER) {
        return true;
    }
    return error_failed(error, "%s: tensor %s has type %s, " DTYPE_READABLE " is needed.",
                        safetensors_path(place->file), place->tensor->name,
                        place->tensor->dtype_name);
}

/* Where each tensor that the config asks for lies, with its scale. used: gets what was found, for
 * the notice about the rest. */
static bool find_component(struct checkpoint *model, enum model_component component,
                           GHashTable *used, GError **error)
{
    const bool single = model->single && !(component == MODEL_VAE && model->other_vae);
    const struct checkpoint_layout layout = {single, &model->config.unet, &model->config.vae};

    for (guint i = 0; i < model->lists[component]->len; i++) {
        struct stored_tensor stored = {.tensor = g_ptr_array_index(model->lists[component], i)};
        if (!checkpoint_layout_find(&layout, model->weights[component], &stored, error) ||
            !check_dtype(&stored.place, error) ||
            !weight_scale_find(model->weights[component], &stored.place, &stored.scale, error)) {
            return false;
        }
        g_array_append_val(model->stored, stored);
        // plus 1: NULL is none
        g_hash_table_insert(model->by_name[component], stored.tensor->name,
                            GUINT_TO_POINTER(model->stored->len));
        g_hash_table_add(used, (void *)stored.place.tensor);
        // NULL where it has none, which no tensor is
        g_hash_table_add(used, (void *)stored.scale.place.tensor);
    }
    return true;
}

// a notice when a file holds tensors that nobody asks for
/* merges and training states leave such tensors in a file: told, since a model that is another
 * than it seems has them too, but no error */
static void note_foreign(struct checkpoint *model, const struct weight_files *weights,
                         GHashTable *used)
{
    const char *first = NULL;
    int count = 0;

    for (size_t i = 0; i < weight_files_count(weights); i++) {
        const struct safetensors_tensor *tensor = weight_files_at(weights, i).tensor;
        if (!g_hash_table_contains(used, tensor) && !checkpoint_layout_known(tensor->name)) {
            first = first == NULL ? tensor->name : first;
            count++;
        }
    }
    if (count > 0) {
        g_ptr_array_add(model->notices,
                        g_strdup_printf("%s: %d %s to none of the model's networks and %s skipped, "
                                        "the first is %s.",
                                        weight_files_path(weights), count,
                                        count == 1 ? "tensor belongs" : "tensors belong",
                                        count == 1 ? "is" : "are", first));
    }
}

static bool find_tensors(struct checkpoint *model, GError **error)
{
    g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);

    model->lists[MODEL_UNET] = model_tensors_of_unet(&model->config.unet);
    model->lists[MODEL_TEXT_ENCODER] = model_tensors_of_text_encoder(&model->config.text);
    model->lists[MODEL_VAE] = model_tensors_of_vae(&model->config.vae);
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        if (!find_component(model, (enum model_component)i, used, error)) {
            return false;
        }
    }
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        // what else a file with another autoencoder holds was not asked for
        if (has_own_weights(model, i) && !(i == MODEL_VAE && model->other_vae)) {
            note_foreign(model, model->weights[i], used);
        }
    }
    // the header promises a list that NULL ends
    g_ptr_array_add(model->notices, NULL);
    return true;
}

// the tokenizer's folder, or NULL: beside the configs, or beside a single file. Which files are in
// it is its reader's business
static void find_tokenizer(struct checkpoint *model)
{
    g_autofree char *parent = g_path_get_dirname(model->path);
    const char *const places[] = {model->config_folder, model->single ? parent : NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(places) && model->tokenizer == NULL; i++) {
        if (places[i] != NULL && exists(places[i], "tokenizer")) {
            model->tokenizer = g_build_filename(places[i], "tokenizer", NULL);
        }
    }
}

static void clear_stored(void *stored)
{
    weight_scale_finish(&((struct stored_tensor *)stored)->scale);
}

struct checkpoint *checkpoint_open(const char *path, GError **error)
{
    return checkpoint_open_with(path, NULL, error);
}

struct checkpoint *checkpoint_open_with(const char *path, const char *vae, GError **error)
{
    // closed on any of the failures below: closing takes what is half made
    g_autoptr(checkpoint) model = g_new0(struct checkpoint, 1);

    model->path = g_strdup(path);
    model->stored = g_array_new(false, true, sizeof(struct stored_tensor));
    g_array_set_clear_func(model->stored, clear_stored);
    model->notices = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        model->by_name[i] = g_hash_table_new(g_str_hash, g_str_equal);
    }
    bool folder = g_file_test(path, G_FILE_TEST_IS_DIR);
    // configs, then whether they fit each other, then the tensors that they ask for
    if (!(folder ? open_folder(model, error) : open_single(model, error)) ||
        (vae != NULL && !open_vae(model, vae, error)) ||
        !checkpoint_configs_check(path, &model->config, error) || !find_tensors(model, error)) {
        return NULL;
    }
    find_tokenizer(model);
    return g_steal_pointer(&model);
}

void checkpoint_close(struct checkpoint *model)
{
    if (model == NULL) {
        return;
    }
    // one file's weights may stand in all three places: that of the first goes last
    for (int i = MODEL_COMPONENTS - 1; i >= 0; i--) {
        if (has_own_weights(model, i)) {
            weight_files_close(model->weights[i]);
        }
        g_hash_table_unref(model->by_name[i]);
        g_clear_pointer(&model->lists[i], g_ptr_array_unref);
    }
    g_array_unref(model->stored);
    g_ptr_array_unref(model->notices);
    checkpoint_configs_finish(&model->config);
    g_free(model->tokenizer);
    g_free(model->config_folder);
    g_free(model->path);
    g_free(model);
}

const char *checkpoint_path(const struct checkpoint *model)
{
    return model->path;
}

bool checkpoint_is_single(const struct checkpoint *model)
{
    return model->single;
}

const char *checkpoint_config_folder(const struct checkpoint *model)
{
    return model->config_folder;
}

const struct unet_config *checkpoint_unet_config(const struct checkpoint *model)
{
    return &model->config.unet;
}

const struct text_config *checkpoint_text_config(const struct checkpoint *model)
{
    return &model->config.text;
}

const struct vae_config *checkpoint_vae_config(const struct checkpoint *model)
{
    return &model->config.vae;
}

const struct schedule_config *checkpoint_schedule_config(const struct checkpoint *model)
{
    return &model->config.schedule;
}

void checkpoint_set_prediction(struct checkpoint *model, enum prediction_type type)
{
    // a config's own size stays: the person said what is predicted, not how large
    const bool inferred = !exists(model->config_folder, "unet/config.json");

    model->config.schedule.prediction_type = type;
    if (inferred) {
        compvis_config_size(&model->config.unet, &model->config.vae, type);
    }
}

bool checkpoint_says_prediction(const struct checkpoint *model)
{
    return exists(model->config_folder, "scheduler/scheduler_config.json");
}

const char *checkpoint_tokenizer(const struct checkpoint *model)
{
    return model->tokenizer;
}

const char *const *checkpoint_notices(const struct checkpoint *model)
{
    return (const char *const *)model->notices->pdata;
}

size_t checkpoint_count(const struct checkpoint *model)
{
    return model->stored->len;
}

static const struct stored_tensor *stored_at(const struct checkpoint *model, size_t index)
{
    g_assert(index < model->stored->len);
    return &g_array_index(model->stored, struct stored_tensor, index);
}

const struct model_tensor *checkpoint_at(const struct checkpoint *model, size_t index)
{
    return stored_at(model, index)->tensor;
}

const struct safetensors_tensor *checkpoint_stored(const struct checkpoint *model, size_t index)
{
    return stored_at(model, index)->place.tensor;
}

// index of a tensor plus 1, or 0
static size_t find_name(const struct checkpoint *model, enum model_component component,
                        const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(model->by_name[component], name));
}

const struct model_tensor *checkpoint_find(const struct checkpoint *model,
                                           enum model_component component, const char *name)
{
    const size_t found = find_name(model, component, name);

    return found != 0 ? checkpoint_at(model, found - 1) : NULL;
}

bool checkpoint_read_part(const struct checkpoint *model, size_t index, int64_t first, int64_t n,
                          float *out, GError **error)
{
    const struct stored_tensor *stored = stored_at(model, index);

    g_assert(first >= 0 && n >= 0 && n <= model_tensor_values(stored->tensor) - first);
    // of a joined tensor its third, which begins at stored->first
    if (!safetensors_read_f32_part(stored->place.file, stored->place.tensor, stored->first + first,
                                   n, out, error)) {
        return false;
    }
    weight_scale_apply(&stored->scale, stored->first + first, n, out);
    // one bad value would make every picture grey or black, hours later
    if (dtype_finite(out, (size_t)n)) {
        return true;
    }
    return error_failed(error,
                        "%s: tensor %s has values that are infinite or no numbers (NaN); the model "
                        "is damaged, get another copy.",
                        safetensors_path(stored->place.file), stored->place.tensor->name);
}

bool checkpoint_read_stored(const struct checkpoint *model, size_t index, int64_t first, int64_t n,
                            void *out, GError **error)
{
    const struct stored_tensor *stored = stored_at(model, index);

    g_assert(first >= 0 && n >= 0 && n <= model_tensor_values(stored->tensor) - first);
    return safetensors_read_stored(stored->place.file, stored->place.tensor, stored->first + first,
                                   n, out, error);
}

bool checkpoint_read_f16_part(const struct checkpoint *model, size_t index, int64_t first,
                              int64_t n, uint16_t *out, GError **error)
{
    const struct stored_tensor *stored = stored_at(model, index);

    // as they are stored, unless they are multiplied; what is no number is told of in one place
    if (stored->place.tensor->dtype == DTYPE_F16 && stored->scale.values == NULL) {
        if (!checkpoint_read_stored(model, index, first, n, out, error)) {
            return false;
        }
        if (dtype_finite_f16(out, (size_t)n)) {
            return true;
        }
    }
    // all other types by way of floats, as those that compute get them
    g_autofree float *values = g_new(float, n);
    if (!checkpoint_read_part(model, index, first, n, values, error)) {
        return false;
    }
    dtype_from_f32(DTYPE_F16, values, out, (size_t)n);
    return true;
}

// the shape that the caller wants, with kernels of 1x1 and linear weights being the same
static bool wanted_shape(const struct model_tensor *tensor, const int64_t *shape, int n_dims)
{
    int64_t values = 1;

    for (int i = 0; i < n_dims; i++) {
        values *= shape[i];
    }
    // rows and columns, and as many values: what is left over are sides of 1
    return n_dims >= 1 && values == model_tensor_values(tensor) && shape[0] == tensor->shape[0] &&
           (n_dims == 1 || (tensor->n_dims > 1 && shape[1] == tensor->shape[1]));
}

// the tensor's index in *index; false with a sentence when there is none of this shape
static bool find_wanted(const struct checkpoint *model, enum model_component component,
                        const char *name, const int64_t *shape, int n_dims, size_t *index,
                        GError **error)
{
    const size_t found = find_name(model, component, name);
    if (found == 0) {
        return error_failed(error, "%s: the %s of this model has no tensor %s.", model->path,
                            model_component_title(component), name);
    }

    *index = found - 1;
    const struct model_tensor *tensor = checkpoint_at(model, *index);
    if (wanted_shape(tensor, shape, n_dims)) {
        return true;
    }
    g_autofree char *is = safetensors_shape_text(tensor->shape, tensor->n_dims);
    g_autofree char *should = safetensors_shape_text(shape, n_dims);
    return error_failed(error, "%s: tensor %s has shape %s, %s was asked for.", model->path, name,
                        is, should);
}

bool checkpoint_read_values(const struct checkpoint *model, enum model_component component,
                            const char *name, const int64_t *shape, int n_dims, int64_t first,
                            int64_t n, float *out, GError **error)
{
    size_t index = 0;

    return find_wanted(model, component, name, shape, n_dims, &index, error) &&
           checkpoint_read_part(model, index, first, n, out, error);
}

bool checkpoint_read(const struct checkpoint *model, enum model_component component,
                     const char *name, const int64_t *shape, int n_dims, float *out, GError **error)
{
    size_t index = 0;

    return find_wanted(model, component, name, shape, n_dims, &index, error) &&
           checkpoint_read_part(model, index, 0, model_tensor_values(checkpoint_at(model, index)),
                                out, error);
}

char *checkpoint_identity(const struct checkpoint *model)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (int i = 0; i < MODEL_COMPONENTS; i++) {
        // hashes are of UNet and text encoder: another autoencoder makes no other model
        if (!has_own_weights(model, i) || (i == MODEL_VAE && model->other_vae)) {
            continue;
        }
        const GPtrArray *files = weight_files_list(model->weights[i]);
        for (guint k = 0; k < files->len; k++) {
            g_autofree char *who =
                regular_file_identity(safetensors_file(g_ptr_array_index(files, k)));
            g_checksum_update(sum, (const guchar *)who, -1);
        }
    }
    for (size_t i = 0; i < checkpoint_count(model); i++) {
        const struct model_tensor *tensor = checkpoint_at(model, i);
        // the configs' part: with another config the same files are another model
        g_autofree char *shape = safetensors_shape_text(tensor->shape, tensor->n_dims);
        g_checksum_update(sum, (const guchar *)tensor->name, -1);
        g_checksum_update(sum, (const guchar *)shape, -1);
    }
    return g_strdup(g_checksum_get_string(sum));
}
