/* groupnorm_cuda.cu: group normalisation of channels-last tokens; formulas in groupnorm_reference.c.
 *
 *   held      a block keeps a group whose values fit into its shared memory: x is read once
 * else
 *   moments   a block takes some rows of one group: their mean and the sum of squares around it
 *   apply     each block puts the parts of its group together (Chan et al. 1979), always in the same
 *             order, and writes its rows
 * and backward
 *   sums      of g and of g xhat over some rows, a channel a thread
 *   averages  a warp a group puts the parts together: the sums of each channel, the group's averages
 *   gains     each channel's sums over the pictures, in their order
 *   slopes    dx, a row at a time */
#include "kernels/cell_cuda.h"
#include "kernels/reduce_cuda.h"

#define PARTS 64   // of a group, at most
#define SMALL 4096 // values that are not worth two parts

struct moments {
    float mean, squares;
};

struct parts {
    int count;
    int64_t rows; // of each but the last
};

// a part's value i, of the group `pair` of n * groups: where it lies, and its channel
struct place {
    int64_t at;
    int channel;
};

static __device__ inline struct place place_of(struct groupnorm_shape s, int pair, int64_t row,
                                               int i)
{
    const int width = s.c / s.groups, channel = pair % s.groups * width + i % width;

    return {(pair / s.groups * s.t + row + i / width) * s.c + channel, channel};
}

static __device__ inline int values_of(struct groupnorm_shape s, struct parts p, int part)
{
    return (int)(min(s.t - part * p.rows, p.rows) * (s.c / s.groups));
}

template <typename T>
static __global__ void __launch_bounds__(CUDA_THREADS)
    groupnorm_moments(struct groupnorm_shape s, struct parts p, const T *__restrict__ x,
                      struct moments *__restrict__ out)
{
    SHARED(struct block_parts<float>, sums);
    const int part = blockIdx.x, pair = blockIdx.y, count = values_of(s, p, part);
    float sum = 0, squares = 0;

    for (int i = threadIdx.x; i < count; i += CUDA_THREADS) {
        sum += value_of(x[place_of(s, pair, part * p.rows, i).at]);
    }
    const float mean = block_sum(sum, sums) / (float)count;
    for (int i = threadIdx.x; i < count; i += CUDA_THREADS) {
        const float centred = value_of(x[place_of(s, pair, part * p.rows, i).at]) - mean;

        squares += centred * centred;
    }
    squares = block_sum(squares, sums);
    if (threadIdx.x == 0) {
        out[pair * p.count + part] = {mean, squares};
    }
}

static __device__ inline struct moments put_together(struct groupnorm_shape s, struct parts p,
                                                     const struct moments *all)
{
    struct moments m = {0, 0};
    float count = 0;

    for (int i = 0; i < p.count; i++) {
        const float more = (float)values_of(s, p, i), both = count + more;
        const float apart = all[i].mean - m.mean;

        m.mean += apart * (more / both);
        m.squares += all[i].squares + apart * apart * (count * more / both);
        count = both;
    }
    m.squares /= count;
    return m;
}

template <typename T>
static __global__ void __launch_bounds__(CUDA_THREADS)
    groupnorm_apply(struct groupnorm_shape s, struct parts p, const T *__restrict__ x,
                    const float *__restrict__ gain, const float *__restrict__ bias,
                    const struct moments *__restrict__ all, T *__restrict__ y,
                    float *__restrict__ mean, float *__restrict__ rstd)
{
    const int part = blockIdx.x, pair = blockIdx.y, count = values_of(s, p, part);
    const struct moments m = put_together(s, p, all + pair * p.count);
    const float scale = rsqrtf(m.squares + s.epsilon);

    for (int i = threadIdx.x; i < count; i += CUDA_THREADS) {
        const struct place to = place_of(s, pair, part * p.rows, i);
        const float xhat = (value_of(x[to.at]) - m.mean) * scale;
        const float z = xhat * gain[to.channel] + bias[to.channel];

        put(y + to.at, s.silu ? z / (1 + expf(-z)) : z);
    }
    if (part == 0 && threadIdx.x == 0) {
        mean[pair] = m.mean;
        rstd[pair] = scale;
    }
}

/* ---- forward, a block a group ---- */

// bytes of shared memory that every device gives without being asked; threads of a group that is worth more than a few
#define HELD_BYTES   (48 * 1024)
#define HELD_THREADS 1024

