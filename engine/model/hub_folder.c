/* The folder of a downloaded model; see hub_folder.h. */
#include "engine/model/hub_folder.h"

#include "engine/base/error.h"
#include "engine/base/regular_file.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_REF 256 // bytes of refs/main, which has 40

// one state of a repository: snapshots/COMMIT with links to the files
struct snapshot {
    char *path;
    bool current;    // refs/main names it
    int64_t changed; // nanoseconds
};

static void clear_snapshot(gpointer data)
{
    g_free(((struct snapshot *)data)->path);
}

static bool is_hub_folder(const char *path)
{
    g_autofree char *index = g_build_filename(path, "model_index.json", NULL);
    g_autofree char *snapshots = g_build_filename(path, "snapshots", NULL);

    // a diffusers folder may have a folder of that name, too
    return g_file_test(snapshots, G_FILE_TEST_IS_DIR) && !g_file_test(index, G_FILE_TEST_EXISTS);
}

// what refs/main says, or an empty text
static char *read_reference(const char *path)
{
    g_autofree char *name = g_build_filename(path, "refs", "main", NULL);
    char *text = regular_file_load(name, MAX_REF, NULL, NULL);

    return text != NULL ? g_strstrip(text) : g_strdup("");
}

// the current one first, then the one changed last
static int compare_snapshots(const void *a, const void *b)
{
    const struct snapshot *x = a, *y = b;

    // true is 1: the current one sorts before
    if (x->current != y->current) {
        return y->current - x->current;
    }
    if (x->changed != y->changed) {
        return x->changed > y->changed ? -1 : 1;
    }
    return strcmp(x->path, y->path);
}

static GArray *list_snapshots(const char *path)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct snapshot));
    g_autofree char *folder = g_build_filename(path, "snapshots", NULL);
    g_autofree char *current = read_reference(path);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    g_array_set_clear_func(list, clear_snapshot);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        struct snapshot one = {.path = g_build_filename(folder, name, NULL),
                               .current = strcmp(name, current) == 0};
        struct stat info;
        // what else may lie there is not from the hub
        if (stat(one.path, &info) == 0 && S_ISDIR(info.st_mode)) {
            one.changed = info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec;
            g_array_append_val(list, one);
        } else {
            g_free(one.path);
        }
    }
    g_array_sort(list, compare_snapshots);
    return list;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// the .safetensors files of a folder, in the order of their names
static GPtrArray *list_files(const char *folder)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        if (g_str_has_suffix(name, ".safetensors")) {
            g_ptr_array_add(files, g_build_filename(folder, name, NULL));
        }
    }
    // so that the sentence names the same two every time
    g_ptr_array_sort(files, compare_paths);
    return files;
}

/* The model of one snapshot; NULL without an error where it holds none. */
static char *model_of(const char *snapshot, GError **error)
{
    g_autofree char *index = g_build_filename(snapshot, "model_index.json", NULL);

    if (g_file_test(index, G_FILE_TEST_EXISTS)) {
        return g_strdup(snapshot);
    }
    g_autoptr(GPtrArray) files = list_files(snapshot);
    // which of them is wanted, only a person knows
    if (files->len > 1) {
        error_failed(error,
                     "%s: this folder of downloads holds several models, %s and %s for instance; "
                     "name one of its files.",
                     snapshot, (const char *)files->pdata[0], (const char *)files->pdata[1]);
    }
    return files->len == 1 ? g_strdup(files->pdata[0]) : NULL;
}

char *hub_folder_model(const char *path, GError **error)
{
    GError *several = NULL;

    if (!is_hub_folder(path)) {
        return g_strdup(path);
    }
    g_autoptr(GArray) snapshots = list_snapshots(path);
    for (guint i = 0; i < snapshots->len; i++) {
        // an interrupted download leaves a snapshot without a model: the one before it may have one
        char *model = model_of(g_array_index(snapshots, struct snapshot, i).path, &several);
        if (model == NULL && several != NULL) {
            g_propagate_error(error, several);
            return NULL;
        }
        if (model != NULL) {
            return model;
        }
    }
    error_failed(error,
                 "%s: none of the snapshots in this folder of downloads holds a model, which is a "
                 "model_index.json or a .safetensors file; download the whole model.",
                 path);
    return NULL;
}
