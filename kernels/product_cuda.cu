/* product_cuda.cu: matrix products: by cuBLASLt (library_cuda.cu) where it has a way, by an own kernel for the
 * rest. Of 16 bits a bias is added behind the library, in float, before the one rounding. */
#include "kernels/cell_cuda.h"

// y [m, n] = x [m, n] in float + bias [n], of the type
static __global__ void finish(int64_t m, int n, const float *x, const float *__restrict__ bias,
                              enum kernels_type type, void *y)
{
    EACH_ROW(row, m)
    {
        EACH_COLUMN(i, n)
        {
            put_at(type, y, row * n + i, x[row * n + i] + bias[i]);
        }
    }
}

/* ---- the own kernel ---- */

#define TILE         64            // rows and columns of C that a block computes
#define DEPTH        16            // of k that lie in shared memory at a time
#define SIDE         16            // threads in each direction
#define EACH_THREADS (TILE / SIDE) // rows and columns of a thread, SIDE apart

struct tiles {
    float a[DEPTH][TILE + 1], b[DEPTH][TILE + 1];
};

// both factors from k `first` on; what lies outside is 0
static __device__ inline void load_tiles(const struct cuda_product &p, int64_t first,
                                         struct tiles *t)
{
    const struct gemm_shape s = p.s;
    const int thread = threadIdx.y * SIDE + threadIdx.x;

    for (int i = thread; i < TILE * DEPTH; i += SIDE * SIDE) {
        const int depth = i % DEPTH, across = i / DEPTH;
        const int64_t l = first + depth;
        const int64_t row = blockIdx.x * (int64_t)TILE + across;
        const int64_t column = blockIdx.y * (int64_t)TILE + across;

        t->a[depth][across] =
            row < s.m && l < s.k
                ? value_at(p.a_type, p.a, s.transpose_a ? l * s.m + row : row * s.k + l)
                : 0;
        t->b[depth][across] =
            column < s.n && l < s.k
                ? value_at(p.b_type, p.b, s.transpose_b ? column * s.k + l : l * s.n + column)
                : 0;
    }
}

static __device__ inline void add_tiles(const struct tiles *t,
                                        float sum[EACH_THREADS][EACH_THREADS])
{
    for (int depth = 0; depth < DEPTH; depth++) {
#pragma unroll
        for (int i = 0; i < EACH_THREADS; i++) {
#pragma unroll
            for (int j = 0; j < EACH_THREADS; j++) {
                sum[i][j] +=
                    t->a[depth][threadIdx.y + i * SIDE] * t->b[depth][threadIdx.x + j * SIDE];
            }
        }
    }
}

static __device__ inline void put_sum(const struct cuda_product &p, int64_t row, int64_t column,
                                      float sum)
{
    const int64_t at = row * p.s.n + column;

    sum += p.bias != NULL ? p.bias[column] : 0;
    put_at(p.c_type, p.c, at, p.s.accumulate ? value_at(p.c_type, p.c, at) + sum : sum);
}

static __global__ void __launch_bounds__(SIDE *SIDE) multiply_tiles(struct cuda_product p)
{
    SHARED(struct tiles, t);
    float sum[EACH_THREADS][EACH_THREADS] = {};

    for (int64_t first = 0; first < p.s.k; first += DEPTH) {
        load_tiles(p, first, t);
        __syncthreads();
        add_tiles(t, sum);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < EACH_THREADS; i++) {
#pragma unroll
        for (int j = 0; j < EACH_THREADS; j++) {
            const int64_t row = blockIdx.x * (int64_t)TILE + threadIdx.y + i * SIDE;
            const int64_t column = blockIdx.y * (int64_t)TILE + threadIdx.x + j * SIDE;

            if (row < p.s.m && column < p.s.n) {
                put_sum(p, row, column, sum[i][j]);
            }
        }
    }
}

/* ---- either ---- */

static void multiply_self(const kernels *k, const struct cuda_product *p)
{
    const dim3 grid((unsigned)cuda_ceil(p->s.m, TILE), (unsigned)cuda_ceil(p->s.n, TILE));
    const struct cuda_product product = *p;

    LAUNCH(multiply_tiles, grid, dim3(SIDE, SIDE), sizeof(struct tiles), cuda_stream(k), product);
}

/* Of 16 bits: without its bias the product is taken as floats, in rows of C as many as the room has, each
 * part of which then gets its bias. False where the library has no way. */
static bool multiply_with_bias(const kernels *k, const struct cuda_product *p,
                               struct cuda_room room)
{
    const struct gemm_shape s = p->s;
    const int64_t most = MIN(s.m, (int64_t)(room.bytes / sizeof(float)) / s.n);

    for (int64_t row = 0; row < s.m; row += most) {
        struct cuda_product part = *p;

        part.s.m = MIN(most, s.m - row);
        part.a = (const char *)p->a + row * s.k * (int64_t)kernels_size(p->a_type);
        part.bias = NULL;
        part.c_type = KERNELS_F32;
        part.c = room.memory;
        if (!cuda_library_takes(&part) || !cuda_library_multiply(k, &part)) {
            return false;
        }
        LAUNCH(finish, cuda_row_blocks(part.s.m), cuda_row_threads(), 0, cuda_stream(k), part.s.m,
               (int)s.n, (const float *)part.c, p->bias, p->c_type,
               (char *)p->c + row * s.n * (int64_t)kernels_size(p->c_type));
    }
    return true;
}

void cuda_multiply(const kernels *k, const struct cuda_product *p, struct cuda_room room)
{
    if (p->s.m == 0 || p->s.n == 0) {
        return;
    }
    const bool done = cuda_library_takes(p)                         ? cuda_library_multiply(k, p)
                      : p->bias != NULL && p->c_type != KERNELS_F32 ? multiply_with_bias(k, p, room)
                                                                    : false;
    if (!done) {
        multiply_self(k, p);
    }
}
