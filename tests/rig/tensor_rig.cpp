/* tensor_rig.cpp: the products of tensor cores; see tensor_rig.h. Apart from the kernels, so that its own accesses
 * are not looked at. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/tensor_rig.h"

namespace rig
{

std::deque<std::deque<copy>> copies[1024];

/* With n values a register A [row, k] is with lane 4 (row % 8) + k % 4n / n, B [k, column] with lane
 * 4 column + k % 4n / n. */
static double product(const factors *of, int row, int column, int n)
{
    double sum = 0;

    for (int k = 0; k < 8 * n; k++) {
        const int lane = k % (4 * n) / n, half = k / (4 * n);
        const factors *left = of + row % 8 * 4 + lane, *right = of + column * 4 + lane;

        sum +=
            (double)left->a[(row / 8 + half * 2) * n + k % n] * (double)right->b[half * n + k % n];
    }
    return sum;
}

void multiply_factors(float c[4], const unsigned char *slots, int lane, int per_register)
{
    const factors *of = reinterpret_cast<const factors *>(slots);

    for (int i = 0; i < 4; i++) {
        c[i] =
            (float)(c[i] + product(of, lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2, per_register));
    }
}

} // namespace rig
