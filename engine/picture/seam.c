/* The change of a picture along its middle; see seam.h. */
#include "engine/picture/seam.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>

#define NEAR 2 // pixels: what a step between latents is spread over

// the mean change from column x - 1 to x
static double change_at(const picture *p, int x)
{
    const size_t values = (size_t)p->height * p->channels;
    double sum = 0;

    for (size_t i = 0; i < values; i++) {
        const size_t row = i / p->channels * p->width;
        const size_t right = (row + x) * p->channels + i % p->channels;
        sum += fabs((double)p->pixels[right] - p->pixels[right - p->channels]);
    }
    return sum / (double)values;
}

void seam_add(const picture *p, double *seam, double *surroundings)
{
    const int middle = p->width / 2, reach = p->width / 8;
    double near = 0, far = 0;
    int n_near = 0, n_far = 0;

    for (int x = MAX(1, middle - reach); x <= MIN(p->width - 1, middle + reach); x++) {
        const bool is_near = abs(x - middle) <= NEAR;
        *(is_near ? &near : &far) += change_at(p, x);
        *(is_near ? &n_near : &n_far) += 1;
    }
    *seam += n_near > 0 ? near / n_near : 0;
    *surroundings += n_far > 0 ? far / n_far : 0;
}
