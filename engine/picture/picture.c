/* Pictures in memory: rows of floats, channels last; see picture.h.
 *
 * Here is what has nothing to do with a file format: memory, alpha, and the eight ways in which an
 * EXIF orientation says that stored rows are to be seen. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/base/machine.h"
#include "engine/picture/picture_origin.h"

#include <math.h>
#include <string.h>

// above this many bytes the machine is asked before memory is taken
#define LARGE (64u << 20)

picture *picture_create(int width, int height, int channels, GError **error)
{
    const uint64_t bytes = (uint64_t)width * height * channels * sizeof(float);
    picture *p;

    g_assert(width > 0 && height > 0 && channels > 0 && channels <= 4);
    // asking costs a look at /proc, which small pictures need not pay
    if (bytes > LARGE && !machine_check_memory(bytes, error)) {
        g_prefix_error(error, "a picture of %d x %d pixels: ", width, height);
        return NULL;
    }
    p = g_new(picture, 1);
    *p = (picture){.width = width, .height = height, .channels = channels};
    // g_malloc would end the program; a picture too many is no reason for that
    p->pixels = bytes > G_MAXSIZE ? NULL : g_try_malloc(bytes);
    if (!p->pixels) {
        error_failed(error,
                     "there is no memory for a picture of %d x %d pixels; use a smaller one.",
                     width, height);
        g_clear_pointer(&p, picture_free);
    }
    return p;
}

picture *picture_copy(const picture *p, GError **error)
{
    picture *out = picture_create(p->width, p->height, p->channels, error);

    if (out) {
        memcpy(out->pixels, p->pixels, (size_t)p->width * p->height * p->channels * sizeof(float));
    }
    return out;
}

void picture_take_channels(picture *p, int first, const picture *from, int k, int n)
{
    g_assert(from->width == p->width && from->height == p->height);
    for (size_t i = 0, pixels = (size_t)p->width * p->height; i < pixels; i++) {
        memcpy(p->pixels + i * p->channels + first, from->pixels + i * from->channels + k,
               n * sizeof *p->pixels);
    }
}

void picture_free(picture *p)
{
    if (p) {
        picture_origin_unref(p->origin);
        g_free(p->pixels);
        g_free(p);
    }
}

picture *picture_create_checked(const struct picture_source *source, int64_t width, int64_t height,
                                int channels, GError **error)
{
    const int maximum = source->maximum > 0 ? source->maximum : PICTURE_SIDE_MAX;
    picture *p;

    if (width < source->minimum || height < source->minimum || width < 1 || height < 1) {
        error_failed(error,
                     "%s: this picture has %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                     " pixels, at least %d x %d are needed.",
                     source->path, width, height, source->minimum, source->minimum);
        return NULL;
    }
    if (width > maximum || height > maximum) {
        error_failed(error,
                     "%s: this picture has %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                     " pixels; scale it down to at most %d a side.",
                     source->path, width, height, maximum);
        return NULL;
    }
    p = picture_create((int)width, (int)height, channels, error);
    if (!p) {
        g_prefix_error(error, "%s: ", source->path);
    }
    return p;
}

bool picture_set_damaged(const struct picture_source *source, const char *format,
                         const char *detail, GError **error)
{
    return error_failed(error,
                        "%s: this is a damaged or cut-off %s file (%s); use another copy of it.",
                        source->path, format, detail);
}

bool picture_set_large(const struct picture_source *source, GError **error)
{
    return error_failed(error, "%s: there is no memory for its pixels; use a smaller picture.",
                        source->path);
}

bool picture_set_unmade(const struct picture_sheet *sheet, const char *format, const char *message,
                        GError **error)
{
    return error_failed(error, "%s: the %s cannot be made: %s.", sheet->path, format,
                        message[0] ? message : "no memory is left");
}

void picture_set_row_8(picture *p, int y, const uint8_t *row)
{
    const size_t n = (size_t)p->width * p->channels;
    float *out = p->pixels + n * y;

    for (size_t i = 0; i < n; i++) {
        // divided, not multiplied by 1/255: the way back gives every value again
        out[i] = row[i] / 255.0f;
    }
}

void picture_row_8(const picture *p, int y, uint8_t *row)
{
    const size_t n = (size_t)p->width * p->channels;
    const float *from = p->pixels + n * y;

    for (size_t i = 0; i < n; i++) {
        row[i] = (uint8_t)lrintf(CLAMP(from[i], 0.0f, 1.0f) * 255.0f);
    }
}

void picture_flatten(picture *p, const float background[3])
{
    const size_t n = (size_t)p->width * p->height;

    const int colours = p->channels - 1;

    if (p->channels != 4 && p->channels != 2) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const float *from = p->pixels + p->channels * i;
        const float alpha = from[colours];
        for (int c = 0; c < colours; c++) {
            // in place: the pixel written is never behind the one read
            p->pixels[colours * i + c] = from[c] * alpha + background[c] * (1 - alpha);
        }
    }
    p->channels = colours;
}

void picture_unmultiply(picture *p)
{
    const size_t n = (size_t)p->width * p->height;

    for (size_t i = 0; i < n; i++) {
        float *pixel = p->pixels + 4 * i;
        for (int c = 0; c < 3; c++) {
            // what is clear has no colour; rounding may lift one above 1
            pixel[c] = pixel[3] > 0 ? MIN(pixel[c] / pixel[3], 1.0f) : 0.0f;
        }
    }
}

// a TIFF header's numbers, in its own byte order
static unsigned number_2(const uint8_t *data, bool big)
{
    return big ? data[0] << 8 | data[1] : data[1] << 8 | data[0];
}

static uint32_t number_4(const uint8_t *data, bool big)
{
    const uint32_t first = number_2(data, big), second = number_2(data + 2, big);

    return big ? first << 16 | second : second << 16 | first;
}

/* EXIF data is a small TIFF file: byte order, 42, offset of the first directory; a directory is a
 * count and entries of 12 bytes: tag, type, count, value. Orientation is tag 0x112, a short. */
