/* Eigenvectors of a symmetric matrix; see svd_eigen.h.
 *
 * LAPACK's dsytrd gives G = Q B Qt with B tridiagonal and Q = H1 H2 ..., Hi = I - tau v vt. With
 * B = Zt diag(lambda) Z, by svd_tridiagonal.h or where values lie close by dstedc, T = Z Qt. LAPACK
 * would turn Z by a few reflections at a time, in products too narrow to be fast. Here it is BLOCK
 * of them, V, which together are
 *
 *   H1 H2 ... = I - V M^-1 Vt,   M = the upper triangle of Vt V, its diagonal halved
 *
 * (Puglisi 1992). */
#include "engine/spectrum/svd_eigen.h"

#include "engine/spectrum/svd_tridiagonal.h"

#include <cblas.h>
#include <glib.h>
#include <lapacke.h>
#include <string.h>

// reflections that are applied together
#define BLOCK 96

/* ---- memory ---- */

// doubles and integers that dstedc works in
static size_t stedc_doubles(int r)
{
    return 1 + 4 * (size_t)r + (size_t)r * r;
}

static size_t stedc_integers(int r)
{
    return 3 + 5 * (size_t)r;
}

// doubles that turning by one block works in, see struct block
static size_t block_doubles(int r)
{
    const size_t n = MIN(BLOCK, (size_t)r);

    return 3 * n * (size_t)r + n * n;
}

size_t svd_eigen_work_bytes(int r)
{
    // tau and both diagonals
    const size_t shared = 3 * (size_t)r * sizeof(double);
    const size_t stedc = stedc_doubles(r) * sizeof(double) + stedc_integers(r) * sizeof(lapack_int);
    const size_t others = MAX(svd_tridiagonal_doubles(r), block_doubles(r)) * sizeof(double);

    return shared + MAX(stedc, others);
}

/* ---- turning the vectors of B into those of G ---- */

/* The reflections from `first` on, without the columns in which all of them are 0: length = r -
 * first - 1 are left. */
struct block {
    int first, count, length;
    double *v, *w; // [count, length]: V, and M^-1 V
    double *m;     // [count, count]
    double *part;  // [r, count]
};

static struct block place_block(int r, int first, int count, double *memory)
{
    struct block b = {.first = first, .count = count, .length = r - first - 1, .v = memory};

    b.w = b.v + (size_t)count * r;
    b.part = b.w + (size_t)count * r;
    b.m = b.part + (size_t)count * r;
    return b;
}

/* Row i of V is 0 before column i and 1 there. A reflection that does nothing, whose tau is 0, is a
 * row of zeros. */
static void load_v(const struct svd_eigen *e, const double *tau, const struct block *b)
{
    const size_t length = (size_t)b->length, r = (size_t)e->r;

    memset(b->v, 0, (size_t)b->count * length * sizeof *b->v);
    for (size_t i = 0; i < (size_t)b->count; i++) {
        const size_t at = (size_t)b->first + i;
        double *v = b->v + i * length + i;
        if (tau[at] != 0) {
            v[0] = 1;
            memcpy(v + 1, e->gram + at * r + at + 2, (length - i - 1) * sizeof *v);
        }
    }
}

static void make_w(const struct block *b)
{
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, b->count, b->length, 1, b->v, b->length, 0,
                b->m, b->count);
    for (int i = 0; i < b->count; i++) {
        double *diagonal = b->m + (size_t)i * b->count + i;
        // any number will do where v is 0
        *diagonal = *diagonal > 0 ? *diagonal / 2 : 1;
    }
    memcpy(b->w, b->v, (size_t)b->count * b->length * sizeof *b->w);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, b->count,
                b->length, 1, b->m, b->count, b->w, b->length);
}

// rows becomes rows (I - V M^-1 Vt)t
static void turn_by(const struct svd_eigen *e, const struct block *b)
{
    double *right = e->rows + b->first + 1;

    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, e->r, b->count, b->length, 1, right, e->r,
                b->w, b->length, 0, b->part, b->count);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, e->r, b->length, b->count, -1, b->part,
                b->count, b->v, b->length, 1, right, e->r);
}

static void turn(const struct svd_eigen *e, const double *tau, double *memory)
{
    // Z Qt: the last reflection first
    for (int end = e->r - 1; end > 0;) {
        const int first = (end - 1) / BLOCK * BLOCK;
        const struct block b = place_block(e->r, first, end - first, memory);
        load_v(e, tau, &b);
        make_w(&b);
        turn_by(e, &b);
        end = first;
    }
}

/* ---- all ---- */

/* Row-major upper is LAPACK's lower, whose columns are our rows. */
bool svd_eigen_solve(const struct svd_eigen *e)
{
    const int r = e->r;
    double *tau = e->work, *diagonal = tau + r, *beside = diagonal + r, *real = beside + r;
    const size_t n_real = stedc_doubles(r);
    lapack_int *integer = (lapack_int *)(real + n_real);
    const struct svd_tridiagonal apart = {.r = r,
                                          .diagonal = diagonal,
                                          .beside = beside,
                                          .lambda = e->lambda,
                                          .rows = e->rows,
                                          .work = real};

    if (LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'L', r, e->gram, r, diagonal, beside, tau, real,
                            (lapack_int)n_real) != 0) {
        return false;
    }
    if (!svd_tridiagonal_solve(&apart)) {
        memcpy(e->lambda, diagonal, (size_t)r * sizeof *diagonal);
        if (LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', r, e->lambda, beside, e->rows, r, real,
                                (lapack_int)n_real, integer, (lapack_int)stedc_integers(r)) != 0) {
            return false;
        }
    }
    turn(e, tau, real);
    return true;
}
