/* Drawing and learning on several devices, each of which is the CPU here: what they draw is what one draws; whoever
 * fails or is stopped, the call says so, in the words of the one to which it happened. */
#include "engine/generate/strip_sheet.h"
#include "engine/session/session.h"

#include "engine/base/error.h"
#include "tests/edited_model.h"
#include "tests/picture_fixture.h"

#include <string.h>

enum { SIDE = 64, COUNT = 5, NONE = 99 };

struct taken {
    svdiff_picture *all[COUNT];
    int n;
    bool stops; // once there is a picture
};

static bool take(void *user, int index, uint64_t seed, const svdiff_picture *p, GError **error)
{
    struct taken *t = user;
    svdiff_picture *copy = svdiff_picture_create(p->width, p->height, p->channels, error);

    g_assert_nonnull(copy);
    memcpy(copy->pixels, p->pixels, (size_t)p->width * p->height * p->channels * sizeof *p->pixels);
    t->all[index] = copy;
    t->n++;
    return true;
}

static bool go_on(void *user, const struct progress *p)
{
    struct taken *t = user;

    return !t->stops || t->n == 0;
}

static void clear(struct taken *t)
{
    for (int i = 0; i < COUNT; i++) {
        svdiff_picture_free(t->all[i]);
    }
}

static svdiff *open_model(int further)
{
    g_autofree char *model = fixture_path("sd1");
    const struct svdiff_options options = {.model = model,
                                           .device = SVDIFF_DEVICE_CPU,
                                           .precision = SVDIFF_PRECISION_F32,
                                           .threads = 1};
    const int numbers[] = {1, 2};
    g_autoptr(GError) error = NULL;
    svdiff *s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    // of the command line these are devices of CUDA
    s->options.more_devices = g_memdup2(numbers, sizeof numbers);
    s->options.n_more_devices = further;
    return s;
}

// the other devices find no model
static void lose_model(svdiff *s)
{
    g_free((char *)s->options.model);
    s->options.model = g_strdup("lost");
}

static bool draw(svdiff *s, int count, int steps, double hires, struct taken *t, GError **error)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(s);

    o.prompt = "a photo of a dog";
    o.width = o.height = SIDE;
    o.steps = steps;
    o.count = count;
    o.seed = 7;
    o.hires = hires;
    o.hires_strength = 1;
    return svdiff_generate(s, &o, take, go_on, t, error);
}

static void check_pictures(svdiff *several, int count, double hires, const struct taken *one)
{
    struct taken t = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(draw(several, count, 1, hires, &t, &error));
    g_assert_no_error(error);
    g_assert_cmpint(t.n, ==, count);
    for (int i = 0; i < count; i++) {
        g_assert_cmpfloat(picture_largest_difference(t.all[i], one->all[i]), ==, 0);
    }
    clear(&t);
}

// also where there are more devices than pictures, and where each picture is drawn twice
static void test_pictures(void)
{
    g_autoptr(svdiff) alone = open_model(0), three = open_model(2);

    for (double hires = 1; hires <= 1.5; hires += 0.5) {
        struct taken one = {0};
        g_assert_true(draw(alone, COUNT, 1, hires, &one, NULL));
        check_pictures(three, COUNT, hires, &one);
        check_pictures(three, 2, hires, &one);
        clear(&one);
    }
}

/* ---- a strip ---- */

static bool take_cell(void *user, const struct svdiff_generate_options *column, int index,
                      uint64_t seed, const svdiff_picture *p, GError **error)
{
    // the options that the picture was drawn with come with it
    g_assert_cmpfloat(column->guidance, ==, 1 + index / 2);
    g_assert_cmpuint(seed, ==, 7 + (uint64_t)index % 2);
    return take(user, index, seed, p, error);
}

static bool draw_strip(svdiff *s, const char *text, struct taken *t, GError **error)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(s);
    struct strip strip;

    o.prompt = "a photo of a dog";
    o.width = o.height = SIDE;
    o.steps = 1;
    o.count = 2;
    o.seed = 7;
    g_assert_true(strip_parse(text, &strip, NULL));
    const bool done = strip_generate(s, &strip, &o, take_cell, go_on, t, error);
    strip_clear(&strip);
    return done;
}

