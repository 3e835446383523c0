/* functions_reference.h: activation functions and their derivatives in double. */
#pragma once

#include <math.h>

#define INVERSE_SQRT2    0.70710678118654752440 // 1 / sqrt(2)
#define INVERSE_SQRT_2PI 0.39894228040143267794 // 1 / sqrt(2 pi)

static inline double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

// x sigmoid(x)
static inline double silu(double x)
{
    return x * sigmoid(x);
}

static inline double silu_derivative(double x)
{
    return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
}

// x times the normal distribution function, the exact GELU
static inline double gelu(double x)
{
    return 0.5 * x * erfc(-x * INVERSE_SQRT2);
}

static inline double gelu_derivative(double x)
{
    return 0.5 * erfc(-x * INVERSE_SQRT2) + x * INVERSE_SQRT_2PI * exp(-0.5 * x * x);
}

// x sigmoid(1.702 x), CLIP's
static inline double quick_gelu(double x)
{
    return x * sigmoid(1.702 * x);
}

static inline double quick_gelu_derivative(double x)
{
    return silu_derivative(1.702 * x);
}
