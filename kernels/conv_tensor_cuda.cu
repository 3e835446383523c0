/* conv_tensor_cuda.cu: convolutions, and layers with a bias, as products on tensor cores that gather what
 * they multiply, in 16 bits or in tf32; formulas in conv_reference.c.
 *
 *   forward   y [pixel, o] = x [pixel's neighbour, c] W [o, neighbour, c] + bias      over neighbours, c
 *   input     dx [pixel, c] += dy [neighbour that saw it, o] W [o, neighbour, c]      over neighbours, o
 *
 * A block computes ROWS pixels times COLUMNS channels, a warp 32 of the pixels. DEPTH channels of one
 * neighbour are a step: they come through shared memory by copies that are STAGES - 1 steps ahead. Weights
 * are read as they are stored. Where pixels are few, blocks share the steps of a tile: their parts go
 * through the workspace and are added in their order, with the bias, before the one rounding. */
#include "kernels/conv_cuda.h"
#include "kernels/tensor_cuda.h"

#define WARPS   4
#define THREADS (WARPS * CUDA_WARP)
#define ROWS    128
#define COLUMNS 64
#define STAGES  3
#define PIECES  4                  // copies of a row
#define SIDE    (THREADS / PIECES) // rows that all threads copy at a time

#define PIECE(T) TENSOR_PIECE(T) // channels of a copy
#define DEPTH(T) (PIECES * PIECE(T))

// of weights that are turned: eight rows of 16 bits, and four of floats, lie in different banks
#define TURNED_ROW (COLUMNS + 8)

#define BLOCKS    256 // that should be there, and
#define FEW_STEPS 8   // that are not worth two parts

/* from [n, from_h, from_w, depth] are the pictures that are gathered, to [n, h, w, columns] what becomes of
 * them. steps: of a block; all: of a tile. parts [.., rows, columns]: NULL where a block has all steps. */
template <typename T> struct task {
    struct conv_shape s;
    const T *from, *w;
    const float *bias;
    T *to;
    int64_t rows;
    int h, w_to, from_h, from_w, depth, columns;
    int steps, all;
    float *parts;
};

template <typename T> struct stage {
    T a[ROWS * TENSOR_ROW(T, DEPTH(T))], b[COLUMNS * TENSOR_ROW(T, DEPTH(T))];

    static_assert(DEPTH(T) * TURNED_ROW <= COLUMNS * TENSOR_ROW(T, DEPTH(T)), "");
};

// what a thread copies next: channels `piece` on of one neighbour, which are these pixels, or -1
struct loader {
    int tap, piece;
    int pixel[ROWS / SIDE];
};

template <typename T, bool BACK>
static __device__ inline void find_pixels(const struct task<T> &t, struct loader *l)
{
    const struct conv_shape &s = t.s;

#pragma unroll
    for (int j = 0; j < ROWS / SIDE; j++) {
        const int64_t row = blockIdx.x * (int64_t)ROWS + threadIdx.x / PIECES + j * SIDE;
        const int64_t line = row / t.w_to;
        const int y =
            conv_source<BACK>((int)(line % t.h), l->tap / s.kw, s.pad_top, s.stride, t.from_h);
        const int x =
            conv_source<BACK>((int)(row % t.w_to), l->tap % s.kw, s.pad_left, s.stride, t.from_w);

        l->pixel[j] = row < t.rows && y >= 0 && x >= 0
                          ? (int)((line / t.h * t.from_h + y) * t.from_w + x)
                          : -1;
    }
}

template <typename T, bool BACK>
static __device__ inline struct loader begin_steps(const struct task<T> &t, int first)
{
    const int pieces = (t.depth + DEPTH(T) - 1) / DEPTH(T);
    struct loader l = {first / pieces, first % pieces, {0}};

    find_pixels<T, BACK>(t, &l);
    return l;
}

// rows of A: the pixels' channels
template <typename T>
static __device__ inline void copy_pixels(const struct task<T> &t, const struct loader &l, T *a)
{
    const int at = threadIdx.x % PIECES * PIECE(T), channel = l.piece * DEPTH(T) + at;

#pragma unroll
    for (int j = 0; j < ROWS / SIDE; j++) {
        const bool there = l.pixel[j] >= 0 && channel < t.depth;
        const int64_t from = there ? (int64_t)l.pixel[j] * t.depth + channel : 0;

        ptx_copy(a + (threadIdx.x / PIECES + j * SIDE) * TENSOR_ROW(T, DEPTH(T)) + at,
                 t.from + from, there);
    }
}

