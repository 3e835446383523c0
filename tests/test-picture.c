/* Reading pictures: every kind of file in fixtures/pictures against the formula that made it (see
 * make_pictures.py there) or against what Pillow reads, and every bad file by its sentence. */
#include "engine/base/error.h"
#include "engine/picture/picture.h"
#include "tests/picture_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define W 23
#define H 17

// value of channel c at (x, y), as the script has it
static int formula(int x, int y, int c)
{
    return (7 * x + 13 * y + 31 * c + x * y) % 256;
}

static float formula_8(int x, int y, int c)
{
    return formula(x, y, c) / 255.0f;
}

static float formula_16(int x, int y, int c)
{
    return MIN(formula(x, y, c) * 257 + x, 65535) / 65535.0f;
}

static float formula_grey_8(int x, int y, int c)
{
    return formula_8(x, y, 0);
}

static float formula_grey_16(int x, int y, int c)
{
    return formula_16(x, y, 0);
}

static float formula_grey_alpha(int x, int y, int c)
{
    return formula_8(x, y, c == 3 ? 3 : 0);
}

static float formula_bits(int x, int y, int c)
{
    return (x + y) % 2 == 0;
}

static float formula_palette(int x, int y, int c)
{
    const int index = (x + y) % 16;

    if (c == 3) {
        return index != 5;
    }
    return (c == 0 ? index : c == 1 ? 255 - index : index / 2) / 255.0f;
}

static float formula_clear_colour(int x, int y, int c)
{
    const bool clear = formula(x, y, 0) == formula(0, 0, 0) &&
                       formula(x, y, 1) == formula(0, 0, 1) && formula(x, y, 2) == formula(0, 0, 2);

    return c == 3 ? !clear : formula_8(x, y, c);
}

// nothing that is stored multiplied by an alpha of 0 can be had back
static float formula_multiplied(int x, int y, int c)
{
    return c < 3 && formula(x, y, 3) == 0 ? 0 : formula_8(x, y, c);
}

static float formula_wild(int x, int y, int c)
{
    const float wild[] = {0, 1, 0.25f};

    return x == 4 && y == 3 ? wild[c] : formula_8(x, y, c);
}

// orientation 6: the first column is seen as the first row, from right to left
static float formula_turned(int x, int y, int c)
{
    return formula_8(y, H - 1 - x, c);
}

static const struct {
    const char *name;
    int channels;
    float (*value)(int x, int y, int c);
    float tolerance;
    bool turned;
} readable[] = {
    {"rgb8.png", 3, formula_8, 0, false},
    {"rgba8.png", 4, formula_8, 0, false},
    {"grey8.png", 3, formula_grey_8, 0, false},
    {"rgb16.png", 3, formula_16, 0, false},
    {"rgba16.png", 4, formula_16, 0, false},
    {"grey16.png", 3, formula_grey_16, 0, false},
    {"greyalpha8.png", 4, formula_grey_alpha, 0, false},
    {"interlaced.png", 3, formula_8, 0, false},
    {"bits.png", 3, formula_bits, 0, false},
    {"palette.png", 3, formula_palette, 0, false},
    {"palette-clear.png", 4, formula_palette, 0, false},
    {"clear-colour.png", 4, formula_clear_colour, 0, false},
    {"turned.png", 3, formula_turned, 0, true},
    {"lossless.webp", 3, formula_8, 0, false},
    {"alpha.webp", 4, formula_8, 0, false},
    {"turned.webp", 3, formula_turned, 0, true},
    {"rgb8.tif", 3, formula_8, 0, false},
    {"lzw.tif", 3, formula_8, 0, false},
    {"deflate.tif", 3, formula_8, 0, false},
    {"bits.tif", 3, formula_bits, 0, false},
    {"rgb16.tif", 3, formula_16, 0, false},
    {"rgb16-big.tif", 3, formula_16, 0, false},
    {"rgb32.tif", 3, formula_16, 1e-7f, false},
    {"float.tif", 3, formula_8, 0, false},
    {"float-big.tif", 3, formula_8, 0, false},
    {"float-alpha.tif", 4, formula_8, 0, false},
    {"float-multiplied.tif", 4, formula_multiplied, 1e-6f, false},
    {"float-spare.tif", 3, formula_8, 0, false},
    {"float-grey.tif", 3, formula_grey_8, 0, false},
    {"float-white.tif", 3, formula_grey_8, 1e-7f, false},
    {"float-planes.tif", 4, formula_8, 0, false},
    {"float-tiles.tif", 3, formula_8, 0, false},
    {"float-turned.tif", 3, formula_turned, 0, true},
    {"float-wild.tif", 3, formula_wild, 0, false},
    {"double.tif", 3, formula_8, 0, false},
    {"half.tif", 3, formula_8, 2.5e-4f, false},
};

