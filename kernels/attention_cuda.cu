/* attention_cuda.cu: softmax attention without ever holding the scores; formulas in
 * attention_reference.c.
 *
 * A block takes QUERIES queries of a head, a warp QUERIES / WARPS of them. Keys and values come
 * through shared memory, a tile at a time. Within a warp, a lane is first a key (products, softmax),
 * then every 32nd channel (sums). The largest product so far, the sum of exponentials and the
 * channels' sums are corrected from tile to tile (Dao et al. 2022). */
#include "kernels/attention_cuda.h"

#define WARPS   4
#define THREADS (WARPS * CUDA_WARP)

// what a block works on: queries of a head, from first on
struct place {
    int n, head, first;
};

/* The state of one query of a warp. SLOTS: channels of a lane. */
template <int SLOTS> struct row {
    float largest, sum;
    float y[SLOTS];
};

// rows [count, d] of a head into shared memory, d + 1 apart, so that lanes meet different banks
template <typename T>
static __device__ void load_rows(struct attention_shape s, const T *from, int count, float *to)
{
    for (int i = threadIdx.x; i < count * s.d; i += THREADS) {
        const int row = i / s.d, c = i % s.d;

        to[row * (s.d + 1) + c] = value_of(from[(int64_t)row * s.heads * s.d + c]);
    }
}

template <int SLOTS>
static __device__ void take_tile(struct attention_shape s, int tile, const float *q,
                                 const float *key, const float *v, int seen, struct row<SLOTS> *row)
{
    const int lane = threadIdx.x % CUDA_WARP;
    float score = -INFINITY;

    if (lane < seen) {
        score = 0;
        for (int c = 0; c < s.d; c++) {
            score += q[c] * key[lane * (s.d + 1) + c];
        }
        score *= s.scale;
    }
    const float largest = fmaxf(row->largest, warp_max(score));
    const float p = lane < seen ? expf(score - largest) : 0;
    const float correction = expf(row->largest - largest);
    row->largest = largest;
    row->sum = row->sum * correction + warp_sum(p);
#pragma unroll
    for (int i = 0; i < SLOTS; i++) {
        row->y[i] *= correction;
    }
    for (int j = 0; j < tile; j++) {
        const float weight = __shfl_sync(ALL_LANES, p, j);

#pragma unroll
        for (int i = 0; i < SLOTS; i++) {
            const int c = lane + i * CUDA_WARP;

            if (c < s.d && j < seen) {
                row->y[i] += weight * v[j * (s.d + 1) + c];
            }
        }
    }
}

template <typename T, int SLOTS>
static __device__ void write_row(struct attention_shape s, struct place at, int query,
                                 const struct row<SLOTS> *row, T *y, float *lse)
{
    const int lane = threadIdx.x % CUDA_WARP;

#pragma unroll
    for (int i = 0; i < SLOTS; i++) {
        const int c = lane + i * CUDA_WARP;

        if (c < s.d) {
            put(y + attention_row(s, (int64_t)at.n * s.tq + query, at.head) + c,
                row->y[i] / row->sum);
        }
    }
    if (lse != NULL && lane == 0) {
        lse[((int64_t)at.n * s.heads + at.head) * s.tq + query] = row->largest + logf(row->sum);
    }
}

template <typename T, int SLOTS, int QUERIES>
static __global__ void __launch_bounds__(THREADS, 4)
    attention_rows(struct attention_shape s, int tile, const T *__restrict__ q,
                   const T *__restrict__ key, const T *__restrict__ v, T *__restrict__ y,
                   float *__restrict__ lse)
{
    SHARED_ARRAY(float, memory);
    const int warp = threadIdx.x / CUDA_WARP, width = s.d + 1;
    constexpr int mine = QUERIES / WARPS;
    const struct place at = {(int)blockIdx.y / s.heads, (int)blockIdx.y % s.heads,
                             (int)blockIdx.x * QUERIES};
    float *queries = memory, *keys = queries + QUERIES * width, *values = keys + tile * width;
    const int there = min(QUERIES, s.tq - at.first);
    const int most = s.causal ? min(s.tk, at.first + there) : s.tk;
    struct row<SLOTS> rows[mine];

#pragma unroll
    for (int i = 0; i < mine; i++) {
        rows[i] = {-INFINITY, 0, {0}};
    }
    load_rows(s, q + attention_row(s, (int64_t)at.n * s.tq + at.first, at.head), there, queries);
    for (int first = 0; first < most; first += tile) {
        const int count = min(tile, most - first);
        const int64_t from = attention_row(s, (int64_t)at.n * s.tk + first, at.head);

        __syncthreads();
        load_rows(s, key + from, count, keys);
        load_rows(s, v + from, count, values);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < mine; i++) {
            const int query = warp * mine + i;
            const int limit = s.causal ? at.first + query + 1 - first : count;

            if (query < there && limit > 0) { // the same for all lanes of the warp
                take_tile<SLOTS>(s, tile, queries + query * width, keys, values, min(count, limit),
                                 &rows[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < mine; i++) {
        if (warp * mine + i < there) {
            write_row<T, SLOTS>(s, at, at.first + warp * mine + i, &rows[i], y, lse);
        }
    }
}

template <typename T, int SLOTS, int QUERIES>
static void run_tiled(const kernels *k, struct attention_shape s, const T *q, const T *key,
                      const T *v, T *y, float *lse)
{
    const auto kernel = attention_rows<T, SLOTS, QUERIES>;
    const int width = s.d + 1, limit = (48 << 10) / (int)sizeof(float);
    const int tile = MIN(CUDA_WARP, (limit - QUERIES * width) / (2 * width));
    const size_t shared = (size_t)(QUERIES + 2 * tile) * width * sizeof(float);
    const dim3 grid((unsigned)cuda_ceil(s.tq, QUERIES), (unsigned)(s.n * s.heads));

    LAUNCH(kernel, grid, THREADS, shared, cuda_stream(k), s, tile, q, key, v, y, lse);
}

template <typename T>
static void run_forward(const kernels *k, struct attention_shape s, const T *q, const T *key,
                        const T *v, T *y, float *lse)
{
    if (attention_tensor_forward<T>(k, s, q, key, v, y, lse)) {
        return;
    }
    if (s.d <= 64) {
        run_tiled<T, 2, 32>(k, s, q, key, v, y, lse);
    } else if (s.d <= ATTENTION_TILED) {
        run_tiled<T, 5, 16>(k, s, q, key, v, y, lse);
    } else {
        attention_wide_forward<T>(k, s, q, key, v, y, lse);
    }
}

static void attention_forward(const kernels *k, struct attention_shape s, const cell *q,
                              const cell *key, const cell *v, cell *y, real *lse)
{
    if (s.n == 0 || s.tq == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        run_forward<T>(k, s, (const T *)q, (const T *)key, (const T *)v, (T *)y, lse);
    });
}

void cuda_fill_attention(kernels *k)
{
    k->attention_forward = attention_forward;
    k->attention_backward = attention_backward;
}
