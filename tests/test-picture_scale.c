/* Scaling and cutting: against Pillow's results in fixtures/pictures (see make_pictures.py there),
 * against sums written out here, and what a frame makes of sizes and masks. */
#include "engine/picture/picture.h"
#include "engine/picture/picture_scale.h"
#include "tests/picture_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// enlarged, reduced, and one way each, against float Pillow and 8-bit Pillow
static void test_as_pillow(gconstpointer size)
{
    g_autofree char *tiff = g_strdup_printf("scaled-%s.tif", (const char *)size);
    g_autofree char *png = g_strdup_printf("scaled-%s.png", (const char *)size);
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgb8.png"),
                       want = picture_fixture_read("pictures", tiff);
    g_autoptr(picture) rounded = picture_fixture_read("pictures", png);
    g_autoptr(picture) got = picture_resize(p, want->width, want->height, NULL);

    g_assert_cmpfloat(picture_largest_difference(got, want), <, 1e-6);
    g_assert_cmpfloat(picture_largest_difference(got, rounded), <, 1.0 / 255);
}

// colours times alpha, in place
static void multiply(picture *p)
{
    for (int i = 0; i < p->width * p->height * 4; i++) {
        p->pixels[i] *= i % 4 < 3 ? p->pixels[i - i % 4 + 3] : 1;
    }
}

/* Colours of what is clear do not bleed. Pillow rounds the products to 8 bits before it scales,
 * which shows in the colours of what is nearly clear: products are compared. */
static void test_alpha(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgba8.png"),
                       want = picture_fixture_read("pictures", "scaled-alpha-9x7.png");
    g_autoptr(picture) got = picture_resize(p, 9, 7, NULL);

    multiply(got);
    multiply(want);
    g_assert_cmpfloat(picture_largest_difference(got, want), <, 1.5 / 255);
    p = (picture_free(p), picture_create(2, 1, 4, NULL));
    memcpy(p->pixels, (float[8]){1, 1, 1, 0, 0.25f, 0.5f, 0.75f, 1}, 8 * sizeof(float));
    got = (picture_free(got), picture_resize(p, 1, 1, NULL));
    g_assert_cmpfloat(got->pixels[0], ==, 0.25f);
    g_assert_cmpfloat(got->pixels[2], ==, 0.75f);
    g_assert_cmpfloat(got->pixels[3], ==, 0.5f);
}

static void test_same_size(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgb16.png");
    g_autoptr(picture) got = picture_resize(p, p->width, p->height, NULL);

    g_assert_cmpfloat(picture_largest_difference(got, p), ==, 0);
}

static void expect_frame(struct picture_frame f, int width, int height, int x, int y)
{
    g_assert_cmpint(f.width, ==, width);
    g_assert_cmpint(f.height, ==, height);
    g_assert_cmpint(f.x, ==, x);
    g_assert_cmpint(f.y, ==, y);
}

static void test_frame(void)
{
    expect_frame(picture_frame_centre(23, 17, 8), 10, 8, 1, 0);
    expect_frame(picture_frame_centre(17, 23, 8), 8, 10, 0, 1);
    expect_frame(picture_frame_centre(512, 512, 512), 512, 512, 0, 0);
    // odd rests: 3 / 2 goes to 2, 1 / 2 to 0, 5 / 2 to 2
    expect_frame(picture_frame_centre(11, 8, 8), 11, 8, 2, 0);
    expect_frame(picture_frame_centre(8, 9, 8), 8, 9, 0, 0);
    expect_frame(picture_frame_centre(8, 13, 8), 8, 13, 0, 2);
    expect_frame(picture_frame_centre(16384, 2, 512), 4194304, 512, 2096896, 0);
}

static void test_centre(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgb8.png"),
                       want = picture_fixture_read("pictures", "centre-8.png");
    const struct picture_frame frame = picture_frame_centre(p->width, p->height, 8);
    g_autoptr(picture) got = picture_cut(p, &frame, NULL);

    g_assert_cmpfloat(picture_largest_difference(got, want), <, 1.0 / 255);
}

