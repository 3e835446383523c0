/* attention_f32_cpu.c: what attention_blocks_cpu.c asks of floats, by loops that the compiler makes
 * vectors of. Each block's probabilities are added up before they go to the sum of all, so that of
 * thousands of keys no sum is longer than a block or the blocks. */
#include "kernels/attention_blocks_cpu.h"
#include "kernels/functions_cpu.h"
#include "kernels/isa.h"

#include <string.h>

#if defined __x86_64__ && defined __GNUC__

static int64_t words(int values)
{
    return values;
}

// columns `from` [rows, row] to rows of step values
static void transpose(int rows, int columns, const float *from, int64_t row, float *to,
                      int64_t step)
{
    for (int j = 0; j < rows; j++) {
        for (int i = 0; i < columns; i++) {
            to[i * step + j] = from[j * row + i];
        }
    }
}

static void lay_keys(struct attention_shape s, int keys, const void *key, const void *v,
                     uint32_t *to_keys, uint32_t *to_values)
{
    for (int j = 0; j < keys; j++) {
        memcpy(to_keys + j * s.d, (const float *)key + j * row_of(s), (size_t)s.d * sizeof(float));
    }
    transpose(keys, s.d, v, row_of(s), (float *)to_values, KEYS);
}

static void lay_queries(struct attention_shape s, int queries, const void *q, uint32_t *to)
{
    if (queries < QUERIES) {
        memset(to, 0, (size_t)s.d * QUERIES * sizeof *to);
    }
    transpose(queries, s.d, q, row_of(s), (float *)to, QUERIES);
}

CPU_CLONES
static void powers(float scale, int keys, const float *scores, const float *most, uint32_t *to,
                   float *sum)
{
    float *p = (float *)to;
    float more[QUERIES] = {0};

    for (int j = 0; j < keys; j++) {
#pragma omp simd
        for (int i = 0; i < QUERIES; i++) {
            const float x = exp_cpu(scale * (scores[j * QUERIES + i] - most[i]));

            p[j * QUERIES + i] = x;
            more[i] += x;
        }
    }
    for (int i = 0; i < QUERIES; i++) {
        sum[i] += more[i];
    }
}

CPU_CLONES
static void rescale(float scale, int d, const float *before, const float *most, float *sum,
                    float *y)
{
    float factor[QUERIES];
    bool same = true;

    for (int i = 0; i < QUERIES; i++) {
        same = same && before[i] == most[i];
    }
    if (same) {
        return;
    }
#pragma omp simd
    for (int i = 0; i < QUERIES; i++) {
        factor[i] = exp_cpu(scale * (before[i] - most[i]));
        sum[i] *= factor[i];
    }
    for (int j = 0; j < d; j++) {
#pragma omp simd
        for (int i = 0; i < QUERIES; i++) {
            y[j * QUERIES + i] *= factor[i];
        }
    }
}

static void finish(struct attention_shape s, int queries, const float *y, const float *inverse,
                   void *to)
{
    for (int i = 0; i < queries; i++) {
        float *row = (float *)to + i * row_of(s);

        for (int j = 0; j < s.d; j++) {
            row[j] = y[j * QUERIES + i] * inverse[i];
        }
    }
}

const struct attention_values attention_f32 = {
    .type = KERNELS_F32,
    .words = words,
    .room = words,
    .lay_keys = lay_keys,
    .lay_queries = lay_queries,
    .powers = powers,
    .rescale = rescale,
    .finish = finish,
};
#endif
