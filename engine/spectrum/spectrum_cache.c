/* The folder of the spectra; see spectrum_cache.h. */
#include "engine/spectrum/spectrum_cache.h"

#include "engine/base/error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DIGITS 64 // of a SHA-256
// what the disk keeps free besides
#define MARGIN ((uint64_t)64 * 1024 * 1024)
// seconds after which what a killed process left behind is removed
#define LEFTOVER_AGE (24 * 60 * 60)

static const char suffix_spectra[] = ".safetensors";

struct kept {
    char *path;
    uint64_t bytes;
    int64_t used; // when last, seconds
};

static void free_kept(void *data)
{
    struct kept *kept = data;

    g_free(kept->path);
    g_free(kept);
}

char *spectrum_cache_default_folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "svdiff", "spectra", NULL);
}

/* ---- names ---- */

char *spectrum_cache_path(const char *folder, const char *key)
{
    g_autofree char *name = g_strconcat(key, suffix_spectra, NULL);

    return g_build_filename(folder, name, NULL);
}

static bool begins_with_digits(const char *text)
{
    return strspn(text, "0123456789abcdef") == DIGITS;
}

static bool is_spectra(const char *name)
{
    return begins_with_digits(name) && strcmp(name + DIGITS, suffix_spectra) == 0;
}

// the hidden name of an unfinished file, .KEY.safetensors.XXXXXXXX, or what older versions
// remembered
static bool is_leftover(const char *name)
{
    return (begins_with_digits(name) && strcmp(name + DIGITS, ".key") == 0) ||
           (name[0] == '.' && begins_with_digits(name + 1) &&
            g_str_has_prefix(name + 1 + DIGITS, suffix_spectra));
}

/* ---- what is there ---- */

/* The files of the folder that `wanted` says are ours; struct kept. Free with
 * g_ptr_array_unref. */
static GPtrArray *list_kept(const char *folder, bool (*wanted)(const char *name))
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_kept);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        struct stat info;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        // lstat: a link that somebody put here is not ours
        if (!wanted(name) || lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
            continue;
        }
        struct kept *kept = g_new(struct kept, 1);
        *kept = (struct kept){.path = g_steal_pointer(&path),
                              .bytes = (uint64_t)info.st_size,
                              .used = MAX(info.st_atime, info.st_mtime)};
        g_ptr_array_add(list, kept);
    }
    return list;
}

void spectrum_cache_touch(const char *path)
{
    // the time of change stays: others may be reading and watch it
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};

    (void)!utimensat(AT_FDCWD, path, times, 0);
}

/* ---- room ---- */

static int compare_use(const void *a, const void *b)
{
    const struct kept *x = *(struct kept *const *)a, *y = *(struct kept *const *)b;

    return (x->used > y->used) - (x->used < y->used);
}

static void remove_leftovers(const char *folder)
{
    g_autoptr(GPtrArray) list = list_kept(folder, is_leftover);
    const int64_t now = g_get_real_time() / G_USEC_PER_SEC;

    for (guint i = 0; i < list->len; i++) {
        const struct kept *kept = list->pdata[i];
        // a younger one may be another process at work
        if (now - kept->used > LEFTOVER_AGE) {
            g_unlink(kept->path);
        }
    }
}

static bool check_sizes(const char *folder, uint64_t bytes, uint64_t limit, GError **error)
{
    g_autofree char *size = g_format_size(bytes), *bound = g_format_size(limit);

    if (bytes <= limit) {
        return true;
    }
    return error_failed(
        error, "%s: the spectra of this model take %s, at most %s may be kept; raise the limit.",
        folder, size, bound);
}

static bool check_space(const char *folder, uint64_t bytes, GError **error)
{
    struct statvfs info;
    // a file system that does not tell may have enough
    const uint64_t there =
        statvfs(folder, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : UINT64_MAX;
    g_autofree char *size = g_format_size(bytes), *space = g_format_size(there);

    if (there >= bytes && there - bytes >= MARGIN) {
        return true;
    }
    return error_failed(
        error, "%s: the spectra of this model take %s, the disk has %s left; free some space.",
        folder, size, space);
}

bool spectrum_cache_make_room(const char *folder, uint64_t bytes, uint64_t limit, GError **error)
{
    if (!check_sizes(folder, bytes, limit, error)) {
        return false;
    }
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        return error_system(error, folder, "cannot be made");
    }
    remove_leftovers(folder);

    g_autoptr(GPtrArray) list = list_kept(folder, is_spectra);
    uint64_t total = 0;
    for (guint i = 0; i < list->len; i++) {
        total += ((const struct kept *)list->pdata[i])->bytes;
    }
    g_ptr_array_sort(list, compare_use);
    for (guint i = 0; i < list->len && total > limit - bytes; i++) {
        const struct kept *kept = list->pdata[i];
        if (g_unlink(kept->path) == 0) {
            total -= kept->bytes;
        }
    }
    return check_space(folder, bytes, error);
}
