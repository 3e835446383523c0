/* sampler: every combination of sampler, spacing, prediction and config against diffusers' step by
 * step, from the same latents, predictions and noise (tests/fixtures/make_samplers.py). */
#include "engine/sampler/sampler.h"

#include "engine/options/option.h"
#include "tests/sampler_fixture.h"
#include "tests/sampler_walk.h"

#include <math.h>

#define TOLERANCE 1e-6 // of the largest value that goes in or comes out of one step
#define DRIFT     1e-5 // the same at the end of a run of its own

struct run {
    char *name, *config;
    struct sampler_options options;
    double strength;
    bool inverse;
    const float *next, *end; // of the case's tensor, as it is read
    double size;             // largest of the latents that a step begins with, and of
    double originals[3];     // the originals that the third order takes, the last first
    double worst;
};

static void check_array(struct run *run, const float *values, double tolerance, const char *what,
                        int k)
{
    double largest = run->size, difference = 0;

    g_assert_true(run->next + FIXTURE_COUNT <= run->end);
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        largest = fmax(largest, fabs((double)run->next[i]));
        difference = fmax(difference, fabs((double)values[i] - run->next[i]));
    }
    if (!(difference <= tolerance * largest)) {
        g_test_message("%s: %s of step %d differ by %g of %g", run->name, what, k, difference,
                       largest);
        g_test_fail();
    }
    run->worst = fmax(run->worst, tolerance == TOLERANCE ? difference / largest : 0);
    run->next += FIXTURE_COUNT;
}

static void check_number(struct run *run, double number, double tolerance, const char *what, int k)
{
    g_assert_true(run->next < run->end);
    if (!(fabs(number - *run->next) <= tolerance * fabs(*run->next))) {
        g_test_message("%s: %s of step %d is %.9g, not %.9g", run->name, what, k, number,
                       *run->next);
        g_test_fail();
    }
    run->next++;
}

static void first_latents(struct run *run, const struct sampler *s, float *latents)
{
    float original[FIXTURE_COUNT], noise[FIXTURE_COUNT];

    fixture_values(FIXTURE_ORIGINAL, 0, original);
    fixture_values(FIXTURE_NOISE, 0, noise);
    fixture_values(FIXTURE_LATENTS, 0, latents);
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        latents[i] = (float)(latents[i] * sampler_initial_scale(s));
    }
    if (run->strength < 1) {
        sampler_add_noise(s, sampler_first(s), original, noise, latents, FIXTURE_COUNT);
    }
}

static double largest_of(const float *values)
{
    double largest = 0;

    for (int i = 0; i < FIXTURE_COUNT; i++) {
        largest = fmax(largest, fabs((double)values[i]));
    }
    return largest;
}

// one that lies on a whole timestep by rounding alone is off by a rounding of its logarithm: 1e-5
static void check_timestep(struct run *run, double timestep, double tolerance, int k)
{
    const bool close = tolerance > 0 && fabs(timestep - *run->next) <= 1e-5;

    check_number(run, close ? *run->next : timestep, tolerance, "timestep", k);
}

static bool along_sigma(enum sampler_kind kind)
{
    return kind == SAMPLER_EULER || kind == SAMPLER_EULER_A || kind == SAMPLER_LMS ||
           kind == SAMPLER_HEUN || kind == SAMPLER_DPMPP_SDE || kind == SAMPLER_DPM2 ||
           kind == SAMPLER_DPM2_A;
}

// the largest original that goes into a step of the third order, with the newest one
static double largest_kept(struct run *run, double newest)
{
    run->originals[2] = run->originals[1];
    run->originals[1] = run->originals[0];
    run->originals[0] = newest;
    return run->options.kind != SAMPLER_DPMPP_3M_SDE
               ? 0
               : fmax(newest, fmax(run->originals[1], run->originals[2]));
}

/* Step k from diffusers' own latents, which are then replaced by those after its step. */
static void check_step(struct run *run, struct walk *w, const struct sampler *s, int k,
                       float *latents)
{
    float prediction[FIXTURE_COUNT], noise[FIXTURE_COUNT], out[FIXTURE_COUNT];
    bool noisy = sampler_noise_scale(s, k) > 0;
    // whole timesteps exactly, those between within the rounding of log sigma
    bool between = along_sigma(run->options.kind);

    fixture_values(FIXTURE_PREDICTION, (uint32_t)k, prediction);
    fixture_values(FIXTURE_STEP_NOISE, (uint32_t)k, noise);
    check_timestep(run, sampler_timestep(s, k), between ? 2 * TOLERANCE : 0, k);
    walk_input(s, k, latents, out, FIXTURE_COUNT);
    check_array(run, out, TOLERANCE, "inputs", k);
    walk_original(s, k, latents, prediction, out, FIXTURE_COUNT);
    check_array(run, out, TOLERANCE, "originals", k);
    run->size = fmax(largest_of(latents), largest_kept(run, largest_of(out)));
    walk_step(w, s, k, prediction, noisy ? noise : NULL, latents, FIXTURE_COUNT);
    check_array(run, latents, TOLERANCE, "latents", k);
    run->size = 0;
    memcpy(latents, run->next - FIXTURE_COUNT, FIXTURE_COUNT * sizeof *latents);
}

