/* conv_reference.c: convolution of channels-last pictures.
 *   y [n, oy, ox, o] = bias [o] + sum over i, j, c of
 *                      x [n, oy stride + i - pad_top, ox stride + j - pad_left, c] w [o, i, j, c]
 * where x is zero outside its picture. The backward entries send each product back:
 *   dx [its x] += dy w        dw [o, i, j, c] += dy x
 * All three walk over (output pixel, kernel position) pairs that fall inside x. */
#include "kernels/reference.h"
#include "kernels/weight_value.h"

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
static double convolved(struct conv_shape s, const real *x, struct kernels_weight w, int n, int oy,
                        int ox, int o)
{
    double sum = 0;

    for (int i = 0; i < s.kh; i++) {
        for (int j = 0; j < s.kw; j++) {
            const int64_t from = source(s, n, oy, ox, i, j);
            const int64_t row = weight_row(s, o, i, j);

            for (int c = 0; from >= 0 && c < s.c; c++) {
                sum += rounded_for(w, x[from + c]) * weight_value(w, row + c);
            }
        }
    }
    return sum;
}

static void conv_forward(const kernels *k, struct conv_shape s, const real *x,
                         struct kernels_weight w, const real *bias, real *y)
{
    for (int n = 0; n < s.n; n++) {
        for (int oy = 0; oy < s.out_h; oy++) {
            for (int ox = 0; ox < s.out_w; ox++) {
                for (int o = 0; o < s.out; o++) {
                    const double sum = convolved(s, x, w, n, oy, ox, o);

                    *y++ = (real)(sum + (bias ? (double)bias[o] : 0));
                }
            }
        }
    }
}

// dx [from, c] += sum over o of dy [o] w [o, i, j, c], for all c
static void add_products(struct conv_shape s, const real *dy, struct kernels_weight w, int i, int j,
                         real *dx)
{
    for (int c = 0; c < s.c; c++) {
        double sum = 0;

        for (int o = 0; o < s.out; o++) {
            sum += rounded_for(w, dy[o]) * weight_value(w, weight_row(s, o, i, j) + c);
        }
        dx[c] += (real)sum;
    }
}

static void conv_backward_input(const kernels *k, struct conv_shape s, const real *dy,
                                struct kernels_weight w, real *dx)
{
    for (int n = 0; n < s.n; n++) {
        for (int oy = 0; oy < s.out_h; oy++) {
            for (int ox = 0; ox < s.out_w; ox++, dy += s.out) {
                for (int p = 0; p < s.kh * s.kw; p++) {
                    const int64_t to = source(s, n, oy, ox, p / s.kw, p % s.kw);

                    if (to >= 0) {
                        add_products(s, dy, w, p / s.kw, p % s.kw, dx + to);
                    }
                }
            }
        }
    }
}

// sum over all output pixels of dy [o] x [.., c] at kernel position (i, j)
static double correlated(struct conv_shape s, const real *dy, const real *x, int o, int i, int j,
                         int c)
{
    double sum = 0;

    for (int n = 0; n < s.n; n++) {
        for (int oy = 0; oy < s.out_h; oy++) {
            for (int ox = 0; ox < s.out_w; ox++, dy += s.out) {
                const int64_t from = source(s, n, oy, ox, i, j);

                if (from >= 0) {
                    sum += (double)dy[o] * (double)x[from + c];
                }
            }
        }
    }
    return sum;
}

static void conv_backward_weight(const kernels *k, struct conv_shape s, const real *dy,
                                 const real *x, real *dw)
{
    for (int o = 0; o < s.out; o++) {
        for (int i = 0; i < s.kh; i++) {
            for (int j = 0; j < s.kw; j++) {
                for (int c = 0; c < s.c; c++) {
                    *dw++ += (real)correlated(s, dy, x, o, i, j, c);
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
