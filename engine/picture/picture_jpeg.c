/* JPEG files by libjpeg: grey, YCbCr and CMYK, baseline and progressive, with the EXIF orientation.
 *
 * libjpeg mends a file that ends early by grey pixels and a warning; here a warning is an error
 * when it tells that something of the picture is lost, and only then. CMYK comes as 4 channels of
 * ink; Adobe's files store 1 - c. */
#include "engine/picture/picture_codec.h"

#include "engine/base/error.h"
#include "engine/picture/picture_origin.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
// these want stdio.h before them
#include <jpeglib.h>
#include <jerror.h>

struct jpeg_job {
    struct jpeg_error_mgr manager; // first: libjpeg's pointer to it is a pointer to the job
    struct jpeg_decompress_struct jpeg;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX]; // libjpeg's own, when it jumped
    const struct picture_source *source;
    picture *out;
    GError **error;
    uint8_t *row; // one row, 3 or 4 bytes a pixel
    JOCTET *profile;
    int orientation;
    bool bad_profile;
};

static void on_error(j_common_ptr jpeg)
{
    struct jpeg_job *job = (struct jpeg_job *)jpeg->err;

    job->manager.format_message(jpeg, job->message);
    longjmp(job->jump, 1);
}

/* Whether a scan of a progressive file that is not the one expected leaves bits of a coefficient
 * out. A first scan (Ah 0) brings all that it has, if it comes twice, too; a refining one needs
 * those before it: coef_bits is how many bits are still missing, -1 all of them. */
static bool skips_bits(const struct jpeg_decompress_struct *jpeg)
{
    const int *at = jpeg->err->msg_parm.i; // component, coefficient
    const int missing = jpeg->coef_bits[at[0]][at[1]];

    return jpeg->Ah > 0 && (missing < 0 || missing > jpeg->Ah);
}

/* Whether nothing of the picture is lost; libjpeg's other warnings tell of data that ended, codes
 * that do not exist, and parts that are missing. */
static bool is_harmless(j_common_ptr jpeg)
{
    switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:     // a transform of the future: taken as the one without a name
    case JWRN_JFIF_MAJOR:      // a version of the future
    case JWRN_NOT_SEQUENTIAL:  // a scan header whose end is not 63, as some phones write
    case JWRN_EXTRANEOUS_DATA: // bytes between two markers
    case JWRN_BOGUS_ICC:       // parts of a profile that do not fit: it is left out
        return true;
    case JWRN_BOGUS_PROGRESSION:
        return !skips_bits((struct jpeg_decompress_struct *)jpeg);
    default:
        return false;
    }
}

// level < 0: a warning
static void on_message(j_common_ptr jpeg, int level)
{
    // libjpeg would go on with grey where it found nothing
    if (level < 0 && !is_harmless(jpeg)) {
        on_error(jpeg);
    }
    if (level < 0 && jpeg->err->msg_code == JWRN_BOGUS_ICC) {
        ((struct jpeg_job *)jpeg->err)->bad_profile = true;
    }
}

static int orientation_of(const struct jpeg_job *job)
{
    for (jpeg_saved_marker_ptr m = job->jpeg.marker_list; m; m = m->next) {
        // APP1 is XMP's, too: only what begins so is EXIF
        if (m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0) {
            return picture_exif_orientation(m->data + 6, m->data_length - 6);
        }
    }
    return 1;
}

static bool is_cmyk(const struct jpeg_job *job)
{
    return job->jpeg.out_color_space == JCS_CMYK;
}

// the kind of pixels, and the profile from all its parts
static void read_origin_or_jump(struct jpeg_job *job)
{
    struct picture_origin *o = picture_origin_of(job->out);
    unsigned int size = 0;

    o->space = job->jpeg.jpeg_color_space == JCS_GRAYSCALE ? PICTURE_GREY
               : is_cmyk(job)                              ? PICTURE_CMYK
                                                           : PICTURE_RGB;
    if (jpeg_read_icc_profile(&job->jpeg, &job->profile, &size)) {
        picture_origin_set_profile(job->out, job->profile, size);
    } else if (job->bad_profile) {
        picture_origin_warn(job->out, job->source->path, "is damaged");
    }
}

