/* Filling: what is known stays, what is not lies between what is around it. */
#include "engine/picture/canvas.h"
#include "engine/picture/picture_fill.h"

#include <math.h>
#include <string.h>

#define W 37
#define H 22

static picture *slope(void)
{
    picture *p = picture_create(W, H, 3, NULL);

    for (int i = 0; i < 3 * W * H; i++) {
        p->pixels[i] = 0.2f + 0.5f * (float)(i / 3 % W) / W + 0.1f * (float)(i % 3);
    }
    return p;
}

static picture *hole(int x0, int x1, int y0, int y1)
{
    picture *known = picture_create(W, H, 1, NULL);

    for (int i = 0; i < W * H; i++) {
        const int x = i % W, y = i / W;
        known->pixels[i] = x >= x0 && x < x1 && y >= y0 && y < y1 ? 0 : 1;
    }
    return known;
}

static void test_hole(void)
{
    g_autoptr(picture) p = slope(), want = slope(), known = hole(10, 20, 5, 15);

    for (int i = 0; i < W * H; i++) {
        if (known->pixels[i] == 0) {
            memset(p->pixels + 3 * i, 0x7f, 3 * sizeof(float)); // whatever was there
        }
    }
    g_assert_true(picture_fill(p, known, 0, 0.5f, NULL));
    for (int i = 0; i < 3 * W * H; i++) {
        const float allowed = known->pixels[i / 3] == 0 ? 0.05f : 0;
        g_assert_cmpfloat(fabsf(p->pixels[i] - want->pixels[i]), <=, allowed);
    }
}

static void test_nothing_known(void)
{
    g_autoptr(picture) p = slope(), known = hole(0, W, 0, H);

    g_assert_true(picture_fill(p, known, 0, 0.25f, NULL));
    for (int i = 0; i < 3 * W * H; i++) {
        g_assert_cmpfloat(p->pixels[i], ==, 0.25f);
    }
}

// details go, the mean of a large part stays
static void test_smooth(void)
{
    g_autoptr(picture) p = picture_create(64, 64, 3, NULL), known = picture_create(64, 64, 1, NULL);

    for (int i = 0; i < 64 * 64; i++) {
        known->pixels[i] = 1;
        for (int c = 0; c < 3; c++) {
            p->pixels[3 * i + c] = (float)((i % 64 + i / 64) % 2);
        }
    }
    g_assert_true(picture_fill(p, known, 3, 0, NULL));
    for (int i = 0; i < 3 * 64 * 64; i++) {
        g_assert_cmpfloat(fabsf(p->pixels[i] - 0.5f), <, 1e-6);
    }
}

static void test_alpha(void)
{
    const struct canvas_margins m = {3, 2, 1, 4};
    g_autoptr(picture) p = slope();
    g_autoptr(picture) wide = canvas_extend(p, &m, NULL);
    g_autoptr(picture) opaque = picture_opaque(wide, NULL), alpha = picture_alpha(wide, NULL);
    g_autoptr(picture) back = picture_with_alpha(opaque, alpha, NULL);

    g_assert_cmpint(wide->width, ==, W + 4);
    g_assert_cmpint(wide->height, ==, H + 6);
    for (int i = 0; i < wide->width * wide->height; i++) {
        const int x = i % wide->width - 3, y = i / wide->width - 2;
        const bool inside = x >= 0 && x < W && y >= 0 && y < H;
        g_assert_cmpfloat(wide->pixels[4 * i + 3], ==, inside ? 1 : 0);
        g_assert_cmpfloat(back->pixels[4 * i + 3], ==, inside ? 1 : 0);
        for (int c = 0; c < 3 && inside; c++) {
            g_assert_cmpfloat(back->pixels[4 * i + c], ==, p->pixels[3 * (y * W + x) + c]);
        }
        // colours around, not black
        g_assert_cmpfloat(opaque->pixels[3 * i], >, 0.15f);
    }
}

static void test_canvas_masks(void)
{
    const struct canvas_margins m = {0, 0, 5, 0};
    g_autoptr(picture) known = hole(1, 2, 1, 2), p = slope();
    g_autoptr(picture) mask = canvas_extend_mask(W, H, known, &m, NULL);
    g_autoptr(picture) wide = canvas_extend(p, &m, NULL), clear = canvas_clear(wide, NULL);

    g_assert_cmpfloat(mask->pixels[(W + 5) + 1], ==, 0);
    g_assert_cmpfloat(mask->pixels[(W + 5) + 2], ==, 1);
    g_assert_cmpfloat(mask->pixels[W], ==, 1);
    g_assert_cmpfloat(clear->pixels[W], ==, 1);
    g_assert_cmpfloat(clear->pixels[W - 1], ==, 0);
}

static void test_margins(void)
{
    static const char *const bad[] = {"", "0", "1,2", "1,2,3", "-1", "a", "1,2,3,4,5", "99999"};
    struct canvas_margins m;
    g_autoptr(GError) error = NULL;

    g_assert_true(canvas_parse("--extend", "7", &m, NULL));
    g_assert_cmpint(m.left + 10 * m.bottom, ==, 77);
    g_assert_true(canvas_parse("--extend", "1,2,0,4", &m, NULL));
    g_assert_cmpint(m.left + 10 * m.top + 100 * m.right + 1000 * m.bottom, ==, 4021);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(canvas_parse("--extend", bad[i], &m, &error));
        g_assert_nonnull(strstr(error->message, "--extend"));
        g_clear_error(&error);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/picture_fill/hole", test_hole);
    g_test_add_func("/picture_fill/nothing-known", test_nothing_known);
    g_test_add_func("/picture_fill/smooth", test_smooth);
    g_test_add_func("/picture_fill/alpha", test_alpha);
    g_test_add_func("/picture_fill/canvas-masks", test_canvas_masks);
    g_test_add_func("/picture_fill/margins", test_margins);
    return g_test_run();
}
