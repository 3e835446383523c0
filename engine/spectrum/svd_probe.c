/* Checking a decomposition with random vectors; see svd_probe.h.
 *
 * For z with entries +1 and -1 drawn at random, the expectation of |(A z)_i|^2 is the squared norm
 * of row i of A, at least that of its largest entry. So with y = U z and x = V z
 *
 *   Ut y - z and Vt x - z               tell of UtU - I and VtV - I row by row,
 *   Wt y - V S z (W x - U S z, m > n)   of the reconstruction: the factor of the shorter side is
 *                                       square, so that |Wt U - V S| = |W - U S Vt|
 *
 * in a few passes over W and the factors, instead of products of matrices. */
#include "engine/spectrum/svd_probe.h"

#include "kernels/clones.h"

#include <glib.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define VECTORS 4

#define ORTHONORMAL   5e-6 // norm of a row of UtU - I
#define RECONSTRUCTED 5e-7 // |W - U S Vt| / |U S Vt|

// y [rows, VECTORS] = a [rows, columns] x [columns, VECTORS]
CPU_CLONES static void multiply(int rows, int columns, const float *a, const double *x, double *y)
{
    for (int i = 0; i < rows; i++) {
        const float *row = a + (size_t)i * columns;
        double sum[VECTORS] = {0};
        for (int j = 0; j < columns; j++) {
            for (int k = 0; k < VECTORS; k++) {
                sum[k] += row[j] * x[(size_t)j * VECTORS + k];
            }
        }
        for (int k = 0; k < VECTORS; k++) {
            y[(size_t)i * VECTORS + k] = sum[k];
        }
    }
}

// y [columns, VECTORS] = transpose of a [rows, columns] times x [rows, VECTORS]
CPU_CLONES static void multiply_transposed(int rows, int columns, const float *a, const double *x,
                                           double *y)
{
    for (size_t i = 0; i < (size_t)columns * VECTORS; i++) {
        y[i] = 0;
    }
    for (int i = 0; i < rows; i++) {
        const float *row = a + (size_t)i * columns;
        const double *value = x + (size_t)i * VECTORS;
        for (int j = 0; j < columns; j++) {
            for (int k = 0; k < VECTORS; k++) {
                y[(size_t)j * VECTORS + k] += row[j] * value[k];
            }
        }
    }
}

// +1 and -1; the same for every matrix (splitmix64)
static void draw_signs(double *z, size_t count)
{
    uint64_t state = 0;

    for (size_t i = 0; i < count; i++) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t x = state;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        z[i] = (x >> 63) != 0 ? -1 : 1;
    }
}

// the largest norm of a row of a - b, both [rows, VECTORS], by the mean over the vectors
static double largest_row(const double *a, const double *b, int rows)
{
    double largest = 0;

    for (int i = 0; i < rows; i++) {
        double square = 0;
        for (int k = 0; k < VECTORS; k++) {
            const double difference = a[(size_t)i * VECTORS + k] - b[(size_t)i * VECTORS + k];
            square += difference * difference;
        }
        if (!(square <= largest)) { // not a number is the largest
            largest = square;
        }
    }
    return sqrt(largest / VECTORS);
}

// |a - b| / |b|, 0 for equal ones
static double relative(const double *a, const double *b, size_t count)
{
    double square = 0, difference = 0;

    for (size_t i = 0; i < count; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        square += b[i] * b[i];
    }
    return difference == 0 ? 0 : sqrt(difference / square);
}

bool svd_probe(int m, int n, const float *w, const float *u, const float *s, const float *vt)
{
    const int r = MIN(m, n), longer = MAX(m, n);
    const size_t few = (size_t)r * VECTORS, many = (size_t)longer * VECTORS;
    g_autofree double *memory = g_try_new(double, 3 * few + 4 * many);
    if (memory == NULL) {
        return false;
    }
    double *z = memory, *sz = z + few, *back = sz + few;
    double *x = back + few, *y = x + many, *product = y + many, *expected = product + many;

    draw_signs(z, few);
    for (size_t i = 0; i < few; i++) {
        sz[i] = s[i / VECTORS] * z[i];
    }
    multiply(m, r, u, z, y);
    multiply_transposed(m, r, u, y, back);
    if (!(largest_row(back, z, r) <= ORTHONORMAL)) {
        return false;
    }
    multiply_transposed(r, n, vt, z, x);
    multiply(r, n, vt, x, back);
    if (!(largest_row(back, z, r) <= ORTHONORMAL)) {
        return false;
    }
    if (m <= n) {
        multiply_transposed(m, n, w, y, product);
        multiply_transposed(r, n, vt, sz, expected);
    } else {
        multiply(m, n, w, x, product);
        multiply(m, r, u, sz, expected);
    }
    return relative(product, expected, many) <= RECONSTRUCTED;
}
