/* onednn.c: oneDNN's engine, and its float products, which need no primitives. */
#include "kernels/onednn.h"
#include "kernels/onednn_primitive.h"

struct onednn *onednn_create(GError **error)
{
    struct onednn *o = g_new0(struct onednn, 1);

    if (dnnl_engine_create(&o->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags) != dnnl_success) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "oneDNN could not be started on this CPU");
        onednn_destroy(o);
        return NULL;
    }
    o->primitives = primitives_new();
    return o;
}

void onednn_destroy(struct onednn *o)
{
    if (o) {
        g_clear_pointer(&o->primitives, g_hash_table_unref);
        dnnl_stream_destroy(o->stream);
        dnnl_engine_destroy(o->engine);
        g_free(o);
    }
}

// the instruction sets are numbered as bit masks, each with those that it contains
static bool may_use(int set)
{
#ifdef __x86_64__
    return ((int)dnnl_get_effective_cpu_isa() & set) == set;
#else
    return false;
#endif
}

bool onednn_has_avx2(void)
{
    return may_use(dnnl_cpu_isa_avx2);
}

bool onednn_has_avx512(void)
{
    return may_use(dnnl_cpu_isa_avx512_core);
}

bool onednn_has_bf16(void)
{
    return may_use(dnnl_cpu_isa_avx512_core_bf16);
}

// the library asks Linux for the tiles' registers before it calls them usable
bool onednn_has_amx(void)
{
    return may_use(dnnl_cpu_isa_avx512_core_amx);
}

void onednn_gemm(struct gemm_shape s, const float *a, const float *b, float *c)
{
    dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.m, s.n, s.k, 1, a,
               s.transpose_a ? s.m : s.k, b, s.transpose_b ? s.k : s.n, s.accumulate ? 1 : 0, c,
               s.n);
}

void onednn_product(struct onednn_product p, const float *a, const float *b, float *c)
{
    dnnl_sgemm(p.transpose_a ? 'T' : 'N', p.transpose_b ? 'T' : 'N', p.m, p.n, p.k, p.alpha, a,
               p.lda, b, p.ldb, p.accumulate ? 1 : 0, c, p.ldc);
}
