/* Random weights; see random_weights.h. */
#include "engine/network/random_weights.h"

#include <math.h>

void random_fill(float *out, int64_t count, double deviation, uint64_t seed)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    // uniform over a range of 1 has the variance 1 / 12; 32 bits are scaled to that
    const float scale = (float)(deviation * sqrt(12.0) / 4294967296.0);

    // xorshift: this has to be fast and need not be good
    for (int64_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = ((float)(uint32_t)(state >> 32) - 2147483648.0f) * scale;
    }
}

static bool random_tensor(void *user, const char *name, const int64_t *shape, int n_dims,
                          float *out, GError **error)
{
    int64_t count = 1;

    for (int i = 0; i < n_dims; i++) {
        count *= shape[i];
    }
    // gains and biases: 1 and 0 leave a normalised activation as it is
    if (n_dims == 1) {
        for (int64_t i = 0; i < count; i++) {
            out[i] = g_str_has_suffix(name, ".weight") ? 1 : 0;
        }
        return true;
    }
    // columns of the weight as a matrix are count / shape[0]; each tensor has values of its own
    random_fill(out, count, 1 / sqrt((double)count / (double)shape[0]), g_str_hash(name));
    return true;
}

struct weight_source random_weights(void)
{
    return (struct weight_source){.read = random_tensor};
}

// that U's columns are not orthogonal changes no time and no comparison
static bool random_spectrum(void *user, const struct weight *w, float *u, float *s, float *vt,
                            GError **error)
{
    const int r = weight_full_rank(w);
    const int64_t n = weight_columns(w);

    random_fill(u, (int64_t)w->out * r, 1 / sqrt(w->out), g_str_hash(w->name));
    random_fill(vt, r * n, 1 / sqrt((double)n), g_str_hash(w->name) + 1);
    for (int i = 0; i < r; i++) {
        s[i] = 1;
    }
    return true;
}

struct spectrum_provider random_spectra(void)
{
    return (struct spectrum_provider){.get = random_spectrum};
}
