/* Opening and reading files that somebody named; see regular_file.h.
 *
 * open(O_NONBLOCK | O_CLOEXEC), fstat, S_ISREG: in this order, so that a FIFO does not block and
 * what is asked about is what was opened. */
#include "engine/base/regular_file.h"

#include "engine/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

// what `mode` is when it is no regular file
static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static struct regular_file *describe(int fd, const char *path, const struct stat *info)
{
    struct regular_file *file = g_new0(struct regular_file, 1);

    file->fd = fd;
    file->path = g_strdup(path);
    file->device = info->st_dev;
    file->inode = info->st_ino;
    file->size = info->st_size;
    // what regular_file_unchanged compares with
    file->mtime_seconds = info->st_mtim.tv_sec;
    file->mtime_nanoseconds = info->st_mtim.tv_nsec;
    return file;
}

struct regular_file *regular_file_open(const char *path, GError **error)
{
    // O_NOCTTY: a terminal that is named here must not become this process's own
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat info;

    if (fd < 0 && errno == ENXIO) { // a socket cannot even be opened
        error_failed(error, "%s: this is a socket or a device, a regular file is needed.", path);
    } else if (fd < 0) {
        error_system(error, path, "cannot be opened");
    } else if (fstat(fd, &info) != 0) {
        error_system(error, path, "cannot be examined");
    } else if (!S_ISREG(info.st_mode)) {
        error_failed(error, "%s: this is %s, a regular file is needed.", path,
                     kind_of(info.st_mode));
    } else {
        return describe(fd, path, &info);
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

void regular_file_close(struct regular_file *file)
{
    if (file == NULL) {
        return;
    }
    close(file->fd);
    g_free(file->path);
    g_free(file);
}

bool regular_file_unchanged(const struct regular_file *file, GError **error)
{
    struct stat info;

    // of the open file, not of its name: another file under that name is not the one in use
    if (fstat(file->fd, &info) == 0 && info.st_size == file->size &&
        info.st_mtim.tv_sec == file->mtime_seconds &&
        info.st_mtim.tv_nsec == file->mtime_nanoseconds) {
        return true;
    }
    return error_failed(
        error, "%s: the file was changed while it was in use; start again when it is complete.",
        file->path);
}

char *regular_file_identity(const struct regular_file *file)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                           " %" G_GINT64_FORMAT ".%09" G_GINT64_FORMAT "\n",
                           file->device, file->inode, file->size, file->mtime_seconds,
                           file->mtime_nanoseconds);
}

bool regular_file_read(const struct regular_file *file, void *out, size_t bytes, int64_t offset,
                       GError **error)
{
    char *to = out;

    while (bytes > 0) {
        // Linux reads less than 2 GiB at a time, whatever it is asked for
        ssize_t got = pread(file->fd, to, MIN(bytes, (size_t)1 << 30), offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_system(error, file->path, "cannot be read");
        }
        if (got == 0) {
            return error_failed(error,
                                "%s: the file ends too early, it is truncated or was shortened "
                                "while in use; get a whole copy of it.",
                                file->path);
        }
        // less than all is no error: a file system of the network gives what it has
        to += got;
        offset += got;
        bytes -= (size_t)got;
    }
    return true;
}

char *regular_file_load(const char *path, size_t limit, size_t *length, GError **error)
{
    g_autoptr(regular_file) file = regular_file_open(path, error);
    if (file == NULL) {
        return NULL;
    }
    if ((uint64_t)file->size > limit) {
        error_failed(error,
                     "%s: the file has %" G_GINT64_FORMAT " bytes, at most %zu are expected here.",
                     path, file->size, limit);
        return NULL;
    }

    size_t bytes = (size_t)file->size;
    g_autofree char *text = g_try_malloc(bytes + 1);
    if (text == NULL) { // small is what the caller says it is: g_malloc would end the program
        error_failed(error, "%s: there is no memory for its %zu bytes.", path, bytes);
        return NULL;
    }
    if (!regular_file_read(file, text, bytes, 0, error)) {
        return NULL;
    }
    // for functions of strings
    text[bytes] = '\0';
    if (length != NULL) {
        *length = bytes;
    }
    return g_steal_pointer(&text);
}
