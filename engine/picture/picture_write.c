/* Writing picture files, whole or not at all: the name's extension says which codec appends to an
 * atomic file, and only a whole picture is given its name.
 *
 * What began with a picture that has a space of its own is written from the samples in that space,
 * with its profile; what its format cannot hold (grey in WebP, alpha in JPEG) is converted or put
 * on white. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/picture/picture_origin.h"

#include <math.h>
#include <string.h>

typedef bool (*codec_function)(const struct picture_sheet *sheet, GError **error);

struct format {
    const char *extension;
    codec_function write;
    bool lossy, has_grey, has_alpha;
};

static const struct format formats[] = {
    {".png", picture_png_write, false, true, true},
    {".tif", picture_tiff_write, false, true, true},
    {".tiff", picture_tiff_write, false, true, true},
    {".jpg", picture_jpeg_write, true, true, false},
    {".jpeg", picture_jpeg_write, true, true, false},
    {".webp", picture_webp_write, true, false, true},
};

static const struct format *find_format(const char *path)
{
    // a point in a folder's name is no extension
    const char *name = strrchr(path, '/');
    const char *extension = strrchr(name ? name : path, '.');

    for (size_t i = 0; extension && i < G_N_ELEMENTS(formats); i++) {
        if (g_ascii_strcasecmp(extension, formats[i].extension) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

bool picture_check_name(const char *path, GError **error)
{
    if (find_format(path)) {
        return true;
    }
    return error_usage(error, "%s: a picture's name must end in .png, .tif (float), .jpg or .webp.",
                       path);
}

bool picture_name_is_lossy(const char *path)
{
    const struct format *format = find_format(path);

    return format && format->lossy;
}

bool picture_name_has_alpha(const char *path)
{
    const struct format *format = find_format(path);

    return format && format->has_alpha;
}

// not a number: a black picture would hide that something went wrong before
static bool check_pixels(const char *path, const picture *p, GError **error)
{
    const size_t n = (size_t)p->width * p->height * p->channels;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p->pixels[i])) {
            return error_failed(
                error, "%s: the picture holds values that are not numbers; try --precision f32.",
                path);
        }
    }
    return true;
}

/* ---- what is written ---- */

/* The samples in the picture's own space; a grey one has 1 channel, or 2 with alpha. The alpha is
 * the picture's: what was clear may have been painted. */
static picture *own_samples(const picture *p, GError **error)
{
    const struct picture_origin *o = p->origin;
    const int colours = o->space == PICTURE_GREY ? 1 : 3;
    const bool alpha = p->channels == 4;
    picture *out = picture_create(p->width, p->height, colours + (alpha ? 1 : 0), error);

    if (out) {
        picture_take_channels(out, 0, o->own, 0, colours);
    }
    if (out && alpha) {
        picture_take_channels(out, colours, p, 3, 1);
    }
    return out;
}

// grey as R'G'B' in sRGB with the picture's alpha, for a format without grey
static picture *grey_as_srgb(const picture *p, GError **error)
{
    g_autoptr(picture) out = picture_copy(p, error);

    if (out) {
        picture_take_channels(out, 0, p->origin->own, 0, 3);
    }
    if (!out || !picture_profile_to_srgb(p->origin->icc, PICTURE_GREY, out, error)) {
        return NULL;
    }
    return g_steal_pointer(&out);
}

/* Fills the sheet; what has to be made for it is owned by *made. */
static bool fill_sheet(struct picture_sheet *sheet, const struct format *format, const picture *p,
                       picture **made, GError **error)
{
    static const struct picture_chunks none;
    static const float white[3] = {1, 1, 1};
    const struct picture_origin *o = p->origin;
    const bool own = o && o->own;
    const bool widened = own && o->space == PICTURE_GREY && !format->has_grey;

    *made = widened ? grey_as_srgb(p, error) : own ? own_samples(p, error) : NULL;
    if (own && !*made) {
        return false;
    }
    if (!format->has_alpha && (p->channels == 4 || p->channels == 2)) {
        *made = *made ? *made : picture_copy(p, error);
        if (!*made) {
            return false;
        }
        picture_flatten(*made, white);
    }
    sheet->p = *made ? *made : p;
    sheet->bits = o && o->bits > 8 ? 16 : 8;
    sheet->icc = own && !widened ? o->icc : NULL;
    sheet->chunks = o && !widened ? &o->chunks : &none;
    return true;
}

bool picture_write_with(const char *path, const picture *p, const struct picture_writing *w,
                        GError **error)
{
    struct picture_sheet sheet = {.path = path,
                                  .quality = w->quality > 0 ? w->quality : PICTURE_QUALITY,
                                  .texts = w->texts,
                                  .n_texts = w->n_texts};
    g_autoptr(atomic_file) file = NULL;
    g_autoptr(picture) made = NULL;

    if (!picture_check_name(path, error) || !check_pixels(path, p, error) ||
        !fill_sheet(&sheet, find_format(path), p, &made, error)) {
        return false;
    }
    sheet.file = file = atomic_file_create(path, error);
    return file && find_format(path)->write(&sheet, error) && atomic_file_commit(file, error);
}

bool picture_write(const char *path, const picture *p, const struct picture_text *texts,
                   size_t n_texts, GError **error)
{
    const struct picture_writing w = {.texts = texts, .n_texts = n_texts};

    return picture_write_with(path, p, &w, error);
}