// a cut is exactly a part of the whole
static void test_cut(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgb16.png"),
                       whole = picture_resize(p, 19, 11, NULL);
    const struct picture_frame frame = {19, 11, 7, 2, 5, 6};
    g_autoptr(picture) part = picture_cut(p, &frame, NULL);

    for (int y = 0; y < 6; y++) {
        g_assert_cmpmem(part->pixels + y * 15, 15 * sizeof(float),
                        whole->pixels + ((y + 2) * 19 + 7) * 3, 15 * sizeof(float));
    }
}

// width x height times three, with the picture nine times in it
static picture *lay_around(const picture *p)
{
    picture *all = picture_create(3 * p->width, 3 * p->height, p->channels, NULL);

    for (int y = 0; y < all->height; y++) {
        for (int x = 0; x < all->width; x++) {
            memcpy(all->pixels + ((size_t)y * all->width + x) * p->channels,
                   p->pixels + ((size_t)(y % p->height) * p->width + x % p->width) * p->channels,
                   p->channels * sizeof(float));
        }
    }
    return all;
}

/* Scaled around, a picture is what is in the middle of nine of it that were scaled as one; enlarged, reduced to less
 * than the triangle is wide, and of one pixel. */
static void test_around(void)
{
    static const int sizes[][2] = {{40, 31}, {9, 7}, {1, 3}, {23, 40}};

    for (int channels = 3; channels <= 4; channels++) {
        g_autoptr(picture) p =
            picture_fixture_read("pictures", channels == 3 ? "rgb8.png" : "rgba8.png");
        g_autoptr(picture) all = lay_around(p);
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
            const int w = sizes[i][0], h = sizes[i][1];
            const struct picture_frame middle = {3 * w, 3 * h, w, h, w, h};
            g_autoptr(picture) want = picture_cut(all, &middle, NULL);
            g_autoptr(picture) got = picture_resize_around(p, w, h, NULL);
            g_autoptr(picture) plain = picture_resize(p, w, h, NULL);
            g_assert_cmpfloat(picture_largest_difference(got, want), <, 1e-5);
            g_assert_cmpfloat(picture_largest_difference(got, plain), >, 0.01);
        }
    }
    g_autoptr(picture) one = picture_create(1, 1, 1, NULL), large = NULL;
    one->pixels[0] = 0.25f;
    large = picture_resize_around(one, 5, 2, NULL);
    for (int i = 0; i < 10; i++) {
        g_assert_cmpfloat(large->pixels[i], ==, 0.25f);
    }
}

// a long strip is cut without ever being scaled as a whole
static void test_strip(void)
{
    g_autoptr(picture) p = picture_create(16384, 2, 3, NULL);
    struct picture_frame frame = picture_frame_centre(16384, 2, 64);
    g_autoptr(picture) got = NULL;

    for (int i = 0; i < 16384 * 2 * 3; i++) {
        p->pixels[i] = i / 3 % 16384 == 16383;
    }
    picture_frame_move(&frame, 16384, 2, 16383.5, 1);
    got = picture_cut(p, &frame, NULL);
    g_assert_cmpint(got->width, ==, 64);
    g_assert_cmpfloat(got->pixels[0], <, 0.02);
    g_assert_cmpfloat(got->pixels[63 * 3], ==, 1);
}

static picture *make_mask(int width, int height, int x, int y, float value)
{
    picture *p = picture_create(width, height, 1, NULL);

    memset(p->pixels, 0, sizeof(float) * width * height);
    p->pixels[y * width + x] = value;
    return p;
}

static void test_mask_centre(void)
{
    g_autoptr(picture) mask = make_mask(40, 20, 30, 4, 0.25f);
    struct picture_frame frame = picture_frame_centre(40, 20, 10);
    double x, y;

    g_assert_true(picture_mask_centre(mask, &x, &y));
    g_assert_cmpfloat(x, ==, 30.5);
    g_assert_cmpfloat(y, ==, 4.5);
    // scaled by a half the point is 15.25: the middle of 10 pixels from 10.25
    picture_frame_move(&frame, 40, 20, x, y);
    expect_frame(frame, 20, 10, 10, 0);
    picture_frame_move(&frame, 40, 20, 39.5, 10);
    expect_frame(frame, 20, 10, 10, 0);
    picture_frame_move(&frame, 40, 20, 0.5, 10);
    expect_frame(frame, 20, 10, 0, 0);
    picture_frame_move(&frame, 40, 20, 16, 10);
    expect_frame(frame, 20, 10, 3, 0);
    mask->pixels[4 * 40 + 10] = 0.75f; // heavier, on the left
    g_assert_true(picture_mask_centre(mask, &x, &y));
    g_assert_cmpfloat(x, ==, 15.5);
    memset(mask->pixels, 0, sizeof(float) * 800);
    g_assert_false(picture_mask_centre(mask, &x, &y));
}

