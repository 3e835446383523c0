/* Files written whole or not at all; see atomic_file.h.
 *
 * With O_TMPFILE the file has no name until commit links it as .NAME.XXXXXXXX beside the target and
 * renames that over the target; file systems without O_TMPFILE get the hidden name at once. */
#include "engine/base/atomic_file.h"

#include "engine/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct atomic_file {
    int fd;
    char *path;    // as given, for sentences
    char *target;  // path with links resolved
    char *folder;  // of the target
    char *hidden;  // the temporary name
    bool named;    // `hidden` exists in the folder
    int64_t bytes; // where it ends so far
};

#define ATTEMPTS      100 // at a name that nothing else has
#define NAME_MAX_KEPT 200 // bytes of a long name, so that what is added still fits

/* Makes the file under hidden names, .NAME.XXXXXXXX beside the target, until one is new. False with
 * errno. */
static bool make_hidden(struct atomic_file *file, bool (*make)(struct atomic_file *file))
{
    g_autofree char *name = g_path_get_basename(file->target);

    for (int attempt = 0; attempt < ATTEMPTS && !file->named; attempt++) {
        g_free(file->hidden);
        file->hidden = g_strdup_printf("%s/.%.*s.%08x", file->folder, NAME_MAX_KEPT, name,
                                       (unsigned)g_random_int());
        file->named = make(file);
        // another program has just that name: the next one is as good
        if (!file->named && errno != EEXIST) {
            break;
        }
    }
    return file->named;
}

static bool create_hidden(struct atomic_file *file)
{
    file->fd = open(file->hidden, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    return file->fd >= 0;
}

// gives a file without a name its hidden name
static bool link_hidden(struct atomic_file *file)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", file->fd);

    return linkat(AT_FDCWD, self, AT_FDCWD, file->hidden, AT_SYMLINK_FOLLOW) == 0;
}

static bool check_target(const char *path, const struct stat *info, GError **error)
{
    if (S_ISREG(info->st_mode)) {
        return true;
    }
    return error_failed(error,
                        "%s: this is %s, nothing can be written in its place; give another name.",
                        path, S_ISDIR(info->st_mode) ? "a folder" : "no regular file");
}

static bool open_temporary(struct atomic_file *file, GError **error)
{
    if (access("/proc/self/fd", F_OK) == 0) { // else it could never get a name
        file->fd = open(file->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    }
    // file systems of networks and of FAT have no files without a name
    return file->fd >= 0 || make_hidden(file, create_hidden) ||
           error_system(error, file->path, "cannot be written");
}

struct atomic_file *atomic_file_create(const char *path, GError **error)
{
    struct stat info;
    bool exists = stat(path, &info) == 0;
    if (exists && !check_target(path, &info, error)) {
        return NULL;
    }
    if (path[0] == '\0' || g_str_has_suffix(path, "/")) {
        error_failed(error, "\"%s\": a file cannot have this name; give a name for the file.",
                     path);
        return NULL;
    }

    g_autoptr(atomic_file) file = g_new0(struct atomic_file, 1);
    char *resolved = exists ? realpath(path, NULL) : NULL;
    file->fd = -1;
    file->path = g_strdup(path);
    file->target = g_strdup(resolved != NULL ? resolved : path);
    file->folder = g_path_get_dirname(file->target);
    free(resolved);
    if (!open_temporary(file, error)) {
        return NULL;
    }
    if (exists) { // whoever could read the old file can read the new one
        (void)!fchmod(file->fd, info.st_mode & 0777);
    }
    return g_steal_pointer(&file);
}

bool atomic_file_reserve(struct atomic_file *file, int64_t bytes, GError **error)
{
    if (bytes <= 0 || fallocate(file->fd, FALLOC_FL_KEEP_SIZE, 0, bytes) == 0) {
        return true;
    }
    if (errno != ENOSPC && errno != EFBIG && errno != EDQUOT) {
        return true;
    }
    g_autofree char *size = g_format_size((guint64)bytes);
    return error_failed(error, "%s: %s cannot be written: %s.", file->path, size,
                        g_strerror(errno));
}

bool atomic_file_write_at(struct atomic_file *file, const void *data, size_t bytes, int64_t offset,
                          GError **error)
{
    const char *from = data;

    while (bytes > 0) {
        ssize_t put = pwrite(file->fd, from, MIN(bytes, (size_t)1 << 30), offset);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return error_system(error, file->path, "cannot be written");
        }
        // less than all is no error: a signal came, or the disk took only so much at once
        from += put;
        offset += put;
        bytes -= (size_t)put;
        file->bytes = MAX(file->bytes, offset);
    }
    return true;
}

bool atomic_file_read_at(const struct atomic_file *file, void *data, size_t bytes, int64_t offset,
                         GError **error)
{
    char *to = data;

    while (bytes > 0) {
        const ssize_t got = pread(file->fd, to, MIN(bytes, (size_t)1 << 30), offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_system(error, file->path, "cannot be read");
        }
        if (got == 0) { // beyond what was written
            return error_failed(error, "%s: it ended early.", file->path);
        }
        to += got;
        offset += got;
        bytes -= (size_t)got;
    }
    return true;
}

bool atomic_file_write(struct atomic_file *file, const void *data, size_t bytes, GError **error)
{
    return atomic_file_write_at(file, data, bytes, file->bytes, error);
}

void atomic_file_sync_folder(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

bool atomic_file_commit(struct atomic_file *file, GError **error)
{
    // give back what was reserved beyond the end
    if (ftruncate(file->fd, file->bytes) != 0 || fsync(file->fd) != 0) {
        return error_system(error, file->path, "cannot be written");
    }
    // linkat does not replace what is there, rename does: so the hidden name comes first
    if ((!file->named && !make_hidden(file, link_hidden)) ||
        rename(file->hidden, file->target) != 0) {
        return error_system(error, file->path, "cannot be put in its place");
    }
    // nothing is left that closing would have to remove
    file->named = false;
    atomic_file_sync_folder(file->folder);
    return true;
}

void atomic_file_close(struct atomic_file *file)
{
    if (file == NULL) {
        return;
    }
    if (file->named) {
        unlink(file->hidden);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    g_free(file->path);
    g_free(file->target);
    g_free(file->folder);
    g_free(file->hidden);
    g_free(file);
}

bool atomic_file_store(const char *path, const void *data, size_t bytes, GError **error)
{
    g_autoptr(atomic_file) file = atomic_file_create(path, error);

    return file != NULL && atomic_file_write(file, data, bytes, error) &&
           atomic_file_commit(file, error);
}
