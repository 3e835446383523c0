/* schedule: the tables of diffusers bit for bit, what is made of them within rounding. */
#include "engine/sampler/schedule.h"

#include "engine/base/error.h"
#include "tests/sampler_fixture.h"

#include <math.h>

static struct schedule *create(const struct schedule_config *c)
{
    g_autoptr(GError) error = NULL;
    struct schedule *s = schedule_create(c, &error);

    g_assert_no_error(error);
    return s;
}

/* Every config of the fixtures: linear, scaled, cosine, trained; zero terminal SNR only as close as
 * PyTorch's square root, which is not always the nearest float. */
static void test_tables(void)
{
    g_autoptr(safetensors) file = fixture_open();
    g_auto(GStrv) lines = fixture_lines("configs.txt");

    for (char **line = lines; *line != NULL; line++) {
        struct schedule_config c;
        int64_t n;
        g_autofree char *name = fixture_config_line(*line, &c);
        g_autofree char *tensor = g_strconcat("schedule/", name, NULL);
        g_autofree float *expected = fixture_tensor(file, tensor, &n);
        g_autoptr(schedule) s = create(&c);

        g_test_message("%s", name);
        g_assert_cmpint(s->n_timesteps, ==, n);
        for (int t = 0; t < n; t++) {
            if (c.rescale_betas_zero_snr) {
                double root = sqrt(expected[t]);
                g_assert_cmpfloat_with_epsilon(sqrt(s->alphas_cumprod[t]), root, 5e-7);
            } else {
                g_assert_cmpfloat(s->alphas_cumprod[t], ==, expected[t]);
            }
        }
    }
}

static void check_near(const float *values, const float *expected)
{
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        g_assert_cmpfloat_with_epsilon(values[i], expected[i], 5e-7);
    }
}

static void check_targets(const struct schedule *s, const float *expected)
{
    const int n = s->n_timesteps, timesteps[3] = {0, n / 3, n - 2};
    float original[FIXTURE_COUNT], noise[FIXTURE_COUNT], out[FIXTURE_COUNT];

    fixture_values(FIXTURE_ORIGINAL, 0, original);
    fixture_values(FIXTURE_NOISE, 0, noise);
    for (int i = 0; i < 3; i++, expected += 2 * FIXTURE_COUNT + 1) {
        int t = timesteps[i];
        schedule_add_noise(s, t, original, noise, out, FIXTURE_COUNT);
        check_near(out, expected);
        schedule_target(s, t, original, noise, out, FIXTURE_COUNT);
        check_near(out, expected + FIXTURE_COUNT);
        double weight = expected[2 * FIXTURE_COUNT];
        g_assert_cmpfloat_with_epsilon(schedule_min_snr_weight(s, t, 5), weight, 1e-6 * weight);
        g_assert_cmpfloat(schedule_min_snr_weight(s, t, 0), ==, 1);
        double a = s->alphas_cumprod[t];
        g_assert_cmpfloat_with_epsilon(schedule_snr(s, t), a / (1 - a), 1e-12);
    }
}

static void test_targets(void)
{
    g_autoptr(safetensors) file = fixture_open();
    g_auto(GStrv) lines = fixture_lines("configs.txt");

    for (char **line = lines; *line != NULL; line++) {
        struct schedule_config c;
        int64_t n;
        g_autofree char *name = fixture_config_line(*line, &c);
        g_autofree char *tensor = g_strconcat("targets/", name, NULL);
        g_autofree float *expected = fixture_tensor(file, tensor, &n);
        g_autoptr(schedule) s = create(&c);

        g_test_message("%s", name);
        g_assert_cmpint(n, ==, 3 * (2 * FIXTURE_COUNT + 1));
        check_targets(s, expected);
    }
}

// in place, and where there is no signal at all
static void test_limits(void)
{
    struct schedule_config c;
    float x[2] = {3, -4}, noise[2] = {5, 6};

    fixture_config("zero-trailing", &c);
    g_autoptr(schedule) s = create(&c);
    g_assert_cmpfloat(schedule_alpha(s, 999), ==, 0);
    g_assert_cmpfloat(schedule_sigma(s, 999), ==, 1);
    g_assert_cmpfloat(schedule_min_snr_weight(s, 999, 5), ==, 0);
    schedule_add_noise(s, 999, x, noise, x, 2);
    g_assert_cmpfloat(x[0], ==, 5);
    schedule_target(s, 999, x, noise, noise, 2);
    g_assert_cmpfloat(noise[1], ==, -6);
    s->prediction_type = PREDICTION_EPSILON;
    g_assert_cmpfloat(schedule_min_snr_weight(s, 999, 5), ==, 1);
}

static void check_refused(const struct schedule_config *c, const char *named)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(schedule_create(c, &error));
    g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, named));
}

static void test_refused(void)
{
    struct schedule_config c;

    for (int bad = 0; bad < 7; bad++) {
        static const double ends[7][2] = {{0, .02},  {.1, 1},        {-.1, .02},  {.1, 2},
                                          {.1, NAN}, {.1, INFINITY}, {1e-12, .02}};
        schedule_config_init(&c);
        c.beta_start = ends[bad][0];
        c.beta_end = ends[bad][1];
        if (bad == 6) {
            // 1 - beta is 1 in float, which is no noise
            g_autoptr(schedule) s = create(&c);
            g_assert_cmpfloat(s->alphas_cumprod[0], ==, 1);
            continue;
        }
        check_refused(&c, "beta_start");
        c.beta_schedule = BETA_SCALED_LINEAR;
        check_refused(&c, "beta_start");
    }
    const double trained[2] = {0.5, 1.5};
    schedule_config_init(&c);
    c.num_train_timesteps = 2;
    c.trained_betas = trained;
    check_refused(&c, "trained_betas");
    for (int i = 0; i < 4; i++) {
        static const int counts[4] = {0, -1, 1, 2000000000};
        schedule_config_init(&c);
        c.num_train_timesteps = counts[i];
        check_refused(&c, "num_train_timesteps");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/tables", test_tables);
    g_test_add_func("/schedule/targets", test_targets);
    g_test_add_func("/schedule/limits", test_limits);
    g_test_add_func("/schedule/refused", test_refused);
    return g_test_run();
}
