/* The configs of one model; see checkpoint_configs.h. */
#include "engine/model/checkpoint_configs.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/model/model_kind.h"

#define MAX_INDEX_BYTES (1 << 20)

enum { UNET, TEXT, VAE, SCHEDULE, FILES };

// where diffusers keeps them
static const char *const names[FILES] = {"unet/config.json", "text_encoder/config.json",
                                         "vae/config.json", "scheduler/scheduler_config.json"};

static bool read_one(int file, const char *path, struct checkpoint_configs *configs, GError **error)
{
    switch (file) {
    case UNET:
        return unet_config_read(path, &configs->unet, error);
    case TEXT:
        return text_config_read(path, &configs->text, error);
    case VAE:
        return vae_config_read(path, &configs->vae, error);
    default:
        return schedule_config_read(path, &configs->schedule, &configs->trained_betas, error);
    }
}

bool checkpoint_configs_read(const char *folder, bool partly, struct checkpoint_configs *configs,
                             GError **error)
{
    for (int i = 0; i < FILES; i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        // one file in the CompVis layout: what is not beside it was inferred before
        if (partly && !g_file_test(path, G_FILE_TEST_EXISTS)) {
            continue;
        }
        if (!read_one(i, path, configs, error)) {
            return false;
        }
    }
    return true;
}

bool checkpoint_configs_complete(const char *folder)
{
    for (int i = 0; i < FILES; i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            return false;
        }
    }
    return true;
}

void checkpoint_configs_finish(struct checkpoint_configs *configs)
{
    // all else is held by value
    g_clear_pointer(&configs->trained_betas, g_free);
}

bool checkpoint_refuse(const char *path, const char *what, GError **error)
{
    return error_failed(error, "%s: this is %s; use a plain Stable Diffusion 1.x or 2.x model.",
                        path, what);
}

// the configs must fit each other; kinds of models that differ in their channels are named
bool checkpoint_configs_check(const char *path, const struct checkpoint_configs *configs,
                              GError **error)
{
    // the kinds differ in what the UNet sees beside the latents
    const int latent = configs->vae.latent_channels, in = configs->unet.in_channels;

    if (in == 2 * latent) {
        return checkpoint_refuse(path, "an InstructPix2Pix model", error);
    }
    if (in == latent + 1) {
        return checkpoint_refuse(path, "a depth model", error);
    }
    // an inpainting model also sees the mask and the picture without what is below it
    if ((in != latent && in != 2 * latent + 1) || configs->unet.out_channels != latent) {
        return error_failed(
            error,
            "%s: the UNet has %d and %d channels, the autoencoder %d; they are not of one model.",
            path, in, configs->unet.out_channels, latent);
    }
    // a text encoder of the other version would be read as noise
    if (configs->unet.cross_attention_dim != configs->text.width) {
        return error_failed(
            error,
            "%s: the UNet reads text of width %d, the text encoder's is %d; they are not of "
            "one model.",
            path, configs->unet.cross_attention_dim, configs->text.width);
    }
    return true;
}

bool checkpoint_index_check(const char *path, GError **error)
{
    // parts that tell other pipelines from ours, whose class may have any name
    static const char *const foreign[] = {"text_encoder_2", "transformer", "prior", "movq",
                                          "controlnet"};
    g_autofree char *index = g_build_filename(path, "model_index.json", NULL);
    if (!g_file_test(index, G_FILE_TEST_EXISTS)) {
        return model_kind_refuse_folder(path, error);
    }

    g_autoptr(JsonNode) root = json_read_file(index, MAX_INDEX_BYTES, error);
    JsonObject *object = root == NULL ? NULL : json_root_object(root, index, error);
    // for the sentence, where the file does not name it
    const char *pipeline = "another pipeline";
    if (object == NULL ||
        !json_get_string(object, index, "_class_name", JSON_OPTIONAL, &pipeline, error)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        // ["diffusers", "ControlNetModel"], or [null, null] for a part that is left out
        JsonArray *part = json_list_of(json_object_get_member(object, foreign[i]));
        if (part != NULL && json_array_get_length(part) > 0 &&
            !json_array_get_null_element(part, 0)) {
            g_autofree char *what = g_strdup_printf("a %s with a %s", pipeline, foreign[i]);
            return checkpoint_refuse(path, what, error);
        }
    }
    return true;
}
