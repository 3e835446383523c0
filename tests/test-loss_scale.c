/* Learning in float16, on the reference's table: the scale of its loss follows overflows as
 * torch.amp.GradScaler does, what is learned is what single precision learns, and a run that goes on
 * from a checkpoint is the run that was not cut. */
#include "engine/learn/run/loss_scale.h"
#include "engine/base/error.h"
#include "engine/base/safetensors.h"
#include "engine/session/session.h"

#include "tests/edited_model.h"

static void test_rules(void)
{
    // overflows after these steps; what GradScaler (PyTorch 2.15, growth_interval 2000) then has
    static const int bad[] = {0, 1, 5, 2004, 2005, 2006, 4100};
    static const struct {
        int step, good;
        double value;
    } wanted[] = {{0, 0, 32768},      {1, 0, 16384},   {2, 1, 16384},      {5, 0, 8192},
                  {2003, 1998, 8192}, {2006, 0, 1024}, {4000, 1994, 1024}, {4006, 0, 2048},
                  {4099, 93, 2048},   {4100, 0, 1024}, {6099, 1999, 1024}, {6100, 0, 2048}};
    struct loss_scale s = loss_scale_begin(KERNELS_F16);

    for (size_t i = 0, next = 0, look = 0; i <= 6100; i++) {
        const bool overflows = next < G_N_ELEMENTS(bad) && (size_t)bad[next] == i;

        next += overflows;
        if (overflows) {
            g_assert_true(loss_scale_skips(&s));
        } else {
            loss_scale_took(&s);
        }
        if ((size_t)wanted[look].step == i) {
            g_assert_cmpint(s.good, ==, wanted[look].good);
            g_assert_cmpfloat(s.value, ==, wanted[look].value);
            look++;
        }
    }
    g_assert_cmpint(s.skipped, ==, G_N_ELEMENTS(bad));
}

static void test_none(void)
{
    struct loss_scale s = loss_scale_begin(KERNELS_BF16);

    for (int i = 0; i < 3 * LOSS_SCALE_GROWS; i++) {
        loss_scale_took(&s);
    }
    g_assert_cmpfloat(s.value, ==, 1);
    g_assert_false(loss_scale_skips(&s));
}

/* ---- runs ---- */

// the gradient of calls number `first` to `last` overflows
static struct {
    void (*sum_squares)(const kernels *k, int64_t count, const real *x, double *sum);
    int calls, first, last;
} planted;

static void overflowing(const kernels *k, int64_t count, const real *x, double *sum)
{
    planted.sum_squares(k, count, x, sum);
    if (planted.calls >= planted.first && planted.calls <= planted.last) {
        *sum = INFINITY;
    }
    planted.calls++;
}

static svdiff *open_model(const char *folder, enum kernels_precision precision)
{
    g_autofree char *model = fixture_path("sd1");
    const struct svdiff_options options = {
        .model = model, .device = SVDIFF_DEVICE_CPU, .threads = 1, .cache = folder};
    g_autoptr(GError) error = NULL;
    svdiff *s = svdiff_open(&options, &error);

    g_assert_no_error(error);
    kernels_destroy(s->k);
    s->k = kernels_reference(kernels_precision_type(precision));
    s->k->precision = precision;
    s->k->weight = s->k->activation;
    planted.sum_squares = s->k->sum_squares;
    s->k->sum_squares = overflowing;
    return s;
}

struct run {
    enum kernels_precision precision;
    int steps;
    const char *name;
    bool resume;
};

static bool learn(const char *folder, struct run run, GError **error)
{
    svdiff *s = open_model(folder, run.precision);
    struct svdiff_learn_options o = svdiff_learn_defaults(s);
    g_autofree char *image =
        g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures/pictures/bits.png", NULL);
    g_autofree char *file = g_strconcat(run.name, ".safetensors", NULL);
    g_autofree char *output = g_build_filename(folder, file, NULL);
    g_autofree char *traced = g_strconcat(output, ".trace", NULL);
    const char *const images[] = {image, NULL};
    const struct svdiff_subject subject = {.prompt = "a photo of a [V] dog", .images = images};

    o.subjects = &subject;
    o.n_subjects = 1;
    o.output = output;
    o.trace = traced;
    o.steps = run.steps;
    o.size = 64;
    o.resume = run.resume;
    const bool done = svdiff_learn(s, &o, NULL, NULL, error);
    svdiff_close(s);
    return done;
}

