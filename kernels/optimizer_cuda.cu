/* optimizer_cuda.cu: the loss, the squared length of a gradient and AdamW's step; formulas in
 * optimizer_reference.c. What is learned is little beside the rest, so that the step and the length are
 * computed in double as there. */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

#define PARTS 64   // of a sum, at most
#define SMALL 4096 // values that are not worth two parts

static int parts_of(int64_t count)
{
    return (int)CLAMP(count / SMALL, 1, PARTS);
}

/* ---- loss ---- */

// parts [n, gridDim.x] of the sums of squares; dx may be NULL
template <typename T>
static __global__ void mse_parts(int64_t count, const T *__restrict__ x,
                                 const float *__restrict__ target, const float *__restrict__ weight,
                                 float *__restrict__ parts, T *__restrict__ dx)
{
    SHARED(struct block_parts<float>, sums);
    const int64_t picture = blockIdx.y;
    const float factor = 2 * weight[picture] / (float)count;
    float sum = 0;

    EACH(i, count)
    {
        const int64_t at = picture * count + i;
        const float difference = value_of(x[at]) - target[at];

        sum += difference * difference;
        if (dx != NULL) {
            put_more(dx + at, factor * difference);
        }
    }
    sum = block_sum(sum, sums);
    if (threadIdx.x == 0) {
        parts[picture * gridDim.x + blockIdx.x] = sum;
    }
}

static __global__ void mse_add(int n, int64_t count, int parts_each,
                               const float *__restrict__ parts, float *__restrict__ loss)
{
    EACH(picture, n)
    {
        loss[picture] = column_add(parts_each, 1, parts + picture * parts_each) / (float)count;
    }
}

static void mse(const kernels *k, int n, int64_t count, const cell *x, const real *target,
                const real *weight, real *loss, cell *dx)
{
    if (n == 0 || count == 0) {
        return;
    }
    const int each = parts_of(count);
    const dim3 grid((unsigned)each, (unsigned)n);
    struct cuda_room room = cuda_workspace(k);
    float *parts = (float *)cuda_take(&room, sizeof(float) * (size_t)n * each);
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(mse_parts<T>, grid, CUDA_THREADS, sizeof(struct block_parts<float>), cuda_stream(k),
               count, (const T *)x, target, weight, parts, (T *)dx);
    });
    LAUNCH(mse_add, cuda_blocks(n), CUDA_THREADS, 0, cuda_stream(k), n, count, each, parts, loss);
}

/* ---- the length of a gradient ---- */

static __global__ void squares_parts(int64_t count, const float *__restrict__ x,
                                     double *__restrict__ parts)
{
    SHARED(struct block_parts<double>, sums);
    double sum = 0;

    EACH(i, count)
    {
        sum += (double)x[i] * (double)x[i];
    }
    sum = block_sum(sum, sums);
    if (threadIdx.x == 0) {
        parts[blockIdx.x] = sum;
    }
}

static __global__ void squares_add(int count, const double *__restrict__ parts, double *sum)
{
    if (threadIdx.x == 0) {
        *sum = 0;
        for (int i = 0; i < count; i++) {
            *sum += parts[i];
        }
    }
}

static void sum_squares(const kernels *k, int64_t count, const real *x, double *sum)
{
    const int parts = parts_of(count);
    struct cuda_room room = cuda_workspace(k);
    double *values = (double *)cuda_take(&room, sizeof(double) * (size_t)parts);

    LAUNCH(squares_parts, (unsigned)parts, CUDA_THREADS, sizeof(struct block_parts<double>),
           cuda_stream(k), count, x, values);
    LAUNCH(squares_add, 1, CUDA_WARP, 0, cuda_stream(k), parts, values, sum);
}

/* ---- the step ---- */

/* A thread works it out for its values: that is less than a launch of its own. */
static __device__ double gradient_scale(const struct adamw_step &step, const double *sum)
{
    const double norm = step.limit > 0 ? sqrt(*sum) / step.divisor : 0;
    const double factor = step.limit > 0 ? fmin(1.0, step.limit / (norm + 1e-6)) : 1;

    return factor / step.divisor;
}

// the span that value i is of
static __device__ int span_of(int n, const struct adamw_span *spans, int64_t i)
{
    int first = 0;

    for (int last = n - 1; first < last;) {
        const int middle = (first + last) / 2;

        if (i < spans[middle].end) {
            last = middle;
        } else {
            first = middle + 1;
        }
    }
    return first;
}

static __global__ void adamw_values(int64_t count, int n,
                                    const struct adamw_span *__restrict__ spans,
                                    const struct adamw_step *__restrict__ steps,
                                    const double *__restrict__ sum,
                                    const float *__restrict__ gradient, float *__restrict__ value,
                                    float *__restrict__ m, float *__restrict__ v)
{
    EACH(i, count)
    {
        const struct adamw_step step = steps[spans[span_of(n, spans, i)].step];
        const double g = gradient_scale(step, sum) * gradient[i];
        const double first = step.beta1 * m[i] + (1 - step.beta1) * g;
        const double second = step.beta2 * v[i] + (1 - step.beta2) * g * g;
        const double decayed = value[i] - step.rate * step.decay * value[i];
        const double length = sqrt(second) / sqrt(step.correction2) + step.epsilon;

        m[i] = (float)first;
        v[i] = (float)second;
        value[i] = (float)(decayed - step.rate / step.correction1 * first / length);
    }
}

static void adamw(const kernels *k, int64_t count, int n, const struct adamw_span *spans,
                  const struct adamw_step *steps, const double *sum, const real *gradient,
                  real *value, real *m, real *v)
{
    if (count > 0) {
        LAUNCH(adamw_values, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), count, n, spans,
               steps, sum, gradient, value, m, v);
    }
}

void cuda_fill_optimizer(kernels *k)
{
    k->mse = mse;
    k->sum_squares = sum_squares;
    k->adamw = adamw;
}
