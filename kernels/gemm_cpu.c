/* gemm_cpu.c: matrix products by oneDNN, values of one type as those of another by all threads. */
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

CPU_LOOP void convert_loop(enum kernels_type from, enum kernels_type to, struct cpu_share s,
                           const void *x, void *y)
{
#pragma omp simd
    for (int64_t i = s.first; i < s.last; i++) {
        cell_convert(from, x, to, y, i);
    }
}

CPU_LOOP void convert_from(enum kernels_type from, enum kernels_type to, struct cpu_share s,
                           const void *x, void *y)
{
    if (to == KERNELS_F16) {
        convert_loop(from, KERNELS_F16, s, x, y);
    } else if (to == KERNELS_BF16) {
        convert_loop(from, KERNELS_BF16, s, x, y);
    } else {
        convert_loop(from, KERNELS_F32, s, x, y);
    }
}

// all types, also those that this table does not compute in
CPU_CLONES static void convert_share(enum kernels_type from, enum kernels_type to,
                                     struct cpu_share s, const void *x, void *y)
{
    if (from == KERNELS_F16) {
        convert_from(KERNELS_F16, to, s, x, y);
    } else {
        CPU_BY_TYPE(convert_from, from, to, s, x, y);
    }
}

static void convert(const kernels *k, int64_t count, enum kernels_type from, const void *x,
                    enum kernels_type to, void *y)
{
#pragma omp parallel num_threads(cpu_threads(k, count))
    convert_share(from, to, cpu_share(count), x, y);
}

void cpu_fill_gemm(kernels *k)
{
    k->gemm = gemm;
    k->convert = convert;
}
