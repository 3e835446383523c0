/* philox.h: Philox 4x32-10 (Salmon and others, 2011) and unit normals of its words, the same bits wherever it is
 * compiled: for C, for a device (which says PHILOX_CALL), for the engine's numbers (base/noise.h).
 *
 *   normals   u = (w0 + 1) / 2^32,  v = w1 / 2^32
 *             sqrt(-2 log u) * (cos(2 pi v), sin(2 pi v))          four of one block
 *
 * log, cos and sin are series in double, cut where the next term is below 2^-53; the library's are
 * not the same to the last bit on all machines. A fused multiply-add would change that bit too, so
 * it is forbidden (GCC does not fuse with -std=c17; nvcc is told). */
#pragma once

#include <math.h>
#include <stdint.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#ifndef PHILOX_CALL
#define PHILOX_CALL static inline
#endif

#define PHILOX_M0   0xD2511F53u
#define PHILOX_M1   0xCD9E8D57u
#define PHILOX_W0   0x9E3779B9u // golden ratio
#define PHILOX_W1   0xBB67AE85u // sqrt(3) - 1
#define PHILOX_LN_2 0.693147180559945309417
#define PHILOX_TURN 6.283185307179586476925

// one block: out [4] of counter [4] and key [2]
PHILOX_CALL void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0, p1 = (uint64_t)PHILOX_M1 * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Block number `block` of what (seed, stream, step) names:
 *   key      seed (64 bits)
 *   counter  [block low, block high (24 bits) << 8 | stream, step low, step high] */
PHILOX_CALL void philox_block(uint64_t seed, uint32_t stream, uint64_t step, uint64_t block,
                              uint32_t out[4])
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32) << 8 | stream,
                                 (uint32_t)step, (uint32_t)(step >> 32)};

    philox(counter, key, out);
}

/* log((w + 1) / 2^32) <= 0. With x = m * 2^e, sqrt(1/2) <= m < sqrt(2), and s = (m - 1) / (m + 1):
 * log x = e log 2 + 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172. */
PHILOX_CALL double philox_log(uint32_t w)
{
    int e;
    double m = frexp((double)w + 1.0, &e), sum = 0;

    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    double s = (m - 1) / (m + 1), square = s * s;
    for (int n = 21; n >= 1; n -= 2) {
        sum = sum * square + 1.0 / n;
    }
    return (e - 32) * PHILOX_LN_2 + 2 * s * sum;
}

/* cos and sin of 2 pi w / 2^32: whole quarters of a turn apart, the rest is within an eighth. */
PHILOX_CALL void philox_turn(uint32_t w, double *cosine, double *sine)
{
    uint32_t quarter = (w + 0x20000000u) >> 30; // the sum may wrap: a whole turn is none
    double a = (int32_t)(w - (quarter << 30)) * (PHILOX_TURN / 4294967296.0), square = a * a;
    double c = 1, s = 1;

    for (int n = 18; n >= 2; n -= 2) {
        c = 1 - c * square / (n * (n - 1));
        s = 1 - s * square / (n * (n + 1));
    }
    s *= a;
    *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
    *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
}

// the four unit normals of a block
PHILOX_CALL void philox_normals(uint64_t seed, uint32_t stream, uint64_t step, uint64_t block,
                                float out[4])
{
    uint32_t words[4];

    philox_block(seed, stream, step, block, words);
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * philox_log(words[i])), cosine, sine;

        philox_turn(words[i + 1], &cosine, &sine);
        out[i] = (float)(radius * cosine);
        out[i + 1] = (float)(radius * sine);
    }
}
