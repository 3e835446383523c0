/* product_cpu.h: small products on one thread, of operands that lie in order.
 *
 *   C [rows, lanes] = A [rows, k] B [k, lanes], or +=; sums are float, in the order of k
 *
 * A value of A or B has 32 bits: a float, or a pair of bfloat16, the first in the low half, which is
 * multiplied with such a pair and added up by one instruction. A's rows hold them one behind the
 * other, B's rows one a lane. AMX's tiles take whole multiples of 16: all three then have room for
 * rows and k rounded up to that, in which A and B go on with zeros along k. */
#pragma once

#include "kernels/kernels.h"

#define PRODUCT_LANES 16

// the instructions that multiply: of floats the first two, of pairs the others
enum product_way { PRODUCT_NONE, PRODUCT_AVX2, PRODUCT_AVX512, PRODUCT_BF16, PRODUCT_AMX };

// the best that this CPU has, and the library behind onednn.h is allowed to use, for values of a type
enum product_way product_way(enum kernels_type type);

// distances between rows in values, those of C in floats
struct product {
    enum product_way way;
    int rows, k, lanes; // lanes: a multiple of PRODUCT_LANES
    const void *a, *b;
    int64_t a_row, b_row, c_row;
    float *c;
    bool accumulate;
};

// Runs it. most: NULL, or [lanes], each raised to the largest of its column of C; not with AVX2.
void product_run(const struct product *p, float *most);

// before and after a thread's products
void product_begin(enum product_way way);
void product_end(enum product_way way);

// what these are with one set of instructions each; product_avx512_cpu.c has those of both types
void avx2_product(const struct product *p);
void avx512_product(const struct product *p, float *most);
void avx512_raise(const struct product *p,
                  float *most); // as product_run does, of a C that is there
void amx_begin(void);
void amx_end(void);
void amx_product(const struct product *p);
