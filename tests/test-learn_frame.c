/* Which square of a learning picture is seen, with masks and without. */
#include "engine/learn/pictures/learn_bucket.h"
#include "engine/learn/pictures/learn_frame.h"

static picture *blank(int width, int height, int channels)
{
    g_autoptr(GError) error = NULL;
    picture *p = picture_create(width, height, channels, &error);

    g_assert_no_error(error);
    memset(p->pixels, 0, (size_t)width * height * channels * sizeof(float));
    return p;
}

// white from left, top to right, bottom
static picture *marked(int width, int height, int left, int top, int right, int bottom)
{
    picture *p = blank(width, height, 1);

    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            p->pixels[y * width + x] = 1;
        }
    }
    return p;
}

static void test_box(void)
{
    g_autoptr(picture) mask = marked(20, 10, 3, 2, 8, 9);
    g_autoptr(picture) empty = blank(20, 10, 1);
    struct layout_box box;

    mask->pixels[0] = 0.4f; // a faint edge does not count beside white
    g_assert_true(learn_frame_box(mask, &box));
    g_assert_cmpfloat(box.left, ==, 3);
    g_assert_cmpfloat(box.top, ==, 2);
    g_assert_cmpfloat(box.right, ==, 8);
    g_assert_cmpfloat(box.bottom, ==, 9);
    empty->pixels[25] = 0.1f; // alone it does
    g_assert_true(learn_frame_box(empty, &box));
    g_assert_cmpfloat(box.left, ==, 5);
    g_assert_cmpfloat(box.bottom, ==, 2);
    empty->pixels[25] = 0;
    g_assert_false(learn_frame_box(empty, &box));
}

static void test_union(void)
{
    g_autoptr(picture) image = blank(6, 4, 3), a = marked(6, 4, 0, 0, 2, 2),
                       b = marked(6, 4, 1, 1, 6, 4);
    const picture *const masks[] = {a, b};
    const int subjects[] = {0, 1};
    const struct learn_source source = {image, 2, masks, subjects}, none = {.image = image};
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) all = learn_frame_union(&source, &error);

    g_assert_no_error(error);
    g_assert_cmpfloat(all->pixels[0], ==, 1);
    g_assert_cmpfloat(all->pixels[2], ==, 0);
    g_assert_cmpfloat(all->pixels[8], ==, 1);
    g_assert_null(learn_frame_union(&none, &error));
    g_assert_no_error(error);
}

static void test_centre(void)
{
    const struct learn_framing f = {.width = 10, .height = 10};
    g_autoptr(picture) image = blank(40, 20, 3), mask = marked(40, 20, 30, 0, 36, 20);
    struct picture_frame frame = learn_frame(image, NULL, &f, 0, 0);

    g_assert_cmpint(frame.width, ==, 20);
    g_assert_cmpint(frame.x, ==, 5);
    frame = learn_frame(image, mask, &f, 0, 0);
    g_assert_cmpint(frame.x, ==, 10); // as far as the edge allows
    g_assert_cmpint(frame.y, ==, 0);
}

// a random square keeps a small subject whole and shows only a large one
static void test_crops(void)
{
    const struct learn_framing f = {.width = 20, .height = 20, .crops = 64, .seed = 7};
    g_autoptr(picture) image = blank(60, 20, 3);
    g_autoptr(picture) narrow = marked(60, 20, 30, 5, 36, 9);
    g_autoptr(picture) wide = marked(60, 20, 10, 0, 50, 20);
    int least = 60, most = 0;

    for (int i = 0; i < f.crops; i++) {
        struct picture_frame frame = learn_frame(image, narrow, &f, 3, i);
        g_assert_cmpint(frame.x, <=, 30);
        g_assert_cmpint(frame.x + frame.crop_width, >=, 36);
        least = MIN(least, frame.x);
        most = MAX(most, frame.x);
        frame = learn_frame(image, wide, &f, 3, i);
        g_assert_cmpint(frame.x, >=, 10);
        g_assert_cmpint(frame.x + frame.crop_width, <=, 50);
    }
    g_assert_cmpint(least, ==, 16);
    g_assert_cmpint(most, ==, 30);
}

// what stands out is in the square, as near to its middle as the edges allow
static void test_found(void)
{
    const struct learn_framing f = {.width = 40, .height = 40, .find = true};
    g_autoptr(picture) image = picture_create(120, 40, 3, NULL);

    for (int i = 0; i < 120 * 40; i++) {
        const bool inside = i % 120 >= 84 && i % 120 < 104 && i / 120 >= 10 && i / 120 < 30;
        for (int c = 0; c < 3; c++) {
            image->pixels[3 * i + c] = inside ? 0.9f : 0.2f;
        }
    }
    g_assert_cmpint(learn_frame(image, NULL, &f, 0, 0).x, ==, 74);
    const struct learn_framing middle = {.width = 40, .height = 40};
    g_assert_cmpint(learn_frame(image, NULL, &middle, 0, 0).x, ==, 40);
}

// of a wide picture nothing is cut off that its shape has room for
static void test_bucket(void)
{
    static const struct {
        int n, width, height, h, w;
    } known[] = {
        {64, 512, 512, 64, 64},   {64, 768, 512, 48, 80}, {64, 512, 768, 80, 48},
        {64, 1920, 1080, 48, 80}, {64, 520, 500, 64, 64}, {64, 4000, 100, 32, 128},
        {64, 100, 4000, 128, 32}, {16, 300, 200, 12, 20}, {8, 300, 200, 6, 10},
        {1, 300, 200, 1, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        const struct learn_bucket b = learn_bucket_of(known[i].n, known[i].width, known[i].height);
        g_test_message("%d: %d x %d is %d x %d", known[i].n, known[i].width, known[i].height, b.h,
                       b.w);
        g_assert_cmpint(b.h * b.w, <=, known[i].n * known[i].n);
        g_assert_cmpint(b.h, ==, known[i].h);
        g_assert_cmpint(b.w, ==, known[i].w);
    }
    // covers the shape, and is cut in its middle
    const struct picture_frame f = picture_frame_fill(300, 200, 160, 96);
    g_assert_true(f.width == 160 && f.height == 106 && f.x == 0 && f.y == 5);
    const struct picture_frame g = picture_frame_fill(300, 200, 100, 96);
    g_assert_true(g.width == 144 && g.height == 96 && g.x == 22 && g.y == 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/learn-frame/box", test_box);
    g_test_add_func("/learn-frame/union", test_union);
    g_test_add_func("/learn-frame/centre", test_centre);
    g_test_add_func("/learn-frame/crops", test_crops);
    g_test_add_func("/learn-frame/found", test_found);
    g_test_add_func("/learn_frame/bucket", test_bucket);
    return g_test_run();
}
