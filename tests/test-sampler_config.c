/* From a scheduler_config.json's text to the latents of a whole run: the 148 runs of diffusers in
 * fixtures/traces/schedulers.json, each from our own latents on; and what may be asked for. */
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/options/option.h"
#include "tests/memory_file.h"
#include "tests/sampler_fixture.h"
#include "tests/sampler_walk.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 2e-6 // of the largest latent so far, after up to 25 steps

static double *numbers(JsonArray *array, guint *n)
{
    *n = json_array_get_length(array);
    double *out = g_new(double, *n);
    for (guint i = 0; i < *n; i++) {
        out[i] = json_array_get_double_element(array, i);
    }
    return out;
}

static float *floats(JsonArray *array)
{
    guint n;
    g_autofree double *values = numbers(array, &n);
    float *out = g_new(float, n);

    for (guint i = 0; i < n; i++) {
        out[i] = (float)values[i];
    }
    return out;
}

static void check_near(const float *values, JsonArray *expected, double *largest)
{
    guint n;
    g_autofree double *e = numbers(expected, &n);

    for (guint i = 0; i < n; i++) {
        *largest = fmax(*largest, fabs(e[i]));
    }
    for (guint i = 0; i < n; i++) {
        g_assert_cmpfloat_with_epsilon(values[i], e[i], TOLERANCE * *largest);
    }
}

// what a word of an option means
static int word_value(const char *option, const char *word)
{
    double value;

    g_assert_true(option_word_value(option_find(&options_of_generate, option), word, &value));
    return (int)value;
}

static struct sampler *create_run(JsonObject *root, JsonObject *run)
{
    struct sampler_options o = {.steps = (int)json_object_get_int_member(run, "steps"),
                                .eta = json_object_get_double_member(run, "eta")};
    JsonObject *configs = json_object_get_object_member(root, "configs");
    const char *name = json_object_get_string_member(run, "config");
    g_autofree char *text = json_to_string(json_object_get_member(configs, name), FALSE);
    char path[MEMORY_FILE_PATH];
    const int memory = memory_file(text, strlen(text), path);
    struct schedule_config c;
    g_autofree double *trained = NULL;
    g_autoptr(GError) error = NULL;

    o.kind =
        (enum sampler_kind)word_value("sampler", json_object_get_string_member(run, "sampler"));
    const char *spacing = json_object_get_string_member(run, "spacing");
    o.spacing = (enum sampler_spacing)word_value("spacing", spacing);
    schedule_config_read(path, &c, &trained, &error);
    g_assert_no_error(error);
    close(memory);
    struct sampler *s = sampler_create(&o, &c, &error);
    g_assert_no_error(error);
    return s;
}

static void check_run(JsonObject *root, JsonObject *run)
{
    g_autoptr(sampler) s = create_run(root, run);
    double strength = json_object_get_double_member(run, "strength");
    JsonArray *timesteps = json_object_get_array_member(run, "timesteps");
    JsonArray *scales = json_object_get_array_member(run, "input_scale");
    JsonArray *steps = json_object_get_array_member(run, "latents");
    JsonArray *predictions = json_object_get_array_member(root, "predictions");
    JsonArray *noises = json_object_get_array_member(root, "noises");
    g_autofree float *noise = floats(json_object_get_array_member(root, "initial_noise"));
    g_autofree float *picture = floats(json_object_get_array_member(root, "init_latents"));
    const int count = 12;
    float latents[12];
    struct walk w = {{0}};
    double largest = 0;

    g_assert_true(sampler_start(s, strength, NULL));
    int first = sampler_first(s);
    g_assert_cmpint(sampler_steps(s) - first, ==, json_array_get_length(timesteps));
    for (int i = 0; i < count; i++) {
        latents[i] = (float)(noise[i] * sampler_initial_scale(s));
    }
    if (strength < 1) {
        sampler_add_noise(s, first, picture, noise, latents, count);
    }
    check_near(latents, json_object_get_array_member(run, "start"), &largest);
    for (int k = first; k < sampler_steps(s); k++) {
        guint at = (guint)(k - first);
        g_autofree float *prediction = floats(json_array_get_array_element(predictions, at));
        g_autofree float *fresh = floats(json_array_get_array_element(noises, at));
        double t = json_array_get_double_element(timesteps, at);
        double scale = json_array_get_double_element(scales, at);
        float one = 1;
        g_assert_cmpfloat_with_epsilon(sampler_timestep(s, k), t, 2e-6 * t + 1e-9);
        walk_input(s, k, &one, &one, 1);
        g_assert_cmpfloat_with_epsilon(one, scale, 1e-6 * scale);
        walk_step(&w, s, k, prediction, fresh, latents, count);
        check_near(latents, json_array_get_array_element(steps, at), &largest);
    }
}

