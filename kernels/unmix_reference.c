/* unmix_reference.c: how far maps of attention lie in regions that are not theirs. Of subject i of a
 * row, with its map A [places] = the mean over heads of its channel and M = others [i]:
 *   s     = 1, the mean of A or its largest value
 *   loss  = (sum of M (A / s)^2) / (sum of M)
 *   dA[x] = 2 M A / s^2 / (sum of M) - 2 loss / s ds/dA[x], where ds/dA[x] is 1 / places for a mean,
 *           1 at the largest place for a maximum
 *   dx   += factor dA / heads, in every head */
#include "kernels/cell.h"
#include "kernels/reference.h"

// A of one subject; first: where in x the row's first value of its channel lies
static void average_heads(enum kernels_type type, struct unmix_shape s, const cell *x,
                          int64_t first, double *a)
{
    for (int i = 0; i < s.places; i++) {
        a[i] = 0;
        for (int h = 0; h < s.heads; h++) {
            const int64_t at = first + ((int64_t)i * s.heads + h) * s.d;

            a[i] += (double)cell_get(type, x, at) / s.heads;
        }
    }
}

// the place of the largest value
static int find_largest(const double *a, int places)
{
    int largest = 0;

    for (int i = 1; i < places; i++) {
        largest = a[i] > a[largest] ? i : largest;
    }
    return largest;
}

static double find_scale(struct unmix_shape s, const double *a)
{
    double sum = 0;

    if (s.scale == MAP_PLAIN) {
        return 1;
    }
    if (s.scale == MAP_MAX) {
        return a[find_largest(a, s.places)];
    }
    for (int i = 0; i < s.places; i++) {
        sum += a[i];
    }
    return sum / s.places;
}

// ds/dA[i]
static double scale_slope(struct unmix_shape s, int largest, int i)
{
    return s.scale == MAP_MEAN ? 1.0 / s.places : s.scale == MAP_MAX && i == largest ? 1 : 0;
}

// the loss of a map; first: as above, in dx, which may be NULL
static double one_map(enum kernels_type type, struct unmix_shape s, double factor,
                      const real *others, const double *a, int64_t first, cell *dx)
{
    const double scale = find_scale(s, a);
    const int largest = find_largest(a, s.places);
    double sum = 0, squares = 0;

    for (int i = 0; i < s.places; i++) {
        sum += (double)others[i];
        squares += (double)others[i] * a[i] * a[i];
    }
    const double loss = sum > 0 && scale > 0 ? squares / sum / (scale * scale) : 0;
    for (int i = 0; dx && loss > 0 && i < s.places; i++) {
        const double slope = 2 * (double)others[i] * a[i] / sum / (scale * scale) -
                             2 * loss / scale * scale_slope(s, largest, i);
        for (int h = 0; h < s.heads; h++) {
            cell_add(type, dx, first + ((int64_t)i * s.heads + h) * s.d,
                     (real)(factor * slope / s.heads));
        }
    }
    return loss;
}

static void unmix(const kernels *k, struct unmix_shape s, const int32_t *shown,
                  const double *factor, const real *others, const cell *x, double *map,
                  double *loss, cell *dx)
{
    for (int n = 0; n < s.n; n++) {
        for (int i = 0; i < s.count; i++) {
            const int64_t subject = (int64_t)n * s.slots + s.first + i;
            const int64_t channel = (int64_t)n * s.places * s.heads * s.d + i;

            average_heads(k->activation, s, x, channel, map + subject * s.places);
            loss[subject] = shown[n] > 1 && s.first + i < shown[n]
                                ? one_map(k->activation, s, factor[n], others + subject * s.places,
                                          map + subject * s.places, channel, dx)
                                : 0;
        }
    }
}

void reference_fill_unmix(kernels *k)
{
    k->unmix = unmix;
}