static void must_learn(const char *folder, struct run run)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(learn(folder, run, &error));
    g_assert_no_error(error);
}

static struct safetensors *open_trace(const char *folder, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".safetensors.trace", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autoptr(GError) error = NULL;
    struct safetensors *trace = safetensors_open(path, &error);

    g_assert_no_error(error);
    return trace;
}

// the distance of all tensors of a kind of two traces, over their norm
static double apart(const char *folder, const char *one, const char *other, const char *kind)
{
    g_autoptr(safetensors) a = open_trace(folder, one), b = open_trace(folder, other);
    double squares = 0, differences = 0;

    for (size_t i = 0; i < safetensors_count(a); i++) {
        const struct safetensors_tensor *t = safetensors_at(a, i);
        if (!g_str_has_prefix(t->name, kind)) {
            continue;
        }
        const struct safetensors_tensor *u = safetensors_find(b, t->name);
        g_autofree float *x = g_new(float, t->values), *y = g_new(float, t->values);
        g_assert_nonnull(u);
        g_assert_true(safetensors_read_f32(a, t, x, NULL));
        g_assert_true(safetensors_read_f32(b, u, y, NULL));
        for (int64_t j = 0; j < t->values; j++) {
            squares += (double)y[j] * y[j];
            differences += ((double)x[j] - y[j]) * ((double)x[j] - y[j]);
        }
    }
    g_assert_cmpfloat(squares, >, 0);
    return sqrt(differences / squares);
}

// of steps 2 and 3 the gradient overflows, before and after the run is cut
static void test_resume(void)
{
    char *folder = temporary_folder_create();

    planted.calls = 0;
    planted.first = 1;
    planted.last = 2;
    must_learn(folder, (struct run){KERNELS_IN_F16, 4, "whole", false});
    planted.calls = 0;
    must_learn(folder, (struct run){KERNELS_IN_F16, 2, "cut", false});
    must_learn(folder, (struct run){KERNELS_IN_F16, 4, "cut", true});
    g_assert_cmpint(planted.calls, ==, 4);
    g_assert_cmpfloat(apart(folder, "cut", "whole", "shift."), ==, 0);
    // a step that is left out changes nothing
    planted.calls = 0;
    must_learn(folder, (struct run){KERNELS_IN_F16, 3, "three", false});
    planted.calls = 0;
    must_learn(folder, (struct run){KERNELS_IN_F16, 1, "one", false});
    g_assert_cmpfloat(apart(folder, "three", "one", "shift."), ==, 0);
    g_assert_cmpfloat(apart(folder, "whole", "one", "shift."), >, 0);
    temporary_folder_remove(folder);
}

// cells of ten bits of mantissa: the gradient is that of single precision, and so without its scale
static void test_gradient(void)
{
    char *folder = temporary_folder_create();

    planted.first = planted.last = -1;
    must_learn(folder, (struct run){KERNELS_IN_F32, 1, "f32", false});
    must_learn(folder, (struct run){KERNELS_IN_F16, 1, "f16", false});
    must_learn(folder, (struct run){KERNELS_IN_BF16, 1, "bf16", false});
    const double half = apart(folder, "f16", "f32", "gradient.");
    const double brain = apart(folder, "bf16", "f32", "gradient.");
    g_test_message("gradients are off by %.2g in f16, %.2g in bf16", half, brain);
    g_assert_cmpfloat(half, >, 0);
    // three bits more than bfloat16
    g_assert_cmpfloat(half, <, brain / 2);
    temporary_folder_remove(folder);
}

// sixteen smaller scales do not help: that is no matter of the scale
static void test_hopeless(void)
{
    char *folder = temporary_folder_create();
    g_autoptr(GError) error = NULL;

    planted.calls = planted.first = 0;
    planted.last = G_MAXINT;
    g_assert_false(learn(folder, (struct run){KERNELS_IN_F16, 20, "never", false}, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "The loss of step 17 is not a number"));
    temporary_folder_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loss_scale/rules", test_rules);
    g_test_add_func("/loss_scale/none", test_none);
    g_test_add_func("/loss_scale/resume", test_resume);
    g_test_add_func("/loss_scale/gradient", test_gradient);
    g_test_add_func("/loss_scale/hopeless", test_hopeless);
    return g_test_run();
}
