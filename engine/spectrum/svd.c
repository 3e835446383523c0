/* Thin singular value decomposition; see svd.h.
 *
 * With k the shorter side of W, T the eigenvectors of its Gram matrix as rows and L its eigenvalues
 * in descending order, s = sqrt(L):
 *
 *   m <= n   G = W Wt   Ut = T   Vt = diag(1/s) T W
 *   m >  n   G = Wt W   Vt = T   U  = W Tt diag(1/s)
 *
 * W is taken in panels along its longer side, which are turned into double for the Gram matrix. The
 * products give the rows of Vt (columns of U) in two blocks: the rounding errors of float in T W
 * are about as large in every row, 3e-7 of the root mean square of s, so they are harmless where
 * s[i] is not much smaller than that (block `easy`, in float), and the rest is done in double. */
#include "engine/spectrum/svd.h"

#include "engine/base/dtype.h"
#include "engine/base/error.h"
#include "engine/spectrum/svd_probe.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <string.h>

// s[0] / s[r - 1] up to which the Gram matrix is accurate enough
#define LARGEST_CONDITION 1e5
// root mean square of s over s[i], up to which the second factor is computed in float
#define EASY_CONDITION 8
// rows or columns of W that are turned into double at a time
#define PANEL 1024

enum place {
    PLACE_GRAM,  // double [r, r]: the Gram matrix, then its eigenvectors as ascending rows
    PLACE_EIGEN, // what dsyevd needs, then float [r, r]: T / s
    PLACE_PANEL, // double [r, PANEL]: a panel of W
    PLACE_PART,  // double [r, PANEL]: the difficult rows of a panel of the second factor
    PLACE_SMALL, // double [r]: eigenvalues ascending; float [r]: peaks of the columns of U
    PLACES,
};

struct svd_work {
    void *memory[PLACES];
    size_t bytes[PLACES];
    svd_progress progress;
    void *user;
};

// one decomposition
struct svd {
    int m, n, r;
    bool wide; // m <= n
    int longer;
    const float *w;
    float *u, *s, *vt;
    struct svd_work *work;
    double *gram, *lambda, *panel;
    GError **error;
};

struct svd_work *svd_work_create(void)
{
    return g_new0(struct svd_work, 1);
}

void svd_work_free(struct svd_work *work)
{
    if (work == NULL) {
        return;
    }
    for (int i = 0; i < PLACES; i++) {
        g_free(work->memory[i]);
    }
    g_free(work);
}

void svd_work_set_progress(struct svd_work *work, svd_progress progress, void *user)
{
    work->progress = progress;
    work->user = user;
}

/* ---- memory and progress ---- */

// bytes of dsyevd's work [1 + 6 r + 2 r^2] doubles, [3 + 5 r] integers
static size_t eigen_doubles(int r)
{
    return 1 + 6 * (size_t)r + 2 * (size_t)r * r;
}

static void list_bytes(int m, int n, size_t bytes[PLACES])
{
    const size_t r = (size_t)MIN(m, n), panel = (size_t)MIN(PANEL, MAX(m, n));

    bytes[PLACE_GRAM] = r * r * sizeof(double);
    bytes[PLACE_EIGEN] = eigen_doubles((int)r) * sizeof(double) + (3 + 5 * r) * sizeof(lapack_int);
    bytes[PLACE_PANEL] = bytes[PLACE_PART] = r * panel * sizeof(double);
    bytes[PLACE_SMALL] = r * (sizeof(double) + sizeof(float));
}

size_t svd_work_bytes(int m, int n)
{
    size_t bytes[PLACES], sum = 0;

    list_bytes(m, n, bytes);
    for (int i = 0; i < PLACES; i++) {
        sum += bytes[i];
    }
    return sum;
}

static bool no_memory(GError **error)
{
    return error_failed(
        error, "there is no memory for its singular value decomposition; close other programs.");
}

static bool reserve(struct svd_work *work, int m, int n, GError **error)
{
    size_t bytes[PLACES];

    list_bytes(m, n, bytes);
    for (int i = 0; i < PLACES; i++) {
        // what a larger matrix left is large enough
        if (work->bytes[i] >= bytes[i]) {
            continue;
        }
        g_free(work->memory[i]);
        work->memory[i] = g_try_malloc(bytes[i]);
        work->bytes[i] = work->memory[i] != NULL ? bytes[i] : 0;
        if (work->memory[i] == NULL) {
            return no_memory(error);
        }
    }
    return true;
}

static bool tell(const struct svd *d, double done)
{
    if (d->work->progress == NULL || d->work->progress(d->work->user, done)) {
        return true;
    }
    g_set_error(d->error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "cancelled.");
    return false;
}

/* ---- panels of W ---- */

/* Turns `count` rows (columns where wide) of W from `from` on into double: [count, n], or [m,
 * count] where wide. */
