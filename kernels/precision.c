/* precision.c: the precisions by name, and the type that the values of each are stored in. */
#include "kernels/kernels.h"

static const struct {
    const char *word;
    enum kernels_type type;
} precisions[KERNELS_PRECISIONS] = {
    [KERNELS_IN_F32] = {"f32", KERNELS_F32},
    [KERNELS_IN_BF16] = {"bf16", KERNELS_BF16},
    [KERNELS_IN_F16] = {"f16", KERNELS_F16},
    [KERNELS_IN_TF32] = {"tf32", KERNELS_F32},
};

enum kernels_type kernels_precision_type(enum kernels_precision precision)
{
    return precisions[precision].type;
}

const char *kernels_precision_word(enum kernels_precision precision)
{
    return precisions[precision].word;
}

enum kernels_precision kernels_precision_of(const char *word)
{
    int i = 0;

    while (i < KERNELS_PRECISIONS && g_strcmp0(word, precisions[i].word) != 0) {
        i++;
    }
    return (enum kernels_precision)i;
}