static void check_steps(struct run *run, const struct sampler *s)
{
    float latents[FIXTURE_COUNT];
    struct walk w = {{0}};

    first_latents(run, s, latents);
    for (int k = sampler_first(s); k < sampler_steps(s); k++) {
        check_step(run, &w, s, k, latents);
    }
}

// the same run from our own latents: where it ends
static void check_end(struct run *run, const struct sampler *s)
{
    float latents[FIXTURE_COUNT], prediction[FIXTURE_COUNT], noise[FIXTURE_COUNT];
    struct walk w = {{0}};
    const float *next = run->next;

    first_latents(run, s, latents);
    for (int k = sampler_first(s); k < sampler_steps(s); k++) {
        fixture_values(FIXTURE_PREDICTION, (uint32_t)k, prediction);
        fixture_values(FIXTURE_STEP_NOISE, (uint32_t)k, noise);
        walk_step(&w, s, k, prediction, noise, latents, FIXTURE_COUNT);
    }
    run->next = next - FIXTURE_COUNT;
    check_array(run, latents, DRIFT, "the run's latents", sampler_steps(s) - 1);
}

static void check_noise(struct run *run, const struct sampler *s)
{
    float original[FIXTURE_COUNT], noise[FIXTURE_COUNT], out[FIXTURE_COUNT];

    fixture_values(FIXTURE_ORIGINAL, 0, original);
    fixture_values(FIXTURE_NOISE, 0, noise);
    for (int k = 0; k < sampler_steps(s) && run->next < run->end; k++) {
        sampler_add_noise(s, k, original, noise, out, FIXTURE_COUNT);
        check_array(run, out, TOLERANCE, "noised", k);
    }
    sampler_add_noise(s, sampler_steps(s), original, noise, out, FIXTURE_COUNT);
    g_assert_cmpmem(out, sizeof out, original, sizeof original);
}

// what a word of an option means
static int word_value(const char *option, const char *word)
{
    double value;

    g_assert_true(option_word_value(option_find(&options_of_generate, option), word, &value));
    return (int)value;
}

// NAME CONFIG SAMPLER SPACING STEPS ETA STRENGTH
static struct run parse_run(char **words)
{
    struct run run = {.name = words[0], .config = words[1]};

    run.inverse = strcmp(words[2], "inversion") == 0;
    run.options.kind = SAMPLER_DDIM_INVERSE;
    if (!run.inverse) {
        run.options.kind = (enum sampler_kind)word_value("sampler", words[2]);
    }
    if (strcmp(words[3], "model") != 0) {
        run.options.spacing = (enum sampler_spacing)word_value("spacing", words[3]);
    }
    run.options.steps = (int)g_ascii_strtoll(words[4], NULL, 10);
    run.options.eta = g_ascii_strtod(words[5], NULL);
    run.strength = g_ascii_strtod(words[6], NULL);
    return run;
}

static void check_case(const struct safetensors *file, const char *line, double *worst)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 0);
    struct run run = parse_run(words);
    g_autofree char *tensor = g_strconcat("case/", run.name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(sampler) s = fixture_sampler(run.config, &run.options);
    int64_t n;
    g_autofree float *expected = fixture_tensor(file, tensor, &n);

    run.next = expected;
    run.end = expected + n;
    if (run.strength < 1) {
        sampler_start(s, run.strength, &error);
        g_assert_no_error(error);
    }
    check_number(&run, sampler_steps(s), 0, "number", -1);
    check_number(&run, sampler_first(s), 0, "first", -1);
    check_number(&run, sampler_initial_scale(s), TOLERANCE, "initial scale", -1);
    check_steps(&run, s);
    check_end(&run, s);
    check_noise(&run, s);
    g_assert_true(run.next == run.end);
    *worst = fmax(*worst, run.worst);
}

static void test_cases(gconstpointer sampler_word)
{
    g_autoptr(safetensors) file = fixture_open();
    g_auto(GStrv) lines = fixture_lines("cases.txt");
    g_autofree char *word = g_strdup_printf(" %s ", (const char *)sampler_word);
    double worst = 0;
    int cases = 0;

    for (char **line = lines; *line != NULL; line++) {
        if (strstr(*line, word) != NULL) {
            check_case(file, *line, &worst);
            cases++;
        }
    }
    g_assert_cmpint(cases, >, 20);
    g_test_message("%d runs, worst %g", cases, worst);
}

