/* attention_tensor_back_cuda.cu: attention's way back on tensor cores, for the head widths of Stable
 * Diffusion and values of 16 bits, or floats in tf32; formulas in attention_reference.c, and the one sum that
 * both directions are in attention_cuda.h.
 *
 * A block has own rows of a head, a warp 16 of them; the others come through shared memory, the next tile
 * while this one is worked on. Where both sums of a wide head do not fit a lane's registers, one block sums
 * the first half of the channels and one the other. Scores and lse are in units of log 2. p and ds are rounded to the type
 * before they weigh the others' rows. */
#include "kernels/attention_cuda.h"
#include "kernels/tensor_cuda.h"

#define ROWS   16 // of a warp
#define LOG2_E 1.44269504f

// own rows and two tiles of others are less than 48 KiB, but for 160 floats, and their sums fit registers
template <typename T, int D> struct back_width {
    static constexpr bool narrow = D * sizeof(T) <= 160;
    static constexpr int warps = narrow ? 4 : 2, own = warps * ROWS, others = narrow ? 32 : 16;
    static constexpr int threads = warps * CUDA_WARP, row = TENSOR_ROW(T, D);
    static constexpr int steps = TENSOR_STEPS(T, D), pairs = others / 8;
    // of a loop: floats have more steps than there are registers for what is loaded ahead of all
    static constexpr int together = sizeof(T) == 2 || steps <= 5 ? steps : steps % 5 == 0 ? 5 : 4;
    static constexpr int blocks = narrow ? 2 : 4; // of a processor: as many registers as there are
};

// products side by side that a block adds up, and how many blocks share a row's
template <int D, bool KEYS> struct part {
    static constexpr int count = KEYS && D > 80 ? 2 : 1, sums = D / 8 / count;
};

template <typename T, int D> struct back_stages {
    T a[back_width<T, D>::own * back_width<T, D>::row],
        b[back_width<T, D>::own * back_width<T, D>::row];
    T other_a[2][back_width<T, D>::others * back_width<T, D>::row],
        other_b[2][back_width<T, D>::others * back_width<T, D>::row];
};

// what a block works on: own rows of a head from `first` on, others from `begin` to `end`
struct place {
    int n, head, first, begin, end;
};

/* lse, in units of log 2, and D of two queries: of the lane's rows or of its columns. Where there is no
 * query lse is infinite, so that p is 0. */
struct statistics {
    float lse[2], d[2];
};

template <typename T>
static __device__ inline struct statistics
statistics_of(struct attention_shape s, const struct attention_back<T> &back, int query, int apart)
{
    const int64_t base = (int64_t)blockIdx.y * s.tq;
    struct statistics of;

#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int at = query + i * apart;
        const bool there = at < s.tq;

        of.lse[i] = there ? back.lse[base + at] * LOG2_E : INFINITY;
        of.d[i] = there ? back.d[base + at] : 0;
    }
    return of;
}

// scores [16, others] of the warp's rows become p, and dp [16, others] ds
template <typename T, int D, bool KEYS>
static __device__ inline void weigh(struct attention_shape s, const struct attention_back<T> &back,
                                    struct place at, int own, int from, struct statistics rows,
                                    float p[][4], float ds[][4])
{
    const float scale = s.scale * LOG2_E;

#pragma unroll
    for (int j = 0; j < back_width<T, D>::pairs; j++) {
        const int other = from + j * 8 + tensor_column();
        const struct statistics of = KEYS ? statistics_of(s, back, other, 1) : rows;

#pragma unroll
        for (int i = 0; i < 4; i++) {
            const int row = own + tensor_row() + i / 2 * 8, column = other + i % 2;
            const int query = KEYS ? column : row, key = KEYS ? row : column;
            const int q = KEYS ? i % 2 : i / 2;
            const bool seen = column < at.end && attention_sees(s, query, key);

            p[j][i] = seen ? exp2f(p[j][i] * scale - of.lse[q]) : 0;
            ds[j][i] = p[j][i] * (ds[j][i] - of.d[q]);
        }
    }
}