template <typename T>
static __global__ void __launch_bounds__(HELD_THREADS)
    groupnorm_held(struct groupnorm_shape s, const T *__restrict__ x,
                   const float *__restrict__ gain, const float *__restrict__ bias,
                   T *__restrict__ y, float *__restrict__ mean, float *__restrict__ rstd)
{
    SHARED_ARRAY(struct block_parts<float>, sums);
    // of the group, behind it; a thread reads what it wrote itself
    T *held = (T *)(sums + 1);
    const int pair = blockIdx.x, count = (int)(s.t * (s.c / s.groups));
    float sum = 0, squares = 0;

    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        held[i] = x[place_of(s, pair, 0, i).at];
        sum += value_of(held[i]);
    }
    const float middle = block_sum(sum, sums) / (float)count;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        const float centred = value_of(held[i]) - middle;

        squares += centred * centred;
    }
    const float scale = rsqrtf(block_sum(squares, sums) / (float)count + s.epsilon);
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        const struct place to = place_of(s, pair, 0, i);
        const float z = (value_of(held[i]) - middle) * scale * gain[to.channel] + bias[to.channel];

        put(y + to.at, s.silu ? z / (1 + expf(-z)) : z);
    }
    if (threadIdx.x == 0) {
        mean[pair] = middle;
        rstd[pair] = scale;
    }
}

/* ---- forward ---- */

static struct parts divide(struct groupnorm_shape s)
{
    const int64_t values = s.t * (s.c / s.groups);
    const int64_t rows = cuda_ceil(s.t, CLAMP(values / SMALL, 1, PARTS));

    return {(int)cuda_ceil(s.t, rows), rows};
}

static void groupnorm_forward(const kernels *k, struct groupnorm_shape s, const cell *x,
                              const real *gain, const real *bias, cell *y, real *mean, real *rstd)
{
    if (s.n == 0 || s.t == 0) {
        return;
    }
    const struct parts p = divide(s);
    const dim3 grid((unsigned)p.count, (unsigned)(s.n * s.groups));
    const int64_t values = s.t * (s.c / s.groups);
    const unsigned threads = values > SMALL ? HELD_THREADS : CUDA_THREADS;
    struct cuda_room room = cuda_workspace(k);
    struct moments *all =
        (struct moments *)cuda_take(&room, sizeof *all * (size_t)p.count * s.n * s.groups);

    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        const size_t held = sizeof(struct block_parts<float>) + (size_t)values * sizeof(T);

        if (held <= HELD_BYTES) {
            LAUNCH(groupnorm_held<T>, grid.y, threads, held, cuda_stream(k), s, (const T *)x, gain,
                   bias, (T *)y, mean, rstd);
            return;
        }
        LAUNCH(groupnorm_moments<T>, grid, CUDA_THREADS, sizeof(struct block_parts<float>),
               cuda_stream(k), s, p, (const T *)x, all);
        LAUNCH(groupnorm_apply<T>, grid, CUDA_THREADS, 0, cuda_stream(k), s, p, (const T *)x, gain,
               bias, all, (T *)y, mean, rstd);
    });
}

/* ---- backward ---- */

// what both passes over the values take
template <typename T> struct upstream {
    const T *x, *dy;
    const float *gain, *bias, *mean, *rstd;
};

struct slope {
    float g, xhat; // of the formula
};

template <typename T>
static __device__ inline struct slope slope_at(struct groupnorm_shape s, struct upstream<T> u,
                                               int64_t picture, int64_t token, int channel)
{
    const int64_t at = (picture * s.t + token) * s.c + channel;
    const int64_t pair = picture * s.groups + channel / (s.c / s.groups);
    const float xhat = (value_of(u.x[at]) - u.mean[pair]) * u.rstd[pair];
    float g = value_of(u.dy[at]);

    if (s.silu) {
        const float z = xhat * u.gain[channel] + u.bias[channel], sigmoid = 1 / (1 + expf(-z));

        g *= sigmoid * (1 + z * (1 - sigmoid));
    }
    return {g, xhat};
}

// parts [n, 2, p.count, c]: sums of g, and of g xhat
template <typename T>
static __global__ void groupnorm_sums(struct groupnorm_shape s, struct column_parts p,
                                      struct upstream<T> u, float *__restrict__ parts)
{
    SHARED(struct column_sums, sums);
    const int channel = blockIdx.x * CUDA_WARP + threadIdx.x;
    const int64_t picture = blockIdx.z, first = blockIdx.y * p.rows,
                  last = min(first + p.rows, s.t);
    float sum = 0, product = 0;

    // both of what is read once
    for (int64_t token = first + threadIdx.y; channel < s.c && token < last; token += COLUMN_ROWS) {
        const struct slope one = slope_at(s, u, picture, token, channel);

        sum += one.g;
        product += one.g * one.xhat;
    }
    sum = column_fold(sum, sums);
    product = column_fold(product, sums);
    if (threadIdx.y == 0 && channel < s.c) {
        float *to = parts + (picture * 2 * p.count + blockIdx.y) * s.c + channel;

        to[0] = sum;
        to[(int64_t)p.count * s.c] = product;
    }
}

