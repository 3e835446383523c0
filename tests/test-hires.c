/* Drawn, enlarged, drawn again: each of several pictures is what these three give one after the other, with its
 * own seed, and the size is to the nearest latent. */
#include "engine/generate/hires.h"

#include "engine/base/error.h"
#include "engine/picture/picture_scale.h"
#include "tests/picture_fixture.h"
#include "tests/small_session.h"

#include <string.h>

enum { SIDE = 64, LARGE = 96, COUNT = 2 };

struct taken {
    picture *all[COUNT];
    uint64_t seeds[COUNT];
};

static bool take(void *user, int index, uint64_t seed, const picture *p, GError **error)
{
    struct taken *t = user;

    t->all[index] = picture_copy(p, error);
    t->seeds[index] = seed;
    return t->all[index] != NULL;
}

static void clear(struct taken *t)
{
    for (int i = 0; i < COUNT; i++) {
        picture_free(t->all[i]);
    }
}

static struct svdiff_generate_options options_of(const svdiff *s)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(s);

    o.prompt = "a photo of a dog";
    o.width = o.height = SIDE;
    o.steps = 4;
    o.seed = 7;
    o.count = COUNT;
    return o;
}

// tile: by pictures whose edges fit together, at either size
static void test_both(const void *tile)
{
    g_autoptr(svdiff) s = small_session();
    struct svdiff_generate_options o = options_of(s);
    struct taken small = {0}, large = {0};
    g_autoptr(GError) error = NULL;

    o.tile = tile != NULL;
    g_assert_true(svdiff_generate(s, &o, take, NULL, &small, &error));
    o.hires = 1.55; // 99.2 pixels, and 96 are whole latents
    o.hires_strength = 0.5;
    g_assert_true(svdiff_generate(s, &o, take, NULL, &large, &error));
    g_assert_no_error(error);
    for (int i = 0; i < COUNT; i++) {
        g_autoptr(picture) init = o.tile ? picture_resize_around(small.all[i], LARGE, LARGE, NULL)
                                         : picture_resize(small.all[i], LARGE, LARGE, NULL);
        struct svdiff_generate_options again = options_of(s);
        struct taken one = {0};
        again.init = init;
        again.tile = o.tile;
        again.width = again.height = LARGE;
        again.strength = 0.5;
        again.seed += (uint64_t)i;
        again.count = 1;
        g_assert_true(svdiff_generate(s, &again, take, NULL, &one, NULL));
        g_assert_cmpint(large.all[i]->width, ==, LARGE);
        g_assert_cmpint(large.all[i]->height, ==, LARGE);
        g_assert_cmpuint(large.seeds[i], ==, 7 + (uint64_t)i);
        g_assert_cmpfloat(picture_largest_difference(one.all[0], large.all[i]), ==, 0);
        g_assert_cmpfloat(picture_largest_difference(init, large.all[i]), >, 0.01f);
        clear(&one);
    }
    clear(&small);
    clear(&large);
}

static void assert_refused(svdiff *s, const struct svdiff_generate_options *o, const char *part)
{
    struct taken none = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(svdiff_generate(s, o, take, NULL, &none, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_null(none.all[0]);
}

static void test_refused(void)
{
    g_autoptr(svdiff) s = small_session();
    g_autoptr(picture) init = picture_create(SIDE, SIDE, 3, NULL);
    struct svdiff_generate_options o = options_of(s);

    o.hires = 9;
    assert_refused(s, &o, "--hires is 9");
    o.hires = 2;
    o.hires_strength = 0;
    assert_refused(s, &o, "--hires-strength is 0");
    // before the first drawing, which would be for nothing
    o.hires_strength = 0.2;
    assert_refused(s, &o, "--hires-strength 0.2 leaves none of the 4 steps: use at least 0.25");
    o = options_of(s);
    o.hires = 8;
    o.width = 2048;
    assert_refused(s, &o, "--hires 8 makes 16384x512 of 2048x64");
    o = options_of(s);
    o.hires = 2;
    o.init = init;
    assert_refused(s, &o, "leave --init-image out");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/hires/both", NULL, test_both);
    g_test_add_data_func("/hires/tile", "tile", test_both);
    g_test_add_func("/hires/refused", test_refused);
    return g_test_run();
}
