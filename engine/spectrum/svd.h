/* svd.h: the thin singular value decomposition of one matrix, W = U diag(s) Vt.
 *
 *   W [m, n], U [m, r], s [r] descending, Vt [r, n], r = min(m, n), all row-major floats
 *
 * U diag(s) Vt gives W back within 1e-6 (Frobenius norm of the difference over that of W), and the
 * columns of U and the rows of Vt are orthonormal within 1e-5 (largest entry of UtU - I), also
 * those of the smallest singular values and of zeros. The entry of largest magnitude in each column
 * of U is positive, so that the signs are settled.
 *
 * What the host does runs on the calling thread alone: an eigenproblem hardly gains from threads, so those
 * who have many matrices decompose several at once, each with a work of its own. The result then
 * does not depend on the number of threads. */
#pragma once

#include "kernels/kernels.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Memory that is used again from matrix to matrix; for one thread at a time, the one that made it. k: the device that
 * finds eigenvectors where it can, borrowed; NULL, or a table without that: the host does. */
struct svd_work;
struct svd_work *svd_work_create(const kernels *k);
void svd_work_free(struct svd_work *work); // NULL is allowed
typedef struct svd_work svd_work;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(svd_work, svd_work_free)

/* How many threads should decompose matrices at a time: `given`, 0 for all processors, but beside a device that
 * does the work no more than keep it busy. */
int svd_threads(const kernels *k, int given);

/* Called some times during a decomposition, with the part of it that is done, 0 to 1. False stops
 * it. */
typedef bool (*svd_progress)(void *user, double done);
void svd_work_set_progress(struct svd_work *work, svd_progress progress, void *user);

// bytes of memory that svd_thin takes besides its arguments, on the usual path
size_t svd_work_bytes(int m, int n);

/* Decomposes w [m, n], m and n at least 1, into u [m, r], s [r], vt [r, n]; the caller owns all of
 * them. False with a sentence when a value is infinite or NaN, when there is no memory, or
 * (SVDIFF_ERROR_CANCELLED) when progress said so.
 *
 * Method: the eigenproblem of the Gram matrix of the shorter side in double (svd_eigen.h) gives one
 * factor, a product with W the other. Its error in the orthonormality of that factor is about 1e-16
 * times the square of the condition, so beyond a condition of 1e5, and whenever a probe of the
 * result fails, LAPACK's dgesdd decomposes the matrix itself in double. The Gram matrix of a long
 * side four times the short one is summed from products in float where the smallest singular value
 * is no less than a third of their root mean square, about; where that fails the probe, it is made
 * again in double. A device makes the Gram matrix, its eigenvectors and the product, all in double; what it cannot, or
 * what fails the probe, the host does as if there were none. */
bool svd_thin(int m, int n, const float *w, float *u, float *s, float *vt, struct svd_work *work,
              GError **error);