// a column is a device's, with all its pictures
static void test_strip(void)
{
    g_autoptr(svdiff) alone = open_model(0), three = open_model(2);
    g_autoptr(GError) error = NULL;
    struct taken one = {0}, several = {0};

    g_assert_true(draw_strip(alone, "guidance=1,2", &one, NULL));
    g_assert_true(draw_strip(three, "guidance=1,2", &several, NULL));
    g_assert_cmpint(several.n, ==, 4);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpfloat(picture_largest_difference(several.all[i], one.all[i]), ==, 0);
    }
    // columns differ, and rows
    g_assert_cmpfloat(picture_largest_difference(one.all[0], one.all[2]), >, 0);
    g_assert_cmpfloat(picture_largest_difference(one.all[0], one.all[1]), >, 0);
    clear(&one);
    clear(&several);
    // what only a further device meets is told of it
    several = (struct taken){0};
    lose_model(three);
    g_assert_false(draw_strip(three, "guidance=1,2", &several, &error));
    g_assert_nonnull(strstr(error->message, "On the device cuda:1: "));
    clear(&several);
}

// one that has drawn what is its own waits for the others, and is stopped there
static void test_cancel(void)
{
    g_autoptr(svdiff) s = open_model(1);
    struct taken t = {.stops = true};
    g_autoptr(GError) error = NULL;

    s->share = NONE;
    const bool done = draw(s, COUNT, 300, 1, &t, &error);
    // the other one has two of five
    if (t.n < 2) {
        g_assert_false(done);
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED);
    } else {
        g_test_skip("it was done before it could be stopped");
    }
    clear(&t);
}

static void test_failure(void)
{
    g_autoptr(svdiff) s = open_model(2);
    struct taken t = {0};
    g_autoptr(GError) error = NULL;

    lose_model(s);
    g_assert_false(draw(s, COUNT, 1, 1, &t, &error));
    g_assert_nonnull(strstr(error->message, "On the device cuda:"));
    g_assert_nonnull(strstr(error->message, "lost"));
    clear(&t);
}

/* ---- learning ---- */

static bool learn(svdiff *s, const char *file, GError **error)
{
    struct svdiff_learn_options o = svdiff_learn_defaults(s);
    const char *const images[] = {file, NULL};
    const struct svdiff_subject subject = {.prompt = "a photo of a [V] dog", .images = images};

    o.subjects = &subject;
    o.n_subjects = 1;
    o.output = "never.safetensors";
    o.steps = 1;
    o.size = SIDE;
    return svdiff_learn(s, &o, NULL, NULL, error);
}

// what is wrong for all of them is no matter of a device
static void test_wrong_for_all(void)
{
    g_autoptr(svdiff) s = open_model(2);
    g_autoptr(GError) error = NULL;

    g_assert_false(learn(s, "nothing.png", &error));
    g_assert_true(g_str_has_prefix(error->message, "nothing.png"));
}

static void test_learn_failure(void)
{
    g_autofree char *file =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/bits.png", NULL);
    g_autofree char *folder = temporary_folder_create();
    g_autoptr(svdiff) s = open_model(1);
    g_autoptr(GError) error = NULL;

    s->options.cache = g_strdup(folder);
    lose_model(s);
    g_assert_false(learn(s, file, &error));
    g_assert_nonnull(strstr(error->message, "On the device cuda:1: "));
    temporary_folder_remove(g_steal_pointer(&folder));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/several-devices/pictures", test_pictures);
    g_test_add_func("/several-devices/strip", test_strip);
    g_test_add_func("/several-devices/cancel", test_cancel);
    g_test_add_func("/several-devices/failure", test_failure);
    g_test_add_func("/several-devices/wrong-for-all", test_wrong_for_all);
    g_test_add_func("/several-devices/learn-failure", test_learn_failure);
    return g_test_run();
}
