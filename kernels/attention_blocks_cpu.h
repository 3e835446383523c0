/* attention_blocks_cpu.h: what attention by blocks of queries in lanes (attention_blocks_cpu.c) asks
 * of a type of values.
 *
 * A product's operands are words of 32 bits (product_cpu.h): a float, or a pair of bfloat16. */
#pragma once

#include "kernels/attention_cpu.h"
#include "kernels/product_cpu.h"

#define KEYS 96 // of a block: sixteen of AVX-512's tiles, six of AMX's

struct attention_values {
    enum kernels_type type;

    // words that so many values take along a product's k, with what rounds them up; at least so many
    int64_t (*words)(int values);
    int64_t (*room)(int values);

    /* A block of keys and their values, rows [keys, d] a token apart, to to_keys [KEYS, room of d]
     * and to_values [d, room of KEYS]. */
    void (*lay_keys)(struct attention_shape s, int keys, const void *key, const void *v,
                     uint32_t *to_keys, uint32_t *to_values);
    // a block of queries: to [room of d, QUERIES]; lanes without a query become 0
    void (*lay_queries)(struct attention_shape s, int queries, const void *q, uint32_t *to);

    /* to [room of keys, QUERIES] = e^(scale (scores - most)) of scores [keys, QUERIES], whose place
     * it may have; sums over the keys are added to sum [QUERIES]. */
    void (*powers)(float scale, int keys, const float *scores, const float *most, uint32_t *to,
                   float *sum);
    // sum and y [d, QUERIES] times e^(scale (before - most)) where the maxima changed
    void (*rescale)(float scale, int d, const float *before, const float *most, float *sum,
                    float *y);
    // y [d, QUERIES] times inverse [QUERIES] to the queries' rows
    void (*finish)(struct attention_shape s, int queries, const float *y, const float *inverse,
                   void *to);
};

extern const struct attention_values attention_f32, attention_bf16;

/* As the entry attention_forward, of arrays of that type. False where it is not possible (causal, no
 * key, a scale that turns maxima into minima, instructions that this CPU lacks, one head's keys and
 * values larger than the workspace); then nothing was written. */
bool attention_blocks_forward(const kernels *k, const struct attention_values *values,
                              struct attention_shape s, const cell *q, const cell *key,
                              const cell *v, cell *y, float *lse);
