/* count.c: the table that computes nothing. The true code runs on it and memory is only counted, so
 * that an estimate is the program itself and no second formula.
 *
 * Addresses are made up: distinct, aligned, never inside a page that exists for a program, never to
 * be read. What is downloaded reads as zero. The own workspace of the table that it stands for is
 * counted, too. Products are counted as two operations for each multiplication, of matrices,
 * convolutions and attention; the rest of the work is small beside. */
#include "kernels/memory.h"

#include <string.h>

#define FIRST_ADDRESS ((uintptr_t)1 << 56)

struct count_device {
    struct kernels_memory memory;
    uintptr_t next;
    double operations;
};

static void add_products(const kernels *k, double products)
{
    struct count_device *device = k->device;

    device->operations += 2 * products;
}

static double linear_products(struct linear_shape s)
{
    return (double)s.t * s.in * s.out;
}

static double conv_products(struct conv_shape s)
{
    return (double)s.n * s.out_h * s.out_w * s.out * s.kh * s.kw * s.c;
}

static double attention_products(struct attention_shape s)
{
    return 2.0 * s.n * s.heads * s.tq * s.tk * s.d;
}

static void *count_alloc(const kernels *k, size_t bytes)
{
    struct count_device *device = k->device;
    const size_t room = FIRST_ADDRESS - 1;

    if (bytes == 0 || bytes > room || device->next > 2 * FIRST_ADDRESS) {
        return NULL;
    }

    void *memory = (void *)device->next;
    device->next += (bytes / KERNELS_ALIGNMENT + 1) * KERNELS_ALIGNMENT;
    memory_count_add(k, bytes);
    return memory;
}

static void count_release(const kernels *k, void *memory, size_t bytes)
{
    if (memory) {
        memory_count_remove(k, bytes);
    }
}

static void count_download(const kernels *k, void *to, const void *from, size_t bytes)
{
    if (bytes > 0) {
        memset(to, 0, bytes);
    }
}

static void count_transfer(const kernels *k, void *to, const void *from, size_t bytes)
{
}

static void count_zero(const kernels *k, void *memory, size_t bytes)
{
}

static bool count_sync(const kernels *k, GError **error)
{
    return true;
}

static void count_destroy(kernels *k)
{
    g_free(k->device);
    g_free(k);
}

static void count_gemm(const kernels *k, struct gemm_shape s, const real *a, const real *b, real *c)
{
    add_products(k, (double)s.m * (double)s.n * (double)s.k);
}

static void count_linear_forward(const kernels *k, struct linear_shape s, const real *x,
                                 struct kernels_weight w, const real *bias, real *y)
{
    add_products(k, linear_products(s));
}

static void count_linear_backward_input(const kernels *k, struct linear_shape s, const real *dy,
                                        struct kernels_weight w, real *dx)
{
    add_products(k, linear_products(s));
}

static void count_linear_backward_weight(const kernels *k, struct linear_shape s, const real *dy,
                                         const real *x, real *dw)
{
    add_products(k, linear_products(s));
}

static void count_conv_forward(const kernels *k, struct conv_shape s, const real *x,
                               struct kernels_weight w, const real *bias, real *y)
{
    add_products(k, conv_products(s));
}

static void count_conv_backward_input(const kernels *k, struct conv_shape s, const real *dy,
                                      struct kernels_weight w, real *dx)
{
    add_products(k, conv_products(s));
}

static void count_conv_backward_weight(const kernels *k, struct conv_shape s, const real *dy,
                                       const real *x, real *dw)
{
    add_products(k, conv_products(s));
}

static void count_to_bf16(const kernels *k, int64_t count, const real *x, uint16_t *y)
{
}

static void count_groupnorm_forward(const kernels *k, struct groupnorm_shape s, const real *x,
                                    const real *gain, const real *bias, real *y, real *mean,
                                    real *rstd)
{
}

static void count_groupnorm_backward(const kernels *k, struct groupnorm_shape s, const real *x,
                                     const real *gain, const real *bias, const real *mean,
                                     const real *rstd, const real *dy, real *dx, real *dgain)
{
}

static void count_layernorm_forward(const kernels *k, struct layernorm_shape s, const real *x,
                                    const real *gain, const real *bias, real *y, real *mean,
                                    real *rstd)
{
}

static void count_layernorm_backward(const kernels *k, struct layernorm_shape s, const real *x,
                                     const real *gain, const real *mean, const real *rstd,
                                     const real *dy, real *dx, real *dgain)
{
}

static void count_attention_forward(const kernels *k, struct attention_shape s, const real *q,
                                    const real *key, const real *v, real *y, real *lse)
{
    add_products(k, attention_products(s));
}

static void count_attention_backward(const kernels *k, struct attention_shape s, const real *q,
                                     const real *key, const real *v, const real *y, const real *lse,
                                     const real *dy, real *dq, real *dkey, real *dv)
{
    add_products(k, 2.5 * attention_products(s)); // P again, dV, dP, dQ, dK
}

