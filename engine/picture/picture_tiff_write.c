/* Writing TIFF files by libtiff: 32-bit float, so that a result keeps what the network computed.
 *
 * One strip a few rows, no compression: noise in the low bits does not compress. The texts go into
 * ImageDescription, which GIMP shows as the comment. */
#include "engine/picture/picture_tiff.h"

#define STRIP_BYTES (256 << 10)

// libtiff's file: an atomic file and the place where libtiff stands in it
struct tiff_output {
    struct atomic_file *file;
    uint64_t at, size;
    GError **error;
    bool refused; // by the file, with an error set
};

// a file that is being written is never read back
static tmsize_t on_read(thandle_t handle, void *data, tmsize_t size)
{
    return -1;
}

static tmsize_t on_write(thandle_t handle, void *data, tmsize_t size)
{
    struct tiff_output *out = handle;

    if (out->refused ||
        !atomic_file_write_at(out->file, data, (size_t)size, (int64_t)out->at, out->error)) {
        // kept, because libtiff goes on after an error
        out->refused = true;
        return -1;
    }
    // libtiff comes back to the header at the end, so the largest place is the size
    out->at += size;
    out->size = MAX(out->size, out->at);
    return size;
}

static toff_t on_seek(thandle_t handle, toff_t offset, int whence)
{
    struct tiff_output *out = handle;
    const uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? out->at : out->size;

    out->at = from + offset;
    return out->at;
}

static int on_close(thandle_t handle)
{
    return 0;
}

static toff_t on_size(thandle_t handle)
{
    return ((const struct tiff_output *)handle)->size;
}

static void set_texts(TIFF *tiff, const struct picture_text *texts, size_t n_texts)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (size_t i = 0; i < n_texts; i++) {
        g_string_append_printf(all, "%s%s: %s", i > 0 ? "\n\n" : "", texts[i].key, texts[i].value);
    }
    if (all->len > 0) {
        TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, all->str);
    }
}

static void set_profile(TIFF *tiff, GBytes *icc)
{
    gsize size = 0;
    const void *data = icc ? g_bytes_get_data(icc, &size) : NULL;

    if (data) {
        TIFFSetField(tiff, TIFFTAG_ICCPROFILE, (uint32_t)size, data);
    }
}

static void set_layout(TIFF *tiff, const picture *p, uint32_t rows)
{
    const uint16_t alpha = EXTRASAMPLE_UNASSALPHA;

    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, (uint32_t)p->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, (uint32_t)p->height);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, p->channels);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 32);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                 p->channels <= 2 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
    if (p->channels == 4 || p->channels == 2) {
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
    }
}

static bool write_strips(TIFF *tiff, const picture *p, uint32_t rows)
{
    const size_t stride = (size_t)p->width * p->channels;
    uint32_t strip = 0;

    for (uint32_t y = 0; y < (uint32_t)p->height; y += rows, strip++) {
        const size_t n = MIN(rows, p->height - y) * stride * sizeof(float);
        // libtiff does not change the values of a file in the machine's own byte order
        if (TIFFWriteEncodedStrip(tiff, strip, p->pixels + y * stride, (tmsize_t)n) < 0) {
            return false;
        }
    }
    return TIFFWriteDirectory(tiff);
}

bool picture_tiff_write(const struct picture_sheet *sheet, GError **error)
{
    const picture *p = sheet->p;
    const size_t row = (size_t)p->width * p->channels * sizeof(float);
    // small strips, so that readers need not hold the picture twice
    const uint32_t rows = (uint32_t)MAX(1, STRIP_BYTES / row);
    struct tiff_output out = {.file = sheet->file, .error = error};
    struct picture_tiff_job job = {0};
    TIFFOpenOptions *options = picture_tiff_options(&job);
    TIFF *tiff = TIFFClientOpenExt("TIFF", "w", &out, on_read, on_write, on_seek, on_close, on_size,
                                   NULL, NULL, options);
    bool done = false;

    TIFFOpenOptionsFree(options);
    if (tiff) {
        set_layout(tiff, p, rows);
        set_profile(tiff, sheet->icc);
        set_texts(tiff, sheet->texts, sheet->n_texts);
        done = write_strips(tiff, p, rows);
        // it writes the rest: only afterwards it is known whether all went well
        TIFFClose(tiff);
    }
    done = done && !job.message[0] && !out.refused;
    if (!done && !out.refused) {
        picture_set_unmade(sheet, "TIFF", job.message, error);
    }
    return done;
}
