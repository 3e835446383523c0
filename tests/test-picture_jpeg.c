/* What libjpeg warns of: oddities that lose nothing are read as the sound file is, and what lost
 * something of the picture is refused. Files are made here by libjpeg and changed by hand. */
#include "engine/base/error.h"
#include "engine/picture/picture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// this wants stdio.h before it
#include <jpeglib.h>

#define W 83
#define H 47

struct kind {
    bool progressive, arithmetic;
    int restart; // MCUs between two restart markers; 0: none
    J_COLOR_SPACE space;
};

static bool is_ink(J_COLOR_SPACE space)
{
    return space == JCS_YCCK || space == JCS_CMYK;
}

static void set_scans(struct jpeg_compress_struct *jpeg, const struct kind *kind)
{
    jpeg->in_color_space = is_ink(kind->space) ? JCS_CMYK : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_colorspace(jpeg, kind->space);
    for (int i = 0; i < jpeg->num_components && is_ink(kind->space); i++) {
        jpeg->comp_info[i].h_samp_factor = 1; // so that colours keep their resolution
        jpeg->comp_info[i].v_samp_factor = 1;
    }
    jpeg->arith_code = kind->arithmetic;
    jpeg->restart_interval = (unsigned)kind->restart;
    if (kind->progressive) {
        jpeg_simple_progression(jpeg);
    }
}

// a JPEG of a pattern that no two rows and no two blocks share
static GByteArray *encode(struct kind kind)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr manager;
    unsigned char *data = NULL;
    unsigned long size = 0;
    uint8_t row[W * 4];

    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = W;
    jpeg.image_height = H;
    jpeg.input_components = is_ink(kind.space) ? 4 : 3;
    set_scans(&jpeg, &kind);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < H; y++) {
        for (int i = 0; i < W * jpeg.input_components; i++) {
            row[i] = (uint8_t)(i * i / 40 + 3 * y + i % 3 * 50);
        }
        jpeg_write_scanlines(&jpeg, &(uint8_t *){row}, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, data, (guint)size);
    free(data);
    return bytes;
}

static picture *decode(const GByteArray *bytes, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("svdiff-jpeg-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.jpg", NULL);

    g_assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
    picture *p = picture_read(path, 1, error);
    g_unlink(path);
    g_rmdir(folder);
    return p;
}

// where the nth marker of this kind (from 0) begins
static guint find(const GByteArray *bytes, uint8_t marker, int nth)
{
    for (guint at = 0; at + 1 < bytes->len; at++) {
        if (bytes->data[at] == 0xff && bytes->data[at + 1] == marker && nth-- == 0) {
            return at;
        }
    }
    g_assert_not_reached();
}

static void insert(GByteArray *bytes, guint at, const void *what, guint size)
{
    const guint old = bytes->len;

    g_byte_array_set_size(bytes, old + size);
    memmove(bytes->data + at + size, bytes->data + at, old - at);
    memcpy(bytes->data + at, what, size);
}

/* ---- what loses nothing ---- */

static void end_at_0(GByteArray *b)
{
    const guint scan = find(b, 0xda, 0);

    g_assert_cmpint(b->data[scan + 12], ==, 63);
    b->data[scan + 12] = 0;
}

static void jfif_2(GByteArray *b)
{
    b->data[find(b, 0xe0, 0) + 9] = 2;
}

static void adobe_7(GByteArray *b)
{
    static const uint8_t marker[] = "\xff\xee\0\x0e"
                                    "Adobe\0\x64\0\0\0\0\7";

    insert(b, find(b, 0xe0, 0) + 18, marker, 16);
}

static void bytes_between_markers(GByteArray *b)
{
    insert(b, find(b, 0xc4, 1), "\1\2\3\4\5", 5);
}

static void fill_bytes(GByteArray *b)
{
    insert(b, find(b, 0xdb, 0), "\xff\xff\xff", 3);
}

static void bytes_at_the_end(GByteArray *b)
{
    g_byte_array_append(b, (const guint8 *)"\0\0\0 and a thumbnail", 19);
}

