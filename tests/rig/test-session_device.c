/* Which device a session computes on, on a machine that the rig plays (RIG_DEVICES, RIG_MEMORY): asked for by name, and by
 * auto once it is proven (test-device_auto.c). */
#include "engine/base/error.h"
#include "engine/edit/edit_fit.h"
#include "engine/edit/edit_shift.h"
#include "engine/generate/generate_fit.h"
#include "engine/learn/estimate.h"
#include "engine/picture/picture.h"

#include "tests/rig/noted_session.h"
#include "tests/temporary_folder.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static bool take_picture(void *user, int index, uint64_t seed, const svdiff_picture *p,
                         GError **error)
{
    ++*(int *)user;
    return true;
}

static struct svdiff_generate_options small_picture(svdiff *s)
{
    struct svdiff_generate_options o = svdiff_generate_defaults(s);

    o.prompt = "a photo of a dog";
    o.width = o.height = 64;
    o.steps = 1;
    o.count = 1;
    return o;
}

static void test_named(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CUDA);
    g_autoptr(svdiff) host = open_model(SVDIFF_DEVICE_CPU);

    g_assert_cmpstr(s->device, ==, "cuda:0");
    g_assert_cmpstr(host->device, ==, "cpu");
    g_assert_cmpint(s->options.precision, ==, SVDIFF_PRECISION_BF16);
    // what is free is the device's own, of the 8192 MiB that the rig has
    g_assert_cmpuint(session_available(s), ==, (uint64_t)8192 << 20);
    g_assert_true(session_has_memory(s, (uint64_t)8192 << 20, NULL));
    g_assert_false(session_has_memory(s, ((uint64_t)8192 << 20) + 1, NULL));
}

// the memory that the table itself takes, and none for a model
#define LITTLE "96"

// so that it is known where little memory is left
static void prove(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_AUTO);
    g_assert_cmpstr(s->device, ==, "cuda:0");
}

static void test_named_is_too_small(void)
{
    g_autoptr(GError) error = NULL;
    int pictures = 0;

    g_setenv("RIG_MEMORY", LITTLE, TRUE);
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CUDA);
    const struct svdiff_generate_options o = small_picture(s);
    g_assert_false(svdiff_generate(s, &o, take_picture, NULL, &pictures, &error));
    g_unsetenv("RIG_MEMORY");
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message,
                            "GiB of memory are needed and 0.09 GiB are available on "
                            "the device cuda:0; close what uses it"));
    g_assert_cmpint(pictures, ==, 0);
}

/* ---- what would fit ---- */

// device memory that drawing takes, as the session of a large device tells it
static uint64_t peak(svdiff *s, const struct svdiff_generate_options *o)
{
    struct generate_count count;

    g_assert_true(generate_count(s, o, &count, NULL));
    return count.peak;
}

// the device has so many bytes and some more, less than two KiB
static void limit(uint64_t bytes)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "K", bytes / 1024 + 1);

    g_setenv("RIG_MEMORY", text, TRUE);
}

static void assert_says(const GError *error, const char *pattern)
{
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    if (!g_regex_match_simple(pattern, error->message, 0, 0)) {
        g_error("%s does not match %s", error->message, pattern);
    }
}

// whether drawing is refused with what fits
static void assert_offers(svdiff *s, const struct svdiff_generate_options *o, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    int pictures = 0;

    g_assert_false(svdiff_generate(s, o, take_picture, NULL, &pictures, &error));
    assert_says(error, pattern);
    g_assert_cmpint(pictures, ==, 0);
}

