/* Writing WebP files by libwebp: lossy, in 8 bits, with alpha, the profile, and the texts as EXIF's
 * user comment. The picture is made first; a file with more in it is put together by libwebpmux. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/picture/picture_exif.h"

#include <webp/encode.h>
#include <webp/mux.h>

#define EXIF_MAX (1u << 20) // bytes

// the rows of the sheet for libwebp; false without memory
static bool import(WebPPicture *webp, const picture *p)
{
    const int stride = p->width * p->channels;
    g_autofree uint8_t *rows = g_try_malloc_n(p->height, stride);

    for (int y = 0; rows && y < p->height; y++) {
        picture_row_8(p, y, rows + (size_t)stride * y);
    }
    return rows && (p->channels == 4 ? WebPPictureImportRGBA(webp, rows, stride)
                                     : WebPPictureImportRGB(webp, rows, stride));
}

// one value for three: a mask has no other place
static picture *widen(const picture *p, GError **error)
{
    picture *out = picture_create(p->width, p->height, 3, error);

    for (size_t i = 0, n = (size_t)p->width * p->height * 3; out && i < n; i++) {
        out->pixels[i] = p->pixels[i / 3];
    }
    return out;
}

static bool encode(const picture *p, int quality, WebPMemoryWriter *to)
{
    WebPPicture webp;
    WebPConfig config;
    bool done;

    if (!WebPPictureInit(&webp) || !WebPConfigInit(&config)) {
        return false;
    }
    config.quality = (float)quality;
    // colours below clear pixels stay, as in the other formats
    config.exact = 1;
    // the encoder takes R'G'B' and makes its own Y'CbCr
    webp.use_argb = 1;
    webp.width = p->width;
    webp.height = p->height;
    webp.writer = WebPMemoryWrite;
    webp.custom_ptr = to;
    done = import(&webp, p) && WebPEncode(&config, &webp);
    WebPPictureFree(&webp);
    return done;
}

static bool add_chunk(WebPMux *mux, const char *name, GBytes *content)
{
    gsize size = 0;
    const void *bytes = content ? g_bytes_get_data(content, &size) : NULL;
    const WebPData chunk = {bytes, size};

    return !content || WebPMuxSetChunk(mux, name, &chunk, 0) == WEBP_MUX_OK;
}

static bool write_all(const struct picture_sheet *sheet, const WebPMemoryWriter *encoded,
                      GError **error)
{
    const WebPData image = {encoded->mem, encoded->size};
    g_autoptr(GBytes) exif = picture_exif_texts(sheet->texts, sheet->n_texts, EXIF_MAX);
    WebPMux *mux = WebPMuxNew();
    WebPData whole = {0};
    bool done = mux && WebPMuxSetImage(mux, &image, 0) == WEBP_MUX_OK &&
                add_chunk(mux, "ICCP", sheet->icc) && add_chunk(mux, "EXIF", exif) &&
                WebPMuxAssemble(mux, &whole) == WEBP_MUX_OK;

    done = (done || picture_set_unmade(sheet, "WebP", "", error)) &&
           atomic_file_write(sheet->file, whole.bytes, whole.size, error);
    WebPDataClear(&whole);
    WebPMuxDelete(mux);
    return done;
}

bool picture_webp_write(const struct picture_sheet *sheet, GError **error)
{
    g_autoptr(picture) wide = sheet->p->channels == 1 ? widen(sheet->p, error) : NULL;
    const picture *p = wide ? wide : sheet->p;
    WebPMemoryWriter encoded;
    bool done;

    if (p->channels == 1) {
        return false;
    }
    if (p->width > WEBP_MAX_DIMENSION || p->height > WEBP_MAX_DIMENSION) {
        return error_failed(error, "%s: a WebP has at most %d pixels a side; write a .png.",
                            sheet->path, WEBP_MAX_DIMENSION);
    }
    WebPMemoryWriterInit(&encoded);
    done = (encode(p, sheet->quality, &encoded) || picture_set_unmade(sheet, "WebP", "", error)) &&
           write_all(sheet, &encoded, error);
    WebPMemoryWriterClear(&encoded);
    return done;
}
