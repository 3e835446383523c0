/* weight.h: one weight of a network, and how it is trained.
 *
 * Networks hold weights and call ops with them; they never hear of a method. A weight W [out, in],
 * of a convolution [out, kh, kw, in], is in one of four forms:
 *
 *   frozen    y = W x + b
 *   spectral  y = U (g * (Vt x)) + b, g = relu(sigma + shift), SVDiff eq. 2 in factored form: W is
 *             never rebuilt. shift [r] learns; no gradient of W exists.
 *   full      y = W x + b, W learns, and b where it is asked for
 *   low-rank  y = W x + b + B (s A x), A [r, in] and B [out, r] learn (LoRA); s is alpha / r
 *
 * A norm's gain [c] is a weight too: spectral means gain + shift element by element (the author's
 * form, shift [c]), or gain * relu(|gain| + shift) / |gain| with one shift (svdiff-pytorch's).
 * An embedding table is [vocabulary, width]; spectral rows are (U[id] * g) Vt. In any form a few
 * rows of it may learn as vectors of their own: row i is then that of the form plus row_scale *
 * row [i], which begins at zero as a shift does. */
#pragma once

#include "engine/tape/parameters.h"
#include "engine/tape/tape.h"

enum weight_kind { WEIGHT_LINEAR, WEIGHT_CONV, WEIGHT_EMBEDDING, WEIGHT_NORM };
enum weight_form { WEIGHT_FROZEN, WEIGHT_SPECTRAL, WEIGHT_FULL, WEIGHT_LOW_RANK };

struct weight {
    char *name; // diffusers' or transformers' module path
    enum weight_kind kind;
    enum weight_form form;
    int out, in, kh, kw; // norm: out = c, in = 1; embedding: out = vocabulary, in = width
    real *bias;          // [out] or NULL

    /* frozen, full, low-rank: W. Norm: the gain in use. NULL data in a spectral matrix. */
    struct kernels_weight dense;

    /* full: W and its gradient, the bias and its own (dbias NULL: it does not learn); both as they
     * were read; and W in the type that is multiplied. */
    real *value, *dvalue, *bias_value, *dbias;
    struct kernels_weight base, used;
    real *bias_base;
    bool first_stays; // no gradient reaches what the first token of each text becomes

    // spectral: r values each; norms use sigma as the gain's direction (or the gain itself)
    int rank;
    struct kernels_weight u, vt;
    real *sigma, *gain;
    real *shift, *dshift;
    int moves;   // of the shifts those that learn, the first, of the largest values; 0: all
    bool scalar; // norm with a single shift

    // embedding: rows that learn, by their numbers in the table; 0 rows: none
    int rows;
    int32_t *row_ids; // [rows] on the device
    real *row, *drow; // [rows, in]
    real row_scale;

    // low-rank
    real *down, *ddown, *up, *dup;            // A [r, in ...], B [out, r]
    struct kernels_weight down_used, up_used; // they in the type that is multiplied
    double strength;                          // s
    real factor;                              // s times how much acts; 0: nothing is added
};

// values in W
int64_t weight_count(const struct weight *w);
// columns of W as a matrix: kh * kw * in
int64_t weight_columns(const struct weight *w);
/* Rows of W in PyTorch's order of columns, [in, kh, kw], become the engine's, [kh, kw, in], in
 * place. */
void weight_to_engine_order(const struct weight *w, float *values, int64_t rows);
// min(out, columns)
int weight_full_rank(const struct weight *w);

/* Values that learn, as SVDiff counts them: r, or for a norm c (element-wise) or 1 (scalar). */
int64_t weight_shift_count(const struct weight *w, bool scalar);

/* After what learns changed: gains with the shifts (and an embedding's rows, and B A) times scale.
 * Device memory is already there. */
void weight_refresh(struct weight *w, const kernels *k, real scale);

bool weight_learns(const struct weight *w);

/* Where the way back adds the gradient of a matrix' shift, and what then makes it the gradient: of the
 * values that do not learn it is lost. */
real *weight_shift_gradient(struct tape *t, const struct weight *w);
void weight_shift_take(struct tape *t, const struct weight *w, const real *gradient);

/* dbias += the sum of dy [rows, out] over the rows, where the bias learns. */
void weight_bias_backward(struct tape *t, const struct weight *w, int64_t rows, const cell *dy);
