/* Pictures by their names; see picture_folder.h. */
#include "engine/picture/picture_folder.h"

#include "engine/base/error.h"
#include "engine/picture/picture.h"

#include <stdbool.h>
#include <string.h>

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_pictures(GDir *entries, const char *folder, int *others)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    *others = 0;
    for (const char *name; (name = g_dir_read_name(entries)) != NULL;) {
        // hidden files, thumbnails of file managers among them, are nobody's pictures
        if (name[0] == '.') {
            continue;
        }
        // what can be written can be read, under the same names
        if (picture_check_name(name, NULL)) {
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
        } else {
            *others += 1;
        }
    }
    // g_dir_read_name has no order; runs must not depend on the disk
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

char **picture_folder_list(const char *folder, int *others, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) entries = g_dir_open(folder, 0, &problem);

    if (entries == NULL) {
        error_failed(error, "%s: the folder cannot be read: %s.", folder, problem->message);
        return NULL;
    }
    GPtrArray *paths = list_pictures(entries, folder, others);
    if (paths->len == 0) {
        error_failed(error, "%s: the folder has no picture (.png, .jpg, .tif, .webp).", folder);
        g_ptr_array_unref(paths);
        return NULL;
    }
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}

char *picture_folder_stem(const char *path)
{
    char *name = g_path_get_basename(path);
    char *point = strrchr(name, '.');

    if (point != NULL && point != name) {
        *point = '\0';
    }
    return name;
}