static void test_runs(void)
{
    g_autofree char *path = g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", "traces",
                                             "schedulers.json", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = json_read_file(path, 1 << 22, &error);

    g_assert_no_error(error);
    JsonObject *root = json_node_get_object(node);
    JsonArray *runs = json_object_get_array_member(root, "runs");
    g_assert_cmpint(json_array_get_length(runs), ==, 148);
    for (guint i = 0; i < json_array_get_length(runs); i++) {
        JsonObject *run = json_array_get_object_element(runs, i);
        g_test_message("%u: %s %s %s", i, json_object_get_string_member(run, "config"),
                       json_object_get_string_member(run, "sampler"),
                       json_object_get_string_member(run, "spacing"));
        check_run(root, run);
    }
}

/* ---- what is asked for ---- */

static void check_refused(const char *config, struct sampler_options options, int code,
                          const char *named)
{
    struct schedule_config c;
    g_autoptr(GError) error = NULL;

    fixture_config(config, &c);
    g_assert_null(sampler_create(&options, &c, &error));
    g_assert_error(error, SVDIFF_ERROR, code);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, named));
}

static void test_refused(void)
{
    static const struct {
        const char *config;
        struct sampler_options options;
        const char *named;
    } bad[] = {
        {"sd1", {SAMPLER_DDIM, .steps = 0}, "--steps 0"},
        {"sd1", {SAMPLER_EULER, .steps = -3}, "--steps -3"},
        {"sd1", {SAMPLER_EULER, .steps = 1001}, "--steps 1001"},
        {"trained", {SAMPLER_DPMPP_2M, .steps = 101}, "1 to 100"},
        {"sd1", {SAMPLER_DDIM, SAMPLER_SPACING_KARRAS, .steps = 10}, "--spacing karras"},
        {"sd1", {SAMPLER_DDIM_INVERSE, SAMPLER_SPACING_KARRAS, .steps = 10}, "--spacing karras"},
        {"sd1", {SAMPLER_DDIM, .steps = 10, .eta = -0.1}, "--eta -0.1"},
        {"sd1", {SAMPLER_DDIM, .steps = 10, .eta = 1.5}, "--eta 1.5"},
        {"sd1", {SAMPLER_DDIM, .steps = 10, .eta = NAN}, "--eta nan"},
        {"sd1", {SAMPLER_EULER_A, .steps = 10, .eta = 0.5}, "--eta"},
        // steps_offset 1 reaches timestep 1000
        {"sd1", {SAMPLER_DDIM, .steps = 1000}, "steps_offset 1"},
        // all steps share a timestep
        {"sd1-leading", {SAMPLER_DPMPP_2M, .steps = 1000}, "fewer steps"},
        {"sample", {SAMPLER_EULER_A, .steps = 10}, "\"sample\""},
        {"sample", {SAMPLER_PNDM, .steps = 10}, "--sampler pndm"},
        {"sample", {SAMPLER_DPM2, .steps = 10}, "--sampler dpm2 "},
        {"sample", {SAMPLER_DPM2_A, .steps = 10}, "--sampler dpm2-a"},
        {"sd1", {SAMPLER_PNDM, SAMPLER_SPACING_KARRAS, .steps = 10}, "karras"},
        {"sd1", {SAMPLER_LCM, .steps = 51}, "1 to 50"},
        {"sd1", {SAMPLER_TCD, .steps = 51}, "--sampler tcd"},
        {"sd1", {SAMPLER_TCD, .steps = 5, .timesteps = SAMPLER_TIMESTEPS_TRAILING}, "--timesteps"},
        {"sd1", {SAMPLER_EULER, SAMPLER_SPACING_LU, .steps = 5}, "--spacing lu"},
        {"sd1", {SAMPLER_EULER_A, SAMPLER_SPACING_BETA, .steps = 5}, "--spacing beta"},
        {"sd1", {SAMPLER_DPM2, SAMPLER_SPACING_AYS, .steps = 5}, "--spacing ays"},
        {"trained", {SAMPLER_EULER, SAMPLER_SPACING_AYS, .steps = 5}, "1000 timesteps"},
        {"sd1",
         {SAMPLER_EULER, SAMPLER_SPACING_AYS, SAMPLER_TIMESTEPS_TRAILING, .steps = 5},
         "--timesteps"},
        {"sd2", {SAMPLER_HEUN, .steps = 5, .zero_snr = true}, "--zero-snr"},
        {"sample", {SAMPLER_DPMPP_SDE, .steps = 10}, "--sampler dpmpp-sde"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        check_refused(bad[i].config, bad[i].options, SVDIFF_ERROR_USAGE, bad[i].named);
    }
}

// what is asked for and what a config says are the same
static void check_same(const char *config, const char *other, struct sampler_options options)
{
    struct sampler_options plain = {.kind = options.kind, .steps = options.steps};
    g_autoptr(sampler) asked = fixture_sampler(config, &options),
                       said = fixture_sampler(other, &plain);

    struct walk walks[2] = {{{0}}};

    g_assert_cmpint(sampler_steps(asked), ==, sampler_steps(said));
    for (int k = 0; k < sampler_steps(said); k++) {
        float prediction[FIXTURE_COUNT], noise[FIXTURE_COUNT];
        float latents[2][FIXTURE_COUNT] = {{1}, {1}};

        fixture_values(FIXTURE_PREDICTION, (uint32_t)k, prediction);
        fixture_values(FIXTURE_STEP_NOISE, (uint32_t)k, noise);
        g_assert_cmpfloat(sampler_timestep(asked, k), ==, sampler_timestep(said, k));
        walk_step(&walks[0], asked, k, prediction, noise, latents[0], FIXTURE_COUNT);
        walk_step(&walks[1], said, k, prediction, noise, latents[1], FIXTURE_COUNT);
        g_assert_cmpmem(latents[0], sizeof latents[0], latents[1], sizeof latents[1]);
    }
}

static void test_asked(void)
{
    static const struct {
        const char *config, *other;
        struct sampler_options options;
    } same[] = {
        {"sd1", "sd1-leading", {.timesteps = SAMPLER_TIMESTEPS_LEADING}},
        {"sd1-leading", "sd1-trailing", {.timesteps = SAMPLER_TIMESTEPS_TRAILING}},
        {"sd1-trailing", "sd1-linspace", {.timesteps = SAMPLER_TIMESTEPS_LINSPACE}},
        {"sd1", "karras", {.spacing = SAMPLER_SPACING_KARRAS}},
        {"sd1", "exponential", {.spacing = SAMPLER_SPACING_EXPONENTIAL}},
        {"sd1", "beta", {.spacing = SAMPLER_SPACING_BETA}},
        {"sd1", "lu", {.spacing = SAMPLER_SPACING_LU}},
        {"beta", "sd1", {.spacing = SAMPLER_SPACING_NORMAL}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        struct sampler_options options = same[i].options;
        options.steps = 7;
        options.kind = SAMPLER_DPMPP_2M_SDE;
        check_same(same[i].config, same[i].other, options);
        options.kind = options.spacing == SAMPLER_SPACING_LU ? SAMPLER_DPMPP_3M_SDE : SAMPLER_LMS;
        check_same(same[i].config, same[i].other, options);
    }
    check_same("sd2-trailing", "zero-trailing",
               (struct sampler_options){.kind = SAMPLER_DDIM, .steps = 7, .zero_snr = true});
}

static void check_config_refused(const struct schedule_config *c, enum sampler_kind kind, int code,
                                 const char *named)
{
    struct sampler_options options = {.kind = kind, .steps = 10};
    g_autoptr(GError) error = NULL;

    g_assert_null(sampler_create(&options, c, &error));
    g_assert_error(error, SVDIFF_ERROR, code);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, named));
}

