/* attention_tensor_cuda.cu: attention's way forward on tensor cores, for the head widths of Stable Diffusion
 * and values of 16 bits, or floats in tf32; formulas in attention_reference.c.
 *
 * As attention_cuda.cu: a block takes 64 queries of a head, a warp 16 of them, which stay in its registers;
 * keys and values come through shared memory, the next tile while this one is worked on. Scores are in
 * units of log 2. The probabilities are rounded to the type before they weigh values (Dao et al. 2022). */
#include "kernels/attention_cuda.h"
#include "kernels/tensor_cuda.h"

#define WARPS   4
#define THREADS (WARPS * CUDA_WARP)
#define ROWS    16 // queries of a warp
#define QUERIES (WARPS * ROWS)

#define LOG2_E 1.44269504f
#define LN_2   0.693147181f

// keys of a tile: two tiles of keys and values are less than 48 KiB
template <typename T, int D> struct width {
    static constexpr int bytes = D * (int)sizeof(T);
    static constexpr int keys = bytes <= 128 ? 64 : bytes <= 320 ? 32 : 16;
    static constexpr int row = TENSOR_ROW(T, D), steps = TENSOR_STEPS(T, D);
    static constexpr int sums = D / 8, scores = keys / 8;
};

// two, one of which is worked on; before that they hold the queries
template <typename T, int D> struct stages {
    T key[2][width<T, D>::keys * width<T, D>::row], v[2][width<T, D>::keys * width<T, D>::row];
};

/* What a lane has of its warp's 16 queries: of two rows the largest score and its part of the sum of
 * exponentials, and sums of values. */
template <int D> struct state {
    float largest[2], sum[2];
    float y[D / 8][4];
};

// of the four lanes that share a row
static __device__ inline float row_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 1));
    return fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 2));
}

static __device__ inline float row_sum(float x)
{
    x += __shfl_xor_sync(ALL_LANES, x, 1);
    return x + __shfl_xor_sync(ALL_LANES, x, 2);
}

// scores [16, keys] of queries from `query` on and keys from `first` on, -inf where they are not seen
template <typename T, int D>
static __device__ inline void find_scores(struct attention_shape s, int query, int first, int end,
                                          const uint32_t queries[][4], const T *key,
                                          float score[][4])
{
    const float scale = s.scale * LOG2_E;

#pragma unroll
    for (int step = 0; step < width<T, D>::steps; step++) {
        tensor_multiply<T, width<T, D>::scores, false>(
            (float(*)[4])score, queries[step], key + step * TENSOR_DEPTH(T), width<T, D>::row);
    }
#pragma unroll
    for (int j = 0; j < width<T, D>::scores; j++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int k = first + j * 8 + tensor_column() + i % 2;
            const bool seen = k < end && attention_sees(s, query + tensor_row() + i / 2 * 8, k);

            score[j][i] = seen ? score[j][i] * scale : -INFINITY;
        }
    }
}

// scores become exponentials, and what was summed so far is brought to the same largest one
template <typename T, int D>
static __device__ inline void exponentiate(float score[][4], struct state<D> *of)
{
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float largest = of->largest[r], sum = 0;

#pragma unroll
        for (int j = 0; j < width<T, D>::scores; j++) {
            largest = fmaxf(largest, fmaxf(score[j][2 * r], score[j][2 * r + 1]));
        }
        largest = row_max(largest);
#pragma unroll
        for (int j = 0; j < width<T, D>::scores; j++) {
            score[j][2 * r] = exp2f(score[j][2 * r] - largest);
            score[j][2 * r + 1] = exp2f(score[j][2 * r + 1] - largest);
            sum += score[j][2 * r] + score[j][2 * r + 1];
        }
        const float correction = exp2f(of->largest[r] - largest);
        of->largest[r] = largest;
        of->sum[r] = of->sum[r] * correction + sum;
#pragma unroll
        for (int j = 0; j < width<T, D>::sums; j++) {
            of->y[j][2 * r] *= correction;
            of->y[j][2 * r + 1] *= correction;
        }
    }
}

template <typename T, int D>
static __device__ inline void add_values(const float p[][4], const T *v, struct state<D> *of)
{
#pragma unroll
    for (int step = 0; step < width<T, D>::keys / TENSOR_DEPTH(T); step++) {
        uint32_t a[4];

        tensor_as_a(a, p, step, T());
        tensor_multiply<T, width<T, D>::sums, true>(
            of->y, a, v + step * TENSOR_DEPTH(T) * width<T, D>::row, width<T, D>::row);
    }
}

