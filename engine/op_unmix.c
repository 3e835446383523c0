/* The unmix loss of one attention; see attention_guide.h.
 *
 *   forward   a = attention(q, k, v) with v[t, i] = the share of token t among subject i's own, in
 *             every head: channel i of head h is the probability of the subject's words there;
 *             A_i = mean over heads of a
 *   backward  da[x, h, i] = 2 M_i A_i / (sum of M_i) / heads, times the weight over layers, rows
 *             and subjects; from there the attention's own backward
 *
 * A head has d channels, so more subjects than that take several runs. No more is kept than the
 * channels of these few tokens. */
#include "engine/attention_guide.h"

#include "engine/ops.h"

#include <string.h>

// subjects first .. first + count of all rows, in channels of d in each head
struct part {
    const struct unmix *u;
    int first, count, heads, d;
};

static struct tensor *words_as_values(struct tape *t, const struct part *p)
{
    const struct unmix *u = p->u;
    const int width = p->heads * p->d;
    g_autofree float *values = g_new0(float, (size_t)u->n * u->tokens * width);

    for (int n = 0; n < u->n; n++) {
        for (int i = 0; i < p->count; i++) {
            const float *words = u->words + ((size_t)n * u->slots + p->first + i) * u->tokens;
            for (int j = 0; j < u->tokens * p->heads; j++) {
                const size_t token = (size_t)n * u->tokens + j / p->heads;
                values[token * width + (j % p->heads) * p->d + i] = words[j / p->heads];
            }
        }
    }
    return tape_input(t, values, u->n, 1, u->tokens, width, false);
}

/* The loss of subject `subject` of row n, and the gradient of its channel. map, d_map: the row's
 * first value of that channel. */
static double one_subject(const struct part *p, int n, int subject, const real *map, real *d_map)
{
    const struct unmix *u = p->u;
    const float *others = u->others + ((size_t)n * u->slots + subject) * u->places;
    const int width = p->heads * p->d;
    double sum = 0, squares = 0;

    for (int x = 0; x < u->places; x++) {
        sum += others[x];
    }
    if (sum <= 0) {
        return 0;
    }
    const double share = 1.0 / u->rows / u->shown[n];
    for (int x = 0; x < u->places; x++) {
        double a = 0;
        for (int h = 0; h < p->heads; h++) {
            a += map[(size_t)x * width + h * p->d];
        }
        a /= p->heads;
        squares += others[x] * a * a;
        const double slope = u->weight * share / u->layers * 2 * others[x] * a / sum / p->heads;
        for (int h = 0; h < p->heads; h++) {
            d_map[(size_t)x * width + h * p->d] = (real)slope;
        }
    }
    return share * squares / sum;
}

static double run_part(struct tape *t, struct tensor *q, struct tensor *k, const struct part *p)
{
    const kernels *table = tape_kernels(t);
    const struct unmix *u = p->u;
    struct tensor *a = attention(t, q, k, words_as_values(t, p), p->heads, false);
    const size_t bytes = (size_t)tensor_count(a) * sizeof(real);
    g_autofree real *map = g_malloc0(bytes), *d_map = g_malloc0(bytes);
    real *gradient = tape_gradient(t, a);
    double loss = 0;

    table->download(table, map, a->data, bytes);
    for (int n = 0; n < u->n; n++) {
        for (int i = 0; i < p->count && p->first + i < u->shown[n] && u->shown[n] > 1; i++) {
            const size_t at = (size_t)n * u->places * p->heads * p->d + i;
            loss += one_subject(p, n, p->first + i, map + at, d_map + at);
        }
    }
    if (gradient != NULL) {
        table->upload(table, gradient, d_map, bytes);
    }
    return loss;
}

void unmix_attention(struct tape *t, struct tensor *q, struct tensor *k, int heads,
                     const struct unmix *u, int layer)
{
    const int d = q->c / heads;
    double loss = 0;

    g_assert(tensor_tokens(q) == u->places && tensor_tokens(k) == u->tokens && q->n == u->n);
    for (int first = 0; first < u->slots; first += d) {
        const struct part p = {u, first, MIN(d, u->slots - first), heads, d};
        loss += run_part(t, q, k, &p);
    }
    u->losses[layer] = loss;
}
