/* Learning a picture in a part of the square: its latents are those of the picture put there. */
#include "engine/learn/pictures/learn_place.h"
#include "engine/svdiff.h"

#include "tests/edited_model.h"

#include "engine/base/safetensors.h"

#define SIZE 64

struct fixture {
    char *folder;
    svdiff *session;
};

static void set_up(struct fixture *f, const void *data)
{
    g_autofree char *model = fixture_path("sd1");
    const struct svdiff_options options = {
        .precision = SVDIFF_PRECISION_F32, // in which the bounds below are
        .model = model,
        .device = SVDIFF_DEVICE_CPU,
        .threads = 1};
    g_autoptr(GError) error = NULL;

    f->folder = temporary_folder_create();
    f->session = svdiff_open(&options, &error);
    g_assert_no_error(error);
}

static void tear_down(struct fixture *f, const void *data)
{
    svdiff_close(f->session);
    temporary_folder_remove(f->folder);
}

// the latents of one step that learns this file, owned by the caller
static float *latents_of(struct fixture *f, const char *image, const struct layout_box *box,
                         int64_t *n)
{
    const char *const images[] = {image, NULL};
    const struct svdiff_subject subject = {.prompt = "a dog", .images = images, .box = box};
    struct svdiff_learn_options o = svdiff_learn_defaults(f->session);
    g_autofree char *output = g_build_filename(f->folder, "dog.safetensors", NULL);
    g_autofree char *trace = g_build_filename(f->folder, "trace.safetensors", NULL);
    g_autoptr(GError) error = NULL;

    o.subjects = &subject;
    o.n_subjects = 1;
    o.steps = 1;
    o.size = SIZE;
    o.prior_weight = 0;
    o.flip = false;
    o.latent_mean = true;
    o.output = output;
    o.trace = trace;
    svdiff_learn(f->session, &o, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(safetensors) file = safetensors_open(trace, &error);
    g_assert_no_error(error);
    const struct safetensors_tensor *latents = safetensors_find(file, "latents.0");
    g_assert_nonnull(latents);
    float *values = g_new(float, latents->values);
    g_assert_true(safetensors_read_f32(file, latents, values, &error));
    *n = latents->values;
    return values;
}

static double distance(const float *a, const float *b, int64_t n)
{
    double sum = 0, size = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += (double)b[i] * b[i];
    }
    return sqrt(sum / size);
}

static void test_box(struct fixture *f, const void *data)
{
    const struct layout_box right = layout_place_box(PLACE_RIGHT);
    const struct learn_placing p = {
        .width = SIZE, .height = SIZE, .target = right, .limit = LEARN_PLACE_SHARED};
    const char *tests = g_getenv("SVDIFF_TESTS_DIR");
    g_autofree char *whole = g_build_filename(tests, "fixtures", "pictures", "paint.png", NULL);
    g_autofree char *put = g_build_filename(f->folder, "put.png", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(picture) image = picture_read(whole, 2, &error);
    picture *placed, *mask;
    int64_t n;

    g_assert_true(learn_place(image, NULL, &p, &placed, &mask, &error));
    g_assert_true(picture_write(put, placed, NULL, 0, &error));
    picture_free(placed);
    g_autofree float *boxed = latents_of(f, whole, &right, &n);
    g_autofree float *same = latents_of(f, put, NULL, &n);
    g_autofree float *other = latents_of(f, whole, NULL, &n);
    // the file has 8 bits
    g_assert_cmpfloat(distance(boxed, same, n), <, 0.02);
    g_assert_cmpfloat(distance(other, same, n), >, 0.2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/learn-box/latents", struct fixture, NULL, set_up, test_box, tear_down);
    return g_test_run();
}
