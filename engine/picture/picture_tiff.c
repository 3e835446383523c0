/* Reading TIFF files by libtiff.
 *
 * Grey, R'G'B' and CMYK samples of 8, 16, 32 bits or float (16, 32, 64) are taken as they are, from
 * strips or tiles, interleaved or in planes, so that nothing of a float file is lost; every other
 * kind (palette, 1 bit, YCbCr, Lab) goes through libtiff's own conversion to 8 bits. */
#include "engine/picture/picture_tiff.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/picture/picture_origin.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

// tiles of more pixels a side than this are damage
#define BLOCK_SIDE_MAX (1u << 20)

// where samples lie: strips are read as tiles that are as wide as the picture
struct layout {
    uint32_t width, height;
    uint16_t bits, format, samples, photometric, planes, orientation, ink_set;
    bool tiled, alpha, multiplied, planar;
    uint32_t block_width, block_height;
};

static int on_message(TIFF *tiff, void *user, const char *module, const char *format, va_list list)
{
    struct picture_tiff_job *job = user;

    // the first message is the cause; what follows it are consequences
    if (!job->message[0]) {
        g_vsnprintf(job->message, sizeof(job->message), format, list);
    }
    return 1;
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list list)
{
    return 1;
}

TIFFOpenOptions *picture_tiff_options(struct picture_tiff_job *job)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

    if (options) {
        TIFFOpenOptionsSetErrorHandlerExtR(options, on_message, job);
        TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, job);
    }
    return options;
}

// the first extra sample is alpha if the file says so; a sample without a meaning is left out
static void read_alpha(TIFF *tiff, struct layout *l, int colours)
{
    uint16_t n = 0, *kinds = NULL;

    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &n, &kinds) && n > 0 && l->samples > colours) {
        l->multiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
        l->alpha = l->multiplied || kinds[0] == EXTRASAMPLE_UNASSALPHA;
    }
}

// CMYK in the usual order of inks
static bool is_ink(const struct layout *l)
{
    return l->photometric == PHOTOMETRIC_SEPARATED && l->ink_set == INKSET_CMYK && l->samples >= 4;
}

static int colours_of(const struct layout *l)
{
    return is_ink(l) ? 4 : l->photometric == PHOTOMETRIC_RGB ? 3 : 1;
}

static void read_layout(TIFF *tiff, struct layout *l)
{
    *l = (struct layout){.photometric = PHOTOMETRIC_MINISBLACK};
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &l->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &l->height);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &l->photometric);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &l->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &l->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &l->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &l->planes);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &l->orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &l->ink_set);
    // of one sample both ways are the same
    l->planar = l->planes == PLANARCONFIG_SEPARATE && l->samples > 1;
    l->tiled = TIFFIsTiled(tiff);
    l->block_width = l->width;
    if (l->tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &l->block_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &l->block_height);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &l->block_height);
        // "all rows" is written as 2^32 - 1
        l->block_height = MIN(l->block_height, l->height);
    }
    // last, because it needs the number of colours
    read_alpha(tiff, l, colours_of(l));
    l->alpha = l->alpha && !is_ink(l); // there is no room for it beside four inks
}

static bool is_float(const struct layout *l)
{
    return l->format == SAMPLEFORMAT_IEEEFP;
}

// whether the samples are taken as they are
static bool is_plain(const struct layout *l)
{
    const bool kind = l->photometric == PHOTOMETRIC_MINISBLACK ||
                      l->photometric == PHOTOMETRIC_MINISWHITE ||
                      (l->photometric == PHOTOMETRIC_RGB && l->samples >= 3) || is_ink(l);
    const bool whole =
        l->format == SAMPLEFORMAT_UINT && (l->bits == 8 || l->bits == 16 || l->bits == 32);
    const bool fraction = is_float(l) && (l->bits == 16 || l->bits == 32 || l->bits == 64);

    return kind && (whole || fraction);
}

