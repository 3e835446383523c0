/* onednn.h: the one wrapper of oneDNN, for its 2.x and 3.x interfaces: matrix products and
 * channels-last convolutions. Nothing else in kernels/ includes dnnl.h.
 *
 * A primitive (generated code for one shape) is made when a shape is first seen and kept in a
 * bounded cache. The memory that it works in is the caller's, so that it is counted. Threads are
 * OpenMP's: the caller sets how many. */
#pragma once

#include "kernels/kernels.h"

struct onednn;

// NULL with a sentence when the library has no CPU engine. Owned by the caller.
struct onednn *onednn_create(GError **error);
void onednn_destroy(struct onednn *o); // accepts NULL

// whether this CPU has these (and the library is allowed to use them)
bool onednn_has_avx2(void);
bool onednn_has_avx512(void);

// whether this CPU multiplies bfloat16 in hardware (and the library is allowed to use it)
bool onednn_has_bf16(void);

// whether it has tiles for that, too (AMX), and the system lets this process use them
bool onednn_has_amx(void);

// C = A B, or += where accumulate; everything float, any transposition
void onednn_gemm(struct gemm_shape s, const float *a, const float *b, float *c);

/* One small product on the calling thread: C [m, n] = alpha A B, or += where accumulate. A is
 * stored [k, m] where transpose_a, B [n, k] where transpose_b; lda, ldb, ldc are the distances
 * between the rows as they are stored. */
struct onednn_product {
    bool transpose_a, transpose_b, accumulate;
    int64_t m, n, k, lda, ldb, ldc;
    float alpha;
};
void onednn_product(struct onednn_product p, const float *a, const float *b, float *c);

// memory to work in, aligned to KERNELS_ALIGNMENT
struct onednn_room {
    void *memory;
    size_t bytes;
};

/* C [m, n] = A [m, k] B + bias [n], or += where accumulate; A and B are bfloat16, C of the type `to`,
 * bias float. B is stored [n, k] where transpose_b. bias may be NULL. False where the library has no fast code
 * for it or the room is too small: then nothing was written. */
struct onednn_matmul {
    int64_t m, n, k;
    bool transpose_b, accumulate;
    enum kernels_type to;
    const void *a, *b;
    const float *bias;
    void *c;
};
bool onednn_matmul(struct onednn *o, const struct onednn_matmul *call, struct onednn_room room);

/* y = x * w + bias, or += where accumulate; x, w and y are of the type, bias float; w is plain,
 * [out, kh, kw, c], and brought into the library's own layout in the room. bias may be NULL. False
 * as above. */
struct onednn_conv {
    struct conv_shape shape;
    enum kernels_type type;
    bool accumulate;
    const void *x, *w;
    const float *bias;
    void *y;
};
bool onednn_conv(struct onednn *o, const struct onednn_conv *call, struct onednn_room room);