// a whole JPEG in an APP segment, as EXIF and Photoshop have them
static void thumbnail(GByteArray *b)
{
    g_autoptr(GByteArray) small = encode((struct kind){.space = JCS_YCbCr});
    const guint size = small->len + 2;
    const guint8 head[] = {0xff, 0xed, (guint8)(size >> 8), (guint8)size};

    insert(b, find(b, 0xe0, 0) + 18, small->data, small->len);
    insert(b, find(b, 0xe0, 0) + 18, head, 4);
}

static void comment(GByteArray *b)
{
    insert(b, find(b, 0xe0, 0) + 18, "\xff\xfe\0\6abcd", 8);
}

// the first scan (DC of all components) twice
static void scan_twice(GByteArray *b)
{
    const guint from = find(b, 0xc4, 0), to = find(b, 0xc4, 2);
    g_autofree void *scan = g_memdup2(b->data + from, to - from);

    insert(b, from, scan, to - from);
}

static const struct oddity {
    const char *name;
    void (*change)(GByteArray *bytes); // NULL: as it was encoded
    struct kind kind;
    const char *sentence; // of damage
} harmless[] = {
    {"scan-ends-at-0", end_at_0, {.space = JCS_YCbCr}, NULL},
    {"scan-ends-at-0-restarts", end_at_0, {.space = JCS_YCbCr, .restart = 3}, NULL},
    {"jfif-2", jfif_2, {.space = JCS_YCbCr}, NULL},
    {"jfif-2-progressive", jfif_2, {.space = JCS_YCbCr, .progressive = true}, NULL},
    {"adobe-7", adobe_7, {.space = JCS_YCbCr}, NULL},
    {"between-markers", bytes_between_markers, {.space = JCS_YCbCr}, NULL},
    {"fill-bytes", fill_bytes, {.space = JCS_YCbCr}, NULL},
    {"at-the-end", bytes_at_the_end, {.space = JCS_YCbCr}, NULL},
    {"thumbnail", thumbnail, {.space = JCS_YCbCr}, NULL},
    {"comment", comment, {.space = JCS_YCbCr}, NULL},
    {"restarts", NULL, {.space = JCS_YCbCr, .restart = 1}, NULL},
    {"restarts-progressive", NULL, {.space = JCS_YCbCr, .restart = 5, .progressive = true}, NULL},
    {"arithmetic", NULL, {.space = JCS_YCbCr, .arithmetic = true}, NULL},
    {"arithmetic-progressive",
     NULL,
     {.space = JCS_YCbCr, .arithmetic = true, .progressive = true},
     NULL},
    {"progressive", NULL, {.space = JCS_YCbCr, .progressive = true}, NULL},
    {"scan-twice", scan_twice, {.space = JCS_YCbCr, .progressive = true}, NULL},
};

// the same coefficients, however they are coded, are the same pixels
static void test_harmless(gconstpointer data)
{
    const struct oddity *o = data;
    g_autoptr(GByteArray) sound = encode((struct kind){.space = o->kind.space});
    g_autoptr(GByteArray) odd = encode(o->kind);
    g_autoptr(GError) error = NULL;

    if (o->change != NULL) {
        o->change(odd);
    }
    g_autoptr(picture) want = decode(sound, &error), p = decode(odd, &error);
    g_assert_no_error(error);
    g_assert_cmpint(p->width, ==, W);
    g_assert_cmpmem(p->pixels, W * H * 3 * sizeof(float), want->pixels, W * H * 3 * sizeof(float));
}

