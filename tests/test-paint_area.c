/* The area around a mask: the recipe's numbers by hand, and what must hold for every mask. */
#include "engine/picture/paint_area.h"

#include <math.h>
#include <string.h>

static picture *with_box(int width, int height, const struct mask_box *box)
{
    picture *p = picture_create(width, height, 1, NULL);

    memset(p->pixels, 0, (size_t)width * height * sizeof(float));
    for (int y = box->y; y < box->y + box->height; y++) {
        for (int x = box->x; x < box->x + box->width; x++) {
            p->pixels[y * width + x] = 1;
        }
    }
    return p;
}

static struct paint_area plan(int width, int height, struct mask_box box, double strength,
                              int feather)
{
    g_autoptr(picture) mask = with_box(width, height, &box);

    return paint_area_plan(
        mask,
        &(struct paint_wish){
            .strength = strength, .feather = feather, .width = 128, .height = 128, .unit = 8});
}

static void expect(const struct paint_area *a, int feather, int grow, int blend)
{
    g_assert_cmpint(a->feather, ==, feather);
    g_assert_cmpint(a->grow, ==, grow);
    g_assert_cmpint(a->blend, ==, blend);
}

static void test_numbers(void)
{
    // diagonal 500: 0.1 * 500 > 32
    struct paint_area a = plan(1000, 700, (struct mask_box){100, 100, 300, 400}, 1, -1);
    expect(&a, 50, 29, 25);
    // diagonal 50: 32 * 0.5
    a = plan(1000, 700, (struct mask_box){100, 100, 30, 40}, 0.5, -1);
    expect(&a, 16, 12, 20);
    a = plan(1000, 700, (struct mask_box){100, 100, 30, 40}, 1, 0);
    expect(&a, 0, 4, 4);
}

// strength below 1: bounds alone; at 1 with context, as a square around the middle
static void test_context(void)
{
    struct paint_area a = plan(1000, 700, (struct mask_box){400, 300, 300, 40}, 0.5, 10);
    const int padding = 10 + 4 + (int)ceil(0.06 * hypot(300, 40)), side = 300 + 2 * padding;

    g_assert_cmpint(a.context.width, ==, side);
    g_assert_cmpint(a.context.height, ==, side);
    g_assert_cmpint(a.context.x + side / 2, ==, 550);
    g_assert_cmpint(a.context.y + side / 2, ==, 320);
    g_assert_cmpint(a.width, ==, 128);
    g_assert_cmpint(a.height, ==, 128);
    a = plan(1000, 700, (struct mask_box){500, 300, 3, 3}, 0.5, -1);
    g_assert_cmpint(a.context.width, ==, 128); // never smaller than what the model draws
    a = plan(1000, 700, (struct mask_box){500, 300, 100, 100}, 1, 0);
    const int mean = 100 + 2 * (4 + 9);
    g_assert_cmpint(a.context.width, ==, mean + 2 * MAX(1000 / 16, mean / 2));
}

static void test_always(void)
{
    static const struct mask_box boxes[] = {{0, 0, 1, 1},    {999, 699, 1, 1},  {0, 0, 1000, 700},
                                            {0, 0, 1000, 1}, {990, 0, 10, 700}, {300, 200, 77, 5}};
    static const double strengths[] = {0.1, 0.75, 1};

    for (size_t i = 0; i < G_N_ELEMENTS(boxes) * G_N_ELEMENTS(strengths); i++) {
        const struct mask_box *box = &boxes[i / 3];
        const struct paint_area a = plan(1000, 700, *box, strengths[i % 3], -1);
        const struct mask_box *c = &a.context;
        g_assert_true(c->x >= 0 && c->y >= 0 && c->x + c->width <= 1000 && c->y + c->height <= 700);
        g_assert_true(c->x <= box->x && c->y <= box->y);
        g_assert_true(c->x + c->width >= box->x + box->width);
        g_assert_true(c->y + c->height >= box->y + box->height);
        g_assert_true(a.width % 8 == 0 && a.height % 8 == 0);
        // about as many pixels as were wished, in the context's proportions
        g_assert_cmpfloat(fabs(a.width * a.height / (128.0 * 128) - 1), <, 0.1);
        const double shape = (double)a.width / a.height * c->height / c->width;
        g_assert_cmpfloat(fabs(log(shape)), <, 0.1);
    }
}

static void test_small_pictures(void)
{
    struct paint_area a = plan(8, 8, (struct mask_box){2, 2, 3, 3}, 1, -1);

    g_assert_cmpint(a.context.width, ==, 8);
    g_assert_cmpint(a.width, ==, 128);
    g_assert_cmpint(a.height, ==, 128);
    a = plan(1000, 8, (struct mask_box){2, 2, 3, 3}, 1, -1);
    g_assert_cmpint(a.context.height, ==, 8);
    g_assert_cmpint(a.width % 8 + a.height % 8, ==, 0);
}

static void test_size(void)
{
    int width = 512, height = 512;

    paint_area_size(1024, 1024, 8, &width, &height);
    g_assert_cmpint(width, ==, 512);
    paint_area_size(1000, 500, 8, &width, &height);
    g_assert_cmpint(width, ==, 728);
    g_assert_cmpint(height, ==, 360);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/paint_area/numbers", test_numbers);
    g_test_add_func("/paint_area/context", test_context);
    g_test_add_func("/paint_area/always", test_always);
    g_test_add_func("/paint_area/small-pictures", test_small_pictures);
    g_test_add_func("/paint_area/size", test_size);
    return g_test_run();
}
