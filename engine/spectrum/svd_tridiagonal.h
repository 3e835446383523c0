/* svd_tridiagonal.h: the eigenvectors of a symmetric tridiagonal matrix whose eigenvalues lie apart,
 * in a time of r^2. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct svd_tridiagonal {
    int r;
    const double *diagonal; // [r]
    const double *beside;   // [r - 1]
    double *lambda;         // [r]: receives the values, ascending
    double *rows;           // [r, r]: receives the vectors in their order, orthonormal within 1e-8
    double *work;           // [svd_tridiagonal_doubles(r)]
};

size_t svd_tridiagonal_doubles(int r);

/* False: some values are too close to each other for this method, or did not converge. */
bool svd_tridiagonal_solve(const struct svd_tridiagonal *t);
