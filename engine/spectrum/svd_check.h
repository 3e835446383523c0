/* svd_check.h: how accurate a decomposition is, measured exactly. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct svd_accuracy {
    double reconstruction; // |W - U diag(s) Vt| / |W|, Frobenius norms; of zeros: |U diag(s) Vt|
    double orthonormality; // largest entry of |UtU - I| and |Vt V - I|
    bool descending;       // s[0] >= s[1] >= ... >= 0
};

// the bounds that svd_thin keeps
#define SVD_RECONSTRUCTION 1e-6
#define SVD_ORTHONORMALITY 1e-5

/* Measures u [m, r], s [r], vt [r, n] against w [m, n], sums in double. Costs about as much as the
 * decomposition. False with a sentence when there is no memory. */
bool svd_check(int m, int n, const float *w, const float *u, const float *s, const float *vt,
               struct svd_accuracy *accuracy, GError **error);

// whether it is within the bounds
bool svd_accuracy_good(const struct svd_accuracy *accuracy);
