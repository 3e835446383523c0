/* svd_eigen.h: the eigenvectors of a symmetric matrix G as the rows of T, G = Tt diag(lambda) T. One
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct svd_eigen {
    int r;
    double *gram;   // [r, r]: of G the upper triangle, row-major; nothing of it is left
    double *lambda; // [r]: receives the values, ascending
    double *rows;   // [r, r]: receives T, its rows in the order of lambda
    void *work;     // of svd_eigen_work_bytes(r)
};

size_t svd_eigen_work_bytes(int r);

// false: did not converge
bool svd_eigen_solve(const struct svd_eigen *e);
