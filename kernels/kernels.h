/* kernels.h: memory and compute on a device. The one header of kernels/ that the engine includes.
 *
 *   g_autoptr(kernels) k = kernels_cpu(0, KERNELS_F32, &error);
 *   float *y = k->alloc(k, bytes);
 *   k->linear_forward(k, (struct linear_shape){.t = 64, .in = 320, .out = 320}, x, w, bias, y);
 *
 * A device is one table of function pointers. Every table is filled with the reference C first;
 * what a device has faster overwrites an entry. Nothing above this header knows which it is.
 *
 * Layout, for everybody: activations are [n, h, w, c], rows of c channels (channels last), so a
 * picture is [n, t, c] with t = h * w tokens. Weights of a linear layer are [out, in]. Weights of a
 * convolution are [out, kh, kw, c]. All arrays are dense and row-major.
 *
 * Rules of all compute entries:
 *  - they return nothing, never fail and never allocate; shapes were checked by the caller;
 *  - pointers are device pointers, aligned to KERNELS_ALIGNMENT unless they lie inside an array;
 *  - outputs do not overlap inputs, except where an entry says that they may be the same array;
 *  - forward entries overwrite their output; backward entries ADD into every array named d...;
 *  - sums run in an order that depends on the shape and the number of threads only, so that the
 *    same call gives the same bits again;
 *  - zero rows, tokens or counts are allowed and do nothing.
 *
 * Letters: n batch, c channels, h w, t tokens (rows), d head width, r rank. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNELS_ALIGNMENT 64

/* The type of activations, gradients, shifts and moments: float. The tests of derivatives compile
 * the reference and the engine's tape once more with double. */
#ifdef SVDIFF_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/* How a GEMM or a convolution rounds its inputs; sums are always float (double in the tests). */
enum kernels_precision {
    KERNELS_F32,
    KERNELS_BF16, // weights are stored as bfloat16 and activations rounded on the way in
};

/* A weight of a linear layer or a convolution, as an argument, in the layout named above. Its
 * values are stored as reals or as bfloat16 (2 bytes each). */
struct kernels_weight {
    const void *data;
    enum kernels_precision type;
};

// x [t, in], w [out, in], y [t, out]
struct linear_shape {
    int64_t t;
    int in, out;
};

/* x [n, h, w, c], weight [out, kh, kw, c], y [n, out_h, out_w, out]. Padding below and right
 * follows from the sizes: rows and columns outside x read as zero. */
struct conv_shape {
    int n, h, w, c;
    int out_h, out_w, out;
    int kh, kw, stride;
    int pad_top, pad_left;
};

/* C [m, n] = A [m, k] B [k, n]; A is stored [k, m] where transpose_a, B [n, k] where transpose_b.
 * accumulate: adds to C. */
struct gemm_shape {
    int64_t m, n, k;
    bool transpose_a, transpose_b, accumulate;
};

/* Normalisation of x [n, t, c]: group normalisation over t and c / groups channels. silu: the
 * result goes through SiLU. */
struct groupnorm_shape {
    int n;
    int64_t t;
    int c, groups;
    real epsilon;
    bool silu;
};

// layer normalisation of each of the t rows of x [t, c]
struct layernorm_shape {
    int64_t t;
    int c;
    real epsilon;
};

/* q, y [n, tq, heads * d]; k, v [n, tk, heads * d]. causal: token i sees keys 0 .. i.
 * scale multiplies the products before softmax, usually 1 / sqrt(d). */
struct attention_shape {
    int n, heads, tq, tk, d;
    bool causal;
    real scale;
};

enum activation { ACTIVATION_SILU, ACTIVATION_GELU, ACTIVATION_QUICK_GELU };

// nearest-neighbour scaling of [n, h, w, c] to [n, out_h, out_w, c]; source row = y * h / out_h
struct upsample_shape {
    int n, h, w, c, out_h, out_w;
};

// rows of a table that are looked at: t numbers among which n are chosen, c values each
struct chosen_shape {
    int64_t t;
    int c, n;
    real factor;
};

/* One AdamW step (Loshchilov & Hutter, in PyTorch's form):
 *   g' = gradient_scale * g;  p -= rate * decay * p;
 *   m = beta1 m + (1 - beta1) g';  v = beta2 v + (1 - beta2) g'^2
 *   p -= rate / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
 * correction1 = 1 - beta1^step, correction2 = 1 - beta2^step. */
struct adamw_step {
    double rate, decay, beta1, beta2, epsilon;
    double correction1, correction2;
    double gradient_scale;
};

