/* optimizer_reference.c: the loss, the squared length of a gradient and AdamW's step.
 *   loss [n] = mean of (x - target)^2,  dx += 2 weight (x - target) / count
 * AdamW's formula stands at struct adamw_step in kernels.h. */
#include "kernels/cell.h"
#include "kernels/reference.h"

#include <math.h>

static void mse(const kernels *k, int n, int64_t count, const cell *x, const real *target,
                const real *weight, real *loss, cell *dx)
{
    for (int picture = 0; count > 0 && picture < n; picture++) {
        const int64_t first = picture * count;
        double sum = 0;

        for (int64_t i = first; i < first + count; i++) {
            const double difference = (double)cell_get(k->activation, x, i) - (double)target[i];

            sum += difference * difference;
            if (dx) {
                cell_add(k->activation, dx, i,
                         (real)(2.0 * weight[picture] * difference / (double)count));
            }
        }
        loss[picture] = (real)(sum / (double)count);
    }
}

static void sum_squares(const kernels *k, int64_t count, const real *x, double *sum)
{
    *sum = 0;
    for (int64_t i = 0; i < count; i++) {
        *sum += (double)x[i] * (double)x[i];
    }
}

// as torch.nn.utils.clip_grad_norm_
static double gradient_scale(const struct adamw_step *step, const double *sum)
{
    // the norm of the gradient without its divisor
    const double norm = step->limit > 0 ? sqrt(*sum) / step->divisor : 0;
    const double factor = step->limit > 0 ? MIN(1.0, step->limit / (norm + 1e-6)) : 1;

    return factor / step->divisor;
}

static void adamw_span(int64_t from, int64_t end, struct adamw_step step, double scale,
                       const real *gradient, real *value, real *m, real *v)
{
    for (int64_t i = from; i < end; i++) {
        const double g = scale * gradient[i];
        const double first = step.beta1 * m[i] + (1 - step.beta1) * g;
        const double second = step.beta2 * v[i] + (1 - step.beta2) * g * g;
        const double decayed = value[i] - step.rate * step.decay * value[i];
        const double length = sqrt(second) / sqrt(step.correction2) + step.epsilon;

        m[i] = (real)first;
        v[i] = (real)second;
        value[i] = (real)(decayed - step.rate / step.correction1 * first / length);
    }
}

static void adamw(const kernels *k, int64_t count, int n, const struct adamw_span *spans,
                  const struct adamw_step *steps, const double *sum, const real *gradient,
                  real *value, real *m, real *v)
{
    for (int i = 0; i < n && count > 0; i++) {
        const struct adamw_step *step = &steps[spans[i].step];
        adamw_span(i > 0 ? spans[i - 1].end : 0, spans[i].end, *step, gradient_scale(step, sum),
                   gradient, value, m, v);
    }
}

void reference_fill_optimizer(kernels *k)
{
    k->mse = mse;
    k->sum_squares = sum_squares;
    k->adamw = adamw;
}
