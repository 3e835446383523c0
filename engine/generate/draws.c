/* draws.c: see draws.h. */
#include "engine/generate/draws.h"

#include <glib.h>

void draws_normal(struct draws *d, enum noise_stream stream, uint64_t step, int h, int w, int c,
                  float *out)
{
    const int64_t places = (int64_t)h * w, count = places * c;

    if (d->torch == NULL) {
        noise_normal(d->seed, stream, step, out, count);
        return;
    }
    g_autofree float *planes = g_new(float, (gsize)count);
    torch_noise_normal(d->torch, planes, count);
    for (int64_t i = 0; i < count; i++) {
        out[i] = planes[i % c * places + i / c];
    }
}

struct normals_key draws_key(const struct draws *d, enum noise_stream stream, uint64_t step)
{
    return (struct normals_key){.seed = d->seed, .step = step, .stream = stream};
}
