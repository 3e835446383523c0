/* product_cpu.c: which instructions a product is done with; see product_cpu.h. */
#include "kernels/product_cpu.h"
#include "kernels/onednn.h"

enum product_way product_way(enum kernels_type type)
{
#if defined __x86_64__ && defined __GNUC__
    if (type == KERNELS_BF16) {
        return onednn_has_amx() ? PRODUCT_AMX : onednn_has_bf16() ? PRODUCT_BF16 : PRODUCT_NONE;
    }
    if (type == KERNELS_F32) {
        return onednn_has_avx512() ? PRODUCT_AVX512
               : onednn_has_avx2() ? PRODUCT_AVX2
                                   : PRODUCT_NONE;
    }
#endif
    return PRODUCT_NONE;
}

#if defined __x86_64__ && defined __GNUC__
void product_run(const struct product *p, float *most)
{
    if (p->way == PRODUCT_AMX) {
        amx_product(p);
        if (most) {
            avx512_raise(p, most);
        }
    } else if (p->way == PRODUCT_AVX2) {
        avx2_product(p);
    } else {
        avx512_product(p, most);
    }
}

void product_begin(enum product_way way)
{
    if (way == PRODUCT_AMX) {
        amx_begin();
    }
}

void product_end(enum product_way way)
{
    if (way == PRODUCT_AMX) {
        amx_end();
    }
}
#endif
