/* parameters.h: everything that learns, side by side in memory.
 *
 * Value, gradient and AdamW's two moments of all trained tensors are four arrays on the device, so
 * that clipping over all tensors together is one sum and a step is one call per learning rate. */
#pragma once

#include "kernels/kernels.h"

/* One trained tensor: count values from offset. rate is an index into the rates given to
 * parameters_step. value and gradient are where its owner wants to be told the addresses, or NULL
 * where it knows them from the tensor that was added before. Rows of a kernel [kh, kw, in] have
 * their area kh * kw and their channels in; of others the area is 0. */
struct parameter {
    char *name;
    int64_t count, offset;
    int rate;
    real **value, **gradient;
    int area, channels;
};

struct parameters {
    const kernels *k; // borrowed
    GArray *list;     // struct parameter, in the order of adding
    int64_t count;
    real *value, *gradient, *m, *v; // [count] each, on the device; NULL until allocated
    real *total;                    // the same, of several gradients; NULL: not wanted
    double *sum;                    // [1] on the device: the gradient's squares
    struct adamw_step *steps;       // [PARAMETERS_RATES] on the device
    struct adamw_span *spans;       // [n_spans] on the device: neighbours of one rate are one
    int n_spans;
};

// different rates, at most
#define PARAMETERS_RATES 4

struct parameters *parameters_create(const kernels *k);
void parameters_free(struct parameters *p); // accepts NULL

/* Registers a tensor. value and gradient are set by parameters_allocate. */
void parameters_add(struct parameters *p, const char *name, int64_t count, int rate, real **value,
                    real **gradient);

/* The tensor that was added last is rows of a kernel. */
void parameters_add_kernel(struct parameters *p, int area, int channels);

/* Of a tensor's values [count] in the engine's order those in PyTorch's, in which a kernel is
 * [in, kh, kw]. out is another array. */
void parameter_in_planes(const struct parameter *p, const float *values, float *out);

/* Makes the arrays, all zero, and tells the owners. False with SVDIFF_ERROR_FAILED: no memory. */
bool parameters_allocate(struct parameters *p, GError **error);

void parameters_zero_gradient(struct parameters *p);

/* Where several gradients make one step: each is complete before it is added to the total, so that
 * the sum does not depend on who worked out which. keep_total makes the array, false with
 * SVDIFF_ERROR_FAILED; zero_total begins a sum, add_gradient adds the gradient as it is, take_total
 * makes the sum the gradient. */
bool parameters_keep_total(struct parameters *p, GError **error);
void parameters_zero_total(struct parameters *p);
void parameters_add_gradient(struct parameters *p);
void parameters_take_total(struct parameters *p);

/* Adds up the squares of the gradient over all tensors together, into p->sum. */
void parameters_square(struct parameters *p);

/* One AdamW step number step (from 1). rates [n_rates] by the tensors' index, PARAMETERS_RATES at most.
 * The gradient is divided by divisor; where its norm, of which parameters_square has made the squares,
 * is then above clip, it is made as long. 0: it is not clipped, whatever its norm. */
struct adamw_options {
    const double *rates;
    int n_rates;
    double beta1, beta2, epsilon, decay;
    double clip, divisor;
};
void parameters_step(struct parameters *p, const struct adamw_options *o, int64_t step);

/* Values of one of the four arrays to and from the host as floats, [count]. */
void parameters_download(const struct parameters *p, const real *array, float *out);
void parameters_upload(struct parameters *p, real *array, const float *values);
/* The same of count values from `to` on, as an owner was told where its tensor lies. */
void parameters_upload_part(struct parameters *p, real *to, const float *values, int64_t count);
