/* Which device a session computes on, on a machine that the rig plays (RIG_DEVICES, RIG_MEMORY): asked for by name, and by
 * auto as it is where a device is proven, for which this program compiles session_device.c once more. */
#include "engine/session/session.h"

#include "engine/base/error.h"

#include <string.h>

static char noted[512]; // the last note

static void take_note(void *user, const char *sentence)
{
    g_strlcpy(noted, sentence, sizeof noted);
}

static svdiff *open_model(enum svdiff_device device)
{
    g_autofree char *model =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/models/sd1", NULL);
    const struct svdiff_options options = {
        .model = model, .device = device, .threads = 1, .note = take_note};
    g_autoptr(GError) error = NULL;
    svdiff *s = svdiff_open(&options, &error);

    noted[0] = '\0';
    g_assert_no_error(error);
    return s;
}

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

static void test_auto(void)
{
    g_autoptr(svdiff) s = open_model(SVDIFF_DEVICE_AUTO);

    g_assert_cmpstr(s->device, ==, "cuda:0");
    g_setenv("RIG_DEVICES", "0", TRUE);
    g_autoptr(svdiff) without = open_model(SVDIFF_DEVICE_AUTO);
    g_unsetenv("RIG_DEVICES");
    g_assert_cmpstr(without->device, ==, "cpu");
    g_assert_cmpstr(noted, ==, "");
}

// the memory that the table itself takes, and none for a model
#define LITTLE "96"

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

static void test_auto_gives_way(void)
{
    g_autoptr(GError) error = NULL;
    struct svdiff_estimate e;
    int pictures = 0;

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session-device/named", test_named);
    g_test_add_func("/session-device/auto", test_auto);
    g_test_add_func("/session-device/named-is-too-small", test_named_is_too_small);
    g_test_add_func("/session-device/auto-gives-way", test_auto_gives_way);
    return g_test_run();
}