static void test_offers(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CUDA);
    struct svdiff_generate_options o = small_picture(s), least = o;

    o.width = o.height = 512;
    o.count = 3;
    const uint64_t several = peak(s, &o);
    o.count = 1;
    const uint64_t one = peak(s, &o);
    least.width = 448;
    least.height = 448;
    const uint64_t smaller = peak(s, &least);
    least.width = least.height = 64;
    g_assert_cmpuint(several, >, one);
    g_assert_cmpuint(one, >, smaller);

    // one picture is enough, and so are smaller ones
    o.count = 3;
    limit(one);
    assert_offers(
        s, &o,
        "; close what uses it, or use --count 1 \\([0-9.]+ GiB\\), --width 384 --height 384 "
        "\\([0-9.]+ GiB\\) or --device cpu\\.$");
    // the largest size that fits is what is named, and it does
    o.count = 1;
    limit(smaller);
    assert_offers(s, &o, "or use --width 448 --height 448 \\([0-9.]+ GiB\\) or --device cpu");
    limit(peak(s, &least));
    assert_offers(s, &o, "or use --width 64 --height 64 \\(0\\.09 GiB\\) or --device cpu");
    g_assert_true(generate_settle(s, &least, NULL));
    // nothing does
    g_setenv("RIG_MEMORY", "96", TRUE);
    assert_offers(s, &o, "or use a smaller size, or --device cpu\\.$");
    g_unsetenv("RIG_MEMORY");
}

// where networks are kept for the next call, the last picture is decoded beside them as well
static void test_kept_networks(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CUDA);
    struct svdiff_generate_options o = small_picture(s);

    o.count = 2;
    const uint64_t two = peak(s, &o);
    o.count = 1;
    g_assert_cmpuint(peak(s, &o), <, two);
    s->keeps = true;
    g_assert_cmpuint(peak(s, &o), ==, two);
}

// nothing is written by who counts
static void test_counts_quietly(void)
{
    g_autofree char *folder = g_dir_make_tmp("svdiff-device-XXXXXX", NULL);
    g_autofree char *preview = g_build_filename(folder, "preview.png", NULL);
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CPU);
    struct svdiff_generate_options o = small_picture(s);

    o.preview = preview;
    peak(s, &o);
    g_assert_false(g_file_test(preview, G_FILE_TEST_EXISTS));
    g_rmdir(folder);
}

// a picture that the device cannot decode whole is decoded in tiles, where that is enough
static void test_tiles(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CUDA);
    struct svdiff_generate_options o = small_picture(s);
    struct generate_count count;
    const int side = 96 * autoencoder_factor(checkpoint_vae_config(s->checkpoint));

    o.width = side;
    const uint64_t whole = peak(s, &o);
    s->tiled = true;
    const uint64_t tiled = peak(s, &o);
    g_assert_cmpuint(tiled, <, whole);

    g_assert_true(generate_fit(s, &o, &count, NULL));
    g_assert_false(s->tiled);
    g_assert_cmpuint(count.peak, ==, whole);
    limit(tiled);
    g_assert_true(generate_settle(s, &o, NULL));
    g_assert_true(s->tiled);
    g_assert_nonnull(strstr(noted, "decoded in tiles: the device cuda:0 has no room"));
    // tiles alone are too much, too
    limit(tiled - 4096);
    g_assert_false(generate_settle(s, &o, NULL));
    g_assert_false(s->tiled);
    g_unsetenv("RIG_MEMORY");
}

static bool take_kept(void *user, int index, uint64_t seed, const svdiff_picture *p, GError **error)
{
    picture **kept = user;

    *kept = picture_copy(p, error);
    return *kept != NULL;
}

// and looks as the whole one does
static void test_tiles_look(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CPU);
    struct svdiff_generate_options o = small_picture(s);
    g_autoptr(picture) whole = NULL, tiled = NULL;
    double sum = 0;

    o.width = 96 * autoencoder_factor(checkpoint_vae_config(s->checkpoint));
    g_assert_true(svdiff_generate(s, &o, take_kept, NULL, &whole, NULL));
    s->tiled = true;
    g_assert_true(svdiff_generate(s, &o, take_kept, NULL, &tiled, NULL));
    const size_t count = (size_t)whole->width * whole->height * whole->channels;
    for (size_t i = 0; i < count; i++) {
        sum += fabs(whole->pixels[i] - tiled->pixels[i]);
    }
    g_assert_cmpfloat(sum, >, 0);
    g_assert_cmpfloat(sum / (double)count, <, 0.02);
}

