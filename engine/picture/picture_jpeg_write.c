/* Writing JPEG files by libjpeg: grey or R'G'B' in 8 bits, with the profile, and the texts as
 * EXIF's user comment.
 *
 * From a quality of 90 on colours have the resolution of the picture, below it half of it. The file
 * is made in memory, where libjpeg cannot fail for want of disk. */
#include "engine/picture/picture_codec.h"

#include "engine/picture/picture_exif.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
// these want stdio.h before them
#include <jpeglib.h>
#include <jerror.h>

#define FINE    90
#define SEGMENT 65533 // bytes of a marker's content

struct jpeg_output {
    struct jpeg_error_mgr manager; // first: libjpeg's pointer to it is a pointer to the output
    struct jpeg_compress_struct jpeg;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX]; // libjpeg's own, when it jumped
    const struct picture_sheet *sheet;
    GBytes *exif; // or NULL
    uint8_t *row;
    unsigned char *data; // the file, malloc
    unsigned long size;
};

static void on_error(j_common_ptr jpeg)
{
    struct jpeg_output *out = (struct jpeg_output *)jpeg->err;

    out->manager.format_message(jpeg, out->message);
    longjmp(out->jump, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
}

static void set_layout_or_jump(struct jpeg_output *out)
{
    struct jpeg_compress_struct *jpeg = &out->jpeg;
    const picture *p = out->sheet->p;

    jpeg->image_width = (JDIMENSION)p->width;
    jpeg->image_height = (JDIMENSION)p->height;
    jpeg->input_components = p->channels;
    jpeg->in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, out->sheet->quality, TRUE);
    jpeg->optimize_coding = TRUE;
    if (p->channels == 3 && out->sheet->quality >= FINE) {
        // the default of 2 halves the resolution of colours: seen at the edges of red things
        jpeg->comp_info[0].h_samp_factor = 1;
        jpeg->comp_info[0].v_samp_factor = 1;
    }
}

static void write_markers_or_jump(struct jpeg_output *out)
{
    gsize size;

    if (out->exif) {
        const uint8_t *data = g_bytes_get_data(out->exif, &size);
        // the header of EXIF stands inside its segment
        jpeg_write_m_header(&out->jpeg, JPEG_APP0 + 1, (unsigned)(6 + size));
        for (int i = 0; i < 6; i++) {
            jpeg_write_m_byte(&out->jpeg, "Exif\0\0"[i]);
        }
        for (gsize i = 0; i < size; i++) {
            jpeg_write_m_byte(&out->jpeg, data[i]);
        }
    }
    if (out->sheet->icc) {
        const void *icc = g_bytes_get_data(out->sheet->icc, &size);
        jpeg_write_icc_profile(&out->jpeg, icc, (unsigned)size);
    }
}

static void write_pixels_or_jump(struct jpeg_output *out)
{
    for (int y = 0; y < out->sheet->p->height; y++) {
        picture_row_8(out->sheet->p, y, out->row);
        jpeg_write_scanlines(&out->jpeg, &out->row, 1);
    }
}

static bool encode(struct jpeg_output *out)
{
    if (setjmp(out->jump)) {
        return false;
    }
    jpeg_create_compress(&out->jpeg);
    jpeg_mem_dest(&out->jpeg, &out->data, &out->size);
    set_layout_or_jump(out);
    jpeg_start_compress(&out->jpeg, TRUE);
    write_markers_or_jump(out);
    write_pixels_or_jump(out);
    jpeg_finish_compress(&out->jpeg);
    return true;
}

bool picture_jpeg_write(const struct picture_sheet *sheet, GError **error)
{
    struct jpeg_output out = {.sheet = sheet};
    bool done;

    out.jpeg.err = jpeg_std_error(&out.manager);
    out.manager.error_exit = on_error;
    out.manager.emit_message = on_message;
    out.exif = picture_exif_texts(sheet->texts, sheet->n_texts, SEGMENT - 6);
    out.row = g_try_malloc_n(sheet->p->width, sheet->p->channels);
    done = out.row && encode(&out);
    if (!done) {
        picture_set_unmade(sheet, "JPEG", out.message, error);
    }
    jpeg_destroy_compress(&out.jpeg);
    // the file appears whole or not at all
    done = done && atomic_file_write(sheet->file, out.data, out.size, error);
    g_clear_pointer(&out.exif, g_bytes_unref);
    g_free(out.row);
    free(out.data);
    return done;
}
