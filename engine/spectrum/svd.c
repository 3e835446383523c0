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
#include "engine/base/machine.h"
#include "engine/spectrum/svd_direct.h"
#include "engine/spectrum/svd_eigen.h"
#include "engine/spectrum/svd_gram.h"
#include "engine/spectrum/svd_probe.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <string.h>

// s[0] / s[r - 1] up to which the Gram matrix is accurate enough
#define LARGEST_CONDITION 1e5
// root mean square of s over s[i], up to which the second factor is computed in float
#define EASY_CONDITION 8
// rows or columns of W that are turned into double at a time
#define PANEL 1024
// the same in float, where sums within them are float as well
#define FLOAT_PANEL 512
// shorter side from which products in float pay, and longer side over it from which W may be even
// enough for them
#define FLOAT_SHORTER 512
#define FLOAT_ASPECT  4
// and the mean of s^2 over the smallest one, up to which it is
#define EVEN 10
// threads beside a device: one waits for it while others check, settle signs and copy
#define DEVICE_THREADS 4
// rows that are transposed at a time
#define TILE 16

enum place {
    PLACE_GRAM,  // double [r, r]: the Gram matrix, then float [r, r]: T, then T / s
    PLACE_ROWS,  // float [r, r]: a panel's part of it; double [r, r]: T, its rows ascending
    PLACE_EIGEN, // what svd_gram_even and svd_eigen_solve work in
    PLACE_PANEL, // double [r, PANEL]: a panel of W
    PLACE_PART,  // double [r, PANEL]: the difficult rows of a panel of the second factor
    PLACE_SMALL, // double [r]: eigenvalues ascending; float [r]: peaks of the columns of U
    PLACES,
};

struct svd_work {
    void *memory[PLACES];
    size_t bytes[PLACES];
    const struct kernels_spectra *device; // NULL: none
    void *worker;                         // the device's
    svd_progress progress;
    void *user;
    double told; // the part that is done, as it was told last
};

// one decomposition
struct svd {
    struct svd_input in;
    float *u, *s, *vt;
    struct svd_work *work;
    double *gram, *rows, *lambda, *panel;
    GError **error;
};

struct svd_work *svd_work_create(const kernels *k)
{
    struct svd_work *work = g_new0(struct svd_work, 1);

    work->worker = k != NULL && k->spectra != NULL ? k->spectra->create(k) : NULL;
    work->device = work->worker != NULL ? k->spectra : NULL;
    return work;
}

int svd_threads(const kernels *k, int given)
{
    const int threads = given > 0 ? given : machine_processors();

    return k != NULL && k->spectra != NULL ? MIN(threads, DEVICE_THREADS) : threads;
}

void svd_work_free(struct svd_work *work)
{
    if (work == NULL) {
        return;
    }
    for (int i = 0; i < PLACES; i++) {
        g_free(work->memory[i]);
    }
    if (work->device != NULL) {
        work->device->destroy(work->worker);
    }
    g_free(work);
}

void svd_work_set_progress(struct svd_work *work, svd_progress progress, void *user)
{
    work->progress = progress;
    work->user = user;
}

/* ---- memory and progress ---- */

static void list_bytes(int m, int n, size_t bytes[PLACES])
{
    const size_t r = (size_t)MIN(m, n), panel = (size_t)MIN(PANEL, MAX(m, n));

    bytes[PLACE_GRAM] = bytes[PLACE_ROWS] = r * r * sizeof(double);
    bytes[PLACE_EIGEN] = svd_eigen_work_bytes((int)r);
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
    struct svd_work *work = d->work;

    // what has to be done again makes nothing less of what was told
    work->told = MAX(work->told, done);
    if (work->progress == NULL || work->progress(work->user, work->told)) {
        return true;
    }
    g_set_error(d->error, SVDIFF_ERROR, SVDIFF_ERROR_CANCELLED, "cancelled.");
    return false;
}

/* ---- the Gram matrix ---- */

static bool sum_gram(const struct svd *d, bool single)
{
    const int longer = d->in.longer, step = single ? FLOAT_PANEL : PANEL;

    for (int from = 0; from < longer; from += step) {
        const int count = MIN(step, longer - from);
        if (single) {
            svd_gram_add_float(&d->in, from, count, d->work->memory[PLACE_ROWS], d->gram);
        } else {
            svd_gram_add(&d->in, from, count, d->panel, d->gram);
        }
        if (!tell(d, 0.3 * (from + count) / longer)) {
            return false;
        }
    }
    return true;
}

