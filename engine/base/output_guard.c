/* What is read and what is written; see output_guard.h. */
#include "engine/base/output_guard.h"

#include "engine/base/error.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 3 // of folders in a folder that is read

struct output_guard {
    GHashTable *read;    // "device:inode" to the path as given, owned
    GHashTable *folders; // path without links to the path as given
    GHashTable *written; // path without links to the option
};

output_guard *output_guard_create(void)
{
    output_guard *g = g_new0(output_guard, 1);

    g->read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return g;
}

void output_guard_free(output_guard *g)
{
    if (g != NULL) {
        g_hash_table_unref(g->read);
        g_hash_table_unref(g->folders);
        g_hash_table_unref(g->written);
        g_free(g);
    }
}

static char *identity(const struct stat *info)
{
    return g_strdup_printf("%lu:%lu", (unsigned long)info->st_dev, (unsigned long)info->st_ino);
}

// a path without links and dots; its last parts need not exist
static char *resolve(const char *path)
{
    // it refuses what is not there yet: then the folder is resolved, and the name stays
    char *absolute = realpath(path, NULL);

    if (absolute != NULL) {
        char *copy = g_strdup(absolute);
        free(absolute);
        return copy;
    }
    g_autofree char *folder = g_path_get_dirname(path);
    // "." and "/" have no folder that could be resolved instead
    if (strcmp(folder, path) == 0) {
        return g_strdup(path);
    }
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *resolved = resolve(folder);
    return g_build_filename(resolved, base, NULL);
}

/* ---- what is read ---- */

static void add_read(output_guard *g, const char *path, int depth)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        return;
    }
    // by what it is, not by what it is called: hard links are the same file
    g_hash_table_replace(g->read, identity(&info), g_strdup(path));
    g_autoptr(GDir) folder =
        S_ISDIR(info.st_mode) && depth < DEPTH_MAX ? g_dir_open(path, 0, NULL) : NULL;
    for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        add_read(g, inner, depth + 1);
    }
}

void output_guard_reads(output_guard *g, const char *path)
{
    if (path == NULL) {
        return;
    }
    add_read(g, path, 0);
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        // for files that are not there yet: what is made in it would be read by the next run
        g_hash_table_replace(g->folders, resolve(path), g_strdup(path));
    }
}

/* ---- what is written ---- */

// what of all that is read would be overwritten, or NULL
static const char *find_read(const output_guard *g, const char *path, const char *resolved)
{
    struct stat info;
    GHashTableIter iter;
    void *folder, *given;

    if (stat(path, &info) == 0) {
        g_autofree char *self = identity(&info);
        const char *found = g_hash_table_lookup(g->read, self);
        if (found != NULL) {
            return found;
        }
    }
    g_hash_table_iter_init(&iter, g->folders);
    while (g_hash_table_iter_next(&iter, &folder, &given)) {
        const size_t length = strlen(folder);
        // the slash: /a/bc is not in /a/b
        if (strncmp(resolved, folder, length) == 0 && resolved[length] == '/') {
            return given;
        }
    }
    return NULL;
}

bool output_guard_writes(output_guard *g, const char *option, const char *path, GError **error)
{
    if (path == NULL) {
        return true;
    }
    g_autofree char *resolved = resolve(path);
    const char *read = find_read(g, path, resolved);
    if (read != NULL) {
        return error_failed(
            error, "%s: writing %s would overwrite %s, which is read; choose another name.", option,
            path, read);
    }
    const char *other = g_hash_table_lookup(g->written, resolved);
    if (other != NULL) {
        return error_failed(error, "%s and %s would both write %s; give one of them another name.",
                            other, option, path);
    }
    g_hash_table_insert(g->written, g_steal_pointer(&resolved), g_strdup(option));
    return true;
}