// c [16, others] += rows of the warp times rows of the tile
template <typename T, int D>
static __device__ inline void multiply_rows(const T *own, const T *other, float c[][4])
{
#pragma unroll back_width < T, D> ::together
    for (int step = 0; step < back_width<T, D>::steps; step++) {
        uint32_t a[4];

        tensor_load_a(a, own + step * TENSOR_DEPTH(T), back_width<T, D>::row);
        tensor_multiply<T, back_width<T, D>::pairs, false>(
            (float(*)[4])c, a, other + step * TENSOR_DEPTH(T), back_width<T, D>::row);
    }
}

// sums [16, 8 SUMS] += weight [16, others] times as many columns of the tile
template <typename T, int D, int SUMS>
static __device__ inline void add_rows(const float weight[][4], const T *other, float sums[][4])
{
#pragma unroll
    for (int step = 0; step < back_width<T, D>::others / TENSOR_DEPTH(T); step++) {
        uint32_t a[4];

        tensor_as_a(a, weight, step, T());
        tensor_multiply<T, SUMS, true>((float(*)[4])sums, a,
                                       other + step * TENSOR_DEPTH(T) * back_width<T, D>::row,
                                       back_width<T, D>::row);
    }
}

// to [16, 8 SUMS] += factor * sums, of the rows that are there
template <typename T, int SUMS>
static __device__ inline void write_sums(struct attention_shape s, struct place at, int own,
                                         int tokens, float factor, const float sums[][4], T *to)
{
#pragma unroll
    for (int r = 0; r < 2; r++) {
        const int row = own + tensor_row() + 8 * r;
        T *first = to + attention_row(s, (int64_t)at.n * tokens + row, at.head) + tensor_column();

        if (row >= tokens) {
            continue;
        }
#pragma unroll
        for (int j = 0; j < SUMS; j++) {
            const float2 before = tensor_get(first + j * 8);

            tensor_put(first + j * 8, before.x + factor * sums[j][2 * r],
                       before.y + factor * sums[j][2 * r + 1]);
        }
    }
}

template <typename T, int D, int COUNT>
static __device__ inline void copy_side(struct attention_shape s, struct attention_side<T> side,
                                        struct place at, int from, int end, T *a, T *b)
{
    const int64_t first = attention_row(s, (int64_t)at.n * side.tokens + from, at.head);

    tensor_copy<T, COUNT, D>(a, side.a + first, (int64_t)s.heads * D, end - from);
    tensor_copy<T, COUNT, D>(b, side.b + first, (int64_t)s.heads * D, end - from);
}

template <typename T, int D, bool KEYS>
static __device__ inline struct place place_of(struct attention_shape s,
                                               const struct attention_back<T> &back)
{
    const int first = blockIdx.x * back_width<T, D>::own, others = back.other.tokens;
    const int begin =
        s.causal && KEYS ? first / back_width<T, D>::others * back_width<T, D>::others : 0;
    const int end = s.causal && !KEYS ? min(others, first + back_width<T, D>::own) : others;

    return {(int)blockIdx.y / s.heads, (int)blockIdx.y % s.heads, first, begin, end};
}

