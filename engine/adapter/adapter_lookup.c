/* Names of adapters and embeddings; see adapter_lookup.h. */
#include "engine/adapter/adapter_lookup.h"

#include "engine/base/regular_file.h"
#include "engine/svdiff.h"

#include <string.h>

#define LIST_BYTES (1 << 16) // of a list of folders

static const char *const endings[] = {".safetensors", ".pt", ".bin", ".ckpt"};

char **adapter_lookup_folders(const char *folder)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_autofree char *own = g_build_filename(g_get_user_data_dir(), "svdiff", folder, NULL);
    g_autofree char *list = g_strconcat(own, ".txt", NULL);
    g_autofree char *text = regular_file_load(list, LIST_BYTES, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

    // the user's own first: of two files of one name it counts
    g_strv_builder_add(all, own);
    for (char **line = lines; *line != NULL; line++) {
        if (g_strstrip(*line)[0] != '\0') {
            g_strv_builder_add(all, *line);
        }
    }
    return g_strv_builder_end(all);
}

// of a name in one folder, or NULL
static char *find_in(const char *folder, const char *name)
{
    g_autofree char *place = g_build_filename(folder, name, NULL);

    // all of the name first: it may have its ending already
    for (size_t i = 0; i <= G_N_ELEMENTS(endings); i++) {
        char *path = g_strconcat(place, i == 0 ? "" : endings[i - 1], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            return path;
        }
        g_free(path);
    }
    return NULL;
}

// the path of a file that exists, or NULL
static char *find(const char *folder, const char *name)
{
    char *path = NULL;

    if (g_file_test(name, G_FILE_TEST_IS_REGULAR)) {
        return g_strdup(name);
    }
    // a name, not a way to other folders
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
        return NULL;
    }
    g_auto(GStrv) folders = adapter_lookup_folders(folder);
    for (char **at = folders; *at != NULL && path == NULL; at++) {
        path = find_in(*at, name);
    }
    return path;
}

char *adapter_lookup_take(const char *file)
{
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (file[0] != '.' && g_str_has_suffix(file, endings[i])) {
            return g_strndup(file, strlen(file) - strlen(endings[i]));
        }
    }
    return NULL;
}

char *adapter_lookup_path(const char *folder, const char *name)
{
    char *path = find(folder, name);

    return path != NULL ? path : g_strdup(name);
}

char *adapter_lookup_name(const char *path)
{
    char *name = g_path_get_basename(path);

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (g_str_has_suffix(name, endings[i])) {
            name[strlen(name) - strlen(endings[i])] = '\0';
            break;
        }
    }
    return name;
}

char *svdiff_adapter_split(const char *text, double *strength)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL, *whole = find(ADAPTER_FOLDER, text);

    // what exists comes before any reading of colons
    *strength = 1;
    if (whole != NULL || colon == NULL) {
        return whole != NULL ? whole : g_strdup(text);
    }
    const double number = g_ascii_strtod(colon + 1, &end);
    if (end == colon + 1 || *end != '\0') {
        return g_strdup(text);
    }
    *strength = number;
    g_autofree char *name = g_strndup(text, (gsize)(colon - text));
    return adapter_lookup_path(ADAPTER_FOLDER, name);
}