// what a config may ask for and a sampler does not have
static void test_config_refused(void)
{
    struct schedule_config c;

    schedule_config_init(&c);
    c.thresholding = true;
    check_config_refused(&c, SAMPLER_DDIM, SVDIFF_ERROR_FAILED, "thresholding");
    check_config_refused(&c, SAMPLER_DPMPP_2M, SVDIFF_ERROR_FAILED, "thresholding");
    check_config_refused(&c, SAMPLER_UNIPC, SVDIFF_ERROR_FAILED, "thresholding");
    check_config_refused(&c, SAMPLER_LCM, SVDIFF_ERROR_FAILED, "thresholding");
    schedule_config_init(&c);
    c.solver_order = 3;
    check_config_refused(&c, SAMPLER_DPMPP_2M, SVDIFF_ERROR_FAILED, "solver_order");
    check_config_refused(&c, SAMPLER_UNIPC, SVDIFF_ERROR_FAILED, "solver_order");
    schedule_config_init(&c);
    c.solver_plus_plus = false;
    check_config_refused(&c, SAMPLER_DPMPP_2M, SVDIFF_ERROR_FAILED, "algorithm_type");
    schedule_config_init(&c);
    c.timestep_spacing = TIMESTEPS_LINSPACE;
    check_config_refused(&c, SAMPLER_DDIM_INVERSE, SVDIFF_ERROR_FAILED, "linspace");
    schedule_config_init(&c);
    c.beta_end = 3;
    check_config_refused(&c, SAMPLER_EULER, SVDIFF_ERROR_FAILED, "beta_end");
    // noise without any signal does not tell what a noise-predicting network means
    schedule_config_init(&c);
    c.rescale_betas_zero_snr = true;
    c.timestep_spacing = TIMESTEPS_TRAILING;
    check_config_refused(&c, SAMPLER_DDIM, SVDIFF_ERROR_USAGE, "another sampler");
    // no signal that lambda_min_clipped would allow
    schedule_config_init(&c);
    c.lambda_min_clipped = 100;
    c.timestep_spacing = TIMESTEPS_TRAILING;
    check_config_refused(&c, SAMPLER_DPMPP_2M, SVDIFF_ERROR_USAGE, "no step");
}