template <typename T, int D, bool KEYS>
static __global__ void __launch_bounds__(back_width<T, D>::threads, back_width<T, D>::blocks)
    attention_tensor_sums(struct attention_shape s, struct attention_back<T> back)
{
    typedef struct back_stages<T, D> block_stages;
    SHARED(block_stages, stages);
    const struct place at = place_of<T, D, KEYS>(s, back);
    const int warp = threadIdx.x / CUDA_WARP * ROWS, own = at.first + warp;
    const T *a = stages->a + warp * back_width<T, D>::row,
            *b = stages->b + warp * back_width<T, D>::row;
    const struct statistics rows =
        KEYS ? statistics{} : statistics_of(s, back, own + tensor_row(), 8);
    constexpr int others = back_width<T, D>::others, sums = part<D, KEYS>::sums;
    const int column = blockIdx.z * sums * 8;
    float da[sums][4] = {}, db[KEYS ? sums : 1][4] = {};

    copy_side<T, D, back_width<T, D>::own>(s, back.own, at, at.first, back.own.tokens, stages->a,
                                           stages->b);
    copy_side<T, D, others>(s, back.other, at, at.begin, at.end, stages->other_a[0],
                            stages->other_b[0]);
    ptx_copy_mark();
    for (int from = at.begin, stage = 0; from < at.end; from += others, stage ^= 1) {
        float p[back_width<T, D>::pairs][4] = {}, ds[back_width<T, D>::pairs][4] = {};

        ptx_copy_wait<0>();
        __syncthreads();
        if (from + others < at.end) { // all are through with what this overwrites
            copy_side<T, D, others>(s, back.other, at, from + others, at.end,
                                    stages->other_a[stage ^ 1], stages->other_b[stage ^ 1]);
            ptx_copy_mark();
        }
        multiply_rows<T, D>(a, stages->other_a[stage], p);
        multiply_rows<T, D>(b, stages->other_b[stage], ds);
        weigh<T, D, KEYS>(s, back, at, own, from, rows, p, ds);
        add_rows<T, D, sums>(ds, stages->other_a[stage] + column, da);
        if (KEYS) {
            add_rows<T, D, sums>(p, stages->other_b[stage] + column, db);
        }
    }
    write_sums<T, sums>(s, at, own, back.own.tokens, s.scale, da, back.da + column);
    if (KEYS) {
        write_sums<T, sums>(s, at, own, back.own.tokens, 1, db, back.db + column);
    }
}

template <typename T, int D, bool KEYS>
static void run(const kernels *k, struct attention_shape s, struct attention_back<T> back)
{
    const auto kernel = attention_tensor_sums<T, D, KEYS>;
    constexpr size_t bytes = sizeof(struct back_stages<T, D>);
    constexpr int threads = back_width<T, D>::threads;
    const dim3 grid((unsigned)cuda_ceil(back.own.tokens, back_width<T, D>::own),
                    (unsigned)(s.n * s.heads), part<D, KEYS>::count);

    if (bytes > 48 << 10) { // devices from 8.0 on have 99 KiB
        cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             (int)bytes);
    }
    LAUNCH(kernel, grid, threads, bytes, cuda_stream(k), s, back);
}

template <typename T, int D>
static bool run_side(const kernels *k, struct attention_shape s, struct attention_back<T> back,
                     bool keys)
{
    if (keys) {
        run<T, D, true>(k, s, back);
    } else {
        run<T, D, false>(k, s, back);
    }
    return true;
}

template <typename T>
bool attention_tensor_backward(const kernels *k, struct attention_shape s,
                               struct attention_back<T> back, bool keys)
{
    if (!attention_aligned(back.own.a, back.own.b, back.other.a, back.other.b) ||
        !attention_aligned(back.da, back.db, NULL, NULL) || !attention_rounds(k)) {
        return false;
    }
    switch (s.d) {
    case 40:
        return run_side<T, 40>(k, s, back, keys);
    case 64:
        return run_side<T, 64>(k, s, back, keys);
    case 80:
        return run_side<T, 80>(k, s, back, keys);
    case 160:
        return run_side<T, 160>(k, s, back, keys);
    default:
        return false;
    }
}

#define FOR_TYPE(T)                                                                                \
    template bool attention_tensor_backward<T>(const kernels *, struct attention_shape,            \
                                               struct attention_back<T>, bool);
FOR_TYPE(bf16)
FOR_TYPE(f16)
FOR_TYPE(float)
