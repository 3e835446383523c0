/* bench.h: times the parts of the work on this machine, with random weights, so that nothing is
 * needed but the shapes of a model. */
#pragma once

#include "engine/network/model_config.h"
#include "engine/base/progress.h"
#include "kernels/kernels.h"

enum bench_part { BENCH_UNET, BENCH_LEARN, BENCH_DECODE };

struct bench_options {
    enum bench_part part;
    int width, height; // pixels
    int batch;
    int texts; // for each picture: what guidance asks of the UNet is 2 of them
    int repeats;
    const struct unet_config *unet;
    const struct vae_config *vae;
    const struct schedule_config *schedule; // bench_generate.h alone
    int tokens;                             // of the text
};

struct bench_result {
    double seconds, median_seconds; // best and middle of the repeats
    double flops;                   // of matrix products, one run
    size_t peak_bytes;              // device memory
    // of the best run; all 0 where a part is not made of a table's entries
    struct kernels_measure kinds[KERNELS_KINDS];
};

/* unet: one forward of the batch under its texts. learn: one forward and backward with all UNet shifts, factored,
 * and the optimiser; no text encoder, prior or autoencoder. decode: latents to a picture. Errors:
 * no memory, or cancelled. */
bool bench_run(const kernels *k, const struct bench_options *o, struct bench_result *result,
               progress_function progress, void *user, GError **error);

/* Runs something `repeats` times on k, a table of kernels_measured; result gets the best and the
 * middle time, the best run's measures, and the work of the last run, that `once` says:
 * floating-point operations of matrix products. false: as `once` says. */
typedef bool (*bench_once)(void *user, double *work, GError **error);
bool bench_repeat(const kernels *k, int repeats, bench_once once, void *user,
                  struct bench_result *result, GError **error);

/* Floating-point operations a second of a product of 1024 rows, 1280 to 1280 channels, in k's
 * precision: what the other rates can be held against. 0 where there is no memory. */
double bench_product_rate(const kernels *k);
