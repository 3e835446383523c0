/* attention_wide_cuda.cu: attention of heads that are too wide for the tiled kernels, such as the
 * autoencoder's; formulas in attention_reference.c and attention_cuda.h.
 *
 * A warp a row, its lanes along the channels; the other side's rows are read one after the other.
 * A warp sums up to WINDOW channels, and the grid's y goes over the windows of wider heads. */
#include "kernels/attention_cuda.h"

#define SLOTS  16 // channels of a lane
#define WINDOW (SLOTS * CUDA_WARP)

// the product of two rows, for all lanes
template <typename T> static __device__ inline float product(int d, const T *x, const T *y)
{
    float sum = 0;

    EACH_COLUMN(c, d)
    {
        sum += value_of(x[c]) * value_of(y[c]);
    }
    return warp_sum(sum);
}

// a row of [n, tokens, heads]
struct wide_row {
    int64_t n;
    int head, token;
};

static __device__ inline struct wide_row row_of(struct attention_shape s, int tokens, int64_t row)
{
    return {row / s.heads / tokens, (int)(row % s.heads), (int)(row / s.heads % tokens)};
}

// sum += weight * the window of x
template <typename T>
static __device__ inline void add_window(int d, const T *x, float weight, float sum[SLOTS])
{
#pragma unroll
    for (int i = 0; i < SLOTS; i++) {
        const int c = blockIdx.y * WINDOW + threadIdx.x + i * CUDA_WARP;

        sum[i] += c < d ? weight * value_of(x[c]) : 0;
    }
}

template <typename T>
static __global__ void wide_forward(struct attention_shape s, const T *__restrict__ q,
                                    const T *__restrict__ key, const T *__restrict__ v,
                                    T *__restrict__ y, float *__restrict__ lse)
{
    EACH_ROW(row, (int64_t)s.n * s.tq * s.heads)
    {
        const struct wide_row at = row_of(s, s.tq, row);
        const int most = s.causal ? min(s.tk, at.token + 1) : s.tk;
        float largest = -INFINITY, sum = 0, out[SLOTS] = {};

        for (int j = 0; j < most; j++) {
            const int64_t other = attention_row(s, at.n * s.tk + j, at.head);
            const float score = s.scale * product(s.d, q + row * s.d, key + other);
            const float more = fmaxf(largest, score), correction = expf(largest - more);
            const float p = expf(score - more);

            largest = more;
            sum = sum * correction + p;
#pragma unroll
            for (int i = 0; i < SLOTS; i++) {
                out[i] *= correction;
            }
            add_window(s.d, v + other, p, out);
        }
#pragma unroll
        for (int i = 0; i < SLOTS; i++) {
            const int c = blockIdx.y * WINDOW + threadIdx.x + i * CUDA_WARP;

            if (c < s.d) {
                put(y + row * s.d + c, out[i] / sum);
            }
        }
        if (lse != NULL && threadIdx.x == 0 && blockIdx.y == 0) {
            lse[(at.n * s.heads + at.head) * s.tq + at.token] = largest + logf(sum);
        }
    }
}

template <typename T, bool KEYS>
static __global__ void wide_backward(struct attention_shape s, struct attention_back<T> back)
{
    EACH_ROW(row, (int64_t)s.n * back.own.tokens * s.heads)
    {
        const struct wide_row at = row_of(s, back.own.tokens, row);
        const int64_t statistics = (at.n * s.heads + at.head) * s.tq;
        const int begin = s.causal && KEYS ? at.token : 0, all = back.other.tokens;
        const int end = s.causal && !KEYS ? min(all, at.token + 1) : all;
        float a[SLOTS] = {}, b[SLOTS] = {};

        for (int j = begin; j < end; j++) {
            const int64_t other = attention_row(s, at.n * all + j, at.head);
            const int64_t query = statistics + (KEYS ? j : at.token);
            const float score = product(s.d, back.own.a + row * s.d, back.other.a + other);
            const float dp = product(s.d, back.own.b + row * s.d, back.other.b + other);
            const float p = expf(s.scale * score - back.lse[query]);

            add_window(s.d, back.other.a + other, p * (dp - back.d[query]), a);
            if (KEYS) {
                add_window(s.d, back.other.b + other, p, b);
            }
        }
#pragma unroll
        for (int i = 0; i < SLOTS; i++) {
            const int c = blockIdx.y * WINDOW + threadIdx.x + i * CUDA_WARP;

            if (c < s.d) {
                put_more(back.da + row * s.d + c, s.scale * a[i]);
                if (KEYS) {
                    put_more(back.db + row * s.d + c, b[i]);
                }
            }
        }
    }
}

static dim3 grid_of(struct attention_shape s, int64_t rows)
{
    return dim3(cuda_row_blocks(rows), (unsigned)cuda_ceil(s.d, WINDOW));
}

template <typename T>
void attention_wide_forward(const kernels *k, struct attention_shape s, const T *q, const T *key,
                            const T *v, T *y, float *lse)
{
    LAUNCH(wide_forward<T>, grid_of(s, (int64_t)s.n * s.tq * s.heads), cuda_row_threads(), 0,
           cuda_stream(k), s, q, key, v, y, lse);
}

template <typename T>
void attention_wide_backward(const kernels *k, struct attention_shape s,
                             struct attention_back<T> back, bool keys)
{
    const auto kernel = keys ? wide_backward<T, true> : wide_backward<T, false>;

    LAUNCH(kernel, grid_of(s, (int64_t)s.n * back.own.tokens * s.heads), cuda_row_threads(), 0,
           cuda_stream(k), s, back);
}

#define FOR_TYPE(T)                                                                                \
    template void attention_wide_forward<T>(const kernels *, struct attention_shape, const T *,    \
                                            const T *, const T *, T *, float *);                   \
    template void attention_wide_backward<T>(const kernels *, struct attention_shape,              \
                                             struct attention_back<T>, bool);
FOR_TYPE(float)
FOR_TYPE(bf16)
FOR_TYPE(f16)
