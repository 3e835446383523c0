/* A small file, read whole: configurations, vocabularies, merges.
 *
 * Models come from anywhere, and a path may lead to a pipe, which g_file_get_contents would wait on
 * for ever, or to a file without end. So: open without waiting, look at what it is, check the size,
 * then read exactly that many bytes. */
#include "engine/text_file.h"

#include "engine/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

// an open regular file of at most limit bytes, or -1
static int open_regular(const char *path, size_t limit, size_t *length, GError **error)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (file < 0 || fstat(file, &info) != 0) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED, "%s: cannot be opened: %s.", path,
                    g_strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "%s: is not an ordinary file; name a file.", path);
    } else if ((uint64_t)info.st_size > limit) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                    "%s: has %" G_GINT64_FORMAT " bytes, more than the %" G_GSIZE_FORMAT
                    " that such a file may have; is it the right file?",
                    path, (gint64)info.st_size, limit);
    } else {
        *length = (size_t)info.st_size;
        return file;
    }
    if (file >= 0) {
        close(file);
    }
    return -1;
}

// fills data with length bytes; a file that ends earlier was changed while it was read
static bool read_all(int file, const char *path, char *data, size_t length, GError **error)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = read(file, data + done, length - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED, "%s: cannot be read: %s.", path,
                        got < 0 ? g_strerror(errno) : "it became shorter meanwhile");
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

char *text_file_read(const char *path, size_t limit, size_t *length, GError **error)
{
    int file = open_regular(path, limit, length, error);
    if (file < 0) {
        return NULL;
    }
    char *data = g_try_malloc(*length + 1);
    if (!data) {
        g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED, "%s: no memory to read it.", path);
    } else if (read_all(file, path, data, *length, error)) {
        data[*length] = '\0';
    } else {
        g_clear_pointer(&data, g_free);
    }
    close(file);
    return data;
}
