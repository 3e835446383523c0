/* scheduler/scheduler_config.json; see schedule_config.h. */
#include "engine/model/schedule_config.h"

#include "engine/base/config_reader.h"

#include <string.h>

#define MAX_TIMESTEPS 100000

// keys that every sampler reads
static const struct config_fixed fixed[] = {
    {"interpolation_type", "linear"},
    {"timestep_type", "discrete"},
    {"use_flow_sigmas", "null|false"},
    {"use_dynamic_shifting", "false"},
    {"sigma_min", "null"},
    {"sigma_max", "null"},
    {"variance_type", "null|fixed_small|fixed_small_log|fixed_large|fixed_large_log"},
};

/* Only classes whose noise comes from a table of betas: flow matching, EDM and cascades have other
 * arithmetic. */
static void check_class(struct config_reader *r)
{
    static const char *const known[] = {
        "PNDMScheduler",
        "DDIMScheduler",
        "DDPMScheduler",
        "LMSDiscreteScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler",
        "KDPM2DiscreteScheduler",
        "KDPM2AncestralDiscreteScheduler",
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "DPMSolverSDEScheduler",
        "DEISMultistepScheduler",
        "UniPCMultistepScheduler",
        "IPNDMScheduler",
        "LCMScheduler",
        "TCDScheduler",
        NULL,
    };
    const char *name = config_text(r, "_class_name", known[0]);

    // a class of the future may have any arithmetic
    if (!g_strv_contains(known, name)) {
        config_fail(r,
                    "the scheduler %s is not supported; use a plain Stable Diffusion 1.x or 2.x "
                    "model",
                    name);
    }
}

// newly allocated, or NULL when the file has none
static double *read_trained(struct config_reader *r, int n)
{
    JsonArray *array = NULL;

    if (r->failed ||
        !json_get_array(r->object, r->what, "trained_betas", JSON_OPTIONAL, &array, r->error)) {
        r->failed = true;
        return NULL;
    }
    if (array == NULL) {
        return NULL;
    }
    // a list of another length is of another schedule
    if ((int)json_array_get_length(array) != n) {
        config_fail(r, "\"trained_betas\" must have %d entries, \"num_train_timesteps\"", n);
        return NULL;
    }
    double *betas = g_new(double, n);
    for (int i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, (guint)i);
        betas[i] = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0;
        if (!(betas[i] > 0 && betas[i] <= 1)) {
            config_fail(r, "\"trained_betas\" must be numbers above 0 and at most 1");
        }
    }
    return betas;
}

static void read_solver(struct config_reader *r, struct schedule_config *config)
{
    static const char *const algorithms[] = {"dpmsolver++",     "deis",          "dpmsolver",
                                             "sde-dpmsolver++", "sde-dpmsolver", NULL};
    // the last three stand for midpoint in DPM-Solver++
    static const char *const solvers[] = {"midpoint", "heun", "logrho", "bh1", "bh2", NULL};

    // what the engine does not have is kept and refused by the sampler that would use it alone
    config->solver_order = config_int(r, "solver_order", 1, 3, 2);
    config->solver_plus_plus = config_choice(r, "algorithm_type", algorithms, 0) <= 1;
    config->solver_heun = config_choice(r, "solver_type", solvers, 0) == 1;
    config->lower_order_final = config_bool(r, "lower_order_final", config->lower_order_final);
    config->euler_at_final = config_bool(r, "euler_at_final", config->euler_at_final);
    config->lambda_min_clipped =
        config_double(r, "lambda_min_clipped", -INFINITY, 1e6, config->lambda_min_clipped);
}

// at most one of the four
static enum sigma_spacing read_sigmas(struct config_reader *r)
{
    static const char *const keys[] = {"use_karras_sigmas", "use_exponential_sigmas",
                                       "use_beta_sigmas", "use_lu_lambdas"};
    enum sigma_spacing sigmas = SIGMAS_NORMAL;

    for (int i = 0; i < (int)G_N_ELEMENTS(keys); i++) {
        if (!config_bool(r, keys[i], false)) {
            continue;
        }
        if (sigmas != SIGMAS_NORMAL) {
            config_fail(r, "\"%s\" and \"%s\" are both true; one of them is possible",
                        keys[sigmas - SIGMAS_KARRAS], keys[i]);
        }
        sigmas = (enum sigma_spacing)(SIGMAS_KARRAS + i);
    }
    return sigmas;
}

static void read_sampling(struct config_reader *r, struct schedule_config *config)
{
    static const char *const spacings[] = {"leading", "trailing", "linspace", NULL};
    static const char *const finals[] = {"zero", "sigma_min", NULL};

    // the enum has one value more, before the words of the file: that it says none
    config->timestep_spacing =
        TIMESTEPS_LEADING +
        config_choice(r, "timestep_spacing", spacings, TIMESTEPS_DEFAULT - TIMESTEPS_LEADING);
    config->steps_offset = config_int(r, "steps_offset", 0, MAX_TIMESTEPS, 0);
    config->set_alpha_to_one = config_bool(r, "set_alpha_to_one", config->set_alpha_to_one);
    config->clip_sample = config_bool(r, "clip_sample", config->clip_sample);
    config->set_alpha_to_one_asked = config_bool(r, "set_alpha_to_one", false);
    config->clip_sample_asked = config_bool(r, "clip_sample", false);
    config->clip_sample_range = config_double(r, "clip_sample_range", 0, 1e6, 1);
    config->thresholding = config_bool(r, "thresholding", false);
    config->sigmas = read_sigmas(r);
    config->final_sigma_min = config_choice(r, "final_sigmas_type", finals, 0) == 1;
}

static void fill(struct config_reader *r, struct schedule_config *config, double **trained_betas)
{
    // each list in the order of its enum
    static const char *const betas[] = {"linear", "scaled_linear", "squaredcos_cap_v2", NULL};
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample", NULL};

    schedule_config_init(config);
    // first what is refused, so that the sentence names the cause and no consequence
    config_check(r, fixed, G_N_ELEMENTS(fixed));
    check_class(r);
    // bounded, since tables of that many numbers are made
    config->num_train_timesteps = config_int(r, "num_train_timesteps", 2, MAX_TIMESTEPS, 1000);
    config->beta_schedule = config_choice(r, "beta_schedule", betas, BETA_LINEAR);
    config->beta_start = config_double(r, "beta_start", 1e-12, 0.999, config->beta_start);
    config->beta_end = config_double(r, "beta_end", 1e-12, 0.999, config->beta_end);
    config->prediction_type = config_choice(r, "prediction_type", predictions, PREDICTION_EPSILON);
    config->rescale_betas_zero_snr = config_bool(r, "rescale_betas_zero_snr", false);
    read_sampling(r, config);
    read_solver(r, config);
    *trained_betas = read_trained(r, config->num_train_timesteps);
    config->trained_betas = *trained_betas;
}

bool schedule_config_read(const char *path, struct schedule_config *config, double **trained_betas,
                          GError **error)
{
    struct config_reader reader;

    config_reader_open(&reader, path, error);
    fill(&reader, config, trained_betas);
    if (config_reader_finish(&reader)) {
        return true;
    }
    // the list may have been whole before another key failed
    g_clear_pointer(trained_betas, g_free);
    return false;
}
