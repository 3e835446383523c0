/* Folders and locks; see folder.h. Links are not followed to files of others. */
#include "plugin/folder.h"

#include "engine/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

char *folder_make(const char *user, const char *kind, const char *sentence, GError **error)
{
    g_autofree char *folder = g_build_filename(user, "svdiff", kind, NULL);

    if (g_mkdir_with_parents(folder, 0700) != 0) {
        error_failed(error, sentence, folder, g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&folder);
}

/* A folder that others made there, or a link, is refused: what we put into it would be theirs to
 * read or to change. */
bool folder_make_private(const char *path, bool mends)
{
    GStatBuf info;

    return g_mkdir_with_parents(path, 0700) == 0 && g_lstat(path, &info) == 0 &&
           S_ISDIR(info.st_mode) && info.st_uid == getuid() &&
           ((info.st_mode & 0777) == 0700 || (mends && g_chmod(path, 0700) == 0));
}

// all names first: files may be removed while the list is gone through
char **folder_names(const char *path, char *(*take)(const char *name), GCompareFunc compare)
{
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    GPtrArray *names = g_ptr_array_new();

    for (const char *name; entries != NULL && (name = g_dir_read_name(entries)) != NULL;) {
        char *taken = take != NULL ? take(name) : g_strdup(name);
        if (taken != NULL) {
            g_ptr_array_add(names, taken);
        }
    }
    if (compare != NULL) {
        g_ptr_array_sort(names, compare);
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

bool folder_is_old(const char *path, int seconds)
{
    GStatBuf info;

    return g_lstat(path, &info) == 0 &&
           g_get_real_time() / G_USEC_PER_SEC - info.st_mtime > seconds;
}

gint64 folder_written(const char *path)
{
    GStatBuf info;

    return g_stat(path, &info) == 0
               ? (gint64)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec
               : -1;
}

/* The lock is flock's: it belongs to the descriptor and ends with the process, however that ends.
 * The file stays: removing it would let two have a lock, each on a file of the name. */
int folder_lock(const char *path, int flags, bool waits)
{
    const int fd = g_open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    int status = -1;

    while (fd >= 0 && (status = flock(fd, waits ? LOCK_EX : LOCK_EX | LOCK_NB)) != 0 &&
           errno == EINTR) {
    }
    if (fd >= 0 && status != 0) {
        close(fd);
        return -1;
    }
    return fd;
}