// sample i of a decoded block, in the machine's byte order, as 0..1
static double sample_value(const struct layout *l, const uint8_t *block, size_t i)
{
    uint16_t half;
    uint32_t word;
    float single;
    double value;

    // copied, because a block of bytes need not be aligned
    switch (l->bits) {
    case 8:
        return block[i] / 255.0;
    case 16:
        memcpy(&half, block + 2 * i, 2);
        dtype_to_f32(DTYPE_F16, &half, &single, 1);
        return is_float(l) ? single : half / 65535.0;
    case 32:
        memcpy(&word, block + 4 * i, 4);
        memcpy(&single, block + 4 * i, 4);
        return is_float(l) ? single : word / 4294967295.0;
    default:
        memcpy(&value, block + 8 * i, 8);
        return value;
    }
}

/* Channel `to` of one pixel; grey fills three. A value that is no number makes the whole picture
 * useless, and is told by false. */
static bool set_sample(const struct layout *l, picture *p, size_t pixel, int to, double value)
{
    const bool grey = colours_of(l) == 1;
    float *out = p->pixels + pixel * p->channels;

    // before CLAMP, which would make a number of NaN
    if (!isfinite(value)) {
        return false;
    }
    value = CLAMP(value, 0.0, 1.0);
    if (grey && to == 0) {
        out[0] = out[1] = out[2] =
            (float)(l->photometric == PHOTOMETRIC_MINISWHITE ? 1 - value : value);
    } else {
        out[grey ? 3 : to] = (float)value;
    }
    return true;
}

/* Puts one block into the picture. x0, y0: its corner; plane: the sample that it holds in a file of
 * planes, else 0 and all samples of a pixel lie side by side. */
static bool place_block(const struct layout *l, picture *p, const uint8_t *block, uint32_t x0,
                        uint32_t y0, int plane)
{
    const int used = colours_of(l) + (l->alpha ? 1 : 0);
    // samples that lie between two pixels' own, those without a meaning among them
    const int step = l->planar ? 1 : l->samples;
    const int first = l->planar ? plane : 0, end = l->planar ? MIN(plane + 1, used) : used;
    const uint32_t x1 = MIN(x0 + l->block_width, l->width);
    const uint32_t y1 = MIN(y0 + l->block_height, l->height);

    for (uint32_t y = y0; y < y1; y++) {
        for (uint32_t x = x0; x < x1; x++) {
            const size_t in = ((size_t)(y - y0) * l->block_width + (x - x0)) * step;
            for (int c = first; c < end; c++) {
                const double value = sample_value(l, block, in + (c - first));
                if (!set_sample(l, p, (size_t)y * l->width + x, c, value)) {
                    return false;
                }
            }
        }
    }
    return true;
}

// one strip or tile, decoded; false if the file does not hold all of it
static bool read_block(TIFF *tiff, const struct layout *l, uint32_t x, uint32_t y, int plane,
                       uint8_t *block, size_t size)
{
    const uint32_t rows = l->tiled ? l->block_height : MIN(l->block_height, l->height - y);
    const size_t need = (size_t)rows * l->block_width * (l->planar ? 1 : l->samples) * l->bits / 8;
    tmsize_t got;

    // sizes of a hostile file need not agree with each other
    if (need > size) {
        return false;
    }
    if (l->tiled) {
        got = TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, (uint16_t)plane), block,
                                  (tmsize_t)size);
    } else {
        got = TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, (uint16_t)plane), block,
                                   (tmsize_t)need);
    }
    // libtiff gives what it could decode; less than a whole block is damage
    return got >= 0 && (size_t)got >= need;
}

static bool read_plane(TIFF *tiff, struct picture_tiff_job *job, const struct layout *l, picture *p,
                       int plane, uint8_t *block, size_t size)
{
    for (uint32_t y = 0; y < l->height; y += l->block_height) {
        for (uint32_t x = 0; x < l->width; x += l->block_width) {
            if (!read_block(tiff, l, x, y, plane, block, size)) {
                return false;
            }
            if (!place_block(l, p, block, x, y, plane)) {
                g_strlcpy(job->message, "it holds values that are not numbers",
                          sizeof(job->message));
                return false;
            }
        }
    }
    return true;
}

