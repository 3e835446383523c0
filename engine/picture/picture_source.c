/* A picture file that is being read: what is not a regular file is never read, a FIFO would block,
 * a device might never end. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"

#include <unistd.h>

bool picture_source_open(struct picture_source *source, const char *path, int minimum,
                         GError **error)
{
    *source = (struct picture_source){.path = path, .minimum = minimum};
    source->file = regular_file_open(path, error);
    if (!source->file) {
        return false;
    }
    source->size = source->file->size;
    if (source->size == 0) {
        error_failed(error, "%s: this file is empty; give a PNG, JPEG, WebP or TIFF picture.",
                     path);
    } else if (source->size > PICTURE_FILE_MAX) {
        error_failed(error, "%s: this file is larger than %d MiB; scale the picture down.", path,
                     (int)(PICTURE_FILE_MAX >> 20));
    } else {
        // a descriptor of its own, because fclose closes it and the file stays open for its owner
        source->stream = fdopen(dup(source->file->fd), "rb");
        if (source->stream) {
            return true;
        }
        error_system(error, path, "cannot be opened");
    }
    picture_source_close(source);
    return false;
}

void picture_source_close(struct picture_source *source)
{
    if (source->stream) {
        fclose(source->stream);
    }
    regular_file_close(source->file);
    source->stream = NULL;
    source->file = NULL;
}
