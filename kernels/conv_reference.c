/* conv_reference.c: convolution of channels-last pictures.
 *   y [n, oy, ox, o] = bias [o] + sum over i, j, c of
 *                      x [n, oy stride + i - pad_top, ox stride + j - pad_left, c] w [o, i, j, c]
 * where x is zero outside its picture. The backward entries send each product back:
 *   dx [its x] += dy w        dw [o, i, j, c] += dy x
 * All three take the (output pixel, kernel position) pairs that fall inside x. */
#include "kernels/cell.h"
#include "kernels/reference.h"

// first value of x [n, y stride + i - pad_top, ...] in values, or -1 when that lies outside
static int64_t source(struct conv_shape s, int n, int oy, int ox, int i, int j)
{
    const int y = oy * s.stride + i - s.pad_top;
    const int x = ox * s.stride + j - s.pad_left;

    if (y < 0 || y >= s.h || x < 0 || x >= s.w) {
        return -1;
    }
    return (((int64_t)n * s.h + y) * s.w + x) * s.c;
}

// first value of w [o, i, j, ...]
static int64_t weight_row(struct conv_shape s, int o, int i, int j)
{
    return (((int64_t)o * s.kh + i) * s.kw + j) * s.c;
}

// sum over the kernel for output pixel (n, oy, ox) and channel o
static double convolved(enum kernels_type type, struct conv_shape s, const cell *x,
                        struct kernels_weight w, int n, int oy, int ox, int o)
{
    double sum = 0;

    for (int i = 0; i < s.kh; i++) {
        for (int j = 0; j < s.kw; j++) {
            const int64_t from = source(s, n, oy, ox, i, j);
            const int64_t row = weight_row(s, o, i, j);

            for (int c = 0; from >= 0 && c < s.c; c++) {
                sum += (double)cell_get(type, x, from + c) * cell_get(w.type, w.data, row + c);
            }
        }
    }
    return sum;
}

static void conv_forward(const kernels *k, struct conv_shape s, const cell *x,
                         struct kernels_weight w, const real *bias, cell *y)
{
    int64_t to = 0;

    for (int n = 0; n < s.n; n++) {
        for (int oy = 0; oy < s.out_h; oy++) {
            for (int ox = 0; ox < s.out_w; ox++) {
                for (int o = 0; o < s.out; o++) {
                    const double sum = convolved(k->activation, s, x, w, n, oy, ox, o);

                    cell_set(k->activation, y, to++, (real)(sum + (bias ? (double)bias[o] : 0)));
                }
            }
        }
    }
}

// output row or column that meets input row or column `at` through kernel position i, or -1
static int output_at(int at, int pad, int i, int stride, int limit)
{
    const int position = at + pad - i;

    return position < 0 || position % stride != 0 || position / stride >= limit ? -1
                                                                                : position / stride;
}

// sum over o of dy [from, o] w [o, i, j, c]
static double sent_back(enum kernels_type type, struct conv_shape s, const cell *dy, int64_t from,
                        struct kernels_weight w, int i, int j, int c)
{
    double sum = 0;

    for (int o = 0; o < s.out; o++) {
        sum += (double)cell_get(type, dy, from + o) *
               cell_get(w.type, w.data, weight_row(s, o, i, j) + c);
    }
    return sum;
}

// all that channel c of input pixel (n, y, x) gets
static double collected(enum kernels_type type, struct conv_shape s, const cell *dy,
                        struct kernels_weight w, int n, int y, int x, int c)
{
    double sum = 0;

    for (int p = 0; p < s.kh * s.kw; p++) {
        const int i = p / s.kw, j = p % s.kw;
        const int oy = output_at(y, s.pad_top, i, s.stride, s.out_h);
        const int ox = output_at(x, s.pad_left, j, s.stride, s.out_w);

        if (oy >= 0 && ox >= 0) {
            const int64_t from = (((int64_t)n * s.out_h + oy) * s.out_w + ox) * s.out;

            sum += sent_back(type, s, dy, from, w, i, j, c);
        }
    }
    return sum;
}

static void conv_backward_input(const kernels *k, struct conv_shape s, const cell *dy,
                                struct kernels_weight w, cell *dx)
{
    int64_t to = 0;

    for (int n = 0; n < s.n; n++) {
        for (int y = 0; y < s.h; y++) {
            for (int x = 0; x < s.w; x++) {
                for (int c = 0; c < s.c; c++) {
                    cell_add(k->activation, dx, to++,
                             (real)collected(k->activation, s, dy, w, n, y, x, c));
                }
            }
        }
    }
}

// sum over all output pixels of dy [o] x [.., c] at kernel position (i, j)
static double correlated(enum kernels_type type, struct conv_shape s, const cell *dy, const cell *x,
                         int o, int i, int j, int c)
{
    int64_t at = o;
    double sum = 0;

    for (int n = 0; n < s.n; n++) {
        for (int oy = 0; oy < s.out_h; oy++) {
            for (int ox = 0; ox < s.out_w; ox++, at += s.out) {
                const int64_t from = source(s, n, oy, ox, i, j);

                if (from >= 0) {
                    sum += (double)cell_get(type, dy, at) * (double)cell_get(type, x, from + c);
                }
            }
        }
    }
    return sum;
}

static void conv_backward_weight(const kernels *k, struct conv_shape s, const cell *dy,
                                 const cell *x, real *dw)
{
    for (int o = 0; o < s.out; o++) {
        for (int i = 0; i < s.kh; i++) {
            for (int j = 0; j < s.kw; j++) {
                for (int c = 0; c < s.c; c++) {
                    *dw++ += (real)correlated(k->activation, s, dy, x, o, i, j, c);
                }
            }
        }
    }
}

void reference_fill_conv(kernels *k)
{
    k->conv_forward = conv_forward;
    k->conv_backward_input = conv_backward_input;
    k->conv_backward_weight = conv_backward_weight;
}
