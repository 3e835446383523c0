/* sampler_walk.h: steps of a sampler as the reference table takes them, on arrays of the host. */
#pragma once

#include "tests/sampler_fixture.h"

#include "engine/sampler/sampler.h"

#include <string.h>

#define WALK_COUNT 16 // values of latents, at most

// what a walk keeps from step to step; zeros before the first
struct walk {
    float kept[SAMPLER_KEPT * WALK_COUNT];
};

static inline void walk_take(struct walk *w, int n_kept, const struct sampler_factors *factors,
                             const float *prediction, const float *noise, float *latents,
                             float *original, int count)
{
    g_autoptr(kernels) k = kernels_reference(KERNELS_F32);

    g_assert_cmpint(count, <=, WALK_COUNT);
    g_assert_cmpint(n_kept, <=, SAMPLER_KEPT);
    k->latents_step(k, count, n_kept, factors, prediction, noise, latents, latents, w->kept,
                    original);
}

// step k, in place; noise may be NULL where the step adds none
static inline void walk_step(struct walk *w, const struct sampler *s, int k,
                             const float *prediction, const float *noise, float *latents, int count)
{
    struct sampler_factors factors;

    sampler_factors(s, k, &factors);
    walk_take(w, sampler_kept(s), &factors, prediction, noise, latents, NULL, count);
}

// the other way
static inline void walk_back(const struct sampler *s, int k, const float *prediction,
                             float *latents, int count)
{
    struct sampler_factors factors;
    struct walk none = {{0}};

    sampler_factors(s, k, &factors);
    sampler_undo(s, k, &factors);
    walk_take(&none, 0, &factors, prediction, NULL, latents, NULL, count);
}

// what the network sees at step k
static inline void walk_input(const struct sampler *s, int k, const float *latents, float *out,
                              int count)
{
    g_autoptr(kernels) device = kernels_reference(KERNELS_F32);
    const struct latents_shape shape = {.n = 1, .t = count, .c = 1};
    struct sampler_factors factors;
    float input[WALK_COUNT];

    sampler_factors(s, k, &factors);
    device->latents_input(device, shape, &factors, latents, NULL, (cell *)input);
    memcpy(out, input, (size_t)count * sizeof *out);
}

// what latents and prediction of step k point to
static inline void walk_original(const struct sampler *s, int k, const float *latents,
                                 const float *prediction, float *out, int count)
{
    struct walk none = {{0}};
    struct sampler_factors factors;
    float stepped[WALK_COUNT];

    memcpy(stepped, latents, (size_t)count * sizeof *stepped);
    sampler_factors(s, k, &factors);
    walk_take(&none, 0, &factors, prediction, NULL, stepped, out, count);
}

// of a config of the fixtures; free with sampler_free
static inline struct sampler *fixture_sampler(const char *config,
                                              const struct sampler_options *options)
{
    struct schedule_config c;
    g_autoptr(GError) error = NULL;

    fixture_config(config, &c);
    struct sampler *s = sampler_create(options, &c, &error);
    g_assert_no_error(error);
    return s;
}