/* *single: in products of float, where these turn out to be enough; whether they are. False:
 * cancelled. */
static bool make_gram(const struct svd *d, bool *single)
{
    if (*single) {
        if (!sum_gram(d, true)) {
            return false;
        }
        *single = svd_gram_even(d->in.r, d->gram, EVEN, d->work->memory[PLACE_EIGEN]);
    }
    return *single || sum_gram(d, false);
}

/* ---- the eigenproblem ---- */

static bool solve_gram(const struct svd *d)
{
    const struct svd_eigen e = {.r = d->in.r,
                                .gram = d->gram,
                                .lambda = d->lambda,
                                .rows = d->rows,
                                .work = d->work->memory[PLACE_EIGEN]};

    return svd_eigen_solve(&e);
}

// row i of T, in descending order
static const double *eigenvector(const struct svd *d, int i)
{
    return d->rows + (size_t)(d->in.r - 1 - i) * d->in.r;
}

/* s = sqrt(lambda), and how many of them make up the easy block. 0 when the condition is too large
 * for this method. */
static int take_values(const struct svd *d)
{
    const double first = sqrt(d->lambda[d->in.r - 1]);
    double square = 0;
    int easy = 0;

    if (!(d->lambda[0] > 0) || first / sqrt(d->lambda[0]) > LARGEST_CONDITION || first > 1e30 ||
        first < 1e-25) {
        return 0;
    }
    for (int i = 0; i < d->in.r; i++) {
        square += d->lambda[i];
    }
    for (int i = 0; i < d->in.r; i++) {
        const double lambda = d->lambda[d->in.r - 1 - i];
        d->s[i] = (float)sqrt(lambda);
        easy += lambda * EASY_CONDITION * EASY_CONDITION * d->in.r >= square;
    }
    return easy;
}

// T in floats, descending: it is Vt, or where wide the transpose of U
static void take_first_factor(const struct svd *d, float *t)
{
    const size_t r = (size_t)d->in.r;

    for (size_t i = 0; i < r; i++) {
        dtype_to_f32(DTYPE_F64, eigenvector(d, (int)i), t + i * r, r);
    }
    if (!d->in.wide) {
        memcpy(d->vt, t, r * r * sizeof(float));
        return;
    }
    // in tiles, which stay in the cache
    for (size_t from = 0; from < r; from += TILE) {
        const size_t end = MIN(from + TILE, r);
        for (size_t j = 0; j < r; j++) {
            for (size_t i = from; i < end; i++) {
                d->u[j * r + i] = t[i * r + j];
            }
        }
    }
}

/* ---- the second factor ---- */

// the easy rows become T / s
static void scale_easy(const struct svd *d, int easy, float *scaled)
{
    for (int i = 0; i < easy; i++) {
        const double *t = eigenvector(d, i), factor = 1 / sqrt(d->lambda[d->in.r - 1 - i]);
        for (int j = 0; j < d->in.r; j++) {
            scaled[(size_t)i * d->in.r + j] = (float)(factor * t[j]);
        }
    }
}

static void multiply_easy(const struct svd *d, const float *scaled, int easy, int from, int count)
{
    if (d->in.wide) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, easy, count, d->in.m, 1, scaled,
                    d->in.r, d->in.w + from, d->in.n, 0, d->vt + from, d->in.n);
    } else {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, easy, d->in.n, 1,
                    d->in.w + (size_t)from * d->in.n, d->in.n, scaled, d->in.r, 0,
                    d->u + (size_t)from * d->in.r, d->in.r);
    }
}

/* The rest lies at the head of `rows`, in ascending order; row b of it belongs to i = r - 1 - b. */
static void multiply_difficult(const struct svd *d, int easy, int from, int count)
{
    const int rest = d->in.r - easy;
    double *part = d->work->memory[PLACE_PART];

    svd_panel_load(&d->in, from, count, d->panel);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, d->in.wide ? CblasNoTrans : CblasTrans, rest, count,
                d->in.r, 1, d->rows, d->in.r, d->panel, d->in.wide ? count : d->in.n, 0, part,
                count);
    for (int b = 0; b < rest; b++) {
        const int i = d->in.r - 1 - b;
        const double factor = 1 / sqrt(d->lambda[b]);
        float *target =
            d->in.wide ? d->vt + (size_t)i * d->in.n + from : d->u + (size_t)from * d->in.r + i;
        const size_t step = d->in.wide ? 1 : (size_t)d->in.r;
        for (int j = 0; j < count; j++) {
            target[j * step] = (float)(part[(size_t)b * count + j] * factor);
        }
    }
}

