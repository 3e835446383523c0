/* latents_cuda.cu: what stands between two predictions of the network, so that a step of sampling never goes back to
 * the host; formulas in latents_reference.c, in double as there: a picture has few latents. */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

template <typename T>
static __global__ void
make_input(struct latents_shape s, const struct sampler_factors *__restrict__ factors,
           const float *__restrict__ latents, const float *__restrict__ more, T *__restrict__ y)
{
    const int width = s.c + s.more_c;
    const double scale = factors->input_scale;

    EACH(i, s.n * s.t * width)
    {
        const int64_t token = i / width % s.t;
        const int channel = (int)(i % width);

        if (channel < s.c) {
            put(y + i, (float)(scale * latents[token * s.c + channel]));
        } else {
            put(y + i, more != NULL ? more[token * s.more_c + channel - s.c] : 0);
        }
    }
}

// a thread has both halves of a value
template <typename T>
static __global__ void
add_guided(struct latents_shape s, float guidance, const float *__restrict__ weight,
           const T *__restrict__ prediction, float *__restrict__ both, float *__restrict__ guided)
{
    const int64_t count = s.t * s.c;

    EACH(i, count)
    {
        const float factor = weight != NULL ? weight[i / s.c] : 1;
        const float first = both[i] + factor * value_of(prediction[i]);
        float sum = first;

        both[i] = first;
        if (s.n == 2) {
            const float second = both[count + i] + factor * value_of(prediction[count + i]);

            both[count + i] = second;
            sum = first + guidance * (second - first);
        }
        if (guided != NULL) {
            guided[i] = sum;
        }
    }
}

// of a block's own threads
static __device__ double deviation(int64_t count, const float *values,
                                   struct block_parts<double> *sums)
{
    double sum = 0, squares = 0;

    for (int64_t i = threadIdx.x; i < count; i += CUDA_THREADS) {
        sum += values[i];
    }
    const double mean = block_sum(sum, sums) / (double)count;
    for (int64_t i = threadIdx.x; i < count; i += CUDA_THREADS) {
        const double apart = values[i] - mean;

        squares += apart * apart;
    }
    return sqrt(block_sum(squares, sums) / (double)max(count - 1, (int64_t)1));
}

// one block does it: latents are few
static __global__ void rescale(int64_t count, double share, const float *__restrict__ conditional,
                               float *__restrict__ guided)
{
    SHARED(struct block_parts<double>, sums);
    const double from = deviation(count, guided, sums), to = deviation(count, conditional, sums);
    const double factor = from > 0 ? share * to / from + 1 - share : 1;

    for (int64_t i = threadIdx.x; i < count; i += CUDA_THREADS) {
        guided[i] = (float)(factor * guided[i]);
    }
}

static __device__ double sum_of(const double *factors, const double terms[TERMS])
{
    double sum = 0;

#pragma unroll
    for (int term = 0; term < TERMS; term++) {
        sum += factors[term] * terms[term];
    }
    return sum;
}

// from and latents may be one array
static __global__ void take_step(int64_t count, int n_kept,
                                 const struct sampler_factors *__restrict__ f,
                                 const float *__restrict__ prediction,
                                 const float *__restrict__ noise, const float *from, float *latents,
                                 float *__restrict__ kept, float *__restrict__ original)
{
    EACH(i, count)
    {
        const double x = from[i], p = prediction[i];
        const double points = f->original_latents * x + f->original_prediction * p;
        // what is no number stays none
        double terms[TERMS] = {x, p,
                               points > f->clip    ? f->clip
                               : points < -f->clip ? -f->clip
                                                   : points};

#pragma unroll
        for (int j = 0; j < SAMPLER_KEPT; j++) {
            terms[TERM_KEPT + j] = j < n_kept ? kept[j * count + i] : 0;
        }
        terms[TERM_NOISE] = noise != NULL && f->next[TERM_NOISE] != 0 ? noise[i] : 0;
        if (original != NULL) {
            original[i] = (float)terms[TERM_ORIGINAL];
        }
        latents[i] = (float)(sum_of(f->next, terms) / f->divisor);
        for (int j = 0; j < n_kept; j++) {
            kept[j * count + i] = (float)sum_of(f->kept[j], terms);
        }
    }
}

static __global__ void hold_places(int64_t t, int c,
                                   const struct sampler_factors *__restrict__ factors,
                                   const float *__restrict__ mask, const float *__restrict__ init,
                                   const float *__restrict__ noise, float *__restrict__ latents)
{
    EACH(i, t * c)
    {
        if (mask[i / c] * factors->steps <= factors->left) {
            latents[i] = (float)(factors->keep * init[i] + factors->add * noise[i]);
        }
    }
}

static void latents_input(const kernels *k, struct latents_shape s,
                          const struct sampler_factors *factors, const real *latents,
                          const real *more, cell *y)
{
    const int64_t count = s.n * s.t * (s.c + s.more_c);

    if (count == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(make_input<T>, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), s, factors,
               latents, more, (T *)y);
    });
}

static void latents_guide(const kernels *k, struct latents_shape s, real guidance,
                          const real *weight, const cell *prediction, real *both, real *guided)
{
    if (s.n * s.t * s.c == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(add_guided<T>, cuda_blocks(s.t * s.c), CUDA_THREADS, 0, cuda_stream(k), s, guidance,
               weight, (const T *)prediction, both, guided);
    });
}

static void latents_rescale(const kernels *k, int64_t count, double share, const real *conditional,
                            real *guided)
{
    if (count > 0) {
        LAUNCH(rescale, 1, CUDA_THREADS, sizeof(struct block_parts<double>), cuda_stream(k), count,
               share, conditional, guided);
    }
}

static void latents_step(const kernels *k, int64_t count, int n_kept,
                         const struct sampler_factors *factors, const real *prediction,
                         const real *noise, const real *from, real *latents, real *kept,
                         real *original)
{
    if (count > 0) {
        LAUNCH(take_step, cuda_blocks(count), CUDA_THREADS, 0, cuda_stream(k), count, n_kept,
               factors, prediction, noise, from, latents, kept, original);
    }
}

static void latents_hold(const kernels *k, int64_t t, int c, const struct sampler_factors *factors,
                         const real *mask, const real *init, const real *noise, real *latents)
{
    if (t * c > 0) {
        LAUNCH(hold_places, cuda_blocks(t * c), CUDA_THREADS, 0, cuda_stream(k), t, c, factors,
               mask, init, noise, latents);
    }
}

void cuda_fill_latents(kernels *k)
{
    k->latents_input = latents_input;
    k->latents_guide = latents_guide;
    k->latents_rescale = latents_rescale;
    k->latents_step = latents_step;
    k->latents_hold = latents_hold;
}
