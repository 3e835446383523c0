/* Placing: the subject is whole in its box, never larger than allowed, and masks follow. */
#include "engine/learn/pictures/learn_place.h"

#include "engine/learn/pictures/learn_frame.h"

// grey with a white rectangle, and the mask of it
static void make(int width, int height, const int box[4], picture **image, picture **mask)
{
    g_autoptr(GError) error = NULL;

    *image = picture_create(width, height, 3, &error);
    *mask = picture_create(width, height, 1, &error);
    g_assert_no_error(error);
    for (int i = 0; i < width * height; i++) {
        const int x = i % width, y = i / width;
        const bool inside = x >= box[0] && y >= box[1] && x < box[2] && y < box[3];
        (*mask)->pixels[i] = inside;
        for (int c = 0; c < 3; c++) {
            (*image)->pixels[3 * i + c] = inside ? 1 : 0.25f;
        }
    }
}

static void place(const int box[4], const struct learn_placing *p, bool masked, picture **placed,
                  picture **placed_mask)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) image = NULL;
    g_autoptr(picture) mask = NULL;

    make(80, 60, box, &image, &mask);
    g_assert_true(learn_place(image, masked ? mask : NULL, p, placed, placed_mask, &error));
    g_assert_no_error(error);
    g_assert_cmpint((*placed)->width, ==, p->width);
    g_assert_cmpint((*placed)->height, ==, p->height);
}

static void test_fits(void)
{
    static const int box[] = {2, 10, 62, 40};
    const struct learn_placing p = {
        .width = 64, .height = 64, .target = {0.5, 0, 1, 0.5}, .limit = 1};
    g_autoptr(picture) placed = NULL;
    g_autoptr(picture) mask = NULL;
    struct layout_box seen;

    place(box, &p, true, &placed, &mask);
    g_assert_true(learn_frame_box(mask, &seen));
    g_assert_cmpfloat(seen.left, >=, 32);
    g_assert_cmpfloat(seen.right, <=, 64);
    g_assert_cmpfloat(seen.bottom, <=, 32);
    g_assert_cmpfloat(seen.right - seen.left, >=, 28); // it fills the box's narrow side
    g_assert_cmpfloat(ABS(seen.left + seen.right - 96), <=, 1);
    g_assert_cmpfloat(ABS(seen.top + seen.bottom - 32), <=, 1);
    // white where the mask is, its surroundings continued to the edges
    g_assert_cmpfloat_with_epsilon(placed->pixels[3 * (16 * 64 + 48)], 1, 1e-5);
    g_assert_cmpfloat_with_epsilon(placed->pixels[3 * (63 * 64)], 0.25, 1e-5);
    g_assert_cmpfloat(mask->pixels[63 * 64], ==, 0);
}

// a small subject stays as large as when it is learned alone, or grows up to the limit
static void test_limit(void)
{
    static const int box[] = {30, 20, 36, 26};
    struct learn_placing p = {.width = 120, .height = 120, .target = {0, 0, 1, 1}, .limit = 1};

    for (int i = 1; i <= 2; i++) {
        g_autoptr(picture) placed = NULL;
        g_autoptr(picture) mask = NULL;
        struct layout_box seen;
        p.limit = i;
        place(box, &p, true, &placed, &mask);
        g_assert_true(learn_frame_box(mask, &seen));
        g_assert_cmpfloat(ABS(seen.right - seen.left - 12 * i), <=, 1);
    }
}

static void test_without_mask(void)
{
    static const int box[] = {20, 10, 60, 50};
    const struct learn_placing p = {
        .width = 64, .height = 64, .target = {0, 0, 0.5, 1}, .limit = 1};
    g_autoptr(picture) placed = NULL;
    g_autoptr(picture) mask = NULL;
    int white = 0;

    place(box, &p, false, &placed, &mask);
    g_assert_null(mask);
    for (int x = 0; x < 64; x++) {
        const bool is_white = placed->pixels[3 * (32 * 64 + x)] > 0.9f;
        white += is_white;
        g_assert_true(!is_white || x < 32);
    }
    g_assert_cmpint(white, >, 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/learn-place/fits", test_fits);
    g_test_add_func("/learn-place/limit", test_limit);
    g_test_add_func("/learn-place/without-mask", test_without_mask);
    return g_test_run();
}