// scaled: T / s, the easy rows
static bool make_second_factor(const struct svd *d, const float *scaled, int easy)
{
    for (int from = 0; from < d->in.longer; from += PANEL) {
        const int count = MIN(PANEL, d->in.longer - from);
        multiply_easy(d, scaled, easy, from, count);
        if (easy < d->in.r) {
            multiply_difficult(d, easy, from, count);
        }
        if (!tell(d, 0.6 + 0.4 * (from + count) / d->in.longer)) {
            return false;
        }
    }
    return true;
}

/* ---- signs ---- */

static void settle_signs(const struct svd *d)
{
    float *peak = (float *)((double *)d->work->memory[PLACE_SMALL] + d->in.r);

    memset(peak, 0, (size_t)d->in.r * sizeof(*peak));
    for (int i = 0; i < d->in.m; i++) {
        const float *row = d->u + (size_t)i * d->in.r;
        for (int j = 0; j < d->in.r; j++) {
            peak[j] = fabsf(row[j]) > fabsf(peak[j]) ? row[j] : peak[j];
        }
    }
    for (int j = 0; j < d->in.r; j++) {
        peak[j] = peak[j] < 0 ? -1 : 1;
    }
    for (int i = 0; i < d->in.m; i++) {
        float *row = d->u + (size_t)i * d->in.r;
        for (int j = 0; j < d->in.r; j++) {
            row[j] *= peak[j];
        }
    }
    for (int j = 0; j < d->in.r; j++) {
        for (int i = 0; i < d->in.n && peak[j] < 0; i++) {
            d->vt[(size_t)j * d->in.n + i] *= -1;
        }
    }
}

/* ---- the decomposition ---- */

/* The fast way. *single: whether products of float may make the Gram matrix, and whether they did.
 * *accurate: whether it was good enough. False: cancelled. */
static bool decompose_gram(const struct svd *d, bool *single, bool *accurate)
{
    *accurate = false;
    if (!make_gram(d, single)) {
        return false;
    }
    if (!solve_gram(d)) {
        return true;
    }
    const int easy = take_values(d);
    if (easy == 0) {
        return true;
    }
    // of the Gram matrix nothing is left
    float *t = d->work->memory[PLACE_GRAM];
    take_first_factor(d, t);
    scale_easy(d, easy, t);
    if (!tell(d, 0.6) || !make_second_factor(d, t, easy)) {
        return false;
    }
    *accurate = svd_probe(d->in.m, d->in.n, d->in.w, d->u, d->s, d->vt);
    return true;
}

/* The same on a device, which keeps the vectors until it is known what they are divided by. */
static bool decompose_on_device(const struct svd *d, bool *accurate)
{
    const struct svd_work *work = d->work;
    double *inverse = d->rows;

    *accurate = false;
    if (!work->device->solve(work->worker, d->in.m, d->in.n, d->in.w, d->lambda) ||
        take_values(d) == 0) {
        return true;
    }
    for (int i = 0; i < d->in.r; i++) {
        inverse[i] = 1 / sqrt(d->lambda[d->in.r - 1 - i]);
    }
    if (!tell(d, 0.6)) {
        return false;
    }
    *accurate = work->device->factors(work->worker, inverse, d->u, d->vt) &&
                svd_probe(d->in.m, d->in.n, d->in.w, d->u, d->s, d->vt);
    return tell(d, *accurate ? 1 : 0.6);
}

static bool decompose_on_host(const struct svd *d, bool *accurate)
{
    bool single = d->in.r >= FLOAT_SHORTER && d->in.longer >= FLOAT_ASPECT * d->in.r;

    if (!decompose_gram(d, &single, accurate)) {
        return false;
    }
    // what float could not do
    if (!*accurate && single) {
        single = false;
        return decompose_gram(d, &single, accurate);
    }
    return true;
}

static bool decompose(const struct svd *d)
{
    bool accurate = false;

    if (d->work->device != NULL && !decompose_on_device(d, &accurate)) {
        return false;
    }
    if (!accurate && !decompose_on_host(d, &accurate)) {
        return false;
    }
    if (!accurate && !svd_direct(d->in.m, d->in.n, d->in.w, d->u, d->s, d->vt, d->error)) {
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
    work->told = 0;
    const struct svd d = {.in = svd_input(m, n, w),
                          .u = u,
                          .s = s,
                          .vt = vt,
                          .work = work,
                          .gram = work->memory[PLACE_GRAM],
                          .rows = work->memory[PLACE_ROWS],
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