static void load_panel(const struct svd *d, int from, int count)
{
    const int rows = d->wide ? d->m : count, columns = d->wide ? count : d->n;
    const float *w = d->w + (d->wide ? (size_t)from : (size_t)from * d->n);

    for (int i = 0; i < rows; i++) {
        dtype_from_f32(DTYPE_F64, w + (size_t)i * d->n, d->panel + (size_t)i * columns,
                       (size_t)columns);
    }
}

// the lower triangle of G, row-major
static bool make_gram(const struct svd *d)
{
    for (int from = 0; from < d->longer; from += PANEL) {
        const int count = MIN(PANEL, d->longer - from);
        load_panel(d, from, count);
        cblas_dsyrk(CblasRowMajor, CblasLower, d->wide ? CblasNoTrans : CblasTrans, d->r, count, 1,
                    d->panel, d->wide ? count : d->n, from > 0 ? 1 : 0, d->gram, d->r);
        if (!tell(d, 0.3 * (from + count) / d->longer)) {
            return false;
        }
    }
    return true;
}

/* ---- the eigenproblem ---- */

/* G becomes T, its rows in ascending order of lambda. False: did not converge. The lower triangle
 * row-major is the upper one of LAPACK's column-major view, whose columns are our rows. */
static bool solve_gram(const struct svd *d)
{
    double *real = d->work->memory[PLACE_EIGEN];
    const size_t n_real = eigen_doubles(d->r);
    lapack_int *integer = (lapack_int *)(real + n_real);

    return LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', d->r, d->gram, d->r, d->lambda, real,
                               (lapack_int)n_real, integer, 3 + 5 * d->r) == 0;
}

// row i of T, in descending order
static const double *eigenvector(const struct svd *d, int i)
{
    return d->gram + (size_t)(d->r - 1 - i) * d->r;
}

/* s = sqrt(lambda), and how many of them make up the easy block. 0 when the condition is too large
 * for this method. */
static int take_values(const struct svd *d)
{
    const double first = sqrt(d->lambda[d->r - 1]);
    double square = 0;
    int easy = 0;

    if (!(d->lambda[0] > 0) || first / sqrt(d->lambda[0]) > LARGEST_CONDITION || first > 1e30 ||
        first < 1e-25) {
        return 0;
    }
    for (int i = 0; i < d->r; i++) {
        square += d->lambda[i];
    }
    for (int i = 0; i < d->r; i++) {
        const double lambda = d->lambda[d->r - 1 - i];
        d->s[i] = (float)sqrt(lambda);
        easy += lambda * EASY_CONDITION * EASY_CONDITION * d->r >= square;
    }
    return easy;
}

// T to U (transposed) where wide, to Vt otherwise
static void take_first_factor(const struct svd *d)
{
    for (int i = 0; i < d->r; i++) {
        const double *t = eigenvector(d, i);
        float *target = d->wide ? d->u + i : d->vt + (size_t)i * d->r;
        const size_t step = d->wide ? (size_t)d->r : 1;
        for (int j = 0; j < d->r; j++) {
            target[j * step] = (float)t[j];
        }
    }
}

/* ---- the second factor ---- */

// T / s, the easy rows as floats
static float *scale_easy(const struct svd *d, int easy)
{
    float *scaled = d->work->memory[PLACE_EIGEN];

    for (int i = 0; i < easy; i++) {
        const double *t = eigenvector(d, i);
        const double factor = 1 / sqrt(d->lambda[d->r - 1 - i]);
        for (int j = 0; j < d->r; j++) {
            scaled[(size_t)i * d->r + j] = (float)(t[j] * factor);
        }
    }
    return scaled;
}

static void multiply_easy(const struct svd *d, const float *scaled, int easy, int from, int count)
{
    if (d->wide) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, easy, count, d->m, 1, scaled, d->r,
                    d->w + from, d->n, 0, d->vt + from, d->n);
    } else {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, easy, d->n, 1,
                    d->w + (size_t)from * d->n, d->n, scaled, d->r, 0, d->u + (size_t)from * d->r,
                    d->r);
    }
}

/* The rest lies at the head of `gram`, in ascending order; row b of it belongs to i = r - 1 - b. */
static void multiply_difficult(const struct svd *d, int easy, int from, int count)
{
    const int rest = d->r - easy;
    double *part = d->work->memory[PLACE_PART];

    load_panel(d, from, count);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, d->wide ? CblasNoTrans : CblasTrans, rest, count, d->r,
                1, d->gram, d->r, d->panel, d->wide ? count : d->n, 0, part, count);
    for (int b = 0; b < rest; b++) {
        const int i = d->r - 1 - b;
        const double factor = 1 / sqrt(d->lambda[b]);
        float *target = d->wide ? d->vt + (size_t)i * d->n + from : d->u + (size_t)from * d->r + i;
        const size_t step = d->wide ? 1 : (size_t)d->r;
        for (int j = 0; j < count; j++) {
            target[j * step] = (float)(part[(size_t)b * count + j] * factor);
        }
    }
}

