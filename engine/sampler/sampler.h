/* sampler.h: from noise to latents in a few steps, and back.
 *
 * Each sampler is diffusers' class of the same name, made from the model's scheduler_config.json:
 *
 *   ddim       DDIMScheduler                        latents  sqrt(a) x0 + sqrt(1 - a) noise
 *   pndm       PNDMScheduler, skip_prk_steps        as ddim
 *   lms        LMSDiscreteScheduler                 latents  x0 + sigma noise
 *   euler      EulerDiscreteScheduler               as lms
 *   euler-a    EulerAncestralDiscreteScheduler      as lms
 *   heun       HeunDiscreteScheduler                as lms, two evaluations a step
 *   dpm2       KDPM2DiscreteScheduler               as heun
 *   dpm2-a     KDPM2AncestralDiscreteScheduler      as heun
 *   dpmpp-2m   DPMSolverMultistepScheduler          as ddim
 *   unipc      UniPCMultistepScheduler              as ddim
 *   lcm        LCMScheduler                         as ddim
 *   dpmpp-2m-sde, dpmpp-3m-sde  DPMSolverMultistepScheduler, sde-dpmsolver++ of order 2 and 3
 *   dpmpp-sde  DPMSolverSDEScheduler                as heun
 *   tcd        TCDScheduler                         as ddim
 *   inversion  DDIMInverseScheduler                 as ddim, from little noise to much
 *
 * A step k here is one evaluation of the network.
 *
 *   for (k = sampler_first(s); k < sampler_steps(s); k++) {
 *       sampler_factors(s, k, &factors);
 *       prediction = network(factors.input_scale * latents, sampler_timestep(s, k));
 *       device->latents_step(..., &factors, prediction, noise, latents, latents, kept, NULL);
 *   }
 *
 * The latents begin as unit normals times sampler_initial_scale, or as sampler_add_noise of a
 * picture's. What a step does is numbers alone: latents, and what is kept of them, are the device's, in
 * any layout (struct sampler_factors, kernels/kernels.h). */
#pragma once

#include "engine/model/schedule_config.h"
#include "engine/svdiff.h"
#include "kernels/kernels.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct sampler_options {
    enum sampler_kind kind;
    enum sampler_spacing spacing;
    enum sampler_timesteps timesteps;
    int steps;
    double eta; // ddim, tcd: 0 adds no noise, 1 as much as DDPM, or goes to the original and back
    bool zero_snr;
};

// the word of --sampler, or "inversion"
const char *sampler_name(enum sampler_kind kind);

struct sampler;

/* A sampler for a model. NULL with SVDIFF_ERROR_USAGE for options that do not go together or with
 * the model, SVDIFF_ERROR_FAILED for a config that this sampler cannot follow. */
struct sampler *sampler_create(const struct sampler_options *options,
                               const struct schedule_config *config, GError **error);

// NULL is allowed
void sampler_free(struct sampler *s);
typedef struct sampler sampler;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sampler, sampler_free)

/* Whether a strength leaves any of so many steps. False (usage) with a sentence that names the option. */
bool sampler_check_strength(const char *option, double strength, int steps, GError **error);

/* Leaves out the first steps, to begin with a picture: int(steps * strength) steps remain, 0 <
 * strength <= 1. False (usage) when that is none. */
bool sampler_start(struct sampler *s, double strength, GError **error);

// the steps are k = sampler_first() .. sampler_steps() - 1
int sampler_steps(const struct sampler *s);
int sampler_first(const struct sampler *s);

// what the network is told; whole where latents are as ddim's
double sampler_timestep(const struct sampler *s, int k);

// the standard deviation of the latents that sampling without a picture begins with
double sampler_initial_scale(const struct sampler *s);

/* The standard deviation of the noise that step k adds; 0 when it adds none. */
double sampler_noise_scale(const struct sampler *s, int k);

/* How many arrays of the size of latents a step keeps for the next one; zeros before the first. At most
 * SAMPLER_KEPT. */
int sampler_kept(const struct sampler *s);

/* Step k: latents of step k become those of step k + 1 (after the last step: the result). Its noise is unit normal,
 * none where sampler_noise_scale is 0. Steps follow one another from sampler_first on. */
void sampler_factors(const struct sampler *s, int k, struct sampler_factors *out);

/* The other way, for ddim without noise: changes the factors so that latents that step k came to become those
 * that it began with, if this was its prediction. */
void sampler_undo(const struct sampler *s, int k, struct sampler_factors *out);

/* out[count] = original latents with as much noise as the latents have before step k; k =
 * sampler_steps() is the original itself. out may be either input. */
void sampler_add_noise(const struct sampler *s, int k, const float *original, const float *noise,
                       float *out, int64_t count);
