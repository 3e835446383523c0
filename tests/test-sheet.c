/* Sheets: where pictures and labels are, and what is left white. */
#include "engine/picture/label.h"
#include "engine/picture/sheet.h"

enum { W = 40, H = 30, COLUMNS = 3, ROWS = 2, GAP = 2, TOP = LABEL_HEIGHT + 2 };

static const float *pixel(const picture *p, int x, int y)
{
    return p->pixels + ((size_t)y * p->width + x) * p->channels;
}

static picture *of_one_value(float value)
{
    picture *p = picture_create(W, H, 3, NULL);

    for (int i = 0; i < W * H * 3; i++) {
        p->pixels[i] = value;
    }
    return p;
}

// from x on, below y
static int black(const picture *p, int x, int y, int width, int height)
{
    int n = 0;

    for (int j = y; j < y + height; j++) {
        for (int i = x; i < x + width; i++) {
            n += pixel(p, i, j)[0] == 0;
        }
    }
    return n;
}

static void test_places(void)
{
    picture *all[ROWS * COLUMNS];
    const char *const labels[] = {"1", "", "longer than its column"};

    for (int i = 0; i < ROWS * COLUMNS; i++) {
        all[i] = of_one_value(0.125f * (float)(i + 1));
    }
    g_autoptr(picture) sheet =
        sheet_create((const picture *const *)all, COLUMNS, ROWS, labels, NULL);
    g_assert_cmpint(sheet->width, ==, COLUMNS * W + (COLUMNS - 1) * GAP);
    g_assert_cmpint(sheet->height, ==, TOP + ROWS * H + (ROWS - 1) * GAP);
    for (int y = TOP; y < sheet->height; y++) {
        for (int x = 0; x < sheet->width; x++) {
            const int column = x / (W + GAP), row = (y - TOP) / (H + GAP);
            const bool gap = x % (W + GAP) >= W || (y - TOP) % (H + GAP) >= H;
            const float want = gap ? 1 : 0.125f * (float)(row * COLUMNS + column + 1);
            g_assert_cmpfloat(pixel(sheet, x, y)[1], ==, want);
        }
    }
    // "1" of 6x13: a row of 1 point, two of 2, five of 1 and a foot of 5
    g_assert_cmpint(black(sheet, 0, 0, W, TOP), ==, 15);
    g_assert_cmpint(black(sheet, W / 2 - LABEL_WIDTH / 2, 1, LABEL_WIDTH, LABEL_HEIGHT), ==, 15);
    g_assert_cmpint(black(sheet, W, 0, W + 2 * GAP, TOP), ==, 0);
    g_assert_cmpint(black(sheet, 2 * (W + GAP), 0, W, TOP), >, 20);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        picture_free(all[i]);
    }
}

// a column of 512 pixels has letters of twice the size
static void test_larger(void)
{
    int small_w, small_h, large_w, large_h;

    g_assert_true(sheet_size(256, 100, 2, 1, &small_w, &small_h, NULL));
    g_assert_true(sheet_size(512, 100, 2, 1, &large_w, &large_h, NULL));
    g_assert_cmpint(small_h - 100, ==, LABEL_HEIGHT + 2);
    g_assert_cmpint(large_h - 100, ==, 2 * (LABEL_HEIGHT + 2));
    g_autoptr(GError) error = NULL;
    g_assert_false(sheet_size(1024, 64, 16, 1, &large_w, &large_h, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
}

static void assert_alike(const char *a, const char *b)
{
    g_autoptr(picture) one = of_one_value(1), other = of_one_value(1);

    label_put(one, a, 0, W, 2, 1);
    label_put(other, b, 0, W, 2, 1);
    for (int i = 0; i < W * H * 3; i++) {
        g_assert_cmpfloat(one->pixels[i], ==, other->pixels[i]);
    }
    g_assert_cmpint(black(one, 0, 0, W, H), >, 0);
}

static void test_letters(void)
{
    assert_alike("f\303\274r", "fur");
    assert_alike("\347\213\220", "?");
    assert_alike("\377", "?"); // no UTF-8
    g_assert_cmpint(label_width("scale", 2), ==, 5 * 2 * LABEL_WIDTH);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sheet/places", test_places);
    g_test_add_func("/sheet/larger", test_larger);
    g_test_add_func("/sheet/letters", test_letters);
    return g_test_run();
}