static bool read_plain(TIFF *tiff, struct picture_tiff_job *job, const struct layout *l, picture *p)
{
    const size_t size = l->tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    g_autofree uint8_t *block = size > 0 ? g_try_malloc(size) : NULL;
    const int planes = l->planar ? l->samples : 1;

    if (!block || l->block_width == 0 || l->block_height == 0 || l->block_width > BLOCK_SIDE_MAX ||
        l->block_height > BLOCK_SIDE_MAX) {
        return false;
    }
    for (int plane = 0; plane < planes; plane++) {
        if (!read_plane(tiff, job, l, p, plane, block, size)) {
            return false;
        }
    }
    if (l->alpha && l->multiplied) {
        // when all samples are there: in a file of planes alpha comes last
        picture_unmultiply(p);
    }
    return true;
}

// libtiff's conversion; asked for the orientation that the file has, it leaves the rows in place
static bool read_converted(TIFF *tiff, struct picture_tiff_job *job, const struct layout *l,
                           picture *p)
{
    g_autofree uint32_t *raster = g_try_malloc_n((size_t)l->width * l->height, 4);
    const size_t n = (size_t)l->width * l->height;

    if (!raster || !TIFFRGBAImageOK(tiff, job->message) ||
        !TIFFReadRGBAImageOriented(tiff, l->width, l->height, raster, l->orientation, 1)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < p->channels; c++) {
            // red in the lowest byte, then green, blue and alpha
            p->pixels[i * p->channels + c] = (raster[i] >> (8 * c) & 255) / 255.0f;
        }
    }
    if (l->alpha) {
        picture_unmultiply(p);
    }
    return true;
}

static void read_origin(TIFF *tiff, const struct layout *l, picture *p)
{
    const bool plain = is_plain(l);
    struct picture_origin *o = picture_origin_of(p);
    uint32_t size = 0;
    void *profile = NULL;

    o->bits = plain ? MIN(l->bits, 32) : 8;
    o->space =
        plain && is_ink(l) ? PICTURE_CMYK
        : l->photometric == PHOTOMETRIC_MINISBLACK || l->photometric == PHOTOMETRIC_MINISWHITE
            ? PICTURE_GREY
            : PICTURE_RGB;
    // libtiff makes R'G'B' of Lab and other inks; a profile of what it began with is of no use then
    if ((o->space != PICTURE_RGB || l->photometric != PHOTOMETRIC_SEPARATED) &&
        TIFFGetField(tiff, TIFFTAG_ICCPROFILE, &size, &profile)) {
        picture_origin_set_profile(p, profile, size);
    }
}

// the first picture of the file
static picture *read_first(TIFF *tiff, struct picture_tiff_job *job,
                           const struct picture_source *source, GError **error)
{
    struct layout l;
    picture *p;
    bool done;

    read_layout(tiff, &l);
    p = picture_create_checked(source, l.width, l.height,
                               l.alpha || (is_plain(&l) && is_ink(&l)) ? 4 : 3, error);
    if (!p) {
        return NULL;
    }
    read_origin(tiff, &l, p);
    done = is_plain(&l) ? read_plain(tiff, job, &l, p) : read_converted(tiff, job, &l, p);
    if (!done) {
        picture_set_damaged(source, "TIFF",
                            job->message[0] ? job->message : "its pixels are not all there", error);
        g_clear_pointer(&p, picture_free);
    }
    return picture_orient(p, l.orientation, error);
}

picture *picture_tiff_read(const struct picture_source *source, GError **error)
{
    struct picture_tiff_job job = {0};
    TIFFOpenOptions *options = picture_tiff_options(&job);
    const int fd = dup(source->file->fd); // libtiff closes its own
    // m: the file is not mapped, it may become shorter while it is read
    TIFF *tiff = options && fd >= 0 ? TIFFFdOpenExt(fd, source->path, "rm", options) : NULL;
    picture *p;

    TIFFOpenOptionsFree(options);
    if (!tiff) {
        if (fd >= 0) {
            close(fd);
        }
        picture_set_damaged(source, "TIFF", job.message[0] ? job.message : "no memory", error);
        return NULL;
    }
    p = read_first(tiff, &job, source, error);
    TIFFClose(tiff);
    return p;
}
