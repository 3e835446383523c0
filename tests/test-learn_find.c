/* Where an unmarked subject is found, and that a busy or an empty picture gives its middle. */
#include "engine/learn/pictures/learn_find.h"

#include "engine/base/noise.h"

struct scene {
    int width, height;
    int box[4];  // of the subject: left, top, right, bottom
    int horizon; // row below which the ground is green; 0: none
    float noise; // on everything
};

static picture *paint(const struct scene *s)
{
    static const float sky[] = {0.6f, 0.7f, 0.9f}, ground[] = {0.3f, 0.6f, 0.2f};
    static const float thing[] = {0.8f, 0.2f, 0.1f};
    picture *p = picture_create(s->width, s->height, 3, NULL);
    g_autofree float *noise = g_new(float, 3 * s->width * s->height);

    noise_normal(1, NOISE_FRESH, 0, noise, 3 * s->width * s->height);
    for (int i = 0; i < 3 * s->width * s->height; i++) {
        const int x = i / 3 % s->width, y = i / 3 / s->width, c = i % 3;
        const bool inside = x >= s->box[0] && y >= s->box[1] && x < s->box[2] && y < s->box[3];
        const bool below = s->horizon > 0 && y >= s->horizon;
        p->pixels[i] = (inside ? thing[c] : below ? ground[c] : sky[c]) + s->noise * noise[i];
    }
    return p;
}

static void check_box(const struct scene *s, const double wanted[4])
{
    g_autoptr(picture) p = paint(s);
    const struct layout_box box = learn_find_subject(p);
    const double got[] = {box.left, box.top, box.right, box.bottom};

    for (int i = 0; i < 4; i++) {
        g_assert_cmpfloat_with_epsilon(got[i], wanted[i], 1e-9);
    }
}

static void check_found(const struct scene *s)
{
    check_box(s, (const double[]){s->box[0], s->box[1], s->box[2], s->box[3]});
}

static void test_found(void)
{
    check_found(&(struct scene){.width = 100, .height = 80, .box = {10, 20, 50, 60}});
    check_found(&(struct scene){.width = 64, .height = 96, .box = {30, 40, 60, 90}, .horizon = 50});
    // grain is no subject
    check_found(&(struct scene){
        .width = 100, .height = 100, .box = {40, 40, 70, 60}, .horizon = 30, .noise = 0.01f});
}

static void test_middle(void)
{
    static const double even[] = {18, 8, 82, 72}; // four fifths of 80

    check_box(&(struct scene){.width = 100, .height = 80}, even); // nothing there
    check_box(&(struct scene){.width = 100, .height = 80, .box = {50, 40, 52, 42}},
              even); // a speck
    check_box(&(struct scene){.width = 100, .height = 80, .box = {5, 20, 96, 60}},
              even);                                                             // too wide
    check_box(&(struct scene){.width = 100, .height = 80, .noise = 0.3f}, even); // busy
}

// one pixel, one row: nothing is read beyond
static void test_tiny(void)
{
    for (int width = 1; width <= 3; width++) {
        for (int height = 1; height <= 3; height++) {
            const struct scene s = {.width = width, .height = height, .box = {1, 1, 2, 2}};
            g_autoptr(picture) p = paint(&s);
            const struct layout_box box = learn_find_subject(p);
            g_assert_cmpfloat(box.right, >, box.left);
            g_assert_cmpfloat(box.bottom, >, box.top);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/learn-find/found", test_found);
    g_test_add_func("/learn-find/middle", test_middle);
    g_test_add_func("/learn-find/tiny", test_tiny);
    return g_test_run();
}
