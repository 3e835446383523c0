/* conv_direct_cpu.c: convolutions by oneDNN's direct code, which reads x where it lies instead of
 * gathering its rows. */
#include "kernels/conv_cpu.h"

#include <string.h>

// measured, see SPEED.md: backward has to turn the weights as well
#define FORWARD_PAYS  0.5
#define BACKWARD_PAYS 2.0

static bool run(const kernels *k, struct onednn_conv call, struct onednn_room room)
{
    const struct conv_shape s = call.shape;

    if (call.type != k->activation || (call.type == KERNELS_BF16 && !onednn_has_bf16())) {
        return false;
    }
    if (call.type == KERNELS_BF16) {
        cpu_use_threads_for(k, (double)s.n * s.out_h * s.out_w * s.out * s.kh * s.kw * s.c);
    } else {
        cpu_use_threads(k);
    }
    const bool done = onednn_conv(cpu_device(k)->dnnl, &call, room);
    cpu_use_threads(k);
    return done;
}

// pixels per channel of the result, from which on preparing the weights pays
static bool pays(struct conv_shape s, double pixels_per_channel)
{
    return (double)s.n * s.out_h * s.out_w >= pixels_per_channel * s.out;
}

bool conv_direct_forward(const kernels *k, struct conv_shape s, const cell *x,
                         struct kernels_weight w, const float *bias, cell *y)
{
    const struct onednn_conv call = {
        .shape = s, .type = w.type, .x = x, .w = w.data, .bias = bias, .y = y};

    return pays(s, FORWARD_PAYS) && run(k, call, cpu_workspace(k));
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
static void turn(int threads, struct conv_shape s, enum kernels_type type, const char *w,
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

bool conv_direct_backward(const kernels *k, struct conv_shape s, const cell *dy,
                          struct kernels_weight w, cell *dx)
{
    const size_t size = kernels_size(w.type);
    const int64_t weights = (int64_t)s.out * s.kh * s.kw * s.c;
    const struct conv_shape t = conv_turned(s);
    struct onednn_room room = cpu_workspace(k);

    if (s.stride != 1 || t.pad_top < 0 || t.pad_left < 0 || !pays(t, BACKWARD_PAYS)) {
        return false;
    }

    char *turned = cpu_take(&room, (size_t)weights * size);
    if (!turned) {
        return false;
    }
    turn(cpu_threads(k, weights), s, w.type, w.data, turned);
    const struct onednn_conv call = {
        .shape = t, .type = w.type, .accumulate = true, .x = dy, .w = turned, .y = dx};
    return run(k, call, room);
}