static void test_auto_gives_way(void)
{
    g_autoptr(GError) error = NULL;
    struct svdiff_estimate e;
    int pictures = 0;

    prove();
    g_setenv("RIG_MEMORY", LITTLE, TRUE);
    g_autoptr(svdiff) told = open_model(SVDIFF_DEVICE_AUTO);
    struct svdiff_generate_options o = small_picture(told);
    g_assert_true(svdiff_estimate_generate(told, &o, &e, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(e.device, ==, "cpu");
    g_assert_cmpuint(e.available, >,
                     (uint64_t)1 << 30); // the machine's, not what is left of the rig's

    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_AUTO);
    g_assert_cmpstr(s->device, ==, "cuda:0");
    o = small_picture(s);
    g_assert_true(svdiff_generate(s, &o, take_picture, NULL, &pictures, &error));
    g_unsetenv("RIG_MEMORY");
    g_assert_no_error(error);
    g_assert_cmpstr(s->device, ==, "cpu");
    g_assert_cmpint(pictures, ==, 1);
    g_assert_true(g_str_has_prefix(noted, "on the CPU: "));
}

/* ---- editing ---- */

struct edit {
    char *folder, *image, *shift;
    const char *target;
    struct svdiff_edit_options options;
};

static void edit_begin(struct edit *e, const svdiff *s)
{
    e->folder = g_dir_make_tmp("svdiff-device-XXXXXX", NULL);
    e->image = g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/rgb8.png", NULL);
    e->shift = g_build_filename(e->folder, "learned.safetensors", NULL);
    e->target = "a cat";
    e->options = svdiff_edit_defaults(s);
    e->options.image = e->image;
    e->options.prompt = "a dog";
    e->options.targets = &e->target;
    e->options.n_targets = 1;
    e->options.shift = e->shift;
    e->options.learn_steps = e->options.steps = 1;
    e->options.width = e->options.height = 64;
    svdiff_edit_structure(&e->options, e->options.structure);
}

static void edit_end(struct edit *e)
{
    g_unlink(e->shift);
    g_assert_cmpint(g_rmdir(e->folder), ==, 0); // nothing else was left there
    g_free(e->folder);
    g_free(e->image);
    g_free(e->shift);
}

// what its parts take, as the session of a large device tells it
static uint64_t edit_rest(svdiff *s, const struct edit *e)
{
    struct generate_count count;

    g_assert_true(edit_count(s, &e->options, &count, NULL));
    return count.peak;
}

static uint64_t edit_learning(svdiff *s, const struct edit *e)
{
    uint64_t bytes;

    g_assert_true(edit_shift_least(s, &e->options, &bytes, NULL));
    return bytes;
}

// refused before anything is learned
static void assert_edit_offers(svdiff *s, const struct edit *e, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    int pictures = 0;

    g_assert_false(svdiff_edit(s, &e->options, take_picture, NULL, &pictures, &error));
    assert_says(error, pattern);
    g_assert_cmpint(pictures, ==, 0);
    g_assert_false(g_file_test(e->shift, G_FILE_TEST_EXISTS));
}

static void test_edit_offers(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_CUDA);
    struct edit e;

    edit_begin(&e, s);
    e.options.width = e.options.height = 256;
    e.options.count = 2;
    e.options.fit = 0;
    const uint64_t unfitted = edit_rest(s, &e);
    e.options.fit = 3;
    const uint64_t fitted = edit_rest(s, &e), learning = edit_learning(s, &e);
    g_assert_cmpuint(learning, <, unfitted);
    g_assert_cmpuint(unfitted, <, fitted);

    // each is enough, as much as is said of it
    limit(unfitted);
    assert_edit_offers(s, &e,
                       "; close what uses it, or use --fit 0 \\([0-9.]+ GiB\\), --width [0-9]+ "
                       "--height [0-9]+ \\([0-9.]+ GiB\\) or --device cpu\\.$");
    e.options.fit = 0;
    g_assert_true(edit_settle(s, &e.options,
                              &(struct svdiff_generate_options){.width = 256, .height = 256}, false,
                              NULL));
    // what is learned is learned in one size
    limit(learning - 2048);
    assert_edit_offers(
        s, &e, "; close what uses it, or use a device with more memory or --device cpu\\.$");
    g_unsetenv("RIG_MEMORY");
    edit_end(&e);
}