static bool make_second_factor(const struct svd *d, int easy)
{
    const float *scaled = scale_easy(d, easy);

    for (int from = 0; from < d->longer; from += PANEL) {
        const int count = MIN(PANEL, d->longer - from);
        multiply_easy(d, scaled, easy, from, count);
        if (easy < d->r) {
            multiply_difficult(d, easy, from, count);
        }
        if (!tell(d, 0.6 + 0.4 * (from + count) / d->longer)) {
            return false;
        }
    }
    return true;
}

/* ---- the whole in double ---- */

/* dgesdd sees the row-major W as its transpose A [n, m]: A = V S Ut, and its column-major V [n, r]
 * and Ut [r, m] are our row-major Vt [r, n] and U [m, r]. */
static bool decompose_directly(const struct svd *d)
{
    const size_t count = (size_t)d->m * d->n, short_side = (size_t)d->r;
    g_autofree double *a = g_try_new(double, count);
    g_autofree double *v = g_try_new(double, short_side * d->n);
    g_autofree double *u = g_try_new(double, short_side * d->m);
    if (a == NULL || v == NULL || u == NULL) {
        return no_memory(d->error);
    }
    dtype_from_f32(DTYPE_F64, d->w, a, count);

    const lapack_int info =
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', d->n, d->m, a, d->n, d->lambda, v, d->n, u, d->r);
    if (info == LAPACK_WORK_MEMORY_ERROR) {
        return no_memory(d->error);
    }
    if (info != 0) {
        return error_failed(
            d->error, "its singular value decomposition did not converge (dgesdd: %d).", (int)info);
    }
    if (d->lambda[0] > FLT_MAX) {
        return error_failed(d->error, "its values are too large to be decomposed.");
    }
    dtype_to_f32(DTYPE_F64, d->lambda, d->s, short_side);
    dtype_to_f32(DTYPE_F64, v, d->vt, short_side * d->n);
    dtype_to_f32(DTYPE_F64, u, d->u, short_side * d->m);
    return true;
}

/* ---- signs ---- */

static void settle_signs(const struct svd *d)
{
    float *peak = (float *)((double *)d->work->memory[PLACE_SMALL] + d->r);

    memset(peak, 0, (size_t)d->r * sizeof(*peak));
    for (int i = 0; i < d->m; i++) {
        const float *row = d->u + (size_t)i * d->r;
        for (int j = 0; j < d->r; j++) {
            peak[j] = fabsf(row[j]) > fabsf(peak[j]) ? row[j] : peak[j];
        }
    }
    for (int j = 0; j < d->r; j++) {
        peak[j] = peak[j] < 0 ? -1 : 1;
    }
    for (int i = 0; i < d->m; i++) {
        float *row = d->u + (size_t)i * d->r;
        for (int j = 0; j < d->r; j++) {
            row[j] *= peak[j];
        }
    }
    for (int j = 0; j < d->r; j++) {
        for (int i = 0; i < d->n && peak[j] < 0; i++) {
            d->vt[(size_t)j * d->n + i] *= -1;
        }
    }
}

/* ---- the decomposition ---- */

// the fast way; *accurate: whether it was good enough. False: cancelled
static bool decompose_gram(const struct svd *d, bool *accurate)
{
    *accurate = false;
    if (!make_gram(d)) {
        return false;
    }
    if (!solve_gram(d)) {
        return true;
    }
    const int easy = take_values(d);
    if (easy == 0) {
        return true;
    }
    take_first_factor(d);
    if (!tell(d, 0.6) || !make_second_factor(d, easy)) {
        return false;
    }
    *accurate = svd_probe(d->m, d->n, d->w, d->u, d->s, d->vt);
    return true;
}

static bool decompose(const struct svd *d)
{
    bool accurate;

    if (!decompose_gram(d, &accurate) || (!accurate && !decompose_directly(d))) {
        return false;
    }
    settle_signs(d);
    return true;
}

bool svd_thin(int m, int n, const float *w, float *u, float *s, float *vt, struct svd_work *work,
              GError **error)
{
    g_assert(m > 0 && n > 0);
    if (!dtype_finite(w, (size_t)m * n)) {
        return error_failed(
            error,
            "it holds values that are infinite or not a number; get a whole copy of the model.");
    }
    if (!reserve(work, m, n, error)) {
        return false;
    }
    const struct svd d = {.m = m,
                          .n = n,
                          .r = MIN(m, n),
                          .wide = m <= n,
                          .longer = MAX(m, n),
                          .w = w,
                          .u = u,
                          .s = s,
                          .vt = vt,
                          .work = work,
                          .gram = work->memory[PLACE_GRAM],
                          .lambda = work->memory[PLACE_SMALL],
                          .panel = work->memory[PLACE_PANEL],
                          .error = error};

    // OpenBLAS follows OpenMP's number of threads of the thread that calls it
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const bool done = decompose(&d);
    omp_set_num_threads(threads);
    return done;
}
