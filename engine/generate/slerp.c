/* Spherical interpolation (Shoemake 1985); see slerp.h. Sums are made in double. */
#include "engine/generate/slerp.h"

#include <math.h>

void slerp(double alpha, const float *a, const float *b, float *out, int64_t count)
{
    double aa = 0, bb = 0, ab = 0;
    double share_a = 1 - alpha, share_b = alpha;

    for (int64_t i = 0; i < count; i++) {
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
        ab += (double)a[i] * b[i];
    }
    const double size = sqrt(aa) * sqrt(bb);
    const double cosine = size > 0 ? fmax(-1, fmin(1, ab / size)) : 1;
    const double angle = acos(cosine), sine = sin(angle);
    // the ends exactly; and where both point the same or the opposite way there is no arc
    if (sine > 1e-6 && alpha > 0 && alpha < 1) {
        share_a = sin((1 - alpha) * angle) / sine;
        share_b = sin(alpha * angle) / sine;
    }
    for (int64_t i = 0; i < count; i++) {
        out[i] = (float)(share_a * a[i] + share_b * b[i]);
    }
}