// B: forward a row a channel of y, backward a row a channel of dy
template <typename T, bool BACK>
static __device__ inline void copy_weights(const struct task<T> &t, const struct loader &l, T *b)
{
    constexpr int pieces = (BACK ? COLUMNS : DEPTH(T)) / PIECE(T);
    constexpr int apart = BACK ? TURNED_ROW : TENSOR_ROW(T, DEPTH(T));
    const int taps = t.s.kh * t.s.kw, first = blockIdx.y * COLUMNS;

#pragma unroll
    for (int j = 0; j < COLUMNS * PIECES / THREADS; j++) {
        const int piece = threadIdx.x + j * THREADS, row = piece / pieces;
        const int at = piece % pieces * PIECE(T);
        const int out = BACK ? l.piece * DEPTH(T) + row : first + row;
        const int in = BACK ? first + at : l.piece * DEPTH(T) + at;
        const bool there = out < t.s.out && in < t.s.c;
        const int64_t from = there ? ((int64_t)out * taps + l.tap) * t.s.c + in : 0;

        ptx_copy(b + row * apart + at, t.w + from, there);
    }
}

// begins the copies of a step, and goes on to the next one
template <typename T, bool BACK>
static __device__ inline void copy_step(const struct task<T> &t, struct loader *l,
                                        struct stage<T> *to)
{
    copy_pixels(t, *l, to->a);
    copy_weights<T, BACK>(t, *l, to->b);
    if (++l->piece * DEPTH(T) >= t.depth) {
        l->piece = 0;
        l->tap++;
        find_pixels<T, BACK>(t, l);
    }
}

#define TILES_DOWN   (ROWS / WARPS / 16) // products of a warp below each other
#define TILES_ACROSS (COLUMNS / 8)       // and side by side

template <typename T, bool BACK>
static __device__ inline void multiply_step(const struct stage<T> *of,
                                            float sum[TILES_DOWN][TILES_ACROSS][4])
{
    constexpr int apart = TENSOR_ROW(T, DEPTH(T));
    const T *rows = of->a + threadIdx.x / CUDA_WARP * (ROWS / WARPS) * apart;

#pragma unroll
    for (int depth = 0; depth < DEPTH(T); depth += TENSOR_DEPTH(T)) {
        uint32_t a[TILES_DOWN][4];

#pragma unroll
        for (int i = 0; i < TILES_DOWN; i++) {
            tensor_load_a(a[i], rows + i * 16 * apart + depth, apart);
        }
#pragma unroll
        for (int j = 0; j < TILES_ACROSS; j += 2) {
            uint32_t b[4];

            if (BACK) {
                tensor_load_b_turned(b, of->b + depth * TURNED_ROW + j * 8, TURNED_ROW);
            } else {
                tensor_load_b(b, of->b + j * 8 * apart + depth, apart);
            }
#pragma unroll
            for (int i = 0; i < TILES_DOWN; i++) {
                ptx_multiply(sum[i][j], a[i], b, T());
                ptx_multiply(sum[i][j + 1], a[i], b + 2, T());
            }
        }
    }
}

// two neighbours of a row of the result, whole or a part of it
template <typename T, bool BACK>
static __device__ inline void put_two(const struct task<T> &t, int64_t row, int column, float first,
                                      float second)
{
    const int64_t at = row * t.columns + column;
    T *to = t.to + at;

    if (t.parts != NULL) {
        float *part = t.parts + blockIdx.z * t.rows * t.columns + at;

        part[0] = first;
        part[1] = second;
    } else if (BACK) {
        const float2 before = tensor_get(to);

        tensor_put(to, before.x + first, before.y + second);
    } else if (t.bias != NULL) {
        tensor_put(to, first + t.bias[column], second + t.bias[column + 1]);
    } else {
        tensor_put(to, first, second);
    }
}

template <typename T, bool BACK>
static __device__ inline void put_sums(const struct task<T> &t,
                                       const float sum[TILES_DOWN][TILES_ACROSS][4])
{
    const int64_t first = blockIdx.x * (int64_t)ROWS + threadIdx.x / CUDA_WARP * (ROWS / WARPS);

#pragma unroll
    for (int i = 0; i < TILES_DOWN * 2; i++) {
        const int64_t row = first + i * 8 + tensor_row();

#pragma unroll
        for (int j = 0; j < TILES_ACROSS; j++) {
            const int column = blockIdx.y * COLUMNS + j * 8 + tensor_column();

            if (row < t.rows && column < t.columns) {
                put_two<T, BACK>(t, row, column, sum[i / 2][j][i % 2 * 2],
                                 sum[i / 2][j][i % 2 * 2 + 1]);
            }
        }
    }
}

