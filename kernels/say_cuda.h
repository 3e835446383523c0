/* say_cuda.h: what a call of the table says, added to a sum: calls whose sums are the same are the same, in
 * the same order. For repeat_cuda.cu. */
#pragma once

#include "kernels/cuda.h"

#include <string.h>
#include <type_traits>

static void say_bits(uint64_t *said, uint64_t bits)
{
    // of a call the order counts, so that each is spread over the sum before the next
    *said = (*said ^ bits) * 0x9e3779b97f4a7c15u;
    *said ^= *said >> 29;
}

template <typename T> static void say(uint64_t *said, T value)
{
    if constexpr (std::is_pointer<T>::value) {
        say_bits(said, (uint64_t)(uintptr_t)value);
    } else if constexpr (std::is_floating_point<T>::value) {
        const double wide = value;
        uint64_t bits;
        memcpy(&bits, &wide, sizeof bits);
        say_bits(said, bits);
    } else {
        static_assert(std::is_integral<T>::value || std::is_enum<T>::value, "say its members");
        say_bits(said, (uint64_t)value);
    }
}

template <typename First, typename Second, typename... More>
static void say(uint64_t *said, First first, Second second, More... more)
{
    say(said, first);
    say(said, second, more...);
}

// member by member, since what lies between members is of no value
template <> void say(uint64_t *said, struct kernels_weight w)
{
    say(said, w.data, w.type);
}

template <> void say(uint64_t *said, struct linear_shape s)
{
    const auto [t, in, out] = s;
    say(said, t, in, out);
}

template <> void say(uint64_t *said, struct conv_shape s)
{
    const auto [n, h, w, c, out_h, out_w, out, kh, kw, stride, top, left] = s;
    say(said, n, h, w, c, out_h, out_w, out, kh, kw, stride, top, left);
}

template <> void say(uint64_t *said, struct gemm_shape s)
{
    const auto [m, n, k, transpose_a, transpose_b, accumulate] = s;
    say(said, m, n, k, transpose_a, transpose_b, accumulate);
}

template <> void say(uint64_t *said, struct groupnorm_shape s)
{
    const auto [n, t, c, groups, epsilon, silu] = s;
    say(said, n, t, c, groups, epsilon, silu);
}

template <> void say(uint64_t *said, struct layernorm_shape s)
{
    const auto [t, c, epsilon] = s;
    say(said, t, c, epsilon);
}

template <> void say(uint64_t *said, struct attention_shape s)
{
    const auto [n, heads, tq, tk, d, causal, scale] = s;
    say(said, n, heads, tq, tk, d, causal, scale);
}

template <> void say(uint64_t *said, struct upsample_shape s)
{
    const auto [n, h, w, c, out_h, out_w] = s;
    say(said, n, h, w, c, out_h, out_w);
}

template <> void say(uint64_t *said, struct chosen_shape s)
{
    const auto [t, c, n, factor] = s;
    say(said, t, c, n, factor);
}

template <> void say(uint64_t *said, struct latents_shape s)
{
    const auto [n, t, c, more_c] = s;
    say(said, n, t, c, more_c);
}

template <> void say(uint64_t *said, struct unmix_shape s)
{
    const auto [n, places, heads, d, slots, first, count, scale] = s;
    say(said, n, places, heads, d, slots, first, count, scale);
}