typedef struct kernels kernels;
struct kernels {
    const char *name; // "reference", "cpu", "count"
    int threads;
    enum kernels_precision precision; // what weights should be stored as on this device
    void *device;                     // the device's own state

    /* ---- memory ---- */
    /* bytes of device memory, zeroed, aligned; NULL when there is none or bytes is 0. Released with
     * its size. */
    void *(*alloc)(const kernels *k, size_t bytes);
    void (*release)(const kernels *k, void *memory, size_t bytes);
    // between host memory and device memory
    void (*upload)(const kernels *k, void *to, const void *from, size_t bytes);
    void (*download)(const kernels *k, void *to, const void *from, size_t bytes);
    // within device memory
    void (*zero)(const kernels *k, void *memory, size_t bytes);
    void (*copy)(const kernels *k, void *to, const void *from, size_t bytes);
    // waits for all work; an error of the device since the last call surfaces here
    bool (*sync)(const kernels *k, GError **error);
    // frees the table itself and all that it owns
    void (*destroy)(kernels *k);

    /* ---- matrices ---- */
    void (*gemm)(const kernels *k, struct gemm_shape s, const real *a, const real *b, real *c);

    // y = x W^T + bias; bias [out] may be NULL
    void (*linear_forward)(const kernels *k, struct linear_shape s, const real *x,
                           struct kernels_weight w, const real *bias, real *y);
    // dx += dy W
    void (*linear_backward_input)(const kernels *k, struct linear_shape s, const real *dy,
                                  struct kernels_weight w, real *dx);
    // dw [out, in] += dy^T x
    void (*linear_backward_weight)(const kernels *k, struct linear_shape s, const real *dy,
                                   const real *x, real *dw);

    // y = x * W + bias (cross-correlation, as everywhere in this field)
    void (*conv_forward)(const kernels *k, struct conv_shape s, const real *x,
                         struct kernels_weight w, const real *bias, real *y);
    void (*conv_backward_input)(const kernels *k, struct conv_shape s, const real *dy,
                                struct kernels_weight w, real *dx);
    // dw [out, kh, kw, c] += ...
    void (*conv_backward_weight)(const kernels *k, struct conv_shape s, const real *dy,
                                 const real *x, real *dw);

    // rounds count reals to bfloat16, nearest even
    void (*to_bf16)(const kernels *k, int64_t count, const real *x, uint16_t *y);

    /* ---- normalisation ---- */
    // y = (x - mean) * rstd * gain + bias, then SiLU where asked; mean, rstd [n, groups] are kept
    void (*groupnorm_forward)(const kernels *k, struct groupnorm_shape s, const real *x,
                              const real *gain, const real *bias, real *y, real *mean, real *rstd);
    // dx and dgain [c] may each be NULL
    void (*groupnorm_backward)(const kernels *k, struct groupnorm_shape s, const real *x,
                               const real *gain, const real *bias, const real *mean,
                               const real *rstd, const real *dy, real *dx, real *dgain);
    // mean, rstd [t]
    void (*layernorm_forward)(const kernels *k, struct layernorm_shape s, const real *x,
                              const real *gain, const real *bias, real *y, real *mean, real *rstd);
    void (*layernorm_backward)(const kernels *k, struct layernorm_shape s, const real *x,
                               const real *gain, const real *mean, const real *rstd, const real *dy,
                               real *dx, real *dgain);

    /* ---- attention ---- */
    /* y = softmax(scale q k^T) v per head; lse [n, heads, tq] = log of the sum of exponentials of
     * the scaled products, kept instead of the probabilities (may be NULL) */
    void (*attention_forward)(const kernels *k, struct attention_shape s, const real *q,
                              const real *key, const real *v, real *y, real *lse);
    // probabilities are recomputed from lse; dq, dkey, dv are added to
    void (*attention_backward)(const kernels *k, struct attention_shape s, const real *q,
                               const real *key, const real *v, const real *y, const real *lse,
                               const real *dy, real *dq, real *dkey, real *dv);

