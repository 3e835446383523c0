/* thumbnail: the pixels of a picture of its size come back as they were, a mask moves the square,
 * and what a file carries in its place is a sentence. */
#include "engine/subject/thumbnail.h"

#include "engine/base/error.h"
#include "engine/subject/subject_file.h"
#include "engine/svdiff.h"
#include "tests/temporary_folder.h"

#include <string.h>

// steps of 8 bits, no two neighbours alike
static picture *make_picture(int width, int height)
{
    picture *p = picture_create(width, height, 3, NULL);

    for (int i = 0; i < width * height * 3; i++) {
        p->pixels[i] = (float)(i * 37 % 256) / 255.0f;
    }
    return p;
}

static void check_part(const picture *small, const picture *all, int left, int top)
{
    g_assert_cmpint(small->width, ==, THUMBNAIL_SIDE);
    g_assert_cmpint(small->height, ==, THUMBNAIL_SIDE);
    g_assert_cmpint(small->channels, ==, 3);
    for (int y = 0; y < small->height; y++) {
        for (int i = 0; i < small->width * 3; i++) {
            const int from = (y + top) * all->width * 3 + left * 3 + i;
            g_assert_cmpfloat_with_epsilon(small->pixels[y * small->width * 3 + i],
                                           all->pixels[from], 1e-6);
        }
    }
}

static void check_square(int width, int height, const picture *marked, int left, int top)
{
    g_autoptr(picture) p = make_picture(width, height);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = thumbnail_encode(p, marked, &error);

    g_assert_no_error(error);
    g_autoptr(picture) small = thumbnail_decode(text, "a file", &error);
    g_assert_no_error(error);
    check_part(small, p, left, top);
}

static void test_pixels(void)
{
    check_square(64, 64, NULL, 0, 0);
    check_square(100, 64, NULL, 18, 0);
    check_square(64, 90, NULL, 0, 13);
}

static void test_marked(void)
{
    g_autoptr(picture) mask = picture_create(128, 64, 1, NULL);

    for (int i = 0; i < 128 * 64; i++) {
        mask->pixels[i] = i % 128 >= 100 ? 1 : 0;
    }
    check_square(128, 64, mask, 64, 0);
}

// the same text each time, from pictures of any size
static void test_sizes(void)
{
    static const int sizes[][2] = {{2, 2}, {3, 500}, {64, 65}, {301, 207}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(picture) p = make_picture(sizes[i][0], sizes[i][1]);
        g_autofree char *first = thumbnail_encode(p, NULL, NULL);
        g_autofree char *second = thumbnail_encode(p, NULL, NULL);
        g_autoptr(picture) small = thumbnail_decode(first, "a file", NULL);
        g_assert_cmpstr(first, ==, second);
        g_assert_cmpint(small->width, ==, 64);
        g_assert_cmpint(small->height, ==, 64);
    }
}

static void check_refused(const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(thumbnail_decode(text, "mine.safetensors", &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "mine.safetensors"));
}

static void test_refused(void)
{
    g_autoptr(picture) p = make_picture(64, 64), large = make_picture(8, 1025);
    g_autofree char *whole = thumbnail_encode(p, NULL, NULL);
    g_autofree char *half = g_strndup(whole, strlen(whole) / 2);
    g_autofree char *endless = g_strnfill(5 << 20, 'A');
    g_autoptr(GBytes) png = picture_to_png(large, NULL);
    g_autofree char *too_high = g_base64_encode(g_bytes_get_data(png, NULL), g_bytes_get_size(png));

    check_refused("");
    check_refused("a picture");
    check_refused(half);
    check_refused(endless);
    check_refused(too_high);
}

// a subject file with this preview, or none when it is NULL; the answer to the public question
static picture *ask(const char *folder, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "s.safetensors", NULL);
    g_autoptr(subject_file) s = subject_create();

    subject_set_shift(s, "conv_in.delta", (const float[]){1, 2, 3}, 3);
    subject_set_metadata(s, THUMBNAIL_KEY, text);
    g_assert_true(subject_write(s, path, NULL));
    return svdiff_subject_preview(path, error);
}

static void test_file(void)
{
    g_autoptr(picture) p = make_picture(64, 64);
    g_autofree char *text = thumbnail_encode(p, NULL, NULL);
    g_autofree char *missing = NULL;
    g_autoptr(GError) error = NULL;
    char *folder = temporary_folder_create();

    g_autoptr(picture) carried = ask(folder, text, &error);
    g_assert_no_error(error);
    check_part(carried, p, 0, 0);
    g_assert_null(ask(folder, NULL, &error));
    g_assert_no_error(error);
    g_assert_null(ask(folder, "none", &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_clear_error(&error);
    missing = g_build_filename(folder, "missing", NULL);
    g_assert_null(svdiff_subject_preview(missing, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thumbnail/pixels", test_pixels);
    g_test_add_func("/thumbnail/marked", test_marked);
    g_test_add_func("/thumbnail/sizes", test_sizes);
    g_test_add_func("/thumbnail/refused", test_refused);
    g_test_add_func("/thumbnail/file", test_file);
    return g_test_run();
}
