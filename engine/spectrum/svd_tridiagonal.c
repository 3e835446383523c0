/* Eigenvectors of a tridiagonal matrix, each by itself; see svd_tridiagonal.h.
 *
 * With a the diagonal, b beside it and l a value (of LAPACK's dsterf), B - l is factored from above
 * and from below,
 *
 *   d[0] = a[0] - l           d[i + 1] = a[i + 1] - l - b[i]^2 / d[i]
 *   u[r - 1] = a[r - 1] - l   u[i] = a[i] - l - b[i]^2 / u[i + 1]
 *
 * and both meet at the k where g = d[k] + u[k] - (a[k] - l) is smallest: there the vector is largest
 * (Fernando 1997). Up to its length it is
 *
 *   z[k] = 1,   z[i] = -b[i] / d[i] z[i + 1] above,   z[i + 1] = -b[i] / u[i + 1] z[i] below,
 *
 * with (B - l) z = g at k and 0 elsewhere. So it is off by |g| / |z| over the distance to the next
 * value, which is a few 1e-16 of the largest value over that distance. LANES vectors are computed
 * side by side. */
#include "engine/spectrum/svd_tridiagonal.h"

#include "kernels/clones.h"

#include <float.h>
#include <glib.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#define LANES 16
// how far off a vector may be
#define OFF 1e-8

// LANES values, vector by vector beside each other
struct lanes {
    double l[LANES];     // the values
    double least[LANES]; // |g|
    double at[LANES];    // k
    double *d, *above;   // [r, LANES]: d, and -b[i] / d[i]
    double *below;       // [r, LANES]: -b[i] / u[i + 1]
};

size_t svd_tridiagonal_doubles(int r)
{
    return 3 * (size_t)r * LANES + (size_t)r;
}

// what is divided by: not 0
static inline double pivot(double x, double smallest)
{
    return fabs(x) < smallest ? -smallest : x;
}

CPU_CLONES static void factor_from_above(const struct svd_tridiagonal *t, struct lanes *x,
                                         double smallest)
{
    double d[LANES];

    for (int k = 0; k < LANES; k++) {
        d[k] = pivot(t->diagonal[0] - x->l[k], smallest);
        x->d[k] = d[k];
    }
    for (int i = 0; i + 1 < t->r; i++) {
        const double a = t->diagonal[i + 1], b = t->beside[i];
        double *above = x->above + (size_t)i * LANES, *kept = x->d + (size_t)(i + 1) * LANES;
        for (int k = 0; k < LANES; k++) {
            above[k] = -b / d[k];
            d[k] = pivot(a - x->l[k] + b * above[k], smallest);
            kept[k] = d[k];
        }
    }
}

CPU_CLONES static void factor_from_below(const struct svd_tridiagonal *t, struct lanes *x,
                                         double smallest)
{
    const int last = t->r - 1;
    double u[LANES];

    for (int k = 0; k < LANES; k++) {
        u[k] = pivot(t->diagonal[last] - x->l[k], smallest);
        // at the end both meet in d alone
        x->least[k] = fabs(x->d[(size_t)last * LANES + k]);
        x->at[k] = last;
    }
    for (int i = last - 1; i >= 0; i--) {
        const double a = t->diagonal[i], b = t->beside[i];
        const double *d = x->d + (size_t)i * LANES;
        double *below = x->below + (size_t)i * LANES;
        for (int k = 0; k < LANES; k++) {
            below[k] = -b / u[k];
            const double g = fabs(d[k] + b * below[k]);
            u[k] = pivot(a - x->l[k] + b * below[k], smallest);
            x->at[k] = g < x->least[k] ? i : x->at[k];
            x->least[k] = g < x->least[k] ? g : x->least[k];
        }
    }
}

// the vector of a lane to z [r], |z| = 1; returns what (B - l) z is
static double take_vector(const struct svd_tridiagonal *t, const struct lanes *x, int lane,
                          double *z)
{
    const int at = (int)x->at[lane];
    double square = 1;

    z[at] = 1;
    for (int i = at - 1; i >= 0; i--) {
        z[i] = x->above[(size_t)i * LANES + lane] * z[i + 1];
        square += z[i] * z[i];
    }
    for (int i = at; i + 1 < t->r; i++) {
        z[i + 1] = x->below[(size_t)i * LANES + lane] * z[i];
        square += z[i + 1] * z[i + 1];
    }
    const double factor = 1 / sqrt(square);
    for (int i = 0; i < t->r; i++) {
        z[i] *= factor;
    }
    return x->least[lane] * factor;
}

// the distance of a value from the next one
static double distance(const struct svd_tridiagonal *t, int i)
{
    const double before = i > 0 ? t->lambda[i] - t->lambda[i - 1] : INFINITY;
    const double after = i + 1 < t->r ? t->lambda[i + 1] - t->lambda[i] : INFINITY;

    return MIN(before, after);
}

// the vectors of the values from `first` on; false: one of them is too far off
static bool make_vectors(const struct svd_tridiagonal *t, int first, double largest)
{
    const size_t values = (size_t)t->r * LANES;
    const int count = MIN(LANES, t->r - first);
    struct lanes x = {.d = t->work, .above = t->work + values, .below = t->work + 2 * values};

    for (int k = 0; k < LANES; k++) {
        // lanes that are too many do the last one's work again
        x.l[k] = t->lambda[first + MIN(k, count - 1)];
    }
    factor_from_above(t, &x, DBL_EPSILON * DBL_EPSILON * largest);
    factor_from_below(t, &x, DBL_EPSILON * DBL_EPSILON * largest);
    for (int k = 0; k < count; k++) {
        const int i = first + k;
        const double off = take_vector(t, &x, k, t->rows + (size_t)i * t->r);
        const double most = OFF * distance(t, i);
        // rounding errors, where off happens to be 0; not a number is too far
        if (!(off < most) || !(DBL_EPSILON * largest < most)) {
            return false;
        }
    }
    return true;
}

bool svd_tridiagonal_solve(const struct svd_tridiagonal *t)
{
    const size_t r = (size_t)t->r;
    double *beside = t->work;

    memcpy(t->lambda, t->diagonal, r * sizeof *t->lambda);
    memcpy(beside, t->beside, (r - 1) * sizeof *beside);
    if (LAPACKE_dsterf_work(t->r, t->lambda, beside) != 0) {
        return false;
    }
    const double largest = MAX(fabs(t->lambda[0]), fabs(t->lambda[r - 1]));
    for (int first = 0; first < t->r; first += LANES) {
        if (!make_vectors(t, first, largest)) {
            return false;
        }
    }
    return true;
}
