/* ptx_cuda.h: the device's instructions that CUDA's C++ has no words for: products of tensor cores, loads
 * of their factors from shared memory, copies to shared memory that run beside the block's work. For nvcc;
 * tests/rig/tensor_rig.h is the same for the rig (launch_cuda.h). Layouts: NVIDIA, PTX ISA, "Matrix
 * multiply-accumulate operation using mma instruction".
 *
 * Of a warp's matrices each lane holds a few values. With g = lane / 4 and t = lane % 4, in pairs of
 * neighbours in one register where a value has 16 bits:
 *
 *   A [16, 16]  a[0] row g, columns 2 t, 2 t + 1   a[1] row g + 8   a[2], a[3] the same 8 columns on
 *   B [16, 8]   b[0] rows 2 t, 2 t + 1, column g   b[1] the same 8 rows on
 *   C [16, 8]   c[0], c[1] row g, columns 2 t, 2 t + 1   c[2], c[3] row g + 8
 *
 * Of floats, which are multiplied as tf32, the first ten bits of their mantissas, products are half as deep:
 *
 *   A [16, 8]   a[0] row g, column t   a[1] row g + 8   a[2], a[3] the same 4 columns on
 *   B [8, 8]    b[0] row t, column g   b[1] the same 4 rows on
 *
 * All lanes of a warp come to each of these but the copies. */
#pragma once

// C += A B by the instruction of this shape and these types, whose A has four registers and whose B two
#define PTX_PRODUCT(kind, c, a, b)                                                                 \
    asm("mma.sync.aligned." kind " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"          \
        : "+f"((c)[0]), "+f"((c)[1]), "+f"((c)[2]), "+f"((c)[3])                                   \
        : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "r"((b)[0]), "r"((b)[1]))

/* C += A B of float16. Devices before 8.0 multiply half as deep at a time. */
static __device__ inline void ptx_multiply(float c[4], const uint32_t a[4], const uint32_t b[2],
                                           __half)
{
#if __CUDA_ARCH__ >= 800
    PTX_PRODUCT("m16n8k16.row.col.f32.f16.f16.f32", c, a, b);
#else
    for (int i = 0; i < 2; i++) {
        asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
            "{%0,%1,%2,%3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a[2 * i]), "r"(a[2 * i + 1]), "r"(b[i]));
    }
#endif
}

// of bfloat16, which devices before 8.0 do not multiply: no table computes in it there
static __device__ inline void ptx_multiply(float c[4], const uint32_t a[4], const uint32_t b[2],
                                           __nv_bfloat16)
{
#if __CUDA_ARCH__ >= 800
    PTX_PRODUCT("m16n8k16.row.col.f32.bf16.bf16.f32", c, a, b);
#else
    __trap();
#endif
}

// of floats that ptx_round rounded; devices before 8.0 have no such product: no table computes in it there
static __device__ inline void ptx_multiply(float c[4], const uint32_t a[4], const uint32_t b[2],
                                           float)
{
#if __CUDA_ARCH__ >= 800
    PTX_PRODUCT("m16n8k8.row.col.f32.tf32.tf32.f32", c, a, b);
#else
    __trap();
#endif
}

// the bits of a float to the nearest that has ten bits of mantissa, the larger of two
static __device__ inline uint32_t ptx_round(uint32_t bits)
{
#if __CUDA_ARCH__ >= 800
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(__uint_as_float(bits)));
#endif
    return bits;
}

/* Four matrices of 8 x 8 values of 16 bits from shared memory. Lane l names row l % 8 of matrix l / 8,
 * 8 values that lie together, aligned to 16 bytes. m[i]: of matrix i row g, columns 2 t and 2 t + 1;
 * turned: column g, rows 2 t and 2 t + 1. Not turned, of 8 x 4 floats row g, column t as well. */
static __device__ inline void ptx_load(uint32_t m[4], const void *row)
{
    const unsigned at = (unsigned)__cvta_generic_to_shared(row);

    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
                 : "r"(at)
                 : "memory");
}

static __device__ inline void ptx_load_turned(uint32_t m[4], const void *row)
{
    const unsigned at = (unsigned)__cvta_generic_to_shared(row);

    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
                 : "r"(at)
                 : "memory");
}

#define PTX_COPY 16 // bytes of a copy, and its alignment

/* Begins to copy 16 bytes to shared memory, or to clear them where there is nothing: from is not read
 * then. They are there when the thread has waited, for others behind a barrier after that. Devices
 * before 8.0 copy at once. */
static __device__ inline void ptx_copy(void *to, const void *from, bool there)
{
#if __CUDA_ARCH__ >= 800
    const unsigned at = (unsigned)__cvta_generic_to_shared(to);

    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(at), "l"(from), "r"(there ? PTX_COPY : 0)
                 : "memory");
#else
    *(uint4 *)to = there ? *(const uint4 *)from : make_uint4(0, 0, 0, 0);
#endif
}

// what the thread began since its last mark is one group
static __device__ inline void ptx_copy_mark(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// until no more than LEFT of the thread's groups are under way, the latest ones
template <int LEFT> static __device__ inline void ptx_copy_wait(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
#endif
}
