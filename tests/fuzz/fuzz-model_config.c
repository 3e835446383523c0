/* Any bytes as each of the four configs: refused with a sentence, or in range, so that the list of
 * the model's tensors can be made from it. */
#include "engine/model/model_tensors.h"
#include "engine/model/schedule_config.h"
#include "tests/fuzz/replay.h"
#include "tests/memory_file.h"

// tensors whose names differ and whose shapes are positive; huge models are not listed
static void check_list(GPtrArray *tensors)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < tensors->len; i++) {
        const struct model_tensor *tensor = g_ptr_array_index(tensors, i);
        g_assert_true(g_hash_table_add(names, tensor->name));
        g_assert_true(tensor->n_dims >= 1 && model_tensor_values(tensor) > 0);
    }
    g_ptr_array_unref(tensors);
}

static void read_unet(const char *path)
{
    g_autoptr(GError) error = NULL;
    struct unet_config config;

    if (unet_config_read(path, &config, &error)) {
        g_assert_true(config.n_levels >= 1 && config.n_levels <= UNET_MAX_LEVELS);
        g_assert_no_error(error);
        check_list(model_tensors_of_unet(&config));
    } else {
        g_assert_nonnull(error);
    }
}

static void read_text(const char *path)
{
    g_autoptr(GError) error = NULL;
    struct text_config config;

    if (text_config_read(path, &config, &error)) {
        g_assert_no_error(error);
        check_list(model_tensors_of_text_encoder(&config));
    } else {
        g_assert_nonnull(error);
    }
}

static void read_vae(const char *path)
{
    g_autoptr(GError) error = NULL;
    struct vae_config config;

    if (vae_config_read(path, &config, &error)) {
        g_assert_no_error(error);
        check_list(model_tensors_of_vae(&config));
    } else {
        g_assert_nonnull(error);
    }
}

static void read_schedule(const char *path)
{
    g_autoptr(GError) error = NULL;
    struct schedule_config config;
    g_autofree double *betas = NULL;

    if (schedule_config_read(path, &config, &betas, &error)) {
        g_assert_no_error(error);
        g_assert_true(config.num_train_timesteps >= 2);
        g_assert_true(config.trained_betas == betas);
    } else {
        g_assert_true(error != NULL && betas == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(data, size, path);

    read_unet(path);
    read_text(path);
    read_vae(path);
    read_schedule(path);
    close(memory);
    return 0;
}
