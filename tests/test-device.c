/* A device that fails, at any of the moments when the engine waits for it: a sentence says so, and
 * nothing of what it was computing is shown or written. */
#include "engine/session/session.h"

#include "engine/base/error.h"
#include "engine/subject/subject_file.h"
#include "tests/edited_model.h"

#include <gio/gio.h>
#include <string.h>

static struct {
    bool (*sync)(const kernels *k, GError **error); // the device's own
    int waits, fails_at;
} device;

static bool failing_sync(const kernels *k, GError **error)
{
    if (++device.waits == device.fails_at) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the bus is gone");
        return false;
    }
    return device.sync(k, error);
}

static svdiff *open_model(const char *folder, int fails_at)
{
    g_autofree char *model = fixture_path("sd1");
    const struct svdiff_options options = {
        .model = model, .device = SVDIFF_DEVICE_CPU, .threads = 1, .cache = folder};
    g_autoptr(GError) error = NULL;
    svdiff *s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    device.waits = 0;
    device.fails_at = fails_at;
    device.sync = s->k->sync;
    s->k->sync = failing_sync;
    return s;
}

static bool count_pictures(void *user, int index, uint64_t seed, const svdiff_picture *p,
                           GError **error)
{
    ++*(int *)user;
    return true;
}

// preview: a file for the picture as it comes; NULL: none
static bool generate(const char *folder, int fails_at, const char *preview, int *pictures,
                     GError **error)
{
    svdiff *s = open_model(folder, fails_at);
    struct svdiff_generate_options o = svdiff_generate_defaults(s);

    o.prompt = "a photo of a dog";
    o.width = o.height = 64;
    o.steps = 2;
    o.count = 1;
    o.preview = preview;
    *pictures = 0;
    const bool done = svdiff_generate(s, &o, count_pictures, NULL, pictures, error);
    svdiff_close(s);
    return done;
}

static bool learn(const char *folder, int fails_at, const char *output, GError **error)
{
    svdiff *s = open_model(folder, fails_at);
    struct svdiff_learn_options o = svdiff_learn_defaults(s);
    g_autofree char *image =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/bits.png", NULL);
    const char *const images[] = {image, NULL};
    const struct svdiff_subject subject = {.prompt = "a photo of a [V] dog", .images = images};

    o.subjects = &subject;
    o.n_subjects = 1;
    o.output = output;
    o.steps = 2;
    o.size = 64;
    o.validate_every = 1;
    const bool done = svdiff_learn(s, &o, NULL, NULL, error);
    svdiff_close(s);
    return done;
}

static void assert_failed(bool done, const GError *error)
{
    g_assert_false(done);
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "The device cpu failed: the bus is gone"));
}

// how often is waited; each of the waits may fail
static int assert_each_fails(const char *folder, const char *preview)
{
    int pictures, waits;

    g_assert_true(generate(folder, 0, preview, &pictures, NULL));
    g_assert_cmpint(pictures, ==, 1);
    waits = device.waits;
    for (int at = 1; at <= waits; at++) {
        g_autoptr(GError) error = NULL;
        const bool done = generate(folder, at, preview, &pictures, &error);
        assert_failed(done, error);
        g_assert_cmpint(pictures, ==, 0);
    }
    return waits;
}

static void test_generate(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *preview = g_build_filename(folder, "preview.png", NULL);

    // the text, all steps together, the decoder
    g_assert_cmpint(assert_each_fails(folder, NULL), ==, 3);
    // each of the two steps by itself, too
    g_assert_cmpint(assert_each_fails(folder, preview), >=, 5);
    temporary_folder_remove(folder);
}

// what is written of a failed run is what it knew to be good: the step before
static void test_learn(void)
{
    char *folder = temporary_folder_create();
    g_autofree char *whole = g_build_filename(folder, "whole.safetensors", NULL);

    g_assert_true(learn(folder, 0, whole, NULL));
    g_assert_true(g_file_test(whole, G_FILE_TEST_EXISTS));
    const int waits = device.waits;
    g_assert_cmpint(waits, >=, 7); // texts, the picture, validations, steps, state and results
    // the last one is for what --resume needs, when the subject is written
    for (int at = 1; at < waits; at++) {
        g_autofree char *name = g_strdup_printf("%d.safetensors", at);
        g_autofree char *output = g_build_filename(folder, name, NULL);
        g_autoptr(GError) error = NULL;
        const bool done = learn(folder, at, output, &error);
        assert_failed(done, error);
        if (g_file_test(output, G_FILE_TEST_EXISTS)) {
            g_autoptr(subject_file) kept = subject_open(output, NULL);
            g_assert_cmpstr(subject_metadata(kept, "steps"), ==, "1");
        }
    }
    g_assert_true(learn(folder, waits, whole, NULL));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device/generate", test_generate);
    g_test_add_func("/device/learn", test_learn);
    return g_test_run();
}
