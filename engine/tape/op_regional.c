/* Cross-attention in which words act in their region only; see attention_guide.h. Forward alone.
 *
 *   p(t | x) ~ m_r(x) exp(q_x k_t / sqrt(d))      for the words t of region r
 *
 * The factor is a channel more a region in each head: log m_r(x) sqrt(d) behind the queries, 1
 * behind the keys of the region's words and 0 behind all others, so that the device's attention
 * does the rest. */
#include "engine/tape/attention_guide.h"

#include "engine/tape/ops.h"
#include "engine/picture/picture_scale.h"

#include <math.h>

#define NOTHING (-1e4) // log m where m is 0: the exponential is 0

// x [.., heads * d] into heads of d + n channels; the last n of each are those of `extra` (NULL: 0)
static struct tensor *widen(struct tape *t, const struct tensor *x, int heads, int n,
                            const float *extra)
{
    const kernels *k = tape_kernels(t);
    const int d = x->c / heads, wide = d + n;
    const int64_t rows = tensor_rows(x);
    struct tensor *y = tape_tensor(t, x->n, x->h, x->w, heads * wide);

    k->zero(k, y->data, tape_bytes(t, tensor_count(y)));
    if (extra != NULL) {
        // the same in all heads: brought once
        const struct tensor *e = tape_input(t, extra, x->n, x->h, x->w, n, false);
        for (int h = 0; h < heads; h++) {
            k->copy_columns(k, rows, n, e->data, n, kernels_at(k, y->data, h * wide + d),
                            heads * wide, false);
        }
    }
    k->copy_columns(k, rows * heads, d, x->data, d, y->data, wide, false);
    return y;
}

// [n, h, w, regions] = log m sqrt(d) on the queries' grid
static float *query_channels(const struct attention_regions *r, const struct tensor *q, int d)
{
    const int places = q->h * q->w;
    float *extra = g_new(float, (size_t)q->n *places * r->n);

    for (int i = 0; i < r->n; i++) {
        const picture region = {.width = r->w,
                                .height = r->h,
                                .channels = 1,
                                .pixels = (float *)r->masks + (size_t)i * r->h * r->w};
        g_autoptr(picture) grid = picture_area_mean(&region, q->w, q->h, NULL);
        for (int x = 0; x < q->n * places; x++) {
            // without memory for a grid nothing could be drawn anyway: everywhere
            const double m = grid != NULL ? grid->pixels[x % places] : 1;
            extra[(size_t)x * r->n + i] = (float)(sqrt(d) * (m > 0 ? log(m) : NOTHING));
        }
    }
    return extra;
}

// [n, tokens, regions]: 1 for the tokens of the region's text
static float *key_channels(const struct attention_regions *r, const struct tensor *k)
{
    const int tokens = (int)tensor_tokens(k), each = tokens / (r->n + 1);
    float *extra = g_new0(float, (size_t)k->n *tokens * r->n);

    for (int i = 0; i < k->n * tokens; i++) {
        const int text = i % tokens / each;
        if (text > 0) {
            extra[(size_t)i * r->n + text - 1] = 1;
        }
    }
    return extra;
}

struct tensor *regional_attention(struct tape *t, struct tensor *q, struct tensor *k,
                                  struct tensor *v, int heads, const struct attention_regions *r)
{
    const kernels *table = tape_kernels(t);
    const int d = q->c / heads, wide = d + r->n;
    g_autofree float *of_queries = query_channels(r, q, d), *of_keys = key_channels(r, k);
    const struct attention_shape s = {.n = q->n,
                                      .heads = heads,
                                      .tq = (int)tensor_tokens(q),
                                      .tk = (int)tensor_tokens(k),
                                      .d = wide,
                                      .scale = (real)(1 / sqrt(d))};
    struct tensor *y = tape_like(t, q);

    g_assert(tensor_tokens(k) % (r->n + 1) == 0);
    y->needs_gradient = false;
    q = widen(t, q, heads, r->n, of_queries);
    k = widen(t, k, heads, r->n, of_keys);
    v = widen(t, v, heads, r->n, NULL);
    struct tensor *out = tape_like(t, q);
    table->attention_forward(table, s, q->data, k->data, v->data, out->data, NULL);
    table->copy_columns(table, tensor_rows(y) * heads, d, out->data, wide, y->data, d, false);
    return y;
}