// products [n, c]: a channel's sum of g xhat; averages [n, groups]: of g gain, and of g gain xhat
struct group_sums {
    float *products;
    float2 *averages;
};

static __global__ void groupnorm_averages(struct groupnorm_shape s, int count,
                                          const float *__restrict__ gain,
                                          const float *__restrict__ parts, struct group_sums out)
{
    const int picture = blockIdx.y, group = blockIdx.x, width = s.c / s.groups;
    const float values = (float)s.t * (float)width;
    float average = 0, projection = 0;

    for (int i = threadIdx.x; i < width; i += CUDA_WARP) {
        const int channel = group * width + i;
        const float *from = parts + (int64_t)picture * 2 * count * s.c + channel;
        const float product = column_add(count, s.c, from + (int64_t)count * s.c);

        average += column_add(count, s.c, from) * gain[channel];
        projection += product * gain[channel];
        out.products[(int64_t)picture * s.c + channel] = product;
    }
    average = warp_sum(average);
    projection = warp_sum(projection);
    if (threadIdx.x == 0) {
        out.averages[picture * s.groups + group] = {average / values, projection / values};
    }
}

static __global__ void groupnorm_gains(struct groupnorm_shape s, struct group_sums sums,
                                       float *__restrict__ dgain)
{
    EACH(channel, s.c)
    {
        dgain[channel] += column_add(s.n, s.c, sums.products + channel);
    }
}

template <typename T>
static __global__ void groupnorm_slopes(struct groupnorm_shape s, struct upstream<T> u,
                                        struct group_sums sums, T *__restrict__ dx)
{
    const int64_t picture = blockIdx.y;

    EACH_ROW(token, s.t)
    {
        EACH_COLUMN(channel, s.c)
        {
            const int64_t pair = picture * s.groups + channel / (s.c / s.groups);
            const struct slope one = slope_at(s, u, picture, token, channel);
            const float2 average = sums.averages[pair];

            put_more(dx + (picture * s.t + token) * s.c + channel,
                     u.rstd[pair] * (one.g * u.gain[channel] - average.x - one.xhat * average.y));
        }
    }
}

template <typename T>
static void run_backward(const kernels *k, struct groupnorm_shape s, struct upstream<T> u, T *dx,
                         real *dgain)
{
    const struct column_parts p = column_divide(s.t);
    const dim3 groups((unsigned)s.groups, (unsigned)s.n), rows(cuda_row_blocks(s.t), (unsigned)s.n);
    struct cuda_room room = cuda_workspace(k);
    float *parts = (float *)cuda_take(&room, sizeof(float) * 2 * (size_t)s.n * p.count * s.c);
    float *products = (float *)cuda_take(&room, sizeof(float) * (size_t)s.n * s.c);
    float2 *averages = (float2 *)cuda_take(&room, sizeof(float2) * (size_t)s.n * s.groups);
    const struct group_sums sums = {products, averages};

    LAUNCH(groupnorm_sums<T>, column_grid(s.c, p, s.n), column_threads(),
           sizeof(struct column_sums), cuda_stream(k), s, p, u, parts);
    LAUNCH(groupnorm_averages, groups, CUDA_WARP, 0, cuda_stream(k), s, p.count, u.gain, parts,
           sums);
    if (dgain != NULL) {
        LAUNCH(groupnorm_gains, cuda_blocks(s.c), CUDA_THREADS, 0, cuda_stream(k), s, sums, dgain);
    }
    if (dx != NULL) {
        LAUNCH(groupnorm_slopes<T>, rows, cuda_row_threads(), 0, cuda_stream(k), s, u, sums, dx);
    }
}

static void groupnorm_backward(const kernels *k, struct groupnorm_shape s, const cell *x,
                               const real *gain, const real *bias, const real *mean,
                               const real *rstd, const cell *dy, cell *dx, real *dgain)
{
    if (s.n == 0 || s.t == 0) {
        return;
    }
    cuda_by_type(k->activation, [=](auto type) {
        using T = decltype(type);
        const struct upstream<T> u = {
            (const T *)x, (const T *)dy, gain, bias, mean, rstd
        };

        run_backward<T>(k, s, u, (T *)dx, dgain);
    });
}

void cuda_fill_groupnorm(kernels *k)
{
    k->groupnorm_forward = groupnorm_forward;
    k->groupnorm_backward = groupnorm_backward;
}
