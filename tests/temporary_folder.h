/* temporary_folder.h: a folder for the files of one test, for tests that write. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

// a new empty folder; remove it with temporary_folder_remove, which also frees the name
static inline char *temporary_folder_create(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("svdiff-test-XXXXXX", &error);

    g_assert_no_error(error);
    return folder;
}

static inline void temporary_folder_remove_tree(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        temporary_folder_remove_tree(inner);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static inline void temporary_folder_remove(char *folder)
{
    temporary_folder_remove_tree(folder);
    g_free(folder);
}

// how many entries the folder has
static inline int temporary_folder_count(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    int count = 0;

    while (g_dir_read_name(dir) != NULL) {
        count++;
    }
    return count;
}

// bytes of the files in it that have a suffix, 0 where there is no folder
static inline guint64 temporary_folder_bytes(const char *folder, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint64 bytes = 0;

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        GStatBuf info;
        if (g_str_has_suffix(name, suffix) && g_stat(path, &info) == 0) {
            bytes += (guint64)info.st_size;
        }
    }
    return bytes;
}