static void test_formula(gconstpointer data)
{
    const size_t i = GPOINTER_TO_SIZE(data);
    g_autoptr(picture) p = picture_fixture_read("pictures", readable[i].name);

    g_assert_cmpint(p->width, ==, readable[i].turned ? H : W);
    g_assert_cmpint(p->height, ==, readable[i].turned ? W : H);
    g_assert_cmpint(p->channels, ==, readable[i].channels);
    for (int y = 0, at = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            for (int c = 0; c < p->channels; c++, at++) {
                const float want = readable[i].value(x, y, c);
                if (!(fabsf(p->pixels[at] - want) <= readable[i].tolerance)) {
                    g_test_message("x %d y %d c %d: %.9g, not %.9g", x, y, c, p->pixels[at], want);
                    g_test_fail();
                    return;
                }
            }
        }
    }
}

// what is lossy is held against Pillow's reading; its libjpeg may round some values differently
static void test_as_pillow(gconstpointer name)
{
    g_autofree char *base = g_strndup(name, strrchr(name, '.') - (const char *)name);
    g_autofree char *expected = g_strconcat(base, "-expected.png", NULL);
    g_autoptr(picture) p = picture_fixture_read("pictures", name),
                       want = picture_fixture_read("pictures", expected);

    g_assert_cmpfloat(picture_largest_difference(p, want), <=, 1.001 / 255);
}

static void test_lossy_webp(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "lossy.webp"),
                       whole = picture_fixture_read("pictures", "rgb8.png");

    // the pattern is sharp: a wrong order of channels or rows would be off by 0.5
    g_assert_cmpint(p->channels, ==, 3);
    g_assert_cmpfloat(fabs(p->pixels[0] - whole->pixels[0]), <, 0.2);
}

static void test_mask(void)
{
    g_autofree char *grey = picture_fixture_path("pictures", "grey16.png"),
                    *colour = picture_fixture_path("pictures", "rgb8.png");
    g_autofree char *clear = picture_fixture_path("pictures", "rgba8.png");
    g_autoptr(picture) a = picture_read_mask(grey, 1, NULL);
    g_autoptr(picture) b = picture_read_mask(colour, 1, NULL);
    g_autoptr(picture) c = picture_read_mask(clear, 1, NULL);

    for (int i = 0; i < W * H; i++) {
        const int x = i % W, y = i / W;
        const float luminance =
            0.299f * formula_8(x, y, 0) + 0.587f * formula_8(x, y, 1) + 0.114f * formula_8(x, y, 2);
        g_assert_cmpfloat(a->pixels[i], ==, formula_16(x, y, 0));
        g_assert_cmpfloat(fabsf(b->pixels[i] - luminance), <, 1e-6);
        g_assert_cmpfloat(fabsf(c->pixels[i] - luminance * formula_8(x, y, 3)), <, 1e-6);
    }
    g_assert_cmpint(a->channels, ==, 1);
}

static void test_flatten(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgba8.png");
    const float colour[3] = {1, 0.5f, 0};

    picture_flatten(p, colour);
    g_assert_cmpint(p->channels, ==, 3);
    for (int i = 0; i < W * H * 3; i++) {
        const int x = i / 3 % W, y = i / 3 / W, c = i % 3;
        const float alpha = formula_8(x, y, 3);
        const float want = formula_8(x, y, c) * alpha + colour[c] * (1 - alpha);
        g_assert_cmpfloat(fabsf(p->pixels[i] - want), <, 1e-6);
    }
    picture_flatten(p, colour); // nothing more to do
    g_assert_cmpint(p->channels, ==, 3);
}

