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

// each entry as one that does nothing
#define ENTRY(name, ...)                                                                           \
    static void idle_##name(const kernels *k, __VA_ARGS__)                                         \
    {                                                                                              \
    }
#include "kernels/entries.h"
#undef ENTRY

static void fill_idle(kernels *k)
{
#define ENTRY(name, ...) k->name = idle_##name;
#include "kernels/entries.h"
#undef ENTRY
}

static void fill_products(kernels *k)
{
    k->gemm = count_gemm;
    k->linear_forward = count_linear_forward;
    k->linear_backward_input = count_linear_backward_input;
    k->linear_backward_weight = count_linear_backward_weight;
    k->conv_forward = count_conv_forward;
    k->conv_backward_input = count_conv_backward_input;
    k->conv_backward_weight = count_conv_backward_weight;
    k->attention_forward = count_attention_forward;
    k->attention_backward = count_attention_backward;
}

static void fill_memory(kernels *k)
{
    k->alloc = count_alloc;
    k->release = count_release;
    k->upload = k->copy = count_transfer;
    k->download = count_download;
    k->zero = count_zero;
    k->sync = count_sync;
    k->destroy = count_destroy;
}

kernels *kernels_count(const kernels *like)
{
    const struct kernels_memory *memory = like->device;
    struct count_device *device = g_new0(struct count_device, 1);
    kernels *k = g_new0(kernels, 1);

    device->memory =
        (struct kernels_memory){.bytes = memory->own, .peak = memory->own, .own = memory->own};
    device->next = FIRST_ADDRESS;
    fill_memory(k);
    fill_idle(k);
    fill_products(k);
    k->name = "count";
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
