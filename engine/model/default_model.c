/* Finding what was installed; see default_model.h. */
#include "engine/model/default_model.h"

#include "engine/base/error.h"
#include "engine/model/hub_folder.h"

#include <string.h>

/* PREFIX/share/svdiff of PREFIX/bin/svdiff; the build folder has the same folder, a link. Beside a
 * program that uses the library there is none: the one that was installed with the library. */
static char *data_folder(void)
{
    const char *data = g_getenv("SVDIFF_DATA_DIR");
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program != NULL ? program : ".");

    // tests and packagers: everything that ships from another place
    if (data != NULL && *data != '\0') {
        return g_strdup(data);
    }
    g_autofree char *beside = g_build_filename(folder, "..", "share", "svdiff", NULL);
    return g_file_test(beside, G_FILE_TEST_IS_DIR) ? g_canonicalize_filename(beside, NULL)
                                                   : g_strdup(SVDIFF_SHARE_DIR);
}

// a folder of what ships, known by a file in it; what and option are for the sentence
static char *shipped_folder(const char *name, const char *file, const char *what,
                            const char *option, GError **error)
{
    g_autofree char *data = data_folder();
    g_autofree char *known = g_build_filename(data, name, file, NULL);
    char *folder = g_build_filename(data, name, NULL);

    if (!g_file_test(known, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "%s that ships was not found at %s; name one with %s.", what, folder, option);
        g_clear_pointer(&folder, g_free);
    }
    return folder;
}

char *model_place(const char *named, GError **error)
{
    return named != NULL
               ? hub_folder_model(named, error)
               : shipped_folder("model", "model_index.json", "The model", "--model PATH", error);
}

char *shipped_vocabulary(GError **error)
{
    return shipped_folder("clip", "vocab.json", "CLIP's vocabulary", "--tokenizer FOLDER", error);
}