// means of 8 x 8 exactly, and a grid that cuts through pixels
static void test_area_mean(void)
{
    g_autoptr(picture) mask = make_mask(32, 16, 9, 3, 1), grid = NULL, thirds = NULL;

    grid = picture_area_mean(mask, 4, 2, NULL);
    for (int i = 0; i < 8; i++) {
        g_assert_cmpfloat(grid->pixels[i], ==, i == 1 ? 1 / 64.0f : 0);
    }
    mask = (picture_free(mask), make_mask(4, 1, 1, 0, 1));
    thirds = picture_area_mean(mask, 3, 1, NULL);
    // pixel 1 covers a quarter of [0, 4/3] and a half of [4/3, 8/3]
    g_assert_cmpfloat(fabsf(thirds->pixels[0] - 0.25f), <, 1e-6);
    g_assert_cmpfloat(fabsf(thirds->pixels[1] - 0.5f), <, 1e-6);
    g_assert_cmpfloat(fabsf(thirds->pixels[2]), <, 1e-6);
    // a grid finer than the mask
    thirds = (picture_free(thirds), picture_area_mean(mask, 8, 2, NULL));
    for (int i = 0; i < 16; i++) {
        g_assert_cmpfloat(thirds->pixels[i], ==, i % 8 / 2 == 1);
    }
}

static void test_flip(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgba8.png"),
                       flipped = picture_fixture_read("pictures", "rgba8.png");

    picture_flip(flipped);
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            g_assert_cmpmem(p->pixels + (y * p->width + x) * 4, 16,
                            flipped->pixels + (y * p->width + p->width - 1 - x) * 4, 16);
        }
    }
    picture_flip(flipped);
    g_assert_cmpfloat(picture_largest_difference(p, flipped), ==, 0);
}

static void test_signal(void)
{
    g_autoptr(picture) p = picture_fixture_read("pictures", "rgb16.png"), back = NULL;
    const size_t n = (size_t)p->width * p->height * 3;
    g_autofree float *values = g_new(float, n);

    picture_to_signal(p, values);
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpfloat(values[i], ==, 2 * p->pixels[i] - 1);
    }
    values[0] = -1.5f;
    values[1] = 3;
    back = picture_from_signal(values, p->width, p->height, NULL);
    g_assert_cmpfloat(back->pixels[0], ==, 0);
    g_assert_cmpfloat(back->pixels[1], ==, 1);
    p->pixels[0] = 0;
    p->pixels[1] = 1;
    g_assert_cmpfloat(picture_largest_difference(p, back), <, 1e-7);
    // a value that is no number stays one: the writer refuses it
    values[2] = NAN;
    back = (picture_free(back), picture_from_signal(values, p->width, p->height, NULL));
    g_assert_true(isnan(back->pixels[2]));
}

int main(int argc, char **argv)
{
    static const char *const sizes[] = {"9x7", "23x5", "40x31", "11x40"};

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *path = g_strconcat("/picture_scale/as-pillow/", sizes[i], NULL);
        g_test_add_data_func(path, sizes[i], test_as_pillow);
    }
    g_test_add_func("/picture_scale/alpha", test_alpha);
    g_test_add_func("/picture_scale/same-size", test_same_size);
    g_test_add_func("/picture_scale/frame", test_frame);
    g_test_add_func("/picture_scale/centre", test_centre);
    g_test_add_func("/picture_scale/cut", test_cut);
    g_test_add_func("/picture_scale/around", test_around);
    g_test_add_func("/picture_scale/strip", test_strip);
    g_test_add_func("/picture_scale/mask-centre", test_mask_centre);
    g_test_add_func("/picture_scale/area-mean", test_area_mean);
    g_test_add_func("/picture_scale/flip", test_flip);
    g_test_add_func("/picture_scale/signal", test_signal);
    return g_test_run();
}
