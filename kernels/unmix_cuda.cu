/* unmix_cuda.cu: how far maps of attention lie in regions that are not theirs; formulas in
 * unmix_reference.c. A block a map, in double as there: maps are few and small. */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

// a map's values, and where its channel lies in x and dx: [places, heads, d] from `channel` on
struct one_map {
    double *a;
    const float *others;
    int64_t channel;
};

static __device__ inline struct one_map map_of(struct unmix_shape s, const float *others,
                                               double *map)
{
    const int64_t picture = blockIdx.y;
    const int64_t subject = picture * s.slots + s.first + blockIdx.x;

    return {map + subject * s.places, others + subject * s.places,
            picture * s.places * s.heads * s.d + blockIdx.x};
}

// where in x head h of a place has its value
static __device__ inline int64_t head_at(struct unmix_shape s, int64_t channel, int place, int h)
{
    return channel + ((int64_t)place * s.heads + h) * s.d;
}

// what a map is divided by; largest: its place of the largest value, the first of them
static __device__ double find_scale(struct unmix_shape s, const double *a, int *largest,
                                    struct block_parts<double> *parts)
{
    double sum = 0, most = -INFINITY, first = s.places;

    for (int i = threadIdx.x; i < s.places; i += CUDA_THREADS) {
        sum += a[i];
        most = max(most, a[i]);
    }
    sum = block_sum(sum, parts);
    most = block_max(most, parts);
    for (int i = threadIdx.x; i < s.places; i += CUDA_THREADS) {
        first = a[i] == most ? min(first, (double)i) : first;
    }
    *largest = (int)-block_max(-first, parts);
    return s.scale == MAP_PLAIN ? 1 : s.scale == MAP_MAX ? most : sum / s.places;
}

// ds/dA of place i
static __device__ inline double scale_slope(struct unmix_shape s, int i, int largest)
{
    return s.scale == MAP_MEAN ? 1.0 / s.places : s.scale == MAP_MAX && i == largest ? 1 : 0;
}

template <typename T>
static __global__ void __launch_bounds__(CUDA_THREADS)
    unmix_maps(struct unmix_shape s, const int32_t *__restrict__ shown,
               const double *__restrict__ factor, const float *__restrict__ others,
               const T *__restrict__ x, double *map, double *__restrict__ losses,
               T *__restrict__ dx)
{
    SHARED(struct block_parts<double>, parts);
    const struct one_map m = map_of(s, others, map);
    const int picture = blockIdx.y, slot = s.first + blockIdx.x;
    double sum = 0, squares = 0, loss = 0;
    int largest;

    for (int i = threadIdx.x; i < s.places; i += CUDA_THREADS) {
        double average = 0;

        for (int h = 0; h < s.heads; h++) {
            average += (double)value_of(x[head_at(s, m.channel, i, h)]) / s.heads;
        }
        m.a[i] = average;
        sum += (double)m.others[i];
        squares += (double)m.others[i] * average * average;
    }
    sum = block_sum(sum, parts);
    squares = block_sum(squares, parts);
    const double scale = find_scale(s, m.a, &largest, parts);
    if (shown[picture] > 1 && slot < shown[picture] && sum > 0 && scale > 0) {
        loss = squares / sum / (scale * scale);
    }
    const double inside = 2 * factor[picture] / s.heads / sum / (scale * scale);
    const double outside = 2 * factor[picture] / s.heads * loss / scale;
    for (int i = threadIdx.x; dx != NULL && loss > 0 && i < s.places; i += CUDA_THREADS) {
        const double slope =
            inside * (double)m.others[i] * m.a[i] - outside * scale_slope(s, i, largest);

        for (int h = 0; h < s.heads; h++) {
            put_more(dx + head_at(s, m.channel, i, h), (float)slope);
        }
    }
    if (threadIdx.x == 0) {
        losses[(int64_t)picture * s.slots + slot] = loss;
    }
}

static void unmix(const kernels *k, struct unmix_shape s, const int32_t *shown,
                  const double *factor, const real *others, const cell *x, double *map,
                  double *loss, cell *dx)
{
    const dim3 grid((unsigned)s.count, (unsigned)s.n);

    if (s.n == 0 || s.count == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        LAUNCH(unmix_maps<T>, grid, CUDA_THREADS, sizeof(struct block_parts<double>),
               cuda_stream(k), s, shown, factor, others, (const T *)x, map, loss, (T *)dx);
    });
}

void cuda_fill_unmix(kernels *k)
{
    k->unmix = unmix;
}
