/* The folder of a CLIP model; see clip_files.h. */
#include "engine/model/clip_files.h"

#include "engine/base/error.h"

#include <string.h>

static bool read_configs(struct clip_files *f, GError **error)
{
    g_autofree char *path = g_build_filename(f->folder, "config.json", NULL);

    if (!vision_config_read(path, &f->vision, error) || !text_config_read(path, &f->text, error) ||
        !clip_pictures_read(f->folder, &f->pictures, error)) {
        return false;
    }
    f->text.projection = f->vision.projection;
    // positions are of so many patches and no others
    return f->pictures.crop == f->vision.size ||
           error_failed(
               error,
               "%s: its preprocessor cuts pictures of %d pixels, its vision tower looks at "
               "%d; they are of different models.",
               f->folder, f->pictures.crop, f->vision.size);
}

bool clip_files_open(struct clip_files *f, const char *folder, GError **error)
{
    *f = (struct clip_files){.folder = g_strdup(folder)};
    if (!read_configs(f, error)) {
        return false;
    }
    f->tokenizer = tokenizer_open(folder, NULL, false, error);
    f->weights = f->tokenizer != NULL ? weight_files_open_folder(folder, "model", error) : NULL;
    return f->weights != NULL;
}

void clip_files_close(struct clip_files *f)
{
    weight_files_close(f->weights);
    tokenizer_free(f->tokenizer);
    g_free(f->folder);
    *f = (struct clip_files){0};
}

// the tensor of this name and shape
static bool find(const struct clip_files *f, const char *name, const int64_t *shape, int n_dims,
                 struct weight_place *place, GError **error)
{
    if (!weight_files_find(f->weights, name, place)) {
        return error_failed(error, "%s: tensor %s is missing; get a whole copy of the model.",
                            weight_files_path(f->weights), name);
    }
    const struct safetensors_tensor *t = place->tensor;
    if (t->n_dims == n_dims && memcmp(t->shape, shape, (size_t)n_dims * sizeof *shape) == 0) {
        return true;
    }
    g_autofree char *is = safetensors_shape_text(t->shape, t->n_dims);
    g_autofree char *should = safetensors_shape_text(shape, n_dims);
    return error_failed(error,
                        "%s: tensor %s has shape %s, the model's config asks for %s; weights and "
                        "config are of different models.",
                        safetensors_path(place->file), name, is, should);
}

static bool read_part(void *user, const char *name, const int64_t *shape, int n_dims, int64_t first,
                      int64_t n, float *out, GError **error)
{
    struct weight_place place;

    if (!find(user, name, shape, n_dims, &place, error) ||
        !safetensors_read_f32_part(place.file, place.tensor, first, n, out, error)) {
        return false;
    }
    return dtype_finite(out, (size_t)n) ||
           error_failed(error,
                        "%s: tensor %s has values that are infinite or no numbers (NaN); the model "
                        "is damaged, get another copy.",
                        safetensors_path(place.file), name);
}

static bool read_all(void *user, const char *name, const int64_t *shape, int n_dims, float *out,
                     GError **error)
{
    int64_t n = 1;

    for (int i = 0; i < n_dims; i++) {
        n *= shape[i];
    }
    return read_part(user, name, shape, n_dims, 0, n, out, error);
}

struct weight_source clip_files_source(struct clip_files *f)
{
    return (struct weight_source){.read = read_all, .read_part = read_part, .user = f};
}
