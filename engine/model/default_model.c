/* Finding what was installed; see default_model.h. */
#include "engine/model/default_model.h"

#include "engine/base/error.h"
#include "engine/model/hub_folder.h"

#include <stdbool.h>
#include <string.h>

static bool is_model(const char *folder)
{
    g_autofree char *index = g_build_filename(folder, "model_index.json", NULL);

    return g_file_test(index, G_FILE_TEST_IS_REGULAR);
}

// PREFIX/share/svdiff of PREFIX/bin/svdiff; the build folder has the same folder, a link
static char *data_folder(void)
{
    const char *data = g_getenv("SVDIFF_DATA_DIR");
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program != NULL ? program : ".");

    if (data != NULL && *data != '\0') {
        return g_strdup(data);
    }
    g_autofree char *beside = g_build_filename(folder, "..", "share", "svdiff", NULL);
    return g_canonicalize_filename(beside, NULL);
}

static char *shipped_model(GError **error)
{
    g_autofree char *data = data_folder();
    char *folder = g_build_filename(data, "model", NULL);

    if (!is_model(folder)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The model that ships was not found at %s; name one with --model PATH.",
                    folder);
        g_clear_pointer(&folder, g_free);
    }
    return folder;
}

char *model_place(const char *named, GError **error)
{
    return named != NULL ? hub_folder_model(named, error) : shipped_model(error);
}