// what was counted is enough for all of it; in f32, whose products the rig is quick with
static void test_edit_fits(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(svdiff) s = open_model_in(SVDIFF_DEVICE_CUDA, SVDIFF_PRECISION_F32);
    struct edit e;
    int pictures = 0;

    edit_begin(&e, s);
    e.options.fit = 1;
    limit(MAX(edit_rest(s, &e), edit_learning(s, &e)));
    svdiff_edit(s, &e.options, take_picture, NULL, &pictures, &error);
    g_unsetenv("RIG_MEMORY");
    g_assert_no_error(error);
    g_assert_cmpint(pictures, ==, 1);
    g_assert_cmpstr(s->device, ==, "cuda:0");
    edit_end(&e);
}

// learning alone is too much, or all of it; also where a drawing was begun with the device in mind
static void test_edit_gives_way(void)
{
    prove();
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        struct edit e;
        int pictures = 0;

        svdiff *large = open_model(SVDIFF_DEVICE_CUDA);
        edit_begin(&e, large);
        const uint64_t learning = edit_learning(large, &e), rest = edit_rest(large, &e);
        g_assert_cmpuint(rest, <, learning);
        svdiff_close(large);
        limit(i == 0 ? rest : (uint64_t)96 << 20);
        g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_AUTO);
        g_assert_cmpstr(s->device, ==, "cuda:0");
        svdiff_edit(s, &e.options, take_picture, NULL, &pictures, &error);
        g_unsetenv("RIG_MEMORY");
        g_assert_no_error(error);
        g_assert_cmpstr(s->device, ==, "cpu");
        g_assert_cmpint(pictures, ==, 1);
        edit_end(&e);
    }
}

/* ---- learning ---- */

// what was counted is enough for all of it: spectra that the device computes, pictures of the class, steps
static void test_learn_fits(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *output = g_build_filename(folder, "learned.safetensors", NULL);
    g_autofree char *image =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/rgb8.png", NULL);
    const char *const images[] = {image, NULL};
    const struct svdiff_subject subject = {.prompt = "a [V] dog", .images = images};
    g_autoptr(svdiff) s = open_model_in(SVDIFF_DEVICE_CUDA, SVDIFF_PRECISION_F32);
    struct svdiff_learn_options o = svdiff_learn_defaults(s);
    const struct kernels_spectra *spectra = s->k->spectra;
    g_autoptr(GError) error = NULL;
    uint64_t told, without;

    // so that they are in no cache
    s->options.cache = g_strdup(folder);
    o.subjects = &subject;
    o.n_subjects = 1;
    o.output = output;
    o.size = 64;
    o.steps = 1;
    o.prior_images = 1;
    g_assert_true(estimate_least(s, &o, &told, NULL));
    s->k->spectra = NULL;
    g_assert_true(estimate_least(s, &o, &without, NULL));
    s->k->spectra = spectra;
    g_assert_cmpuint(without, <, told);
    limit(told);
    svdiff_learn(s, &o, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(s->device, ==, "cuda:0");
    limit(told - 4096);
    g_assert_false(svdiff_learn(s, &o, NULL, NULL, &error));
    g_unsetenv("RIG_MEMORY");
    assert_says(error,
                "GiB of memory are needed and [0-9.]+ GiB are available on the device cuda:0");
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    char *cache = temporary_folder_create(); // nothing is proven yet

    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session-device/named", test_named);
    g_test_add_func("/session-device/named-is-too-small", test_named_is_too_small);
    g_test_add_func("/session-device/offers", test_offers);
    g_test_add_func("/session-device/kept-networks", test_kept_networks);
    g_test_add_func("/session-device/counts-quietly", test_counts_quietly);
    g_test_add_func("/session-device/tiles", test_tiles);
    g_test_add_func("/session-device/tiles-look", test_tiles_look);
    g_test_add_func("/session-device/auto-gives-way", test_auto_gives_way);
    g_test_add_func("/session-device/edit-offers", test_edit_offers);
    g_test_add_func("/session-device/edit-fits", test_edit_fits);
    g_test_add_func("/session-device/edit-gives-way", test_edit_gives_way);
    g_test_add_func("/session-device/learn-fits", test_learn_fits);
    const int failed = g_test_run();
    temporary_folder_remove(cache);
    return failed;
}
