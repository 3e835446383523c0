/* normals_reference.c: random numbers of a key, as philox.h makes them, and latents with such noise. */
#include "kernels/cell.h"
#include "kernels/philox.h"
#include "kernels/reference.h"

// normals first .. first + 3 of the key; first a multiple of 4
static void four_of(const struct normals_key *key, int64_t first, float out[4])
{
    philox_normals(key->seed, key->stream, key->step, (uint64_t)first / 4, out);
}

static void normals(const kernels *k, int64_t count, const struct normals_key *key, real *out)
{
    for (int64_t first = 0; first < count; first += 4) {
        float four[4];

        four_of(key, first, four);
        for (int64_t i = first; i < count && i < first + 4; i++) {
            out[i] = four[i - first];
        }
    }
}

static real channel_noise(const struct latents_row *row, int channel)
{
    float four[4];

    four_of(&row->of_channels, channel / 4 * 4, four);
    return four[channel % 4];
}

// values first .. first + 3 of a row, those below count
static void draw_four(const kernels *k, int64_t count, int c, const struct latents_row *row,
                      int64_t first, const real *moments, cell *noisy, real *target)
{
    const bool samples = row->deviation >= 0;
    float of_latents[4] = {0}, of_noise[4];

    if (samples) {
        four_of(&row->of_latents, first, of_latents);
    }
    four_of(&row->of_noise, first, of_noise);
    for (int64_t i = first; i < count && i < first + 4; i++) {
        const real latents = moments[row->mean + i] +
                             (samples ? moments[row->deviation + i] * of_latents[i - first] : 0);
        const real noise =
            of_noise[i - first] +
            (row->offset != 0 ? (real)row->offset * channel_noise(row, (int)(i % c)) : 0);

        cell_set(k->activation, noisy, i,
                 (real)(row->noisy_latents * latents + row->noisy_noise * noise));
        if (target != NULL) {
            target[i] = (real)(row->target_latents * latents + row->target_noise * noise);
        }
    }
}

static void latents_draw(const kernels *k, struct latents_shape s, const struct latents_row *rows,
                         const real *moments, cell *noisy, real *target)
{
    const int64_t count = s.t * s.c;

    for (int row = 0; row < s.n; row++) {
        for (int64_t first = 0; first < count; first += 4) {
            draw_four(k, count, s.c, &rows[row], first, moments, kernels_at(k, noisy, row * count),
                      target != NULL ? target + row * count : NULL);
        }
    }
}

void reference_fill_normals(kernels *k)
{
    k->latents_draw = latents_draw;
    k->normals = normals;
}
