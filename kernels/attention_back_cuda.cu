/* attention_back_cuda.cu: attention's way back, with probabilities computed again from lse; formulas in
 * attention_reference.c, and the one sum that both directions are in attention_cuda.h.
 *
 * First D, a warp a query. Then two launches of one kernel, whose blocks have OWN rows each, queries in
 * the first and keys in the second: the others come through shared memory, a tile at a time, and
 * within a warp a lane is first one of them (products, p, ds), then every 32nd channel (sums). */
#include "kernels/attention_cuda.h"

#define WARPS   4
#define THREADS (WARPS * CUDA_WARP)

// d [n, heads, tq] = dy y of each query
template <typename T>
static __global__ void products_of_rows(struct attention_shape s, const T *__restrict__ dy,
                                        const T *__restrict__ y, float *__restrict__ d)
{
    EACH_ROW(row, (int64_t)s.n * s.tq * s.heads)
    {
        const int64_t token = row / s.heads, picture = token / s.tq;
        const int head = (int)(row % s.heads);
        float sum = 0;

        EACH_COLUMN(c, s.d)
        {
            sum += value_of(dy[row * s.d + c]) * value_of(y[row * s.d + c]);
        }
        sum = warp_sum(sum);
        if (threadIdx.x == 0) {
            d[(picture * s.heads + head) * s.tq + token % s.tq] = sum;
        }
    }
}

// rows of two arrays in shared memory, `width` apart
struct pair_rows {
    float *a, *b;
};

template <typename T>
static __device__ void load_pair(struct attention_shape s, struct attention_side<T> side, int n,
                                 int head, int first, int count, struct pair_rows to)
{
    const int64_t from = attention_row(s, (int64_t)n * side.tokens + first, head);

    for (int i = threadIdx.x; i < count * s.d; i += THREADS) {
        const int row = i / s.d, c = i % s.d, at = row * (s.d + 1) + c;
        const int64_t value = from + (int64_t)row * s.heads * s.d + c;

        to.a[at] = value_of(side.a[value]);
        to.b[at] = value_of(side.b[value]);
    }
}

// what one own row collects; SLOTS: channels of a lane
template <int SLOTS> struct sums {
    float a[SLOTS], b[SLOTS];
};

static __device__ inline float dot(int d, const float *x, const float *y)
{
    float sum = 0;

    for (int c = 0; c < d; c++) {
        sum += x[c] * y[c];
    }
    return sum;
}

// the lane's pair of an own row and row `lane` of the tile: p and ds, 0 where it is not seen
static __device__ inline float2 weigh(struct attention_shape s, bool seen, struct pair_rows own,
                                      struct pair_rows tile, const float *lse, const float *d,
                                      int query)
{
    const int at = threadIdx.x % CUDA_WARP * (s.d + 1);

    if (!seen) {
        return {0, 0};
    }
    const float p = expf(s.scale * dot(s.d, own.a, tile.a + at) - lse[query]);
    return {p, p * (dot(s.d, own.b, tile.b + at) - d[query])};
}

template <int SLOTS, bool KEYS>
static __device__ void add_tile(struct attention_shape s, int count, float2 weight,
                                struct pair_rows tile, struct sums<SLOTS> *sums)
{
    const int lane = threadIdx.x % CUDA_WARP;

    for (int j = 0; j < count; j++) {
        const float ds = __shfl_sync(ALL_LANES, weight.y, j);
        const float p = KEYS ? __shfl_sync(ALL_LANES, weight.x, j) : 0;

#pragma unroll
        for (int i = 0; i < SLOTS; i++) {
            const int c = lane + i * CUDA_WARP;

            if (c < s.d) {
                sums->a[i] += ds * tile.a[j * (s.d + 1) + c];
                sums->b[i] += KEYS ? p * tile.b[j * (s.d + 1) + c] : 0;
            }
        }
    }
}

template <typename T, int SLOTS, bool KEYS>
static __device__ void write_sums(struct attention_shape s, int64_t to,
                                  const struct sums<SLOTS> *sums, T *da, T *db)
{
#pragma unroll
    for (int i = 0; i < SLOTS; i++) {
        const int c = threadIdx.x % CUDA_WARP + i * CUDA_WARP;

        if (c < s.d) {
            put_more(da + to + c, s.scale * sums->a[i]);
            if (KEYS) {
                put_more(db + to + c, sums->b[i]);
            }
        }
    }
}

