/* tensor_rig.h: the instructions of kernels/ptx_cuda.h for the rig. Each lane shows what it holds and
 * works out its own values from what the others hold by the documented layout, so that an index that is
 * wrong gives a wrong product. A copy writes when its thread waits for it; until then its place holds
 * NaN, so that who does not wait, or reads on while it is copied to, is noticed. */
#pragma once

#include <deque>

namespace rig
{

// what a lane holds of both factors: halves of a[4] and b[2], in their order; a whole slot
struct alignas(RIG_SLOT) factors {
    float a[8], b[4];
};

// half `which` of a register
static inline float half_of(uint32_t pair, int which, __half)
{
    return f16_to_float((uint16_t)(pair >> 16 * which));
}

static inline float half_of(uint32_t pair, int which, __nv_bfloat16)
{
    return bf16_to_float((uint16_t)(pair >> 16 * which));
}

template <typename T>
static inline factors factors_of(const uint32_t a[4], const uint32_t b[2], T type)
{
    factors f;

    for (int i = 0; i < 8; i++) {
        f.a[i] = half_of(a[i / 2], i % 2, type);
        f.b[i % 4] = half_of(b[i % 4 / 2], i % 2, type);
    }
    return f;
}

// floats, of which the device multiplies ten bits of mantissa
static inline factors factors_of(const uint32_t a[4], const uint32_t b[2], float)
{
    factors f = {};

    for (int i = 0; i < 4; i++) {
        f.a[i] = __uint_as_float(a[i] & ~0x1fffu);
        f.b[i] = i < 2 ? __uint_as_float(b[i] & ~0x1fffu) : 0;
    }
    return f;
}

/* Adds the lane's own values of the product to c; per_register: values of a register, of which the depth is
 * eight times as much. */
void multiply_factors(float c[4], const unsigned char *slots, int lane, int per_register);

struct shared_row {
    uint32_t of[4];
};

// the lanes' rows, each read by its lane as the race detector sees
static inline const unsigned char *show_row(const void *row)
{
    const uint32_t *from = static_cast<const uint32_t *>(row);

    if ((uintptr_t)row % 16 != 0) {
        fail("a row of a tensor core's factor is not aligned");
    }
    if ((uintptr_t)row - (uintptr_t)running.shared >= running.shared_bytes) {
        fail("a row of a tensor core's factor is not in shared memory");
    }
    const shared_row mine = {{from[0], from[1], from[2], from[3]}};
    return exchange(0xffffffffu, mine);
}

static inline uint32_t half_at(const unsigned char *slots, int lane, int column)
{
    return shown<shared_row>(slots, lane).of[column / 2] >> column % 2 * 16 & 0xffffu;
}

struct copy {
    uint32_t *to;
    const uint32_t *from; // NULL: nothing is there
};

// of each thread of the block; an empty group is one, too
extern std::deque<std::deque<copy>> copies[1024];

static inline std::deque<std::deque<copy>> &own_copies()
{
    auto &own = copies[running.current->number];

    if (own.empty()) {
        own.emplace_back();
    }
    return own;
}

} // namespace rig

template <typename T>
static inline void ptx_multiply(float c[4], const uint32_t a[4], const uint32_t b[2], T type)
{
    const unsigned char *slots = rig::exchange(0xffffffffu, rig::factors_of(a, b, type));

    rig::multiply_factors(c, slots, rig::running.current->lane, sizeof(uint32_t) / sizeof(T));
}

static inline uint32_t ptx_round(uint32_t bits)
{
    const bool finite = (bits & 0x7f800000u) != 0x7f800000u;

    return finite ? (bits + 0x1000u) & ~0x1fffu : bits;
}

static inline void ptx_load(uint32_t m[4], const void *row)
{
    const unsigned char *slots = rig::show_row(row);
    const int lane = rig::running.current->lane;

    for (int i = 0; i < 4; i++) {
        m[i] = rig::shown<rig::shared_row>(slots, i * 8 + lane / 4).of[lane % 4];
    }
}

static inline void ptx_load_turned(uint32_t m[4], const void *row)
{
    const unsigned char *slots = rig::show_row(row);
    const int lane = rig::running.current->lane;

    for (int i = 0; i < 4; i++) {
        const int first = i * 8 + lane % 4 * 2;

        m[i] = rig::half_at(slots, first, lane / 4) | rig::half_at(slots, first + 1, lane / 4)
                                                          << 16;
    }
}

#define PTX_COPY 16

static inline void ptx_copy(void *to, const void *from, bool there)
{
    uint32_t *place = static_cast<uint32_t *>(to);

    if ((uintptr_t)to % PTX_COPY != 0 || (there && (uintptr_t)from % PTX_COPY != 0)) {
        rig::fail("a copy to shared memory is not aligned");
    }
    for (int i = 0; i < 4; i++) {
        place[i] = 0xffffffffu;
    }
    rig::own_copies().back().push_back(
        {place, there ? static_cast<const uint32_t *>(from) : nullptr});
}

static inline void ptx_copy_mark(void)
{
    rig::own_copies().emplace_back();
}

// the group that is still being filled is none of those under way
template <int LEFT> static inline void ptx_copy_wait(void)
{
    auto &own = rig::own_copies();

    for (; own.size() > LEFT + 1; own.pop_front()) {
        for (const rig::copy &copy : own.front()) {
            for (int i = 0; i < 4; i++) {
                copy.to[i] = copy.from != nullptr ? copy.from[i] : 0;
            }
        }
    }
}
