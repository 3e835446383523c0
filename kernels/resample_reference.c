/* resample_reference.c: nearest-neighbour scaling of [n, h, w, c] to [n, out_h, out_w, c]:
 *   y [n, i, j] = x [n, i h / out_h, j w / out_w]     dx [the same] += dy [n, i, j] */
#include "kernels/cell.h"
#include "kernels/reference.h"

// first value of the source pixel of output pixel (n, i, j)
static int64_t source(struct upsample_shape s, int n, int i, int j)
{
    const int64_t y = (int64_t)i * s.h / s.out_h;
    const int64_t x = (int64_t)j * s.w / s.out_w;

    return ((n * (int64_t)s.h + y) * s.w + x) * s.c;
}

static void upsample_forward(const kernels *k, struct upsample_shape s, const cell *x, cell *y)
{
    int64_t to = 0;

    for (int n = 0; n < s.n; n++) {
        for (int i = 0; i < s.out_h; i++) {
            for (int j = 0; j < s.out_w; j++, to += s.c) {
                for (int c = 0; c < s.c; c++) {
                    cell_set(k->activation, y, to + c,
                             cell_get(k->activation, x, source(s, n, i, j) + c));
                }
            }
        }
    }
}

static void upsample_backward(const kernels *k, struct upsample_shape s, const cell *dy, cell *dx)
{
    int64_t from = 0;

    for (int n = 0; n < s.n; n++) {
        for (int i = 0; i < s.out_h; i++) {
            for (int j = 0; j < s.out_w; j++, from += s.c) {
                for (int c = 0; c < s.c; c++) {
                    cell_add(k->activation, dx, source(s, n, i, j) + c,
                             cell_get(k->activation, dy, from + c));
                }
            }
        }
    }
}

void reference_fill_resample(kernels *k)
{
    k->upsample_forward = upsample_forward;
    k->upsample_backward = upsample_backward;
}
