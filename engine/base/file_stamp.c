/* Device, inode, size and time of files; see file_stamp.h. */
#include "engine/base/file_stamp.h"

#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 2 // of folders

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// in the order of their names
static void stamp_path(GString *stamp, const char *path, int depth)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = depth < DEPTH_MAX ? g_dir_open(path, 0, NULL) : NULL;
    struct stat info;

    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        // one that was replaced by another of the same size has another inode
        g_string_append_printf(stamp, "%s %lu %lu %ld %ld.%09ld\n", path,
                               (unsigned long)info.st_dev, (unsigned long)info.st_ino,
                               (long)info.st_size, (long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    }
    for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        stamp_path(stamp, names->pdata[i], depth + 1);
    }
}

void file_stamp(GString *stamp, const char *path)
{
    stamp_path(stamp, path, 0);
}
