/* The Gram matrix; see svd_gram.h.
 *
 *   m <= n   G = W Wt = sum over panels of columns P   P Pt
 *   m >  n   G = Wt W = sum over panels of rows P      Pt P */
#include "engine/spectrum/svd_gram.h"

#include "engine/base/dtype.h"

#include <cblas.h>
#include <glib.h>
#include <lapacke.h>

// rounds of the inverse iteration: the smallest eigenvalue is found within some tenths
#define ROUNDS 4

// mean diagonals at which float holds the squares in them with all their digits, and the sums
#define SMALLEST 1e-20
#define LARGEST  1e30

struct svd_input svd_input(int m, int n, const float *w)
{
    return (struct svd_input){
        .w = w, .m = m, .n = n, .r = MIN(m, n), .wide = m <= n, .longer = MAX(m, n)};
}

// where a panel begins
static const float *panel_at(const struct svd_input *in, int from)
{
    return in->w + (in->wide ? (size_t)from : (size_t)from * in->n);
}

void svd_panel_load(const struct svd_input *in, int from, int count, double *panel)
{
    const int rows = in->wide ? in->m : count, columns = in->wide ? count : in->n;
    const float *w = panel_at(in, from);

    for (int i = 0; i < rows; i++) {
        dtype_from_f32(DTYPE_F64, w + (size_t)i * in->n, panel + (size_t)i * columns,
                       (size_t)columns);
    }
}

void svd_gram_add(const struct svd_input *in, int from, int count, double *panel, double *gram)
{
    svd_panel_load(in, from, count, panel);
    cblas_dsyrk(CblasRowMajor, CblasUpper, in->wide ? CblasNoTrans : CblasTrans, in->r, count, 1,
                panel, in->wide ? count : in->n, from > 0 ? 1 : 0, gram, in->r);
}

void svd_gram_add_float(const struct svd_input *in, int from, int count, float *part, double *gram)
{
    const size_t r = (size_t)in->r;

    cblas_ssyrk(CblasRowMajor, CblasUpper, in->wide ? CblasNoTrans : CblasTrans, in->r, count, 1,
                panel_at(in, from), in->n, 0, part, in->r);
    for (size_t i = 0; i < r; i++) {
        double *to = gram + i * r;
        for (size_t j = i; j < r; j++) {
            to[j] = part[i * r + j] + (from > 0 ? to[j] : 0);
        }
    }
}

/* x becomes x / |x|; its norm before. */
static double normalise(float *x, int r)
{
    const double norm = cblas_snrm2(r, x, 1);

    cblas_sscal(r, (float)(1 / norm), x, 1);
    return norm;
}

/* G = Lt L by Cholesky; x = G^-1 x by two triangular solutions, over and over, tends to the vector
 * of the smallest eigenvalue, and |x| to its inverse. */
bool svd_gram_even(int r, const double *gram, double most, float *memory)
{
    const size_t count = (size_t)r * (size_t)r;
    float *x = memory + count;
    double trace = 0, inverse = 0;

    for (int i = 0; i < r; i++) {
        const double diagonal = gram[(size_t)i * r + i];
        trace += diagonal;
        // signs that are not those of any pattern in W
        x[i] = (i * 0x9e3779b1u) >> 31 != 0 ? -1 : 1;
    }
    if (!(trace > r * SMALLEST && trace < r * LARGEST)) {
        return false;
    }
    // of size 1, whatever W is
    for (int i = 0; i < r; i++) {
        for (int j = i; j < r; j++) {
            memory[(size_t)i * r + j] = (float)(r / trace * gram[(size_t)i * r + j]);
        }
    }
    // row-major upper is LAPACK's lower; what is not positive definite is far from even
    if (LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'L', r, memory, r) != 0) {
        return false;
    }
    normalise(x, r);
    for (int round = 0; round < ROUNDS; round++) {
        cblas_strsv(CblasRowMajor, CblasUpper, CblasTrans, CblasNonUnit, r, memory, r, x, 1);
        cblas_strsv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, r, memory, r, x, 1);
        inverse = normalise(x, r);
    }
    return inverse <= most;
}