// inks as they are, and turned into lightness and colours: the same but for rounding
static void test_ink(void)
{
    g_autoptr(GByteArray) plain = encode((struct kind){.space = JCS_CMYK});
    g_autoptr(GByteArray) turned = encode((struct kind){.space = JCS_YCCK});
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) want = decode(plain, &error), p = decode(turned, &error);
    double off = 0, spread = 0;

    g_assert_no_error(error);
    g_assert_true(picture_was_cmyk(want) && picture_was_cmyk(p));
    g_assert_cmpint(p->channels, ==, 3);
    for (int i = 0; i < W * H * 3; i++) {
        off += fabs((double)p->pixels[i] - want->pixels[i]) / (W * H * 3);
        spread += fabs(want->pixels[i] - 0.5) / (W * H * 3);
    }
    g_assert_cmpfloat(off, <, 0.03);
    g_assert_cmpfloat(spread, >, 0.2);
}

/* ---- what loses something ---- */

static void half_a_scan(GByteArray *b)
{
    g_byte_array_remove_range(b, b->len - 300, 298); // the marker of the end stays
}

static void no_code(GByteArray *b)
{
    for (guint at = find(b, 0xda, 0) + 200, i = 0; i < 60; i++) {
        b->data[at + i] = i % 2 == 0 ? 0xff : 0; // ones
    }
}

static void no_restart(GByteArray *b)
{
    const guint from = find(b, 0xd1, 0);

    g_byte_array_remove_range(b, from, find(b, 0xd2, 0) - from);
}

// the first scan is gone, those that refine it are there
static void no_first_scan(GByteArray *b)
{
    const guint from = find(b, 0xc4, 0), to = find(b, 0xc4, 2);

    g_byte_array_remove_range(b, from, to - from);
}

// details of one colour, and the mean of none
static void details_alone(GByteArray *b)
{
    no_first_scan(b);
    const guint at = find(b, 0xc4, 1);
    g_byte_array_remove_range(b, at, b->len - 2 - at);
}

static void no_scan(GByteArray *b)
{
    const guint at = find(b, 0xda, 0);

    g_byte_array_remove_range(b, at, b->len - 2 - at);
}

static void no_end(GByteArray *b)
{
    g_byte_array_set_size(b, b->len - 2);
}

static void twelve_bits(GByteArray *b)
{
    b->data[find(b, 0xc0, 0) + 4] = 12;
}

static void lossless_process(GByteArray *b)
{
    b->data[find(b, 0xc0, 0) + 1] = 0xc3;
}

static const struct oddity lost[] = {
    {"half-a-scan", half_a_scan, {.space = JCS_YCbCr}, "premature end of data segment"},
    {"no-end", no_end, {.space = JCS_YCbCr}, "Premature end of JPEG file"},
    {"no-code", no_code, {.space = JCS_YCbCr}, "bad Huffman code"},
    {"no-restart", no_restart, {.space = JCS_YCbCr, .restart = 4}, "damaged or cut-off JPEG"},
    {"no-first-scan",
     no_first_scan,
     {.space = JCS_YCbCr, .progressive = true},
     "damaged or cut-off JPEG"},
    {"details-alone",
     details_alone,
     {.space = JCS_YCbCr, .progressive = true},
     "damaged or cut-off JPEG"},
    {"no-scan", no_scan, {.space = JCS_YCbCr}, "damaged or cut-off JPEG"},
    {"twelve-bits", twelve_bits, {.space = JCS_YCbCr}, "this kind of JPEG is not read here"},
    {"lossless", lossless_process, {.space = JCS_YCbCr}, "this kind of JPEG is not read here"},
};

static void test_lost(gconstpointer data)
{
    const struct oddity *o = data;
    g_autoptr(GByteArray) bytes = encode(o->kind);
    g_autoptr(GError) error = NULL;

    o->change(bytes);
    g_assert_null(decode(bytes, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, o->sentence));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++) {
        g_autofree char *path = g_strconcat("/picture_jpeg/harmless/", harmless[i].name, NULL);
        g_test_add_data_func(path, &harmless[i], test_harmless);
    }
    g_test_add_func("/picture_jpeg/ink", test_ink);
    for (size_t i = 0; i < G_N_ELEMENTS(lost); i++) {
        g_autofree char *path = g_strconcat("/picture_jpeg/lost/", lost[i].name, NULL);
        g_test_add_data_func(path, &lost[i], test_lost);
    }
    return g_test_run();
}