template <typename T, int SLOTS, int OWN, bool KEYS>
static __global__ void __launch_bounds__(THREADS, 4)
    attention_sums(struct attention_shape s, int tile, struct attention_back<T> back)
{
    SHARED_ARRAY(float, memory);
    const int width = s.d + 1, warp = threadIdx.x / CUDA_WARP, lane = threadIdx.x % CUDA_WARP;
    constexpr int mine = OWN / WARPS;
    const int n = blockIdx.y / s.heads, head = blockIdx.y % s.heads, first = blockIdx.x * OWN;
    const int64_t statistics = (int64_t)blockIdx.y * s.tq;
    const struct pair_rows own = {memory, memory + OWN * width};
    const struct pair_rows other = {own.b + OWN * width, own.b + (OWN + tile) * width};
    const int there = min(OWN, back.own.tokens - first);
    const int begin = s.causal && KEYS ? first : 0;
    const int end = s.causal && !KEYS ? min(back.other.tokens, first + there) : back.other.tokens;
    struct sums<SLOTS> sums[mine] = {
    };

    load_pair(s, back.own, n, head, first, there, own);
    for (int from = begin; from < end; from += tile) {
        const int count = min(tile, end - from);

        __syncthreads();
        load_pair(s, back.other, n, head, from, count, other);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < mine; i++) {
            const int row = warp * mine + i, token = first + row, partner = from + lane;
            const int query = KEYS ? partner : token, key = KEYS ? token : partner;

            if (row < there) { // the same for all lanes of the warp
                const bool seen = lane < count && attention_sees(s, query, key);
                const float2 weight =
                    weigh(s, seen, {own.a + row * width, own.b + row * width}, other,
                          back.lse + statistics, back.d + statistics, query);
                add_tile<SLOTS, KEYS>(s, count, weight, other, &sums[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < mine; i++) {
        const int token = first + warp * mine + i;

        if (warp * mine + i < there) {
            write_sums<T, SLOTS, KEYS>(s,
                                       attention_row(s, (int64_t)n * back.own.tokens + token, head),
                                       &sums[i], back.da, back.db);
        }
    }
}

template <typename T, int SLOTS, int OWN, bool KEYS>
static void run_tiled(const kernels *k, struct attention_shape s, struct attention_back<T> back)
{
    const auto kernel = attention_sums<T, SLOTS, OWN, KEYS>;
    const int width = s.d + 1, limit = (48 << 10) / (int)sizeof(float);
    const int tile = MIN(CUDA_WARP, (limit - 2 * OWN * width) / (2 * width));
    const size_t shared = (size_t)(2 * OWN + 2 * tile) * width * sizeof(float);
    const dim3 grid((unsigned)cuda_ceil(back.own.tokens, OWN), (unsigned)(s.n * s.heads));

    LAUNCH(kernel, grid, THREADS, shared, cuda_stream(k), s, tile, back);
}

template <typename T, bool KEYS>
static void run(const kernels *k, struct attention_shape s, struct attention_back<T> back)
{
    if (attention_tensor_backward<T>(k, s, back, KEYS)) {
        return;
    }
    if (s.d <= 64) {
        run_tiled<T, 2, 16, KEYS>(k, s, back);
    } else if (s.d <= ATTENTION_TILED) {
        run_tiled<T, 5, 8, KEYS>(k, s, back);
    } else {
        attention_wide_backward<T>(k, s, back, KEYS);
    }
}

void attention_backward(const kernels *k, struct attention_shape s, const cell *q, const cell *key,
                        const cell *v, const cell *y, const real *lse, const cell *dy, cell *dq,
                        cell *dkey, cell *dv)
{
    if (s.n == 0 || s.tq == 0 || s.tk == 0) {
        return;
    }
    const int64_t rows = (int64_t)s.n * s.tq * s.heads;
    struct cuda_room room = cuda_workspace(k);
    float *d = (float *)cuda_take(&room, sizeof(float) * (size_t)rows);
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        const struct attention_side<T> queries = {
            (const T *)q, (const T *)dy, s.tq
        };
        const struct attention_side<T> keys = {
            (const T *)key, (const T *)v, s.tk
        };

        LAUNCH(products_of_rows<T>, cuda_row_blocks(rows), cuda_row_threads(), 0, cuda_stream(k), s,
               (const T *)dy, (const T *)y, d);
        run<T, false>(k, s, {queries, keys, lse, d, (T *)dq, NULL});
        run<T, true>(k, s, {keys, queries, lse, d, (T *)dkey, (T *)dv});
    });
}
