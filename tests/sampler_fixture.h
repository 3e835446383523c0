/* sampler_fixture.h: the configs of tests/fixtures/samplers, read without the engine's JSON, and
 * the arrays that both sides make by the same formula (see make_samplers.py). */
#pragma once

#include "engine/base/safetensors.h"
#include "engine/model/schedule_config.h"

#include <glib.h>
#include <string.h>

enum { FIXTURE_COUNT = 5 };
enum { FIXTURE_LATENTS, FIXTURE_NOISE, FIXTURE_ORIGINAL, FIXTURE_PREDICTION, FIXTURE_STEP_NOISE };

static inline void fixture_values(uint32_t what, uint32_t k, float out[FIXTURE_COUNT])
{
    for (uint32_t i = 0; i < FIXTURE_COUNT; i++) {
        uint32_t x = (what * 73856093u ^ k * 19349663u ^ i * 83492791u) * 2654435761u;

        x = (x ^ x >> 15) * 2246822519u;
        x ^= x >> 13;
        out[i] = (float)((x >> 8) / 4194304.0 - 2);
    }
}

static inline char *fixture_path(const char *name)
{
    return g_build_filename(g_getenv("SVDIFF_TESTS_DIR"), "fixtures", "samplers", name, NULL);
}

// the lines of a text file; free with g_strfreev
static inline char **fixture_lines(const char *name)
{
    g_autofree char *path = fixture_path(name), *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return g_strsplit(g_strchomp(text), "\n", 0);
}

static inline struct safetensors *fixture_open(void)
{
    g_autofree char *path = fixture_path("samplers.safetensors");
    g_autoptr(GError) error = NULL;
    struct safetensors *file = safetensors_open(path, &error);

    g_assert_no_error(error);
    return file;
}

// the values of a tensor and how many; free with g_free
static inline float *fixture_tensor(const struct safetensors *file, const char *name, int64_t *n)
{
    const struct safetensors_tensor *tensor = safetensors_find(file, name);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(tensor);
    float *values = g_new(float, (gsize)tensor->values);
    safetensors_read_f32(file, tensor, values, &error);
    g_assert_no_error(error);
    *n = tensor->values;
    return values;
}

static inline int fixture_word(const char *value, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            return i;
        }
    }
    g_error("unknown word %s", value);
}

static inline bool fixture_set_word(struct schedule_config *c, const char *key, const char *value)
{
    static const char *const betas[] = {"linear", "scaled_linear", "squaredcos_cap_v2", NULL};
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample", NULL};
    static const char *const spacings[] = {"", "leading", "trailing", "linspace", NULL};
    static const char *const sigmas[] = {"zero", "sigma_min", NULL};
    static const char *const solvers[] = {"midpoint", "heun", NULL};

    if (strcmp(key, "beta_schedule") == 0) {
        c->beta_schedule = (enum beta_schedule)fixture_word(value, betas);
    } else if (strcmp(key, "prediction_type") == 0) {
        c->prediction_type = (enum prediction_type)fixture_word(value, predictions);
    } else if (strcmp(key, "timestep_spacing") == 0) {
        c->timestep_spacing = (enum timestep_spacing)fixture_word(value, spacings);
    } else if (strcmp(key, "final_sigmas_type") == 0) {
        c->final_sigma_min = fixture_word(value, sigmas) == 1;
    } else if (strcmp(key, "solver_type") == 0) {
        c->solver_heun = fixture_word(value, solvers) == 1;
    } else {
        return false;
    }
    return true;
}

static inline void fixture_set(struct schedule_config *c, const char *key, const char *value)
{
    static double trained[100];
    static const char *const spacings[] = {"use_karras_sigmas", "use_exponential_sigmas",
                                           "use_beta_sigmas", "use_lu_lambdas"};
    const struct {
        const char *key;
        int *number;
        double *real;
        bool *truth;
    } places[] = {
        {"num_train_timesteps", .number = &c->num_train_timesteps},
        {"steps_offset", .number = &c->steps_offset},
        {"beta_start", .real = &c->beta_start},
        {"beta_end", .real = &c->beta_end},
        {"clip_sample_range", .real = &c->clip_sample_range},
        {"lambda_min_clipped", .real = &c->lambda_min_clipped},
        {"set_alpha_to_one", .truth = &c->set_alpha_to_one},
        {"clip_sample", .truth = &c->clip_sample},
        {"rescale_betas_zero_snr", .truth = &c->rescale_betas_zero_snr},
        {"lower_order_final", .truth = &c->lower_order_final},
        {"euler_at_final", .truth = &c->euler_at_final},
    };

    for (int i = 0; i < (int)G_N_ELEMENTS(spacings); i++) {
        if (strcmp(key, spacings[i]) == 0) {
            c->sigmas = (enum sigma_spacing)(SIGMAS_KARRAS + i);
            return;
        }
    }
    if (strcmp(key, "trained_betas") == 0) {
        for (int i = 0; i < 100; i++) {
            trained[i] = 0.001 + 0.0003 * (i * 7 % 11) + 0.0004 * i;
        }
        c->trained_betas = trained;
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (strcmp(key, places[i].key) == 0) {
            if (places[i].number != NULL) {
                *places[i].number = (int)g_ascii_strtoll(value, NULL, 10);
            } else if (places[i].real != NULL) {
                *places[i].real = g_ascii_strtod(value, NULL);
            } else {
                *places[i].truth = strcmp(value, "true") == 0;
                c->clip_sample_asked =
                    c->clip_sample_asked || (strcmp(key, "clip_sample") == 0 && *places[i].truth);
                c->set_alpha_to_one_asked =
                    c->set_alpha_to_one_asked ||
                    (strcmp(key, "set_alpha_to_one") == 0 && *places[i].truth);
            }
            return;
        }
    }
    g_assert_true(fixture_set_word(c, key, value));
}

// a line of configs.txt; returns the config's name, the caller frees it
static inline char *fixture_config_line(const char *line, struct schedule_config *c)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 0);

    schedule_config_init(c);
    for (char **word = words + 1; *word != NULL; word++) {
        char *equals = strchr(*word, '=');
        *equals = 0;
        fixture_set(c, *word, equals + 1);
    }
    return g_strdup(words[0]);
}

static inline void fixture_config(const char *name, struct schedule_config *c)
{
    g_auto(GStrv) lines = fixture_lines("configs.txt");

    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *found = fixture_config_line(*line, c);
        if (strcmp(found, name) == 0) {
            return;
        }
    }
    g_error("no config %s", name);
}
