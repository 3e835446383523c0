/* bake.h: adapters and subjects written into the weights as they are read, once, so that generating
 * costs what plain Stable Diffusion costs.
 *
 *   W' = W + U diag(relu(sigma + sum of scale_i shift_i) - sigma) Vt        (SVDiff eq. 2, 4, 5)
 *
 * which is U diag(relu(..)) Vt with the constant residual W - U diag(sigma) Vt added back. Gains of
 * norms: gain * relu(|gain| + sum of scale_i shift_i) / |gain| for scalar shifts, then plus the sum
 * of the element-wise ones. Rows of an embedding that learned for themselves are then added. What an
 * adapter adds (adapter_list.h) is added to W before; the singular vectors are those of W, or where a
 * subject was learned on top of adapters, of W with these in it. */
#pragma once

#include "engine/adapter/adapter_list.h"
#include "engine/spectrum/model_spectrum.h"
#include "engine/network/reader.h"
#include "engine/subject/subject_file.h"
#include "engine/subject/subject_part.h"

struct bake_subject {
    struct subject *subject; // borrowed
    double scale;
    const char *file;         // for sentences; may be NULL
    struct subject_part part; // of it that is put into the weights; zeroed: all
};

struct bake;

// whose tensors a source reads
struct bake_component {
    const struct bake *bake;
    enum model_component component;
};

struct bake {
    svdiff *session;                 // whose model W is of
    struct model_spectrum *spectrum; // borrowed; NULL when no matrix has a shift
    const struct bake_subject *subjects;
    int n_subjects;
    const struct adapter_list *adapters;                // NULL: none
    struct bake_component components[MODEL_COMPONENTS]; // for bake_source
};

/* The weights of a component with the subjects in them. b must outlive it. */
struct weight_source bake_source(struct bake *b, enum model_component component);

/* Puts adapters and subjects into the values of a tensor, which are in PyTorch's order. */
bool bake_add(const struct bake *b, const struct model_tensor *t, float *values, GError **error);

/* sum [count] = sum of scale_i shift_i over the subjects' shifts called `name` (MODULE.delta) that
 * have `count` values. False when there is none; sum is then zero. */
bool bake_shift(const struct bake *b, const char *name, int count, double *sum);

/* What rows of the embedding w learned for themselves, added to table [out, in] where that is not
 * NULL. Returns the squared norm of all of it. */
double bake_rows(const struct bake *b, const struct weight *w, float *table);

/* Every shift of the subjects must belong to a weight of the model, with the right number of
 * values. False with SVDIFF_ERROR_FAILED that names the shift. */
bool bake_check(const struct bake_subject *subjects, int n_subjects, const struct checkpoint *model,
                GError **error);