// a folder of its own for each test that writes
static char *make_folder(void)
{
    char *folder = g_dir_make_tmp("svdiff-picture-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return folder;
}

// without the sync that makes thousands of small files slow
static bool store(const char *path, const char *bytes, gsize n)
{
    return g_file_set_contents_full(path, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

static void expect_refused(const char *path, int minimum, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) p = picture_read(path, minimum, &error);

    g_assert_null(p);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    if (!strstr(error->message, path) || !strstr(error->message, sentence) ||
        strchr(error->message, '\n')) {
        g_test_message("not a sentence with '%s': %s", sentence, error->message);
        g_test_fail();
    }
    g_assert_null(picture_read(path, minimum, NULL)); // an error is not obligatory
}

// a file with these bytes is refused with this sentence
static void expect_bytes_refused(const char *bytes, size_t n, const char *sentence)
{
    g_autofree char *folder = make_folder();
    g_autofree char *path = g_build_filename(folder, "picture", NULL);

    g_assert_true(store(path, bytes, n));
    expect_refused(path, 1, sentence);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_no_picture(void)
{
    g_autofree char *folder = make_folder();
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autofree char *script = picture_fixture_path("pictures", "make_pictures.py");
    g_autofree char *animation = picture_fixture_path("pictures", "animation.webp"),
                    *nan = picture_fixture_path("pictures", "float-nan.tif");

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    expect_refused("/nowhere/cat.png", 1, "cannot be opened: ");
    expect_refused(folder, 1, "this is a folder, a regular file is needed.");
    expect_refused(fifo, 1, "this is a FIFO, a regular file is needed.");
    expect_refused("/dev/zero", 1, "this is a device, a regular file is needed.");
    expect_refused(script, 1,
                   "this is no PNG, JPEG, WebP or TIFF picture; save it as one of these.");
    expect_refused(animation, 1, "this is an animation; save one frame of it as a picture.");
    expect_refused(nan, 1, "holds values that are not numbers");
    expect_bytes_refused("", 0, "this file is empty; give a PNG, JPEG, WebP or TIFF picture.");
    expect_bytes_refused("GIF89a", 6, "this is no PNG, JPEG, WebP or TIFF picture");
    g_unlink(fifo);
    g_rmdir(folder);
}

static void test_too_large(void)
{
    g_autofree char *folder = make_folder();
    g_autofree char *path = g_build_filename(folder, "large.png", NULL);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);

    // a hole costs no disk
    g_assert_cmpint(ftruncate(fd, (off_t)PICTURE_FILE_MAX + 1), ==, 0);
    close(fd);
    expect_refused(path, 1, "this file is larger than 512 MiB; scale the picture down.");
    g_unlink(path);
    g_rmdir(folder);
}

static void put_32(char *at, uint32_t value)
{
    const uint32_t big = GUINT32_TO_BE(value);

    memcpy(at, &big, 4);
}

// a PNG of a header with the right checksum and the beginning of its pixels
static void expect_size_refused(uint32_t width, uint32_t height, const char *sentence)
{
    char bytes[41] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    uint32_t crc = 0xffffffff;

    put_32(bytes + 16, width);
    put_32(bytes + 20, height);
    bytes[24] = 8;
    bytes[25] = 2;
    for (int i = 12; i < 29; i++) {
        crc ^= (uint8_t)bytes[i];
        for (int k = 0; k < 8; k++) {
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
        }
    }
    put_32(bytes + 29, ~crc);
    memcpy(bytes + 33, "\0\0\1\0IDAT", 8);
    expect_bytes_refused(bytes, sizeof(bytes), sentence);
}

static void test_sizes(void)
{
    g_autofree char *small = picture_fixture_path("pictures", "rgb8.png");

    expect_refused(small, 18, "this picture has 23 x 17 pixels, at least 18 x 18 are needed.");
    expect_size_refused(0, 5, "PNG file");
    expect_size_refused(16385, 5, "has 16385 x 5 pixels; scale it down to at most 16384 a side");
    expect_size_refused(0x7fffffff, 0x7fffffff, "scale it down to at most 16384 a side");
    expect_size_refused(0xffffffff, 5, "PNG file");
    expect_size_refused(64, 64, "is a damaged or cut-off PNG file");
}

static void test_one_pixel(void)
{
    g_autofree char *folder = make_folder();
    g_autofree char *path = g_build_filename(folder, "one.png", NULL);
    g_autoptr(picture) one = picture_create(1, 5, 3, NULL);

    memset(one->pixels, 0, 15 * sizeof(float));
    g_assert_true(picture_write(path, one, NULL, 0, NULL));
    expect_refused(path, 2, "this picture has 1 x 5 pixels, at least 2 x 2 are needed.");
    g_unlink(path);
    g_rmdir(folder);
}

// 16384 x 16384 pixels are 3 GiB of floats: refused before memory is taken
static void test_no_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("the sanitizer needs all of the address space");
#else
    g_autoptr(GError) error = NULL;
    struct rlimit old, low;

    g_assert_cmpint(getrlimit(RLIMIT_AS, &old), ==, 0);
    low = old;
    low.rlim_cur = 1 << 30;
    g_assert_cmpint(setrlimit(RLIMIT_AS, &low), ==, 0);
    g_assert_null(picture_create(16384, 16384, 3, &error));
    g_assert_cmpint(setrlimit(RLIMIT_AS, &old), ==, 0);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "3.00 GiB of memory are needed and"));