static void test_strength(void)
{
    struct sampler_options options = {.kind = SAMPLER_DDIM, .steps = 20};
    g_autoptr(sampler) s = fixture_sampler("sd1", &options);
    static const double bad[] = {0, 0.049, -1, 1.01, NAN};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(sampler_start(s, bad[i], &error));
        g_assert_error(error, SVDIFF_ERROR, SVDIFF_ERROR_USAGE);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, "--strength"));
    }
    g_assert_cmpint(sampler_first(s), ==, 0);
    g_assert_true(sampler_start(s, 0.05, NULL));
    g_assert_cmpint(sampler_first(s), ==, 19);
    g_assert_true(sampler_start(s, 1, NULL));
    g_assert_cmpint(sampler_first(s), ==, 0);
}

// whole steps are left out, of evaluations two each
static void test_strength_twice(void)
{
    struct sampler_options options = {.kind = SAMPLER_HEUN, .steps = 20};
    g_autoptr(sampler) s = fixture_sampler("sd1", &options);

    g_assert_cmpint(sampler_steps(s), ==, 39);
    g_assert_true(sampler_start(s, 0.5, NULL));
    g_assert_cmpint(sampler_first(s), ==, 20);
    g_assert_true(sampler_start(s, 0.05, NULL));
    g_assert_cmpint(sampler_first(s), ==, 38);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampler_config/runs", test_runs);
    g_test_add_func("/sampler_config/refused", test_refused);
    g_test_add_func("/sampler_config/config-refused", test_config_refused);
    g_test_add_func("/sampler_config/asked", test_asked);
    g_test_add_func("/sampler_config/strength", test_strength);
    g_test_add_func("/sampler_config/strength-twice", test_strength_twice);
    return g_test_run();
}
