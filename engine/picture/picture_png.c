/* Reading PNG files by libpng, in 8 or 16 bits.
 *
 * libpng reports an error by a long jump. All that must survive the jump lies in one structure, and
 * only the functions named *_or_jump are called under it. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/picture/picture_png_colour.h"

#include <png.h>

struct png_job {
    png_structp png;
    png_infop info;
    char message[128]; // libpng's own, when it jumped
    const struct picture_source *source;
    picture *out;
    GError **error;
    uint8_t *rows; // the whole picture as libpng gives it
    size_t stride; // bytes of a row
    int passes;
    bool bad_profile;
};

static void on_error(png_structp png, png_const_charp message)
{
    struct png_job *job = png_get_error_ptr(png);

    g_strlcpy(job->message, message, sizeof(job->message));
    png_longjmp(png, 1);
}

// what libpng mends by itself is not worth a word, but a profile that it leaves out is
static void on_warning(png_structp png, png_const_charp message)
{
    struct png_job *job = png_get_error_ptr(png);

    job->bad_profile = job->bad_profile || g_str_has_prefix(message, "iCCP");
}

// the header; afterwards every kind of PNG comes as R'G'B' with or without alpha, 8 or 16 bits
static bool read_header_or_jump(struct png_job *job)
{
    int type;
    bool alpha;

    png_init_io(job->png, job->source->stream);
    png_set_user_limits(job->png, G_MAXINT32, G_MAXINT32); // sizes get a sentence of our own
    picture_png_keep_colours(job->png);
    png_read_info(job->png, job->info);
    type = png_get_color_type(job->png, job->info);
    // a palette, or one clear colour, has its alpha in tRNS
    alpha = (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(job->png, job->info, PNG_INFO_tRNS);
    job->out = picture_create_checked(job->source, png_get_image_width(job->png, job->info),
                                      png_get_image_height(job->png, job->info), alpha ? 4 : 3,
                                      job->error);
    if (!job->out) {
        return false;
    }
    picture_png_read_colours(job->png, job->info, job->out, job->source->path, job->bad_profile);
    // palettes, 1, 2 and 4 bits, and tRNS become full samples
    png_set_expand(job->png);
    if (!(type & PNG_COLOR_MASK_COLOR)) {
        png_set_gray_to_rgb(job->png);
    }
    // what libpng will give is known after the last setting alone
    job->passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    job->stride = png_get_rowbytes(job->png, job->info);
    // all rows at once, because an interlaced file comes in seven passes over them
    job->rows = g_try_malloc_n(job->out->height, job->stride);
    return job->rows || picture_set_large(job->source, job->error);
}

static void set_row_16(picture *p, int y, const uint8_t *row)
{
    const size_t n = (size_t)p->width * p->channels;
    float *out = p->pixels + n * y;

    for (size_t i = 0; i < n; i++) {
        out[i] = (row[2 * i] << 8 | row[2 * i + 1]) / 65535.0f;
    }
}

// rows of an interlaced file are completed pass by pass; the end tells whether the file is whole
static bool read_pixels_or_jump(struct png_job *job)
{
    const bool wide = png_get_bit_depth(job->png, job->info) == 16;

    for (int pass = 0; pass < job->passes; pass++) {
        for (int y = 0; y < job->out->height; y++) {
            png_read_row(job->png, job->rows + job->stride * y, NULL);
        }
    }
    png_read_end(job->png, job->info);
    for (int y = 0; y < job->out->height; y++) {
        // only now, when png_read_end found the file whole
        (wide ? set_row_16 : picture_set_row_8)(job->out, y, job->rows + job->stride * y);
    }
    return true;
}

// true: done; false: with an error of ours set, or libpng's message
static bool read_all(struct png_job *job)
{
    if (setjmp(png_jmpbuf(job->png))) {
        return false;
    }
    return read_header_or_jump(job) && read_pixels_or_jump(job);
}

static int orientation_of(const struct png_job *job)
{
    png_bytep exif = NULL;
    png_uint_32 size = 0;

    if (!png_get_eXIf_1(job->png, job->info, &size, &exif)) {
        return 1;
    }
    return picture_exif_orientation(exif, size);
}

picture *picture_png_read(const struct picture_source *source, GError **error)
{
    struct png_job job = {.source = source, .error = error};
    int orientation = 1;

    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    if (!job.info) {
        error_failed(error, "%s: there is no memory to read it.", source->path);
    } else if (read_all(&job)) {
        // it may stand behind the pixels, so it is asked when all is read
        orientation = orientation_of(&job);
    } else {
        // without a message the error is ours, and set already
        if (job.message[0]) {
            picture_set_damaged(source, "PNG", job.message, error);
        }
        g_clear_pointer(&job.out, picture_free);
    }
    png_destroy_read_struct(&job.png, &job.info, NULL);
    g_free(job.rows);
    return picture_orient(job.out, orientation, error);
}

picture *picture_from_png(const void *data, size_t size, int maximum, const char *name,
                          GError **error)
{
    struct picture_source source = {.path = name, .size = size, .minimum = 1, .maximum = maximum};
    picture *p;

    // a stream of no bytes cannot be had
    source.stream = size > 0 ? fmemopen((void *)data, size, "rb") : NULL;
    if (!source.stream) {
        picture_set_damaged(&source, "PNG", "it is empty", error);
        return NULL;
    }
    p = picture_png_read(&source, error);
    fclose(source.stream);
    if (p) { // our own, which is sRGB
        g_clear_pointer(&p->origin, picture_origin_unref);
    }
    return p;
}
