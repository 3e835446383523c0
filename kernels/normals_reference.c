/* normals_reference.c: random numbers of a key, as philox.h makes them. */
#include "kernels/philox.h"
#include "kernels/reference.h"

static void normals(const kernels *k, int64_t count, const struct normals_key *key, real *out)
{
    for (int64_t first = 0; first < count; first += 4) {
        float four[4];

        philox_normals(key->seed, key->stream, key->step, (uint64_t)first / 4, four);
        for (int64_t i = first; i < count && i < first + 4; i++) {
            out[i] = four[i - first];
        }
    }
}

void reference_fill_normals(kernels *k)
{
    k->normals = normals;
}
