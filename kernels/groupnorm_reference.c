/* groupnorm_reference.c: group normalisation of channels-last tokens x [n, t, c]. Per picture and
 * group of c / groups channels, over all its tokens:
 *   forward   z = (x - mean) * rstd * gain + bias,  y = z or silu(z);  rstd = 1 / sqrt(var + eps)
 *   backward  g = dy, or dy silu'(z);  xhat = (x - mean) * rstd
 *             dx += rstd * (g gain - avg(g gain) - xhat * avg(g gain xhat)),  dgain += g * xhat
 * mean and rstd are kept from the forward pass, [n, groups]. */
#include "kernels/cell.h"
#include "kernels/functions_reference.h"
#include "kernels/reference.h"

/* One group of one picture.
 * at: its first value in x; width: its channels; channel: the first of them. */
struct group {
    int64_t at;
    int width, channel;
    double mean, rstd;
};

static struct group group_at(struct groupnorm_shape s, int n, int group)
{
    const int width = s.c / s.groups;

    return (struct group){
        .at = n * s.t * s.c + group * width,
        .width = width,
        .channel = group * width,
    };
}

static void measure(enum kernels_type type, struct groupnorm_shape s, struct group *group,
                    const cell *x)
{
    double sum = 0, squares = 0;
    const double count = (double)s.t * group->width;

    for (int64_t t = 0; t < s.t; t++) {
        for (int c = 0; c < group->width; c++) {
            sum += (double)cell_get(type, x, group->at + t * s.c + c);
        }
    }
    group->mean = sum / count;
    for (int64_t t = 0; t < s.t; t++) {
        for (int c = 0; c < group->width; c++) {
            const double centred = (double)cell_get(type, x, group->at + t * s.c + c) - group->mean;

            squares += centred * centred;
        }
    }
    group->rstd = 1 / sqrt(squares / count + (double)s.epsilon);
}

static void groupnorm_forward(const kernels *k, struct groupnorm_shape s, const cell *x,
                              const real *gain, const real *bias, cell *y, real *mean, real *rstd)
{
    const enum kernels_type type = k->activation;

    for (int i = 0; s.t > 0 && i < s.n * s.groups; i++) {
        struct group group = group_at(s, i / s.groups, i % s.groups);

        measure(type, s, &group, x);
        mean[i] = (real)group.mean;
        rstd[i] = (real)group.rstd;
        for (int64_t p = 0; p < s.t * group.width; p++) {
            const int c = (int)(p % group.width);
            const int64_t at = group.at + p / group.width * s.c + c;
            const double xhat = ((double)cell_get(type, x, at) - group.mean) * group.rstd;
            const double z = xhat * gain[group.channel + c] + bias[group.channel + c];

            cell_set(type, y, at, (real)(s.silu ? silu(z) : z));
        }
    }
}

/* g of the formula at value at of channel c (within the group), and xhat there */
static double upstream(enum kernels_type type, struct groupnorm_shape s, const struct group *group,
                       int64_t at, int c, const cell *x, const real *gain, const real *bias,
                       const cell *dy, double *xhat)
{
    const double slope = cell_get(type, dy, at);

    *xhat = ((double)cell_get(type, x, at) - group->mean) * group->rstd;
    if (!s.silu) {
        return slope;
    }
    return slope * silu_derivative(*xhat * gain[group->channel + c] + bias[group->channel + c]);
}

static void group_backward(enum kernels_type type, struct groupnorm_shape s,
                           const struct group *group, const cell *x, const real *gain,
                           const real *bias, const cell *dy, cell *dx, real *dgain)
{
    const double count = (double)s.t * group->width;
    double xhat, average = 0, projection = 0;

    for (int c = 0; c < group->width; c++) {
        double sum = 0, product = 0;

        for (int64_t t = 0; t < s.t; t++) {
            const double g =
                upstream(type, s, group, group->at + t * s.c + c, c, x, gain, bias, dy, &xhat);

            sum += g;
            product += g * xhat;
        }
        average += sum * gain[group->channel + c] / count;
        projection += product * gain[group->channel + c] / count;
        if (dgain) {
            dgain[group->channel + c] += (real)product;
        }
    }
    for (int64_t p = 0; dx && p < s.t * group->width; p++) {
        const int c = (int)(p % group->width);
        const int64_t at = group->at + p / group->width * s.c + c;
        const double g = upstream(type, s, group, at, c, x, gain, bias, dy, &xhat);

        cell_add(
            type, dx, at,
            (real)(group->rstd * (g * gain[group->channel + c] - average - xhat * projection)));
    }
}

static void groupnorm_backward(const kernels *k, struct groupnorm_shape s, const cell *x,
                               const real *gain, const real *bias, const real *mean,
                               const real *rstd, const cell *dy, cell *dx, real *dgain)
{
    for (int i = 0; i < s.n * s.groups; i++) {
        struct group group = group_at(s, i / s.groups, i % s.groups);

        group.mean = mean[i];
        group.rstd = rstd[i];
        group_backward(k->activation, s, &group, x, gain, bias, dy, dx, dgain);
    }
}

void reference_fill_groupnorm(kernels *k)
{
    k->groupnorm_forward = groupnorm_forward;
    k->groupnorm_backward = groupnorm_backward;
}
