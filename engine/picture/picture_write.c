/* Writing picture files, whole or not at all: the name's extension says which codec appends to an
 * atomic file, and only a whole picture is given its name. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"

#include <math.h>
#include <string.h>

typedef bool (*codec_function)(struct atomic_file *file, const char *path, const picture *p,
                               const struct picture_text *texts, size_t n_texts, GError **error);

static const struct {
    const char *extension;
    codec_function write;
} formats[] = {
    {".png", picture_png_write},
    {".tif", picture_tiff_write},
    {".tiff", picture_tiff_write},
};

static codec_function find_codec(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *extension = strrchr(name ? name : path, '.');

    for (size_t i = 0; extension && i < G_N_ELEMENTS(formats); i++) {
        if (g_ascii_strcasecmp(extension, formats[i].extension) == 0) {
            return formats[i].write;
        }
    }
    return NULL;
}

bool picture_check_name(const char *path, GError **error)
{
    if (find_codec(path)) {
        return true;
    }
    g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE,
                "%s: a picture's name must end in .png (8 bits) or .tif (float).", path);
    return false;
}

// not a number: a black picture would hide that something went wrong before
static bool check_pixels(const char *path, const picture *p, GError **error)
{
    const size_t n = (size_t)p->width * p->height * p->channels;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p->pixels[i])) {
            g_set_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED,
                        "%s: the picture holds values that are not numbers; try --precision f32.",
                        path);
            return false;
        }
    }
    return true;
}

bool picture_write(const char *path, const picture *p, const struct picture_text *texts,
                   size_t n_texts, GError **error)
{
    g_autoptr(atomic_file) file = NULL;

    if (!picture_check_name(path, error) || !check_pixels(path, p, error)) {
        return false;
    }
    file = atomic_file_create(path, error);
    return file && find_codec(path)(file, path, p, texts, n_texts, error) &&
           atomic_file_commit(file, error);
}
