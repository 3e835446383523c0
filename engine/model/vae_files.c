/* Another autoencoder; see vae_files.h. */
#include "engine/model/vae_files.h"

struct weight_files *vae_files_open(const char *path, struct vae_config *config, GError **error)
{
    g_autofree char *inner = g_build_filename(path, "vae", NULL);
    const char *folder = g_file_test(inner, G_FILE_TEST_IS_DIR) ? inner : path;
    g_autofree char *file = g_build_filename(folder, "config.json", NULL);

    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return weight_files_open_file(path, error);
    }
    return vae_config_read(file, config, error)
               ? weight_files_open_folder(folder, "diffusion_pytorch_model", error)
               : NULL;
}
