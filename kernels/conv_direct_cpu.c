/* conv_direct_cpu.c: convolutions by oneDNN's direct code, which reads x where it lies instead of
 * gathering its rows; never Winograd, whose errors are larger.
 *
 * With bfloat16 weights x is rounded into the workspace first. Where a batch does not fit there,
 * the pictures are convolved one at a time in bands of output rows; a band is a convolution of its
 * own, of the input rows that it sees. */
#include "kernels/conv_direct_cpu.h"

#include <string.h>

// measured, see SPEED.md: backward has to turn the weights as well
#define FORWARD_PAYS  0.5
#define BACKWARD_PAYS 2.0

/* ---- bands ---- */

// output rows first .. first + shape.out_h of picture n, from input row `from` on
struct band {
    struct conv_shape shape;
    int n, first, from;
};

static struct band band_of(struct conv_shape s, int n, int first, int rows)
{
    const int top = first * s.stride - s.pad_top;
    const int from = CLAMP(top, 0, s.h);
    const int to = CLAMP(top + (rows - 1) * s.stride + s.kh, from, s.h);
    struct band band = {.shape = s, .n = n, .first = first, .from = from};

    band.shape.n = 1;
    band.shape.h = to - from;
    band.shape.out_h = rows;
    band.shape.pad_top = from - top;
    return band;
}

static int64_t x_count(struct conv_shape s)
{
    return (int64_t)s.n * s.h * s.w * s.c;
}

// output rows of one picture whose input, rounded, takes at most that many bytes
static int rows_that_fit(struct conv_shape s, size_t bytes)
{
    const int64_t input_rows = (int64_t)(bytes / ((size_t)s.w * s.c * sizeof(uint16_t)));
    const int64_t rows = (input_rows - s.kh) / s.stride + 1;

    return (int)CLAMP(rows, 0, s.out_h);
}

static bool run_band(const kernels *k, const struct band *band, struct onednn_conv call,
                     const float *x, struct onednn_room room)
{
    uint16_t *rounded = cpu_take(&room, (size_t)x_count(band->shape) * sizeof *rounded);

    if (!rounded) {
        return false;
    }
    k->to_bf16(k, x_count(band->shape), x, rounded);
    call.shape = band->shape;
    call.x = rounded;
    return onednn_conv(cpu_device(k)->dnnl, &call, room);
}

/* The same call for bfloat16 weights, x still float. Half of the room is for rounded values, the
 * other for the weights in the library's layout. */
static bool run_rounded(const kernels *k, struct onednn_conv call, const float *x,
                        struct onednn_room room)
{
    const struct conv_shape s = call.shape;
    float *const y = call.y;

    if ((size_t)x_count(s) * sizeof(uint16_t) <= room.bytes / 2) {
        const struct band whole = {.shape = s};

        return run_band(k, &whole, call, x, room);
    }

    const int rows = rows_that_fit(s, room.bytes / 2);
    for (int i = 0; rows > 0 && i < s.n * ((s.out_h + rows - 1) / rows); i++) {
        const int bands = (s.out_h + rows - 1) / rows, first = i % bands * rows;
        const struct band band = band_of(s, i / bands, first, MIN(rows, s.out_h - first));

        call.y = y + ((int64_t)band.n * s.out_h + first) * s.out_w * s.out;
        if (!run_band(k, &band, call, x + ((int64_t)band.n * s.h + band.from) * s.w * s.c, room)) {
            return false;
        }
    }
    return rows > 0;
}

static bool run(const kernels *k, struct onednn_conv call, const float *x, struct onednn_room room)
{
    const struct conv_shape s = call.shape;

    if (call.type == KERNELS_BF16) {
        cpu_use_threads_for(k, (double)s.n * s.out_h * s.out_w * s.out * s.kh * s.kw * s.c);
        const bool done = onednn_has_bf16() && run_rounded(k, call, x, room);
        cpu_use_threads(k);
        return done;
    }
    cpu_use_threads(k);
    call.x = x;
    return onednn_conv(cpu_device(k)->dnnl, &call, room);
}

// pixels per channel of the result, from which on preparing the weights pays
static bool pays(struct conv_shape s, double pixels_per_channel)
{
    return (double)s.n * s.out_h * s.out_w >= pixels_per_channel * s.out;
}

bool conv_direct_forward(const kernels *k, struct conv_shape s, const float *x,
                         struct kernels_weight w, const float *bias, float *y)
{
    const struct onednn_conv call = {.shape = s, .type = w.type, .w = w.data, .bias = bias, .y = y};

    return pays(s, FORWARD_PAYS) && run(k, call, x, cpu_workspace(k));
}

/* ---- backward ---- */

#define TILE 64 // channels on either side of a turned block: read and written within cache and TLB

// one block: channels c .. of the input and o .. of the output at kernel position p
static inline void turn_block(struct conv_shape s, size_t size, int p, int c, int o, const char *w,
                              char *turned)
{
    const int kernel = s.kh * s.kw;
    const int64_t out_step = (int64_t)kernel * s.c * size, c_step = (int64_t)kernel * s.out * size;
    const char *from = w + o * out_step + ((int64_t)p * s.c + c) * size;
    char *to = turned + c * c_step + ((int64_t)(kernel - 1 - p) * s.out + o) * size;

    for (int i = 0; i < MIN(TILE, s.c - c); i++) {
        for (int j = 0; j < MIN(TILE, s.out - o); j++) {
            memcpy(to + i * c_step + j * size, from + j * out_step + i * size, size);
        }
    }
}

// w [out, kh, kw, c] to turned [c, kh, kw, out] with both kernel axes reversed
static void turn(int threads, struct conv_shape s, enum kernels_precision type, const char *w,
                 char *turned)
{
#pragma omp parallel for collapse(2) num_threads(threads) schedule(static)
    for (int c = 0; c < s.c; c += TILE) {
        for (int o = 0; o < s.out; o += TILE) {
            for (int p = 0; p < s.kh * s.kw; p++) {
                if (type == KERNELS_BF16) {
                    turn_block(s, sizeof(uint16_t), p, c, o, w, turned);
                } else {
                    turn_block(s, sizeof(float), p, c, o, w, turned);
                }
            }
        }
    }
}

// the forward convolution that takes dy to dx
static struct conv_shape turned_shape(struct conv_shape s)
{
    return (struct conv_shape){
        .n = s.n,
        .h = s.out_h,
        .w = s.out_w,
        .c = s.out,
        .out_h = s.h,
        .out_w = s.w,
        .out = s.c,
        .kh = s.kh,
        .kw = s.kw,
        .stride = 1,
        .pad_top = s.kh - 1 - s.pad_top,
        .pad_left = s.kw - 1 - s.pad_left,
    };
}

bool conv_direct_backward(const kernels *k, struct conv_shape s, const float *dy,
                          struct kernels_weight w, float *dx)
{
    const size_t size = w.type == KERNELS_BF16 ? sizeof(uint16_t) : sizeof(float);
    const int64_t weights = (int64_t)s.out * s.kh * s.kw * s.c;
    const struct conv_shape t = turned_shape(s);
    struct onednn_room room = cpu_workspace(k);

    if (s.stride != 1 || t.pad_top < 0 || t.pad_left < 0 || !pays(t, BACKWARD_PAYS)) {
        return false;
    }

    char *turned = cpu_take(&room, (size_t)weights * size);
    if (!turned) {
        return false;
    }
    turn(cpu_threads(k, weights), s, w.type, w.data, turned);
    return run(
        k,
        (struct onednn_conv){.shape = t, .type = w.type, .accumulate = true, .w = turned, .y = dx},
        dy, room);
}
