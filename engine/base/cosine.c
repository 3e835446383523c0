/* A cosine; see cosine.h. */
#include "engine/base/cosine.h"

#include <math.h>

double cosine_of(const float *a, const float *b, int n)
{
    double product = 0, square_a = 0, square_b = 0;

    for (int i = 0; i < n; i++) {
        product += (double)a[i] * b[i];
        square_a += (double)a[i] * a[i];
        square_b += (double)b[i] * b[i];
    }
    return product / sqrt(square_a) / sqrt(square_b);
}
