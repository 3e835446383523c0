/* From a scheduler_config.json's text to the latents of a whole run: the 148 runs of diffusers in
 * fixtures/traces/schedulers.json, each from our own latents on. */
#include "engine/base/json.h"
#include "engine/sampler/sampler.h"
#include "engine/options/option.h"
#include "tests/memory_file.h"

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

static struct sampler *create(JsonObject *root, JsonObject *run)
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
    g_autoptr(sampler) s = create(root, run);
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
        sampler_scale_input(s, k, &one, &one, 1);
        g_assert_cmpfloat_with_epsilon(one, scale, 1e-6 * scale);
        sampler_step(s, k, prediction, fresh, latents, count);
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampler_config/runs", test_runs);
    return g_test_run();
}
