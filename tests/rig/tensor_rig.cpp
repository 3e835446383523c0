/* tensor_rig.cpp: the products of tensor cores; see tensor_rig.h. Apart from the kernels, so that its own accesses
 * are not looked at. */
#include "tests/rig/cuda_rig.h"
#include "tests/rig/tensor_rig.h"

namespace rig
{

std::deque<std::deque<copy>> copies[1024];

// A [row, k] is with lane 4 (row % 8) + k % 8 / 2, B [k, column] with lane 4 column + k % 8 / 2
static double product(const factors *of, int row, int column)
{
    double sum = 0;

    for (int k = 0; k < 16; k++) {
        const factors *left = of + row % 8 * 4 + k % 8 / 2, *right = of + column * 4 + k % 8 / 2;

        sum += (double)left->a[(row / 8 + k / 8 * 2) * 2 + k % 2] *
               (double)right->b[k / 8 * 2 + k % 2];
    }
    return sum;
}

void multiply_factors(float c[4], const unsigned char *slots, int lane)
{
    const factors *of = reinterpret_cast<const factors *>(slots);

    for (int i = 0; i < 4; i++) {
        c[i] = (float)(c[i] + product(of, lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2));
    }
}

} // namespace rig