// rows of the warp's queries from `query` on, those that are there
template <typename T, int D>
static __device__ inline void write_queries(struct attention_shape s, int n, int head, int query,
                                            const struct state<D> *of, T *y, float *lse)
{
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const int row = query + tensor_row() + 8 * r;
        const float sum = row_sum(of->sum[r]);
        T *to = y + attention_row(s, (int64_t)n * s.tq + row, head) + tensor_column();

        if (row >= s.tq) {
            continue;
        }
#pragma unroll
        for (int j = 0; j < width<T, D>::sums; j++) {
            tensor_put(to + j * 8, of->y[j][2 * r] / sum, of->y[j][2 * r + 1] / sum);
        }
        if (lse != NULL && tensor_column() == 0) {
            lse[((int64_t)n * s.heads + head) * s.tq + row] = (of->largest[r] + log2f(sum)) * LN_2;
        }
    }
}

// the block's queries, through shared memory into registers
template <typename T, int D>
static __device__ inline void take_queries(struct attention_shape s, const T *q, int count,
                                           T *memory, uint32_t queries[][4])
{
    tensor_copy<T, QUERIES, D>(memory, q, (int64_t)s.heads * D, count);
    ptx_copy_mark();
    ptx_copy_wait<0>();
    __syncthreads();
#pragma unroll
    for (int step = 0; step < width<T, D>::steps; step++) {
        tensor_load_a(queries[step],
                      memory + threadIdx.x / CUDA_WARP * ROWS * width<T, D>::row +
                          step * TENSOR_DEPTH(T),
                      width<T, D>::row);
    }
    __syncthreads();
}

template <typename T, int D>
static __global__ void __launch_bounds__(THREADS, 2)
    attention_tensor(struct attention_shape s, const T *__restrict__ q, const T *__restrict__ key,
                     const T *__restrict__ v, T *__restrict__ y, float *__restrict__ lse)
{
    typedef struct stages<T, D> block_stages;
    SHARED(block_stages, stages);
    const int n = blockIdx.y / s.heads, head = blockIdx.y % s.heads, first = blockIdx.x * QUERIES;
    const int query = first + threadIdx.x / CUDA_WARP * ROWS;
    const int end = s.causal ? min(s.tk, first + QUERIES) : s.tk;
    constexpr int keys = width<T, D>::keys;
    const int64_t apart = (int64_t)s.heads * D;
    struct state<D> of = {
        {-INFINITY, -INFINITY}, {0, 0},
        {
            {
                0
            }
        }
    };
    uint32_t queries[width<T, D>::steps][4];

    key += attention_row(s, (int64_t)n * s.tk, head);
    v += attention_row(s, (int64_t)n * s.tk, head);
    take_queries<T, D>(s, q + attention_row(s, (int64_t)n * s.tq + first, head), s.tq - first,
                       stages->key[0], queries);
    tensor_copy<T, keys, D>(stages->key[0], key, apart, end);
    tensor_copy<T, keys, D>(stages->v[0], v, apart, end);
    ptx_copy_mark();
    for (int from = 0, stage = 0; from < end; from += keys, stage ^= 1) {
        const int next = from + keys;
        float score[width<T, D>::scores][4] = {};

        ptx_copy_wait<0>();
        __syncthreads();
        if (next < end) { // all are through with what this overwrites
            tensor_copy<T, keys, D>(stages->key[stage ^ 1], key + next * apart, apart, end - next);
            tensor_copy<T, keys, D>(stages->v[stage ^ 1], v + next * apart, apart, end - next);
            ptx_copy_mark();
        }
        find_scores<T, D>(s, query, from, end, queries, stages->key[stage], score);
        exponentiate<T, D>(score, &of);
        add_values<T, D>(score, stages->v[stage], &of);
    }
    write_queries<T, D>(s, n, head, query, &of, y, lse);
}

template <typename T, int D>
static void run(const kernels *k, struct attention_shape s, const T *q, const T *key, const T *v,
                T *y, float *lse)
{
    const auto kernel = attention_tensor<T, D>;
    const dim3 grid((unsigned)cuda_ceil(s.tq, QUERIES), (unsigned)(s.n * s.heads));

    LAUNCH(kernel, grid, THREADS, sizeof(struct stages<T, D>), cuda_stream(k), s, q, key, v, y,
           lse);
}

template <typename T>
bool attention_tensor_forward(const kernels *k, struct attention_shape s, const T *q, const T *key,
                              const T *v, T *y, float *lse)
{
    if (s.tk == 0 || !attention_aligned(q, key, v, y) || !attention_rounds(k)) {
        return false;
    }
    switch (s.d) {
    case 40:
        run<T, 40>(k, s, q, key, v, y, lse);
        return true;
    case 64:
        run<T, 64>(k, s, q, key, v, y, lse);
        return true;
    case 80:
        run<T, 80>(k, s, q, key, v, y, lse);
        return true;
    case 160:
        run<T, 160>(k, s, q, key, v, y, lse);
        return true;
    default:
        return false;
    }
}

#define FOR_TYPE(T)                                                                                \
    template bool attention_tensor_forward<T>(const kernels *, struct attention_shape, const T *,  \
                                              const T *, const T *, T *, float *);
FOR_TYPE(bf16)
FOR_TYPE(f16)
FOR_TYPE(float)
