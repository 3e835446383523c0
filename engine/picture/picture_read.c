/* Reading picture files: opens, looks at the first bytes, and calls the codec of that format.
 *
 * The name's extension does not count. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/picture/picture_origin.h"

typedef picture *(*codec_function)(const struct picture_source *source, GError **error);

// the formats by their first bytes; '?' stands for any byte
static const struct {
    const char *magic;
    size_t size;
    codec_function read;
} formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, picture_png_read},
    {"\xff\xd8\xff", 3, picture_jpeg_read},
    {"RIFF????WEBP", 12, picture_webp_read},
    {"II*\0", 4, picture_tiff_read},
    {"MM\0*", 4, picture_tiff_read},
    {"II+\0", 4, picture_tiff_read},
    {"MM\0+", 4, picture_tiff_read},
};

static bool magic_matches(const uint8_t *start, size_t size, const char *magic, size_t n)
{
    if (size < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (magic[i] != '?' && start[i] != (uint8_t)magic[i]) {
            return false;
        }
    }
    return true;
}

static codec_function sniff(const struct picture_source *source)
{
    uint8_t start[12];
    const size_t size = fread(start, 1, sizeof(start), source->stream);

    // the codec begins at the first byte again
    rewind(source->stream);
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (magic_matches(start, size, formats[i].magic, formats[i].size)) {
            return formats[i].read;
        }
    }
    return NULL;
}

// with the values of the file
static picture *read_own(const char *path, int minimum, GError **error)
{
    struct picture_source source;
    codec_function read;
    picture *p = NULL;

    if (!picture_source_open(&source, path, minimum, error)) {
        return NULL;
    }
    read = sniff(&source);
    if (read) {
        p = read(&source, error);
    } else {
        error_failed(error,
                     "%s: this is no PNG, JPEG, WebP or TIFF picture; save it as one of these.",
                     path);
    }
    picture_source_close(&source);
    return p;
}

picture *picture_read(const char *path, int minimum, GError **error)
{
    return picture_origin_take(read_own(path, minimum, error), path, error);
}

// equal channels give exactly that value, so that a grey file keeps its own numbers
static float luminance(const float *pixel)
{
    if (pixel[0] == pixel[1] && pixel[1] == pixel[2]) {
        return pixel[0];
    }
    return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

picture *picture_read_mask(const char *path, int minimum, GError **error)
{
    picture *p = read_own(path, minimum, error);

    if (!p) {
        return NULL;
    }
    // a mask is numbers, not colours: profiles do not apply, but ink must become light
    if (picture_was_cmyk(p) && !picture_profile_to_srgb(NULL, PICTURE_CMYK, p, error)) {
        picture_free(p);
        return NULL;
    }
    g_clear_pointer(&p->origin, picture_origin_unref);
    for (size_t i = 0, n = (size_t)p->width * p->height; i < n; i++) {
        const float *pixel = p->pixels + i * p->channels;
        const float alpha = p->channels == 4 ? pixel[3] : 1.0f;
        // in place: pixel i is read before place i is written; what is clear is black
        p->pixels[i] = alpha * luminance(pixel);
    }
    p->channels = 1;
    return p;
}
