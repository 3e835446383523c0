/* schedule_config.h: what scheduler/scheduler_config.json says about noise and sampling.
 *
 * A sampler is diffusers' Class.from_config(scheduler_config.json), whatever class wrote the file:
 * a key that is absent has the default of the class it is used in. schedule_config_init puts those
 * defaults; where they differ by class (timestep_spacing) absence is a value of its own. Keys that
 * one class reads and another does not are judged by the sampler that would use them. */
#pragma once

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum beta_schedule {
    BETA_LINEAR,            // "linear"
    BETA_SCALED_LINEAR,     // "scaled_linear": linear in the square roots
    BETA_SQUARED_COS_CAP_2, // "squaredcos_cap_v2"
};

// what the network's output is
enum prediction_type {
    PREDICTION_EPSILON, // "epsilon": the noise
    PREDICTION_V,       // "v_prediction": a_t * noise - s_t * original
    PREDICTION_SAMPLE,  // "sample": the original
};

enum timestep_spacing {
    TIMESTEPS_DEFAULT,  // not in the file: leading for DDIM, linspace for the others
    TIMESTEPS_LEADING,  // "leading"
    TIMESTEPS_TRAILING, // "trailing"
    TIMESTEPS_LINSPACE, // "linspace"
};

// how levels of noise are spaced that a class makes of those of its timesteps
enum sigma_spacing {
    SIGMAS_NORMAL,
    SIGMAS_KARRAS,      // "use_karras_sigmas"
    SIGMAS_EXPONENTIAL, // "use_exponential_sigmas"
    SIGMAS_BETA,        // "use_beta_sigmas"
    SIGMAS_LU,          // "use_lu_lambdas"
};

struct schedule_config {
    int num_train_timesteps;
    double beta_start, beta_end;
    enum beta_schedule beta_schedule;
    const double *trained_betas; // [num_train_timesteps] in place of a formula, or NULL; not owned
    bool rescale_betas_zero_snr;
    enum prediction_type prediction_type;

    enum timestep_spacing timestep_spacing;
    int steps_offset;      // added to timesteps with leading spacing
    bool set_alpha_to_one; // DDIM: nothing is left of the noise after the last step
    bool clip_sample;      // DDIM: the predicted original is cut at +-clip_sample_range
    bool set_alpha_to_one_asked, clip_sample_asked; // the same where absence means false: others
    double clip_sample_range;
    bool thresholding; // DDIM, DPM-Solver++: refused there

    enum sigma_spacing sigmas; // of classes that have it
    bool final_sigma_min; // Euler, DPM-Solver++: final_sigmas_type is "sigma_min" instead of "zero"

    int solver_order;          // DPM-Solver++: 2, others are refused
    bool solver_plus_plus;     // algorithm_type is "dpmsolver++" (or "deis"); others are refused
    bool solver_heun;          // solver_type is "heun" instead of "midpoint"
    bool lower_order_final;    // first order in the last of fewer than 15 steps
    bool euler_at_final;       // first order in the last step
    double lambda_min_clipped; // the smallest log(a_t / s_t) that linspace and leading begin at
};

// the value of every key when the file has none
static inline void schedule_config_init(struct schedule_config *c)
{
    *c = (struct schedule_config){
        .num_train_timesteps = 1000,
        .beta_start = 0.0001,
        .beta_end = 0.02,
        .beta_schedule = BETA_LINEAR,
        .prediction_type = PREDICTION_EPSILON,
        .timestep_spacing = TIMESTEPS_DEFAULT,
        .set_alpha_to_one = true,
        .clip_sample = true,
        .clip_sample_range = 1,
        .solver_order = 2,
        .solver_plus_plus = true,
        .lower_order_final = true,
        .lambda_min_clipped = -INFINITY,
    };
}

/* Reads scheduler/scheduler_config.json, of any class whose noise comes from a table of betas.
 * False with a sentence that names the file and the key when a key that every sampler reads is out
 * of range or has a value that is not supported; then *config is undefined. *trained_betas receives
 * the list that config->trained_betas points to, or NULL: the caller keeps it as long as the config
 * and frees it with g_free. */
bool schedule_config_read(const char *path, struct schedule_config *config, double **trained_betas,
                          GError **error);
