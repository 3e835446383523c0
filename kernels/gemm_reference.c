/* gemm_reference.c: C [m, n] = A [m, k] B [k, n], either input stored transposed, C added to where
 * asked; and values of one type as those of another. */
#include "kernels/cell.h"
#include "kernels/reference.h"

static void gemm(const kernels *k, struct gemm_shape s, const real *a, const real *b, real *c)
{
    // steps from one row or column of A and B to the next
    const int64_t a_row = s.transpose_a ? 1 : s.k, a_column = s.transpose_a ? s.m : 1;
    const int64_t b_row = s.transpose_b ? 1 : s.n, b_column = s.transpose_b ? s.k : 1;

    for (int64_t i = 0; i < s.m; i++) {
        for (int64_t j = 0; j < s.n; j++) {
            double sum = 0;

            for (int64_t p = 0; p < s.k; p++) {
                sum += (double)a[i * a_row + p * a_column] * (double)b[p * b_row + j * b_column];
            }
            c[i * s.n + j] = (real)((s.accumulate ? (double)c[i * s.n + j] : 0) + sum);
        }
    }
}

static void convert(const kernels *k, int64_t count, enum kernels_type from, const void *x,
                    enum kernels_type to, void *y)
{
    for (int64_t i = 0; i < count; i++) {
        cell_convert(from, x, to, y, i);
    }
}

void reference_fill_gemm(kernels *k)
{
    k->gemm = gemm;
    k->convert = convert;
}
