/* Stored types: every 16-bit value to float and back, and rounding at every boundary. */
#include "engine/base/dtype.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static float widen(enum dtype type, uint16_t bits)
{
    float value;

    dtype_to_f32(type, &bits, &value, 1);
    return value;
}

static uint16_t narrow(enum dtype type, float value)
{
    uint16_t bits;

    dtype_from_f32(type, &value, &bits, 1);
    return bits;
}

// the value of an f16 by its definition
static double f16_value(uint16_t bits)
{
    int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
    double magnitude = exponent == 31  ? (mantissa == 0 ? INFINITY : NAN)
                       : exponent == 0 ? ldexp(mantissa, -24)
                                       : ldexp(1024 + mantissa, exponent - 25);

    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

static void test_f16_all(void)
{
    for (unsigned bits = 0; bits < 65536; bits++) {
        double expected = f16_value((uint16_t)bits);
        float got = widen(DTYPE_F16, (uint16_t)bits);
        if (isnan(expected)) {
            g_assert_true(isnan(got));
            uint16_t back = narrow(DTYPE_F16, got);
            g_assert_cmpint(back, ==, (bits & 0x8000) | 0x7e00);
        } else {
            g_assert_true(got == expected && !signbit(got) == !signbit(expected));
            g_assert_cmpint(narrow(DTYPE_F16, got), ==, bits);
        }
    }
}

// between two neighbours: below the middle down, above up, the middle itself to the even one
static void test_f16_rounding(void)
{
    for (uint16_t bits = 0; bits < 0x7bff; bits++) {
        float middle = (float)((f16_value(bits) + f16_value(bits + 1)) / 2);
        uint16_t even = (bits & 1) != 0 ? bits + 1 : bits;
        g_assert_cmpint(narrow(DTYPE_F16, middle), ==, even);
        g_assert_cmpint(narrow(DTYPE_F16, -middle), ==, even | 0x8000);
        g_assert_cmpint(narrow(DTYPE_F16, nextafterf(middle, 0)), ==, bits);
        g_assert_cmpint(narrow(DTYPE_F16, nextafterf(middle, INFINITY)), ==, bits + 1);
    }
    g_assert_cmpint(narrow(DTYPE_F16, 65504.0f), ==, 0x7bff);
    g_assert_cmpint(narrow(DTYPE_F16, nextafterf(65520.0f, 0)), ==, 0x7bff);
    g_assert_cmpint(narrow(DTYPE_F16, 65520.0f), ==, 0x7c00);
    g_assert_cmpint(narrow(DTYPE_F16, -3e38f), ==, 0xfc00);
    g_assert_cmpint(narrow(DTYPE_F16, 1e-45f), ==, 0);
}

static void test_bf16(void)
{
    for (unsigned bits = 0; bits < 65536; bits++) {
        float value = widen(DTYPE_BF16, (uint16_t)bits);
        if (isnan(value)) {
            g_assert_true(isnan(widen(DTYPE_BF16, narrow(DTYPE_BF16, value))));
            continue;
        }
        g_assert_cmpint(narrow(DTYPE_BF16, value), ==, bits);
        if ((bits & 0x7fff) >= 0x7f7f) { // no finite neighbour above
            continue;
        }
        float middle = (float)(((double)value + widen(DTYPE_BF16, (uint16_t)(bits + 1))) / 2);
        unsigned even = (bits & 1) != 0 ? bits + 1 : bits;
        g_assert_cmpint(narrow(DTYPE_BF16, middle), ==, even);
        g_assert_cmpint(narrow(DTYPE_BF16, nextafterf(middle, 0)), ==, bits);
    }
    g_assert_cmpint(narrow(DTYPE_BF16, 3.4e38f), ==, 0x7f80);
}

// arrays of every type at odd addresses and odd lengths
static void test_arrays(void)
{
    static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F64};
    char stored[37 * 8 + 1];
    float in[37], out[37];

    for (int i = 0; i < 37; i++) {
        in[i] = (float)(i - 18) / 4; // every type holds it
    }
    for (size_t k = 0; k < G_N_ELEMENTS(types); k++) {
        memset(out, 0, sizeof(out));
        dtype_from_f32(types[k], in, stored + 1, 37);
        dtype_to_f32(types[k], stored + 1, out, 37);
        g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
        g_assert_cmpint(dtype_from_name(dtype_name(types[k])), ==, types[k]);
        g_assert_cmpint(dtype_name_bits(dtype_name(types[k])), ==, 8 * dtype_bytes(types[k]));
    }
    g_assert_cmpint(dtype_from_name("F8_E4M3FNUZ"), ==, DTYPE_OTHER);
    g_assert_cmpint(dtype_name_bits("I64"), ==, 64);
    g_assert_cmpint(dtype_name_bits("F128"), ==, 0);
}

static void test_finite(void)
{
    float values[37] = {0};

    values[3] = -3.4028235e38f;
    values[4] = 1e-45f;
    g_assert_true(dtype_finite(values, 37));
    g_assert_true(dtype_finite(values, 0));
    for (int i = 0; i < 37; i++) {
        static const float bad[] = {NAN, INFINITY, -INFINITY};
        float kept = values[i];
        values[i] = bad[i % 3];
        g_assert_false(dtype_finite(values, 37));
        values[i] = kept;
    }
}

// every f16 there is, in each place of an array
static void test_finite_f16(void)
{
    for (unsigned bits = 0; bits <= 0xffff; bits++) {
        uint16_t values[37] = {0};
        values[bits % 37] = (uint16_t)bits;
        g_assert_cmpint(dtype_finite_f16(values, 37), ==,
                        isfinite(widen(DTYPE_F16, (uint16_t)bits)));
    }
    g_assert_true(dtype_finite_f16(NULL, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dtype/f16-all", test_f16_all);
    g_test_add_func("/dtype/f16-rounding", test_f16_rounding);
    g_test_add_func("/dtype/bf16", test_bf16);
    g_test_add_func("/dtype/arrays", test_arrays);
    g_test_add_func("/dtype/finite", test_finite);
    g_test_add_func("/dtype/finite-f16", test_finite_f16);
    return g_test_run();
}
