/* Pictures from one process to another; see picture_exchange.h. */
#include "engine/picture/picture_exchange.h"

#include "engine/picture/picture_codec.h"

bool picture_exchange_write(const char *path, const picture *p, GError **error)
{
    g_autoptr(atomic_file) file = atomic_file_create(path, error);
    const struct picture_sheet sheet = {.file = file, .path = path, .p = p};

    return file != NULL && picture_tiff_write(&sheet, error) && atomic_file_commit(file, error);
}

picture *picture_exchange_read(const char *path, GError **error)
{
    struct picture_source source;
    picture *p = NULL;

    if (picture_source_open(&source, path, 1, error)) {
        p = picture_tiff_read(&source, error);
        picture_source_close(&source);
    }
    return p;
}
