/* Masks: grown and shrunk against a search of every window, distances against a search of every
 * pixel, blurred edges by where they begin and end, boxes and cells by hand. */
#include "engine/picture/mask.h"

#include <float.h>
#include <math.h>
#include <string.h>

// a grey pattern of squares and spots
static picture *pattern(int width, int height)
{
    picture *p = picture_create(width, height, 1, NULL);

    for (int i = 0; i < width * height; i++) {
        const int x = i % width, y = i / width;
        const bool square = x > width / 4 && x < width / 2 && y > height / 3;
        p->pixels[i] = square ? 0.75f : (x * 7 + y * 5) % 23 == 0 ? (float)(i % 5) / 4 : 0;
    }
    return p;
}

static picture *copy(const picture *p)
{
    return mask_crop(p, &(struct mask_box){0, 0, p->width, p->height}, NULL);
}

static float window(const picture *p, int x, int y, int radius, bool largest)
{
    float found = largest ? -1 : 2;

    for (int j = MAX(y - radius, 0); j <= MIN(y + radius, p->height - 1); j++) {
        for (int i = MAX(x - radius, 0); i <= MIN(x + radius, p->width - 1); i++) {
            const float value = p->pixels[j * p->width + i];
            found = largest ? MAX(found, value) : MIN(found, value);
        }
    }
    return found;
}

static void test_grow_and_shrink(void)
{
    static const int radii[] = {0, 1, 2, 5, 40};
    g_autoptr(picture) p = pattern(31, 17);

    for (size_t k = 0; k < G_N_ELEMENTS(radii); k++) {
        g_autoptr(picture) grown = copy(p), shrunk = copy(p);
        mask_dilate(grown, radii[k]);
        mask_erode(shrunk, radii[k]);
        for (int i = 0; i < 31 * 17; i++) {
            g_assert_cmpfloat(grown->pixels[i], ==, window(p, i % 31, i / 31, radii[k], true));
            g_assert_cmpfloat(fabsf(shrunk->pixels[i] - window(p, i % 31, i / 31, radii[k], false)),
                              <, 1e-6);
        }
    }
}

static float distance(const picture *p, int x, int y)
{
    double least = DBL_MAX;

    for (int i = 0; i < p->width * p->height; i++) {
        if (p->pixels[i] <= 0) {
            least = MIN(least, hypot(i % p->width - x, i / p->width - y));
        }
    }
    return least == DBL_MAX ? FLT_MAX : (float)least;
}

static void test_depth(void)
{
    g_autoptr(picture) p = pattern(29, 23);

    mask_dilate(p, 1);
    for (int full = 0; full < 2; full++) {
        g_autoptr(picture) depth = mask_depth(p, NULL);
        for (int i = 0; i < 29 * 23; i++) {
            g_assert_cmpfloat(fabsf(depth->pixels[i] - distance(p, i % 29, i / 29)), <, 1e-5);
        }
        mask_dilate(p, 40); // the second time nothing is outside
    }
}

// an edge between 39 and 40 becomes a slope of that width, exactly 0 and 1 beyond
static void test_blur(void)
{
    static const int widths[] = {0, 1, 2, 7, 24, 25, 36};

    for (size_t k = 0; k < G_N_ELEMENTS(widths); k++) {
        g_autoptr(picture) p = picture_create(80, 3, 1, NULL);
        for (int i = 0; i < 80 * 3; i++) {
            p->pixels[i] = i % 80 >= 40;
        }
        mask_blur(p, widths[k]);
        const int half = widths[k] / 2;
        for (int x = 0; x < 79; x++) {
            g_assert_cmpfloat(p->pixels[80 + x], <=, p->pixels[80 + x + 1]);
            g_assert_cmpfloat(fabsf(p->pixels[80 + x] + p->pixels[80 + 79 - x] - 1), <, 1e-5);
        }
        g_assert_cmpfloat(p->pixels[80 + 39 - half], ==, 0);
        g_assert_cmpfloat(p->pixels[80 + 40 + half], ==, 1);
        g_assert_true(half == 0 || p->pixels[80 + 40 - half] > 0);
    }
}

static void test_bounds_and_cells(void)
{
    g_autoptr(picture) p = picture_create(24, 16, 1, NULL);
    struct mask_box box;
    float cells[6];

    memset(p->pixels, 0, 24 * 16 * sizeof(float));
    g_assert_false(mask_bounds(p, &box));
    p->pixels[3 * 24 + 7] = 0.25f;
    p->pixels[9 * 24 + 17] = 0.5f;
    g_assert_true(mask_bounds(p, &box));
    g_assert_cmpint(box.x, ==, 7);
    g_assert_cmpint(box.y, ==, 3);
    g_assert_cmpint(box.width, ==, 11);
    g_assert_cmpint(box.height, ==, 7);
    mask_cells(p, 2, 3, cells);
    for (int i = 0; i < 6; i++) {
        g_assert_cmpfloat(cells[i], ==, i == 0 ? 0.25f : i == 5 ? 0.5f : 0);
    }
    g_autoptr(picture) part = mask_crop(p, &box, NULL);
    g_assert_cmpfloat(part->pixels[0], ==, 0.25f);
    g_assert_cmpfloat(part->pixels[11 * 7 - 1], ==, 0.5f);
}

// 1 of 255 is black to the eye, 2 are not, in 8 bits, in 16, and as what is left of an alpha
static void test_veil(void)
{
    const float values[] = {0,          1 / 255.0f,     513 / 65535.0f,   1 - 254 / 255.0f,
                            2 / 255.0f, 514 / 65535.0f, 1 - 253 / 255.0f, 1};
    g_autoptr(picture) p = picture_create(8, 1, 1, NULL);
    struct mask_box box;

    memcpy(p->pixels, values, sizeof values);
    g_assert_true(mask_bounds(p, &box));
    g_assert_cmpint(box.x, ==, 4);
    g_assert_cmpint(box.width, ==, 4);
    mask_clear_veil(p);
    for (int i = 0; i < 8; i++) {
        g_assert_cmpfloat(p->pixels[i], ==, i < 4 ? 0 : values[i]);
    }
}

static void test_check(void)
{
    g_autoptr(picture) image = picture_create(24, 16, 3, NULL), mask = pattern(24, 16);
    g_autoptr(picture) small = pattern(23, 16);
    g_autoptr(GError) error = NULL;

    g_assert_true(mask_check(image, mask, &error));
    g_assert_no_error(error);
    g_assert_false(mask_check(image, small, &error));
    g_assert_nonnull(strstr(error->message, "23 x 16"));
    g_clear_error(&error);
    memset(mask->pixels, 0, 24 * 16 * sizeof(float));
    g_assert_false(mask_check(image, mask, &error));
    g_assert_nonnull(strstr(error->message, "empty"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mask/grow-and-shrink", test_grow_and_shrink);
    g_test_add_func("/mask/depth", test_depth);
    g_test_add_func("/mask/blur", test_blur);
    g_test_add_func("/mask/bounds-and-cells", test_bounds_and_cells);
    g_test_add_func("/mask/veil", test_veil);
    g_test_add_func("/mask/check", test_check);
    return g_test_run();
}
