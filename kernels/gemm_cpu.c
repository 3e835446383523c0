/* gemm_cpu.c: matrix products by oneDNN, rounding to bfloat16 by all threads. */
#include "kernels/clones.h"
#include "kernels/cpu.h"

#include <string.h>

static void gemm(const kernels *k, struct gemm_shape s, const real *a, const real *b, real *c)
{
    if (s.m == 0 || s.n == 0) {
        return;
    }
    if (s.k > 0) {
        cpu_use_threads(k);
        onednn_gemm(s, a, b, c);
    } else if (!s.accumulate) {
        memset(c, 0, (size_t)(s.m * s.n) * sizeof *c); // an empty sum
    }
}

CPU_CLONES static void round_values(int threads, int64_t count, const float *x, uint16_t *y)
{
#pragma omp parallel for simd num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i++) {
        y[i] = bf16_from_float(x[i]);
    }
}

static void to_bf16(const kernels *k, int64_t count, const real *x, uint16_t *y)
{
    round_values(cpu_threads(k, count), count, x, y);
}

void cpu_fill_gemm(kernels *k)
{
    k->gemm = gemm;
    k->to_bf16 = to_bf16;
}