    /* ---- element-wise ---- */
    void (*activation_forward)(const kernels *k, enum activation a, int64_t count, const real *x,
                               real *y);
    void (*activation_backward)(const kernels *k, enum activation a, int64_t count, const real *x,
                                const real *dy, real *dx);
    // x [t, 2 c] = [value | gate]: y [t, c] = value * gelu(gate), exact GELU (erf)
    void (*geglu_forward)(const kernels *k, int64_t t, int c, const real *x, real *y);
    void (*geglu_backward)(const kernels *k, int64_t t, int c, const real *x, const real *dy,
                           real *dx);
    // y = a + b; y may be a or b
    void (*add)(const kernels *k, int64_t count, const real *a, const real *b, real *y);
    // y += factor * x
    void (*accumulate)(const kernels *k, int64_t count, real factor, const real *x, real *y);
    // y [n, t, c] = x [n, t, c] + row [n, c]
    void (*add_row_forward)(const kernels *k, int n, int64_t t, int c, const real *x,
                            const real *row, real *y);
    // drow [n, c] += sum of dy over t
    void (*add_row_backward)(const kernels *k, int n, int64_t t, int c, const real *dy, real *drow);
    /* copies (or adds, where accumulate) t rows of c values; strides in values from row to row.
     * Concatenation and splitting of channels. */
    void (*copy_columns)(const kernels *k, int64_t t, int c, const real *x, int64_t x_stride,
                         real *y, int64_t y_stride, bool accumulate);
    void (*upsample_forward)(const kernels *k, struct upsample_shape s, const real *x, real *y);
    void (*upsample_backward)(const kernels *k, struct upsample_shape s, const real *dy, real *dx);

    /* ---- spectral shifts ---- */
    // gain = relu(sigma + scale * shift), SVDiff eq. 2
    void (*shift_gain)(const kernels *k, int count, const real *sigma, const real *shift,
                       real scale, real *gain);
    // y [t, r] = x [t, r] * gain [r]; y may be x
    void (*scale_columns)(const kernels *k, int64_t t, int r, const real *x, const real *gain,
                          real *y);
    // dshift [r] += scale * sum over t of p * q, where gain > 0
    void (*column_dot)(const kernels *k, int64_t t, int r, const real *p, const real *q,
                       const real *gain, real scale, real *dshift);

    /* ---- embedding ---- */
    // y [t, c] = table [ids[t], c]
    void (*embedding_forward)(const kernels *k, int64_t t, int c, const int32_t *ids,
                              const real *table, real *y);
    // dtable [ids[t], c] += dy [t, c], in the order of t
    void (*embedding_backward)(const kernels *k, int64_t t, int c, const int32_t *ids,
                               const real *dy, real *dtable);

    /* y [t, c] += factor * rows [j, c] where ids [t] is chosen [j]; chosen [n] has no number twice.
     */
    void (*chosen_rows_forward)(const kernels *k, struct chosen_shape s, const int32_t *ids,
                                const int32_t *chosen, const real *rows, real *y);
    // drows [j, c] += factor * the sum of dy [t, c] where ids [t] is chosen [j], in the order of t
    void (*chosen_rows_backward)(const kernels *k, struct chosen_shape s, const int32_t *ids,
                                 const int32_t *chosen, const real *dy, real *drows);

    /* ---- loss and optimiser ---- */
    /* loss [n] = mean over count of (x - target)^2; weight [n] scales the gradient only:
     * dx += 2 weight (x - target) / count. dx may be NULL. */
    void (*mse)(const kernels *k, int n, int64_t count, const real *x, const real *target,
                const real *weight, real *loss, real *dx);
    // sum [1] = sum of squares, added up in double
    void (*sum_squares)(const kernels *k, int64_t count, const real *x, double *sum);
    void (*adamw)(const kernels *k, int64_t count, struct adamw_step step, const real *gradient,
                  real *value, real *m, real *v);
};

/* Plain C, single-threaded, the specification of every entry. Owned by the caller. */
kernels *kernels_reference(void);

/* The CPU's fast table. threads: 0 = all that this process may use. KERNELS_BF16 is refused with a
 * sentence where the CPU has no bfloat16 instructions (asked at run time); auto-selection is
 * kernels_cpu_has_bf16. Owned by the caller. */
kernels *kernels_cpu(int threads, enum kernels_precision precision, GError **error);
bool kernels_cpu_has_bf16(void);

/* Computes nothing: memory is only counted, so that true code runs and tells what it would need.
 * like: the table whose threads, precision and own memory it has. Pointers that the counting table
 * gives must not be read. */
kernels *kernels_count(const kernels *like);

/* Floating-point operations of the products that a counting table was asked for since it was made.
 * Only for tables of kernels_count. */
double kernels_counted_operations(const kernels *k);

/* The most bytes that were allocated at a time since the table was made or reset, which begins anew
 * with what is allocated then. Works for every table. */
size_t kernels_peak_bytes(const kernels *k);
void kernels_reset_peak(kernels *k);

void kernels_destroy(kernels *k); // accepts NULL
G_DEFINE_AUTOPTR_CLEANUP_FUNC(kernels, kernels_destroy)