static bool read_header_or_jump(struct jpeg_job *job)
{
    struct jpeg_decompress_struct *jpeg = &job->jpeg;

    jpeg_create_decompress(jpeg);
    jpeg_stdio_src(jpeg, job->source->stream);
    // APP1 for the orientation, APP2 for the parts of the profile
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_save_markers(jpeg, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    job->orientation = orientation_of(job); // the markers are gone when all is read
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK) {
        // libjpeg knows no way from ink to light: the profile does that later
        jpeg->out_color_space = JCS_CMYK;
    } else {
        jpeg->out_color_space = JCS_RGB;
    }
    job->out = picture_create_checked(job->source, jpeg->image_width, jpeg->image_height,
                                      is_cmyk(job) ? 4 : 3, job->error);
    if (job->out) {
        read_origin_or_jump(job);
    }
    return job->out != NULL;
}

static void invert(uint8_t *row, int width)
{
    for (int i = 0; i < 4 * width; i++) {
        row[i] = (uint8_t)(255 - row[i]);
    }
}

// a progressive file whose scans leave all of a colour out ends early between two of them
static void check_scans_or_jump(struct jpeg_decompress_struct *jpeg)
{
    for (int c = 0; jpeg->progressive_mode && c < jpeg->num_components; c++) {
        if (jpeg->coef_bits[c][0] < 0) {
            ERREXIT(jpeg, JWRN_JPEG_EOF);
        }
    }
}

static bool read_pixels_or_jump(struct jpeg_job *job)
{
    struct jpeg_decompress_struct *jpeg = &job->jpeg;

    job->row = g_try_malloc_n(jpeg->image_width, 4);
    if (!job->row) {
        return picture_set_large(job->source, job->error);
    }
    jpeg_start_decompress(jpeg);
    for (int y = 0; y < job->out->height; y++) {
        jpeg_read_scanlines(jpeg, &job->row, 1);
        // only Adobe's files are inverted; others store the ink as it is
        if (is_cmyk(job) && jpeg->saw_Adobe_marker) {
            invert(job->row, job->out->width);
        }
        picture_set_row_8(job->out, y, job->row);
    }
    check_scans_or_jump(jpeg);
    jpeg_finish_decompress(jpeg);
    return true;
}

// true: done; false: with an error of ours set, or libjpeg's message
static bool read_all(struct jpeg_job *job)
{
    // whatever a _or_jump function took lies in job, so that it is freed after a jump
    if (setjmp(job->jump)) {
        return false;
    }
    return read_header_or_jump(job) && read_pixels_or_jump(job);
}

static bool is_unsupported(int code)
{
    static const int codes[] = {JERR_ARITH_NOTIMPL,        JERR_BAD_PRECISION,
                                JERR_CCIR601_NOTIMPL,      JERR_CONVERSION_NOTIMPL,
                                JERR_FRACT_SAMPLE_NOTIMPL, JERR_NOTIMPL,
                                JERR_SOF_UNSUPPORTED};
    bool found = false;

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        found = found || codes[i] == code;
    }
    return found;
}

// libjpeg's message as a sentence
static void set_error(const struct jpeg_job *job)
{
    if (!is_unsupported(job->manager.msg_code)) {
        picture_set_damaged(job->source, "JPEG", job->message, job->error);
        return;
    }
    error_failed(job->error,
                 "%s: this kind of JPEG is not read here (%s); save it as an ordinary JPEG or PNG.",
                 job->source->path, job->message);
}

picture *picture_jpeg_read(const struct picture_source *source, GError **error)
{
    struct jpeg_job job = {.source = source, .error = error};

    job.jpeg.err = jpeg_std_error(&job.manager);
    job.manager.error_exit = on_error;
    job.manager.emit_message = on_message;
    if (!read_all(&job)) {
        // without a message the error is ours, and set already
        if (job.message[0]) {
            set_error(&job);
        }
        g_clear_pointer(&job.out, picture_free);
    }
    jpeg_destroy_decompress(&job.jpeg);
    g_free(job.row);
    free(job.profile);
    return picture_orient(job.out, job.orientation, error);
}
