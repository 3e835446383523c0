/* linear_cpu.c: linear layers as matrix products: y = x W^T + bias, dx += dy W, dw += dy^T x.
 *
 * A float weight goes straight into dnnl_sgemm, which packs on the way and serves both directions
 * from one copy. With a bfloat16 weight the rows of x (or dy) are rounded into the workspace, as
 * many at a time as fit, and multiplied by a primitive of oneDNN. Packing weights ahead was
 * measured to gain less than 5% from 128 rows on (SPEED.md). */
#include "kernels/cpu.h"

#include <string.h>

// each row of y [t, out] becomes the bias
static void fill_rows(const kernels *k, struct linear_shape s, const real *bias, real *y)
{
#pragma omp parallel for num_threads(cpu_threads(k, s.t *s.out)) schedule(static)
    for (int64_t t = 0; t < s.t; t++) {
        memcpy(y + t * s.out, bias, (size_t)s.out * sizeof(real));
    }
}

// rows of k values rounded at a time, so that a quarter of the room is left for oneDNN
static int64_t rows_at_once(struct onednn_room room, int64_t k)
{
    return MAX((int64_t)(room.bytes / 4 * 3 / ((size_t)k * sizeof(uint16_t))), 1);
}

/* C [m, n] = A [m, k] B + bias, or += where s.accumulate; B is bfloat16. False where this CPU or
 * the room does not allow it. */
static bool rounded_product(const kernels *k, struct gemm_shape s, const float *a,
                            const uint16_t *b, const float *bias, float *c, struct onednn_room room)
{
    const int64_t at_once = rows_at_once(room, s.k);
    struct onednn_room rest = room;
    uint16_t *rounded = cpu_take(&rest, (size_t)(MIN(at_once, s.m) * s.k) * sizeof *rounded);
    bool done = true;

    if (!rounded) {
        return false;
    }
    cpu_use_threads_for(k, (double)s.m * s.n * s.k);
    for (int64_t row = 0; row < s.m && done; row += at_once) {
        const struct onednn_matmul call = {
            .m = MIN(at_once, s.m - row),
            .n = s.n,
            .k = s.k,
            .transpose_b = s.transpose_b,
            .accumulate = s.accumulate,
            .a = rounded,
            .b = b,
            .bias = bias,
            .c = c + row * s.n,
        };

        k->to_bf16(k, call.m * s.k, a + row * s.k, rounded);
        if (!onednn_matmul(cpu_device(k)->dnnl, &call, rest)) {
            done = false; // the first call already: the code depends on sizes that stay
        }
    }
    cpu_use_threads(k);
    return done;
}

bool cpu_product(const kernels *k, struct gemm_shape s, const float *a, struct kernels_weight b,
                 float *c, struct onednn_room room)
{
    if (b.type == KERNELS_F32) {
        k->gemm(k, s, a, b.data, c);
        return true;
    }
    return onednn_has_bf16() && s.m > 0 && rounded_product(k, s, a, b.data, NULL, c, room);
}

static void linear_forward(const kernels *k, struct linear_shape s, const real *x,
                           struct kernels_weight w, const real *bias, real *y)
{
    struct gemm_shape product = {.m = s.t, .n = s.out, .k = s.in, .transpose_b = true};

    if (s.t == 0) {
        return;
    }
    if (w.type == KERNELS_BF16) {
        if (!onednn_has_bf16() ||
            !rounded_product(k, product, x, w.data, bias, y, cpu_workspace(k))) {
            cpu_device(k)->reference.linear_forward(k, s, x, w, bias, y);
        }
        return;
    }
    if (bias) {
        fill_rows(k, s, bias, y);
        product.accumulate = true;
    }
    k->gemm(k, product, x, w.data, y);
}

static void linear_backward_input(const kernels *k, struct linear_shape s, const real *dy,
                                  struct kernels_weight w, real *dx)
{
    const struct gemm_shape product = {.m = s.t, .n = s.in, .k = s.out, .accumulate = true};

    if (!cpu_product(k, product, dy, w, dx, cpu_workspace(k))) {
        cpu_device(k)->reference.linear_backward_input(k, s, dy, w, dx);
    }
}

static void linear_backward_weight(const kernels *k, struct linear_shape s, const real *dy,
                                   const real *x, real *dw)
{
    k->gemm(k,
            (struct gemm_shape){
                .m = s.out, .n = s.in, .k = s.t, .transpose_a = true, .accumulate = true},
            dy, x, dw);
}

void cpu_fill_linear(kernels *k)
{
    k->linear_forward = linear_forward;
    k->linear_backward_input = linear_backward_input;
    k->linear_backward_weight = linear_backward_weight;
}