// diffusers' trailing spacing takes 62 steps here and ends at timestep -1: ours takes 61
static void test_trailing_excess(void)
{
    static const enum sampler_kind kinds[] = {SAMPLER_DDIM, SAMPLER_EULER, SAMPLER_DPMPP_2M};

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct sampler_options options = {.kind = kinds[i], .steps = 61};
        g_autoptr(sampler) s = fixture_sampler("sd1-trailing", &options);
        g_assert_cmpint(sampler_steps(s), ==, 61);
        g_assert_cmpfloat(sampler_timestep(s, 0), ==, 999);
        g_assert_cmpfloat(sampler_timestep(s, 60), ==, 15);
    }
}

/* Inversion and sampling with the same prediction at each level undo one another, but for the level
 * that the first inversion step begins at. */
static void test_inversion_undone(void)
{
    struct sampler_options up = {.kind = SAMPLER_DDIM_INVERSE, .steps = 25};
    struct sampler_options down = {.kind = SAMPLER_DDIM, .steps = 25};
    g_autoptr(sampler) inverse = fixture_sampler("sd1", &up),
                       forward = fixture_sampler("sd1", &down);
    float start[FIXTURE_COUNT], latents[FIXTURE_COUNT], prediction[FIXTURE_COUNT];
    struct walk w = {{0}};

    fixture_values(FIXTURE_LATENTS, 0, start);
    memcpy(latents, start, sizeof start);
    for (int k = 0; k < 25; k++) {
        fixture_values(FIXTURE_PREDICTION, (uint32_t)k, prediction);
        walk_step(&w, inverse, k, prediction, NULL, latents, FIXTURE_COUNT);
    }
    for (int k = 0; k < 25; k++) {
        g_assert_cmpfloat(sampler_timestep(forward, k), ==, sampler_timestep(inverse, 24 - k));
        fixture_values(FIXTURE_PREDICTION, (uint32_t)(24 - k), prediction);
        walk_step(&w, forward, k, prediction, NULL, latents, FIXTURE_COUNT);
    }
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        g_assert_cmpfloat_with_epsilon(latents[i], start[i], 1e-5);
    }
}

// each step of sampling is undone, whatever the network predicts; the cut of an original is not
static void test_undo(void)
{
    static const char *const configs[] = {"sd1", "sd2"};

    for (size_t c = 0; c < G_N_ELEMENTS(configs); c++) {
        struct sampler_options options = {.kind = SAMPLER_DDIM, .steps = 25};
        g_autoptr(sampler) s = fixture_sampler(configs[c], &options);
        float start[FIXTURE_COUNT], latents[FIXTURE_COUNT], prediction[FIXTURE_COUNT];
        struct walk w = {{0}};

        for (int k = 0; k < 25; k++) {
            fixture_values(FIXTURE_LATENTS, (uint32_t)k, start);
            fixture_values(FIXTURE_PREDICTION, (uint32_t)k, prediction);
            memcpy(latents, start, sizeof start);
            walk_step(&w, s, k, prediction, NULL, latents, FIXTURE_COUNT);
            walk_back(s, k, prediction, latents, FIXTURE_COUNT);
            for (int i = 0; i < FIXTURE_COUNT; i++) {
                g_assert_cmpfloat_with_epsilon(latents[i], start[i], 1e-5);
            }
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/sampler/ddim", "ddim", test_cases);
    g_test_add_data_func("/sampler/inversion", "inversion", test_cases);
    g_test_add_data_func("/sampler/euler", "euler", test_cases);
    g_test_add_data_func("/sampler/euler-a", "euler-a", test_cases);
    g_test_add_data_func("/sampler/dpmpp-2m", "dpmpp-2m", test_cases);
    g_test_add_data_func("/sampler/pndm", "pndm", test_cases);
    g_test_add_data_func("/sampler/lms", "lms", test_cases);
    g_test_add_data_func("/sampler/heun", "heun", test_cases);
    g_test_add_data_func("/sampler/dpm2", "dpm2", test_cases);
    g_test_add_data_func("/sampler/dpm2-a", "dpm2-a", test_cases);
    g_test_add_data_func("/sampler/unipc", "unipc", test_cases);
    g_test_add_data_func("/sampler/lcm", "lcm", test_cases);
    g_test_add_data_func("/sampler/dpmpp-2m-sde", "dpmpp-2m-sde", test_cases);
    g_test_add_data_func("/sampler/dpmpp-3m-sde", "dpmpp-3m-sde", test_cases);
    g_test_add_data_func("/sampler/dpmpp-sde", "dpmpp-sde", test_cases);
    g_test_add_data_func("/sampler/tcd", "tcd", test_cases);
    g_test_add_func("/sampler/trailing-excess", test_trailing_excess);
    g_test_add_func("/sampler/inversion-undone", test_inversion_undone);
    g_test_add_func("/sampler/undo", test_undo);
    return g_test_run();
}