int picture_exif_orientation(const uint8_t *data, size_t size)
{
    const bool big = size >= 8 && data[0] == 'M';
    size_t at, n;

    // "II" is the little, "MM" the big byte order; anything else says nothing of the orientation
    if (size < 8 || data[0] != data[1] || (!big && data[0] != 'I') ||
        number_2(data + 2, big) != 42) {
        return 1;
    }
    at = number_4(data + 4, big);
    if (at > size - 2) {
        return 1;
    }
    n = number_2(data + at, big);
    for (at += 2; n > 0 && at + 12 <= size; n--, at += 12) {
        if (number_2(data + at, big) == 0x112 && number_2(data + at + 2, big) == 3) {
            const unsigned orientation = number_2(data + at + 8, big);
            return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
        }
    }
    return 1;
}

/* An orientation is up to three steps on the stored picture: 5 to 8 exchange rows and columns; then
 * some are mirrored left to right, some top to bottom. */
picture *picture_orient(picture *p, int orientation, GError **error)
{
    const bool turned = orientation >= 5;
    const bool mirror =
        orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const bool upside =
        orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    picture *out;

    if (!p || orientation == 1) {
        return p;
    }
    out = picture_create(turned ? p->height : p->width, turned ? p->width : p->height, p->channels,
                         error);
    for (int y = 0; out && y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            // where the pixel stood when it was stored
            const int column = mirror ? out->width - 1 - x : x;
            const int row = upside ? out->height - 1 - y : y;
            const size_t from =
                turned ? (size_t)column * p->width + row : (size_t)row * p->width + column;
            memcpy(out->pixels + ((size_t)y * out->width + x) * p->channels,
                   p->pixels + from * p->channels, p->channels * sizeof(float));
        }
    }
    if (out) {
        out->origin = g_steal_pointer(&p->origin);
    }
    picture_free(p);
    return out;
}
