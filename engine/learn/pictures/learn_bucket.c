/* learn_bucket.c: see learn_bucket.h. */
#include "engine/learn/pictures/learn_bucket.h"

#include <glib.h>
#include <math.h>

#define STEPS 8 // of a side

struct learn_bucket learn_bucket_of(int n, int width, int height)
{
    const int step = MAX(n / STEPS, 1);
    const double wanted = log((double)width / height);
    struct learn_bucket best = {n, n};
    double nearest = fabs(wanted);

    for (int h = MAX(n / 2 / step, 1) * step; h <= 2 * n; h += step) {
        const int w = MIN(n * n / h, 2 * n) / step * step;
        const double away = w > 0 ? fabs(log((double)w / h) - wanted) : INFINITY;
        // the square where another is no nearer
        if (away < nearest) {
            nearest = away;
            best = (struct learn_bucket){h, w};
        }
    }
    return best;
}