template <typename T, bool BACK>
static __global__ void __launch_bounds__(THREADS, 3) multiply_pixels(struct task<T> t)
{
    SHARED_ARRAY(struct stage<T>, stages);
    const int first = blockIdx.z * t.steps, last = min(first + t.steps, t.all);
    struct loader l = begin_steps<T, BACK>(t, first);
    float sum[TILES_DOWN][TILES_ACROSS][4] = {};

    // a group of copies a step, also where there is none left
    for (int step = first; step < first + STAGES - 1; step++) {
        if (step < last) {
            copy_step<T, BACK>(t, &l, stages + (step - first));
        }
        ptx_copy_mark();
    }
    for (int step = first, at = 0; step < last; step++, at = (at + 1) % STAGES) {
        ptx_copy_wait<STAGES - 2>();
        __syncthreads();
        if (step + STAGES - 1 < last) { // all are through with what this overwrites
            copy_step<T, BACK>(t, &l, stages + (at + STAGES - 1) % STAGES);
        }
        ptx_copy_mark();
        multiply_step<T, BACK>(stages + at, sum);
    }
    put_sums<T, BACK>(t, sum);
}

// the parts together, in their order
template <typename T, bool BACK> static __global__ void add_parts(struct task<T> t, int count)
{
    EACH_ROW(row, t.rows)
    {
        EACH_COLUMN(column, t.columns)
        {
            const int64_t at = row * t.columns + column;
            float sum = !BACK && t.bias != NULL ? t.bias[column] : 0;

            for (int i = 0; i < count; i++) {
                sum += t.parts[i * t.rows * t.columns + at];
            }
            put(t.to + at, BACK ? value_of(t.to[at]) + sum : sum);
        }
    }
}

// parts of a tile's steps, so that there are enough blocks
static int divide(int64_t rows, int columns, int steps)
{
    const int64_t blocks = cuda_ceil(rows, ROWS) * cuda_ceil(columns, COLUMNS);
    const int64_t most = (int64_t)(CUDA_WORKSPACE / sizeof(float)) / (rows * columns);

    return (int)CLAMP(MIN(BLOCKS / blocks, most), 1, MAX(steps / FEW_STEPS, 1));
}

template <typename T, bool BACK> static void run(const kernels *k, struct task<T> t)
{
    const auto kernel = multiply_pixels<T, BACK>;
    const auto add = add_parts<T, BACK>;

    t.all = t.s.kh * t.s.kw * (int)cuda_ceil(t.depth, DEPTH(T));
    t.steps = (int)cuda_ceil(t.all, divide(t.rows, t.columns, t.all));
    const int parts = (int)cuda_ceil(t.all, t.steps);
    t.parts = parts > 1 ? (float *)cuda_device(k)->workspace : NULL;
    const dim3 grid((unsigned)cuda_ceil(t.rows, ROWS), (unsigned)cuda_ceil(t.columns, COLUMNS),
                    (unsigned)parts);

    LAUNCH(kernel, grid, THREADS, STAGES * sizeof(struct stage<T>), cuda_stream(k), t);
    if (parts > 1) {
        LAUNCH(add, cuda_row_blocks(t.rows), cuda_row_threads(), 0, cuda_stream(k), t, parts);
    }
}

template <typename T>
static void run_either(const kernels *k, struct conv_shape s, bool back, const T *from, const T *w,
                       const float *bias, T *to)
{
    if (back) {
        run<T, true>(k, {s, from, w, NULL, to, (int64_t)s.n * s.h * s.w, s.h, s.w, s.out_h, s.out_w,
                         s.out, s.c, 0, 0, NULL});
    } else {
        run<T, false>(k, {s, from, w, bias, to, (int64_t)s.n * s.out_h * s.out_w, s.out_h, s.out_w,
                          s.h, s.w, s.c, s.out, 0, 0, NULL});
    }
}

static bool is_aligned(const void *data)
{
    return (uintptr_t)data % PTX_COPY == 0;
}

bool conv_tensor(const kernels *k, struct conv_shape s, bool back, const cell *from,
                 struct kernels_weight w, const real *bias, cell *to)
{
    const int pixels = MAX(s.n * s.h * s.w, s.n * s.out_h * s.out_w); // their number is an int
    const int piece = PTX_COPY / (int)kernels_size(w.type);

    if (w.type != k->activation || s.c % piece != 0 || s.out % (back ? piece : 2) != 0 ||
        !is_aligned(from) || !is_aligned(w.data) || !is_aligned(to) || pixels <= 0) {
        return false;
    }
    switch (w.type) {
    case KERNELS_BF16:
        run_either(k, s, back, (const bf16 *)from, (const bf16 *)w.data, bias, (bf16 *)to);
        return true;
    case KERNELS_F16:
        run_either(k, s, back, (const f16 *)from, (const f16 *)w.data, bias, (f16 *)to);
        return true;
    default:
        if (cuda_tf32(k)) {
            run_either(k, s, back, (const float *)from, (const float *)w.data, bias, (float *)to);
        }
        return cuda_tf32(k);
    }
}