static void count_activation_forward(const kernels *k, enum activation a, int64_t count,
                                     const real *x, real *y)
{
}

static void count_activation_backward(const kernels *k, enum activation a, int64_t count,
                                      const real *x, const real *dy, real *dx)
{
}

static void count_geglu_forward(const kernels *k, int64_t t, int c, const real *x, real *y)
{
}

static void count_geglu_backward(const kernels *k, int64_t t, int c, const real *x, const real *dy,
                                 real *dx)
{
}

static void count_add(const kernels *k, int64_t count, const real *a, const real *b, real *y)
{
}

static void count_accumulate(const kernels *k, int64_t count, real factor, const real *x, real *y)
{
}

static void count_add_row_forward(const kernels *k, int n, int64_t t, int c, const real *x,
                                  const real *row, real *y)
{
}

static void count_add_row_backward(const kernels *k, int n, int64_t t, int c, const real *dy,
                                   real *drow)
{
}

static void count_copy_columns(const kernels *k, int64_t t, int c, const real *x, int64_t x_stride,
                               real *y, int64_t y_stride, bool accumulate)
{
}

static void count_upsample(const kernels *k, struct upsample_shape s, const real *from, real *to)
{
}

static void count_shift_gain(const kernels *k, int count, const real *sigma, const real *shift,
                             real scale, real *gain)
{
}

static void count_scale_columns(const kernels *k, int64_t t, int r, const real *x, const real *gain,
                                real *y)
{
}

static void count_column_dot(const kernels *k, int64_t t, int r, const real *p, const real *q,
                             const real *gain, real scale, real *dshift)
{
}

static void count_embedding(const kernels *k, int64_t t, int c, const int32_t *ids,
                            const real *from, real *to)
{
}

static void count_chosen_rows(const kernels *k, struct chosen_shape s, const int32_t *ids,
                              const int32_t *chosen, const real *from, real *to)
{
}

static void count_mse(const kernels *k, int n, int64_t count, const real *x, const real *target,
                      const real *weight, real *loss, real *dx)
{
}

static void count_sum_squares(const kernels *k, int64_t count, const real *x, double *sum)
{
}

static void count_adamw(const kernels *k, int64_t count, struct adamw_step step,
                        const real *gradient, real *value, real *m, real *v)
{
}

static const kernels count_table = {
    .name = "count",
    .alloc = count_alloc,
    .release = count_release,
    .upload = count_transfer,
    .download = count_download,
    .zero = count_zero,
    .copy = count_transfer,
    .sync = count_sync,
    .destroy = count_destroy,
    .gemm = count_gemm,
    .linear_forward = count_linear_forward,
    .linear_backward_input = count_linear_backward_input,
    .linear_backward_weight = count_linear_backward_weight,
    .conv_forward = count_conv_forward,
    .conv_backward_input = count_conv_backward_input,
    .conv_backward_weight = count_conv_backward_weight,
    .to_bf16 = count_to_bf16,
    .groupnorm_forward = count_groupnorm_forward,
    .groupnorm_backward = count_groupnorm_backward,
    .layernorm_forward = count_layernorm_forward,
    .layernorm_backward = count_layernorm_backward,
    .attention_forward = count_attention_forward,
    .attention_backward = count_attention_backward,
    .activation_forward = count_activation_forward,
    .activation_backward = count_activation_backward,
    .geglu_forward = count_geglu_forward,
    .geglu_backward = count_geglu_backward,
    .add = count_add,
    .accumulate = count_accumulate,
    .add_row_forward = count_add_row_forward,
    .add_row_backward = count_add_row_backward,
    .copy_columns = count_copy_columns,
    .upsample_forward = count_upsample,
    .upsample_backward = count_upsample,
    .shift_gain = count_shift_gain,
    .scale_columns = count_scale_columns,
    .column_dot = count_column_dot,
    .embedding_forward = count_embedding,
    .embedding_backward = count_embedding,
    .chosen_rows_forward = count_chosen_rows,
    .chosen_rows_backward = count_chosen_rows,
    .mse = count_mse,
    .sum_squares = count_sum_squares,
    .adamw = count_adamw,
};

kernels *kernels_count(const kernels *like)
{
    const struct kernels_memory *memory = like->device;
    struct count_device *device = g_new0(struct count_device, 1);
    kernels *k = g_new(kernels, 1);

    device->memory =
        (struct kernels_memory){.bytes = memory->own, .peak = memory->own, .own = memory->own};
    device->next = FIRST_ADDRESS;
    *k = count_table;
    k->threads = like->threads;
    k->precision = like->precision;
    k->device = device;
    return k;
}

double kernels_counted_operations(const kernels *k)
{
    const struct count_device *device = k->device;

    return device->operations;
}
