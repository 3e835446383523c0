/* Finding what was installed; see default_model.h. */
#include "engine/model/default_model.h"

#include "engine/base/error.h"

#include <stdbool.h>
#include <string.h>

static bool is_model(const char *folder)
{
    g_autofree char *index = g_build_filename(folder, "model_index.json", NULL);

    return g_file_test(index, G_FILE_TEST_IS_REGULAR);
}

// the first of the candidates that holds a model
static char *first_model(char **candidates)
{
    for (char **c = candidates; *c != NULL; c++) {
        if (is_model(*c)) {
            return g_canonicalize_filename(*c, NULL);
        }
    }
    return NULL;
}

char *default_model_folder(GError **error)
{
    const char *data = g_getenv("SVDIFF_DATA_DIR");
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program != NULL ? program : ".");
    g_auto(GStrv) candidates = g_new0(char *, 4);
    int n = 0;

    if (data != NULL && *data != '\0') {
        candidates[n++] = g_build_filename(data, "model", NULL);
    } else {
        // BUILD/engine/svdiff knows its source tree; an installed one lies in PREFIX/bin
        candidates[n++] = g_build_filename(folder, "..", "share", "svdiff", "model", NULL);
        if (g_str_has_prefix(folder, SVDIFF_BUILD_DIR)) {
            candidates[n++] = g_build_filename(SVDIFF_SOURCE_DIR, "resources", "model", NULL);
        }
    }
    char *found = first_model(candidates);
    if (found == NULL) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "The model that ships was not found at %s; name one with --model PATH.",
                    candidates[n - 1]);
    }
    return found;
}

char *subject_path(const char *name)
{
    if (g_file_test(name, G_FILE_TEST_EXISTS) || strchr(name, '/') != NULL ||
        g_str_has_suffix(name, ".safetensors")) {
        return g_strdup(name);
    }
    g_autofree char *file = g_strconcat(name, ".safetensors", NULL);
    return g_build_filename(g_get_user_data_dir(), "svdiff", "subjects", file, NULL);
}
