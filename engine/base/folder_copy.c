/* Folders copied and made whole; see folder_copy.h. */
#include "engine/base/folder_copy.h"

#include "engine/base/atomic_file.h"
#include "engine/base/error.h"
#include "engine/base/regular_file.h"

#include <errno.h>
#include <glib/gstdio.h>

// of folders in folders, where only a link in a circle goes so deep; and bytes at a time
enum { MAX_DEPTH = 16, PART = 1 << 20 };

// links are followed: the folders of HuggingFace's cache consist of them
static bool copy_file(const char *from, const char *to, GError **error)
{
    g_autoptr(regular_file) in = regular_file_open(from, error);
    g_autoptr(atomic_file) out = in != NULL ? atomic_file_create(to, error) : NULL;
    g_autofree char *part = g_malloc(PART);

    if (out == NULL) {
        return false;
    }
    for (int64_t at = 0; at < in->size; at += PART) {
        const size_t n = (size_t)MIN(in->size - at, PART);
        if (!regular_file_read(in, part, n, at, error) || !atomic_file_write(out, part, n, error)) {
            return false;
        }
    }
    return atomic_file_commit(out, error);
}

static bool copy_level(const char *from, const char *to, const char *relative,
                       folder_copy_skip skip, int depth, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);

    if (dir == NULL || depth > MAX_DEPTH) {
        return error_failed(
            error,
            dir == NULL
                ? "%s: this folder cannot be read; look at its permissions."
                : "%s: folders are nested too deeply; remove the link that goes in a circle.",
            from);
    }
    if (g_mkdir_with_parents(to, 0777) != 0) {
        return error_system(error, to, "the folder cannot be made");
    }
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner_from = g_build_filename(from, name, NULL);
        g_autofree char *inner_to = g_build_filename(to, name, NULL);
        // the path that skip is asked about, from the folder that is copied
        g_autofree char *inner =
            relative[0] == '\0' ? g_strdup(name) : g_build_filename(relative, name, NULL);
        const bool folder = g_file_test(inner_from, G_FILE_TEST_IS_DIR);
        // .git and .cache are no part of a model
        if (name[0] == '.' || (!folder && skip(inner))) {
            continue;
        }
        if (!(folder ? copy_level(inner_from, inner_to, inner, skip, depth + 1, error)
                     : copy_file(inner_from, inner_to, error))) {
            return false;
        }
    }
    return true;
}

bool folder_copy(const char *from, const char *to, folder_copy_skip skip, GError **error)
{
    return copy_level(from, to, "", skip, 0, error);
}

/* ---- a folder that is whole ---- */

// whether nothing is there, or an empty folder
static bool is_free(const char *path, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const bool empty = dir != NULL && g_dir_read_name(dir) == NULL;

    // a link that points nowhere is there, too, though it does not exist
    if (empty ||
        (!g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))) {
        return true;
    }
    return error_failed(error, "%s is there already; choose another --output or remove it.", path);
}

char *folder_begin(const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *hidden = g_strdup_printf(".%s.XXXXXX", base);
    char *temporary = g_build_filename(parent, hidden, NULL);

    if (is_free(path, error)) {
        // beside the target, so that it stays on one file system and a rename is enough
        if (g_mkdtemp_full(temporary, 0777) != NULL) {
            return temporary;
        }
        error_failed(error, "%s: no folder can be made here: %s; choose another --output.", parent,
                     g_strerror(errno));
    }
    g_free(temporary);
    return NULL;
}

bool folder_commit(const char *temporary, const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);

    // what is in it first: a name that survives a power cut must not stand for less
    atomic_file_sync_folder(temporary);
    if (g_rename(temporary, path) != 0) {
        return error_system(error, path, "the folder cannot get this name");
    }
    atomic_file_sync_folder(parent);
    return true;
}

void folder_remove(const char *temporary)
{
    // a link goes, and what it points to stays
    g_autoptr(GDir) dir =
        g_file_test(temporary, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(temporary, 0, NULL);

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner = g_build_filename(temporary, name, NULL);
        folder_remove(inner);
    }
    g_remove(temporary);
}
