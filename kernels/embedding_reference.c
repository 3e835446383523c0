/* embedding_reference.c: rows of a table by number: y [t] = table [ids [t]], dtable [ids [t]] += dy
 * [t] in the order of t. */
#include "kernels/reference.h"

static void embedding_forward(const kernels *k, int64_t t, int c, const int32_t *ids,
                              const real *table, real *y)
{
    for (int64_t token = 0; token < t; token++, y += c) {
        for (int i = 0; i < c; i++) {
            y[i] = table[(int64_t)ids[token] * c + i];
        }
    }
}

static void embedding_backward(const kernels *k, int64_t t, int c, const int32_t *ids,
                               const real *dy, real *dtable)
{
    for (int64_t token = 0; token < t; token++, dy += c) {
        for (int i = 0; i < c; i++) {
            dtable[(int64_t)ids[token] * c + i] += dy[i];
        }
    }
}

void reference_fill_embedding(kernels *k)
{
    k->embedding_forward = embedding_forward;
    k->embedding_backward = embedding_backward;
}