#endif
}

// cut anywhere, a file is an error that names it, and never a picture
static void test_truncated(gconstpointer name)
{
    g_autofree char *path = picture_fixture_path("pictures", name), *folder = make_folder();
    g_autofree char *cut = g_build_filename(folder, "cut", NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    for (gsize n = 1; n < size; n = n == size - 1 ? size : MIN(n + 64, size - 1)) {
        g_autoptr(GError) error = NULL;
        g_autoptr(picture) p = NULL;
        g_assert_true(store(cut, bytes, n));
        p = picture_read(cut, 1, &error);
        if (p || !error || !strstr(error->message, cut)) {
            g_test_message("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes: %s", n, size,
                           p ? "a picture" : error->message);
            g_test_fail();
        }
    }
    g_unlink(cut);
    g_rmdir(folder);
}

// one byte changed anywhere: a picture or a sentence, nothing else
static void test_damaged(gconstpointer name)
{
    g_autofree char *path = picture_fixture_path("pictures", name), *folder = make_folder();
    g_autofree char *changed = g_build_filename(folder, "changed", NULL);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    for (gsize i = 0; i < size; i += i < 256 ? 1 : 37) {
        g_autoptr(GError) error = NULL;
        g_autoptr(picture) p = NULL;
        const char old = bytes[i];
        bytes[i] = (char)(old ^ (i % 2 ? 0xff : 0x11));
        g_assert_true(store(changed, bytes, size));
        p = picture_read(changed, 1, &error);
        g_assert_true(p ? !error : error && strstr(error->message, changed));
        bytes[i] = old;
    }
    g_unlink(changed);
    g_rmdir(folder);
}

static void add_each(const char *folder, GTestDataFunc run, const char *const *names)
{
    for (; *names; names++) {
        g_autofree char *path = g_strconcat("/picture/", folder, "/", *names, NULL);
        g_test_add_data_func(path, *names, run);
    }
}

int main(int argc, char **argv)
{
    static const char *const pillow[] = {
        "baseline.jpg", "progressive.jpg", "grey.jpg",   "cmyk.jpg",   "palette.tif",
        "exif-1.jpg",   "exif-2.jpg",      "exif-3.jpg", "exif-4.jpg", "exif-5.jpg",
        "exif-6.jpg",   "exif-7.jpg",      "exif-8.jpg", NULL};
    static const char *const each[] = {"rgb8.png",
                                       "rgb16.png",
                                       "interlaced.png",
                                       "palette-clear.png",
                                       "gamma.png",
                                       "turned.png",
                                       "baseline.jpg",
                                       "cmyk.jpg",
                                       "progressive.jpg",
                                       "exif-6.jpg",
                                       "alpha.webp",
                                       "lossy.webp",
                                       "turned.webp",
                                       "rgb16.tif",
                                       "float.tif",
                                       "lzw.tif",
                                       "deflate.tif",
                                       "palette.tif",
                                       "float-tiles.tif",
                                       "float-planes.tif",
                                       "float-big.tif",
                                       "bits.tif",
                                       NULL};

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(readable); i++) {
        g_autofree char *path = g_strconcat("/picture/read/", readable[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_formula);
    }
    add_each("as-pillow", test_as_pillow, pillow);
    add_each("truncated", test_truncated, each);
    add_each("damaged", test_damaged, each);
    g_test_add_func("/picture/read/lossy-webp", test_lossy_webp);
    g_test_add_func("/picture/mask", test_mask);
    g_test_add_func("/picture/flatten", test_flatten);
    g_test_add_func("/picture/no-picture", test_no_picture);
    g_test_add_func("/picture/too-large", test_too_large);
    g_test_add_func("/picture/sizes", test_sizes);
    g_test_add_func("/picture/one-pixel", test_one_pixel);
    g_test_add_func("/picture/no-memory", test_no_memory);
    return g_test_run();
}
