/* functions_cpu.h: exponential and activation functions in float, without branches or calls, so
 * that loops over them become vector code.
 *
 * Errors against the exact values, found by the checker's sweep: exponential 1e-7 relative;
 * sigmoid 2e-7 relative; normal distribution function 6e-8 absolute, and 5e-7 relative where it is
 * small. NaN stays NaN. */
#pragma once

#include "kernels/float_bits.h"

#define CPU_INVERSE_SQRT_2PI 0.39894228f // 1 / sqrt(2 pi)

/* e^x = 2^n e^r, n = x / ln 2 rounded, |r| <= ln 2 / 2 by a polynomial (Cephes' coefficients).
 * Arguments are limited to where 2^n is a normal float: below -87.3 gives 1.2e-38, above 88 the
 * value at 88. */
static inline float exp_cpu(float x)
{
    const float round = 12582912; // 1.5 * 2^23: adding it leaves an integer in the low bits
    const float low = x < -87.3f ? -87.3f : x;
    const float limited = low > 88.0f ? 88.0f : low;
    const float shifted = limited * 1.44269504f + round;
    const float n = shifted - round;
    const float r = (limited - n * 0.693359375f) + n * 2.12194440e-4f; // ln 2 in two parts
    const float scale = float_of_bits((bits_of_float(shifted) - bits_of_float(round) + 127) << 23);

    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return (p * (r * r) + r + 1) * scale;
}

static inline float sigmoid_cpu(float x)
{
    return 1 / (1 + exp_cpu(-x));
}

static inline float silu_cpu(float x)
{
    return x * sigmoid_cpu(x);
}

static inline float silu_derivative_cpu(float x)
{
    const float s = sigmoid_cpu(x);

    return s * (1 + x * (1 - s));
}

/* The normal distribution function P(x), and exp(-x^2 / 2) along with it.
 * Of z = |x| / sqrt(2): P(-|x|) = erfc(z) / 2 = exp(-z^2) q p(u) / 2 with q = 1 / (1 + z / 2),
 * u = (1 - z / 2) q, and p fitted to erfc(z) exp(z^2) / q, relative error 4e-8. */
static inline float normal_cpu(float x, float *bell)
{
    const float half = 0.35355339f * (x < 0 ? -x : x); // z / 2
    const float q = 1 / (1 + half);
    const float u = (1 - half) * q;

    float p = -2.296894084e-4f;
    p = p * u + 3.754435023e-4f;
    p = p * u + 1.489730042e-3f;
    p = p * u - 3.217540452e-3f;
    p = p * u - 1.074213312e-2f;
    p = p * u + 1.821741458e-2f;
    p = p * u + 1.397348688e-1f;
    p = p * u + 3.435804937e-1f;
    p = p * u + 5.107913705e-1f;
    *bell = exp_cpu(-0.5f * x * x);

    const float tail = 0.5f * p * q * *bell;
    return x < 0 ? tail : 1 - tail;
}

static inline float gelu_cpu(float x)
{
    float bell;

    return x * normal_cpu(x, &bell);
}

static inline float gelu_derivative_cpu(float x)
{
    float bell;
    const float normal = normal_cpu(x, &bell);

    return normal + x * CPU_INVERSE_SQRT_2PI * bell;
}

static inline float quick_gelu_cpu(float x)
{
    return x * sigmoid_cpu(1.702f * x);
}

static inline float quick_gelu_derivative_cpu(float x)
{
    return silu_derivative_cpu(1.702f * x);
}
