/* WebP files by libwebp: lossy and lossless, with alpha, the EXIF orientation and the profile.
 *
 * libwebp decodes from memory, so the file is read whole. Its container parser refuses a file that
 * ends early. Animations have no single picture and are refused. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/picture/picture_origin.h"

#include <webp/decode.h>
#include <webp/demux.h>

static bool read_file(const struct picture_source *source, uint8_t **data, GError **error)
{
    *data = g_try_malloc(source->size);
    if (!*data) {
        return error_failed(error, "%s: there is no memory to read it; use a smaller picture.",
                            source->path);
    }
    return regular_file_read(source->file, *data, source->size, 0, error);
}

// R'G'B' with or without alpha, 8 bits, [height, width, channels]; freed by WebPFree
static uint8_t *decode(const uint8_t *data, size_t size, int channels)
{
    int width, height;

    return (channels == 4 ? WebPDecodeRGBA : WebPDecodeRGB)(data, size, &width, &height);
}

static bool read_pixels(const struct picture_source *source, const uint8_t *data, picture *p,
                        GError **error)
{
    const size_t stride = (size_t)p->width * p->channels;
    uint8_t *rows = decode(data, source->size, p->channels);

    if (!rows) {
        return picture_set_damaged(source, "WebP", "its pixels cannot be decoded", error);
    }
    for (int y = 0; y < p->height; y++) {
        picture_set_row_8(p, y, rows + stride * y);
    }
    WebPFree(rows);
    return true;
}

static int orientation_of(const WebPDemuxer *demuxer)
{
    WebPChunkIterator exif;
    int orientation = 1;

    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &exif)) {
        // some programs put JPEG's marker before the data
        const bool marked = exif.chunk.size > 6 && exif.chunk.bytes[0] == 'E';
        const size_t skip = marked ? 6 : 0;
        orientation = picture_exif_orientation(exif.chunk.bytes + skip, exif.chunk.size - skip);
        WebPDemuxReleaseChunkIterator(&exif);
    }
    return orientation;
}

static void read_profile(const WebPDemuxer *demuxer, picture *p)
{
    WebPChunkIterator icc;

    if (WebPDemuxGetChunk(demuxer, "ICCP", 1, &icc)) {
        picture_origin_set_profile(p, icc.chunk.bytes, icc.chunk.size);
        WebPDemuxReleaseChunkIterator(&icc);
    }
}

static picture *read_data(const struct picture_source *source, const uint8_t *data, GError **error)
{
    const WebPData whole = {.bytes = data, .size = source->size};
    WebPDemuxer *demuxer = WebPDemux(&whole);
    WebPBitstreamFeatures features;
    picture *p = NULL;

    if (!demuxer || WebPGetFeatures(data, source->size, &features) != VP8_STATUS_OK) {
        picture_set_damaged(source, "WebP", "its parts do not fit together", error);
    } else if (features.has_animation) {
        error_failed(error, "%s: this is an animation; save one frame of it as a picture.",
                     source->path);
    } else {
        p = picture_create_checked(source, features.width, features.height,
                                   features.has_alpha ? 4 : 3, error);
    }
    if (p && !read_pixels(source, data, p, error)) {
        g_clear_pointer(&p, picture_free);
    }
    if (p) {
        read_profile(demuxer, p);
    }
    p = picture_orient(p, p ? orientation_of(demuxer) : 1, error);
    WebPDemuxDelete(demuxer);
    return p;
}

picture *picture_webp_read(const struct picture_source *source, GError **error)
{
    g_autofree uint8_t *data = NULL;

    return read_file(source, &data, error) ? read_data(source, data, error) : NULL;
}
